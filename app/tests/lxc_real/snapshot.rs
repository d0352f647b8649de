//! Snapshots: taken, listed, gone back to, deleted.

use std::fs;

use app::{
    backend::{Backend, Error, now_ms},
    domain::{
        action::{ActionRequest, Field},
        guest::Snapshot,
        name::GuestName,
        plan::StepResult,
        spec::CloneSpec,
    },
};

use super::{
    copy::spec,
    lab::{Lab, unique},
};

fn snapshot(description: &str) -> ActionRequest {
    ActionRequest::Snapshot { name: None, description: description.to_owned(), memory: false }
}

fn rollback(snapshot: &str) -> ActionRequest {
    ActionRequest::Rollback { snapshot: snapshot.to_owned() }
}

fn delete(snapshot: &str) -> ActionRequest {
    ActionRequest::DeleteSnapshot { snapshot: snapshot.to_owned() }
}

async fn list(lab: &Lab, name: &GuestName) -> Vec<Snapshot> {
    lab.driver.snapshots(name).await.unwrap()
}

async fn names(lab: &Lab, name: &GuestName) -> Vec<String> {
    list(lab, name).await.into_iter().map(|snapshot| snapshot.name).collect()
}

#[tokio::test]
async fn a_container_goes_back_to_a_snapshot_and_forward_no_more() {
    let lab = Lab::new();
    let name = lab.made("lxc.group = before");
    assert_eq!(list(&lab, &name).await, []);
    fs::write(lab.rootfs(&name, "etc/mark"), "old").unwrap();
    let begun = now_ms();
    lab.done(&name, snapshot("before the\nupdate")).await;
    fs::write(lab.rootfs(&name, "etc/mark"), "new").unwrap();
    fs::write(lab.rootfs(&name, "etc/later"), "").unwrap();
    lab.done(&name, snapshot("")).await;

    let listed = list(&lab, &name).await;
    assert_eq!(names(&lab, &name).await, ["snap0", "snap1"]);
    assert_eq!(listed[0].description, "before the\nupdate");
    assert_eq!(listed[1].description, "");
    let taken = listed[0].created_ms.unwrap();
    assert!((begun - 1000..=now_ms()).contains(&taken), "{taken} is not now, {begun}");
    assert!(!listed[0].memory);

    let plan = lab.plan(&name, rollback("snap0")).await.unwrap();
    assert!(plan.loses[0].contains("snap0"), "{:?}", plan.loses);
    lab.done(&name, rollback("snap0")).await;
    assert_eq!(fs::read_to_string(lab.rootfs(&name, "etc/mark")).unwrap(), "old");
    assert!(!lab.rootfs(&name, "etc/later").exists());
    assert_eq!(names(&lab, &name).await, ["snap0", "snap1"], "later snapshots stay");
    lab.start(&name).await;
}

#[tokio::test]
async fn a_new_container_is_made_from_a_snapshot() {
    let lab = Lab::new();
    let (name, copy) = (lab.made(""), unique());
    fs::write(lab.rootfs(&name, "etc/mark"), "old").unwrap();
    lab.done(&name, snapshot("")).await;
    fs::write(lab.rootfs(&name, "etc/mark"), "new").unwrap();
    // The original may go on meanwhile.
    lab.start(&name).await;
    lab.done(&name, ActionRequest::Clone(CloneSpec { snapshot: Some("snap0".into()), ..spec(&copy) })).await;
    assert_eq!(fs::read_to_string(lab.rootfs(&copy, "etc/mark")).unwrap(), "old");
    lab.start(&copy).await;
}

#[tokio::test]
async fn only_a_stopped_container_is_kept_or_put_back() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.done(&name, snapshot("")).await;
    lab.start(&name).await;
    for request in [snapshot(""), rollback("snap0")] {
        let error = lab.refused(&name, request).await;
        assert!(matches!(&error, Error::NotReady { cure, .. } if cure.contains("Shut it down")), "{error}");
    }
    // A snapshot itself can be deleted meanwhile.
    lab.done(&name, delete("snap0")).await;
    assert_eq!(list(&lab, &name).await, []);
}

#[tokio::test]
async fn a_snapshot_that_is_not_there_is_refused_and_none_other_is_touched() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.done(&name, snapshot("")).await;
    for wrong in ["snap1", "", "ALL", "A", "../snap0", "snap0/../snap0", "-h"] {
        for request in [rollback(wrong), delete(wrong)] {
            let error = lab.refused(&name, request).await;
            assert!(matches!(error, Error::Invalid { field: Field::Snapshot, .. }), "{wrong}: {error}");
        }
    }
    // LXC takes this name for the beginning of "ALL": it would delete every snapshot.
    let odd = lab.lxcpath.join(name.as_str()).join("snaps/A");
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("config"), "").unwrap();
    let error = lab.refused(&name, delete("A")).await;
    assert!(error.to_string().contains("every snapshot"), "{error}");
    assert!(names(&lab, &name).await.contains(&"snap0".to_owned()));
}

