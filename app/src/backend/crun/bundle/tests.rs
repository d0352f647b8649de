use std::{fs, os::unix::fs::symlink};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{paths::BadPath, *};

/// A bundle whose config.json was changed by `change`, and what is found of it.
fn checked(change: impl FnOnce(&mut Value, &Path)) -> Result<Bundle, BundleError> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("rootfs/usr/bin")).unwrap();
    fs::write(dir.path().join("rootfs/usr/bin/busybox"), "").unwrap();
    // Right from inside, dangling from outside.
    symlink("/usr/bin", dir.path().join("rootfs/bin")).unwrap();
    symlink("/usr/bin/busybox", dir.path().join("rootfs/usr/bin/sleep")).unwrap();
    // As `crun spec` writes it, made fit for a container without a terminal.
    let mut config: Value =
        serde_json::from_str(include_str!("../../../../tests/fixtures/crun-1.8.1/spec-config.json")).unwrap();
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["sleep", "5"]);
    change(&mut config, dir.path());
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    Bundle::check(dir.path().to_str().unwrap())
}

#[test]
fn a_bundle_as_crun_spec_makes_it_is_good_but_for_its_terminal() {
    let bundle = checked(|_, _| ()).unwrap();
    assert_eq!(bundle.config.args(), ["sleep", "5"]);
    assert!(bundle.config.has_own_pid_namespace());
    assert_eq!(bundle.config.cgroups_path(), None);
    let terminal = checked(|c, _| c["process"]["terminal"] = json!(true)).unwrap_err();
    assert!(matches!(&terminal, BundleError::Terminal(_)), "{terminal}");
    assert!(terminal.to_string().contains("process.terminal to false"));
}

