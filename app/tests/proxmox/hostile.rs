//! What somebody could try to make of a cluster by inputs, and a cluster of Paddock by answers: each input is a typed
//! error before anything is changed, each answer is read or a typed error.

use std::{fs, path::PathBuf};

use app::{
    backend::{
        Backend as _, Error,
        proxmox::{Client, ProxmoxDriver},
    },
    domain::{
        action::{ActionRequest, GuestAction},
        guest::BackendKind,
        name::GuestName,
        spec::{
            BackupMode, Changes, CloneSpec, CloudInit, ContainerSpec, Cpus, CreateRequest, CreateSpec,
            ProxmoxNetwork, VmSource, VmSpec,
        },
    },
};
use serde_json::{Value, json};

use crate::lab::{KINDS, Lab, MACHINE, VM, name, own};

/// Texts that are no node, storage, volume, bridge, address, snapshot, tag, disk or user of anything.
const TEXTS: [&str; 40] = [
    "",
    " ",
    ".",
    "..",
    "../x",
    "/",
    "//",
    "/etc/passwd",
    "-",
    "--help",
    "-o",
    "a b",
    "a\tb",
    "a\nb",
    "a\r\nX: y",
    "a\0b",
    "\u{1b}[2J",
    "\u{202e}x",
    "ü",
    "１２",
    "a/../b",
    "a\\b",
    "$(id)",
    "`id`",
    ";id",
    "|id",
    "&id",
    "a,b=c",
    "a=b,firewall=0",
    "%2e%2e",
    "%00",
    "a?b=c",
    "a#b",
    "<b>",
    "'",
    "\"",
    "{}",
    "[]",
    "*",
    "local:../../etc/shadow",
];

fn network(change: impl FnOnce(&mut ProxmoxNetwork)) -> ProxmoxNetwork {
    let mut network = ProxmoxNetwork { bridge: "vmbr0".into(), ..ProxmoxNetwork::default() };
    change(&mut network);
    network
}

/// Everything that a text can be put into, for one kind of guests.
fn with_text(kind: BackendKind, text: &str) -> Vec<ActionRequest> {
    let t = || text.to_owned();
    let copy = |change: fn(&mut CloneSpec, String)| {
        let name = GuestName::new("copy").unwrap();
        let mut spec =
            CloneSpec { name, vmid: None, linked: false, snapshot: None, storage: None, node: None };
        change(&mut spec, text.to_owned());
        ActionRequest::Clone(spec)
    };
    let mut requests = vec![
        copy(|spec, text| spec.snapshot = Some(text)),
        copy(|spec, text| spec.storage = Some(text)),
        copy(|spec, text| spec.node = Some(text)),
        ActionRequest::Snapshot { name: Some(t()), description: String::new(), memory: false },
        ActionRequest::Rollback { snapshot: t() },
        ActionRequest::DeleteSnapshot { snapshot: t() },
        ActionRequest::Configure(Changes { tags: Some(vec![t()]), ..Changes::default() }),
        ActionRequest::Resize { disk: t(), size: 64 << 30 },
        ActionRequest::Migrate { node: t() },
        ActionRequest::Backup { storage: Some(t()), mode: BackupMode::Snapshot },
    ];
    let networks = [
        network(|n| n.bridge = t()),
        network(|n| n.address = Some(t())),
        network(|n| {
            n.address = Some("10.0.0.5/24".into());
            n.gateway = Some(t());
        }),
    ];
    let specs: Vec<CreateSpec> = if kind == VM {
        let vm = |change: &dyn Fn(&mut VmSpec)| {
            let mut spec = VmSpec::of(VmSource::Empty);
            spec.networks = vec![network(|_| ())];
            change(&mut spec);
            CreateSpec::ProxmoxVm(spec)
        };
        let mut specs = vec![
            vm(&|spec| spec.source = VmSource::Iso(t())),
            vm(&|spec| spec.source = VmSource::CloudImage(t())),
            vm(&|spec| spec.storage = Some(t())),
            vm(&|spec| spec.node = Some(t())),
            vm(&|spec| spec.tags = vec![t()]),
            vm(&|spec| spec.cloud_init = Some(CloudInit { ssh_keys: vec![t()], ..CloudInit::default() })),
        ];
        specs.extend(networks.map(|network| vm(&|spec| spec.networks = vec![network.clone()])));
        specs
    } else {
        let container = |change: &dyn Fn(&mut ContainerSpec)| {
            let mut spec = ContainerSpec::of("local:vztmpl/debian.tar.zst");
            change(&mut spec);
            CreateSpec::ProxmoxLxc(spec)
        };
        let mut specs = vec![
            container(&|spec| spec.template = t()),
            container(&|spec| spec.storage = Some(t())),
            container(&|spec| spec.node = Some(t())),
            container(&|spec| spec.tags = vec![t()]),
            container(&|spec| spec.ssh_keys = vec![t()]),
        ];
        specs.extend(networks.map(|network| container(&|spec| spec.networks = vec![network.clone()])));
        specs
    };
    let named = |spec| ActionRequest::Create(CreateRequest::of(GuestName::new("new1").unwrap(), spec));
    requests.extend(specs.into_iter().map(named));
    requests
}

