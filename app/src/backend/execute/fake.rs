//! A make-believe tool that keeps state: `fake start` really makes its one guest run, `fake lie` only says so.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::*;
use crate::{
    backend::CommandOutput,
    domain::{
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
        host::{Availability, CreateOptions, Image, Node},
        plan::Stream,
    },
};
use GuestStatus::{Running, Stopped};

/// The name of its one guest.
pub const GUEST: &str = "web1";

/// The host with its one guest, and the cancel button.
#[derive(Clone, Default)]
pub struct Host {
    guest: Arc<Mutex<Option<GuestStatus>>>,
    pub is_unreadable: Arc<AtomicBool>,
    pub cancel: CancellationToken,
}

impl Host {
    pub fn with(status: GuestStatus) -> Self {
        let host = Self::default();
        host.set(Some(status));
        host
    }

    pub fn set(&self, status: Option<GuestStatus>) {
        *self.guest.lock().unwrap() = status;
    }

    pub fn status(&self) -> Option<GuestStatus> {
        *self.guest.lock().unwrap()
    }

    pub fn later(&self, status: Option<GuestStatus>) {
        let host = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(200)).await;
            host.set(status);
        });
    }
}

#[async_trait]
impl Runner for Host {
    async fn run(&self, command: &Command, context: &RunContext) -> CommandOutput {
        let words = command.argv.words();
        let say = |text: &str| {
            let _ = context.output.send((Stream::Stderr, text.to_owned()));
        };
        let exit = match words[1].as_str() {
            "start" => {
                self.set(Some(Running));
                Exit::Code(0)
            }
            "stop" => {
                self.set(Some(Stopped));
                Exit::Code(0)
            }
            "stop-later" => {
                self.later(Some(Stopped));
                Exit::Code(0)
            }
            "delete" => {
                self.set(None);
                Exit::Code(0)
            }
            "lie" => Exit::Code(0),
            "fail" => {
                say("no");
                Exit::Code(1)
            }
            "hang" => Exit::TimedOut,
            "press-cancel" => {
                self.cancel.cancel();
                Exit::Code(0)
            }
            "fail-and-press-cancel" => {
                self.cancel.cancel();
                Exit::Code(1)
            }
            "until-cancelled" => {
                context.cancel.cancelled().await;
                Exit::Cancelled
            }
            other => Exit::NotStarted(format!("no {other}")),
        };
        let stderr = if exit == Exit::Code(1) { "no".to_owned() } else { String::new() };
        CommandOutput { exit, stdout: String::new(), stderr, log: String::new(), dropped_bytes: 3 }
    }
}

#[async_trait]
impl Backend for Host {
    fn kind(&self) -> BackendKind {
        BackendKind::Lxc
    }

    async fn probe(&self) -> Availability {
        Availability::Available { version: "1".into() }
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        Ok(self.guest(&GUEST.parse().expect("a valid name")).await?.into_iter().collect())
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        if self.is_unreadable.load(Ordering::Relaxed) {
            return Err(unreadable());
        }
        let id = GuestId::new(BackendKind::Lxc, name.clone());
        Ok(self.status().map(|status| Guest::new(id, status)))
    }

    async fn inspect(&self, _name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        Ok(None)
    }

    fn lack(&self, _action: GuestAction) -> Option<String> {
        None
    }

    async fn snapshots(&self, _name: &GuestName) -> Result<Vec<Snapshot>, Error> {
        Ok(vec![])
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        Ok(vec![])
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(vec![])
    }

    async fn create_options(&self, _options: &mut CreateOptions) {}

    async fn plan(&self, _name: &GuestName, _request: &ActionRequest) -> Result<Plan, Error> {
        Ok(Plan::default())
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        match &output.exit {
            Exit::Code(0) => Ok(()),
            exit => Err(Error::ToolFailed {
                program: command.argv.program().into(),
                exit: exit.clone(),
                words: output.words().into(),
            }),
        }
    }
}

/// How a host fails whose state files cannot be read.
pub fn unreadable() -> Error {
    Error::Unreadable { path: "/state".into(), detail: "no".into() }
}
