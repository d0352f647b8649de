//! BACKENDS: everything that Paddock knows about the tools that run guests.
//!
//! A driver reads facts, makes plans and understands answers; it changes nothing by itself. [`execute`] is the one
//! place where a plan becomes processes. This room knows nothing of the database, of users or of the web.
//!
//! ```text
//!   request + facts ──Backend::plan──► Plan ──execute──► Outcome
//!                                        each command's words ──Backend::parse──► Ok or Error
//! ```

mod cgroup;
mod command;
pub mod crun;
mod error;
mod execute;
mod files;
mod host_runner;
pub mod lxc;
mod process;
mod registry;

use async_trait::async_trait;

use crate::domain::{
    action::ActionRequest,
    guest::{BackendKind, Guest, GuestDetail},
    host::{Availability, CreateOptions},
    name::GuestName,
    plan::{Command, Plan},
};

pub use command::{CommandOutput, OUTPUT_CAP, OutputSink, RunContext, Runner};
pub use error::Error;
pub use execute::{Execution, ExecutionEnd, execute, now_ms};
pub use host_runner::{HostRunner, RunningTool, end_left_over};
pub use registry::Registry;

/// One tool that runs guests. Kinds differ only inside their driver; everything above sees this trait.
#[async_trait]
pub trait Backend: Send + Sync {
    fn kind(&self) -> BackendKind;

    /// Whether the tool can be used on this host. May start a process, so it is asked at start-up and while the
    /// answer is "unavailable", never for a page.
    async fn probe(&self) -> Availability;

    /// Every guest, in no particular order. Starts no process: it is read from files of the tool and the kernel.
    async fn list(&self) -> Result<Vec<Guest>, Error>;

    /// One guest as it is now, `None` where there is none. Starts no process.
    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error>;

    /// One guest with everything its page shows, `None` where there is none. Starts no process.
    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error>;

    /// Adds what this backend offers for a new guest.
    async fn create_options(&self, options: &mut CreateOptions);

    /// Reads the facts that this request depends on and makes its plan by the driver's own pure function.
    /// Changes nothing. The caller has checked already that the guest's state allows the action.
    async fn plan(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error>;

    /// What a finished command's answer means. An exit of 0 is not believed where the tool is known to say it
    /// without having done anything.
    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error>;
}