#[test]
fn a_path_that_is_no_plain_absolute_one_is_refused() {
    for (path, why) in [
        ("", BadPath::NotAbsolute.into()),
        ("bundle", BadPath::NotAbsolute.into()),
        ("-b", BadPath::NotAbsolute.into()),
        ("/srv/../etc", BadPath::GoesUp.into()),
        ("/srv\n/b", BadPath::ControlCharacter.into()),
        ("/srv\0", BadPath::ControlCharacter.into()),
        ("/no/such/bundle", BundleError::NotADirectory("/no/such/bundle".into())),
        ("/etc/passwd", BundleError::NotADirectory("/etc/passwd".into())),
    ] {
        assert_eq!(Bundle::check(path), Err(why), "{path:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    assert_eq!(Bundle::check(empty), Err(BundleError::NoConfig(empty.into())));
}

#[test]
fn each_fault_of_the_configuration_has_its_own_words() {
    type Change = fn(&mut Value, &Path);
    let refused = |change: Change| checked(change).unwrap_err();
    assert!(matches!(refused(|c, _| c["process"] = json!("x")), BundleError::Garbled { .. }));
    assert!(matches!(refused(|c, _| *c = json!({})), BundleError::NoRoot(_)));
    assert!(matches!(refused(|c, _| c["root"]["path"] = json!("gone")), BundleError::RootMissing(_)));
    assert!(matches!(refused(|c, _| c["process"]["args"] = json!([])), BundleError::NoProgram(_)));
    assert!(matches!(refused(|c, _| c["process"] = Value::Null), BundleError::NoProgram(_)));
    for group in ["", "/", "/../x", "a/../.."] {
        let refused = checked(|c, _| c["linux"]["cgroupsPath"] = json!(group)).unwrap_err();
        assert!(matches!(refused, BundleError::NoGroup(_)), "{group:?}");
    }
}

#[test]
fn a_missing_program_is_noticed_as_seen_from_inside() {
    let args = |program: &'static str| move |c: &mut Value, _: &Path| c["process"]["args"] = json!([program]);
    for there in ["/bin/sleep", "sleep", "usr/bin/busybox", "../bin/sleep"] {
        assert!(checked(args(there)).is_ok(), "{there}");
    }
    for missing in ["/no/such", "nosuch", "bin/no", "/usr/bin/busybox/x"] {
        let refused = checked(args(missing)).unwrap_err();
        assert!(matches!(refused, BundleError::ProgramMissing { .. }), "{missing}: {refused}");
    }
}

#[test]
fn a_program_that_a_mount_may_bring_is_not_judged() {
    let mounted = checked(|c, _| {
        c["process"]["args"] = json!(["/opt/app/run"]);
        c["mounts"] = json!([{"destination": "/opt", "type": "bind", "source": "/srv/opt"}]);
    });
    assert!(mounted.is_ok());
    let without_path = checked(|c, _| {
        c["process"]["args"] = json!(["run"]);
        c["process"]["env"] = json!([]);
    });
    assert!(without_path.is_ok());
}

#[test]
fn an_absolute_root_is_taken_as_it_is() {
    assert!(checked(|c, dir| c["root"]["path"] = json!(dir.join("rootfs"))).is_ok());
}

#[test]
fn a_joined_pid_namespace_is_not_its_own() {
    let own = |namespaces: Value| {
        Config::parse(&json!({"linux": {"namespaces": namespaces}}).to_string())
            .unwrap()
            .has_own_pid_namespace()
    };
    assert!(own(json!([{"type": "pid"}])));
    assert!(!own(json!([{"type": "pid", "path": "/proc/1/ns/pid"}])));
    assert!(!own(json!([{"type": "network"}])));
    assert!(!own(Value::Null));
}

#[test]
fn limits_and_annotations_are_read_as_crun_takes_them() {
    let config = |resources: Value, annotations: Value| {
        let text = json!({"linux": {"resources": resources}, "annotations": annotations}).to_string();
        Config::parse(&text).unwrap()
    };
    let limited = config(
        json!({"memory": {"limit": 1000, "swap": 1500}, "cpu": {"quota": 150_000, "period": 100_000},
               "pids": {"limit": 7}}),
        json!({"a": "x", "b": 5}),
    );
    assert_eq!((limited.memory_limit(), limited.swap_limit()), (Some(1000), Some(500)));
    assert_eq!((limited.cpu_limit(), limited.pids_limit()), (Some(Cpus(1500)), Some(7)));
    assert_eq!(
        (limited.annotation("a"), limited.annotation("b"), limited.annotation("c")),
        (Some("x"), None, None)
    );
    for unlimited in [
        Value::Null,
        json!({}),
        json!({"memory": {"limit": -1, "swap": -1}, "cpu": {"quota": -1}, "pids": {"limit": 0}}),
        json!({"memory": {"swap": 5}, "cpu": {"shares": 5, "period": 0}, "pids": null}),
    ] {
        let config = config(unlimited, Value::Null);
        assert_eq!((config.memory_limit(), config.swap_limit()), (None, None));
        assert_eq!((config.cpu_limit(), config.pids_limit()), (None, None));
    }
    let odd = config(json!({"cpu": {"quota": 500, "period": 0}}), Value::Null);
    assert_eq!(odd.cpu_limit(), Some(Cpus(5)), "a period of 0 is none");
    let most = config(json!({"cpu": {"quota": i64::MAX, "period": 1}}), Value::Null);
    assert_eq!(most.cpu_limit(), Some(Cpus(u32::MAX)));
}

proptest! {
    #[test]
    fn whatever_a_bundle_holds_it_is_judged_and_nothing_panics(text in prop_oneof![
        ".{0,64}",
        any_config().prop_map(|json| json.to_string()),
    ]) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("rootfs")).unwrap();
        fs::write(dir.path().join("config.json"), &text).unwrap();
        let _ = Bundle::check(dir.path().to_str().unwrap());
        if let Ok(config) = Config::parse(&text) {
            let _ = (config.memory_limit(), config.swap_limit(), config.cpu_limit(), config.pids_limit());
            let _ = (config.args().len(), config.has_own_pid_namespace(), config.cgroups_path());
        }
    }
}

/// The parts that are read, each right or wrong in some way.
fn any_config() -> impl Strategy<Value = Value> {
    let odd = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!("rootfs")),
        Just(json!(["sh"])),
    ];
    let parts = prop::collection::vec(odd, 9);
    parts.prop_map(|p| json!({
        "process": {"args": p[0], "env": [p[1]], "cwd": p[2]},
        "root": {"path": p[3]},
        "linux": {"cgroupsPath": p[4], "resources": {"memory": {"limit": p[5], "swap": p[6]}, "cpu": p[7]}},
        "annotations": {"paddock.tags": p[8]},
    }))
}
