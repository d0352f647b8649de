//! A backend that counts how often it is read, and can be made deaf.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use app::{
    backend::{Backend, CommandOutput, Error, Sources},
    domain::{
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, Guest, GuestDetail, Snapshot},
        host::{Availability, CreateOptions, Image, Node},
        name::GuestName,
        plan::{Command, Plan},
    },
};
use async_trait::async_trait;

pub struct Counted {
    inner: Arc<dyn Backend>,
    pub lists: AtomicUsize,
    /// When the last two lists were read, the newer one first.
    last: Mutex<[Instant; 2]>,
    /// As one whose sources cannot be told.
    pub sources_fail: AtomicBool,
    /// Its files cannot be read.
    pub fails: AtomicBool,
}

impl Counted {
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        let last = Mutex::new([Instant::now(); 2]);
        let [sources_fail, fails] = [false; 2].map(AtomicBool::new);
        Self { inner, lists: AtomicUsize::new(0), last, sources_fail, fails }
    }

    /// The time between the last two lists, and since the last.
    pub fn gaps(&self) -> (Duration, Duration) {
        let [newer, older] = *self.last.lock().unwrap();
        (newer - older, newer.elapsed())
    }
}

fn made_to_fail() -> Error {
    Error::Unreadable { path: "/run/none".to_owned(), detail: "made to fail".to_owned() }
}

#[async_trait]
impl Backend for Counted {
    fn kind(&self) -> BackendKind {
        self.inner.kind()
    }

    async fn probe(&self) -> Availability {
        self.inner.probe().await
    }

    fn lack(&self, action: GuestAction) -> Option<String> {
        self.inner.lack(action)
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        {
            let mut last = self.last.lock().unwrap();
            *last = [Instant::now(), last[0]];
        }
        if self.fails.load(Ordering::Relaxed) {
            return Err(Error::Unreadable {
                path: "/run/none".to_owned(),
                detail: "made to fail".to_owned(),
            });
        }
        self.inner.list().await
    }

    async fn sources(&self) -> Result<Option<Sources>, Error> {
        if self.sources_fail.load(Ordering::Relaxed) {
            return Err(made_to_fail());
        }
        self.inner.sources().await
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        self.inner.guest(name).await
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        self.inner.inspect(name).await
    }

    async fn snapshots(&self, name: &GuestName) -> Result<Vec<Snapshot>, Error> {
        self.inner.snapshots(name).await
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        self.inner.images().await
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.inner.nodes().await
    }

    async fn create_options(&self, options: &mut CreateOptions) {
        self.inner.create_options(options).await;
    }

    async fn plan(&self, id: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        self.inner.plan(id, request).await
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        self.inner.parse(command, output)
    }
}
