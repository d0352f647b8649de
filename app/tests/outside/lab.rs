//! A whole Paddock without its web, that can be ended and started again on the same database.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    auth::Caller,
    backend::{
        Backend, HostRunner, Registry,
        proxmox::{Client, ProxmoxConfig, ProxmoxDriver},
    },
    domain::{
        action::ActionRequest,
        guest::{BackendKind, GuestId},
        history::HistoryFilter,
        operation::{Operation, OperationId, OperationState, OperationSummary, Origin},
    },
    service::{
        AppState, Outside, Patience,
        actions::{self, Ask, Target},
        settle,
    },
    store::Store,
};
use tokio::task::JoinHandle;

use crate::fakepve::{FakePve, PATIENCE};

/// Often enough for a test that does not measure how often.
pub const QUICK: Duration = Duration::from_millis(100);

pub struct Paddock {
    pub state: AppState,
    keepers: Vec<JoinHandle<()>>,
}

impl Paddock {
    /// With its database in this directory; `interval` is the time between two requests for tasks, `None` the usual.
    pub async fn start(dir: &Path, drivers: Vec<Arc<dyn Backend>>, interval: Option<Duration>) -> Self {
        let mut paddock = Self::unfed(dir, drivers, interval).await;
        paddock.keepers.push(tokio::spawn(paddock.state.inventory.clone().feed()));
        paddock
    }

    /// Its inventory listens to nothing, so that the tasks are asked for as often as `interval` says.
    pub async fn unfed(dir: &Path, drivers: Vec<Arc<dyn Backend>>, interval: Option<Duration>) -> Self {
        let store = Store::open(&dir.join("paddock.db")).await.unwrap();
        let state = AppState::new(store, Registry::new(drivers), Arc::new(HostRunner), "testhost");
        settle(&state, Patience::Follow).await.unwrap();
        let mut outside = Outside::begin(&state).await.unwrap();
        if let Some(interval) = interval {
            outside = outside.polling(interval);
        }
        state.inventory.start().await;
        let keepers = vec![tokio::spawn(outside.keep())];
        Self { state, keepers }
    }

    /// On a fake cluster.
    pub async fn on(fake: &FakePve, dir: &Path, interval: Option<Duration>) -> Self {
        Self::start(dir, proxmox(&fake.config()), interval).await
    }

    /// At once, as by a kill: nothing is finished, nothing more is written.
    pub async fn end(mut self) {
        for keeper in self.keepers.drain(..) {
            keeper.abort();
            let _ = keeper.await;
        }
        self.state.store.close().await;
    }

    /// All of this origin, in the order in which they were recorded.
    pub async fn history(&self, origin: Origin) -> Vec<OperationSummary> {
        let all = self.state.store.history(&HistoryFilter::default(), 100_000).await.unwrap().operations;
        let mut all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        all.retain(|operation| operation.origin == origin);
        all.sort_by_key(|operation| operation.id);
        all
    }

    pub async fn operation(&self, id: OperationId) -> Operation {
        self.state.store.operation(id).await.unwrap().unwrap()
    }

    /// Waits until so many of this origin are there that hold.
    pub async fn sees(
        &self,
        origin: Origin,
        count: usize,
        holds: impl Fn(&OperationSummary) -> bool,
    ) -> Vec<OperationSummary> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = self.history(origin).await;
            let fitting = all.iter().filter(|operation| holds(operation)).count();
            if fitting >= count {
                return all;
            }
            assert!(Instant::now() < deadline, "{fitting} of {count}: {all:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Begins an action of somebody at the command line, waits for its end, and insists on success.
    pub async fn act(&self, guest: &GuestId, request: ActionRequest) -> OperationSummary {
        let ask = Ask::new(Target::Guest(guest.clone()), request);
        let id = actions::begin(&self.state, &Caller::command_line("tester"), ask).await.unwrap();
        self.state.supervisor.wait(id).await;
        let summary = self.operation(id).await.summary;
        assert_eq!(summary.state, OperationState::Succeeded, "{summary:#?}");
        summary
    }
}

/// The drivers of both kinds on one cluster.
pub fn proxmox(config: &ProxmoxConfig) -> Vec<Arc<dyn Backend>> {
    let lxc = ProxmoxDriver::new(BackendKind::ProxmoxLxc, Client::new(config).unwrap(), config);
    let vm = lxc.sibling(BackendKind::ProxmoxVm);
    vec![Arc::new(lxc), Arc::new(vm)]
}

pub fn said(operation: &Operation) -> String {
    operation.output.iter().map(|chunk| chunk.text.as_str()).collect()
}
