//! The command palette: what a few letters may mean to this person. Guests and pages come from memory; an action is
//! offered only where it can be had now, and leads to the page that shows what it would run.

mod rank;

use super::{AppState, Error, Visible, permit};
use crate::{
    auth::{Caller, policy},
    domain::{
        access::{On, Privilege},
        action::GuestAction,
        dashboard::{Hit, HitKind},
        guest::Guest,
        history::HistoryFilter,
        list::saved::SavedView,
        operation::{OperationId, OperationSummary},
        words,
    },
};
use rank::{Rank, Ranker};

/// Most that is told.
const MOST: usize = 12;
/// Of the history the newest are looked at.
const RECENT: usize = 30;
/// So many of these are told while nothing is asked for yet.
const FIRST: usize = 5;
/// Characters that are read of what was typed.
const LONGEST: usize = 80;
/// From so many letters on a word may be the beginning of an action's.
const SHORTEST_VERB: usize = 2;
/// What can be asked of a guest here, each with the words that mean it.
const ACTIONS: [(GuestAction, &[&str]); 8] = [
    (GuestAction::Start, &["start"]),
    (GuestAction::Shutdown, &["shutdown", "shut down"]),
    (GuestAction::Reboot, &["reboot", "restart"]),
    (GuestAction::Stop, &["stop", "kill"]),
    (GuestAction::Pause, &["pause", "freeze"]),
    (GuestAction::Resume, &["resume", "unpause"]),
    (GuestAction::Unlock, &["unlock"]),
    (GuestAction::Delete, &["delete", "destroy", "remove"]),
];

/// The likeliest first.
pub async fn find(state: &AppState, caller: &Caller, text: &str) -> Result<Vec<Hit>, Error> {
    let text: String = text.chars().take(LONGEST).collect();
    let text = text.trim().to_lowercase();
    let recent = recent(state, caller).await?;
    if text.is_empty() {
        let pages = pages(caller).into_iter().map(page);
        return Ok(pages.chain(recent.into_iter().take(FIRST).map(operation)).take(MOST).collect());
    }
    let mut found: Vec<(Rank, Hit)> = Vec::new();
    let mut ranker = Ranker::new(&text);
    found.extend(pages(caller).into_iter().filter_map(|it| Some((ranker.words(it.0, it.1)?, page(it)))));
    found.extend(
        recent.into_iter().filter_map(|it| Some((of_operation(&mut ranker, &it, &text)?, operation(it)))),
    );

    let views = match caller.user {
        Some(user) => state.store.views_of(user).await?,
        None => Vec::new(),
    };
    found.extend(views.iter().filter_map(|it| Some((ranker.words(&it.name, "view saved")?, view(it)))));

    let snapshot = state.inventory.snapshot();
    let guests = || snapshot.guests.iter().map(|guest| -> &Guest { guest });
    let named = best(guests(), &mut ranker, |guest| policy::sees(caller, guest));
    // What one most likely wants of the one guest that this must be.
    if let Some((rank, guest)) = named.first().filter(|(rank, _)| rank.is_start()) {
        for (action, _) in ACTIONS.into_iter().filter(|(action, _)| is_offered(state, caller, guest, *action))
        {
            found.push((rank.beside(), act(guest, action)));
        }
    }
    found.extend(named.into_iter().map(|(rank, it)| (rank, guest(it))));
    for (action, rest) in asked(&text) {
        let mut ranker = Ranker::new(rest);
        let can = |guest: &Guest| policy::sees(caller, guest) && is_offered(state, caller, guest, action);
        let meant = best(guests(), &mut ranker, can);
        found.extend(meant.into_iter().map(|(rank, it)| (rank.asked_for(), act(it, action))));
    }
    found.sort_by(|(a, one), (b, other)| (a, &one.title).cmp(&(b, &other.title)));
    let mut told: Vec<Hit> = Vec::with_capacity(MOST);
    for (_, hit) in found {
        if told.len() < MOST && !told.iter().any(|known| known.href == hit.href) {
            told.push(hit);
        }
    }
    Ok(told)
}

/// The guests that fit best, of those that may be told. The rest are not even asked about.
fn best<'a>(
    guests: impl Iterator<Item = &'a Guest>,
    ranker: &mut Ranker,
    may: impl Fn(&Guest) -> bool,
) -> Vec<(Rank, &'a Guest)> {
    let mut found: Vec<(Rank, &Guest)> =
        guests.filter_map(|guest| Some((ranker.guest(guest)?, guest))).collect();
    found.sort_by(|(a, one), (b, other)| (a, one.label(), &one.id).cmp(&(b, other.label(), &other.id)));
    found.into_iter().filter(|(_, guest)| may(guest)).take(MOST).collect()
}

/// The actions that the text may ask for, and what is left of it: on which guest.
fn asked(text: &str) -> impl Iterator<Item = (GuestAction, &str)> {
    ACTIONS.into_iter().filter_map(move |(action, verbs)| {
        let rest = verbs.iter().filter_map(|verb| rest_after(text, verb)).min_by_key(|rest| rest.len())?;
        Some((action, rest))
    })
}

