//! What needs a person, in words: what is the matter, how things stand, and the one thing to do.

use std::cmp::Reverse;

use super::{Caller, Concern, ConcernKind, Guest, OperationSummary, User};
use crate::{
    auth::policy,
    domain::{
        access::{On, Place},
        action::GuestAction,
        dashboard::NodeView,
        guest::GuestStatus,
        host::{Availability, NodeState, Storage},
        operation::Deed,
        view::BackendHealth,
        words,
    },
    store::LOCAL,
};

/// A storage, or a node's memory, is nearly full from here on, parts in a hundred.
const NEARLY_FULL: u64 = 90;
/// The same of the memory of a node, which is there to be used.
const MEMORY_NEARLY_FULL: u64 = 95;
/// So many of a kind are told one by one; of more, the rest are counted.
const EACH: usize = 5;
/// A one-time password is nothing to speak of on the day it is given.
const ONE_TIME_NEWS_MS: i64 = 24 * 3600 * 1000;

pub fn damage(warning: String) -> Concern {
    Concern {
        kind: ConcernKind::Damaged,
        title: "The history has been changed outside Paddock".to_owned(),
        detail: warning,
        since_ms: None,
        todo: String::new(),
        href: None,
    }
}

/// A backend that is not as it should be.
pub fn backend(health: &BackendHealth) -> Option<Concern> {
    let label = health.state.kind.label();
    match (&health.state.availability, &health.stale) {
        (Availability::Unavailable { reason, cure }, _) => Some(Concern {
            kind: ConcernKind::Unavailable,
            title: format!("{label} is unavailable"),
            detail: format!("{reason} {cure}"),
            since_ms: health.unavailable_ms,
            todo: String::new(),
            href: None,
        }),
        (_, Some(stale)) => Some(Concern {
            kind: ConcernKind::Stale,
            title: format!("What is shown of {label} may be old"),
            detail: stale.why.clone(),
            since_ms: Some(stale.since_ms),
            todo: "Its guests".to_owned(),
            href: Some(format!("/guests?q=backend:{}", health.state.kind)),
        }),
        (_, None) => None,
    }
}

/// The last operation on this guest did not do its work.
pub fn failure(guest: &Guest, operation: OperationSummary) -> Concern {
    let came_to = words::came_to(&operation.action, operation.state);
    let by = operation.actor.as_deref().map(|actor| format!(", asked by {actor}")).unwrap_or_default();
    Concern {
        kind: ConcernKind::Failed,
        title: format!("{}: {came_to}{by}", guest.label()),
        detail: operation.failure.unwrap_or_default(),
        since_ms: Some(operation.finished_ms.unwrap_or(operation.started_ms)),
        todo: "See why".to_owned(),
        href: Some(operation.id.href()),
    }
}

/// Proxmox's tasks of consoles fail whenever somebody closes one at the wrong moment.
pub fn is_of_console(operation: &OperationSummary) -> bool {
    let is_console = |kind: &str| kind.ends_with("proxy") || kind.ends_with("shell");
    matches!(&operation.action, Deed::Task(kind) if is_console(kind))
}

/// What is to be known of a guest: the most pressing alone.
pub fn guest(guest: &Guest, caller: &Caller) -> Option<Concern> {
    let name = guest.label();
    let concern = |kind, title, detail| Concern {
        kind,
        title,
        detail,
        since_ms: None,
        todo: format!("Open {name}"),
        href: Some(guest.id.href()),
    };
    if guest.status == GuestStatus::Unknown {
        let title = format!("{name} is in an unknown state");
        return Some(concern(ConcernKind::Unknown, title, guest.note.clone().unwrap_or_default()));
    }
    if let Some(by) = &guest.lock {
        let title = format!("{name} is locked ({by})");
        let detail = "Nothing else can be done with it while that goes on.".to_owned();
        let locked = concern(ConcernKind::Locked, title, detail);
        let unlock = GuestAction::Unlock;
        let on = On::Guest(Place::of(guest));
        return Some(match policy::decide(caller, unlock.privilege(), on) {
            Ok(()) => Concern {
                detail: format!("{} If nothing is at work any more, remove the lock.", locked.detail),
                todo: "Look at unlocking it".to_owned(),
                href: Some(format!("{}/plan/{unlock}", guest.id.href())),
                ..locked
            },
            Err(_) => locked,
        });
    }
    let note = guest.note.clone()?;
    Some(concern(ConcernKind::Noted, format!("Something is to be known of {name}"), note))
}

