//! What a guest may use, its disks, its lock, and its end.

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        spec::{Changes, Cpus},
    },
};
use serde_json::json;

use crate::lab::{CT, KINDS, LXC, Lab, MACHINE, VM, own};

#[tokio::test]
async fn limits_description_tags_and_start_at_boot_are_changed() {
    let lab = Lab::new();
    for kind in KINDS {
        let changes = Changes {
            cpu: Some(Cpus(1500)),
            memory: Some(768 << 20),
            swap: (kind == LXC).then_some(256 << 20),
            description: Some("a, b=c; “d”\nsecond line".into()),
            tags: Some(vec!["prod".into(), "db".into()]),
            start_at_boot: Some(true),
            ..Changes::default()
        };
        assert_eq!(lab.act(kind, own(kind), ActionRequest::Configure(changes)).await, ExecutionEnd::Done);
        let config = lab.config(own(kind));
        let text = |key: &str| config[key].as_str().map_or_else(|| config[key].to_string(), str::to_owned);
        assert_eq!(
            [text("cores"), text("cpulimit"), text("memory"), text("onboot")],
            ["2", "1.5", "768", "1"]
        );
        assert_eq!(text("description"), "a, b=c; “d”\nsecond line");
        let guest = lab.guest(kind, own(kind)).await.unwrap();
        assert_eq!(guest.tags, ["db", "prod"]);
        if kind == LXC {
            assert_eq!(text("swap"), "256");
        }
        let emptied = Changes {
            cpu: Some(Cpus::cores(1)),
            description: Some(String::new()),
            tags: Some(vec![]),
            ..Changes::default()
        };
        assert_eq!(lab.act(kind, own(kind), ActionRequest::Configure(emptied)).await, ExecutionEnd::Done);
        let config = lab.config(own(kind));
        for key in ["description", "tags", "cpulimit"] {
            assert!(config.get(key).is_none(), "{key} is left: {config}");
        }
    }
}

#[tokio::test]
async fn a_change_made_in_between_is_not_overwritten() {
    let lab = Lab::new();
    let change =
        |memory: u64| ActionRequest::Configure(Changes { memory: Some(memory << 20), ..Changes::default() });
    for kind in KINDS {
        let plan = lab.plan(kind, own(kind), change(768)).await.unwrap();
        assert_eq!(lab.act(kind, own(kind), change(1024)).await, ExecutionEnd::Done);
        let ran = lab.run(kind, own(kind), &plan, &Default::default()).await;
        assert!(matches!(&ran.end, ExecutionEnd::Failed(_)), "{:?}", ran.end);
        assert_eq!(lab.config(own(kind))["memory"].as_str().map_or(1024, |text| text.parse().unwrap()), 1024);
    }
}

#[tokio::test]
async fn a_running_vms_memory_is_pending_until_its_next_start() {
    use app::backend::Backend as _;
    let lab = Lab::running();
    let change = ActionRequest::Configure(Changes { memory: Some(4 << 30), ..Changes::default() });
    assert_eq!(lab.act(VM, MACHINE, change).await, ExecutionEnd::Done);
    let detail = lab.driver(VM).inspect(&crate::lab::name(MACHINE)).await.unwrap().unwrap();
    let pending = detail.pending.iter().map(|it| (it.label.as_str(), it.next.as_deref()));
    assert_eq!(pending.collect::<Vec<_>>(), [("memory", Some("4096"))]);
}

