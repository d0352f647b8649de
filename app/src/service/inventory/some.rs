//! Guests that are read alone, as something told of them: the rest of the list stays as it was.
//!
//! Not compared to the reading before, see [`Watch`](super::Watch): a backend that tells of single guests tells of
//! tasks, and these are the record of what happens outside.

use std::{collections::HashMap, sync::Arc};

use futures::future::join_all;

use super::{Change, Inventory, Snapshot};
use crate::{
    backend::Backend,
    domain::{
        guest::{Guest, GuestId},
        name::GuestName,
    },
};

impl Inventory {
    /// Reads these guests of one backend now, all at once. One that cannot be read stays as it was: the next list tells.
    pub async fn refresh_some(&self, backend: &dyn Backend, names: &[GuestName]) {
        let kind = backend.kind();
        if names.is_empty() || !self.is_available(kind) {
            return;
        }
        let _turn = match self.turns.get(&kind) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let read = join_all(names.iter().map(|name| async move { (name, backend.guest(name).await) })).await;
        let mut told = HashMap::new();
        for (name, guest) in read {
            match guest {
                Ok(guest) => {
                    told.insert(GuestId::new(kind, name.clone()), guest);
                }
                Err(error) => {
                    tracing::debug!(backend = %kind, guest = %name, %error, "cannot read this guest");
                }
            }
        }
        self.change(|next| next.replace_some(told));
    }
}

impl Snapshot {
    /// So these guests are now, `None` for one that is not there. What that changes, in no particular order.
    fn replace_some(&mut self, mut told: HashMap<GuestId, Option<Guest>>) -> Vec<Change> {
        let mut changes = Vec::new();
        self.guests.retain_mut(|guest| {
            let Some(now) = told.remove(&guest.id) else { return true };
            if now.as_ref() == Some(&**guest) {
                return true;
            }
            let after = now.map(Arc::new);
            changes.push(Change { before: Some(guest.clone()), after: after.clone() });
            match after {
                Some(after) => {
                    *guest = after;
                    true
                }
                None => false,
            }
        });
        for guest in told.into_values().flatten().map(Arc::new) {
            self.guests.push(guest.clone());
            changes.push(Change { before: None, after: Some(guest) });
        }
        if !changes.is_empty() {
            self.sort();
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guest::{
        BackendKind::ProxmoxVm,
        GuestStatus::{self, Running, Stopped},
    };

    fn guest(vmid: &str, status: GuestStatus) -> Guest {
        Guest::new(GuestId::parse("proxmox-vm", vmid).unwrap(), status)
    }

    #[test]
    fn those_that_were_read_come_change_and_go_and_all_others_stay() {
        let mut snapshot = Snapshot::default();
        snapshot.replace(ProxmoxVm, ["100", "101", "102", "103"].map(|vmid| guest(vmid, Stopped)).into());
        let before = snapshot.clone();
        let told = |vmid: &str, status: Option<GuestStatus>| {
            (guest(vmid, Stopped).id, status.map(|status| guest(vmid, status)))
        };
        assert_eq!(snapshot.replace_some([told("100", Some(Stopped)), told("999", None)].into()), []);
        assert!(snapshot == before);
        let changes = snapshot.replace_some(
            [told("101", Some(Running)), told("102", None), told("099999", Some(Running))].into(),
        );
        assert_eq!(changes.len(), 3);
        let now: Vec<_> =
            snapshot.guests.iter().map(|guest| (guest.id.name.as_str(), guest.status)).collect();
        assert_eq!(now, [("099999", Running), ("100", Stopped), ("101", Running), ("103", Stopped)]);
        assert!(Arc::ptr_eq(&snapshot.guests[3], &before.guests[3]), "shared with the snapshot before");
    }
}
