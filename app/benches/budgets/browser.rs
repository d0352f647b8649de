//! What a person sees, in Chromium.

use std::{path::Path, process::Stdio};

use serde::Deserialize;
use tokio::process::Command;

use crate::{
    measure::Times,
    paddock::{PASSWORD, Paddock},
    report::{Line, Run},
};

/// What `end2end/bench/budgets.mjs` tells.
#[derive(Deserialize)]
struct Told {
    /// All bytes of a first visit as they came over the wire.
    bytes: f64,
    requests: usize,
    /// Of one that begins at the list of guests, as whoever is logged in already may.
    list_bytes: f64,
    /// Milliseconds until the table is visible, of each cold page.
    cold_ms: Vec<f64>,
    /// Milliseconds of each frame while the rows scroll.
    frames_ms: Vec<f64>,
    /// As long as nothing else is at work a frame lasts so long in this browser.
    still_ms: f64,
}

pub async fn seen(run: &mut Run, paddock: &Paddock, tries: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end");
    let output = Command::new("node")
        .arg("bench/budgets.mjs")
        .current_dir(&root)
        .env("BASE", format!("http://127.0.0.1:{}", paddock.port))
        .env("PASSWORD", PASSWORD)
        .env("TRIES", tries.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let Ok(told) = serde_json::from_slice::<Told>(&output.stdout) else {
        println!("  the browser told nothing: {}", String::from_utf8_lossy(&output.stdout));
        return;
    };
    let times = |all: &[f64]| {
        let mut times = Times::default();
        all.iter().for_each(|ms| times.add_ms(*ms));
        times
    };
    run.add(
        Line::new("first visit, all bytes over the wire", "KB", told.bytes / 1000.0, Some(350.0))
            .note(format!("log in and dashboard, {} requests", told.requests)),
    );
    let what = "a visit that begins at the list of 1,000 guests, all bytes";
    run.add(Line::new(what, "KB", told.list_bytes / 1000.0, None));
    let cold = times(&told.cold_ms);
    run.add(Line::of("cold page until the table is visible, 1,000 guests", &cold, 50, Some(300.0)));
    let frames = times(&told.frames_ms);
    run.add(Line::of("frame while 1,000 rows scroll", &frames, 95, Some(20.0)).note(format!(
        "of {}; a still page has {:.1} ms",
        frames.len(),
        told.still_ms
    )));
}
