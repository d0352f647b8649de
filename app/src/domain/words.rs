//! Times, spans, sizes and actions in words. Pure: "now" is always handed in.

use time::OffsetDateTime;

use super::{
    action::GuestAction,
    guest::GuestStatus,
    operation::{Deed, GuestAfter, OperationState},
};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn utc(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(SECOND)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// "2 min ago"; a date once that says more.
pub fn ago(at_ms: i64, now_ms: i64) -> String {
    let passed = now_ms - at_ms;
    match passed {
        _ if passed < 5_000 => "just now".to_owned(),
        _ if passed < MINUTE => format!("{} s ago", passed / SECOND),
        _ if passed < HOUR => format!("{} min ago", passed / MINUTE),
        _ if passed < DAY => format!("{} h ago", passed / HOUR),
        _ if passed < 30 * DAY => format!("{} d ago", passed / DAY),
        _ => date(at_ms),
    }
}

/// "3 Mar 2025"
fn date(ms: i64) -> String {
    let at = utc(ms);
    format!("{} {} {}", at.day(), &at.month().to_string()[..3], at.year())
}

/// "2025-03-03 14:02:11 UTC"
pub fn exact(ms: i64) -> String {
    let at = utc(ms);
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// When something is over: "2025-03-03", which is in it, or "2025-03-03 14:02 UTC".
pub fn until(end_ms: i64) -> String {
    let cut = |ms: i64, length: usize| exact(ms).chars().take(length).collect::<String>();
    match end_ms {
        _ if end_ms.rem_euclid(DAY) == 0 => cut(end_ms.saturating_sub(1), "2025-03-03".len()),
        _ if end_ms.rem_euclid(MINUTE) == 0 => cut(end_ms, "2025-03-03 14:02".len()) + " UTC",
        _ => exact(end_ms),
    }
}

/// "2025-03-03T14:02:11Z", for machines.
pub fn iso(ms: i64) -> String {
    exact(ms).replace(" UTC", "Z").replace(' ', "T")
}

/// "2025-03-03T14:02:11.042Z", for machines.
pub fn precise(ms: i64) -> String {
    let seconds = iso(ms);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), ms.rem_euclid(SECOND))
}

/// "14:02"
pub fn clock(ms: i64) -> String {
    let at = utc(ms);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// The day as the heading of a section.
pub fn day(ms: i64, now_ms: i64) -> String {
    match utc(now_ms).to_julian_day() - utc(ms).to_julian_day() {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => {
            let at = utc(ms);
            format!("{} {} {} {}", at.weekday(), at.day(), at.month(), at.year())
        }
    }
}

/// How long something took: tenths below ten seconds, then the two largest units.
pub fn span(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        _ if ms < 100 => format!("{ms} ms"),
        _ if ms < 10_000 => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        _ if ms < MINUTE => format!("{} s", ms / SECOND),
        _ if ms < HOUR => format!("{} min {} s", ms / MINUTE, ms % MINUTE / SECOND),
        _ if ms < DAY => format!("{} h {} min", ms / HOUR, ms % HOUR / MINUTE),
        _ => format!("{} d {} h", ms / DAY, ms % DAY / HOUR),
    }
}

/// How long something has been going on: whole seconds, so that nothing flickers, then the two largest units.
pub fn running_for(since_ms: i64, now_ms: i64) -> String {
    match (now_ms - since_ms).max(0) {
        passed if passed < MINUTE => format!("{} s", passed / SECOND),
        passed => span(passed),
    }
}

/// How long a guest has been up: minutes are fine enough.
pub fn uptime(since_ms: i64, now_ms: i64) -> String {
    match (now_ms - since_ms).max(0) {
        passed if passed < MINUTE => format!("{} s", passed / SECOND),
        passed if passed < HOUR => format!("{} min", passed / MINUTE),
        passed => span(passed),
    }
}

/// "1.5 GiB": one decimal in the unit that fits, to the nearest.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    if bytes < 1 << 10 {
        return format!("{bytes} B");
    }
    let tenths = |power: u32| (u128::from(bytes) * 10 + (1 << (power - 1))) >> power;
    // What comes to 1024.0 of one unit is 1.0 of the next.
    let fits = |(_, power): &(&str, u32)| tenths(*power) < 10_240;
    let (unit, power) = UNITS.into_iter().find(fits).unwrap_or(UNITS[2]);
    format!("{}.{} {unit}", tenths(power) / 10, tenths(power) % 10)
}

/// What is going on: "Shutting down".
pub fn doing(action: GuestAction) -> &'static str {
    match action {
        GuestAction::Create => "Creating",
        GuestAction::Start => "Starting",
        GuestAction::Shutdown => "Shutting down",
        GuestAction::Stop => "Stopping",
        GuestAction::Reboot => "Rebooting",
        GuestAction::Reset => "Resetting",
        GuestAction::Pause => "Pausing",
        GuestAction::Resume => "Resuming",
        GuestAction::Hibernate => "Hibernating",
        GuestAction::Exec => "Running a command",
        GuestAction::Clone => "Cloning",
        GuestAction::MakeTemplate => "Making a template",
        GuestAction::Snapshot => "Taking a snapshot",
        GuestAction::Rollback => "Rolling back",
        GuestAction::DeleteSnapshot => "Deleting a snapshot",
        GuestAction::Configure => "Configuring",
        GuestAction::Resize => "Growing a disk",
        GuestAction::Migrate => "Migrating",
        GuestAction::Backup => "Backing up",
        GuestAction::Unlock => "Unlocking",
        GuestAction::Delete => "Deleting",
    }
}

