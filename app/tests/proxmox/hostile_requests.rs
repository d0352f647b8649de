//! What somebody could try to make of a Proxmox cluster by what is typed: each is refused at its field or by name, and
//! Proxmox is never asked to change anything.

use app::{
    backend::{Backend as _, Error},
    domain::{
        action::{ActionRequest, Field, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS},
        guest::BackendKind,
        name::GuestName,
        secret::Secret,
        spec::{
            BackupMode, Changes, CloneSpec, CloudInit, ContainerSpec, Cpus, CreateRequest, CreateSpec,
            ProxmoxNetwork, VmSource, VmSpec,
        },
    },
};

use crate::lab::{KINDS, Lab, VM, name, own};

/// Texts that are no node, storage, volume, bridge, address, key, user, tag, snapshot and disk of anything.
const TEXTS: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "../x",
    "../../../../etc/shadow",
    "%2e%2e%2f",
    "-",
    "-n",
    "--help",
    "a b",
    "a\tb",
    "a\nb",
    "a\r",
    "a\0b",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{202e}gnp",
    "ü",
    "١٢٣",
    "a/b",
    "/",
    "a\\b",
    "$(id)",
    "`id`",
    "; rm -rf /",
    "&& id",
    "*",
    "~root",
    "%s%n",
    "'",
    "\"",
    "a,b",
    "a=b",
    "x,mp=/etc",
    "x?purge=1",
    "x#y",
    "x&y=z",
    "{}",
    "[::1]",
    "<script>alert(1)</script>",
    "local:../../etc/passwd",
];

/// The field that is wrong, and the request; nothing else is wrong with it.
type Asked = (Field, ActionRequest);

fn create(spec: CreateSpec) -> ActionRequest {
    ActionRequest::Create(CreateRequest::of("web9".parse().unwrap(), spec))
}

fn container(change: impl FnOnce(&mut ContainerSpec)) -> ActionRequest {
    let mut spec = ContainerSpec::of("local:vztmpl/debian-12.tar.zst");
    change(&mut spec);
    create(CreateSpec::ProxmoxLxc(spec))
}

fn machine(change: impl FnOnce(&mut VmSpec)) -> ActionRequest {
    let mut spec = VmSpec::of(VmSource::Empty);
    change(&mut spec);
    create(CreateSpec::ProxmoxVm(spec))
}

fn bridge(text: &str) -> ProxmoxNetwork {
    ProxmoxNetwork { bridge: text.to_owned(), ..ProxmoxNetwork::default() }
}

fn init(change: impl FnOnce(&mut CloudInit)) -> ActionRequest {
    let mut init = CloudInit::default();
    change(&mut init);
    machine(|spec| spec.cloud_init = Some(init))
}

