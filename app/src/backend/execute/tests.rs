//! A make-believe tool that keeps state: `fake start` really makes its one guest run, `fake lie` only says so.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::{
    backend::{CommandOutput, RunContext, Runner},
    domain::{
        action::ActionRequest,
        guest::{BackendKind, Guest, GuestDetail, GuestId},
        host::{Availability, CreateOptions},
        plan::{Argv, Output, Step, Stream},
    },
};
use GuestStatus::{Running, Stopped, Stopping};

/// The host with its one guest, and the cancel button.
#[derive(Clone, Default)]
struct Host {
    guest: Arc<Mutex<Option<GuestStatus>>>,
    is_unreadable: Arc<AtomicBool>,
    cancel: CancellationToken,
}

impl Host {
    fn with(status: GuestStatus) -> Self {
        let host = Self::default();
        host.set(Some(status));
        host
    }

    fn set(&self, status: Option<GuestStatus>) {
        *self.guest.lock().unwrap() = status;
    }

    fn status(&self) -> Option<GuestStatus> {
        *self.guest.lock().unwrap()
    }

    fn later(&self, status: Option<GuestStatus>) {
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
        Ok(self.guest(&name()).await?.into_iter().collect())
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        if self.is_unreadable.load(Ordering::Relaxed) {
            return Err(unreadable());
        }
        let id = GuestId::new(BackendKind::Lxc, name.clone());
        Ok(self.status().map(|status| Guest {
            id,
            status,
            pid: None,
            started_ms: None,
            addresses: vec![],
            note: None,
        }))
    }

    async fn inspect(&self, _name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        Ok(None)
    }

    async fn create_options(&self, _options: &mut CreateOptions) {}

