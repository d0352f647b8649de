use super::*;
use crate::backend::process::Proc;

#[test]
fn clones_are_read_from_both_forms_of_the_record() {
    assert_eq!(recorded_clones("/var/lib/lxc\nc4\n/var/lib/lxc\nc5\n"), ["c4", "c5"]);
    assert_eq!(recorded_clones("2\n").len(), 1);
    assert!(recorded_clones("0").is_empty());
    assert!(recorded_clones("").is_empty());
}

#[test]
fn a_container_that_lives_on_this_ones_files_depends_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    for (name, rootfs) in [
        ("base", format!("dir:{path}/base/rootfs")),
        ("over", format!("overlay:{path}/base/rootfs:{path}/over/delta")),
        ("base2", format!("dir:{path}/base2/rootfs")),
        ("shared", "dir:/srv/common".to_owned()),
        ("shares", "/srv/common".to_owned()),
    ] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("config"), format!("lxc.rootfs.path = {rootfs}\n")).unwrap();
    }
    let reader = Reader::new(path.to_owned(), false, Proc::default());
    let of = |name: &str| {
        let name = GuestName::new(name).unwrap();
        dependents(&reader, &name, &settings(&reader, &name).unwrap()).unwrap()
    };
    assert_eq!(of("base"), ["over"]);
    assert_eq!(of("shared"), ["shares"]);
    assert!(of("over").is_empty());
}

#[test]
fn an_interface_is_looked_up_by_its_plain_name_only() {
    assert!(interface_exists("lo"));
    assert!(!interface_exists("nosuchif0"));
    assert!(interface_exists("../../../nowhere"), "not looked up at all");
}

#[test]
fn a_path_becomes_a_word_without_needless_slashes() {
    assert_eq!(word(Path::new("/var//lib/lxc/")), Ok("/var/lib/lxc".to_owned()));
    assert!(word(Path::new(std::ffi::OsStr::from_bytes(b"/\xff"))).is_err());
}

use std::os::unix::ffi::OsStrExt as _;
