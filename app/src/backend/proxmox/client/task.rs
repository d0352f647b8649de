//! Tasks: followed by their UPID until they end, or until somebody or the time wants their end.
//!
//! ```text
//!   running ──► stopped: its exit status says how ───────────────────────────────┐
//!      │                                                                         ├──► End
//!      └──► cancelled, or time up ──► DELETE ──► stopped, or not within the grace┘
//! ```

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::{
    backend::{
        Error, RunContext,
        proxmox::{
            refuse::{self, Scene},
            upid::Upid,
        },
    },
    domain::{
        failure::FailureKind,
        plan::{Method, Stream},
    },
};

use super::{
    Client, Request,
    call::End,
    log::Log,
    output::{Output, note},
    reply::readable,
    segment,
};

/// Pauses between two looks: short at first, as most tasks are.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a task may take to end after it was told to. Proxmox itself gives it 5 s before it kills it.
const GRACE: Duration = Duration::from_secs(15);
/// How many times in a row Proxmox may refuse to tell of a task before that is believed.
const REFUSALS: u32 = 5;

/// The pauses between two looks at what is followed, for ever.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST_PAUSE)
        .with_factor(1.5)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
}

/// Why a task is ended before its time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Cancelled,
    TimeUp,
}

/// Returns once somebody or the time wants the end.
pub(super) async fn wanted(deadline: Instant, context: &RunContext) -> Why {
    tokio::select! {
        () = context.cancel.cancelled() => Why::Cancelled,
        () = sleep_until(deadline) => Why::TimeUp,
    }
}

/// What was seen of something that is followed.
#[derive(Default)]
pub(super) struct Sight {
    /// Why it was not seen the last time, `None` if it was.
    trouble: Option<Error>,
    refusals: u32,
}

impl Sight {
    /// Takes one look's result. An error that lasts is returned once it is certain; until then the followed goes on.
    pub fn look<T>(&mut self, look: Result<T, Error>) -> Result<Option<T>, Error> {
        match look {
            Ok(seen) => {
                *self = Self::default();
                Ok(Some(seen))
            }
            Err(error) => {
                // A node that reboots and a network that drops come back.
                let passes = matches!(error.kind(), FailureKind::Unavailable | FailureKind::TimedOut);
                self.refusals = if passes { 0 } else { self.refusals + 1 };
                if self.refusals >= REFUSALS {
                    return Err(error);
                }
                if self.trouble.is_none() {
                    tracing::warn!(%error, "cannot see at Proxmox how far it is; trying on");
                }
                self.trouble = Some(error);
                Ok(None)
            }
        }
    }

    /// Why it was not seen the last time.
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }
}

impl Client {
    pub(super) async fn follow_task(
        &self,
        upid: &Upid,
        scene: &Scene,
        deadline: Instant,
        context: &RunContext,
    ) -> End {
        let mut log = Log::new(Output::new(Stream::Log, &context.output));
        let mut sight = Sight::default();
        let watched = tokio::select! {
            biased;
            ended = self.watch(upid, &mut log, &mut sight) => Ok(ended),
            why = wanted(deadline, context) => Err(why),
        };
        let why = match watched {
            Ok(Ok(exitstatus)) => {
                let result = refuse::ended(scene, &exitstatus).map(|()| upid.as_str().into());
                return End { told: Some(exitstatus), result };
            }
            Ok(Err(error)) => return End { told: None, result: Err(unseen(scene, upid, &error)) },
            Err(why) => why,
        };
        self.end_task(upid, scene, why, &mut log, &mut sight).await
    }

    /// Tells the task to end, and waits for that.
    async fn end_task(
        &self,
        upid: &Upid,
        scene: &Scene,
        why: Why,
        log: &mut Log<'_>,
        sight: &mut Sight,
    ) -> End {
        let until = Instant::now() + GRACE;
        let path = format!("/nodes/{}/tasks/{}", segment(upid.node()), segment(upid.as_str()));
        // It does no harm to tell it twice.
        let request = Request { method: Method::Delete, deadline: until, ..self.reading(&path, &[]) };
        let told = match self.exchange(&request).await {
            Ok(reply) => self.data::<Value>(&request, &reply).map(drop),
            Err(error) => Err(error),
        };
        // Where it was not told, there is not much to wait for.
        let until = if told.is_ok() { until } else { Instant::now() + 2 * LONGEST_PAUSE };
        let ended = timeout_at(until, self.watch(upid, log, sight)).await;
        let (told, error) = match (ended, told) {
            // It was faster, or it ended in what it was doing.
            (Ok(Ok(exitstatus)), _) if refuse::ended(scene, &exitstatus).is_ok() => {
                return End { told: Some(exitstatus), result: Ok(upid.as_str().into()) };
            }
            (Ok(Ok(exitstatus)), _) => {
                let error = match why {
                    Why::Cancelled => Error::Cancelled,
                    Why::TimeUp => {
                        Error::TimedOut { words: format!("the task {upid} was ended ({exitstatus})") }
                    }
                };
                (Some(exitstatus), error)
            }
            (Ok(Err(error)), _) => (None, unseen(scene, upid, &error)),
            (Err(_), told) => {
                let error = match (sight.trouble(), told) {
                    (Some(trouble), _) => unseen(scene, upid, trouble),
                    (None, told) => still_runs(upid, why, told.err().as_ref()),
                };
                (None, error)
            }
        };
        End { told, result: Err(error) }
    }

