//! The tickets of those who are logged in with an account of Proxmox, by their session.

use std::collections::HashMap;

use crate::{backend::Person, domain::account::SessionId};

#[derive(Default)]
pub struct Table(HashMap<SessionId, Person>);

impl Table {
    pub fn keep(&mut self, session: SessionId, person: Person) {
        self.0.insert(session, person);
    }

    /// The ticket of that session, unless it is over.
    pub fn ticket(&self, session: SessionId) -> Option<Person> {
        self.0.get(&session).filter(|person| !person.is_over()).cloned()
    }

    pub fn forget(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    /// Every ticket.
    pub fn all(&self) -> Vec<(SessionId, Person)> {
        self.0.iter().map(|(session, person)| (*session, person.clone())).collect()
    }
}
