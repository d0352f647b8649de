//! The server's clock, ticking on in the browser. A page starts with the time of the reply, the same on both
//! sides; from then on this says how much later it is.

use std::time::Duration;

use leptos::prelude::*;

/// Times that are told in minutes need no more.
const COARSE_MS: i64 = 10_000;

/// Milliseconds since 1970 by the server's clock; 0 until the browser has begun to count.
#[derive(Clone, Copy)]
pub struct Clock {
    now_ms: RwSignal<i64>,
    coarse_ms: Memo<i64>,
    /// The server's clock less the browser's.
    ahead_ms: StoredValue<Option<i64>>,
}

impl Clock {
    pub fn provide() {
        let now_ms = RwSignal::new(0);
        let coarse_ms = Memo::new(move |_| now_ms.get() / COARSE_MS * COARSE_MS);
        let clock = Self { now_ms, coarse_ms, ahead_ms: StoredValue::new(None) };
        provide_context(clock);
        Effect::new(move |_| {
            let tick = move || {
                if let Some(ahead) = clock.ahead_ms.get_value() {
                    now_ms.set(browser_ms() + ahead);
                }
            };
            if let Ok(ticking) = set_interval_with_handle(tick, Duration::from_secs(1)) {
                on_cleanup(move || ticking.clear());
            }
        });
    }

    /// Takes the time of a reply that has just come.
    pub fn set(self, now_ms: i64) {
        Effect::new(move |_| self.ahead_ms.set_value(Some(now_ms - browser_ms())));
    }

    /// Now, to the second; never before the reply that the page shows.
    pub fn second(self, reply_ms: i64) -> i64 {
        self.now_ms.get().max(reply_ms)
    }

    /// Now, to ten seconds: for the many times of a long list.
    pub fn coarse(self, reply_ms: i64) -> i64 {
        self.coarse_ms.get().max(reply_ms)
    }
}

/// Runs on evenly, also when somebody sets the computer's clock.
fn browser_ms() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since the page was opened")]
    window().performance().map_or(0, |performance| performance.now() as i64)
}
