//! What is there: guests, nodes, images.

use std::time::Duration;

use app::{
    backend::Backend as _,
    domain::{
        action::ActionRequest,
        guest::{Guest, GuestStatus},
        host::{Availability, ImageKind},
        spec::Cpus,
    },
};
use serde_json::json;

use crate::lab::{CT, KINDS, LXC, Lab, MACHINE, VM, name, own};

async fn only(lab: &Lab, kind: app::domain::guest::BackendKind) -> Guest {
    let mut guests = lab.driver(kind).list().await.unwrap();
    assert_eq!(guests.len(), 1);
    guests.remove(0)
}

#[tokio::test]
async fn both_kinds_are_listed_by_one_request() {
    let lab = Lab::running();
    let (ct, vm) = (only(&lab, LXC).await, only(&lab, VM).await);
    assert_eq!(lab.fake.count("GET", "/cluster/resources"), 1);
    assert_eq!((ct.id.name, ct.title.as_deref()), (name(CT), Some("web1")));
    assert_eq!((ct.status, ct.node.as_deref()), (GuestStatus::Running, Some("pve1")));
    assert_eq!(ct.tags, ["prod", "web"]);
    assert_eq!((vm.id.name, vm.title.as_deref()), (name(MACHINE), Some("db1")));
    assert_eq!((vm.is_template, vm.lock), (false, None));
}

#[tokio::test]
async fn a_second_reading_is_equal_to_the_first() {
    let lab = Lab::running();
    for kind in KINDS {
        let first = only(&lab, kind).await;
        assert!(first.started_ms.is_some());
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(only(&lab, kind).await, first);
        assert_eq!(
            lab.guest(kind, own(kind)).await.unwrap(),
            first,
            "nor is the guest's own node of another mind"
        );
    }
}

#[tokio::test]
async fn a_paused_vm_stays_paused_in_the_list_that_calls_it_running() {
    let lab = Lab::running();
    lab.act(VM, MACHINE, ActionRequest::Pause).await;
    assert_eq!(only(&lab, VM).await.status, GuestStatus::Paused);
    assert_eq!(lab.status(VM, MACHINE).await, Some(GuestStatus::Paused));
}

#[tokio::test]
async fn what_was_just_done_is_not_undone_by_an_older_list() {
    let lab = Lab::running();
    only(&lab, LXC).await;
    lab.act(LXC, CT, ActionRequest::Stop).await;
    assert_eq!(only(&lab, LXC).await.status, GuestStatus::Stopped);
    lab.act(LXC, CT, ActionRequest::Delete { purge: false }).await;
    assert_eq!(lab.driver(LXC).list().await.unwrap(), []);
}

#[tokio::test]
async fn a_guest_of_a_node_that_is_off_is_unknown_with_the_reason() {
    let lab = Lab::running();
    lab.fake.call("set_node_offline", json!(["pve1"]));
    for kind in KINDS {
        let guest = only(&lab, kind).await;
        assert_eq!(guest.status, GuestStatus::Unknown);
        assert!(guest.note.unwrap().contains("pve1"));
    }
}

#[tokio::test]
async fn what_is_no_guest_of_this_kind_is_none() {
    let lab = Lab::running();
    assert_eq!(lab.driver(LXC).guest(&name(MACHINE)).await, Ok(None));
    assert_eq!(lab.driver(VM).inspect(&name(CT)).await, Ok(None));
    assert_eq!(lab.driver(LXC).guest(&name(999)).await, Ok(None));
    assert_eq!(lab.driver(LXC).guest(&"web1".parse().unwrap()).await, Ok(None));
    assert!(lab.driver(LXC).snapshots(&name(999)).await.is_err());
    assert!(matches!(
        lab.refused(VM, 999, ActionRequest::Start).await,
        app::backend::Error::NotFound(id) if id.name == name(999)
    ));
}

#[tokio::test]
async fn a_containers_page_tells_all_of_it() {
    let lab = Lab::running();
    lab.fake.set_guest(CT, "pending", json!({"memory": 1024}));
    let detail = lab.driver(LXC).inspect(&name(CT)).await.unwrap().unwrap();
    assert!(detail.guest.pid.is_some());
    assert_eq!(detail.guest.addresses, ["10.0.0.5"]);
    assert_eq!((detail.memory, detail.memory_limit), (Some(64 << 20), Some(512 << 20)));
    assert_eq!((detail.cpu_now, detail.cpu_limit), (Some(Cpus(20)), Some(Cpus(1000))));
    let pending = detail.pending.iter().map(|it| (it.label.as_str(), it.now.as_deref(), it.next.as_deref()));
    assert_eq!(pending.collect::<Vec<_>>(), [("memory", Some("512"), Some("1024"))]);
    // As Proxmox tells its configuration: with what is to come, as a change goes on from there.
    assert_eq!(detail.settings.memory, Some(1024 << 20));
    let fact = |label: &str| detail.facts.iter().find(|(l, _)| l == label).map(|(_, value)| value.as_str());
    assert_eq!(fact("Disk rootfs"), Some("local-lvm:vm-101-disk-0, 8G"));
    assert_eq!(fact("Unprivileged"), Some("yes"));
    let config = detail.config.unwrap();
    assert_eq!(config.path, "/etc/pve/nodes/pve1/lxc/101.conf");
    assert!(config.text.contains("rootfs: local-lvm:vm-101-disk-0,size=8G\n"));
}

