use std::fs;

use super::*;

/// A made-up machine: files below `proc` and `sys`.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, ThisHost) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let host = ThisHost::at(dir.path().join("proc"), dir.path().join("sys"));
    (dir, host)
}

const STAT: &str =
    "cpu  100 0 50 800 50 0 0 0 70 0\ncpu0 50 0 25 400 25 0 0 0\ncpu1 50 0 25 400 25 0 0 0\nintr 1\n";

#[test]
fn a_made_up_machine_is_read_as_it_was_made() {
    let (dir, host) = machine(&[
        ("proc/stat", STAT),
        ("proc/meminfo", "MemTotal:     8000 kB\nMemFree: 1 kB\nMemAvailable:   2000 kB\n"),
        ("proc/loadavg", "0.10 0.20 1.30 1/200 4242\n"),
        ("proc/uptime", "12345.67 9.00\n"),
        ("proc/sys/kernel/hostname", "pve1\n"),
        ("proc/sys/kernel/osrelease", "6.8.12-1-pve\n"),
        ("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ("sys/class/net/vmbr0/bridge/bridge_id", ""),
        ("sys/class/net/vmbr0/flags", "0x1003\n"),
        ("sys/class/net/eno1/device/vendor", ""),
        ("sys/class/net/eno1/flags", "0x1002\n"),
        ("sys/class/net/bond0/bonding/mode", ""),
        ("sys/class/net/eno1.5/uevent", "DEVTYPE=vlan\nINTERFACE=eno1.5\n"),
        ("sys/class/net/lo/flags", "0x9\n"),
        ("sys/class/net/veth1/flags", "0x1003\n"),
    ]);
    // 200 ticks on two cores: a second, half of it busy.
    fs::write(dir.path().join("proc/stat"), STAT.replace("cpu  100 0 50 800", "cpu  200 0 50 900")).unwrap();
    let missing = dir.path().join("missing");
    let node = host.node(&[("containers", dir.path()), ("gone", &missing)]);
    assert_eq!(
        (node.name.as_str(), node.version.as_str(), node.state.is_online()),
        ("pve1", "6.8.12-1-pve", true)
    );
    assert_eq!((node.cpu_permille, node.cores), (Some(500), Some(2)));
    assert_eq!((node.memory, node.memory_total), (Some(6000 * 1024), Some(8000 * 1024)));
    assert_eq!((node.load.join(" ").as_str(), node.uptime_seconds), ("0.10 0.20 1.30", Some(12345)));
    assert_eq!(node.note, None);
    let networks: Vec<_> =
        node.networks.iter().map(|n| (n.name.as_str(), n.kind.as_str(), n.is_active)).collect();
    assert_eq!(
        networks,
        [
            ("bond0", "bond", false),
            ("eno1", "eth", false),
            ("eno1.5", "vlan", false),
            ("vmbr0", "bridge", true)
        ]
    );
    let [containers, gone] = node.storages.as_slice() else { panic!("{:?}", node.storages) };
    assert!(containers.is_active && containers.kind == "ext4");
    assert!(containers.used.is_some_and(|used| used <= containers.total.unwrap()));
    assert_eq!((gone.is_active, gone.used, gone.total), (false, None, None));
}

#[test]
fn whoever_asks_again_at_once_gets_the_same_use() {
    let (dir, host) = machine(&[("proc/stat", STAT)]);
    let used = |user: u32, idle: u32| {
        let line = format!("cpu  {user} 0 50 {idle}");
        fs::write(dir.path().join("proc/stat"), STAT.replace("cpu  100 0 50 800", &line)).unwrap();
        host.node(&[]).cpu_permille
    };
    assert_eq!(used(100, 800), None, "no time has passed");
    assert_eq!(used(101, 803), Some(250), "a few ticks are better than nothing");
    assert_eq!(used(200, 900), Some(500));
    assert_eq!(used(300, 900), Some(500), "half a second later");
    assert_eq!(used(400, 900), Some(1000));
    assert_eq!(used(10, 10), Some(1000), "a counter that went back tells nothing");
}

#[test]
fn a_machine_that_cannot_be_read_says_so() {
    for files in [&[][..], &[("proc/stat", "cpu x\n"), ("proc/meminfo", "MemTotal: many\n")]] {
        let (_dir, host) = machine(files);
        let node = host.node(&[]);
        assert_eq!(
            (node.cpu_permille, node.cores, node.memory, node.uptime_seconds),
            (None, None, None, None)
        );
        let note = node.note.unwrap();
        assert!(note.starts_with("its name, its processors, its memory could not be read from"), "{note}");
    }
}

#[test]
fn the_real_machine_is_read() {
    let node = ThisHost::default().node(&[("root", Path::new("/"))]);
    assert_eq!(node.note, None);
    assert!(!node.name.is_empty() && node.version.contains('.'));
    assert!(node.cores.is_some_and(|cores| cores > 0));
    assert!(node.memory.is_some_and(|used| used > 0 && used < node.memory_total.unwrap()));
    assert_eq!(node.load.len(), 3);
    assert!(node.uptime_seconds.is_some());
    assert!(node.cpu_permille.is_none_or(|permille| permille <= 1000));
    let root = &node.storages[0];
    assert!(root.is_active && root.total.is_some_and(|total| total > 0) && root.kind != "dir", "{root:?}");
    assert!(node.networks.iter().all(|network| network.name != "lo"));
}