/// A node that is down or nearly full.
pub fn node(view: &NodeView) -> Vec<Concern> {
    let node = &view.node;
    let concern = |kind, title, detail| Concern {
        kind,
        title,
        detail,
        since_ms: None,
        todo: format!("See {}", node.name),
        href: Some(format!("/nodes/{}", node.name)),
    };
    let why = || node.note.clone().unwrap_or_default();
    match node.state {
        NodeState::Online => {}
        NodeState::Silent => {
            let title = format!("There is no news of the node {}", node.name);
            return vec![concern(ConcernKind::Stale, title, why())];
        }
        NodeState::Offline => {
            let title = format!("The node {} is down", node.name);
            return vec![concern(ConcernKind::Unavailable, title, why())];
        }
    }
    let storage = |storage: &Storage| {
        let (percent, left) = nearly_full(storage.used?, storage.total?, NEARLY_FULL)?;
        let title = format!("The storage {} of {} is {percent} % full", storage.name, node.name);
        Some(concern(ConcernKind::Full, title, format!("{} are left.", words::bytes(left))))
    };
    let memory = node.memory.zip(node.memory_total).and_then(|(used, total)| {
        let (percent, left) = nearly_full(used, total, MEMORY_NEARLY_FULL)?;
        let title = format!("{percent} % of the memory of {} is used", node.name);
        Some(concern(ConcernKind::Full, title, format!("{} are left.", words::bytes(left))))
    });
    node.storages.iter().filter_map(storage).chain(memory).collect()
}

/// How full it is, parts in a hundred, and how many bytes are left; `None` for less than `from`.
fn nearly_full(used: u64, total: u64, from: u64) -> Option<(u64, u64)> {
    let percent = u64::try_from(u128::from(used) * 100 / u128::from(total.max(1))).unwrap_or(100).min(100);
    (total > 0 && percent >= from).then(|| (percent, total.saturating_sub(used)))
}

/// What accounts lack, for those who can do something about it.
pub fn accounts(users: &[User], requires_factor: bool, now_ms: i64) -> Vec<Concern> {
    let active = || users.iter().filter(|user| user.may_log_in(now_ms) && user.realm == LOCAL);
    let owes_factor = |user: &&User| (requires_factor || user.factor_required) && !user.has_factor;
    let is_old = |user: &&User| user.must_change_password && user.created_ms < now_ms - ONE_TIME_NEWS_MS;
    let factor = names(active().filter(owes_factor));
    let password = names(active().filter(is_old));
    let concern = |(who, one): (String, bool), owes: [&str; 2], detail: &str| Concern {
        kind: ConcernKind::Owed,
        title: format!("{who} {}", if one { owes[0] } else { owes[1] }),
        detail: detail.to_owned(),
        since_ms: None,
        todo: "See the users".to_owned(),
        href: Some("/access".to_owned()),
    };
    let factor = factor.map(|who| {
        let detail = "They are asked for it at their next log-in, and see nothing before.";
        concern(who, ["owes a second factor", "owe a second factor"], detail)
    });
    let password = password.map(|who| {
        let detail = "Until it is replaced, whoever has it can log in.";
        concern(who, ["still has a one-time password", "still have one-time passwords"], detail)
    });
    factor.into_iter().chain(password).collect()
}

/// "anna and ben", "anna, ben and 3 more"; and whether it is one alone. `None` for nobody.
fn names<'a>(users: impl Iterator<Item = &'a User>) -> Option<(String, bool)> {
    let names: Vec<&str> = users.map(|user| user.username.as_str()).collect();
    let text = match names[..] {
        [] => return None,
        [one] => one.to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, ref rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    };
    Some((text, names.len() == 1))
}

/// The most pressing kind first, within a kind the newest. Of a kind that there are many of the rest are counted.
pub fn in_order(mut all: Vec<Concern>) -> Vec<Concern> {
    all.sort_by_key(|concern| (concern.kind, Reverse(concern.since_ms)));
    let mut told = Vec::with_capacity(all.len());
    for of_kind in all.chunk_by(|a, b| a.kind == b.kind) {
        // One more takes the place of the line that would count it.
        if of_kind.len() <= EACH + 1 {
            told.extend_from_slice(of_kind);
            continue;
        }
        told.extend_from_slice(&of_kind[..EACH]);
        told.extend(rest(of_kind[0].kind, of_kind.len() - EACH));
    }
    told
}

fn rest(kind: ConcernKind, count: usize) -> Option<Concern> {
    let (title, todo, href) = match kind {
        ConcernKind::Failed => {
            ("guests were left after a failure", "Failed operations", "/history?result=bad")
        }
        ConcernKind::Unknown => ("guests are in an unknown state", "All of them", "/guests?q=status:unknown"),
        ConcernKind::Locked => ("guests are locked", "All guests", "/guests"),
        ConcernKind::Noted => ("guests have something to be known", "All guests", "/guests"),
        ConcernKind::Full => ("storages are nearly full", "All nodes", "/nodes"),
        ConcernKind::Unavailable => ("nodes are down", "All nodes", "/nodes"),
        ConcernKind::Damaged | ConcernKind::Stale | ConcernKind::Owed => return None,
    };
    Some(Concern {
        kind,
        title: format!("{count} more {title}"),
        detail: String::new(),
        since_ms: None,
        todo: todo.to_owned(),
        href: Some(href.to_owned()),
    })
}

#[cfg(test)]
mod tests;
