//! Which endpoint is asked first.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The endpoints in the order they are asked: the one that worked last at first, the one that failed last at the end.
/// So one that failed is tried again once those before it fail, and no request waits for it until then.
pub struct Route(Mutex<Vec<usize>>);

impl Route {
    pub fn new(endpoints: usize) -> Self {
        Self(Mutex::new((0..endpoints).collect()))
    }

    pub fn order(&self) -> Vec<usize> {
        self.lock().clone()
    }

    pub fn worked(&self, endpoint: usize) {
        let mut order = self.lock();
        order.retain(|other| *other != endpoint);
        order.insert(0, endpoint);
    }

    pub fn failed(&self, endpoint: usize) {
        let mut order = self.lock();
        order.retain(|other| *other != endpoint);
        order.push(endpoint);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<usize>> {
        // Nothing is left half done in there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_works_is_remembered_and_a_failed_one_waits_its_turn() {
        let route = Route::new(3);
        assert_eq!(route.order(), [0, 1, 2]);
        route.failed(0);
        route.worked(1);
        assert_eq!(route.order(), [1, 2, 0]);
        route.worked(1);
        assert_eq!(route.order(), [1, 2, 0]);
        route.failed(1);
        route.failed(2);
        assert_eq!(route.order(), [0, 1, 2], "it is tried again later");
    }
}