    async fn plan(&self, _name: &GuestName, _request: &ActionRequest) -> Result<Plan, Error> {
        Ok(plan([], None))
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

/// What the person at the screen was told.
struct Told {
    host: Host,
    begun: Vec<usize>,
    outcomes: Vec<StepOutcome>,
    output: tokio::sync::mpsc::UnboundedReceiver<(Stream, String)>,
    sink: super::super::OutputSink,
}

impl Execution for Told {
    fn begin(&mut self, step: usize) -> RunContext {
        self.begun.push(step);
        RunContext {
            output: self.sink.clone(),
            started: unbounded_channel().0,
            cancel: self.host.cancel.clone(),
        }
    }

    fn end(&mut self, step: usize, outcome: StepOutcome) {
        assert_eq!(step, self.outcomes.len(), "once for each step, in order");
        self.outcomes.push(outcome);
    }
}

impl Told {
    fn results(&self) -> Vec<StepResult> {
        self.outcomes.iter().map(|outcome| outcome.result.clone()).collect()
    }
}

fn name() -> GuestName {
    GuestName::new("web1").unwrap()
}

fn unreadable() -> Error {
    Error::Unreadable { path: "/state".into(), detail: "no".into() }
}

fn fake(word: &str) -> Step {
    let command = Command { argv: Argv::new("fake").arg(word), timeout_ms: 1, output: Output::Piped };
    Step { title: word.into(), when: When::Always, work: Work::Command(command) }
}

fn wait(status: GuestStatus, timeout_ms: u64) -> Step {
    Step { title: "wait".into(), when: When::Always, work: Work::WaitFor { status, timeout_ms } }
}

fn or(step: Step) -> Step {
    Step { when: When::PreviousFailed, ..step }
}

fn plan(steps: impl IntoIterator<Item = Step>, expect: Option<Expectation>) -> Plan {
    Plan { steps: steps.into_iter().collect(), expect, loses: vec![] }
}

async fn executed(host: &Host, plan: &Plan) -> (ExecutionEnd, Told) {
    let (sink, output) = unbounded_channel();
    let mut told = Told { host: host.clone(), begun: vec![], outcomes: vec![], output, sink };
    let end = execute(host, host, &name(), plan, &host.cancel, &mut told).await;
    assert_eq!(told.outcomes.len(), plan.steps.len(), "each step has an outcome");
    (end, told)
}

fn exited(code: i32) -> StepResult {
    StepResult::Exited(Exit::Code(code))
}

#[tokio::test]
async fn steps_run_in_order_to_the_expected_end() {
    let host = Host::with(Running);
    let expect = Some(Expectation::Gone);
    let (end, told) = executed(&host, &plan([fake("stop"), fake("delete")], expect)).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(host.status(), None);
    assert_eq!(told.results(), [exited(0), exited(0)]);
    assert!(told.outcomes.iter().all(|outcome| outcome.started_ms.is_some() && outcome.dropped_bytes == 3));
}

#[tokio::test]
async fn a_failure_stops_what_comes_after_it() {
    let host = Host::with(Running);
    let (end, mut told) = executed(&host, &plan([fake("fail"), fake("delete")], None)).await;
    let exit = Exit::Code(1);
    let failed = Error::ToolFailed { program: "fake".into(), exit, words: "no".into() };
    assert_eq!(end, ExecutionEnd::Failed(failed));
    assert_eq!(host.status(), Some(Running), "nothing was deleted");
    assert_eq!(told.results(), [exited(1), StepResult::Skipped]);
    assert_eq!((told.begun.as_slice(), told.outcomes[1].started_ms), (&[0][..], None));
    assert_eq!(told.output.try_recv(), Ok((Stream::Stderr, "no".to_owned())));
}

#[tokio::test]
async fn the_step_for_a_failure_answers_it_and_the_rest_goes_on() {
    let host = Host::with(Running);
    let steps = [wait(Stopped, 30), or(fake("fail")), or(fake("stop")), or(fake("fail")), fake("delete")];
    let (end, told) = executed(&host, &plan(steps, Some(Expectation::Gone))).await;
    assert_eq!(end, ExecutionEnd::Done);
    let wanted =
        [StepResult::NotReached(Some(Running)), exited(1), exited(0), StepResult::Skipped, exited(0)];
    assert_eq!(told.results(), wanted);
}

#[tokio::test]
async fn the_step_for_a_failure_is_skipped_where_there_was_none() {
    let host = Host::with(Running);
    let steps = [fake("stop"), wait(Stopped, 1000), or(fake("start"))];
    let (end, told) = executed(&host, &plan(steps, Some(Expectation::Status(Stopped)))).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(told.results(), [exited(0), StepResult::Reached(Stopped), StepResult::Skipped]);
}

#[tokio::test]
async fn only_the_step_just_after_a_failure_can_answer_it() {
    let host = Host::with(Running);
    let (end, told) = executed(&host, &plan([fake("fail"), fake("lie"), or(fake("delete"))], None)).await;
    assert!(matches!(end, ExecutionEnd::Failed(_)));
    assert_eq!(told.results(), [exited(1), StepResult::Skipped, StepResult::Skipped]);
    assert_eq!(host.status(), Some(Running));
}

#[tokio::test]
async fn a_chain_that_fails_to_its_end_fails_with_its_last_error() {
    let host = Host::with(Running);
    let (end, told) = executed(&host, &plan([fake("fail"), or(fake("hang")), fake("delete")], None)).await;
    assert_eq!(end, ExecutionEnd::Failed(Error::TimedOut { words: String::new() }));
    assert_eq!(told.results()[2], StepResult::Skipped);
}

#[tokio::test]
async fn a_tool_that_never_ran_fails_its_step_without_being_understood() {
    let host = Host::with(Running);
    let (end, _) = executed(&host, &plan([fake("unheard-of")], None)).await;
    let exit = Exit::NotStarted("no unheard-of".into());
    let failed = Error::ToolFailed { program: "fake".into(), exit, words: String::new() };
    assert_eq!(end, ExecutionEnd::Failed(failed));
}

#[tokio::test]
async fn waiting_ends_when_the_state_is_reached() {
    let host = Host::with(Running);
    let (end, told) = executed(&host, &plan([fake("stop-later"), wait(Stopped, 60_000)], None)).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(told.results()[1], StepResult::Reached(Stopped));
    assert!(told.outcomes[1].duration_ms < 60_000);
}

#[tokio::test]
async fn waiting_too_long_tells_the_state_last_read() {
    let host = Host::with(Stopping);
    let (end, told) = executed(&host, &plan([wait(Stopped, 60)], None)).await;
    let not_reached = Error::NotReached { wanted: Stopped, found: Some(Stopping) };
    assert_eq!(end, ExecutionEnd::Failed(not_reached));
    assert_eq!(told.results(), [StepResult::NotReached(Some(Stopping))]);
}

#[tokio::test]
async fn nobody_waits_for_a_guest_that_is_gone() {
    let host = Host::with(Running);
    host.later(None);
    let begun = Instant::now();
    let (end, told) = executed(&host, &plan([wait(Stopped, 600_000)], None)).await;
    assert_eq!(end, ExecutionEnd::Failed(Error::NotReached { wanted: Stopped, found: None }));
    assert_eq!(told.results(), [StepResult::NotReached(None)]);
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_state_that_cannot_be_read_any_more_is_not_taken_for_gone() {
    let host = Host::with(Running);
    let blinded = host.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(200)).await;
        blinded.is_unreadable.store(true, Ordering::Relaxed);
    });
    let (end, told) = executed(&host, &plan([wait(Stopped, 600_000)], None)).await;
    assert_eq!(end, ExecutionEnd::Failed(unreadable()));
    assert_eq!(told.results(), [StepResult::NotReached(Some(Running))]);
}

