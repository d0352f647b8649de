use super::*;

fn place() -> Place {
    Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() }
}

fn web1() -> GuestName {
    GuestName::new("web1").unwrap()
}

fn kept(name: &str) -> Kept {
    Kept { name: name.into(), created_ms: Some(0), comment: String::new(), is_complete: true, clones: vec![] }
}

fn facts() -> StorageFacts {
    StorageFacts {
        is_active: false,
        is_taken: false,
        has_rsync: true,
        rootfs: Some("dir:/var/lib/lxc/web1/rootfs".into()),
        is_overlay: false,
        is_unmanaged: false,
        has_hardware_address: false,
        snapshots: vec![kept("snap0"), kept("snap1")],
        snapshot_directory: "/var/lib/lxc/web1/snaps".into(),
        next_snapshot: "snap2".into(),
        clones: vec![],
        dependents: vec![],
    }
}

fn spec(name: &str) -> CloneSpec {
    CloneSpec {
        name: GuestName::found(name).unwrap(),
        vmid: None,
        linked: false,
        snapshot: None,
        storage: None,
        node: None,
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.work.to_string()).collect()
}

fn refusal(result: Result<Plan, Error>) -> String {
    match result {
        Err(error @ Error::NotReady { .. }) => error.to_string(),
        other => panic!("expected a refusal with a cure, got {other:?}"),
    }
}

fn field(result: Result<(), Error>) -> Field {
    match result {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("expected a refused field, got {other:?}"),
    }
}

const LOG: &str = "-l ERROR -o /run/p/lxc-copy-web1.log";
const SNAPSHOT_LOG: &str = "-l ERROR -o /run/p/lxc-snapshot-web1.log";

#[test]
fn a_clone_is_a_full_copy_or_one_that_shares_the_originals_files() {
    let plan = clone(&place(), &web1(), &spec("web2"), &facts()).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-copy -P /var/lib/lxc -n web1 -N web2 {LOG}")]);
    assert_eq!(plan.expect, Some(Expectation::OtherExists(GuestName::new("web2").unwrap())));
    let linked = CloneSpec { linked: true, ..spec("web2") };
    let without_rsync = StorageFacts { has_rsync: false, ..facts() };
    let plan = clone(&place(), &web1(), &linked, &without_rsync).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-copy -P /var/lib/lxc -n web1 -N web2 -s {LOG}")]);
}

#[test]
fn a_full_copy_of_an_overlay_becomes_a_plain_directory() {
    let overlay = StorageFacts { is_overlay: true, ..facts() };
    let plan = clone(&place(), &web1(), &spec("web2"), &overlay).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-copy -P /var/lib/lxc -n web1 -N web2 -B dir {LOG}")]);
    let linked = CloneSpec { linked: true, ..spec("web2") };
    let without_rsync = StorageFacts { has_rsync: false, ..overlay };
    assert!(refusal(clone(&place(), &web1(), &linked, &without_rsync)).contains("apt-get install rsync"));
}

#[test]
fn a_clone_of_a_snapshot_can_be_made_while_the_original_runs() {
    let running = StorageFacts { is_active: true, ..facts() };
    let of_snapshot = CloneSpec { snapshot: Some("snap1".into()), ..spec("web2") };
    let plan = clone(&place(), &web1(), &of_snapshot, &running).unwrap();
    assert_eq!(
        lines(&plan),
        [format!("lxc-snapshot -P /var/lib/lxc -n web1 -r snap1 -N web2 {SNAPSHOT_LOG}")]
    );
    let cloned = StorageFacts { clones: vec!["web9".into()], ..facts() };
    assert!(refusal(clone(&place(), &web1(), &of_snapshot, &cloned)).contains("web9"));
}

#[test]
fn a_clone_is_refused_before_anything_runs() {
    let of = |facts: StorageFacts| clone(&place(), &web1(), &spec("web2"), &facts);
    assert!(
        matches!(of(StorageFacts { is_taken: true, ..facts() }), Err(Error::AlreadyExists(id)) if id.name.as_str() == "web2")
    );
    assert!(refusal(of(StorageFacts { is_active: true, ..facts() })).contains("Shut it down first"));
    assert!(refusal(of(StorageFacts { has_rsync: false, ..facts() })).contains("apt-get install rsync"));
    assert!(refusal(of(StorageFacts { rootfs: None, ..facts() })).contains("names no root file system"));
    let elsewhere = StorageFacts { rootfs: Some("dir:/srv/common".into()), ..facts() };
    assert!(refusal(of(elsewhere)).contains("/srv/common"));
}

#[test]
fn what_only_proxmox_knows_is_refused_at_its_own_field() {
    for (spec, wrong) in [
        (CloneSpec { vmid: Some(101), ..spec("web2") }, Field::Vmid),
        (CloneSpec { storage: Some("local".into()), ..spec("web2") }, Field::Storage),
        (CloneSpec { node: Some("pve1".into()), ..spec("web2") }, Field::Node),
        (CloneSpec { linked: true, snapshot: Some("snap0".into()), ..spec("web2") }, Field::Snapshot),
        (spec(&"x".repeat(64)), Field::Name),
    ] {
        assert_eq!(field(check_clone(&spec, false)), wrong);
    }
    assert_eq!(field(check_clone(&spec("101"), true)), Field::Name);
    assert_eq!(check_clone(&spec("101"), false), Ok(()));
}

