//! A bell: tells all who listen that there is something new to read, and nothing more.
//!
//! Whoever hears it late hears it once, however often it has rung: nobody who is slow makes anything wait or grow.

use std::sync::Arc;

use tokio::sync::watch;

/// Cheap to clone; all clones are one bell.
#[derive(Debug, Clone)]
pub struct Bell(Arc<watch::Sender<u64>>);

impl Default for Bell {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Bell {
    pub fn ring(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// How often it has rung.
    pub fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// What has rung before is not heard.
    pub fn hear(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
