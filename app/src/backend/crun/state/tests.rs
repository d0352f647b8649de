use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// As crun 1.8.1 wrote it.
const STATUS: &str = include_str!("../../../../tests/fixtures/crun-1.8.1/status-file.json");

fn state(text: &str) -> Record {
    Record::Known { state: serde_json::from_str(text).unwrap(), waits: false }
}

/// A process directory with what is read of it; `state` is the kernel's letter.
fn process(proc: &Path, pid: u32, letter: char, start: u64) {
    let dir = proc.join(pid.to_string());
    fs::create_dir_all(&dir).unwrap();
    let stat = format!("{pid} (a) {letter} 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0");
    fs::write(dir.join("stat"), stat).unwrap();
}

#[test]
fn a_container_runs_only_while_its_very_process_lives() {
    let dir = tempfile::tempdir().unwrap();
    let proc = Proc::at(dir.path());
    let record = state(STATUS);
    let pid = record.state().unwrap().pid;
    assert_eq!(record.status(&proc), GuestStatus::Stopped, "no such process");
    process(dir.path(), pid, 'S', 154_096);
    assert_eq!(record.status(&proc), GuestStatus::Running);
    process(dir.path(), pid, 'Z', 154_096);
    assert_eq!(record.status(&proc), GuestStatus::Stopped, "a zombie");
    process(dir.path(), pid, 'S', 154_097);
    assert_eq!(record.status(&proc), GuestStatus::Stopped, "another process of the same pid");
}

#[test]
fn one_that_waits_for_start_is_created_until_its_process_dies() {
    let dir = tempfile::tempdir().unwrap();
    let (root, proc) = (StateDir::new(dir.path().join("run")), Proc::at(dir.path()));
    let name = GuestName::new("web1").unwrap();
    fs::create_dir_all(root.of(&name)).unwrap();
    assert_eq!(root.read(&name), None);
    assert!(root.is_unfinished(&name));
    fs::write(root.of(&name).join("status"), STATUS).unwrap();
    fs::write(root.of(&name).join("exec.fifo"), "").unwrap();
    let record = root.read(&name).unwrap();
    assert_eq!(record.status(&proc), GuestStatus::Stopped);
    process(dir.path(), record.state().unwrap().pid, 'S', 154_096);
    assert_eq!(record.status(&proc), GuestStatus::Created);
    assert_eq!(record.guest(name, &proc).pid, None, "it is not active yet");
}

#[test]
fn a_garbled_state_file_makes_an_unknown_guest_with_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let root = StateDir::new(dir.path().into());
    for (name, text) in [("empty", ""), ("cut", "{\"pid\": 12"), ("array", "[]"), ("minus", "{\"pid\": -1}")]
    {
        let name = GuestName::new(name).unwrap();
        fs::create_dir_all(root.of(&name)).unwrap();
        fs::write(root.of(&name).join("status"), text).unwrap();
        let guest = root.read(&name).unwrap().guest(name, &Proc::default());
        assert_eq!(guest.status, GuestStatus::Unknown);
        assert!(guest.note.unwrap().contains("state file"));
    }
    let name = GuestName::new("unreadable").unwrap();
    fs::create_dir_all(root.of(&name).join("status")).unwrap();
    assert!(matches!(root.read(&name), Some(Record::Garbled(_))));
}

#[test]
fn fields_of_other_versions_are_not_missed() {
    let record = state(r#"{"pid": 0, "new-field": {}}"#);
    assert_eq!(record.status(&Proc::default()), GuestStatus::Stopped);
}

#[test]
fn names_that_paddock_cannot_handle_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["web1", "a b", "-dash", ".hidden", "naïve"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    let names = StateDir::new(dir.path().into()).names().unwrap();
    assert_eq!(names.iter().map(GuestName::as_str).collect::<Vec<_>>(), ["web1"]);
}

#[test]
fn a_group_is_under_another_by_whole_components() {
    assert!(is_under("/web1", "/web1") && is_under("/web1/init", "web1"));
    assert!(!is_under("/web10", "/web1") && !is_under("/", "/web1"));
}

/// A state file as crun writes it, with any of its fields something else.
fn any_status() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,16}".prop_map(Value::from),
        "(/[a-z.]{0,4}){0,4}".prop_map(Value::from),
        Just(json!([1, {}])),
    ];
    let fields = [
        "pid",
        "process-start-time",
        "cgroup-path",
        "systemd-cgroup",
        "rootfs",
        "bundle",
        "created",
        "owner",
        "new",
    ];
    let changed = prop::collection::vec((prop::sample::select(fields.to_vec()), odd), 0..4);
    let cut = prop_oneof![4 => Just(None), 1 => (0usize..400).prop_map(Some)];
    (changed, cut).prop_map(|(changed, cut)| {
        let mut status: Value = serde_json::from_str(STATUS).unwrap();
        for (field, value) in changed {
            status[field] = value;
        }
        let text = status.to_string();
        text.chars().take(cut.unwrap_or(usize::MAX)).collect()
    })
}

proptest! {
    #[test]
    fn whatever_a_state_file_holds_it_is_a_guest_of_some_state(
        text in prop_oneof![any_status(), ".{0,64}", Just(STATUS.to_owned())],
        waits in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let states = StateDir::new(dir.path().into());
        let name = GuestName::new("web1").unwrap();
        fs::create_dir(states.of(&name)).unwrap();
        fs::write(states.of(&name).join("status"), &text).unwrap();
        if waits {
            fs::write(states.of(&name).join("exec.fifo"), "").unwrap();
        }
        // No process but those of this made-up directory, of which there are none.
        let proc = Proc::at(dir.path().join("proc"));
        let record = states.read(&name).unwrap();
        let guest = record.guest(name.clone(), &proc);
        prop_assert!(matches!(guest.status, GuestStatus::Stopped | GuestStatus::Unknown), "{}", guest.status);
        prop_assert_eq!(guest.note.is_some(), guest.status == GuestStatus::Unknown);
        prop_assert_eq!(guest.pid, None);
        prop_assert!(record.state().is_none_or(|state| state.cgroup().is_none_or(|path| !path.is_empty())));
        let _ = super::super::detail::detail(&states, &proc, &name, &record);
    }
}
