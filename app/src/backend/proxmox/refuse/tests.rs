use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::backend::proxmox::client::Reply;

/// A capture's request, status and words: those of the answer, of the task's end, or of the command line.
struct Capture {
    scene: Scene,
    status: u16,
    words: Words,
}

fn captured(name: &str) -> Capture {
    let path = format!("{}/tests/fixtures/pve-9.1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let found: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let method = match text(&found["request"]["method"]).as_str() {
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    let scene = Scene::of(BackendKind::ProxmoxVm, method, &text(&found["request"]["path"]));
    let status = u16::try_from(found["status"].as_u64().unwrap_or(500)).unwrap();
    let body = if found["body"].is_null() { Vec::new() } else { found["body"].to_string().into_bytes() };
    let words = Reply { status, reason: text(&found["reason"]), body }.words();
    let of_task = found["body"]["data"]["exitstatus"].as_str();
    let of_command = found["stderr"].as_str();
    let words = match of_task.or(of_command) {
        Some(text) => Words { text: text.trim().to_owned(), fields: Vec::new() },
        None => words,
    };
    Capture { scene, status, words }
}

fn meant(name: &str) -> Error {
    let Capture { scene, status, words } = captured(name);
    // The capture of a task's end is itself an answer of success.
    if status == 200 { ended(&scene, &words.text).unwrap_err() } else { refused(&scene, status, &words) }
}

#[test]
fn every_pattern_is_a_regular_expression_and_stands_once() {
    for row in MESSAGES {
        assert!(Regex::new(row.pattern).is_ok(), "{}", row.pattern);
    }
    assert_eq!(MESSAGES.iter().map(|row| row.pattern).collect::<BTreeSet<_>>().len(), MESSAGES.len());
}

#[test]
fn every_row_that_was_captured_understands_its_capture() {
    let mut count = 0;
    for row in MESSAGES {
        let Seen::Captured(name) = row.seen else { continue };
        let Capture { scene, words, .. } = captured(name);
        let first =
            MESSAGES.iter().find(|row| Regex::new(row.pattern).unwrap().is_match(&words.text)).unwrap();
        assert_eq!(first.pattern, row.pattern, "{name}: {}", words.text);
        assert!(understood(&scene, &words.text).is_some(), "{name}: {}", words.text);
        count += 1;
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn captured_refusals_become_the_errors_they_are() {
    let guest = |backend, vmid| guest(backend, vmid).unwrap();
    let container = |vmid| guest(BackendKind::ProxmoxLxc, vmid);
    assert_eq!(meant("err-unknown-vmid"), Error::NotFound(container("99999")));
    assert_eq!(meant("lxc-create-dup"), Error::AlreadyExists(container("101")));
    for (name, said) in [
        ("lxc-start-again", "CT 101 already running"),
        ("lxc-stop-stopped", "CT 101 not running"),
        ("lxc-delete-running", "unable to destroy CT 101 - container is running"),
        ("qemu-200-agent-info", "VM 200 is not running"),
    ] {
        assert_eq!(meant(name), Error::WrongState { words: said.to_owned() });
    }
    let denied = |backend, what: &str| Error::Denied { backend, account: None, what: what.to_owned() };
    assert_eq!(
        meant("lxc-start-denied"),
        denied(BackendKind::ProxmoxLxc, "VM.PowerMgmt on /vms/102 is missing")
    );
    assert_eq!(
        meant("qemu-status-denied"),
        denied(BackendKind::ProxmoxVm, "VM.Audit on /vms/200 is missing")
    );
    assert_eq!(meant("lxc-create-denied"), denied(BackendKind::ProxmoxLxc, "Permission check failed"));
    let field = |name| match meant(name) {
        Error::Invalid { field, message } => (field, message),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(field("err-unknown-node").0, Field::Node);
    assert_eq!(field("lxc-create-notemplate.task-status").0, Field::Template);
    assert_eq!(field("err-bad-vmid").0, Field::Vmid);
    let (memory, message) = field("lxc-config-put-bad");
    assert_eq!(memory, Field::Memory);
    assert!(message.contains("got 'lots'") && message.contains("nope: property is not defined"), "{message}");
    for name in
        ["auth-no-ticket", "auth-bad-token", "auth-bad-ticket", "auth-bad-csrf", "auth-wrong-password"]
    {
        let Error::Unavailable { reason, .. } = meant(name) else { panic!("{name}") };
        assert!(reason.contains(&captured(name).words.text), "{reason}");
    }
    let Error::NotReady { reason, .. } = meant("err-unknown-path") else { panic!() };
    assert!(reason.contains("GET /nodes/vm/nope"), "{reason}");
    let Error::NotEdited { path, .. } = meant("lxc-config-put-digest") else { panic!() };
    assert_eq!(path, "The configuration of proxmox-lxc/101");
    assert_eq!(
        meant("task-unknown"),
        failed("Parameter verification failed. upid: no such task"),
        "no form has a UPID"
    );
}

#[test]
fn a_status_of_its_own_is_believed_whatever_the_words() {
    let scene = Scene::of(BackendKind::ProxmoxVm, Method::Get, "/nodes/a/lxc/101/config");
    let words = Words { text: "CT 101 already running".to_owned(), fields: Vec::new() };
    for (status, kind) in [
        (400, "tool-failed"),
        (401, "unavailable"),
        (403, "denied"),
        (404, "tool-failed"),
        (418, "tool-failed"),
        (500, "wrong-state"),
        (501, "not-ready"),
        (502, "unavailable"),
        (503, "unavailable"),
        (504, "unavailable"),
        (595, "unavailable"),
        (596, "unavailable"),
        (599, "unavailable"),
        (302, "tool-failed"),
        (0, "tool-failed"),
    ] {
        assert_eq!(refused(&scene, status, &words).kind().as_str(), kind, "{status}");
    }
}

#[test]
fn a_task_that_ended_with_warnings_has_succeeded() {
    let scene = Scene::of(BackendKind::ProxmoxLxc, Method::Post, "/nodes/a/lxc/101/status/start");
    assert_eq!(ended(&scene, "OK"), Ok(()));
    assert_eq!(ended(&scene, "WARNINGS: 3"), Ok(()));
    assert_eq!(ended(&scene, "received interrupt"), Err(failed("received interrupt")));
    assert_eq!(ended(&scene, ""), Err(failed("")));
    let locked = ended(&scene, "CT is locked (backup)").unwrap_err();
    assert_eq!(
        locked,
        Error::Locked { guest: guest(BackendKind::ProxmoxLxc, "101").unwrap(), by: "backup".to_owned() }
    );
}

#[test]
fn the_guest_is_told_by_the_path_and_by_nothing_that_is_no_vmid() {
    let of = |path| Scene::of(BackendKind::ProxmoxLxc, Method::Get, path);
    let told = |path| of(path).guest.map(|guest| guest.to_string());
    assert_eq!(told("/nodes/a/lxc/101/config").as_deref(), Some("proxmox-lxc/101"));
    assert_eq!(told("/nodes/a/qemu/101").as_deref(), Some("proxmox-vm/101"));
    for path in [
        "/nodes/a/qemu",
        "/nodes/a/qemu/",
        "/nodes/a/qemu/x1",
        "/nodes/a/qemu/1234567890",
        "/version",
        "/",
        "",
    ] {
        assert_eq!(told(path), None, "{path:?}");
    }
    assert_eq!(of("/nodes/a/qemu").backend(), BackendKind::ProxmoxVm);
    // A sentence that names no guest where the path does not either stays as it is.
    let locked = understood(&of("/cluster/resources"), "VM is locked (backup)");
    assert_eq!(locked, None);
}

#[test]
fn hostile_words_neither_panic_nor_take_long() {
    let scene = Scene::of(BackendKind::ProxmoxLxc, Method::Get, "/nodes/a/lxc/101/config");
    for text in [
        "(",
        ")(",
        "(,)",
        "Permission check failed (",
        "Permission check failed )(",
        "Permission check failed (/, )",
        "CT 99999999999999999999999999999999 already exists",
        "Configuration file 'nodes//lxc/.conf' does not exist",
        &"storage '".repeat(10_000),
        "\u{202e}CT 1 already running",
    ] {
        let words = Words { text: (*text).to_owned(), fields: vec![(String::new(), String::new())] };
        for status in [400, 403, 500] {
            let _ = refused(&scene, status, &words).to_string();
        }
        let _ = ended(&scene, text);
    }
}
