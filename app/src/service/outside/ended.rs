//! How a task of somebody else ended, in the words of the history.

use crate::{
    backend::OUTPUT_CAP,
    domain::{
        failure::FailureKind,
        operation::{EndState, GuestAfter, OutputChunk},
        plan::Stream,
        task::{TaskEnd, TaskResult},
    },
    store::{End, Ended},
};

/// What could be read of a task's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    Whole(String),
    /// Its beginning, up to the cap.
    Cut(String),
    /// Why it could not be read.
    Unread(String),
}

impl Log {
    fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Cut(text) => text,
            Self::Unread(_) => "",
        }
    }

    fn remark(&self) -> Option<String> {
        match self {
            Self::Whole(_) => None,
            Self::Cut(_) => Some(format!("what follows is not kept: it is more than {OUTPUT_CAP} bytes")),
            Self::Unread(why) => Some(format!("its log could not be read: {why}")),
        }
    }
}

/// The end of a task as it is recorded, seen at `now_ms`.
pub fn ended(end: &TaskEnd, log: &Log, guest_after: GuestAfter, now_ms: i64) -> Ended {
    let (state, failure, failure_kind) = match &end.result {
        TaskResult::Ok | TaskResult::Warnings(_) => (EndState::Succeeded, None, None),
        TaskResult::Failed(words) => {
            (EndState::Failed, Some(format!("Proxmox says: {words}")), Some(FailureKind::ToolFailed))
        }
        TaskResult::Cancelled(words) => (
            EndState::Cancelled,
            Some(format!(
                "Somebody ended the task; Proxmox says: {words}. What it had done by then was not undone."
            )),
            Some(FailureKind::Cancelled),
        ),
        TaskResult::Unknown(words) => (EndState::Interrupted, Some(cut_off(words)), None),
    };
    let mut remarks: Vec<String> = log.remark().into_iter().collect();
    if let TaskResult::Warnings(count) = end.result
        && !log.text().contains("TASK WARNINGS")
    {
        remarks.push(format!("Proxmox says that it succeeded with {count} warnings"));
    }
    if end.at_ms.is_none() {
        remarks.push("Proxmox does not tell when it ended; its end was seen at the time recorded".to_owned());
    }
    let finished_ms = end.at_ms.unwrap_or(now_ms);
    let said = Some(log.text().to_owned()).filter(|text| !text.is_empty());
    let pieces = said.into_iter().chain(remarks.into_iter().map(|remark| format!("[Paddock: {remark}]\n")));
    let output =
        pieces.map(|text| OutputChunk { step: 0, stream: Stream::Log, at_ms: finished_ms, text }).collect();
    Ended { end: End { state, failure, failure_kind, guest_after, finished_ms }, output }
}

fn cut_off(words: &str) -> String {
    let said = if words.is_empty() { String::new() } else { format!(" ({words})") };
    format!(
        "Proxmox does not know how the task ended{said}: its process was killed, or the node went down in the middle. \
         Check what it was about."
    )
}

/// The end of a task of which nothing will ever be heard again.
pub fn lost(why: &str, now_ms: i64) -> Ended {
    let failure = format!("How this task ended is not known: {why}. Check what it was about.");
    let end = End {
        state: EndState::Interrupted,
        failure: Some(failure),
        failure_kind: None,
        guest_after: GuestAfter::NotRead,
        finished_ms: now_ms,
    };
    Ended { end, output: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(result: TaskResult, log: &Log) -> Ended {
        ended(&TaskEnd { at_ms: Some(5000), result }, log, GuestAfter::NotRead, 9000)
    }

    fn said(ended: &Ended) -> String {
        ended.output.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    #[test]
    fn a_tasks_result_is_told_as_it_was() {
        let log = Log::Whole("TASK OK\n".to_owned());
        let state = |result| of(result, &log).end.state;
        assert_eq!(state(TaskResult::Ok), EndState::Succeeded);
        assert_eq!(state(TaskResult::Warnings(2)), EndState::Succeeded);
        assert_eq!(state(TaskResult::Cancelled("received interrupt".into())), EndState::Cancelled);
        assert_eq!(state(TaskResult::Unknown("unexpected status".into())), EndState::Interrupted);
        let failed = of(TaskResult::Failed("CT is locked".into()), &log).end;
        assert_eq!(failed.state, EndState::Failed);
        assert_eq!(failed.failure.as_deref(), Some("Proxmox says: CT is locked"));
        assert_eq!(failed.finished_ms, 5000);
    }

    #[test]
    fn what_is_missing_of_a_log_is_told() {
        let cut = of(TaskResult::Ok, &Log::Cut("beginning".into()));
        assert!(said(&cut).starts_with("beginning[Paddock: what follows is not kept"), "{cut:?}");
        let unread = of(TaskResult::Warnings(3), &Log::Unread("no such task".into()));
        assert!(said(&unread).contains("could not be read: no such task"), "{unread:?}");
        assert!(said(&unread).contains("with 3 warnings"), "{unread:?}");
        let whole = of(TaskResult::Warnings(3), &Log::Whole("TASK WARNINGS: 3\n".into()));
        assert_eq!(said(&whole), "TASK WARNINGS: 3\n", "the log itself tells it");
    }

    #[test]
    fn an_end_whose_time_is_not_told_is_as_late_as_it_was_seen() {
        let end = TaskEnd { at_ms: None, result: TaskResult::Ok };
        let ended = ended(&end, &Log::Whole(String::new()), GuestAfter::NotRead, 9000);
        assert_eq!(ended.end.finished_ms, 9000);
        assert!(said(&ended).contains("does not tell when it ended"), "{ended:?}");
    }
}