/// Of a guest that is to be made.
fn of_new(kind: BackendKind) -> Vec<Asked> {
    macro_rules! new {
        (|$spec:ident| $change:expr) => {
            if kind == VM { machine(|$spec| $change) } else { container(|$spec| $change) }
        };
    }
    let mut all: Vec<Asked> = Vec::new();
    for &text in TEXTS {
        let owned = || text.to_owned();
        let addressed = |address: &str, gateway: Option<&str>| ProxmoxNetwork {
            address: Some(address.to_owned()),
            gateway: gateway.map(str::to_owned),
            ..bridge("vmbr0")
        };
        all.push((Field::Node, new!(|spec| spec.node = Some(owned()))));
        all.push((Field::Storage, new!(|spec| spec.storage = Some(owned()))));
        all.push((Field::Tags, new!(|spec| spec.tags = vec![owned()])));
        all.push((Field::Description, new!(|spec| spec.description = Some(format!("{text}\u{1b}")))));
        all.push((Field::Network, new!(|spec| spec.networks = vec![bridge(text)])));
        all.push((Field::Network, new!(|spec| spec.networks = vec![addressed(text, None)])));
        let gateway = addressed("10.0.0.2/24", Some(text));
        all.push((Field::Network, new!(|spec| spec.networks = vec![gateway])));
        if kind == VM {
            all.push((Field::Image, machine(|spec| spec.source = VmSource::Iso(owned()))));
            all.push((Field::Image, machine(|spec| spec.source = VmSource::CloudImage(owned()))));
            all.push((
                Field::Image,
                machine(|spec| spec.source = VmSource::Iso(format!("local:iso/{text}\n"))),
            ));
            all.push((Field::User, init(|init| init.user = Some(owned()))));
            all.push((Field::SshKeys, init(|init| init.ssh_keys = vec![owned()])));
            all.push((
                Field::Password,
                init(|init| init.password = Some(Secret::new(format!("{text}12345\n")))),
            ));
        } else {
            all.push((Field::Template, container(|spec| spec.template = owned())));
            all.push((Field::Template, container(|spec| spec.template = format!("local:vztmpl/{text}\n"))));
            all.push((Field::SshKeys, container(|spec| spec.ssh_keys = vec![owned()])));
            let password = Secret::new(format!("{text}12345\n"));
            all.push((Field::Password, container(|spec| spec.password = Some(password))));
        }
    }
    for vmid in [0, 1, 99, 1_000_000_000, u32::MAX] {
        all.push((Field::Vmid, new!(|spec| spec.vmid = Some(vmid))));
    }
    for bytes in [0, 1, 15 << 20, (16 << 20) + 1, (8 << 40) + (1 << 20), u64::MAX] {
        all.push((Field::Memory, new!(|spec| spec.memory = Some(bytes))));
    }
    for gib in [0, 131_073, u32::MAX] {
        all.push((Field::Size, new!(|spec| spec.disk_gib = gib)));
    }
    for vlan in [0, 4095, u16::MAX] {
        let tagged = ProxmoxNetwork { vlan: Some(vlan), ..bridge("vmbr0") };
        all.push((Field::Network, new!(|spec| spec.networks = vec![tagged])));
    }
    for address in
        ["0.0.0.0/8", "224.0.0.1/24", "10.0.0.1/33", "10.0.0.1/0", "10.0.0.1/-1", "::1/129", "10.0.0.1"]
    {
        let fixed = ProxmoxNetwork { address: Some(address.to_owned()), ..bridge("vmbr0") };
        all.push((Field::Network, new!(|spec| spec.networks = vec![fixed])));
    }
    all.push((Field::Network, new!(|spec| spec.networks = vec![bridge("vmbr0"); 33])));
    all.push((Field::Description, new!(|spec| spec.description = Some("x".repeat(8193)))));
    all.push((Field::Tags, new!(|spec| spec.tags = vec!["x".repeat(101)])));
    if kind == VM {
        for number in [0, 8193, u32::MAX] {
            all.push((Field::Cores, machine(|spec| spec.cores = Some(number))));
            all.push((Field::Sockets, machine(|spec| spec.sockets = Some(number))));
            all.push((Field::Size, machine(|spec| spec.more_disks_gib = vec![number.wrapping_mul(131_073)])));
        }
        all.push((Field::Disk, machine(|spec| spec.more_disks_gib = vec![1; 30])));
        all.push((Field::Backend, container(|_| ())));
    } else {
        for cpus in [0, 8_192_001, u32::MAX] {
            all.push((Field::Cpu, container(|spec| spec.cpu = Some(Cpus(cpus)))));
        }
        for bytes in [1, u64::MAX] {
            all.push((Field::Swap, container(|spec| spec.swap = Some(bytes))));
        }
        all.push((Field::Backend, machine(|_| ())));
    }
    let bundle = create(CreateSpec::CrunBundle { bundle: "/b".into() });
    all.push((Field::Backend, bundle));
    all
}

fn copy(name: &str) -> CloneSpec {
    let name = GuestName::found(name).unwrap();
    CloneSpec { name, vmid: None, linked: false, snapshot: None, storage: None, node: None }
}

fn change(changes: Changes) -> ActionRequest {
    ActionRequest::Configure(changes)
}

