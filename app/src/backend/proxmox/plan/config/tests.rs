use super::{
    super::tests::{LXC, VM, facts, lines, refused},
    *,
};
use crate::domain::guest::GuestStatus::{Running, Stopped};

fn put(facts: &GuestFacts, changes: Changes) -> String {
    lines(&configure(facts, &changes).unwrap()).join("\n")
}

#[test]
fn all_that_changes_goes_in_one_call_with_the_digest() {
    let all = Changes {
        cpu: Some(Cpus::cores(2)),
        memory: Some(512 << 20),
        swap: Some(0),
        pids: None,
        description: Some("a web server".into()),
        tags: Some(vec!["prod".into(), "web".into()]),
        start_at_boot: Some(true),
    };
    assert_eq!(
        put(&facts(LXC, Running, &[]), all.clone()),
        "PUT /nodes/pve1/lxc/101/config cores=2 memory=512 swap=0 'description=a web server' 'tags=prod;web' onboot=1 \
         digest=d1"
    );
    assert_eq!(
        put(&facts(VM, Running, &[]), Changes { swap: None, ..all }),
        "PUT /nodes/pve1/qemu/200/config cores=2 memory=512 'description=a web server' 'tags=prod;web' onboot=1 \
         digest=d1"
    );
}

#[test]
fn what_is_emptied_is_deleted() {
    let changes = Changes {
        cpu: Some(Cpus::cores(1)),
        description: Some(String::new()),
        tags: Some(vec![]),
        start_at_boot: Some(false),
        ..Changes::default()
    };
    assert_eq!(
        put(&facts(LXC, Stopped, &[("cpulimit", "1.5")]), changes),
        "PUT /nodes/pve1/lxc/101/config cores=1 onboot=0 delete=cpulimit,description,tags digest=d1"
    );
    assert!(refused(configure(&facts(LXC, Stopped, &[]), &Changes::default())).starts_with("Nothing"));
}

#[test]
fn a_part_of_a_core_is_a_limit_on_whole_ones() {
    let cpu = |cpus| Changes { cpu: Some(Cpus(cpus)), ..Changes::default() };
    assert_eq!(
        put(&facts(LXC, Running, &[]), cpu(1500)),
        "PUT /nodes/pve1/lxc/101/config cores=2 cpulimit=1.5 digest=d1"
    );
    let two_sockets = facts(VM, Running, &[("sockets", "2")]);
    assert_eq!(put(&two_sockets, cpu(4000)), "PUT /nodes/pve1/qemu/200/config cores=2 digest=d1");
    assert!(refused(configure(&two_sockets, &cpu(3000))).contains("multiple of 2"));
}

#[test]
fn a_vm_is_not_given_less_memory_than_it_is_promised() {
    let memory = Changes { memory: Some(512 << 20), ..Changes::default() };
    assert!(refused(configure(&facts(VM, Running, &[("balloon", "1024")]), &memory)).contains("1024 MiB"));
    assert!(configure(&facts(VM, Running, &[("balloon", "512")]), &memory).is_ok());
}

#[test]
fn a_disk_only_grows() {
    let ct =
        facts(LXC, Running, &[("rootfs", "local:101/vm-101-disk-0.raw,size=8G"), ("mp0", "/srv,mp=/srv")]);
    let plan = resize(&ct, "rootfs", 10 << 30).unwrap();
    assert_eq!(lines(&plan), ["PUT /nodes/pve1/lxc/101/resize disk=rootfs size=10G digest=d1"]);
    assert!(refused(resize(&ct, "rootfs", 4 << 30)).contains("8G and cannot be made smaller"));
    assert!(refused(resize(&ct, "rootfs", 8 << 30)).contains("8G already"));
    assert!(refused(resize(&ct, "mp0", 8 << 30)).contains("it has rootfs"));
    let vm = facts(VM, Running, &[("scsi0", "local-lvm:vm-200-disk-0")]);
    let plan = resize(&vm, "scsi0", 1536 << 20).unwrap();
    assert_eq!(lines(&plan), ["PUT /nodes/pve1/qemu/200/resize disk=scsi0 size=1536M digest=d1"]);
    assert_eq!([1 << 30, 528 << 10, 1000].map(size_text), ["1G", "528K", "1000"]);
}

#[test]
fn a_lock_is_removed_on_the_guests_own_node_or_as_root() {
    let root = UnlockFacts { is_root: true, ..UnlockFacts::default() };
    let nobody = UnlockFacts::default();
    for (kind, tool) in [(LXC, "pct unlock 101"), (VM, "qm unlock 200")] {
        let locked = GuestFacts { lock: Some("backup".into()), ..facts(kind, Running, &[]) };
        let here = GuestFacts { is_local: true, ..locked.clone() };
        assert_eq!(lines(&unlock(&here, &nobody).unwrap()), [tool]);
        let cure = refused(unlock(&locked, &nobody));
        assert!(cure.contains(&format!("Run `{tool}` on pve1")), "{cure}");
    }
    let locked = |kind| GuestFacts { lock: Some("backup".into()), ..facts(kind, Running, &[]) };
    assert_eq!(
        lines(&unlock(&locked(VM), &root).unwrap()),
        ["PUT /nodes/pve1/qemu/200/config delete=lock skiplock=1"]
    );
    assert!(refused(unlock(&locked(LXC), &root)).contains("only on its own node"));
}

#[test]
fn a_lock_that_somebody_holds_stays() {
    let locked = GuestFacts { lock: Some("backup".into()), is_local: true, ..facts(VM, Running, &[]) };
    let busy = UnlockFacts { is_root: true, at_work: vec!["vzdump".into()] };
    assert!(refused(unlock(&locked, &busy)).contains("vzdump is at work"));
    assert!(refused(unlock(&facts(VM, Running, &[]), &busy)).contains("not locked"));
}
