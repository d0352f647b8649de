//! The hot functions, with 1,000 guests: criterion tells how each has changed since its last run.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::{fs, hint::black_box, sync::Arc};

use app::{
    auth::{Caller, policy},
    backend::{
        Backend, Registry,
        lxc::{LxcConfig, LxcDriver},
    },
    domain::{
        access::{BuiltIn, On, Place, Privilege, Right, Rights},
        action::ActionRequest,
        filter::Filter,
        guest::{Guest, GuestId, GuestStatus},
        history::HistoryQuery,
        name::GuestName,
    },
    ledger::{Hash, NewEntry},
    service::Inventory,
};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const GUESTS: usize = 1000;

fn guests() -> Vec<Guest> {
    let guest = |number: usize| {
        let backend = ["lxc", "crun", "proxmox-lxc", "proxmox-vm"][number % 4];
        let status = if number.is_multiple_of(3) { GuestStatus::Stopped } else { GuestStatus::Running };
        let mut guest = Guest::new(GuestId::parse(backend, &(100 + number).to_string()).unwrap(), status);
        guest.title = Some(format!("web{number}"));
        guest.tags = vec![["prod", "lab", "test"][number % 3].to_owned(), "web".to_owned()];
        guest.node = Some("pve1".to_owned());
        guest.addresses = vec![format!("10.0.{}.{}", number / 250, number % 250)];
        guest
    };
    (0..GUESTS).map(guest).collect()
}

fn filter(c: &mut Criterion) {
    let guests = guests();
    for text in ["web99", "status:running tag:prod backend:lxc"] {
        c.bench_function(&format!("filter 1,000 guests: {text}"), |b| {
            b.iter(|| {
                let filter = Filter::parse(black_box(text));
                guests.iter().filter(|guest| filter.matches(guest)).count()
            });
        });
    }
    c.bench_function("read a filter of the history", |b| {
        let words = "guest=lxc/web1&user=anna&result=bad&from=2020-11-02&text=busy";
        b.iter(|| {
            let pairs = form_urlencoded::parse(black_box(words).as_bytes()).into_owned();
            HistoryQuery::from_pairs(pairs).read(1_700_000_000_000).is_ok()
        });
    });
}

fn access(c: &mut Criterion) {
    let guests = guests();
    let right = |number: usize| {
        let scope = if number.is_multiple_of(2) {
            format!("tag:team{number}")
        } else {
            format!("guest:crun/{}", 100 + number)
        };
        Right { scope: scope.parse().unwrap(), ..Rights::whole(BuiltIn::Operator).list.remove(0) }
    };
    let rights = Rights { list: (0..20).map(right).collect(), limit: None };
    for (who, rights) in [("an administrator", Rights::whole(BuiltIn::Administrator)), ("20 grants", rights)]
    {
        let caller = Caller { rights: Arc::new(rights), ..Caller::command_line("anna") };
        c.bench_function(&format!("policy: 1,000 guests, {who}"), |b| {
            b.iter(|| {
                let is_seen = |guest: &&Guest| {
                    policy::decide(&caller, Privilege::See, On::Guest(Place::of(guest))).is_ok()
                };
                guests.iter().filter(is_seen).count()
            });
        });
    }
}

fn ledger(c: &mut Criterion) {
    let entry = NewEntry {
        at_ms: 1_700_000_000_000,
        kind: "operation-ended",
        actor: Some("anna"),
        address: Some("10.0.0.7"),
        subject: Some("lxc/web1"),
        operation: Some(123_456),
        detail: "{\"state\":\"succeeded\",\"plan\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}",
    };
    c.bench_function("one link of the ledger's chain", |b| {
        b.iter(|| black_box(entry).seal(black_box(7), Hash::ZERO));
    });
}

fn inventory(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let container = dir.path().join(name);
        fs::create_dir_all(container.join("rootfs")).unwrap();
        let root = container.join("rootfs");
        let text = format!("lxc.uts.name = {name}\nlxc.rootfs.path = dir:{}\n", root.display());
        fs::write(container.join("config"), text).unwrap();
    };
    (0..GUESTS).for_each(|number| make(&format!("web{number}")));
    let runtime = Runtime::new().unwrap();
    let lxc = LxcConfig {
        lxcpath: dir.path().to_owned(),
        skip_numeric: false,
        ..LxcConfig::of_host(dir.path().join("run"))
    };
    let driver: Arc<dyn Backend> = Arc::new(LxcDriver::new(lxc).unwrap());
    c.bench_function("list 1,000 stopped containers of LXC", |b| {
        b.iter(|| assert_eq!(runtime.block_on(driver.list()).unwrap().len(), GUESTS));
    });
    let inventory = Inventory::new(Registry::new([Arc::clone(&driver)]));
    runtime.block_on(inventory.start());
    c.bench_function("list and compare 1,000 containers that stay as they are", |b| {
        b.iter(|| assert!(runtime.block_on(inventory.refresh(driver.as_ref()))));
    });
    let version = inventory.snapshot().version;
    make("new");
    runtime.block_on(inventory.refresh(driver.as_ref()));
    c.bench_function("what has changed since a version", |b| {
        b.iter(|| assert_eq!(inventory.since(black_box(version)).1.unwrap().changes.len(), 1));
    });
    let name = GuestName::new("web1").unwrap();
    c.bench_function("plan a start", |b| {
        b.iter(|| {
            let plan = runtime.block_on(driver.plan(&name, &ActionRequest::Start)).unwrap();
            assert!(!plan.steps.is_empty());
        });
    });
}

criterion_group!(hot, filter, access, ledger, inventory);
criterion_main!(hot);
