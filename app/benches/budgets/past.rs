//! Pages of a long history, on the database of `make bench-history`, made small where that has not been run.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use app::{domain::history::HistoryQuery, service::history::PAGE, store::Store};

use crate::{
    asks,
    fill::{self, Dice},
    measure::Times,
    report::{Line, Run},
};

/// How often each of the filters is asked for.
const RUNS: u64 = 20;
/// What the budget is about.
const WHOLE: i64 = 1_000_000;

pub async fn pages(run: &mut Run, directory: &Path, rows: i64) {
    let place = |rows: i64| directory.join(format!("history-{}-{rows}", fill::VERSION)).join("paddock.db");
    let is_made = |rows: i64| place(rows).with_extension("filled").exists();
    let rows = if is_made(WHOLE) { WHOLE } else { rows };
    if !is_made(rows) {
        let parent = place(rows).parent().unwrap().to_owned();
        let _ = std::fs::remove_dir_all(&parent);
        std::fs::create_dir_all(&parent).unwrap();
        fill::fill(&place(rows), rows).await;
        std::fs::write(place(rows).with_extension("filled"), "").unwrap();
    }
    let store = Store::open(&place(rows)).await.unwrap();
    let (mut times, mut slowest) = (Times::default(), (Duration::ZERO, ""));
    let mut dice = Dice::new();
    for (what, ask) in asks::single() {
        for _ in 0..RUNS {
            let text = ask(dice.roll(1000));
            let query = HistoryQuery::from_pairs(form_urlencoded::parse(text.as_bytes()).into_owned());
            let Ok(filter) = query.read(app::backend::now_ms()) else { continue };
            let begun = Instant::now();
            store.history(&filter, PAGE + 1).await.unwrap();
            let took = begun.elapsed();
            times.add(took);
            slowest = slowest.max((took, what));
        }
    }
    store.close().await;
    let what = format!("history page, filtered, {rows} operations");
    run.add(Line::of(&what, &times, 50, None));
    run.add(Line::of(&what, &times, 99, Some(50.0)).note(format!("the slowest: {}", slowest.1)));
}
