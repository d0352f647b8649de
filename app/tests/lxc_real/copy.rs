//! Clones.

use std::{fs, time::Duration};

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        spec::CloneSpec,
    },
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    failed,
    lab::{Lab, unique},
};

pub fn spec(name: &GuestName) -> CloneSpec {
    CloneSpec { name: name.clone(), vmid: None, linked: false, snapshot: None, storage: None, node: None }
}

fn clone(spec: CloneSpec) -> ActionRequest {
    ActionRequest::Clone(spec)
}

#[tokio::test]
async fn a_full_copy_lives_without_its_original() {
    let lab = Lab::new();
    let (name, copy) = (lab.made("lxc.group = web"), unique());
    fs::write(lab.rootfs(&name, "etc/mark"), "original").unwrap();
    lab.done(&name, clone(spec(&copy))).await;
    lab.done(&name, ActionRequest::Delete { purge: false }).await;
    assert_eq!(fs::read_to_string(lab.rootfs(&copy, "etc/mark")).unwrap(), "original");
    let config = lab.config(&copy);
    assert!(config.contains(&format!("lxc.uts.name = {copy}")), "{config}");
    assert_eq!(lab.guest(&copy).await.unwrap().tags, ["web"]);
    lab.start(&copy).await;
}

#[tokio::test]
async fn a_linked_clone_shares_the_originals_files_and_holds_it() {
    let lab = Lab::new();
    let (name, copy) = (lab.made(""), unique());
    fs::write(lab.rootfs(&name, "etc/mark"), "original").unwrap();
    lab.done(&name, clone(CloneSpec { linked: true, ..spec(&copy) })).await;
    assert!(lab.config(&copy).contains("lxc.rootfs.path = overlay:"));
    lab.start(&copy).await;
    let seen = lab.tool("lxc-attach", &copy, &["--clear-env", "--", "/bin/busybox", "cat", "/etc/mark"]);
    assert_eq!(String::from_utf8_lossy(&seen.stdout), "original");
    let error = lab.refused(&name, ActionRequest::Delete { purge: true }).await.to_string();
    assert!(error.contains(copy.as_str()), "{error}");
    // What is seen in an overlay can be copied whole, too.
    lab.done(&copy, ActionRequest::Stop).await;
    let whole = unique();
    lab.done(&copy, clone(spec(&whole))).await;
    assert!(lab.config(&whole).contains("lxc.rootfs.path = dir:"));
    assert_eq!(fs::read_to_string(lab.rootfs(&whole, "etc/mark")).unwrap(), "original");
    for gone in [&copy, &name] {
        lab.done(gone, ActionRequest::Delete { purge: false }).await;
    }
    lab.start(&whole).await;
}

#[tokio::test]
async fn a_clone_of_a_running_container_is_refused_with_the_cure() {
    let lab = Lab::new();
    let (name, copy) = (lab.made(""), unique());
    let plan = lab.plan(&name, clone(spec(&copy))).await.unwrap();
    lab.start(&name).await;
    let error = lab.refused(&name, clone(spec(&copy))).await;
    assert!(matches!(&error, Error::NotReady { cure, .. } if cure.contains("Shut it down")), "{error}");
    // One that was planned before the start fails by its log, as the tool itself says nothing.
    let error = failed(lab.run(&name, &plan).await.end);
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
    assert_eq!(lab.guest(&copy).await, None);
    assert!(!lab.lxcpath.join(copy.as_str()).exists());
}

#[tokio::test]
async fn a_taken_name_is_refused_before_and_while_it_runs() {
    let lab = Lab::new();
    let (name, taken) = (lab.made(""), unique());
    let plan = lab.plan(&name, clone(spec(&taken))).await.unwrap();
    fs::create_dir(lab.lxcpath.join(taken.as_str())).unwrap();
    fs::write(lab.lxcpath.join(taken.as_str()).join("config"), "lxc.arch = x86_64\n").unwrap();
    let exists = Error::AlreadyExists(GuestId::new(BackendKind::Lxc, taken.clone()));
    assert_eq!(lab.refused(&name, clone(spec(&taken))).await, exists);
    assert_eq!(failed(lab.run(&name, &plan).await.end), exists);
    assert_eq!(lab.config(&taken), "lxc.arch = x86_64\n", "it was not touched");
}

#[tokio::test]
async fn what_lxc_cannot_copy_is_named_before_it_is_tried() {
    let lab = Lab::new();
    let (first, copy) = (lab.made(""), unique());
    // On the root file system of another one, whose path does not have its name.
    let name = lab.made_on(&first);
    let error = lab.refused(&name, clone(spec(&copy))).await;
    assert!(matches!(error, Error::NotReady { .. }) && error.to_string().contains(first.as_str()), "{error}");
    let vmid = CloneSpec { vmid: Some(101), ..spec(&copy) };
    assert!(matches!(lab.refused(&first, clone(vmid)).await, Error::Invalid { field: Field::Vmid, .. }));
}

#[tokio::test]
async fn a_copy_that_was_cut_off_is_never_started_on_the_hosts_files() {
    let lab = Lab::new();
    let (name, copy) = (lab.made(""), unique());
    // So much that there is time to cancel.
    fs::write(lab.rootfs(&name, "big"), vec![1; 128 << 20]).unwrap();
    let plan = lab.plan(&name, clone(spec(&copy))).await.unwrap();
    let cancel = CancellationToken::new();
    let press = async {
        while lab.guest(&copy).await.is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(lab.run_until(&name, &plan, cancel.clone()), press);
    assert_eq!(ran.end, ExecutionEnd::Cancelled);
    let guest = lab.guest(&copy).await.unwrap();
    assert_eq!(guest.status, GuestStatus::Stopped);
    assert!(guest.note.unwrap().contains("was cut off"));
    let error = lab.refused(&copy, ActionRequest::Start).await;
    assert!(
        matches!(error, Error::NotReady { .. }) && error.to_string().contains("host's own files"),
        "{error}"
    );
    lab.done(&copy, ActionRequest::Delete { purge: false }).await;
    assert!(!lab.lxcpath.join(copy.as_str()).exists());
    lab.start(&name).await;
}
