//! What makes a plan's API calls, and what they bring back.

use async_trait::async_trait;
use serde_json::Value;

use crate::domain::{plan::ApiCall, secret::Secrets};

use super::{Error, RunContext};

/// A call that was made and, where the plan says so, followed to the end of what it began.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiOutput {
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    pub upid: Option<String>,
    /// How the task ended, in Proxmox's words, or the guest process's exit code.
    pub end: Option<String>,
    /// The answer's data, or why there is none.
    pub result: Result<Value, Error>,
}

/// How a task that was followed has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// In Proxmox's words: `OK`, `WARNINGS: 1`, an error; `None` where the end was not seen.
    pub end: Option<String>,
    /// The same errors as when a plan's call fails.
    pub result: Result<(), Error>,
}

/// A call that may have been made: nobody heard the answer.
#[derive(Debug, Clone, Copy)]
pub struct OpenCall<'a> {
    pub call: &'a ApiCall,
    /// Who may have made it with an account of their own; else it was Paddock.
    pub person: Option<&'a str>,
    /// What it began, if it was made, began between these times by the backend's clock, milliseconds since 1970.
    pub from_ms: i64,
    pub until_ms: i64,
}

/// Makes API calls. The Proxmox client does it for real.
#[async_trait]
pub trait Api: Send + Sync {
    /// Makes one call and follows it to its end. What goes wrong is in [`ApiOutput::result`]; a cancel ends what the
    /// call began. The task's log and a guest process's output go to the context while they come.
    async fn call(&self, call: &ApiCall, secrets: &Secrets, context: &RunContext) -> ApiOutput;
}
