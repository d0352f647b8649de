use super::{
    super::tests::{LXC, VM, facts, lines, refused},
    *,
};
use crate::domain::name::GuestName;
use GuestStatus::{Running, Stopped};

fn spec() -> CloneSpec {
    CloneSpec {
        name: GuestName::new("web2").unwrap(),
        vmid: None,
        linked: false,
        snapshot: None,
        storage: None,
        node: None,
    }
}

fn others() -> CloneFacts {
    let snapshots = vec![Snapshot {
        name: "s1".into(),
        created_ms: None,
        description: String::new(),
        parent: None,
        memory: false,
    }];
    CloneFacts { vmid: 102, snapshots, can_link: true, nodes: nodes() }
}

fn nodes() -> Vec<NodeFact> {
    [("pve1", true), ("pve2", true), ("pve3", false)]
        .map(|(name, is_online)| NodeFact { name: name.into(), is_online })
        .into()
}

#[test]
fn a_full_clone_has_its_own_id_name_storage_and_node() {
    let asked = CloneSpec { storage: Some("ceph".into()), node: Some("pve2".into()), ..spec() };
    let plan = clone(&facts(VM, Running, &[]), &asked, &others()).unwrap();
    assert_eq!(
        lines(&plan),
        ["POST /nodes/pve1/qemu/200/clone newid=102 name=web2 full=1 storage=ceph target=pve2"]
    );
    assert_eq!(plan.expect, Some(Expectation::OtherExists(GuestName::new("102").unwrap())));
    let here = CloneSpec { node: Some("pve1".into()), ..spec() };
    let plan = clone(&facts(LXC, Stopped, &[]), &here, &others()).unwrap();
    assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/clone newid=102 hostname=web2 full=1"]);
}

#[test]
fn a_running_container_is_copied_only_from_a_snapshot() {
    let ct = facts(LXC, Running, &[]);
    assert!(refused(clone(&ct, &spec(), &others())).contains("only from a snapshot"));
    let asked = CloneSpec { snapshot: Some("s1".into()), ..spec() };
    let plan = clone(&ct, &asked, &others()).unwrap();
    assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/clone newid=102 hostname=web2 full=1 snapname=s1"]);
    let asked = CloneSpec { snapshot: Some("s2".into()), ..spec() };
    assert!(refused(clone(&ct, &asked, &others())).contains("no snapshot “s2”"));
}

#[test]
fn only_a_template_or_a_snapshot_is_linked_to() {
    let linked = CloneSpec { linked: true, ..spec() };
    let ct = facts(LXC, Stopped, &[]);
    assert!(refused(clone(&ct, &linked, &others())).contains("is no template"));
    let template = GuestFacts { is_template: true, ..ct.clone() };
    let plan = clone(&template, &linked, &others()).unwrap();
    assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/clone newid=102 hostname=web2 full=0"]);
    let of_snapshot = CloneSpec { snapshot: Some("s1".into()), ..linked.clone() };
    assert!(clone(&facts(VM, Running, &[]), &of_snapshot, &others()).is_ok());
    let unable = CloneFacts { can_link: false, ..others() };
    assert!(refused(clone(&template, &linked, &unable)).contains("cannot share"));
}

#[test]
fn another_node_must_be_there_and_up() {
    let vm = facts(VM, Running, &[]);
    let to = |node: &str| CloneSpec { node: Some(node.into()), ..spec() };
    assert!(refused(clone(&vm, &to("pve9"), &others())).contains("there are pve1, pve2, pve3"));
    assert!(refused(clone(&vm, &to("pve3"), &others())).contains("offline"));
    assert!(refused(migrate(&vm, &nodes(), "pve9")).contains("no node pve9"));
    assert!(refused(migrate(&vm, &nodes(), "pve3")).contains("offline"));
    assert!(refused(migrate(&vm, &nodes(), "pve1")).contains("already"));
}

#[test]
fn a_running_vm_moves_while_it_runs_and_a_container_is_restarted() {
    let line =
        |kind, status| lines(&migrate(&facts(kind, status, &[]), &nodes(), "pve2").unwrap()).join("\n");
    assert_eq!(
        line(VM, Running),
        "POST /nodes/pve1/qemu/200/migrate target=pve2 online=1 with-local-disks=1"
    );
    assert_eq!(line(LXC, Running), "POST /nodes/pve1/lxc/101/migrate target=pve2 restart=1");
    assert_eq!(line(VM, Stopped), "POST /nodes/pve1/qemu/200/migrate target=pve2");
    let managed = GuestFacts { is_ha: true, ..facts(VM, Running, &[]) };
    assert!(migrate(&managed, &nodes(), "pve2").unwrap().steps[0].title.contains("HA manager"));
    let plan = migrate(&facts(LXC, Running, &[]), &nodes(), "pve2").unwrap();
    assert_eq!(plan.expect, Some(Expectation::Status(Running)));
}

#[test]
fn a_template_is_for_good() {
    let ct = facts(LXC, Stopped, &[]);
    let plan = make_template(&ct, &[]).unwrap();
    assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/template"]);
    assert!(plan.loses[0].contains("never be started again"));
    assert!(refused(make_template(&ct, &others().snapshots)).contains("has snapshots: s1"));
}

#[test]
fn a_backup_removes_no_older_one() {
    let plan = backup(&facts(VM, Running, &[]), "local", BackupMode::Stop);
    assert_eq!(
        lines(&plan),
        ["POST /nodes/pve1/vzdump vmid=200 storage=local mode=stop compress=zstd remove=0"]
    );
    assert!(plan.steps[0].title.contains("shut down and started again"));
    assert!(plan.loses.is_empty());
}