#[tokio::test]
async fn a_snapshot_is_deleted_alone() {
    let lab = Lab::new();
    let name = lab.made("");
    for _ in 0..3 {
        lab.done(&name, snapshot("")).await;
    }
    let plan = lab.plan(&name, delete("snap1")).await.unwrap();
    assert!(plan.loses[0].contains("snap1"));
    lab.done(&name, delete("snap1")).await;
    assert_eq!(names(&lab, &name).await, ["snap0", "snap2"]);
    lab.done(&name, snapshot("again")).await;
    let again = list(&lab, &name).await.into_iter().find(|kept| kept.name == "snap1").unwrap();
    assert_eq!(again.description, "again", "LXC gives the first free number again");
}

#[tokio::test]
async fn a_container_with_linked_clones_cannot_be_put_back() {
    let lab = Lab::new();
    let (name, copy) = (lab.made(""), unique());
    lab.done(&name, snapshot("")).await;
    lab.done(&name, ActionRequest::Clone(CloneSpec { linked: true, ..spec(&copy) })).await;
    let error = lab.refused(&name, rollback("snap0")).await;
    assert!(matches!(error, Error::NotReady { .. }) && error.to_string().contains(copy.as_str()), "{error}");
}

#[tokio::test]
async fn the_snapshots_of_a_linked_clone_hold_what_was_made_from_them() {
    let lab = Lab::new();
    let (name, linked, made) = (lab.made(""), unique(), unique());
    lab.done(&name, ActionRequest::Clone(CloneSpec { linked: true, ..spec(&linked) })).await;
    lab.done(&linked, snapshot("")).await;
    let of_snapshot = CloneSpec { snapshot: Some("snap0".into()), ..spec(&made) };
    lab.done(&linked, ActionRequest::Clone(of_snapshot)).await;
    for request in [delete("snap0"), ActionRequest::Delete { purge: true }] {
        let error = lab.refused(&linked, request).await;
        assert!(error.to_string().contains(made.as_str()), "{error}");
    }
    lab.done(&linked, rollback("snap0")).await;
    lab.done(&made, ActionRequest::Delete { purge: false }).await;
    lab.done(&linked, ActionRequest::Delete { purge: true }).await;
    assert!(!lab.lxcpath.join(linked.as_str()).exists());
}

#[tokio::test]
async fn half_a_snapshot_is_not_gone_back_to() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.done(&name, snapshot("")).await;
    // As a killed lxc-snapshot leaves it: the time is written last.
    fs::remove_file(lab.lxcpath.join(name.as_str()).join("snaps/snap0/ts")).unwrap();
    assert!(list(&lab, &name).await[0].description.contains("cut off"));
    let error = lab.refused(&name, rollback("snap0")).await;
    assert!(error.to_string().contains("cut off"), "{error}");
    lab.done(&name, delete("snap0")).await;
}

#[tokio::test]
async fn a_description_is_never_written_into_somebody_elses_snapshot() {
    let lab = Lab::new();
    let name = lab.made("");
    let plan = lab.plan(&name, snapshot("mine")).await.unwrap();
    let comment = lab.dir.path().join("comment");
    fs::write(&comment, "theirs").unwrap();
    assert!(lab.tool("lxc-snapshot", &name, &["-c", comment.to_str().unwrap()]).status.success());
    let ran = lab.run(&name, &plan).await;
    assert_eq!(ran.outcomes[1].result, StepResult::NotEdited);
    assert!(matches!(super::failed(ran.end), Error::NotEdited { .. }));
    assert_eq!(list(&lab, &name).await[0].description, "theirs");
}

#[tokio::test]
async fn a_purge_deletes_the_snapshots_and_a_plain_delete_does_not() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.done(&name, snapshot("")).await;
    let error = lab.refused(&name, ActionRequest::Delete { purge: false }).await.to_string();
    assert!(error.contains("snap0"), "{error}");
    let plan = lab.plan(&name, ActionRequest::Delete { purge: true }).await.unwrap();
    assert!(plan.loses.iter().any(|line| line.contains("snap0")), "{:?}", plan.loses);
    lab.done(&name, ActionRequest::Delete { purge: true }).await;
    assert!(!lab.lxcpath.join(name.as_str()).exists());
    let bare = lab.made("");
    lab.done(&bare, ActionRequest::Delete { purge: true }).await;
    assert!(!lab.lxcpath.join(bare.as_str()).exists());
}
