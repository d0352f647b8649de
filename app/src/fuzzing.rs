//! FUZZING: each parser of the backends and of the ledger as one function of bytes, for `app/fuzz`.
//!
//! A function here must not panic whatever it is given; where something can be asserted cheaply, it is.

use std::{fs, path::PathBuf};

use serde::de::DeserializeOwned;

use crate::{
    backend::{
        Error, cgroup, crun, lxc, process,
        proxmox::{self, Upid, num::Rows, wire},
        routing::{Pattern, Routing, Rule},
    },
    domain::{
        guest::{BackendKind, GuestId},
        name::GuestName,
        plan::{Change, Method},
        size,
        spec::Cpus,
    },
    ledger::{Checkpoint, Exporter, Hash, NewEntry, Signer, Verifier, verify_export},
};

/// A directory of this process alone, for parsers of files.
fn place(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("paddock-fuzz-{}", std::process::id()));
    let _ = fs::create_dir_all(&dir);
    dir.join(name)
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = place(name);
    let _ = fs::write(&path, bytes);
    path
}

/// The two parts of an input for functions of two texts.
fn halves(text: &str) -> (&str, &str) {
    text.split_once('\0').unwrap_or((text, ""))
}

/// A container's `config` file.
pub fn lxc_config(bytes: &[u8]) {
    // What it includes is read from the host, which is no business of a fuzzer.
    let text = String::from_utf8_lossy(bytes).replace("include", "");
    let _ = lxc::config::read(&written("config", text.as_bytes()));
}

/// Changes of a container's `config` file: a setting that was made is there, and nothing else has gone.
pub fn lxc_edit(text: &str) {
    let (value, file) = halves(text);
    let change = Change { key: "lxc.start.order".to_owned(), value: Some(value.to_owned()) };
    if let Ok(edited) = lxc::config::edit::edit(file, &[change]) {
        assert!(edited.lines().any(|line| line.starts_with("lxc.start.order")), "{edited:?}");
        assert!(edited.lines().count() <= file.lines().count() + 1, "{edited:?}");
    }
}

/// The text of `/proc/net/unix`.
pub fn lxc_sockets(text: &str) {
    let sockets = lxc::sockets::listening(text);
    let _ = lxc::sockets::of(&sockets, "/var/lib/lxc", "web1");
}

/// The files of one snapshot.
pub fn lxc_snapshots(text: &str) {
    let (timestamp, record) = halves(text);
    let dir = place("snaps/snap0");
    let _ = fs::create_dir_all(&dir);
    for (file, text) in [("config", ""), ("ts", timestamp), ("comment", record), ("lxc_snapshots", record)] {
        let _ = fs::write(dir.join(file), text);
    }
    let _ = lxc::snapshots::read(&place("snaps"));
}

/// crun's state file.
pub fn crun_status(bytes: &[u8]) {
    let _ = serde_json::from_slice::<crun::state::State>(bytes);
}

/// A bundle's `config.json`.
pub fn crun_bundle(text: &str) {
    if let Ok(config) = crun::bundle::Config::parse(text) {
        let _ = (config.memory_limit(), config.swap_limit(), config.cpu_limit(), config.pids_limit());
        let _ = (config.args(), config.has_own_pid_namespace(), config.cgroups_path());
    }
}

/// A change of a bundle's `config.json` by a pointer.
pub fn crun_edit(text: &str) {
    let (pointer, file) = halves(text);
    for value in [None, Some("7".to_owned()), Some("[1".to_owned())] {
        let change = Change { key: pointer.to_owned(), value };
        if let Ok(edited) = crun::json::edit(file, &[change]) {
            assert!(serde_json::from_str::<serde_json::Value>(&edited).is_ok(), "{edited:?}");
        }
    }
}

/// A reference to an image of a registry.
pub fn crun_reference(text: &str) {
    if let Ok(reference) = text.parse::<crun::reference::Reference>() {
        let shown = reference.to_string();
        assert!(!shown.starts_with('-') && !shown.contains(char::is_whitespace), "{shown:?}");
    }
}

/// The index of an OCI image layout.
pub fn crun_layout(bytes: &[u8]) {
    let dir = place("layout");
    let _ = fs::create_dir_all(&dir);
    let _ = fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    let _ = fs::write(dir.join("index.json"), bytes);
    let _ = crun::layout::read(&dir.display().to_string());
}

/// What the kernel tells of processes, addresses and control groups.
pub fn proc_files(text: &str) {
    let _ = process::parse_stat(text);
    let _ = process::parse_cgroups(text);
    let _ = process::parse_fib_trie(text);
    let _ = process::parse_if_inet6(text);
    let _ = cgroup::Layout::from_mountinfo(text);
}

