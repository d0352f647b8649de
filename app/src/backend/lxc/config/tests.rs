use std::fs;

use proptest::prelude::*;

use super::{edit::edit, *};
use crate::domain::plan::Change;

fn of(text: &str) -> ContainerConfig {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    fs::write(&path, text).unwrap();
    read(&path).unwrap().unwrap()
}

#[test]
fn a_config_as_lxc_create_writes_it_is_understood() {
    let config = of("# Template used: busybox\n#lxc.include = /none\n\nlxc.net.0.type = veth\n\
        lxc.net.0.link = lxcbr0\nlxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs\nlxc.uts.name = \"c1\"\n\
          lxc.start.auto=1\nlxc.mount.entry = shm dev/shm tmpfs defaults,create=dir 0 0\n");
    assert_eq!(config.rootfs_directory(), Some("/var/lib/lxc/c1/rootfs"));
    assert_eq!(config.host_name.as_deref(), Some("c1"));
    assert!(config.autostart && !config.unmanaged && !config.has_id_map);
    assert!(config.networks[&0].needs_link());
    assert_eq!(config.networks[&0].link, "lxcbr0");
}

#[test]
fn a_later_line_wins_and_an_empty_one_clears() {
    let config = of("lxc.net.0.type = veth\nlxc.net.0.link = a\nlxc.net.0.link = b\n");
    assert_eq!(config.networks[&0].link, "b");
    assert_eq!(of("lxc.net.0.type = veth\nlxc.net =\n").networks, BTreeMap::new());
    assert!(!of("lxc.net.0.type = empty\nlxc.net.0.link = gone0\n").networks[&0].needs_link());
}

#[test]
fn an_overlay_is_no_plain_directory() {
    assert_eq!(of("lxc.rootfs.path = overlay:/base:/delta\n").rootfs_directory(), None);
    assert_eq!(of("lxc.rootfs.path = /plain\n").rootfs_directory(), Some("/plain"));
}

#[test]
fn included_files_and_directories_count_and_a_circle_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("conf.d"));
    fs::create_dir(&b).unwrap();
    fs::write(b.join("1.conf"), "lxc.net.3.type = veth\nlxc.net.3.link = br3\n").unwrap();
    fs::write(b.join("ignored"), "lxc.net.4.type = veth\nlxc.net.4.link = br4\n").unwrap();
    fs::write(&a, format!("lxc.include = {}\nlxc.include = {}\n", a.display(), b.display())).unwrap();
    let config = read(&a).unwrap().unwrap();
    assert_eq!(config.networks.keys().copied().collect::<Vec<_>>(), [3]);
}

#[test]
fn hostile_lines_are_left_out() {
    let config =
        of("lxc.net.99999999999999999999.link = x\nlxc.net..link = x\n=\n==\nlxc.net.0\n\u{0}=\u{0}\n");
    assert_eq!(config, ContainerConfig::default());
    assert_eq!(read(Path::new("/nonexistent/config")), Ok(None));
}

#[test]
fn groups_limits_and_environment_are_read_as_lists() {
    let config = of("lxc.group = web  db\nlxc.group=onboot\nlxc.cgroup2.memory.max = 1G\n\
        lxc.cgroup.pids.max = 5\nlxc.cgroup.pids.max = 6\nlxc.cgroup2.cpu.max = 1 2\nlxc.cgroup2.cpu.max =\n\
        lxc.environment = A=b=c\nlxc.environment = LANG\nlxc.net.2.hwaddr = 00:16:3e:00:00:01\n");
    assert_eq!(config.groups, ["web", "db", "onboot"]);
    assert_eq!(
        config.cgroups,
        BTreeMap::from([("cgroup2.memory.max".into(), "1G".into()), ("cgroup.pids.max".into(), "6".into())])
    );
    assert_eq!(config.environment, ["A"]);
    assert!(config.networks[&2].has_hardware_address);
    assert!(of("lxc.group = a\nlxc.group =\n").groups.is_empty());
}

