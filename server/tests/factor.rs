//! Second factors of Paddock's own accounts: setting one up, log-in with it, recovery codes, replay, and being asked for one.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use std::{
    collections::HashSet,
    time::{SystemTime, UNIX_EPOCH},
};

use app::{
    auth::Caller,
    domain::{access::BuiltIn, account::FactorInfo},
    service::users,
    store::{By, UserChange},
};
use common::{Browser, Host, PASSWORD, browser::Reply};
use data_encoding::BASE32_NOPAD;
use http::StatusCode;
use totp_rs::{Algorithm, TOTP};

const PAGE: &str = "/account/factor";

/// What an authenticator does with the key it was told.
struct Authenticator(TOTP);

impl Authenticator {
    fn told(key: &str) -> Self {
        let secret = BASE32_NOPAD.decode(key.replace(' ', "").as_bytes()).unwrap();
        Self(TOTP::new(Algorithm::SHA1, 6, 1, 30, secret).unwrap())
    }

    /// The code so many steps from now.
    fn code(&self, steps: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.0.generate(now.checked_add_signed(steps * 30).unwrap())
    }

    fn wrong(&self) -> String {
        let good: HashSet<String> = (-3..=3).map(|steps| self.code(steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap()
    }
}

async fn info(browser: &Browser) -> FactorInfo {
    let reply = browser.wasm().get("/api/account/factor-info").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

async fn change(browser: &mut Browser, what: &str, password: &str, code: &str) -> Reply {
    browser.post(PAGE, &format!("/api/account/factor-{what}"), &[("current", password), ("code", code)]).await
}

/// Sets one up, and answers with the authenticator and the recovery codes.
async fn set_up(browser: &mut Browser) -> (Authenticator, Vec<String>) {
    let FactorInfo::Off { setup, .. } = info(browser).await else { panic!("there is one already") };
    let authenticator = Authenticator::told(&setup.key);
    // The oldest that is good, so that the next two are left for log-ins.
    let reply = change(browser, "add", PASSWORD, &authenticator.code(-1)).await;
    assert_eq!((reply.status, reply.location.as_deref()), (StatusCode::FOUND, Some(PAGE)), "{}", reply.body);
    let FactorInfo::On { codes, codes_left: 10, .. } = info(browser).await else { panic!("it is off") };
    (authenticator, codes)
}

async fn answer(browser: &mut Browser, code: &str) -> Reply {
    browser.post("/login/factor", "/api/account/factor", &[("code", code)]).await
}

/// A browser in which the password was right and the code is waited for.
async fn asked(host: &Host, name: &str) -> Browser {
    let mut browser = host.browser();
    let reply = browser.log_in(name, PASSWORD).await;
    assert_eq!(reply.location.as_deref(), Some("/login/factor"), "{reply:?}");
    assert_eq!(browser.get("/guests").await.status, StatusCode::SEE_OTHER, "not in yet");
    browser
}

fn is_in(reply: &Reply) -> bool {
    reply.location.as_deref() == Some("/")
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_lets_nobody_in() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Operator).await;
    let mut elsewhere = host.browser();
    elsewhere.log_in("anna", PASSWORD).await;
    let (authenticator, codes) = set_up(&mut anna).await;
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 10);
    assert_eq!(anna.get("/guests").await.status, StatusCode::OK, "the session that did it goes on");
    assert_eq!(elsewhere.get("/guests").await.status, StatusCode::SEE_OTHER, "all others are over");

    let mut browser = asked(&host, "anna").await;
    let before = browser.cookie.clone();
    let wrong = answer(&mut browser, &authenticator.wrong()).await;
    assert!(browser.get(&wrong.location.unwrap()).await.body.contains("That code is wrong"));
    assert!(is_in(&answer(&mut browser, &authenticator.code(0)).await));
    assert_ne!(browser.cookie, before, "another session id than the one before");
    assert_eq!(browser.get("/guests").await.status, StatusCode::OK);

    let told = host.ledger().await.join("\n");
    for line in [
        "factor-added user:anna {}",
        r#"session-ended user:anna {"why":"factor-added","sessions":"all-others"}"#,
        r#"log-in-failed user:anna {"known":true,"factor":true}"#,
        r#"logged-in user:anna {"factor":"totp"}"#,
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[tokio::test]
async fn a_code_is_taken_once_and_none_that_is_older() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let (authenticator, _) = set_up(&mut anna).await;
    let mut browser = asked(&host, "anna").await;
    assert!(!is_in(&answer(&mut browser, &authenticator.code(-1)).await), "the one it was set up with");
    let (now, next) = (authenticator.code(0), authenticator.code(1));
    assert!(is_in(&answer(&mut browser, &next).await));
    for used in [now, next] {
        let mut looked_on = asked(&host, "anna").await;
        assert!(!is_in(&answer(&mut looked_on, &used).await), "{used}");
    }
}

#[tokio::test]
async fn of_two_at_once_with_the_same_code_one_gets_in() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let (authenticator, codes) = set_up(&mut anna).await;
    for code in [authenticator.code(1), codes[0].clone()] {
        let (mut a, mut b) = (asked(&host, "anna").await, asked(&host, "anna").await);
        let (one, two) = tokio::join!(answer(&mut a, &code), answer(&mut b, &code));
        assert_eq!([is_in(&one), is_in(&two)].into_iter().filter(|it| *it).count(), 1, "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_lets_in_once_and_new_ones_take_the_place_of_all() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let (authenticator, codes) = set_up(&mut anna).await;
    let mut browser = asked(&host, "anna").await;
    assert!(is_in(&answer(&mut browser, &codes[3].to_uppercase()).await));
    assert!(!is_in(&answer(&mut asked(&host, "anna").await, &codes[3]).await), "once");
    let FactorInfo::On { codes_left, codes: told, .. } = info(&browser).await else { panic!("it is off") };
    assert_eq!((codes_left, told.len()), (9, 0), "told in the session alone that made them");
    assert!(host.ledger().await.contains(&r#"recovery-code-used user:anna {"left":9}"#.to_owned()));

    let reply = change(&mut anna, "codes", PASSWORD, &authenticator.code(0)).await;
    assert_eq!(reply.location.as_deref(), Some(PAGE), "{}", reply.body);
    let FactorInfo::On { codes_left: 10, codes: fresh, .. } = info(&anna).await else { panic!("it is off") };
    assert!(fresh.iter().all(|code| !codes.contains(code)));
    assert!(!is_in(&answer(&mut asked(&host, "anna").await, &codes[4]).await), "an old one");
    assert!(is_in(&answer(&mut asked(&host, "anna").await, &fresh[4]).await));
}

#[tokio::test]
async fn each_change_takes_password_and_code_and_says_which_was_wrong() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let FactorInfo::Off { setup, .. } = info(&anna).await else { panic!("there is one already") };
    let authenticator = Authenticator::told(&setup.key);
    let mut client = anna.wasm();
    for (password, code, field) in [
        ("wrong", authenticator.code(0), "wrong-password"),
        (PASSWORD, authenticator.wrong(), "wrong-code"),
        (PASSWORD, String::new(), "wrong-code"),
    ] {
        let reply = change(&mut client, "add", password, &code).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains(field), "{}", reply.body);
    }
    // As a form: what was typed is in no address.
    let (password, code) = ("xyzzy-plugh", authenticator.wrong());
    let location = change(&mut anna, "add", password, &code).await.location.unwrap();
    assert!(!location.contains(password) && !location.contains(&code), "{location}");
    assert!(matches!(info(&anna).await, FactorInfo::Off { .. }));
    assert!(change(&mut client, "codes", PASSWORD, "123456").await.body.contains("no-factor"));
    let (authenticator, codes) = set_up(&mut anna).await;
    let mut client = anna.wasm();
    assert!(change(&mut client, "add", PASSWORD, &authenticator.code(0)).await.body.contains("has-factor"));
    for what in ["codes", "remove"] {
        let reply = change(&mut client, what, "wrong", &authenticator.code(0)).await;
        assert!(reply.body.contains("wrong-password"), "{}", reply.body);
        let reply = change(&mut client, what, PASSWORD, &authenticator.wrong()).await;
        assert!(reply.body.contains("wrong-code"), "{}", reply.body);
    }
    let FactorInfo::On { codes_left: 10, .. } = info(&anna).await else { panic!("it is off") };
    assert_eq!(change(&mut client, "remove", PASSWORD, &codes[0]).await.status, StatusCode::OK);
    assert!(matches!(info(&anna).await, FactorInfo::Off { .. }));
    assert!(is_in(&host.browser().log_in("anna", PASSWORD).await));
    let told = host.ledger().await.join("\n");
    assert!(told.contains("factor-removed user:anna {}"), "{told}");
    assert!(told.contains("action-denied user:anna") && told.contains("remove-factor"), "{told}");
}

#[tokio::test]
async fn guesses_at_the_code_end_the_wait_and_cost_more_and_more_time() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let (authenticator, _) = set_up(&mut anna).await;
    let (mut checked, mut over, mut waits) = (0, 0, 0);
    // Whoever has the password begins again and again.
    for _ in 0..10 {
        let mut browser = asked(&host, "anna").await.wasm();
        for _ in 0..6 {
            let reply = answer(&mut browser, &authenticator.wrong()).await;
            match reply.status {
                StatusCode::TOO_MANY_REQUESTS => waits += 1,
                _ if reply.body.contains("factor-over") => over += 1,
                _ => checked += 1,
            }
        }
    }
    assert!(checked <= 12, "{checked} of 60 were checked");
    assert!(over > 0 && waits > 30, "{over} {waits}");
    // In a browser that she was in before she still gets in: nobody else can make it wait.
    let mut known = Browser { cookie: None, ..anna.clone() };
    known.log_in("anna", PASSWORD).await;
    assert!(is_in(&answer(&mut known, &authenticator.code(0)).await));
}

#[tokio::test]
async fn a_code_is_no_good_without_the_password_before_or_after_a_new_one() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let (authenticator, codes) = set_up(&mut anna).await;
    let reply = answer(&mut host.browser().wasm(), &authenticator.code(0)).await;
    assert!(reply.body.contains("factor-over"), "{}", reply.body);
    let mut waiting = asked(&host, "anna").await.wasm();
    let fields = [("current", PASSWORD), ("new", "kettle fern orbit"), ("repeat", "kettle fern orbit")];
    anna.post("/account/password", "/api/account/password", &fields).await;
    let reply = answer(&mut waiting, &codes[0]).await;
    assert!(reply.body.contains("factor-over"), "{}", reply.body);
}

#[tokio::test]
async fn whoever_must_have_one_may_do_nothing_before_it_is_set_up() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Administrator).await;
    let change = UserChange { factor_required: Some(true), ..UserChange::default() };
    users::change(&host.state, &Caller::command_line("root"), "anna", change).await.unwrap();
    // At the very next request, not at the next log-in.
    let reply = anna.get("/guests").await;
    assert_eq!((reply.status, reply.location.as_deref()), (StatusCode::SEE_OTHER, Some(PAGE)));
    let reply = anna.wasm().get("/api/guests/list").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.body.contains("factor-due"), "{}", reply.body);
    assert_eq!(anna.try_act("lxc/a", "start").await.status, StatusCode::FORBIDDEN);
    assert_eq!(anna.begin("/events").await.status, StatusCode::FORBIDDEN);
    assert_eq!(anna.get("/history/export?format=csv").await.location.as_deref(), Some(PAGE));
    let page = anna.get(PAGE).await.body;
    assert!(page.contains("must have a second factor") && page.contains("class=\"qr\""), "{page}");
    let mut again = host.browser();
    assert_eq!(again.log_in("anna", PASSWORD).await.location.as_deref(), Some(PAGE));

    let (authenticator, _) = set_up(&mut anna).await;
    assert_eq!(anna.get("/guests").await.status, StatusCode::OK);
    let reply = self::change(&mut anna, "remove", PASSWORD, &authenticator.code(0)).await;
    assert_eq!(reply.location.as_deref(), Some(PAGE));
    assert_eq!(anna.get("/guests").await.location.as_deref(), Some(PAGE), "another is due");
}

