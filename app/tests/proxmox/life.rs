//! Power: on, off and in between.

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::ActionRequest::{Hibernate, Pause, Reboot, Reset, Resume, Shutdown, Start, Stop},
        guest::GuestStatus::{Paused, Running, Stopped},
    },
};
use serde_json::json;

use crate::lab::{CT, KINDS, LXC, Lab, MACHINE, VM, own};

#[tokio::test]
async fn a_guest_is_started_and_shut_down() {
    let lab = Lab::new();
    for kind in KINDS {
        let vmid = own(kind);
        assert_eq!(lab.act(kind, vmid, Start).await, ExecutionEnd::Done);
        assert_eq!(lab.fake.get_guest(vmid, "status"), "running");
        assert_eq!(lab.status(kind, vmid).await, Some(Running));
        assert_eq!(lab.act(kind, vmid, Shutdown { timeout_seconds: 30 }).await, ExecutionEnd::Done);
        assert_eq!(lab.fake.get_guest(vmid, "status"), "stopped");
        assert_eq!(lab.status(kind, vmid).await, Some(Stopped));
    }
}

#[tokio::test]
async fn a_guest_that_does_not_listen_is_stopped() {
    let lab = Lab::running();
    for kind in KINDS {
        lab.fake.set_guest(own(kind), "shutdown_secs", json!(9999));
        assert_eq!(lab.act(kind, own(kind), Stop).await, ExecutionEnd::Done);
        assert_eq!(lab.fake.get_guest(own(kind), "status"), "stopped");
    }
}

#[tokio::test]
async fn a_reboot_starts_the_guest_anew() {
    let lab = Lab::running();
    for kind in KINDS {
        lab.fake.set_guest(own(kind), "started_at", json!(1000));
        assert_eq!(lab.act(kind, own(kind), Reboot { timeout_seconds: 30 }).await, ExecutionEnd::Done);
        assert_eq!(lab.fake.get_guest(own(kind), "status"), "running");
        assert!(lab.fake.get_guest(own(kind), "started_at").as_f64().unwrap() > 1_000_000.0);
    }
}

#[tokio::test]
async fn a_vms_reset_button_is_pressed() {
    let lab = Lab::running();
    lab.fake.set_guest(MACHINE, "started_at", json!(1000));
    assert_eq!(lab.act(VM, MACHINE, Reset).await, ExecutionEnd::Done);
    assert!(lab.fake.get_guest(MACHINE, "started_at").as_f64().unwrap() > 1_000_000.0);
}

#[tokio::test]
async fn a_vm_is_paused_and_goes_on() {
    let lab = Lab::running();
    assert_eq!(lab.act(VM, MACHINE, Pause).await, ExecutionEnd::Done);
    assert_eq!(lab.fake.get_guest(MACHINE, "qmpstatus"), "paused");
    assert_eq!(lab.status(VM, MACHINE).await, Some(Paused));
    assert_eq!(lab.act(VM, MACHINE, Resume).await, ExecutionEnd::Done);
    assert_eq!(lab.fake.get_guest(MACHINE, "qmpstatus"), "running");
}

#[tokio::test]
async fn a_vm_is_hibernated_and_started_from_there() {
    let lab = Lab::running();
    assert_eq!(lab.act(VM, MACHINE, Hibernate).await, ExecutionEnd::Done);
    let asleep = lab.guest(VM, MACHINE).await.unwrap();
    assert_eq!((asleep.status, asleep.lock.as_deref()), (Stopped, Some("suspended")));
    assert!(asleep.note.unwrap().contains("hibernated"));
    assert_eq!(lab.act(VM, MACHINE, Start).await, ExecutionEnd::Done);
    let awake = lab.guest(VM, MACHINE).await.unwrap();
    assert_eq!((awake.status, awake.lock), (Running, None));
}

#[tokio::test]
async fn a_container_is_checkpointed_and_restored() {
    let lab = Lab::running();
    assert_eq!(lab.act(LXC, CT, Pause).await, ExecutionEnd::Done);
    assert_eq!(lab.fake.get_guest(CT, "checkpoint"), true);
    assert_eq!(lab.status(LXC, CT).await, Some(Stopped), "as Proxmox calls it");
    assert_eq!(lab.act(LXC, CT, Resume).await, ExecutionEnd::Done);
    assert_eq!(lab.fake.get_guest(CT, "status"), "running");
}

#[tokio::test]
async fn a_checkpoint_that_no_longer_fits_is_not_restored() {
    let lab = Lab::running();
    lab.fake.call("add_ct", json!({"vmid": 102, "name": "web2", "status": "running"}));
    let words = async |vmid| lab.refused(LXC, vmid, Resume).await.to_string();
    lab.act(LXC, CT, Stop).await;
    assert!(words(CT).await.contains("no checkpoint of CT 101"));
    lab.act(LXC, CT, Start).await;
    lab.act(LXC, CT, Pause).await;
    lab.act(LXC, CT, Start).await;
    lab.act(LXC, CT, Stop).await;
    assert!(words(CT).await.contains("has run since"));
    lab.act(LXC, CT, Start).await;
    lab.act(LXC, CT, Pause).await;
    lab.act(LXC, 102, Pause).await;
    assert!(words(CT).await.contains("that of CT 102"));
    assert_eq!(lab.act(LXC, 102, Resume).await, ExecutionEnd::Done);
}

#[tokio::test]
async fn what_a_container_has_not_is_refused_as_such() {
    let lab = Lab::running();
    for request in [Reset, Hibernate] {
        assert!(matches!(lab.refused(LXC, CT, request).await, Error::Unsupported { .. }));
    }
}

#[tokio::test]
async fn the_end_of_what_the_ha_manager_does_is_waited_for() {
    let lab = Lab::new();
    // Later than an expectation alone would wait.
    lab.fake.set("time_scale", json!(0.05));
    lab.fake.set("ha_delay", json!(100));
    lab.fake.set_guest(MACHINE, "status", json!("running"));
    lab.fake.set_guest(CT, "ha_state", json!("stopped"));
    lab.fake.set_guest(MACHINE, "ha_state", json!("started"));
    let (started, stopped) =
        tokio::join!(lab.act(LXC, CT, Start), lab.act(VM, MACHINE, Shutdown { timeout_seconds: 5 }));
    assert_eq!((started, stopped), (ExecutionEnd::Done, ExecutionEnd::Done));
    assert_eq!(lab.fake.get_guest(CT, "status"), "running");
    assert_eq!(lab.fake.get_guest(MACHINE, "status"), "stopped");
}
