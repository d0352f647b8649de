//! CLUSTER: the client and what is remembered of its answers, shared by the drivers of both kinds of guests.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{backend::Error, domain::guest::BackendKind};

use super::{
    Client,
    host::{Glance, Signs},
    memory::Memory,
    num::Rows,
    place::Place,
    pulse::Pulse,
    reach::Reach,
    wire::guest::Resource,
};

/// How often the list is compared to what is known: as often as Proxmox itself looks.
pub const LIST_EVERY: Duration = Duration::from_secs(10);
/// How old the cluster's list may be to be used once more. More than half the time between two readings of a driver: two
/// that are read in turns, however far apart, then make no more requests than one.
const LIST_AGE: Duration = Duration::from_millis(5200);

/// One cluster.
pub struct Cluster {
    pub client: Client,
    pub memory: Memory,
    /// What has been told of the tasks.
    pub reach: Mutex<Reach>,
    pub pulse: Pulse,
    list: Mutex<Option<(Instant, Arc<Vec<Resource>>)>>,
    /// When something was last seen that no list from before can know.
    outdated: std::sync::Mutex<Option<Instant>>,
}

impl Cluster {
    pub fn new(client: Client, signs: Option<&Signs>) -> Self {
        Self {
            client,
            memory: Memory::default(),
            reach: Mutex::default(),
            pulse: Pulse::new(signs.map(|signs| Glance::new(signs.version.clone()))),
            list: Mutex::default(),
            outdated: std::sync::Mutex::default(),
        }
    }

    /// All guests, nodes and storages, by one request unless there was one just before. Those who ask at once share an
    /// answer.
    pub async fn list(&self) -> Result<Arc<Vec<Resource>>, Error> {
        let mut list = self.list.lock().await;
        if let Some((at, rows)) = &*list
            && at.elapsed() < LIST_AGE
            && self.outdated().is_none_or(|outdated| outdated < *at)
        {
            return Ok(Arc::clone(rows));
        }
        let at = Instant::now();
        let Rows(rows) = self.client.get("/cluster/resources", &[]).await?;
        self.memory.learn(&rows);
        let rows = Arc::new(rows);
        *list = Some((at, Arc::clone(&rows)));
        Ok(rows)
    }

    /// The last list unless it is older than that, whatever has happened since.
    pub async fn list_within(&self, age: Duration) -> Result<Arc<Vec<Resource>>, Error> {
        if let Some((at, rows)) = &*self.list.lock().await
            && at.elapsed() < age
        {
            return Ok(Arc::clone(rows));
        }
        self.list().await
    }

    /// Reads the list unless that was ever done.
    pub async fn list_once(&self) -> Result<(), Error> {
        if self.list.lock().await.is_none() {
            self.list().await?;
        }
        Ok(())
    }

    /// A list that was read before then may be true no more.
    pub fn outdate(&self, at: Instant) {
        let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        *outdated = Some(outdated.map_or(at, |before| before.max(at)));
    }

    fn outdated(&self) -> Option<Instant> {
        *self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the guest is, by what is known or, if it is not, by a list read now.
    pub async fn place(&self, kind: BackendKind, vmid: u32) -> Result<Option<Place>, Error> {
        match self.memory.place(kind, vmid) {
            Some(place) => Ok(Some(place)),
            None => self.place_anew(kind, vmid).await,
        }
    }

    /// Where the guest is now: it may have moved or gone.
    pub async fn place_anew(&self, kind: BackendKind, vmid: u32) -> Result<Option<Place>, Error> {
        self.outdate(Instant::now());
        self.list().await?;
        Ok(self.memory.place(kind, vmid))
    }

    /// Asks the guest's own node; `None` where the guest is on no node. A guest that has moved is followed once.
    pub async fn at<T, F: Future<Output = Result<T, Error>>>(
        &self,
        kind: BackendKind,
        vmid: u32,
        ask: impl Fn(Place) -> F,
    ) -> Result<Option<(Place, T)>, Error> {
        let Some(place) = self.place(kind, vmid).await? else { return Ok(None) };
        match ask(place.clone()).await {
            Ok(answer) => return Ok(Some((place, answer))),
            Err(Error::NotFound(_)) => self.memory.forget(vmid),
            Err(error) => return Err(error),
        };
        let Some(place) = self.place_anew(kind, vmid).await? else { return Ok(None) };
        match ask(place.clone()).await {
            Ok(answer) => Ok(Some((place, answer))),
            Err(Error::NotFound(_)) => {
                // The list still names one that is just being deleted.
                self.memory.forget(vmid);
                self.outdate(Instant::now());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