/// What follows the verb, or its beginning, in the text.
fn rest_after<'a>(text: &'a str, verb: &str) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix(verb).filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return Some(rest.trim_start());
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word.len() >= SHORTEST_VERB && verb.starts_with(word)).then(|| rest.trim_start())
}

fn is_offered(state: &AppState, caller: &Caller, guest: &Guest, action: GuestAction) -> bool {
    let Some(driver) = state.registry.get(guest.id.backend) else { return false };
    let is_of_use = action != GuestAction::Unlock || guest.lock.is_some();
    is_of_use && permit::refusal(driver.as_ref(), caller, guest, action).is_none()
}

/// Its title, other words for it, and where it is.
type Page = (&'static str, &'static str, &'static str);

fn pages(caller: &Caller) -> Vec<Page> {
    let somewhere = |privilege| policy::decide(caller, privilege, On::Somewhere).is_ok();
    let mut pages = vec![("Dashboard", "home overview", "/"), ("Guests", "containers vms", "/guests")];
    if somewhere(Privilege::Create) {
        pages.push(("New guest", "create add container", "/guests/new"));
    }
    pages.push(("History", "operations log", "/history"));
    if somewhere(Privilege::See) {
        pages.push(("Nodes", "hosts storages memory", "/nodes"));
    }
    if super::users::may_read(caller).is_ok() {
        pages.extend([
            ("Users", "access accounts", "/access"),
            ("Groups", "access", "/access/groups"),
            ("Roles", "access privileges", "/access/roles"),
            ("Grants", "access rights", "/access/grants"),
            ("Who had which role when", "access history past", "/access/history"),
        ]);
    }
    pages.extend([
        ("Sessions and tokens", "account api devices", "/account"),
        ("Change password", "account", "/account/password"),
        ("Second factor", "account totp authenticator", "/account/factor"),
    ]);
    pages
}

fn page((title, _, href): Page) -> Hit {
    Hit {
        kind: HitKind::Page,
        title: title.to_owned(),
        detail: String::new(),
        href: href.to_owned(),
        status: None,
    }
}

fn view(view: &SavedView) -> Hit {
    Hit {
        kind: HitKind::Page,
        title: view.name.clone(),
        detail: "Saved view of the guests".to_owned(),
        href: view.href(),
        status: None,
    }
}

fn guest(guest: &Guest) -> Hit {
    // What tells it from another of that name: its number, where it runs, where it is reached.
    let id = guest.title.as_ref().map(|_| guest.id.name.to_string());
    let parts = [id, Some(guest.id.backend.label().to_owned()), guest.node.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().chain(guest.addresses.first().cloned()).collect();
    Hit {
        kind: HitKind::Guest,
        title: guest.label().to_owned(),
        detail: parts.join(" · "),
        href: guest.id.href(),
        status: Some(guest.status),
    }
}

fn act(guest: &Guest, action: GuestAction) -> Hit {
    Hit {
        kind: HitKind::Action,
        title: format!("{} {}", action.label(), guest.label()),
        detail: guest.id.to_string(),
        href: format!("{}/plan/{action}", guest.id.href()),
        status: None,
    }
}

async fn recent(state: &AppState, caller: &Caller) -> Result<Vec<OperationSummary>, Error> {
    let filter = Visible::to(state, caller).of(HistoryFilter::default());
    let found = state.store.history(&filter, RECENT).await?;
    Ok(found.operations.into_iter().flatten().collect())
}

fn operation(operation: OperationSummary) -> Hit {
    let came_to = words::came_to(&operation.action, operation.state);
    Hit {
        kind: HitKind::Operation,
        title: format!("{}: {came_to}", operation.on_what()),
        detail: format!("#{} by {}", operation.id, operation.who()),
        href: operation.id.href(),
        status: None,
    }
}

/// By its number whole, else by its words.
fn of_operation(ranker: &mut Ranker, operation: &OperationSummary, text: &str) -> Option<Rank> {
    if text.strip_prefix('#').unwrap_or(text).parse() == Ok(operation.id.0) {
        return Some(Rank::EXACT);
    }
    let OperationId(id) = operation.id;
    let came_to = words::came_to(&operation.action, operation.state);
    let text = format!("{} {came_to} {} {id}", operation.on_what(), operation.who());
    ranker.words(&text, "").map(Rank::as_past)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> Vec<(&'static str, String)> {
        asked(text).map(|(action, rest)| (action.as_str(), rest.to_owned())).collect()
    }

    #[test]
    fn an_action_is_meant_by_its_words_or_their_beginning() {
        assert_eq!(meant("stop web1"), [("stop", "web1".to_owned())]);
        assert_eq!(meant("sh web"), [("shutdown", "web".to_owned())]);
        assert_eq!(meant("shut down web"), [("shutdown", "web".to_owned())]);
        assert_eq!(meant("shutdown"), [("shutdown", String::new())]);
        assert_eq!(meant("restart db 1"), [("reboot", "db 1".to_owned())]);
        assert_eq!(
            meant("re"),
            [("reboot", String::new()), ("resume", String::new()), ("delete", String::new())]
        );
        assert_eq!(meant("web1 stop"), []);
        assert_eq!(meant("s"), []);
    }
}
