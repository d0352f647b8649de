//! `make bench`: the budgets' table of the design with what this machine measures, beside the bare tools.
//!
//! | part | what it measures |
//! |---|---|
//! | `idle` | lists, an idle minute, growth by guests and by open browsers, memory under churn |
//! | `change` | how soon a change is in another open browser, whoever made it |
//! | `past` | pages of a long history |
//! | `browser` | what a person sees, in Chromium |
//!
//! `PARTS=house,ours` measures these alone: `browser`, `house`, `others`, `ours`, `streams`, `growth`, `churn`, `past`.
//!
//! It looks at the release server from outside, as a process of its own with guests of its own; all of it ends with this.
//! Results are kept as JSON, and compared with the last run of the same settings.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod browser;
mod change;
mod host;
mod http;
mod idle;
mod measure;
mod paddock;
mod past;
mod report;

#[path = "../../tests/common/another.rs"]
mod another;
#[path = "../history/asks.rs"]
#[expect(dead_code, reason = "the history's own bench uses the rest")]
mod asks;
#[path = "../../tests/common/fakepve.rs"]
#[expect(dead_code, reason = "the client's tests use the rest")]
mod fakepve;
#[path = "../history/fill.rs"]
mod fill;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use host::{Crun, Lxc};
use paddock::{Paddock, Setup};
use report::Run;

/// How much is measured.
struct Size {
    tries: usize,
    idle_seconds: u64,
    guests: Vec<usize>,
    streams: Vec<usize>,
    churn: usize,
    rows: i64,
    pages: usize,
    /// Empty: all.
    parts: Vec<String>,
}

impl Size {
    /// Half an hour; with `QUICK=1` one minute. Each number has a variable of its own.
    fn read() -> Self {
        let is_quick = std::env::var("QUICK").is_ok_and(|text| text == "1");
        let number = |name: &str, whole: usize, quick: usize| {
            let usual = if is_quick { quick } else { whole };
            std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
        };
        let list = |name: &str, whole: &[usize], quick: &[usize]| {
            let usual = if is_quick { quick } else { whole };
            let read = |text: String| text.split(',').map(|word| word.trim().parse().ok()).collect();
            std::env::var(name).ok().and_then(read).unwrap_or_else(|| usual.to_vec())
        };
        Self {
            tries: number("TRIES", 100, 6),
            idle_seconds: number("IDLE", 60, 5) as u64,
            guests: list("GUESTS", &[10, 100, 1000, 10_000], &[10]),
            streams: list("STREAMS", &[1, 20, 500], &[1, 20]),
            churn: number("CHURN", 150_000, 900),
            rows: i64::try_from(number("ROWS", 100_000, 10_000)).unwrap(),
            pages: number("PAGES", 20, 3),
            parts: std::env::var("PARTS")
                .map(|text| text.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
        }
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    fn told(&self) -> BTreeMap<String, String> {
        [
            ("tries", self.tries.to_string()),
            ("idle seconds", self.idle_seconds.to_string()),
            ("guests", format!("{:?}", self.guests)),
            ("streams", format!("{:?}", self.streams)),
            ("churn", self.churn.to_string()),
            ("rows", self.rows.to_string()),
            ("pages", self.pages.to_string()),
            ("parts", self.parts.join(",")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let size = Size::read();
    let directory = PathBuf::from(std::env::var_os("PADDOCK_BENCH").unwrap_or_else(|| "bench".into()));
    let mut run = Run::new(size.told());

    println!("# 1,000 guests: 400 of LXC, 300 of crun, 300 of a fake Proxmox whose list lags\n");
    let (lxc, crun, fake) = (Lxc::new(399, true), Crun::new(300), host::proxmox(300));
    let root = crun.root();
    let setup = Setup { lxc: Some(lxc.path()), crun: Some(&root), proxmox: Some(&fake) };
    let paddock = Paddock::start(&setup).await;
    assert_eq!(paddock.count().await, 1000, "all guests are listed");
    if size.has("browser") {
        browser::seen(&mut run, &paddock, size.pages).await;
    }
    if size.has("house") {
        idle::of_the_house(&mut run, &paddock, &fake, size.idle_seconds).await;
    }
    if size.has("others") {
        change::of_others(&mut run, &paddock, &lxc, &crun, &fake, size.tries).await;
    }
    if size.has("ours") {
        change::of_ours(&mut run, &paddock, &lxc, size.tries).await;
    }
    if size.has("streams") {
        idle::by_streams(&mut run, &paddock, &lxc, &size.streams, size.tries.div_ceil(10)).await;
    }
    drop((paddock, lxc, crun, fake));

    if size.has("growth") {
        // Long enough for the slow comparison of ten thousand, which is rarer.
        idle::by_guests(&mut run, &size.guests, size.idle_seconds.min(30)).await;
    }
    println!("# The rest\n");
    if size.has("churn") {
        idle::churn(&mut run, size.churn, 50).await;
    }
    if size.has("past") {
        past::pages(&mut run, &directory, size.rows).await;
    }

    let kept = run.conclude(&directory.join("budgets"));
    println!("\nkept as {}", run.keep(&directory.join("budgets")).display());
    // A budget that is missed is told, and does not fail: this is a measurement, on whatever machine.
    if !kept {
        println!("a budget is missed");
    }
    ExitCode::SUCCESS
}
