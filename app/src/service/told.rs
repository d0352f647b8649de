//! One-time passwords on their way to the administrator who made them: a page that is reached by a redirect shows them, and an
//! address must not hold them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{domain::secret::Secret, store::UserId};

/// So long one is told.
const KEPT_MS: i64 = 2 * 60 * 1000;

/// Each by who made it and whom it is for. In memory alone. Cheap to clone.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<HashMap<(UserId, String), Kept>>>);

struct Kept {
    password: Secret,
    at_ms: i64,
}

impl Told {
    pub fn keep(&self, by: UserId, username: &str, password: String, now_ms: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| is_fresh(kept, now_ms));
        kept.insert((by, username.to_lowercase()), Kept { password: Secret::new(password), at_ms: now_ms });
    }

    /// What `by` has just made for that user.
    pub fn to(&self, by: UserId, username: &str, now_ms: i64) -> Option<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| is_fresh(kept, now_ms));
        kept.get(&(by, username.to_lowercase())).map(|kept| kept.password.expose().to_owned())
    }
}

fn is_fresh(kept: &Kept, now_ms: i64) -> bool {
    now_ms.saturating_sub(kept.at_ms) < KEPT_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_told_to_who_made_it_and_not_for_long() {
        let told = Told::default();
        told.keep(UserId(1), "Anna", "secret".to_owned(), 0);
        assert_eq!(told.to(UserId(1), "anna", KEPT_MS - 1).as_deref(), Some("secret"));
        assert_eq!(told.to(UserId(2), "anna", 0), None);
        assert_eq!(told.to(UserId(1), "ben", 0), None);
        assert_eq!(told.to(UserId(1), "anna", KEPT_MS), None);
    }
}
