//! May this caller do this? The one function that decides, for pages, server functions and streams alike.

use super::Caller;
use crate::domain::{access::Privilege, action::Refusal, guest::GuestId};

/// Allowed, or the refusal that names what is missing. `guest` is `None` for what concerns no single guest.
///
/// Every privilege holds on every guest as long as roles are given to people as a whole; the guest is asked for
/// already so that no caller of this function changes when grants on single guests come.
pub fn decide(caller: &Caller, privilege: Privilege, _guest: Option<&GuestId>) -> Result<(), Refusal> {
    if caller.role.holds(privilege) { Ok(()) } else { Err(Refusal::Denied { privilege }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::access::Role, store::UserId};

    #[test]
    fn roles_hold_what_they_should() {
        use Privilege::{Backup, Power, See, Snapshot};
        for (role, allowed) in [
            (Role::Viewer, vec![See]),
            (Role::Operator, vec![See, Power, Snapshot, Backup]),
            (Role::Administrator, Privilege::ALL.to_vec()),
        ] {
            let caller = Caller {
                user: Some(UserId(1)),
                username: "anna".into(),
                role,
                must_change_password: false,
                address: None,
            };
            for privilege in Privilege::ALL {
                let verdict = decide(&caller, privilege, None);
                assert_eq!(verdict.is_ok(), allowed.contains(&privilege), "{role} {privilege}");
            }
        }
    }
}
