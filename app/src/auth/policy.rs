//! May this caller do this? The one question that pages, server functions, streams, API and command line all ask.
//!
//! The decision itself is [`Rights::decide`](crate::domain::access::Rights::decide), which is pure. Here it becomes an answer
//! to a person: what they may not even see is answered as if it did not exist.

use super::Caller;
use crate::{
    backend::now_ms,
    domain::{
        access::{On, Place, Privilege},
        action::Refusal,
        guest::{Guest, GuestId},
    },
};

/// Allowed, or the refusal that says which privilege is missing and where.
pub fn decide(caller: &Caller, privilege: Privilege, on: On<'_>) -> Result<(), Refusal> {
    let now_ms = now_ms();
    let Err(missing) = caller.rights.decide(privilege, on, now_ms) else { return Ok(()) };
    if let On::Guest(Place { backend, name: Some(name), .. }) = on
        && !caller.rights.allow(Privilege::See, on, now_ms)
    {
        return Err(Refusal::NotFound { guest: GuestId::new(backend, name.clone()) });
    }
    Err(if missing.is_limit {
        Refusal::DeniedByToken { privilege, on: missing.on }
    } else {
        Refusal::Denied { privilege, on: missing.on }
    })
}

/// Whether this guest is there at all for the caller.
pub fn sees(caller: &Caller, guest: &Guest) -> bool {
    decide(caller, Privilege::See, On::Guest(Place::of(guest))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{BuiltIn, Limit, Right, Rights, Scope};

    fn caller(rights: Rights) -> Caller {
        Caller { rights: rights.into(), ..Caller::command_line("anna") }
    }

    fn right(role: BuiltIn, scope: &str) -> Right {
        let scope = scope.parse().unwrap();
        Right { scope, ..Rights::whole(role).list.remove(0) }
    }

    #[test]
    fn what_one_may_not_see_does_not_exist() {
        let guest = GuestId::parse("lxc", "web1").unwrap();
        let on = On::Guest(Place::id(&guest));
        let stranger = caller(Rights { list: vec![right(BuiltIn::Administrator, "tag:lab")], limit: None });
        for privilege in Privilege::ALL {
            assert_eq!(decide(&stranger, privilege, on), Err(Refusal::NotFound { guest: guest.clone() }));
        }
        let viewer = caller(Rights::whole(BuiltIn::Viewer));
        let denied = Refusal::Denied { privilege: Privilege::Power, on: "lxc/web1".to_owned() };
        assert_eq!(decide(&viewer, Privilege::Power, on), Err(denied));
        assert_eq!(decide(&viewer, Privilege::See, on), Ok(()));
    }

    #[test]
    fn a_token_says_that_it_is_the_one_that_lacks_it() {
        let limit = Limit { privileges: BuiltIn::Viewer.privileges(), scope: Scope::Everything };
        let rights = Rights { limit: Some(limit), ..Rights::of_host() };
        let guest = GuestId::parse("lxc", "web1").unwrap();
        let denied = Refusal::DeniedByToken { privilege: Privilege::Power, on: "lxc/web1".to_owned() };
        assert_eq!(decide(&caller(rights), Privilege::Power, On::Guest(Place::id(&guest))), Err(denied));
    }

    #[test]
    fn each_built_in_role_holds_what_it_says_on_everything() {
        for role in BuiltIn::ALL {
            let caller = caller(Rights::whole(role));
            for privilege in Privilege::ALL {
                let verdict = decide(&caller, privilege, On::Everything);
                assert_eq!(verdict.is_ok(), role.privileges().holds(privilege), "{role} {privilege}");
            }
        }
    }
}
