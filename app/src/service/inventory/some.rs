//! Guests that are read alone, as something told of them: the rest of the list stays as it was.
//!
//! Not compared to the reading before, see [`Watch`](super::Watch): a backend that tells of single guests tells of
//! tasks, and these are the record of what happens outside.

use std::collections::HashSet;

use futures::future::join_all;

use super::Inventory;
use crate::{
    backend::Backend,
    domain::{guest::GuestId, name::GuestName},
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
        let (mut told, mut guests) = (HashSet::new(), Vec::new());
        for (name, guest) in read {
            match guest {
                Ok(guest) => {
                    told.insert(GuestId::new(kind, name.clone()));
                    guests.extend(guest);
                }
                Err(error) => {
                    tracing::debug!(backend = %kind, guest = %name, %error, "cannot read this guest");
                }
            }
        }
        self.change(|next| {
            next.guests.retain(|guest| !told.contains(&guest.id));
            next.guests.extend(guests);
            next.guests.sort_by(|a, b| (a.label(), &a.id).cmp(&(b.label(), &b.id)));
        });
    }
}