/// Numbers that nothing can be given.
fn with_numbers(kind: BackendKind) -> Vec<ActionRequest> {
    let mut requests = Vec::new();
    for seconds in [0, 3601, u32::MAX] {
        requests.push(ActionRequest::Shutdown { timeout_seconds: seconds });
        requests.push(ActionRequest::Reboot { timeout_seconds: seconds });
    }
    for memory in [0, 1, (16 << 20) - 1, u64::MAX] {
        requests.push(ActionRequest::Configure(Changes { memory: Some(memory), ..Changes::default() }));
    }
    for size in [0, 1, 1 << 20, u64::MAX] {
        let disk = if kind == VM { "scsi0" } else { "rootfs" };
        requests.push(ActionRequest::Resize { disk: disk.into(), size });
    }
    requests.push(ActionRequest::Configure(Changes { cpu: Some(Cpus(u32::MAX)), ..Changes::default() }));
    requests.push(ActionRequest::Configure(Changes { pids: Some(1), ..Changes::default() }));
    let description = Some("x".repeat(100_000));
    requests.push(ActionRequest::Configure(Changes { description, ..Changes::default() }));
    for vmid in [0, 1, 99, 1_000_000_000, u32::MAX] {
        let spec = if kind == VM {
            CreateSpec::ProxmoxVm(VmSpec { vmid: Some(vmid), ..VmSpec::of(VmSource::Empty) })
        } else {
            CreateSpec::ProxmoxLxc(ContainerSpec {
                vmid: Some(vmid),
                ..ContainerSpec::of("local:vztmpl/x.tar.gz")
            })
        };
        requests.push(ActionRequest::Create(CreateRequest::of(GuestName::new("new1").unwrap(), spec)));
    }
    requests
}

#[tokio::test]
async fn hostile_inputs_are_typed_errors_and_change_nothing() {
    let lab = Lab::running();
    for kind in KINDS {
        let mut requests = with_numbers(kind);
        requests.extend(TEXTS.iter().flat_map(|text| with_text(kind, text)));
        assert!(requests.len() >= 500, "{}", requests.len());
        for request in requests {
            let id = match &request {
                ActionRequest::Create(create) => match lab.driver(kind).new_id(create).await {
                    Ok(id) => id,
                    Err(error) => {
                        assert!(is_typed(&error), "{request:?}: {error:?}");
                        continue;
                    }
                },
                _ => name(own(kind)),
            };
            match lab.driver(kind).plan(&id, &request).await {
                Err(error) => assert!(is_typed(&error), "{request:?}: {error:?}"),
                Ok(plan) => panic!("taken: {request:?}: {plan:?}"),
            }
        }
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(lab.fake.count(method, ""), 0, "nothing was changed by a {method}");
    }
}