/// What an operation came to, to be followed by "by anna": "stopped", "start failed", "creating".
pub fn came_to(deed: &Deed, state: OperationState) -> String {
    match (deed, state) {
        (Deed::Action(action), state) => action_came_to(*action, state),
        (Deed::Task(kind), OperationState::Succeeded) => kind.clone(),
        (Deed::Task(kind), state) => format!("{kind} {}", state.label().to_ascii_lowercase()),
        (Deed::Observed(_), _) => deed.label().to_ascii_lowercase(),
    }
}

fn action_came_to(action: GuestAction, state: OperationState) -> String {
    let done = match action {
        GuestAction::Create => "created",
        GuestAction::Start => "started",
        GuestAction::Shutdown => "shut down",
        GuestAction::Stop => "stopped",
        GuestAction::Reboot => "rebooted",
        GuestAction::Reset => "reset",
        GuestAction::Pause => "paused",
        GuestAction::Resume => "resumed",
        GuestAction::Hibernate => "hibernated",
        GuestAction::Exec => "command run",
        GuestAction::Clone => "cloned",
        GuestAction::MakeTemplate => "made a template",
        GuestAction::Snapshot => "snapshot taken",
        GuestAction::Rollback => "rolled back",
        GuestAction::DeleteSnapshot => "snapshot deleted",
        GuestAction::Configure => "configured",
        GuestAction::Resize => "disk grown",
        GuestAction::Migrate => "migrated",
        GuestAction::Backup => "backed up",
        GuestAction::Unlock => "unlocked",
        GuestAction::Delete => "deleted",
    };
    let noun = match action {
        GuestAction::Shutdown => "shut-down",
        GuestAction::Exec => "command",
        GuestAction::MakeTemplate => "template",
        GuestAction::DeleteSnapshot => "deleting the snapshot",
        GuestAction::Resize => "growing the disk",
        other => other.as_str(),
    };
    match state {
        OperationState::Planned => format!("{noun} waiting"),
        OperationState::Running => doing(action).to_ascii_lowercase(),
        OperationState::Succeeded => done.to_owned(),
        ended => format!("{noun} {}", ended.label().to_ascii_lowercase()),
    }
}

/// With a capital letter in front.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// The guest once the operation had ended.
pub fn after(after: GuestAfter) -> String {
    match after {
        GuestAfter::Status(GuestStatus::Unknown) => "in an unknown state".to_owned(),
        GuestAfter::Status(status) => status.to_string(),
        GuestAfter::Gone => "gone".to_owned(),
        GuestAfter::NotRead => "could not be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::Seen;

    const NOON: i64 = 1_741_003_200_000; // 2025-03-03 12:00:00 UTC, a Monday

    #[test]
    fn the_past_is_told_in_the_largest_unit() {
        for (passed, words) in [
            (-2_000, "just now"),
            (4_999, "just now"),
            (5_000, "5 s ago"),
            (2 * MINUTE + 59_000, "2 min ago"),
            (23 * HOUR, "23 h ago"),
            (29 * DAY, "29 d ago"),
            (31 * DAY, "31 Jan 2025"),
        ] {
            assert_eq!(ago(NOON - passed, NOON), words);
        }
    }

    #[test]
    fn exact_times_are_utc() {
        assert_eq!(exact(NOON), "2025-03-03 12:00:00 UTC");
        assert_eq!(iso(NOON), "2025-03-03T12:00:00Z");
        assert_eq!(clock(NOON), "12:00");
        assert_eq!(until(NOON), "2025-03-03 12:00 UTC");
        assert_eq!(until(NOON + 12 * HOUR), "2025-03-03");
        assert_eq!(exact(i64::MAX), "1970-01-01 00:00:00 UTC");
    }

    #[test]
    fn days_have_names_while_names_help() {
        assert_eq!(day(NOON, NOON), "Today");
        assert_eq!(day(NOON - 13 * HOUR, NOON), "Yesterday");
        assert_eq!(day(NOON - 3 * DAY, NOON), "Friday 28 February 2025");
    }

    #[test]
    fn spans_keep_two_units() {
        let spans = [7, 400, 9_940, 12_000, 125_000, 11_520_000, 97 * HOUR];
        assert_eq!(spans.map(span), ["7 ms", "0.4 s", "9.9 s", "12 s", "2 min 5 s", "3 h 12 min", "4 d 1 h"]);
        assert_eq!(running_for(NOON, NOON + 3_700), "3 s");
        assert_eq!(uptime(NOON, NOON + 190_000), "3 min");
    }

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!([0, 1536, 512 << 20, 3 << 29].map(bytes), ["0 B", "1.5 KiB", "512.0 MiB", "1.5 GiB"]);
        assert_eq!(bytes(u64::MAX), "17179869184.0 GiB");
        // To the nearest, in the unit that fits what is shown.
        let odd = [1023, (2 << 30) - 1, (1 << 30) - 1, (1 << 20) - 100, 1_288_490_189];
        assert_eq!(odd.map(bytes), ["1023 B", "2.0 GiB", "1.0 GiB", "1023.9 KiB", "1.2 GiB"]);
    }

    #[test]
    fn operations_are_told_as_a_person_would() {
        use OperationState::{Failed, Running, Succeeded, TimedOut};
        assert_eq!(came_to(&GuestAction::Stop.into(), Succeeded), "stopped");
        assert_eq!(came_to(&GuestAction::Shutdown.into(), Failed), "shut-down failed");
        assert_eq!(came_to(&GuestAction::Start.into(), Running), "starting");
        assert_eq!(came_to(&GuestAction::Start.into(), TimedOut), "start timed out");
        assert_eq!(came_to(&Deed::Task("vncproxy".to_owned()), Failed), "vncproxy failed");
        assert_eq!(came_to(&Deed::Observed(Seen::Gone), Succeeded), "seen gone");
        assert_eq!(sentence("start failed"), "Start failed");
    }
}
