//! The backends of this host, by kind.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::guest::BackendKind;

use super::Backend;

/// The drivers that this Paddock was started with. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry {
    drivers: Arc<BTreeMap<BackendKind, Arc<dyn Backend>>>,
}

impl Registry {
    /// The last of two drivers of one kind wins.
    pub fn new(drivers: impl IntoIterator<Item = Arc<dyn Backend>>) -> Self {
        Self { drivers: Arc::new(drivers.into_iter().map(|driver| (driver.kind(), driver)).collect()) }
    }

    pub fn get(&self, kind: BackendKind) -> Option<&Arc<dyn Backend>> {
        self.drivers.get(&kind)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Backend>> {
        self.drivers.values()
    }
}
