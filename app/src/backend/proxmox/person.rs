//! PERSON: the driver as somebody with an account of their own at Proxmox.
//!
//! The calls of a plan are made with the person's ticket, so Proxmox itself says what they may. A step that runs a tool on the
//! node is root's there and asks nobody: for that Proxmox is asked before.

use crate::{
    backend::Error,
    domain::{
        action::GuestAction,
        guest::BackendKind,
        plan::{Plan, Work},
    },
};

use super::{Client, Person, place::Place};

/// Who may do everything.
pub const ROOT: &str = "root@pam";

/// Proxmox's privilege for a shell in a guest: a command in a container is no less.
const CONSOLE: &str = "VM.Console";

/// A person, and the client whose requests are theirs.
#[derive(Clone)]
pub struct Acting {
    person: Person,
    pub client: Client,
}

impl Acting {
    pub fn new(person: Person, kind: BackendKind) -> Self {
        Self { client: person.client(kind), person }
    }

    /// Denied where the plan does on the node itself what Proxmox would not let the person do.
    pub async fn check(&self, plan: &Plan, place: &Place, action: GuestAction) -> Result<(), Error> {
        let is_of_node = |work: &Work| matches!(work, Work::Command(_) | Work::Edit(_));
        if self.person.user() == ROOT || !plan.steps.iter().any(|step| is_of_node(&step.work)) {
            return Ok(());
        }
        let path = format!("/vms/{}", place.vmid);
        let what = match action {
            GuestAction::Exec if self.person.holds(&path, CONSOLE).await? => return Ok(()),
            GuestAction::Exec => format!("{CONSOLE} on {path} is missing"),
            _ => format!("only {ROOT} may do it"),
        };
        Err(Error::Denied { backend: place.kind, account: Some(self.person.user().to_owned()), what })
    }
}