#[tokio::test]
async fn a_disk_is_grown() {
    let lab = Lab::running();
    let grow = |disk: &str, gib: u64| ActionRequest::Resize { disk: disk.into(), size: gib << 30 };
    assert_eq!(lab.act(LXC, CT, grow("rootfs", 12)).await, ExecutionEnd::Done);
    assert!(lab.config(CT)["rootfs"].as_str().unwrap().contains("size=12G"));
    assert_eq!(lab.act(VM, MACHINE, grow("scsi0", 12)).await, ExecutionEnd::Done);
    assert!(lab.config(MACHINE)["scsi0"].as_str().unwrap().contains("size=12G"));
    for (kind, disk) in [(LXC, "rootfs"), (VM, "scsi0")] {
        let refused = lab.refused(kind, own(kind), grow(disk, 1)).await;
        assert!(matches!(&refused, Error::Invalid { field: Field::Size, .. }), "{refused:?}");
    }
    let refused = lab.refused(VM, MACHINE, grow("ide2", 9)).await;
    assert!(matches!(&refused, Error::Invalid { field: Field::Disk, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_stale_lock_is_removed_on_the_guests_own_node() {
    let lab = Lab::with("running", |config| config.local_node = Some("pve1".into()));
    for kind in KINDS {
        lab.fake.call("snapshot_lock", json!([own(kind), "backup"]));
        assert_eq!(lab.guest(kind, own(kind)).await.unwrap().lock.as_deref(), Some("backup"));
        assert_eq!(lab.act(kind, own(kind), ActionRequest::Unlock).await, ExecutionEnd::Done);
        assert_eq!(lab.guest(kind, own(kind)).await.unwrap().lock, None);
    }
}

#[tokio::test]
async fn a_stale_lock_of_a_vm_is_removed_by_root_from_anywhere() {
    let lab = Lab::with("running", |config| {
        config.credentials = app::backend::proxmox::Credentials::Password {
            user: "root@pam".into(),
            password: app::domain::secret::Secret::new(crate::fakepve::PASSWORD),
        };
    });
    for kind in KINDS {
        lab.fake.call("snapshot_lock", json!([own(kind), "backup"]));
    }
    assert_eq!(lab.act(VM, MACHINE, ActionRequest::Unlock).await, ExecutionEnd::Done);
    assert_eq!(lab.fake.get_guest(MACHINE, "lock"), json!(null));
    let refused = lab.refused(LXC, CT, ActionRequest::Unlock).await;
    assert!(
        matches!(&refused, Error::NotReady { cure, .. } if cure.contains("pct unlock 101")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_removes_no_lock_from_afar_and_says_who_can() {
    let lab = Lab::running();
    for (kind, tool) in [(LXC, "pct unlock 101"), (VM, "qm unlock 200")] {
        let refused = lab.refused(kind, own(kind), ActionRequest::Unlock).await;
        assert!(matches!(&refused, Error::WrongState { .. }), "it is not locked: {refused:?}");
        lab.fake.call("snapshot_lock", json!([own(kind), "backup"]));
        let refused = lab.refused(kind, own(kind), ActionRequest::Unlock).await;
        assert!(matches!(&refused, Error::NotReady { cure, .. } if cure.contains(tool)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_lock_that_a_task_holds_stays() {
    let lab = Lab::with("running", |config| config.local_node = Some("pve1".into()));
    lab.fake.set("time_scale", json!(1.0));
    for kind in KINDS {
        lab.fake.call("backup", json!([own(kind), 60]));
        let refused = lab.refused(kind, own(kind), ActionRequest::Unlock).await;
        assert!(
            matches!(&refused, Error::NotReady { reason, .. } if reason.contains("vzdump")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_guest_is_deleted_with_what_it_loses_told_before() {
    for purge in [false, true] {
        let lab = Lab::new();
        for kind in KINDS {
            let plan = lab.plan(kind, own(kind), ActionRequest::Delete { purge }).await.unwrap();
            let disk = if kind == VM {
                "scsi0 (local-lvm:vm-200-disk-0, 10G)"
            } else {
                "rootfs (local-lvm:vm-101-disk-0, 8G)"
            };
            assert!(plan.loses.iter().any(|line| line.contains(disk)), "{:?}", plan.loses);
            assert!(!plan.loses.iter().any(|line| line.contains("debian.iso")), "{:?}", plan.loses);
            let ran = lab.run(kind, own(kind), &plan, &Default::default()).await;
            assert_eq!(ran.end, ExecutionEnd::Done);
            assert!(!lab.has(own(kind)));
            assert_eq!(lab.guest(kind, own(kind)).await, None);
        }
    }
}

#[tokio::test]
async fn a_protected_guest_is_not_deleted() {
    let lab = Lab::new();
    for kind in KINDS {
        lab.fake.set_guest(own(kind), "config", {
            let mut config = lab.config(own(kind));
            config["protection"] = json!(1);
            config
        });
        let refused = lab.refused(kind, own(kind), ActionRequest::Delete { purge: true }).await;
        assert!(
            matches!(&refused, Error::NotReady { reason, .. } if reason.contains("protected")),
            "{refused:?}"
        );
    }
}