#[test]
fn an_application_has_a_program_and_no_init() {
    assert!(of("lxc.execute.cmd = '\"/bin/sleep\" \"9\" '\n").is_application);
    assert!(!of("lxc.execute.cmd = /bin/x\nlxc.init.cmd = /sbin/init\n").is_application);
    assert!(!of("").is_application);
}

#[test]
fn a_source_is_unchanged_until_it_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::write(&a, format!("lxc.include = {}\n", b.display())).unwrap();
    let unchanged = |sources: &[Source]| sources.iter().all(Source::is_unchanged);
    let (_, sources) = read_with_sources(&a).unwrap().unwrap();
    assert!(unchanged(&sources));
    fs::write(&b, "lxc.group = web\n").unwrap();
    assert!(!unchanged(&sources), "what was not there is there");
    let (config, sources) = read_with_sources(&a).unwrap().unwrap();
    assert_eq!(config.groups, ["web"]);
    fs::write(&b, "lxc.group = web1\n").unwrap();
    assert!(!unchanged(&sources));
}

fn change(key: &str, value: Option<&str>) -> Change {
    Change { key: key.to_owned(), value: value.map(str::to_owned) }
}

#[test]
fn the_last_value_of_a_key_is_replaced_and_all_else_stays() {
    let text = "# lxc.start.auto = 5\n\nlxc.start.auto = 0\n  lxc.start.auto=1 \nlxc.arch = x\n";
    assert_eq!(
        edit(text, &[change("lxc.start.auto", Some("0"))]).unwrap(),
        "# lxc.start.auto = 5\n\nlxc.start.auto = 0\nlxc.start.auto = 0\nlxc.arch = x\n"
    );
    assert_eq!(
        edit(text, &[change("lxc.start.auto", None)]).unwrap(),
        "# lxc.start.auto = 5\n\nlxc.arch = x\n"
    );
    assert_eq!(edit("a", &[change("lxc.arch", Some("x"))]).unwrap(), "a\nlxc.arch = x\n");
    assert_eq!(edit("lxc.arch = y", &[change("lxc.arch", Some("x"))]).unwrap(), "lxc.arch = x");
}

#[test]
fn an_included_file_does_not_get_the_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::write(&b, "lxc.start.auto = 1\nlxc.group = theirs\nlxc.net.0.type = veth\nlxc.net.3.type = phys\n")
        .unwrap();
    let text = format!("lxc.start.auto = 1\nlxc.group = old\nlxc.include = {}\n", b.display());
    let changes = [
        change("lxc.start.auto", Some("0")),
        change("lxc.group", None),
        change("lxc.group", Some("new")),
        change("lxc.group", Some("newer")),
        change("lxc.net", None),
        change("lxc.net.0.type", Some("empty")),
    ];
    fs::write(&a, edit(&text, &changes).unwrap()).unwrap();
    let config = read(&a).unwrap().unwrap();
    assert!(!config.autostart);
    assert_eq!(config.groups, ["new", "newer"]);
    assert_eq!(config.networks.len(), 1);
    assert_eq!(config.networks[&0].kind, "empty");
}

#[test]
fn a_key_takes_those_below_it_along_and_no_neighbour() {
    let text = "lxc.net.0.type = veth\nlxc.net = \nlxc.network = x\nlxc.net.1.link = b\nlxc.netx.0 = y";
    assert_eq!(edit(text, &[change("lxc.net", None)]).unwrap(), "lxc.network = x\nlxc.netx.0 = y");
}