#[tokio::test]
async fn a_vms_page_tells_all_of_it_with_and_without_an_agent() {
    let lab = Lab::running();
    let detail = lab.driver(VM).inspect(&name(MACHINE)).await.unwrap().unwrap();
    assert_eq!(detail.guest.addresses, Vec::<String>::new(), "no agent answers, and that is no error");
    assert_eq!(detail.cpu_limit, Some(Cpus(2000)));
    lab.fake.set_guest(MACHINE, "agent", json!({}));
    let detail = lab.driver(VM).inspect(&name(MACHINE)).await.unwrap().unwrap();
    assert_eq!(detail.guest.addresses, ["192.0.2.10"]);
    assert!(detail.guest.pid.is_some());
    assert_eq!(detail.config.unwrap().path, "/etc/pve/nodes/pve1/qemu-server/200.conf");
}

#[tokio::test]
async fn an_agent_that_hangs_does_not_hold_up_the_page() {
    let lab = Lab::running();
    lab.fake.set_guest(MACHINE, "agent", json!({}));
    lab.fake.set_guest(MACHINE, "agent_hangs", json!(true));
    lab.fake.set("time_scale", json!(1.0));
    let begun = std::time::Instant::now();
    let detail = lab.driver(VM).inspect(&name(MACHINE)).await.unwrap().unwrap();
    assert_eq!(detail.guest.addresses, Vec::<String>::new());
    assert!(begun.elapsed() < Duration::from_secs(8), "the agent takes ten: {:?}", begun.elapsed());
}

#[tokio::test]
async fn nodes_are_told_and_one_that_is_off_holds_up_none() {
    let lab = Lab::running();
    lab.fake.call("set_node_offline", json!(["pve2"]));
    for kind in KINDS {
        let nodes = lab.driver(kind).nodes().await.unwrap();
        assert_eq!(nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["pve1", "pve2"]);
        let (up, down) = (&nodes[0], &nodes[1]);
        assert_eq!((up.state.is_online(), up.cores, up.memory_total), (true, Some(4), Some(8 << 30)));
        assert_eq!(up.storages.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["local", "local-lvm"]);
        assert!(up.networks.iter().any(|network| network.name == "vmbr0"));
        assert!(!down.state.is_online() && down.note.is_some());
    }
}

#[tokio::test]
async fn a_part_of_a_node_that_cannot_be_read_is_noted() {
    let lab = Lab::running();
    lab.fake.call("fail", json!(["GET", "/nodes/pve1/storage", 500, "pvestatd is confused"]));
    let nodes = lab.driver(LXC).nodes().await.unwrap();
    assert!(nodes[0].note.as_deref().unwrap().contains("its storages"), "{:?}", nodes[0].note);
    assert!(nodes[0].state.is_online() && !nodes[0].networks.is_empty());
}

#[tokio::test]
async fn images_of_all_storages_and_the_appliance_index_are_told() {
    let lab = Lab::running();
    lab.fake.set("storages.local.content", json!("iso,vztmpl,backup,import"));
    lab.fake
        .set("appliances", json!([{"template": "alpine.tar.xz", "type": "lxc", "headline": "Alpine 3.20"}]));
    for (content, file) in [("vztmpl", "debian.tar.zst"), ("iso", "debian.iso"), ("import", "debian.qcow2")] {
        lab.fake.call("store_file", json!({"storage": "local", "name": file, "size": 7, "content": content}));
    }
    let told = async |kind| {
        let images = lab.driver(kind).images().await.unwrap();
        images.into_iter().map(|image| (image.kind, image.id, image.node)).collect::<Vec<_>>()
    };
    let on = |node: &str, kind, id: &str| (kind, id.to_owned(), Some(node.to_owned()));
    assert_eq!(
        told(LXC).await,
        [
            on("pve1", ImageKind::OsTemplate, "local:vztmpl/debian.tar.zst"),
            on("pve2", ImageKind::OsTemplate, "local:vztmpl/debian.tar.zst"),
            (ImageKind::Appliance, "alpine.tar.xz".to_owned(), None),
        ]
    );
    assert_eq!(
        told(VM).await,
        [
            on("pve1", ImageKind::Iso, "local:iso/debian.iso"),
            on("pve2", ImageKind::Iso, "local:iso/debian.iso"),
            on("pve1", ImageKind::DiskImage, "local:import/debian.qcow2"),
            on("pve2", ImageKind::DiskImage, "local:import/debian.qcow2"),
        ]
    );
    lab.fake.set("storages.local.shared", json!(1));
    assert_eq!(told(LXC).await[0], (ImageKind::OsTemplate, "local:vztmpl/debian.tar.zst".to_owned(), None));
}

#[tokio::test]
async fn the_probe_tells_the_version_or_what_is_wrong() {
    let lab = Lab::running();
    assert_eq!(lab.driver(LXC).probe().await, Availability::Available { version: "9.0.10".into() });
    let wrong = Lab::with("running", |config| {
        config.credentials = app::backend::proxmox::Credentials::Token {
            id: "root@pam!paddock".into(),
            secret: app::domain::secret::Secret::new("wrong"),
        };
    });
    let Availability::Unavailable { reason, cure } = wrong.driver(VM).probe().await else {
        panic!("it is not")
    };
    assert!(!reason.is_empty() && cure.contains("token"), "{reason} {cure}");
}