#[tokio::test]
async fn an_exit_of_0_is_not_believed_where_the_host_shows_otherwise() {
    let lie = async |host: Host, expect| {
        let (end, told) = executed(&host, &plan([fake("lie")], Some(expect))).await;
        assert_eq!(told.results(), [exited(0)], "the step itself is told as it was");
        end
    };
    let ends = tokio::join!(
        lie(Host::with(Running), Expectation::Gone),
        lie(Host::with(Running), Expectation::Status(Stopped)),
        lie(Host::default(), Expectation::Exists),
    );
    let not_done = |what: &str| ExecutionEnd::Failed(Error::NotDone { what: what.into() });
    let runs = not_done("the guest is running");
    assert_eq!(ends, (runs.clone(), runs, not_done("the guest is not there")));
}

#[tokio::test]
async fn an_expectation_may_show_a_moment_after_the_last_step() {
    let host = Host::with(Running);
    let expect = Some(Expectation::Status(Stopped));
    assert_eq!(executed(&host, &plan([fake("stop-later")], expect)).await.0, ExecutionEnd::Done);
}

#[tokio::test]
async fn cancelling_ends_the_tool_at_work_and_all_that_would_follow() {
    let host = Host::with(Running);
    let cancel = host.cancel.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    let steps = [fake("until-cancelled"), or(fake("delete")), fake("delete")];
    let (end, told) = executed(&host, &plan(steps, None)).await;
    assert_eq!(end, ExecutionEnd::Cancelled);
    let wanted = [StepResult::Exited(Exit::Cancelled), StepResult::Skipped, StepResult::Skipped];
    assert_eq!(told.results(), wanted);
    assert_eq!(host.status(), Some(Running));
}

#[tokio::test]
async fn cancelling_ends_a_wait() {
    let host = Host::with(Running);
    let cancel = host.cancel.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    let (end, told) = executed(&host, &plan([wait(Stopped, 600_000), or(fake("delete"))], None)).await;
    assert_eq!(end, ExecutionEnd::Cancelled);
    assert_eq!(told.results(), [StepResult::NotReached(Some(Running)), StepResult::Skipped]);
}

#[tokio::test]
async fn a_cancel_between_two_steps_keeps_the_next_from_running() {
    for steps in [[fake("press-cancel"), fake("delete")], [fake("fail-and-press-cancel"), or(fake("delete"))]]
    {
        let host = Host::with(Running);
        let (end, told) = executed(&host, &plan(steps, None)).await;
        assert_eq!(end, ExecutionEnd::Cancelled);
        assert_eq!(told.results()[1], StepResult::Skipped);
        assert_eq!(host.status(), Some(Running));
    }
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_changes_nothing() {
    let host = Host::with(Running);
    let steps = [fake("stop"), fake("press-cancel")];
    let expect = Some(Expectation::Status(Stopped));
    assert_eq!(executed(&host, &plan(steps, expect)).await.0, ExecutionEnd::Done);
    let failed = executed(&Host::with(Running), &plan([fake("fail-and-press-cancel")], None)).await.0;
    assert!(matches!(failed, ExecutionEnd::Failed(_)), "it had failed by itself: {failed:?}");
}
