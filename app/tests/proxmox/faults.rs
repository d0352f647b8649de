//! What goes wrong at Proxmox, and what comes of it.

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::ActionRequest::{self, Shutdown, Start, Stop},
        failure::FailureKind,
        guest::GuestStatus,
        name::GuestName,
        spec::{ContainerSpec, CreateRequest, CreateSpec, ProxmoxNetwork, VmSource, VmSpec},
    },
};
use serde_json::json;

use crate::{
    fakepve::FakePve,
    lab::{KINDS, LXC, Lab, VM, own},
};

fn failure(end: ExecutionEnd) -> Error {
    match end {
        ExecutionEnd::Failed(error) => error,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_guest_that_does_not_shut_down_in_time_still_runs() {
    let lab = Lab::running();
    lab.fake.set("time_scale", json!(0.01));
    for kind in KINDS {
        lab.fake.set_guest(own(kind), "shutdown_secs", json!(9999));
        let error = failure(lab.act(kind, own(kind), Shutdown { timeout_seconds: 30 }).await);
        assert_eq!(error.kind(), FailureKind::TimedOut, "{error:?}");
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Running));
    }
}

#[tokio::test]
async fn a_locked_guest_is_told_with_what_holds_it() {
    let lab = Lab::running();
    for kind in KINDS {
        lab.fake.call("snapshot_lock", json!([own(kind), "backup"]));
        let error = failure(lab.act(kind, own(kind), Stop).await);
        assert!(matches!(&error, Error::Locked { by, .. } if by == "backup"), "{error:?}");
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Running));
    }
}

#[tokio::test]
async fn a_task_that_ends_in_an_error_is_told_in_its_words() {
    let lab = Lab::new();
    for kind in KINDS {
        lab.fake.set_guest(own(kind), "start_error", json!("command 'kvm -id 1' failed: exit code 1"));
        let plan = lab.plan(kind, own(kind), Start).await.unwrap();
        let ran = lab.run(kind, own(kind), &plan, &Default::default()).await;
        assert!(failure(ran.end).to_string().contains("exit code 1"));
        assert!(ran.output.contains("TASK ERROR"), "the task's log is told: {}", ran.output);
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Stopped));
    }
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let fake = FakePve::start();
    fake.add_ct(own(LXC), "web1", "running");
    fake.add_vm(own(VM), "db1", "running");
    fake.set("apitokens", json!({"anna@pve!paddock": "right"}));
    fake.call("grant", json!(["anna@pve!paddock", "/vms", "VM.Audit"]));
    let mut config = fake.config();
    config.credentials = app::backend::proxmox::Credentials::Token {
        id: "anna@pve!paddock".into(),
        secret: app::domain::secret::Secret::new("right"),
    };
    let lab = Lab::on(fake, &config);
    for kind in KINDS {
        let error = failure(lab.act(kind, own(kind), Stop).await);
        assert!(matches!(&error, Error::Denied { what, .. } if what.contains("VM.PowerMgmt")), "{error:?}");
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Running));
    }
}

#[tokio::test]
async fn without_quorum_nothing_changes_and_all_is_still_read() {
    let lab = Lab::new();
    lab.fake.call("lose_quorum", json!([]));
    for kind in KINDS {
        let error = failure(lab.act(kind, own(kind), Start).await);
        assert_eq!(error.kind(), FailureKind::Unavailable, "{error:?}");
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Stopped));
    }
}

#[tokio::test]
async fn a_guest_whose_node_is_off_is_not_taken_for_gone() {
    let lab = Lab::running();
    for kind in KINDS {
        assert!(lab.guest(kind, own(kind)).await.is_some());
    }
    lab.fake.call("set_node_offline", json!(["pve1"]));
    for kind in KINDS {
        let read = lab.driver(kind).guest(&crate::lab::name(own(kind))).await;
        assert!(matches!(&read, Err(Error::Unavailable { .. })), "{read:?}");
        let refused = lab.refused(kind, own(kind), Stop).await;
        assert!(matches!(&refused, Error::Unavailable { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn a_full_storage_ends_the_creation_and_leaves_no_guest() {
    let lab = Lab::new();
    lab.fake
        .call("store_file", json!({"storage": "local", "name": "d.tar.zst", "size": 1, "content": "vztmpl"}));
    lab.fake.set("storages.local-lvm.avail", json!(1));
    let made = |spec| CreateRequest::of(GuestName::new("new1").unwrap(), spec);
    let network = ProxmoxNetwork { bridge: "vmbr0".into(), ..ProxmoxNetwork::default() };
    let vm = VmSpec { networks: vec![network], ..VmSpec::of(VmSource::Empty) };
    let (vmid, end) = lab.create(made(CreateSpec::ProxmoxVm(vm))).await;
    assert!(failure(end).to_string().contains("No space left"), "in Proxmox's own words");
    assert!(!lab.has(vmid));
    assert_eq!(lab.guest(VM, vmid).await, None);
    // The fake's containers take no space: their failing download stands for it.
    lab.fake.set("appliances", json!([{"template": "big.tar.zst", "type": "lxc"}]));
    lab.fake.set("storages.local.avail", json!(1));
    let (vmid, end) = lab.create(made(CreateSpec::ProxmoxLxc(ContainerSpec::of("big.tar.zst")))).await;
    assert!(failure(end).to_string().contains("No space left"));
    assert!(!lab.has(vmid), "nothing is made of a template that did not come");
}

#[tokio::test]
async fn a_guest_that_went_away_between_plan_and_run_is_told() {
    let lab = Lab::new();
    for kind in KINDS {
        let plan = lab.plan(kind, own(kind), ActionRequest::Start).await.unwrap();
        assert_eq!(
            lab.act(kind, own(kind), ActionRequest::Delete { purge: false }).await,
            ExecutionEnd::Done
        );
        let error = failure(lab.run(kind, own(kind), &plan, &Default::default()).await.end);
        assert_eq!(error.kind(), FailureKind::NotFound, "{error:?}");
    }
}

#[tokio::test]
async fn a_state_that_changed_between_plan_and_run_is_told() {
    let lab = Lab::running();
    let plan = lab.plan(LXC, own(LXC), Stop).await.unwrap();
    lab.act(LXC, own(LXC), Stop).await;
    let error = failure(lab.run(LXC, own(LXC), &plan, &Default::default()).await.end);
    assert_eq!(error.kind(), FailureKind::WrongState, "{error:?}");
    // Proxmox takes the stop of a stopped VM for done.
    let plan = lab.plan(VM, own(VM), Stop).await.unwrap();
    lab.act(VM, own(VM), Stop).await;
    assert_eq!(lab.run(VM, own(VM), &plan, &Default::default()).await.end, ExecutionEnd::Done);
}