/// An error that says what is wrong with the input, not that something broke.
fn is_typed(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid { .. }
            | Error::NotFound(_)
            | Error::NotReady { .. }
            | Error::Unsupported { .. }
            | Error::WrongState { .. }
            | Error::AlreadyExists(_)
    )
}

/// The bodies that a captured answer can be turned into by whoever means ill.
fn mutations(body: &Value) -> Vec<String> {
    let text = body.to_string();
    let mut bodies: Vec<String> = (0..24).map(|cut| cut_at(&text, text.len() * cut / 24)).collect();
    let wrong = [
        json!(null),
        json!(-1),
        json!(1e308),
        json!("<script>alert(1)</script>\u{1b}[2J\u{0}"),
        json!([[]]),
        json!({"a": {}}),
        json!("../../etc/passwd"),
        json!(true),
    ];
    let data = &body["data"];
    bodies.extend(wrong.iter().map(|value| json!({"data": value}).to_string()));
    let keys = |row: &Value| row.as_object().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let mut spoil = |spoilt: Value| bodies.push(json!({"data": spoilt}).to_string());
    match data {
        Value::Array(rows) if !rows.is_empty() => {
            let keys: Vec<String> = keys(&rows[0]);
            for key in keys {
                for value in &wrong {
                    let rows = rows.iter().cloned().map(|mut row| {
                        row[&key] = value.clone();
                        row
                    });
                    spoil(rows.collect());
                }
            }
            spoil(rows.iter().chain(rows).cloned().collect());
        }
        row => {
            let keys: Vec<String> = keys(row);
            for key in keys {
                for value in &wrong {
                    let mut row = row.clone();
                    row[&key] = value.clone();
                    spoil(row);
                }
            }
        }
    }
    bodies
}

fn cut_at(text: &str, at: usize) -> String {
    text[..text.floor_char_boundary(at)].to_owned()
}

fn captured(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pve-9.1").join(name);
    let text = fs::read_to_string(path.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["body"].clone()
}

#[tokio::test]
async fn hostile_answers_are_read_or_typed_errors() {
    let lab = Lab::running();
    let config = lab.fake.config();
    let client = Client::new(&config).unwrap();
    for kind in KINDS {
        let (sort, id) = if kind == VM { ("qemu", "qemu-200") } else { ("lxc", "lxc-101") };
        let vmid = own(kind);
        let answers = [
            ("/cluster/resources".to_owned(), captured("cluster-resources-running")),
            (format!("/{sort}/{vmid}/status/current"), captured(&format!("{id}-status-running"))),
            (format!("/{sort}/{vmid}/config"), captured(&format!("{id}-config"))),
            (format!("/{sort}/{vmid}/pending"), captured(&format!("{id}-pending"))),
            (format!("/{sort}/{vmid}/snapshot"), captured("qemu-200-snapshot")),
        ];
        let mut tried = 0;
        for (path, body) in answers {
            for spoilt in mutations(&body) {
                // A driver that remembers nothing asks for everything.
                let driver = ProxmoxDriver::new(kind, client.clone(), &config);
                lab.fake.spoil("GET", &path, "raw", 1, json!({"body": spoilt}));
                let guest = name(vmid);
                match path.rsplit('/').next() {
                    Some("resources") => {
                        for found in driver.list().await.unwrap_or_default() {
                            assert!(found.id.name.as_str().bytes().all(|b| b.is_ascii_digit()), "{found:?}");
                        }
                    }
                    Some("snapshot") => drop(driver.snapshots(&guest).await),
                    Some("current") => drop(driver.guest(&guest).await),
                    _ => drop(driver.inspect(&guest).await),
                }
                tried += 1;
            }
        }
        assert!(tried >= 500, "{kind}: {tried}");
        // What was not asked for this time must not meet the next one.
        lab.fake.set("spoilt", json!({}));
    }
    // And once all is well again, so is the driver.
    assert!(lab.guest(VM, MACHINE).await.is_some());
    assert!(lab.driver(VM).lack(GuestAction::Start).is_none());
}
