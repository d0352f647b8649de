//! Pages, server functions and streams.

use std::{collections::BTreeSet, time::Duration};

use app::domain::{
    access::{On, Place, Privilege, Rights},
    account::Owed,
    event::At,
    guest::GuestId,
};
use futures::StreamExt as _;
use http::{Method, StatusCode};
use server::router;

use crate::{
    Difference, Verdict,
    addresses::{Address, FUNCTIONS, Needs, PAGES},
    common::{Browser, browser::Reply},
    conclude,
    people::{PEOPLE, Person},
    world::{Known, World},
};

const NOW: i64 = 1_000_000_000_000;
/// What a stream has to say at once it has said by then.
const QUIET: Duration = Duration::from_millis(300);
const NOBODY: &str = "nobody";

#[test]
fn every_address_of_the_web_has_its_entry() {
    let known: BTreeSet<&str> = PAGES.iter().chain(FUNCTIONS).map(|address| address.path).collect();
    let served = router::addresses();
    let served: BTreeSet<&str> = served.iter().map(String::as_str).collect();
    assert_eq!(known, served, "each address needs its entry in contract/addresses.rs");
}

#[tokio::test]
async fn pages_functions_and_streams_answer_as_the_policy_says() {
    let world = World::new().await;
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for address in PAGES.iter().chain(FUNCTIONS) {
        let about = if is_about_a_guest(address) { &world.guests[..] } else { &world.guests[..1] };
        for known in about {
            let (row, differences) = row(&world, address, known).await;
            rows.push(row);
            wrong.extend(differences);
        }
    }
    let people: Vec<&'static str> = [NOBODY].into_iter().chain(PEOPLE.map(|person| person.name)).collect();
    conclude("Who may do what on the web", &people, &rows, &wrong);
}

fn is_about_a_guest(address: &Address) -> bool {
    matches!(address.needs, Needs::Guest(_) | Needs::Operation(_) | Needs::Again)
}

async fn row(world: &World, address: &Address, known: &Known) -> ((String, Vec<Verdict>), Vec<Difference>) {
    let what = match is_about_a_guest(address) {
        true => format!("{} {} ({})", address.method, address.path, known.guest.id),
        false => format!("{} {}", address.method, address.path),
    };
    let (mut verdicts, mut wrong) = (Vec::new(), Vec::new());
    let mut check = |person: &'static str, should: Verdict, reply: &Reply| {
        let is = verdict(address, reply);
        verdicts.push(is);
        if is != should {
            let answer: String = reply.body.chars().take(200).collect();
            let answer = format!("{} {:?} {answer}", reply.status, reply.location);
            wrong.push(Difference { what: what.clone(), person, is, should, answer });
        }
    };
    let mut stranger = world.host.browser();
    let reply = call(&mut stranger, address, known).await;
    let is_open = matches!(address.needs, Needs::Nothing | Needs::LogInPage);
    check(NOBODY, if is_open { Verdict::Allowed } else { Verdict::LogIn }, &reply);
    for person in &PEOPLE {
        // A session of its own, as some of these calls end theirs.
        let mut browser = world.browser(person).await;
        let reply = call(&mut browser, address, known).await;
        check(person.name, expected(address, known, person, &world.rights(person).await), &reply);
    }
    ((what, verdicts), wrong)
}

async fn call(browser: &mut Browser, address: &Address, known: &Known) -> Reply {
    browser.json = address.path.starts_with("/api/");
    if address.path.starts_with("/events") {
        return browser.begin(&known.fill(address.call)).await;
    }
    if address.method == Method::GET {
        return browser.get(&known.fill(address.call)).await;
    }
    let fields: Vec<_> = address.fields.iter().map(|(name, value)| (*name, known.fill(value))).collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post("/guests", address.call, &fields).await
}

fn verdict(address: &Address, reply: &Reply) -> Verdict {
    let to = reply.location.as_deref().unwrap_or_default();
    match reply.status {
        StatusCode::UNAUTHORIZED if matches!(address.path, "/api/account/log_in" | "/api/account/factor") => {
            Verdict::Allowed
        }
        StatusCode::UNAUTHORIZED => Verdict::LogIn,
        StatusCode::FORBIDDEN if is_due(&reply.body, "password-change-due", "Choose your own") => {
            Verdict::PasswordDue
        }
        StatusCode::FORBIDDEN if is_due(&reply.body, "factor-due", "Set up a second") => Verdict::FactorDue,
        StatusCode::FORBIDDEN => Verdict::Denied,
        StatusCode::NOT_FOUND => Verdict::Hidden,
        // Of a function that answers nothing it is the answer.
        StatusCode::OK if reply.body == "null" && address.method == Method::GET => Verdict::Hidden,
        status if status.is_redirection() && to.starts_with("/login?next=") => Verdict::LogIn,
        status if status.is_redirection() && to == Owed::Password.page() => Verdict::PasswordDue,
        // A form that was sent from that page goes back there.
        status if status.is_redirection() && to == Owed::Factor.page() => Verdict::FactorDue,
        _ => Verdict::Allowed,
    }
}

fn is_due(body: &str, variant: &str, words: &str) -> bool {
    body.contains(variant) || body.starts_with(words)
}

