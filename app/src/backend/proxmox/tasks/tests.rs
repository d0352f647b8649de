use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::*;

fn captured(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pve-9.1").join(file);
    let text = fs::read_to_string(path.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["body"]["data"].clone()
}

fn tasks(data: Value) -> Vec<Task> {
    let Rows(rows): Rows<TaskRow> = serde_json::from_value(data).unwrap();
    rows.iter().filter_map(row).collect()
}

fn one_of(row: Value) -> Option<Task> {
    tasks(json!([row])).pop()
}

#[test]
fn the_real_daemons_lists_are_read_whole_and_agree_with_their_own_columns() {
    for (file, count) in
        [("cluster-tasks", 25), ("cluster-tasks-after", 25), ("node-tasks", 50), ("node-tasks-errors", 20)]
    {
        let data = captured(file);
        let told = tasks(data.clone());
        assert_eq!(told.len(), count, "{file}");
        for (task, row) in told.iter().zip(data.as_array().unwrap()) {
            let text = |key: &str| row[key].as_str().unwrap_or_default();
            let user = match row["tokenid"].as_str() {
                Some(token) => format!("{}!{token}", text("user")),
                None => text("user").to_owned(),
            };
            assert_eq!((task.upid.as_str(), task.kind.as_str()), (text("upid"), text("type")));
            assert_eq!((task.id.as_str(), task.node.as_str()), (text("id"), text("node")));
            assert_eq!(task.user, user);
            assert_eq!(task.started_ms, row["starttime"].as_i64().unwrap() * 1000);
            let end = task.end.as_ref().unwrap();
            assert_eq!(end.at_ms, Some(row["endtime"].as_i64().unwrap() * 1000));
            assert_eq!(end.result.words().unwrap_or("OK"), text("status"));
            let is_plain = ["vzdump", "vncproxy"].contains(&text("type"));
            assert_eq!(task.guest.is_none(), is_plain, "{}", task.upid);
            assert_eq!(task.action().is_none(), text("type") == "vncproxy", "{}", task.upid);
        }
    }
}

#[test]
fn running_is_what_has_no_end_however_that_is_written() {
    let upid = "UPID:vm:00006948:0005B09B:6B034B55:vncproxy:200:alice@pve!dash:";
    for row in [
        json!({"upid": upid}),
        json!({"upid": upid, "status": null, "endtime": null}),
        json!({"upid": upid, "status": "RUNNING", "saved": "0"}),
        json!({"upid": upid, "status": "RUNNING", "endtime": 1_795_378_015}),
    ] {
        let task = one_of(row.clone()).unwrap();
        assert!(task.is_running(), "{row}");
        assert_eq!(task.user, "alice@pve!dash");
    }
    let end = |row: Value| one_of(row).unwrap().end.unwrap();
    let unknown = end(json!({"upid": upid, "endtime": 1_795_378_015}));
    assert_eq!(unknown.result, TaskResult::Unknown(String::new()));
    let undated = end(json!({"upid": upid, "status": "OK", "endtime": "soon"}));
    assert_eq!(undated, TaskEnd { at_ms: None, result: TaskResult::Ok });
}

#[test]
fn no_time_is_beyond_what_a_clock_shows_and_none_ends_before_it_starts() {
    let upid = "UPID:vm:00006948:0005B09B:6B034B55:qmstart:200:root@pam:";
    let started_ms = 1_795_378_005_000;
    for (endtime, at_ms) in [
        (json!(0), None),
        (json!(1), Some(started_ms)),
        (json!(u64::MAX), None),
        (json!(-5), None),
        (json!("1795378006"), Some(started_ms + 1000)),
    ] {
        let task = one_of(json!({"upid": upid, "status": "OK", "endtime": endtime})).unwrap();
        assert_eq!((task.started_ms, task.end.unwrap().at_ms), (started_ms, at_ms), "{endtime}");
    }
    let odd = "UPID:vm:1:1:99999999999:qmstart:200:root@pam:";
    assert_eq!(one_of(json!({"upid": odd, "starttime": u64::MAX})), None);
    assert_eq!(one_of(json!({"upid": odd, "starttime": 7})).unwrap().started_ms, 7000);
}

#[test]
fn what_names_no_task_is_left_out_and_words_are_bounded() {
    for upid in [
        json!(null),
        json!(5),
        json!("UPID:bad"),
        json!("UPID:-:1:1:1:a:b:c:"),
        json!(["UPID:vm:1:1:1:a:b:c:"]),
    ] {
        assert_eq!(one_of(json!({"upid": upid, "status": "OK"})), None, "{upid}");
    }
    let upid = "UPID:vm:00006948:0005B09B:6B034B55:qmstart:200:root@pam:";
    let task = one_of(json!({"upid": upid, "status": "\u{1b}[2J".to_owned() + &"x".repeat(100_000)}));
    let TaskResult::Failed(words) = task.unwrap().end.unwrap().result else { panic!("not failed") };
    assert!(words.len() <= 2000 && !words.contains('\u{1b}'));
}