#[test]
fn a_change_that_would_say_something_else_is_refused() {
    for (key, value) in [
        ("lxc.arch", "x\nlxc.hook.pre-start = /bin/sh"),
        ("lxc.arch", "x\r"),
        ("lxc.arch", " x"),
        ("lxc.arch", "x\t"),
        ("lxc.arch", "\"x\""),
        ("lxc.arch", "a\0"),
        ("lxc.arch = y\nlxc.x", "1"),
        ("lxc.a b", "1"),
        ("arch", "1"),
        ("#lxc.arch", "1"),
        ("", "1"),
    ] {
        assert!(edit("", &[change(key, Some(value))]).is_err(), "{key:?} {value:?}");
    }
    assert!(edit("", &[change("x", None)]).is_err());
}

/// Lines as they are in such files, and some as nobody would write them.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "lxc.start.auto",
        "lxc.group",
        "lxc.arch",
        "lxc.cgroup2.memory.max",
        "lxc.net.0.type",
        "lxc.net",
        "lxc.uts.name",
    ]);
    prop_oneof![
        3 => (key, "[ \t]{0,2}", "[ -~]{0,12}").prop_map(|(key, blank, value)| format!("{blank}{key}{blank}={blank}{value}")),
        1 => "#[ -~]{0,20}",
        1 => "\\PC{0,20}",
        1 => Just(String::new()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    (prop::collection::vec(line(), 0..12), any::<bool>()).prop_map(|(lines, ends)| {
        let text = lines.join("\n");
        if ends && !text.is_empty() { text + "\n" } else { text }
    })
}

/// The lines that are not of this key.
fn others<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.split_inclusive('\n')
        .filter(|line| setting(line.trim_end_matches('\n')).is_none_or(|(k, _)| k != key))
        .collect()
}

proptest! {
    #[test]
    fn an_edit_reads_back_as_the_change_and_leaves_all_else(
        text in text(),
        key in prop::sample::select(vec!["lxc.arch", "lxc.uts.name", "lxc.cgroup2.memory.max"]),
        value in "[a-z0-9./:][a-z0-9 ./:]{0,10}[a-z0-9./:]",
    ) {
        let new = edit(&text, &[change(key, Some(&value))]).unwrap();
        prop_assert_eq!(lines(&new).filter(|(k, _)| *k == key).last(), Some((key, value.as_str())));
        // But for the line break that the last line may have lacked.
        let (before, after) = (others(&text, key).concat(), others(&new, key).concat());
        prop_assert!(after == before || after == before.clone() + "\n", "{before:?} {after:?}");
        prop_assert_eq!(edit(&new, &[change(key, Some(&value))]).unwrap(), new.clone(), "twice is once");
        let gone = edit(&new, &[change(key, None)]).unwrap();
        prop_assert_eq!(lines(&gone).filter(|(k, _)| *k == key).count(), 0);
        prop_assert_eq!(others(&gone, key).concat(), after);
    }

    #[test]
    fn a_list_has_exactly_the_values_that_were_given(text in text(), values in prop::collection::vec("[a-z]{1,5}", 0..4)) {
        let mut changes = vec![change("lxc.group", None)];
        changes.extend(values.iter().map(|value| change("lxc.group", Some(value))));
        let new = edit(&text, &changes).unwrap();
        let read: Vec<&str> = lines(&new).filter(|(key, _)| *key == "lxc.group").map(|(_, value)| value).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn any_text_at_all_is_read_and_edited_without_a_panic(text in any::<String>(), key in any::<String>(), value in any::<Option<String>>()) {
        let mut reading = Reading { files_left: 0, ..Reading::default() };
        reading.apply(&text);
        if let Ok(new) = edit(&text, &[Change { key: key.clone(), value: value.clone() }]) && let Some(value) = value {
            prop_assert_eq!(lines(&new).filter(|(k, _)| *k == key).last(), Some((key.as_str(), value.as_str())));
        }
        let new = edit(&text, &[change("lxc.net", None), change("lxc.net.0.type", Some("empty"))]).unwrap();
        prop_assert_eq!(lines(&new).filter(|(key, _)| key.starts_with("lxc.net.")).count(), 1);
    }
}
