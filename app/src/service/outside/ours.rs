//! Whether a task may be Paddock's own although its name is not noted yet.
//!
//! The name of a task is known to Paddock once Proxmox has answered, and noted a moment later; an operation ends only
//! after that. So of a task that Proxmox told *before* the live operations and the noted names were read, in this order,
//! it is certain: it is noted, or the operation that began it is still live, or it is not Paddock's.

use crate::{
    domain::{guest::GuestId, task::Task},
    store::Beginner,
};

/// A task that is not noted, and who may be meant by its user.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub task: &'a Task,
    /// As whom this server calls the API.
    pub own_user: Option<&'a str>,
    /// It was asked about before: what another process was about to note then is noted by now.
    pub is_asked_again: bool,
}

/// Whether it must wait. A task of Paddock's own user, or of whoever began an operation with an account of their own, waits
/// for as long as an operation is live that may have begun it: better late than twice. One of another user can be of a command
/// line with settings of its own at most, and waits once.
pub fn may_be_ours(question: Question<'_>, live: &[Beginner]) -> bool {
    let Question { task, own_user, is_asked_again } = question;
    let user = Some(task.user.as_str());
    let may_wait =
        |operation: &Beginner| own_user == user || operation.actor.as_deref() == user || !is_asked_again;
    live.iter().any(|operation| may_wait(operation) && may_begin(operation, task))
}

fn may_begin(operation: &Beginner, task: &Task) -> bool {
    let is_about = |guest: &GuestId| task.guest.as_ref() == Some(guest) || task.id == guest.name.as_str();
    operation.makes_guest || is_about(&operation.guest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(user: &str, id: &str) -> Task {
        Task {
            upid: "UPID:pve1:1:1:1:vzstart:101:x:".to_owned(),
            kind: "vzstart".to_owned(),
            id: id.to_owned(),
            guest: GuestId::parse("proxmox-lxc", id).ok(),
            node: "pve1".to_owned(),
            user: user.to_owned(),
            started_ms: 0,
            end: None,
        }
    }

    fn live(name: &str, makes_guest: bool) -> Beginner {
        Beginner {
            guest: GuestId::parse("proxmox-lxc", name).unwrap(),
            makes_guest,
            actor: Some("anna@pve".to_owned()),
        }
    }

    fn waits(task: &Task, live: &[Beginner], is_asked_again: bool) -> bool {
        may_be_ours(Question { task, own_user: Some("root@pam!paddock"), is_asked_again }, live)
    }

    #[test]
    fn a_task_of_our_own_user_waits_while_what_may_have_begun_it_is_live() {
        let own = task("root@pam!paddock", "101");
        assert!(!waits(&own, &[], false), "nothing of ours is at work");
        assert!(!waits(&own, &[live("102", false)], false));
        for is_asked_again in [false, true] {
            assert!(waits(&own, &[live("102", false), live("101", false)], is_asked_again));
            assert!(waits(&own, &[live("102", true)], is_asked_again), "its copy may be 101");
        }
    }

    #[test]
    fn a_task_of_whoever_began_it_with_an_account_of_their_own_waits_as_ours_does() {
        let hers = task("anna@pve", "101");
        assert!(waits(&hers, &[live("101", false)], true));
        assert!(!waits(&hers, &[live("102", false)], true), "that is about another guest");
        assert!(!waits(&hers, &[], false));
    }

    #[test]
    fn a_task_of_another_user_waits_once_at_most() {
        let other = task("bob@pve", "101");
        assert!(waits(&other, &[live("101", false)], false));
        assert!(!waits(&other, &[live("101", false)], true));
        assert!(!waits(&other, &[live("102", false)], false));
    }

    #[test]
    fn a_backup_whose_guests_sort_is_not_told_is_about_the_one_with_its_number() {
        let backup = Task { guest: None, ..task("root@pam!paddock", "101") };
        assert!(waits(&backup, &[live("101", false)], true));
        let update = Task { guest: None, ..task("root@pam!paddock", "") };
        assert!(!waits(&update, &[live("101", false)], true));
    }
}
