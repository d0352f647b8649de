use std::fs;

use super::*;

const V1: &str = "30 20 0:26 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n";
const V2: &str = "31 20 0:27 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw\n";

#[test]
fn the_layout_is_told_by_the_mounts() {
    assert_eq!(Layout::from_mountinfo(&format!("{V1}{V2}")), Layout::Hybrid);
    assert_eq!(Layout::from_mountinfo(V1), Layout::V1);
    assert_eq!(Layout::from_mountinfo(V2), Layout::V2);
}

fn line(controllers: &[&str], path: &str) -> CgroupLine {
    CgroupLine { controllers: controllers.iter().map(|&c| c.to_owned()).collect(), path: path.into() }
}

#[test]
fn a_v2_guest_is_read_above_its_inits_own_subgroup() {
    let dir = tempfile::tempdir().unwrap();
    let group = dir.path().join("lxc.payload.web1");
    fs::create_dir_all(group.join("init.scope")).unwrap();
    for (file, text) in [
        ("memory.current", "4096\n"),
        ("memory.max", "max\n"),
        ("cpu.stat", "usage_usec 12\nuser_usec 5\n"),
        ("cpu.max", "150000 100000\n"),
        ("pids.current", "3\n"),
        ("pids.max", "max\n"),
        ("cgroup.freeze", "1\n"),
    ] {
        fs::write(group.join(file), text).unwrap();
    }
    let lines = vec![line(&[], "/lxc.payload.web1/init.scope")];
    let usage = Groups::at(dir.path(), lines, |part| part == "lxc.payload.web1").usage();
    let want = Usage {
        memory: Some(4096),
        memory_limit: None,
        cpu_ns: Some(12_000),
        cpu_limit: Some(Cpus(1500)),
        tasks: Some(3),
        tasks_limit: None,
        frozen: true,
    };
    assert_eq!(usage, want);
}

#[test]
fn a_v1_guest_without_a_memory_limit_has_none() {
    let dir = tempfile::tempdir().unwrap();
    for (controller, file, text) in [
        ("memory", "memory.usage_in_bytes", "8192\n"),
        ("memory", "memory.limit_in_bytes", "9223372036854771712\n"),
        ("freezer", "freezer.state", "FROZEN\n"),
    ] {
        fs::create_dir_all(dir.path().join(controller).join("g")).unwrap();
        fs::write(dir.path().join(controller).join("g").join(file), text).unwrap();
    }
    let lines = vec![line(&["memory"], "/g"), line(&["freezer"], "/g")];
    let groups = Groups::at(dir.path(), lines, |_| false);
    assert_eq!(groups.usage(), Usage { memory: Some(8192), frozen: true, ..Usage::default() });
}

#[test]
fn limits_of_processors_and_processes_are_read_in_both_versions() {
    let dir = tempfile::tempdir().unwrap();
    for (controller, file, text) in [
        ("cpu", "cpu.cfs_quota_us", "25000\n"),
        ("cpu", "cpu.cfs_period_us", "100000\n"),
        ("pids", "pids.max", "64\n"),
    ] {
        fs::create_dir_all(dir.path().join(controller).join("g")).unwrap();
        fs::write(dir.path().join(controller).join("g").join(file), text).unwrap();
    }
    let lines = vec![line(&["cpu", "cpuacct"], "/g"), line(&["pids"], "/g")];
    let usage = Groups::at(dir.path(), lines.clone(), |_| false).usage();
    assert_eq!((usage.cpu_limit, usage.tasks_limit), (Some(Cpus(250)), Some(64)));
    fs::write(dir.path().join("cpu/g/cpu.cfs_quota_us"), "-1\n").unwrap();
    assert_eq!(Groups::at(dir.path(), lines, |_| false).usage().cpu_limit, None);
    fs::create_dir_all(dir.path().join("v2")).unwrap();
    for (max, limit) in [("max 100000\n", None), ("1000 1000000\n", Some(Cpus(1))), ("5 0\n", None)] {
        fs::write(dir.path().join("v2/cpu.max"), max).unwrap();
        assert_eq!(Groups::at(dir.path(), vec![line(&[], "/v2")], |_| false).usage().cpu_limit, limit);
    }
}

#[test]
fn a_watch_sees_each_change() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Groups::at(dir.path(), vec![line(&[], "/g")], |_| false).watch_frozen().is_none());
    fs::create_dir_all(dir.path().join("freezer/g")).unwrap();
    fs::create_dir_all(dir.path().join("g")).unwrap();
    let lines = vec![line(&["freezer"], "/g"), line(&[], "/g")];
    let (v1, v2) = (dir.path().join("freezer/g/freezer.state"), dir.path().join("g/cgroup.freeze"));
    fs::write(&v1, "THAWED\n").unwrap();
    fs::write(&v2, "0\n").unwrap();
    let watch = Groups::at(dir.path(), lines, |_| false).watch_frozen().unwrap();
    assert_eq!(watch.is_frozen(), Some(false));
    fs::write(&v1, "FREEZING\n").unwrap();
    assert_eq!(watch.is_frozen(), Some(true));
    fs::write(&v1, "THAWED\n").unwrap();
    fs::write(&v2, "1\n").unwrap();
    assert_eq!(watch.is_frozen(), Some(true));
}

#[test]
fn what_was_read_and_written_is_told_by_both_versions() {
    let dir = tempfile::tempdir().unwrap();
    let lines = vec![line(&["blkio"], "/g"), line(&[], "/g")];
    let groups = Groups::at(dir.path(), lines, |_| false);
    assert_eq!(groups.disk(), None);
    fs::create_dir_all(dir.path().join("g")).unwrap();
    fs::write(dir.path().join("g/io.stat"), "8:0 rbytes=5 wbytes=6 rios=1 wios=1\n").unwrap();
    assert_eq!(groups.disk(), Some([5, 6]));
    fs::create_dir_all(dir.path().join("blkio/g")).unwrap();
    fs::write(dir.path().join("blkio/g/blkio.throttle.io_service_bytes"), "8:0 Read 1\nTotal 1\n").unwrap();
    assert_eq!(groups.disk(), Some([1, 0]), "where both are, version 1 counts");
    let all = dir.path().join("blkio/g/blkio.throttle.io_service_bytes_recursive");
    fs::write(all, "8:0 Read 3\n8:0 Write 4\nTotal 7\n").unwrap();
    assert_eq!(groups.disk(), Some([3, 4]));
}
