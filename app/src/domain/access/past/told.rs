//! Changes in words.

use super::{Change, End, Holder};
use crate::domain::words;

impl Change {
    /// What was done, to be followed by who did it: "put anna into the group ops".
    pub fn words(&self) -> String {
        match self {
            Self::UserAdded { user, realm } if realm == "local" => format!("added the user {user}"),
            Self::UserAdded { user, realm } => format!("added the user {user} of the realm {realm}"),
            Self::UserChanged { user, disabled, end, factor } => {
                let disabled = disabled.map(|is| if is { "disabled it" } else { "enabled it" }.to_owned());
                let end = end.map(|end| match end {
                    End::Never => "let it go on without an end".to_owned(),
                    End::At(ms) => format!("let it go on until {}", words::until(ms)),
                });
                let factor = factor.map(|is| match is {
                    true => "required a second factor".to_owned(),
                    false => "required no second factor".to_owned(),
                });
                let all: Vec<String> = [disabled, end, factor].into_iter().flatten().collect();
                format!("changed the account of {user}: {}", all.join(", "))
            }
            Self::UserRemoved { user } => format!("removed the user {user}, with all grants of their own"),
            Self::GroupAdded { group } => format!("added the group {group}"),
            Self::GroupRemoved { group } => format!("removed the group {group}, with all its grants"),
            Self::Member { group, user, is_in: true } => format!("put {user} into the group {group}"),
            Self::Member { group, user, is_in: false } => format!("took {user} out of the group {group}"),
            Self::RoleAdded { role, privileges } => format!("added the role {role}: {}", privileges.words()),
            Self::RoleChanged { role, privileges } => {
                format!("changed the role {role}; it allows {} now", privileges.words())
            }
            Self::RoleRemoved { role } => format!("removed the role {role}"),
            Self::Given { holder, role, scope, expires_ms, .. } => {
                let until = expires_ms.map(|end| format!(" until {}", words::until(end))).unwrap_or_default();
                format!("gave {} the role {role} on {scope}{until}", named(holder))
            }
            Self::TakenBack { holder, role, scope, with_guest: false, .. } => {
                format!("took the role {role} on {scope} back from {}", named(holder))
            }
            Self::TakenBack { holder, role, scope, with_guest: true, .. } => {
                format!("deleted the guest, so that the role {role} on {scope} of {} is over", named(holder))
            }
        }
    }
}

fn named(holder: &Holder) -> String {
    match holder {
        Holder::User(name) => name.clone(),
        Holder::Group(name) => format!("the group {name}"),
    }
}
