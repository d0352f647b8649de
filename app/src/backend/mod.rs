//! BACKENDS: everything that Paddock knows about the tools that run guests.
//!
//! A driver reads facts, makes plans and understands answers; it changes nothing by itself. [`execute`] is the one
//! place where a plan becomes processes, API calls and changed files. This room knows nothing of the database, of
//! users or of the web, and builds without them (`--features backend`).
//!
//! ```text
//!   request + facts ──Backend::plan──► Plan ──execute──► Outcome
//!                                        each command's words ──Backend::parse──► Ok or Error
//! ```

mod api;
pub(crate) mod cgroup;
mod command;
pub mod crun;
mod edit;
mod error;
mod execute;
mod files;
mod heard;
mod host_runner;
pub mod lxc;
mod meter;
pub(crate) mod process;
pub mod proxmox;
mod registry;
pub mod routing;
mod this_host;
mod watch;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    action::{ActionRequest, GuestAction},
    guest::{BackendKind, Guest, GuestDetail, Snapshot},
    host::{Availability, CreateOptions, Image, Lack, Node},
    name::GuestName,
    plan::{Change, Command, Plan},
    spec::CreateRequest,
    task::Task,
};

pub use api::{Api, ApiOutput, Followed, OpenCall};
pub use command::{CommandOutput, OUTPUT_CAP, OutputSink, RunContext, Runner, Started};
pub use edit::digest;
pub use error::Error;
pub use execute::{Execution, ExecutionEnd, Past, Site, conclude, execute, now_ms, recall};
pub use heard::Heard;
pub use host_runner::{
    HostRunner, RunningTool, end_left_over, find_left_over, is_running, own_process, own_uid,
};
pub use meter::{Cpu, Meters, NodeMeters, Readings};
pub use proxmox::{Person, Realms};
pub use registry::Registry;
pub use this_host::ThisHost;
pub use watch::{Sources, Watcher};

/// One tool that runs guests. Kinds differ only inside their driver; everything above sees this trait.
#[async_trait]
pub trait Backend: Send + Sync {
    fn kind(&self) -> BackendKind;

    /// Whether the tool can be used on this host. May start a process, so it is asked at start-up and while the
    /// answer is "unavailable", never for a page.
    async fn probe(&self) -> Availability;

    /// Why this backend cannot do that at all, one sentence; `None` if it can. The same for as long as Paddock runs.
    fn lack(&self, action: GuestAction) -> Option<String>;

    /// Every guest, in no particular order. Starts no process: it is read from files of the tool and the kernel, or
    /// in one request.
    async fn list(&self) -> Result<Vec<Guest>, Error>;

    /// One guest as it is now, `None` where there is none. Starts no process.
    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error>;

    /// One guest with everything its page shows, `None` where there is none. Starts no process.
    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error>;

    /// The guest's snapshots, oldest first.
    async fn snapshots(&self, name: &GuestName) -> Result<Vec<Snapshot>, Error>;

    /// What guests can be made from, sorted by kind and id.
    async fn images(&self) -> Result<Vec<Image>, Error>;

    /// The machines that this backend's guests run on.
    async fn nodes(&self) -> Result<Vec<Node>, Error>;

    /// What the guests that run and their machines have used so far: of these guests all that run, perhaps of others,
    /// too. Starts no process, and sends no request unless the last list is older than `age`.
    async fn meters(&self, running: &[GuestName], age: Duration) -> Result<Readings, Error> {
        let _ = (running, age);
        Ok(Readings::default())
    }

    /// Adds what this backend offers for a new guest.
    async fn create_options(&self, options: &mut CreateOptions);

    /// The id that a new guest is going to have: its name, but for Proxmox, where it is a free VMID. Asked again
    /// when another creator took that in between.
    async fn new_id(&self, request: &CreateRequest) -> Result<GuestName, Error> {
        Ok(request.name.clone())
    }

    /// Reads the facts that this request depends on and makes its plan by the driver's own pure function.
    /// Changes nothing. `id` is the guest's, for a new one that of [`new_id`](Self::new_id). The caller has checked
    /// already that the guest's state allows the action.
    async fn plan(&self, id: &GuestName, request: &ActionRequest) -> Result<Plan, Error>;

    /// What a finished command's answer means. An exit of 0 is not believed where the tool is known to say it
    /// without having done anything.
    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error>;

    /// Where people's own accounts at this backend are checked, if it has such.
    fn realms(&self) -> Option<Realms> {
        None
    }

