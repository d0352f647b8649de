use std::{cell::Cell, fs, path::Path};

use super::*;
use crate::backend::process::CgroupLine;

/// A made-up host with one container, whose init is 77.
fn host() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "proc/self/stat", "1 (x) S 0 0");
    for (pid, namespace) in [("self", "net:[1]"), ("77", "net:[2]"), ("78", "net:[1]")] {
        fs::create_dir_all(dir.path().join("proc").join(pid).join("ns")).unwrap();
        std::os::unix::fs::symlink(namespace, dir.path().join("proc").join(pid).join("ns/net")).unwrap();
    }
    started(dir.path(), 77, 100);
    write(dir.path(), "proc/77/net/dev", "lo: 9 0 0 0 0 0 0 0 9\neth0: 10 0 0 0 0 0 0 0 20\n");
    write(dir.path(), "cg/web1/cpu.stat", "usage_usec 5\n");
    write(dir.path(), "cg/web1/memory.current", "4096\n");
    write(dir.path(), "cg/web1/cpu.max", "50000 100000\n");
    write(dir.path(), "cg/web1/memory.max", "max\n");
    write(dir.path(), "cg/web1/io.stat", "8:0 rbytes=1 wbytes=2\n");
    dir
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn started(dir: &Path, pid: u32, ticks: u64) {
    let text = format!("{pid} (init) S 1 0 0 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 {ticks} 1000 200");
    write(dir, &format!("proc/{pid}/stat"), &text);
}

fn groups(dir: &Path) -> Groups {
    let line = CgroupLine { controllers: vec![], path: "/web1".into() };
    Groups::at(dir.join("cg"), vec![line], |_| false)
}

#[test]
fn a_container_is_read_from_its_own_files_and_looked_for_once_a_run() {
    let dir = host();
    let meter = Meter::of(Proc::at(dir.path().join("proc")));
    let names = ["web1".parse().unwrap(), "off".parse().unwrap()];
    let asked = Cell::new(0);
    let read = || {
        let mut all = meter.read(&names, |name| {
            asked.set(asked.get() + 1);
            (name.as_str() == "web1").then(|| (77, groups(dir.path())))
        });
        assert_eq!(all.len(), 1, "one has no init");
        all.remove(0).1
    };
    let first = read();
    assert_eq!((first.run, first.cpu, first.memory), (100, Some(Cpu::Used(5000)), Some(4096)));
    assert_eq!((first.cpu_limit, first.memory_limit), (Some(Cpus(500)), None));
    assert_eq!((first.disk, first.network), (Some([1, 2]), Some([10, 20])));
    write(dir.path(), "cg/web1/cpu.stat", "usage_usec 8\n");
    let second = read();
    assert_eq!((second.run, second.cpu, asked.get()), (100, Some(Cpu::Used(8000)), 3));
    assert!(second.at > first.at);
    // The pid is another process's by now.
    started(dir.path(), 77, 900);
    assert_eq!((read().run, asked.get()), (900, 5));
}

#[test]
fn a_container_on_the_hosts_network_has_no_figures_of_its_own() {
    let dir = host();
    started(dir.path(), 78, 1);
    write(dir.path(), "proc/78/net/dev", "eth0: 10 0 0 0 0 0 0 0 20\n");
    let meter = Meter::of(Proc::at(dir.path().join("proc")));
    let all = meter.read(&["web1".parse().unwrap()], |_| Some((78, groups(dir.path()))));
    assert_eq!((all[0].1.network, all[0].1.disk), (None, Some([1, 2])));
}

#[test]
fn what_is_not_counted_is_not_told() {
    let dir = host();
    fs::remove_dir_all(dir.path().join("cg")).unwrap();
    fs::remove_file(dir.path().join("proc/77/net/dev")).unwrap();
    let meter = Meter::of(Proc::at(dir.path().join("proc")));
    let all = meter.read(&["web1".parse().unwrap()], |_| Some((77, groups(dir.path()))));
    let Meters { cpu, memory, disk, network, cpu_limit, memory_limit, .. } = &all[0].1;
    assert_eq!(
        (cpu, memory, disk, network, cpu_limit, memory_limit),
        (&None, &None, &None, &None, &None, &None)
    );
}
