//! An inventory of one backend that is fed, and the time until it shows what is waited for.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use app::{
    backend::{Backend, Registry},
    domain::{
        guest::{Guest, GuestStatus},
        name::GuestName,
    },
    service::Inventory,
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::counted::Counted;

/// Of a machine that builds beside it; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(2);
/// Far beyond every test: what is seen was heard.
const COMPARISON: Duration = Duration::from_secs(600);
/// A reading after a pause of this is followed by none for about twice as long, which is longer than the patience.
const CALM: Duration = Duration::from_millis(1500);

pub struct Eye {
    pub inventory: Inventory,
    pub backend: Arc<Counted>,
    feeder: JoinHandle<()>,
}

impl Eye {
    pub async fn on(backend: impl Backend + 'static) -> Self {
        Self::comparing(Counted::new(Arc::new(backend)), COMPARISON).await
    }

    pub async fn comparing(backend: Counted, every: Duration) -> Self {
        let backend = Arc::new(backend);
        let inventory =
            Inventory::new(Registry::new([Arc::clone(&backend) as Arc<dyn Backend>])).comparing_every(every);
        inventory.start().await;
        let feeder = tokio::spawn(inventory.clone().feed());
        Self { inventory, backend, feeder }
    }

    /// Waits until no reading is near that would find a change unheard.
    pub async fn calm(&self) {
        let calm = || {
            let (before, since) = self.backend.gaps();
            before > CALM && since < CALM / 4
        };
        timeout(Duration::from_secs(60), async {
            while !calm() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("there is always something to read");
    }

    /// The time until the snapshot shows that.
    pub async fn shows(&self, what: &str, is_so: impl Fn(&[Arc<Guest>]) -> bool) -> Duration {
        let begun = Instant::now();
        let lists = self.backend.lists.load(Ordering::Relaxed);
        let mut changes = self.inventory.changes();
        loop {
            let snapshot = self.inventory.snapshot();
            if is_so(&snapshot.guests) {
                return begun.elapsed();
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if timeout(left, changes.changed()).await.is_err() {
                let lists = self.backend.lists.load(Ordering::Relaxed) - lists;
                panic!("not seen within {PATIENCE:?}, by {lists} readings: {what}: {:#?}", snapshot.guests);
            }
        }
    }

    /// The time until the snapshot shows this guest so, `None` for one that is not there.
    pub async fn is(&self, name: &GuestName, wanted: Option<GuestStatus>) -> Duration {
        let what = format!("{name} is {wanted:?}");
        self.shows(&what, |guests| {
            guests.iter().find(|guest| guest.id.name == *name).map(|guest| guest.status) == wanted
        })
        .await
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.feeder.abort();
    }
}

/// Half of them are at most the first, nine of ten the second, all but one of a hundred the third.
pub fn percentiles(times: &mut [Duration]) -> [Duration; 3] {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part).div_ceil(100).saturating_sub(1)];
    [50, 90, 99].map(at)
}