    /// This backend, whose plans are made for this person and whose API calls are theirs. What is only read stays Paddock's
    /// affair. `None` where people have no accounts there.
    fn acting_as(&self, person: &Person) -> Option<Arc<dyn Backend>> {
        let _ = person;
        None
    }

    /// What makes this backend's API calls, where its plans have some.
    fn api(&self) -> Option<&dyn Api> {
        None
    }

    /// Whether [`tasks`](Self::tasks) tells any; the others need not be asked. Of several backends that serve one
    /// cluster only one does, for all of them, so that no task is told twice.
    fn tells_tasks(&self) -> bool {
        false
    }

    /// The tasks of the whole cluster, whoever began them and whatever they are about, oldest first: those that run,
    /// those that started in the second of `since_ms` or later, and those that started before and ended since, as far
    /// as a short list still has them. Each call tells them anew, and may tell older ones: what a node could not tell
    /// before it tells once it can.
    ///
    /// One request while nothing is missing; more at first, and where a node has done more in between than Proxmox's
    /// own short list holds. A task that ran and is told no more has ended: [`task`](Self::task) says how.
    async fn tasks(&self, since_ms: i64) -> Result<Vec<Task>, Error> {
        let _ = since_ms;
        Ok(Vec::new())
    }

    /// One task as it is now; `None` where its node knows it no more. A name that is none is an error.
    async fn task(&self, upid: &str) -> Result<Option<Task>, Error> {
        let _ = upid;
        Ok(None)
    }

    /// What the task has said so far, without control characters but line breaks and tabs, at most `limit` bytes from
    /// its beginning; and whether there is more.
    async fn task_log(&self, upid: &str, limit: usize) -> Result<(String, bool), Error> {
        let _ = (upid, limit);
        Ok((String::new(), false))
    }

    /// Waits for the end of a task that runs already, handing its log on from the beginning. A cancel ends the task,
    /// and so does the time when it is up.
    async fn follow(&self, upid: &str, timeout: Duration, context: &RunContext) -> Followed {
        let _ = (timeout, context);
        let result = Err(no_task(upid));
        Followed { end: None, result }
    }

    /// The tasks that such a call on this guest may have begun, oldest first. For one that was cut off before its answer
    /// was noted: whether it was made at all is told by this alone.
    async fn begun_by(&self, guest: &GuestName, open: OpenCall<'_>) -> Result<Vec<Task>, Error> {
        let _ = (guest, open);
        Ok(Vec::new())
    }

    /// What a task's end in its own words means.
    fn task_ended(&self, upid: &str, words: &str) -> Result<(), Error> {
        let _ = words;
        Err(no_task(upid))
    }

    /// As whom this backend's API calls are made, as its tasks tell it: `root@pam`, `paddock@pve!dash`.
    fn api_user(&self) -> Option<String> {
        None
    }

    /// The file's text with these changes made, in the file's own terms; the reason where it cannot be.
    fn edit(&self, text: &str, changes: &[Change]) -> Result<String, String> {
        let _ = (text, changes);
        Err("this backend changes no files".to_owned())
    }

    /// What tells that the last [`list`](Self::list) may be true no more, wherever that was read. `None`: nothing does,
    /// so the list is read at its interval. Starts no process.
    async fn sources(&self) -> Result<Option<Sources>, Error> {
        Ok(None)
    }

    /// Waits until this backend has heard by itself that something may have changed; for ever where it cannot. What is
    /// heard while nobody waits is told to the next one who does. Starts no process.
    async fn heard(&self) -> Heard {
        std::future::pending().await
    }

    /// How often the list may be read while nothing is known to have changed and nothing would tell.
    fn list_interval(&self) -> Duration {
        Duration::from_millis(500)
    }

    /// How often a guest's state may be read while a plan waits for it.
    fn poll_interval(&self) -> Duration {
        // Two small file reads, no process.
        Duration::from_millis(20)
    }
}

/// The text names no task that there could be.
fn no_task(upid: &str) -> Error {
    let shown: String = upid.chars().filter(|c| !c.is_control()).take(80).collect();
    Error::Garbled {
        source_name: "The record of a task".to_owned(),
        detail: format!("“{shown}” names no task"),
    }
}

/// Everything that a backend lacks, for pages.
pub fn lacks(backend: &dyn Backend) -> Vec<Lack> {
    let lack = |action| Some(Lack { action, reason: backend.lack(action)? });
    GuestAction::ALL.into_iter().filter_map(lack).collect()
}