#[test]
fn a_snapshot_gets_its_description_by_an_edit_of_its_empty_comment() {
    let plan = snapshot(&place(), &web1(), "before\nthe update ", &facts()).unwrap();
    assert_eq!(lines(&plan)[0], format!("lxc-snapshot -P /var/lib/lxc -n web1 -c /dev/null {SNAPSHOT_LOG}"));
    let Work::Edit(edit) = &plan.steps[1].work else { panic!("no edit") };
    assert_eq!(edit.path, "/var/lib/lxc/web1/snaps/snap2/comment");
    assert_eq!(edit.changes[0].value.as_deref(), Some("before\nthe update"));
    assert_eq!(edit.digest, Some(edit::digest("")));
    let plan = snapshot(&place(), &web1(), " ", &facts()).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-snapshot -P /var/lib/lxc -n web1 {SNAPSHOT_LOG}")]);
}

#[test]
fn a_snapshot_is_refused_before_anything_runs() {
    assert_eq!(field(check_snapshot(Some("mine"), "", false)), Field::Snapshot);
    assert_eq!(field(check_snapshot(Some(""), "", false)), Field::Snapshot);
    assert_eq!(field(check_snapshot(None, "", true)), Field::Memory);
    for text in ["a\0", "\u{1b}[2J", &"x".repeat(LONGEST_COMMENT + 1)] {
        assert_eq!(field(check_snapshot(None, text, false)), Field::Description);
    }
    assert_eq!(check_snapshot(None, "a\n\tü", false), Ok(()));
    let of = |facts: StorageFacts| snapshot(&place(), &web1(), "", &facts);
    assert!(refusal(of(StorageFacts { is_active: true, ..facts() })).contains("Shut it down first"));
    assert!(refusal(of(StorageFacts { has_rsync: false, ..facts() })).contains("rsync"));
    assert!(refusal(of(StorageFacts { rootfs: Some("dir:/srv/x".into()), ..facts() })).contains("/srv/x"));
}

#[test]
fn a_rollback_says_what_is_lost() {
    let plan = rollback(&place(), &web1(), "snap0", &facts()).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-snapshot -P /var/lib/lxc -n web1 -r snap0 {SNAPSHOT_LOG}")]);
    assert!(plan.loses[0].contains("since the snapshot snap0") && plan.loses[0].contains("configuration"));
    assert_eq!(plan.loses.len(), 1);
    let addressed = StorageFacts { has_hardware_address: true, ..facts() };
    assert!(
        rollback(&place(), &web1(), "snap0", &addressed).unwrap().loses[1].contains("hardware addresses")
    );
}

#[test]
fn a_rollback_that_would_lose_more_is_refused() {
    let of = |facts: StorageFacts| rollback(&place(), &web1(), "snap0", &facts);
    assert!(refusal(of(StorageFacts { is_active: true, ..facts() })).contains("Shut it down first"));
    assert!(refusal(of(StorageFacts { clones: vec!["web2".into()], ..facts() })).contains("web2"));
    assert!(refusal(of(StorageFacts { dependents: vec!["web3".into()], ..facts() })).contains("web3"));
    assert!(refusal(of(StorageFacts { is_unmanaged: true, ..facts() })).contains("managed = 0"));
    assert!(
        refusal(of(StorageFacts { has_rsync: false, ..facts() })).contains("rsync"),
        "it would end as nothing"
    );
    let half = Kept { is_complete: false, ..kept("snap0") };
    assert!(refusal(of(StorageFacts { snapshots: vec![half], ..facts() })).contains("cut off"));
}

#[test]
fn a_snapshot_that_is_not_there_is_named_to_no_tool() {
    for name in ["snap9", "", "../snap0", "snap0/", "-n", "snap0\n", "ALL"] {
        for result in [
            rollback(&place(), &web1(), name, &facts()),
            delete_snapshot(&place(), &web1(), name, &facts()),
            clone(&place(), &web1(), &CloneSpec { snapshot: Some(name.into()), ..spec("w") }, &facts()),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Invalid { field: Field::Snapshot, .. }), "{name:?}: {error}");
            assert!(error.to_string().contains("snap0, snap1"), "{error}");
        }
    }
}

#[test]
fn the_beginning_of_all_is_no_name_of_one_snapshot() {
    for name in ["A", "AL", "ALL"] {
        let facts = StorageFacts { snapshots: vec![kept(name), kept("snap0")], ..facts() };
        assert!(refusal(delete_snapshot(&place(), &web1(), name, &facts)).contains("every snapshot"));
    }
    let plan = delete_snapshot(&place(), &web1(), "snap0", &facts()).unwrap();
    assert_eq!(lines(&plan), [format!("lxc-snapshot -P /var/lib/lxc -n web1 -d snap0 {SNAPSHOT_LOG}")]);
    assert!(plan.loses[0].contains("snap0"));
}

#[test]
fn a_snapshot_that_containers_were_made_from_is_not_deleted() {
    let used = Kept { clones: vec!["web2".into()], ..kept("snap0") };
    let facts = StorageFacts { snapshots: vec![used], ..facts() };
    assert!(refusal(delete_snapshot(&place(), &web1(), "snap0", &facts)).contains("web2"));
}