#[tokio::test]
async fn an_administrator_takes_it_off_for_whoever_has_lost_it() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    set_up(&mut anna).await;
    let mut admin = host.admin().await.wasm();
    let reply = admin.post("/access/users/anna", "/api/access/remove-factor", &[("name", "anna")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let reply = admin.post("/access/users/anna", "/api/access/remove-factor", &[("name", "anna")]).await;
    assert!(reply.body.contains("has no second factor"), "{}", reply.body);
    assert!(is_in(&host.browser().log_in("anna", PASSWORD).await));
    let reply = anna.wasm().post("/", "/api/access/remove-factor", &[("name", "admin")]).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_copy_of_the_database_holds_no_key_and_no_code() {
    let host = Host::start().await;
    let mut anna = host.person("anna", BuiltIn::Viewer).await;
    let FactorInfo::Off { setup, .. } = info(&anna).await else { panic!("there is one already") };
    let (_, codes) = set_up(&mut anna).await;
    host.state
        .store
        .record(app::store::Fact::new(app::store::EntryKind::ServerStarted, By::default()))
        .await
        .unwrap();
    let mut bytes = Vec::new();
    for name in ["paddock.db", "paddock.db-wal"] {
        bytes.extend(std::fs::read(host.dir.path().join(name)).unwrap());
    }
    let bare = setup.key.replace(' ', "");
    let secret = BASE32_NOPAD.decode(bare.as_bytes()).unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(holds(b"factor-added"), "the entry is found where it is");
    assert!(!holds(&secret) && !holds(bare.as_bytes()), "the key");
    for code in &codes {
        let raw = BASE32_NOPAD.decode(code.replace('-', "").to_uppercase().as_bytes()).unwrap();
        assert!(!holds(code.as_bytes()) && !holds(&raw), "{code}");
    }
}
