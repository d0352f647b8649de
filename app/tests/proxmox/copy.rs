//! Clones, templates, backups, and guests on another node.

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::{BackendKind, GuestStatus},
        name::GuestName,
        plan::Expectation,
        spec::{BackupMode, CloneSpec},
    },
};
use serde_json::json;

use crate::lab::{KINDS, LXC, Lab, VM, name, own};

fn spec(vmid: Option<u32>) -> CloneSpec {
    CloneSpec {
        name: GuestName::new("copy1").unwrap(),
        vmid,
        linked: false,
        snapshot: None,
        storage: None,
        node: None,
    }
}

/// The volume of the guest's first disk.
fn disk(lab: &Lab, kind: BackendKind, vmid: u32) -> String {
    let config = lab.config(vmid);
    config[if kind == VM { "scsi0" } else { "rootfs" }]
        .as_str()
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_full_clone_has_disks_of_its_own() {
    let lab = Lab::new();
    for kind in KINDS {
        let plan = lab.plan(kind, own(kind), ActionRequest::Clone(spec(None))).await.unwrap();
        let Some(Expectation::OtherExists(id)) = &plan.expect else { panic!("{:?}", plan.expect) };
        let vmid: u32 = id.as_str().parse().unwrap();
        assert_eq!(lab.run(kind, own(kind), &plan, &Default::default()).await.end, ExecutionEnd::Done);
        let copy = lab.guest(kind, vmid).await.unwrap();
        assert_eq!((copy.title.as_deref(), copy.status), (Some("copy1"), GuestStatus::Stopped));
        assert_ne!(disk(&lab, kind, vmid), disk(&lab, kind, own(kind)));
    }
}

#[tokio::test]
async fn a_template_is_made_and_linked_clones_of_it() {
    let lab = Lab::new();
    for (kind, vmid) in [(LXC, 301), (VM, 302)] {
        let linked = CloneSpec { linked: true, ..spec(Some(vmid)) };
        let refused = lab.refused(kind, own(kind), ActionRequest::Clone(linked.clone())).await;
        assert!(
            matches!(&refused, Error::NotReady { reason, .. } if reason.contains("no template")),
            "{refused:?}"
        );
        assert_eq!(lab.act(kind, own(kind), ActionRequest::MakeTemplate).await, ExecutionEnd::Done);
        assert!(lab.guest(kind, own(kind)).await.unwrap().is_template);
        assert!(disk(&lab, kind, own(kind)).contains("base-"));
        assert_eq!(lab.act(kind, own(kind), ActionRequest::Clone(linked)).await, ExecutionEnd::Done);
        assert!(lab.has(vmid) && !lab.guest(kind, vmid).await.unwrap().is_template);
    }
}

#[tokio::test]
async fn a_clone_of_a_snapshot_goes_to_the_storage_and_node_asked_for() {
    let lab = Lab::running();
    lab.fake.call("add_ceph_storage", json!(["ceph"]));
    for (kind, vmid) in [(LXC, 301), (VM, 302)] {
        let key = if kind == VM { "scsi0" } else { "rootfs" };
        let mut config = lab.config(own(kind));
        config[key] = json!(format!("ceph:vm-{}-disk-0,size=8G", own(kind)));
        lab.fake.set_guest(own(kind), "config", config);
        let snapshot =
            ActionRequest::Snapshot { name: Some("s1".into()), description: String::new(), memory: false };
        assert_eq!(lab.act(kind, own(kind), snapshot).await, ExecutionEnd::Done);
        let asked = CloneSpec {
            snapshot: Some("s1".into()),
            storage: Some("ceph".into()),
            node: Some("pve2".into()),
            ..spec(Some(vmid))
        };
        assert_eq!(lab.act(kind, own(kind), ActionRequest::Clone(asked)).await, ExecutionEnd::Done);
        assert_eq!(lab.guest(kind, vmid).await.unwrap().node.as_deref(), Some("pve2"));
        assert!(disk(&lab, kind, vmid).starts_with("ceph:"));
    }
}

#[tokio::test]
async fn a_running_container_is_copied_from_a_snapshot_alone() {
    let lab = Lab::running();
    let refused = lab.refused(LXC, own(LXC), ActionRequest::Clone(spec(None))).await;
    assert!(matches!(&refused, Error::NotReady { reason, .. } if reason.contains("snapshot")), "{refused:?}");
    assert_eq!(lab.act(VM, own(VM), ActionRequest::Clone(spec(Some(302)))).await, ExecutionEnd::Done);
}

#[tokio::test]
async fn an_id_that_is_taken_by_either_kind_is_refused() {
    let lab = Lab::new();
    for kind in KINDS {
        for taken in [own(LXC), own(VM)] {
            let refused = lab.refused(kind, own(kind), ActionRequest::Clone(spec(Some(taken)))).await;
            assert!(matches!(&refused, Error::AlreadyExists(id) if id.name == name(taken)), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn a_guest_moves_to_another_node_and_is_found_there() {
    for status in ["running", "stopped"] {
        let lab = Lab::with(status, |_| ());
        for kind in KINDS {
            let to = |node: &str| ActionRequest::Migrate { node: node.into() };
            assert_eq!(lab.act(kind, own(kind), to("pve2")).await, ExecutionEnd::Done);
            let guest = lab.guest(kind, own(kind)).await.unwrap();
            assert_eq!((guest.node.as_deref(), guest.status.as_str()), (Some("pve2"), status));
            for node in ["pve2", "pve9"] {
                let refused = lab.refused(kind, own(kind), to(node)).await;
                assert!(matches!(&refused, Error::Invalid { field: Field::Node, .. }), "{refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_is_moved_to_a_node_that_is_off() {
    let lab = Lab::running();
    lab.fake.call("set_node_offline", json!(["pve2"]));
    for kind in KINDS {
        let refused = lab.refused(kind, own(kind), ActionRequest::Migrate { node: "pve2".into() }).await;
        assert!(
            matches!(&refused, Error::NotReady { reason, .. } if reason.contains("offline")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_backup_lies_in_the_storage_afterwards() {
    let lab = Lab::running();
    for kind in KINDS {
        for mode in BackupMode::ALL {
            let backup = ActionRequest::Backup { storage: None, mode };
            assert_eq!(lab.act(kind, own(kind), backup).await, ExecutionEnd::Done);
        }
        let volumes = lab.fake.get("storages.local.volumes");
        let of_it =
            volumes.as_object().unwrap().values().filter(|volume| volume["vmid"] == own(kind)).count();
        assert_eq!(of_it, 3);
        let elsewhere =
            ActionRequest::Backup { storage: Some("local-lvm".into()), mode: BackupMode::Snapshot };
        let refused = lab.refused(kind, own(kind), elsewhere).await;
        assert!(matches!(&refused, Error::Invalid { field: Field::Storage, .. }), "{refused:?}");
    }
    lab.fake.set("storages.local.active", json!(0));
    let backup = ActionRequest::Backup { storage: None, mode: BackupMode::Snapshot };
    assert!(matches!(lab.refused(VM, own(VM), backup).await, Error::NotReady { .. }));
}

#[tokio::test]
async fn a_guest_with_snapshots_becomes_no_template() {
    let lab = Lab::new();
    for kind in KINDS {
        let snapshot =
            ActionRequest::Snapshot { name: Some("s1".into()), description: String::new(), memory: false };
        assert_eq!(lab.act(kind, own(kind), snapshot).await, ExecutionEnd::Done);
        let refused = lab.refused(kind, own(kind), ActionRequest::MakeTemplate).await;
        assert!(matches!(&refused, Error::NotReady { reason, .. } if reason.contains("s1")), "{refused:?}");
        assert_eq!(lab.driver(kind).snapshots(&name(own(kind))).await.unwrap().len(), 1);
    }
}
