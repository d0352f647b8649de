//! Plans on a make-believe host: what came of the guest, and what was told.

use std::sync::atomic::Ordering;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    fake::{GUEST, Host, unreadable},
    *,
};
use crate::{
    backend::OutputSink,
    domain::{
        operation::OutputChunk,
        plan::{Argv, Output, Step, Stream},
    },
};
use GuestStatus::{Running, Stopped, Stopping};

/// What the person at the screen was told.
struct Told {
    host: Host,
    begun: Vec<usize>,
    outcomes: Vec<StepOutcome>,
    output: UnboundedReceiver<(Stream, String)>,
    sink: OutputSink,
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
    GuestName::new(GUEST).unwrap()
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
    Plan { steps: steps.into_iter().collect(), expect, ..Plan::default() }
}

async fn executed(host: &Host, plan: &Plan) -> (ExecutionEnd, Told) {
    let (sink, output) = unbounded_channel();
    let mut told = Told { host: host.clone(), begun: vec![], outcomes: vec![], output, sink };
    let (guest, secrets) = (name(), Secrets::new());
    let site = Site { backend: host, runner: host, guest: &guest, secrets: &secrets };
    let end = execute(site, plan, &host.cancel, &mut told).await;
    assert_eq!(told.outcomes.len(), plan.steps.len(), "each step has an outcome");
    let again = recalled(site, plan, &told.outcomes, host.cancel.is_cancelled()).await;
    let is_known = !matches!(end, ExecutionEnd::Failed(Error::Unreadable { .. }));
    assert_eq!(again, is_known.then(|| end.clone()), "what was recorded tells the same");
    (end, told)
}

/// From the outcomes, and the word that one who fails says.
async fn recalled(
    site: Site<'_>,
    plan: &Plan,
    outcomes: &[StepOutcome],
    is_cancel_wanted: bool,
) -> Option<ExecutionEnd> {
    let chunk = |step| OutputChunk { step, stream: Stream::Stderr, at_ms: 0, text: "no".to_owned() };
    let failed = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.result == exited(1));
    let output: Vec<OutputChunk> = failed.map(|(step, _)| chunk(step)).collect();
    recall(site, plan, Past { outcomes, output: &output, is_cancel_wanted }).await
}

#[tokio::test]
async fn an_execution_that_was_cut_off_between_its_steps_is_not_recalled() {
    let host = Host::with(Running);
    let plan = plan([fake("stop"), fake("delete")], Some(Expectation::Gone));
    let (_, told) = executed(&host, &plan).await;
    let (guest, secrets) = (name(), Secrets::new());
    let site = Site { backend: &host, runner: &host, guest: &guest, secrets: &secrets };
    for count in 0..2 {
        assert_eq!(recalled(site, &plan, &told.outcomes[..count], false).await, None);
    }
    host.set(Some(Running));
    let lied = Error::NotDone { what: "the guest is running".to_owned() };
    let end = recalled(site, &plan, &told.outcomes, false).await;
    assert_eq!(end, Some(ExecutionEnd::Failed(lied)), "the guest itself has the last word");
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
async fn a_cancel_does_not_part_what_must_stay_together() {
    let host = Host::with(Running);
    let together = Step { when: When::Unparted, ..fake("stop") };
    let (end, told) = executed(&host, &plan([fake("press-cancel"), together, fake("delete")], None)).await;
    assert_eq!(end, ExecutionEnd::Cancelled);
    assert_eq!(told.results()[2], StepResult::Skipped);
    assert_eq!(host.status(), Some(Stopped), "the step that belongs to the first one ran");
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