    /// Looks at the task until it has ended, handing its log on; its exit status. Never returns while it cannot be
    /// seen.
    async fn watch(&self, upid: &Upid, log: &mut Log<'_>, sight: &mut Sight) -> Result<String, Error> {
        for pause in pauses() {
            match sight.look(self.task_status(upid).await)? {
                Some(Status::Stopped(exitstatus)) => {
                    if let Err(error) = self.read_log(upid, log).await {
                        note(
                            log.output.sink(),
                            &format!("the rest of the task's log could not be read: {error}"),
                        );
                    }
                    return Ok(exitstatus);
                }
                // What cannot be read of the log now can be read later.
                Some(Status::Running) => drop(self.read_log(upid, log).await),
                None => {}
            }
            sleep(pause).await;
        }
        Err(Error::Cancelled)
    }

    async fn task_status(&self, upid: &Upid) -> Result<Status, Error> {
        let seen = self.get(&status_path(upid), &[]).await?;
        self.status(upid, seen)
    }

    /// How far the task is; `None` where its node knows no such task (any more).
    pub async fn known_status(&self, upid: &Upid) -> Result<Option<Status>, Error> {
        let path = status_path(upid);
        let request = self.reading(&path, &[]);
        let reply = self.exchange(&request).await?;
        let is_unknown = |(name, why): &(String, String)| name == "upid" && why == "no such task";
        if reply.status == 400 && reply.words().fields.iter().any(is_unknown) {
            return Ok(None);
        }
        self.status(upid, self.data(&request, &reply)?).map(Some)
    }

    fn status(&self, upid: &Upid, seen: TaskStatus) -> Result<Status, Error> {
        match (seen.status.as_str(), seen.exitstatus) {
            ("running", _) => Ok(Status::Running),
            ("stopped", Some(exitstatus)) => Ok(Status::Stopped(readable(&exitstatus))),
            ("stopped", None) => Ok(Status::Stopped("unexpected status".to_owned())),
            (other, _) => Err(Scene::of_task(self.backend, upid)
                .garbled(format!("a task's status is “{}”", readable(other)))),
        }
    }
}

fn status_path(upid: &Upid) -> String {
    format!("/nodes/{}/tasks/{}/status", segment(upid.node()), segment(upid.as_str()))
}

/// How far a task is.
pub enum Status {
    Running,
    /// Its exit status.
    Stopped(String),
}

#[derive(Deserialize)]
struct TaskStatus {
    status: String,
    exitstatus: Option<String>,
}

fn unseen(scene: &Scene, upid: &Upid, trouble: &Error) -> Error {
    scene.unavailable(
        format!("The end of the task {upid} was not seen: {trouble}"),
        "Look at this task in Proxmox before trying again; it may go on.",
    )
}

fn still_runs(upid: &Upid, why: Why, refusal: Option<&Error>) -> Error {
    let refusal = refusal.map(|error| format!(" Proxmox did not end it: {error}")).unwrap_or_default();
    let words = format!("the task {upid} was told to end, and it still runs.{refusal}");
    match why {
        Why::Cancelled => Error::ServiceFailed { service: "Proxmox".to_owned(), words },
        Why::TimeUp => Error::TimedOut { words },
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::guest::BackendKind;

    use super::*;

    #[test]
    fn pauses_grow_up_to_a_second_and_never_end() {
        let pauses: Vec<Duration> = pauses().take(50).collect();
        assert_eq!(pauses[0], SHORTEST_PAUSE);
        assert!(pauses.is_sorted());
        assert_eq!(pauses[49], LONGEST_PAUSE);
    }

    #[test]
    fn trouble_on_the_way_passes_and_a_lasting_refusal_does_not() {
        let away = || Err::<(), _>(Error::TimedOut { words: String::new() });
        let denied = || {
            Err::<(), _>(Error::Denied {
                backend: BackendKind::ProxmoxVm,
                account: None,
                what: String::new(),
            })
        };
        let mut sight = Sight::default();
        for _ in 0..1000 {
            assert_eq!(sight.look(away()), Ok(None));
        }
        for _ in 1..REFUSALS {
            assert_eq!(sight.look(denied()), Ok(None));
        }
        assert_eq!(sight.look(away()), Ok(None), "a refusal in between may have been of the same trouble");
        for _ in 1..REFUSALS {
            assert_eq!(sight.look(denied()), Ok(None));
        }
        assert!(sight.trouble().is_some());
        assert!(sight.look(denied()).is_err());
        assert_eq!(sight.look(Ok(())), Ok(Some(())));
        assert!(sight.trouble().is_none());
    }
}
