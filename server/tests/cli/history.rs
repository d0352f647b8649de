//! What was done, as the command line tells it.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::lab::{Lab, unique, wait_until};

#[test]
fn the_history_tells_what_was_done_in_each_format() {
    let lab = Lab::new();
    assert_eq!(lab.json(&["history"]), Value::Array(Vec::new()));
    let name = unique("job");
    let bundle = lab.bundle("b", "exit 0");
    lab.must(&["create", &name, "--bundle", &bundle]);
    lab.must(&["start", &name]);
    wait_until("its process has ended", || lab.status(&name) == "stopped");
    lab.must(&["delete", &name, "--yes"]);
    let told = lab.json(&["history"]);
    let actions: Vec<&str> = told.as_array().unwrap().iter().map(|o| o["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "start", "create"]);
    assert_eq!((&told[0]["state"], &told[0]["actor"]), (&"succeeded".into(), &"root (cli)".into()));
    assert_eq!((&told[0]["guest"], &told[0]["guest_after"]), (&name.as_str().into(), &"gone".into()));
    assert!(told[0]["ended_seq"].as_i64() > told[0]["begun_seq"].as_i64(), "{told}");
    assert_eq!(told[0]["ended_hash"].as_str().unwrap().len(), 64);

    let table = lab.must(&["history", "--action", "start", "--result", "succeeded", "--backend", "crun"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("ID ") && lines[1].contains(&format!("crun/{name}")), "{table}");
    assert_eq!(lab.must(&["history", "--text", "no such thing"]).lines().count(), 1);

    let newest = lab.call(&["history", "--limit", "1", "--format", "json"]);
    let place = format!("{}-{}", told[0]["started_ms"], told[0]["id"]);
    assert!(newest.err.contains(&format!("--after {place} ")), "{}", newest.err);
    let older = lab.json(&["history", "--after", &place]);
    assert_eq!((older.as_array().unwrap().len(), &older[0]), (2, &told[1]));

    let lines = lab.must(&["history", "--format", "jsonl", "--user", "root (cli)"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::Array(lines), told);
    let csv = lab.must(&["history", "--format", "csv", "--limit", "2", "--from", "1h"]);
    assert_eq!(csv.lines().count(), 3);
    let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(columns, told[0].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn one_operation_is_told_whole_and_as_a_script() {
    let lab = Lab::new();
    let name = unique("job");
    let bundle = lab.bundle("b", "exit 0");
    lab.must(&["create", &name, "--bundle", &bundle]);
    let sheet = lab.json(&["history", "show", "1"]);
    assert_eq!((&sheet["operation"], &sheet["action"]), (&1.into(), &"create".into()));
    assert!(sheet["steps"][0].as_str().unwrap().contains("crun"), "{sheet}");
    assert_eq!(sheet["ledger"].as_array().unwrap().len(), 2, "{sheet}");
    let lines = lab.must(&["history", "show", "1"]);
    assert!(lines.contains("operation-ended") && lines.contains("Plan's hash"), "{lines}");
    let script = lab.must(&["history", "show", "1", "--script"]);
    assert!(script.starts_with("#!/bin/sh") && script.contains(&name), "{script}");
    lab.refused(3, &["history", "show", "7"]);
}

#[test]
fn a_bulk_action_is_told_with_the_number_of_its_guests() {
    let lab = Lab::new();
    let bundle = lab.bundle("b", "exit 0");
    let names = [unique("job"), unique("job-b")];
    for name in &names {
        lab.must(&["create", name, "--bundle", &bundle]);
    }
    lab.must(&["start", &names[0], &names[1]]);
    let table = lab.must(&["history", "--action", "start"]);
    assert_eq!(table.lines().filter(|line| line.contains(" 2 guests ")).count(), 1, "{table}");
    let told = lab.json(&["history", "--action", "start"]);
    let whole = told.as_array().unwrap().iter().find(|operation| operation["children"] == 2).unwrap();
    assert!(whole["guest"].is_null(), "{whole}");
    let id = whole["id"].to_string();
    assert!(
        told.as_array().unwrap().iter().all(|part| part == whole || part["parent"] == whole["id"]),
        "{told}"
    );
    assert_eq!(lab.json(&["history", "show", &id])["children"], 2);
    assert!(lab.must(&["history", "show", &id]).contains("2 guests"));
    for name in &names {
        lab.must(&["delete", name, "--yes"]);
    }
}

#[test]
fn a_filter_that_makes_no_sense_ends_with_2_and_a_sentence_for_each_option() {
    let lab = Lab::new();
    for (args, sentences) in [
        (&["--guest", "a b"][..], &["--guest: No guest is called so"][..]),
        (&["--backend", "xen"], &["--backend: There is no backend"]),
        (
            &["--action", "explode", "--result", "eaten"],
            &["--action: There is no action", "--result: There is no result"],
        ),
        (&["--from", "tomorrow"], &["--from: This is no time"]),
        (&["--from", "2026-01-02", "--to", "2026-01-01"], &["--from: The beginning is not before the end"]),
        (&["--after", "7"], &["--after: "]),
        (&["--user", "a\u{7}"], &["--user: "]),
    ] {
        for format in ["table", "json", "jsonl", "csv"] {
            let error = lab.refused(2, &[&["history", "--format", format], args].concat());
            for sentence in sentences {
                assert!(error.contains(sentence), "{args:?}: {error}");
            }
        }
    }
    for args in [
        &["history", "--limit", "x"][..],
        &["history", "show"],
        &["history", "show", "x"],
        &["history", "eat"],
    ] {
        lab.refused(2, args);
    }
    // Only where there is a list to stream.
    for args in [&["list"][..], &["ledger"], &["version"], &["history", "show", "1"], &["start", "web1"]] {
        let error = lab.refused(2, &[args, &["--format", "csv"]].concat());
        assert!(error.contains("--format csv"), "{error}");
    }
}

#[test]
fn a_reader_that_has_had_enough_ends_the_export() {
    let lab = Lab::new();
    lab.json(&["history"]);
    let database = lab.path("data").join("paddock.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = app::store::Store::open(&database).await.unwrap();
        sqlx::query(
            "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 20000)
             INSERT INTO operations (origin, backend, guest, action, state, plan, started_ms, finished_ms)
             SELECT 'observed', 'lxc', 'web1', 'observed:running', 'succeeded', '{}', id, id FROM n",
        )
        .execute(store.pool())
        .await
        .unwrap();
        store.close().await;
    });
    let mut command = lab.command(&["history", "--format", "jsonl"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"id\":20000"), "{line}");
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    assert_eq!(lab.must(&["history", "--format", "csv"]).lines().count(), 20_001);
}