/// Every answer of Proxmox that the driver reads.
pub fn proxmox_wire(bytes: &[u8]) {
    fn one<T: DeserializeOwned>(bytes: &[u8]) {
        let _ = serde_json::from_slice::<T>(bytes);
        let _ = serde_json::from_slice::<Rows<T>>(bytes);
    }
    one::<wire::guest::Resource>(bytes);
    one::<wire::guest::Current>(bytes);
    one::<wire::guest::Interface>(bytes);
    one::<wire::guest::AgentInterfaces>(bytes);
    one::<wire::guest::Pending>(bytes);
    one::<wire::guest::SnapshotRow>(bytes);
    one::<wire::guest::Feature>(bytes);
    one::<wire::guest::Task>(bytes);
    one::<wire::node::Version>(bytes);
    one::<wire::node::NodeRow>(bytes);
    one::<wire::node::NodeStatus>(bytes);
    one::<wire::node::StorageRow>(bytes);
    one::<wire::node::NetworkRow>(bytes);
    one::<wire::node::Volume>(bytes);
    one::<wire::node::Appliance>(bytes);
    if let Ok(config) = serde_json::from_slice::<wire::config::Config>(bytes) {
        let _ = (config.disks(BackendKind::ProxmoxLxc), config.disks(BackendKind::ProxmoxVm));
    }
}

/// What a task's end means, and names of tasks.
pub fn proxmox_words(text: &str) {
    let scene =
        proxmox::refuse::Scene::of(BackendKind::ProxmoxVm, Method::Post, "/nodes/pve1/qemu/100/status/start");
    match proxmox::refuse::ended(&scene, text) {
        Ok(()) => assert!(text == "OK" || text.starts_with("WARNINGS:")),
        Err(Error::NotFound(guest) | Error::AlreadyExists(guest) | Error::Locked { guest, .. }) => {
            assert!(guest.name.as_str().bytes().all(|b| b.is_ascii_digit()), "{guest}");
        }
        Err(_) => {}
    }
    if let Ok(upid) = text.parse::<Upid>() {
        assert_eq!(upid.to_string(), text);
        let _ = upid.guest();
    }
}

/// Names, numbers and sizes that people type.
pub fn words(text: &str) {
    if let Ok(name) = GuestName::found(text) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        assert!(name.as_str().bytes().all(plain) && !name.as_str().starts_with(['-', '.']));
    }
    let (backend, name) = halves(text);
    let _ = GuestId::parse(backend, name);
    let _ = size::parse(text);
    if let Ok(cpus) = text.parse::<Cpus>() {
        assert_eq!(cpus.to_string().parse(), Ok(cpus));
    }
}

/// Patterns of routing rules, and names that they are asked about.
pub fn routing(text: &str) {
    let (pattern, name) = halves(text);
    for pattern in [Pattern::Regex(pattern.to_owned()), Pattern::Glob(pattern.to_owned())] {
        let rule = Rule { pattern, backend: BackendKind::Crun };
        if let (Ok(routing), Ok(name)) = (Routing::new([rule], BackendKind::Lxc), GuestName::found(name)) {
            let _ = routing.route(&name).to_string();
        }
    }
}

/// A ledger's export: nothing that comes from elsewhere is one of this host, nor one of its own once it is changed.
pub fn ledger_export(bytes: &[u8]) {
    let signer = Signer::from_seed([7; 32]);
    let sound = |export: &[u8]| {
        let verifier = Verifier::anywhere().trust(signer.public_key());
        verify_export(export, verifier).is_ok_and(|report| report.is_sound())
    };
    assert!(!sound(bytes));
    let Ok(export) = exported(&signer) else { return };
    assert!(sound(&export));
    let mut changed = export.clone();
    // Each three bytes are a place and what is put there.
    for change in bytes.as_chunks::<3>().0 {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
        changed[at] = change[2];
    }
    assert_eq!(sound(&changed), changed == export);
}

fn exported(signer: &Signer) -> std::io::Result<Vec<u8>> {
    let new = NewEntry {
        at_ms: 1,
        kind: "log-in",
        actor: Some("anna"),
        address: None,
        subject: None,
        operation: Some(1),
        detail: "{\"\u{e9}\":\"\\n\"}",
    };
    let first = new.seal(1, Hash::ZERO);
    let second = new.seal(2, first.hash);
    let mut exporter = Exporter::new(Vec::new(), 0, Hash::ZERO)?;
    exporter.entry(&first)?;
    exporter.checkpoint(&signer.checkpoint(1, first.hash, 2))?;
    exporter.record("operation", 1, "{}")?;
    exporter.entry(&second)?;
    exporter.finish(signer, &signer.checkpoint(2, second.hash, 3))
}

/// Lines of a journal with a checkpoint somewhere.
pub fn ledger_journal(text: &str) {
    if let Some(found) = Checkpoint::find(text) {
        assert!(text.contains(&found.to_string()));
        assert!(!found.verify());
    }
    let (before, after) = halves(text);
    let own = Signer::from_seed([7; 32]).checkpoint(12, Hash::ZERO, 1);
    let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !goes_on && Checkpoint::find(before).is_none() {
        assert_eq!(Checkpoint::find(&format!("{before}{own}{after}")), Some(own));
    }
}