/// What the policy says, and nothing else.
fn expected(address: &Address, known: &Known, person: &Person, rights: &Rights) -> Verdict {
    let allow = |privilege, on| rights.allow(privilege, on, NOW);
    let denied = |is_allowed| if is_allowed { Verdict::Allowed } else { Verdict::Denied };
    let (on, id) = (On::Guest(known.place()), &known.guest.id);
    match address.needs {
        Needs::Nothing | Needs::AnySession => Verdict::Allowed,
        Needs::Owing(owed) if person.owed == Some(owed) => Verdict::Allowed,
        _ if person.owed == Some(Owed::Password) => Verdict::PasswordDue,
        _ if person.owed == Some(Owed::Factor) => Verdict::FactorDue,
        Needs::Owing(_) => Verdict::Allowed,
        Needs::Session | Needs::LogInPage => Verdict::Allowed,
        Needs::Somewhere(privilege) => denied(allow(privilege, On::Somewhere)),
        Needs::Everything(privilege) => denied(allow(privilege, On::Everything)),
        Needs::EitherOnEverything(one, other) => {
            denied(allow(one, On::Everything) || allow(other, On::Everything))
        }
        Needs::Guest(_) if !allow(Privilege::See, on) => Verdict::Hidden,
        Needs::Guest(privilege) => denied(allow(privilege, on)),
        Needs::Operation(_) | Needs::Again if !allow(Privilege::History, on) => Verdict::Hidden,
        Needs::Operation(privilege) => denied(allow(privilege, on)),
        Needs::Again => denied(allow(Privilege::Create, On::Guest(Place::id(id)))),
    }
}

#[tokio::test]
async fn lists_hold_what_one_may_see_and_nothing_else() {
    let world = World::new().await;
    let lists = [
        ("/", Privilege::See),
        ("/api/dashboard/get", Privilege::See),
        ("/api/palette/find", Privilege::See),
        ("/api/palette/find?text=1", Privilege::See),
        ("/guests", Privilege::See),
        ("/api/guests/list", Privilege::See),
        ("/api/guests/page", Privilege::See),
        ("/api/account/frame", Privilege::See),
        ("/history", Privilege::History),
        ("/api/operations/list", Privilege::History),
        ("/api/operations/list?query[text]=1", Privilege::History),
        ("/history/export?format=csv", Privilege::History),
        ("/history/export?format=jsonl", Privilege::History),
        ("/guests/new", Privilege::See),
        ("/api/guests/choices", Privilege::Create),
    ];
    for person in PEOPLE.iter().filter(|person| person.owed.is_none()) {
        let rights = world.rights(person).await;
        let mut browser = world.browser(person).await;
        for (path, privilege) in lists {
            browser.json = path.starts_with("/api/");
            let body = browser.get(path).await.body;
            for known in &world.guests {
                let id: &GuestId = &known.guest.id;
                let is_there = body.contains(id.name.as_str());
                let may = rights.allow(privilege, On::Guest(known.place()), NOW);
                assert!(may || !is_there, "{} sees {id} in {path}: {body}", person.name);
                let tells_some = ["new", "choices", "frame", "dashboard", "palette"];
                let tells_all = path != "/" && !tells_some.iter().any(|part| path.contains(part));
                assert!(
                    !(may && tells_all) || is_there,
                    "{} does not see {id} in {path}: {body}",
                    person.name
                );
            }
        }
    }
}

#[tokio::test]
async fn the_stream_tells_of_the_guests_and_operations_that_one_may_see_and_of_no_others() {
    let world = World::new().await;
    let state = &world.host.state;
    state.latest.catch_up(&state.store, true).await.unwrap();
    for person in PEOPLE.iter().filter(|person| person.owed.is_none()) {
        let rights = world.rights(person).await;
        let mut browser = world.browser(person).await;
        // As if the page had been made before there was anything.
        let reply = browser.get("/api/account/frame").await;
        let frame: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let at: At = match frame["at"].as_str() {
            Some(at) => at.parse().unwrap(),
            None => panic!("{}: {reply:?}", person.name),
        };
        let at = At { guests: 0, operations: at.operations, ..at };
        let told = told(&mut browser, &format!("/events?since={at}")).await;
        for known in &world.guests {
            let id: &GuestId = &known.guest.id;
            let may = rights.allow(Privilege::See, On::Guest(known.place()), NOW);
            assert_eq!(told.contains(id.name.as_str()), may, "{} and {id}: {told}", person.name);
            let history = may && rights.allow(Privilege::History, On::Guest(known.place()), NOW);
            let last = format!("\"last\":{{\"id\":{}", known.operation);
            assert_eq!(told.contains(&last), history, "{} and {id}: {told}", person.name);
        }
    }
}

/// What the stream says until it has nothing more to say, of a person to whom it may say nothing at all.
async fn told(browser: &mut Browser, path: &str) -> String {
    let mut stream = browser.body(path).await;
    let mut told = String::new();
    while let Ok(Some(piece)) = tokio::time::timeout(QUIET, stream.next()).await {
        told += std::str::from_utf8(&piece.unwrap()).unwrap();
    }
    told
}
