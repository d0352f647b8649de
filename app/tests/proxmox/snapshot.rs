//! Snapshots: taken, told, gone back to, removed.

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::action::{ActionRequest, Field},
};
use serde_json::json;

use crate::lab::{CT, KINDS, LXC, Lab, MACHINE, VM, name, own};

fn take(snapshot: &str, memory: bool) -> ActionRequest {
    ActionRequest::Snapshot { name: Some(snapshot.into()), description: "before the upgrade".into(), memory }
}

#[tokio::test]
async fn a_snapshot_is_taken_told_and_removed() {
    let lab = Lab::running();
    for kind in KINDS {
        let vmid = own(kind);
        for snapshot in ["s1", "s2"] {
            assert_eq!(lab.act(kind, vmid, take(snapshot, false)).await, ExecutionEnd::Done);
        }
        let told = lab.driver(kind).snapshots(&name(vmid)).await.unwrap();
        let names: Vec<&str> = told.iter().map(|snapshot| snapshot.name.as_str()).collect();
        assert_eq!(names, ["s1", "s2"]);
        assert_eq!((told[1].parent.as_deref(), told[0].memory), (Some("s1"), false));
        assert_eq!(told[0].description, "before the upgrade");
        assert!(told[0].created_ms.is_some());
        let gone = ActionRequest::DeleteSnapshot { snapshot: "s1".into() };
        assert_eq!(lab.act(kind, vmid, gone).await, ExecutionEnd::Done);
        let left = lab.fake.get_guest(vmid, "snapshots");
        assert_eq!(left.as_object().unwrap().keys().collect::<Vec<_>>(), ["s2"]);
    }
}

#[tokio::test]
async fn a_vms_snapshot_can_hold_its_memory() {
    let lab = Lab::running();
    assert_eq!(lab.act(VM, MACHINE, take("s1", true)).await, ExecutionEnd::Done);
    assert!(lab.driver(VM).snapshots(&name(MACHINE)).await.unwrap()[0].memory);
    assert!(matches!(
        lab.refused(LXC, CT, take("s1", true)).await,
        Error::Invalid { field: Field::Mode, .. }
    ));
}

#[tokio::test]
async fn a_guest_goes_back_to_how_it_was() {
    let lab = Lab::new();
    for kind in KINDS {
        let vmid = own(kind);
        assert_eq!(lab.act(kind, vmid, take("s1", false)).await, ExecutionEnd::Done);
        let before = lab.config(vmid)["cores"].clone();
        let changes =
            app::domain::spec::Changes { cpu: Some(app::domain::spec::Cpus::cores(7)), ..Default::default() };
        assert_eq!(lab.act(kind, vmid, ActionRequest::Configure(changes)).await, ExecutionEnd::Done);
        assert_ne!(lab.config(vmid)["cores"], before);
        let back = ActionRequest::Rollback { snapshot: "s1".into() };
        let plan = lab.plan(kind, vmid, back.clone()).await.unwrap();
        assert_eq!(plan.loses.len(), 1);
        assert_eq!(lab.act(kind, vmid, back).await, ExecutionEnd::Done);
        assert_eq!(lab.config(vmid)["cores"], before);
    }
}

#[tokio::test]
async fn a_storage_that_keeps_no_snapshots_is_told_before_anything_runs() {
    let lab = Lab::new();
    lab.fake.set("storages.local.content", json!("images,rootdir,iso,vztmpl,backup"));
    lab.fake
        .call("add_ct", json!({"vmid": 102, "config": {"rootfs": "local:102/vm-102-disk-0.raw,size=1G"}}));
    lab.fake.call(
        "add_vm",
        json!({"vmid": 201, "name": "a", "config": {"scsi0": "local:201/vm-201-disk-0.raw,size=1G"}}),
    );
    for (kind, vmid) in [(LXC, 102), (VM, 201)] {
        let refused = lab.refused(kind, vmid, take("s1", false)).await;
        assert!(
            matches!(&refused, Error::NotReady { reason, .. } if reason.contains("on local")),
            "{refused:?}"
        );
    }
    assert_eq!(lab.fake.count("POST", "/snapshot"), 0);
}

#[tokio::test]
async fn a_snapshot_that_is_there_or_not_is_told_at_the_field() {
    let lab = Lab::new();
    for kind in KINDS {
        assert_eq!(lab.act(kind, own(kind), take("s1", false)).await, ExecutionEnd::Done);
        for request in [
            take("s1", false),
            take("current", false),
            ActionRequest::Rollback { snapshot: "s9".into() },
            ActionRequest::DeleteSnapshot { snapshot: "s9".into() },
        ] {
            let refused = lab.refused(kind, own(kind), request).await;
            assert!(matches!(&refused, Error::Invalid { field: Field::Snapshot, .. }), "{refused:?}");
        }
    }
}
