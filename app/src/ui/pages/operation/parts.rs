//! The parts of a bulk action, and how many came to what.

use leptos::prelude::*;

use crate::{
    domain::operation::{Line, OperationState},
    ui::components::operation_row::OperationRows,
};

/// `asked`: of how many guests it was asked.
#[component]
pub fn Parts(parts: Vec<Line>, asked: u32, live: bool, now_ms: i64) -> impl IntoView {
    let states: Vec<_> = parts.iter().flatten().map(|part| part.state).collect();
    let damaged = parts.len() - states.len();
    view! {
        <section class="parts" aria-labelledby="parts">
            <h2 id="parts">{tally(&states, damaged, asked, live)}</h2>
            <OperationRows operations=parts now_ms guests=true parts=true />
        </section>
    }
}

/// "8 succeeded, 1 failed, 1 waiting"
fn tally(parts: &[OperationState], damaged: usize, asked: u32, live: bool) -> String {
    use OperationState::{Cancelled, Failed, Interrupted, Planned, Running, Succeeded, TimedOut};
    let mut counts: Vec<String> = [Succeeded, Failed, TimedOut, Interrupted, Cancelled, Running, Planned]
        .into_iter()
        .map(|state| (parts.iter().filter(|part| **part == state).count(), state))
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", state.label().to_ascii_lowercase()))
        .collect();
    if damaged > 0 {
        counts.push(format!("{damaged} damaged"));
    }
    let others = usize::try_from(asked).unwrap_or(usize::MAX).saturating_sub(parts.len() + damaged);
    if others > 0 {
        counts.push(format!("{others} {}", if live { "to come" } else { "left out" }));
    }
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_by_what_they_came_to() {
        use OperationState::{Failed, Planned, Running, Succeeded};
        let parts = [Succeeded, Failed, Succeeded, Planned, Running];
        assert_eq!(tally(&parts, 0, 5, true), "2 succeeded, 1 failed, 1 running, 1 waiting");
        assert_eq!(tally(&parts[..3], 0, 5, false), "2 succeeded, 1 failed, 2 left out");
        assert_eq!(tally(&parts[..3], 1, 5, false), "2 succeeded, 1 failed, 1 damaged, 1 left out");
        assert_eq!(tally(&[], 0, 3, true), "3 to come");
    }
}