fn of_existing(kind: BackendKind) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    let exec = |command, timeout_seconds| ActionRequest::Exec { command, timeout_seconds };
    let snapshot = |name: Option<String>, description: &str| ActionRequest::Snapshot {
        name,
        description: description.to_owned(),
        memory: false,
    };
    for &text in TEXTS {
        let owned = || text.to_owned();
        all.push((Field::Snapshot, ActionRequest::Rollback { snapshot: owned() }));
        all.push((Field::Snapshot, ActionRequest::DeleteSnapshot { snapshot: owned() }));
        all.push((Field::Snapshot, snapshot(Some(owned()), "")));
        all.push((Field::Description, snapshot(Some("s2".into()), &format!("{text}\0"))));
        all.push((
            Field::Snapshot,
            ActionRequest::Clone(CloneSpec { snapshot: Some(owned()), ..copy("w2") }),
        ));
        all.push((Field::Storage, ActionRequest::Clone(CloneSpec { storage: Some(owned()), ..copy("w2") })));
        all.push((Field::Node, ActionRequest::Clone(CloneSpec { node: Some(owned()), ..copy("w2") })));
        all.push((Field::Node, ActionRequest::Migrate { node: owned() }));
        all.push((
            Field::Storage,
            ActionRequest::Backup { storage: Some(owned()), mode: BackupMode::Snapshot },
        ));
        all.push((Field::Disk, ActionRequest::Resize { disk: owned(), size: 1 << 40 }));
        all.push((Field::Disk, ActionRequest::Resize { disk: format!("scsi0{text}/"), size: 1 << 40 }));
        all.push((Field::Tags, change(Changes { tags: Some(vec![owned()]), ..Changes::default() })));
        let description = Some(format!("{text}\u{7f}"));
        all.push((Field::Description, change(Changes { description, ..Changes::default() })));
        all.push((Field::Command, exec(vec![format!("{text}\0")], 1)));
        all.push((Field::Command, exec(vec![String::new(), owned()], 1)));
    }
    for timeout_seconds in [0, LONGEST_SHUTDOWN_SECONDS + 1, u32::MAX] {
        all.push((Field::Timeout, ActionRequest::Shutdown { timeout_seconds }));
        all.push((Field::Timeout, ActionRequest::Reboot { timeout_seconds }));
    }
    for seconds in [0, LONGEST_EXEC_SECONDS + 1, u32::MAX] {
        all.push((Field::Timeout, exec(vec!["true".to_owned()], seconds)));
    }
    all.push((Field::Command, exec(vec![], 1)));
    all.push((Field::Command, exec(vec!["x".repeat(1 << 20)], 1)));
    let disk = if kind == VM { "scsi0" } else { "rootfs" };
    for size in [0, 1, 1 << 20, (8 << 30) - (1 << 20), u64::MAX] {
        all.push((Field::Size, ActionRequest::Resize { disk: disk.into(), size }));
    }
    for disk in ["scsi9999", "unused0", "mp", "net0", "digest", "rootfs1", "virtio-1"] {
        all.push((Field::Disk, ActionRequest::Resize { disk: disk.into(), size: 1 << 40 }));
    }
    for bytes in [0, 1, (8 << 40) + (1 << 20), u64::MAX] {
        all.push((Field::Memory, change(Changes { memory: Some(bytes), ..Changes::default() })));
    }
    for bytes in [1, u64::MAX] {
        all.push((Field::Swap, change(Changes { swap: Some(bytes), ..Changes::default() })));
    }
    for cpus in [0, 8_192_001, u32::MAX] {
        all.push((Field::Cpu, change(Changes { cpu: Some(Cpus(cpus)), ..Changes::default() })));
    }
    all.push((Field::Pids, change(Changes { pids: Some(1), ..Changes::default() })));
    for name in ["current", "pending", "vzdump", "Current"] {
        all.push((Field::Snapshot, snapshot(Some(name.into()), "")));
    }
    for name in ["gone", "A1", "s-1"] {
        all.push((Field::Snapshot, ActionRequest::Rollback { snapshot: name.into() }));
        all.push((Field::Snapshot, ActionRequest::DeleteSnapshot { snapshot: name.into() }));
    }
    all.push((Field::Snapshot, snapshot(None, "")));
    all.push((Field::Node, ActionRequest::Migrate { node: "pve9".into() }));
    all.push((Field::Node, ActionRequest::Migrate { node: "pve1".into() }));
    for vmid in [0, 99, 1_000_000_000, u32::MAX] {
        all.push((Field::Vmid, ActionRequest::Clone(CloneSpec { vmid: Some(vmid), ..copy("w2") })));
    }
    for text in ["a_b", "a.", "a-", "a..b", &"x".repeat(64)] {
        all.push((Field::Name, ActionRequest::Clone(copy(text))));
    }
    all
}

#[tokio::test]
async fn five_hundred_hostile_requests_of_each_kind_are_refused_and_change_nothing() {
    let lab = Lab::with("stopped", |config| config.local_node = Some("pve1".into()));
    let shown = |request: &ActionRequest| format!("{request:?}").chars().take(300).collect::<String>();
    for kind in KINDS {
        let driver = lab.driver(kind);
        let mut count = 0;
        for text in TEXTS {
            assert!(GuestName::found(text).is_err(), "{text:?} is no name of a guest");
            count += 1;
        }
        let is_refused = |error: &Error, field: Field, asked: &ActionRequest| {
            let Error::Invalid { field: found, message } = error else {
                panic!("{}: {error:?}", shown(asked))
            };
            assert_eq!(*found, field, "{}: {message}", shown(asked));
            let is_plain = |c: char| !c.is_control();
            assert!(!message.is_empty() && message.len() < 600, "{}: {message}", shown(asked));
            assert!(message.chars().all(is_plain), "{}: {message:?}", shown(asked));
        };
        for (field, asked) in of_new(kind) {
            is_refused(&driver.plan(&name(300), &asked).await.expect_err(&shown(&asked)), field, &asked);
            count += 1;
            let ActionRequest::Create(request) = &asked else { panic!("{asked:?}") };
            is_refused(&driver.new_id(request).await.expect_err(&shown(&asked)), field, &asked);
            count += 1;
        }
        for (field, asked) in of_existing(kind) {
            is_refused(
                &driver.plan(&name(own(kind)), &asked).await.expect_err(&shown(&asked)),
                field,
                &asked,
            );
            count += 1;
        }
        for text in ["web1", "99", "0101", "101a", "1e3", "1000000000", "99999999999999999999", "a.b", "404"]
        {
            let id = GuestName::found(text).unwrap();
            for asked in [ActionRequest::Start, ActionRequest::Stop, ActionRequest::Delete { purge: true }] {
                let error = driver.plan(&id, &asked).await.unwrap_err();
                assert!(matches!(&error, Error::NotFound(found) if found.name == id), "{text}: {error:?}");
                count += 1;
            }
        }
        println!("{count} requests for a {}", kind.label());
        assert!(count >= 500, "{count}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(lab.fake.count(method, ""), 0, "a {method} was sent");
    }
    assert_ne!(lab.fake.count("GET", ""), 0, "one would have been counted");
    lab.act(VM, own(VM), ActionRequest::Start).await;
    assert_eq!(lab.fake.count("POST", ""), 1, "as this one is");
}
