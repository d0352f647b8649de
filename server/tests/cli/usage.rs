//! What each verb says of itself, and what bad usage gets.

use crate::lab::Lab;

/// All verbs, each with arguments that are enough for the parser.
const VERBS: [(&str, &[&str]); 32] = [
    ("run", &["web1", "--template", "busybox"]),
    ("create", &["web1", "--template", "busybox"]),
    ("start", &["web1"]),
    ("shutdown", &["web1"]),
    ("stop", &["web1"]),
    ("reboot", &["web1"]),
    ("reset", &["web1"]),
    ("pause", &["web1"]),
    ("resume", &["web1"]),
    ("hibernate", &["web1"]),
    ("delete", &["web1"]),
    ("exec", &["web1", "--", "true"]),
    ("inspect", &["web1"]),
    ("list", &[]),
    ("snapshot", &["list", "web1"]),
    ("clone", &["web1", "web2"]),
    ("make-template", &["web1"]),
    ("configure", &["web1", "--memory", "64M"]),
    ("resize", &["web1", "rootfs", "1G"]),
    ("migrate", &["web1", "pve2"]),
    ("backup", &["web1"]),
    ("unlock", &["web1"]),
    ("templates", &[]),
    ("nodes", &[]),
    ("user", &["list"]),
    ("history", &[]),
    ("ledger", &[]),
    ("verify", &[]),
    ("archive", &["--before", "9000d"]),
    ("config", &["sample"]),
    ("version", &[]),
    ("help", &[]),
];

/// Those that take any number of guests.
const ON_SEVERAL: [&str; 9] =
    ["start", "shutdown", "stop", "reboot", "reset", "pause", "resume", "hibernate", "unlock"];

#[test]
fn help_lists_every_verb_and_explains_each() {
    let lab = Lab::new();
    let all = lab.must(&["help"]);
    for (verb, _) in VERBS {
        assert!(all.contains(&format!("\n  {verb} ")), "{verb}");
        let one = lab.must(&["help", verb]);
        assert!(one.contains("Usage:") && one.contains(verb), "{verb}: {one}");
    }
    assert!(all.contains("Exit codes:"));
    assert!(lab.must(&["help", "snapshot", "create"]).contains("--memory"));
    lab.refused(2, &["help", "explode"]);
}

#[test]
fn version_is_one_line_and_json_on_demand() {
    let lab = Lab::new();
    assert_eq!(lab.must(&["version"]), format!("paddock {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(lab.json(&["version"])["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn bad_usage_of_each_verb_ends_with_2_and_prints_nothing() {
    let lab = Lab::new();
    for (verb, args) in VERBS {
        for wrong in [&["--no-such-option"][..], &["--format", "xml"]] {
            lab.refused(2, &[&[verb], wrong, args].concat());
        }
        // One word too many, where words are counted.
        if !["list", "help", "exec", "snapshot", "user", "verify"].contains(&verb)
            && !ON_SEVERAL.contains(&verb)
        {
            lab.refused(2, &[&[verb], args, &["surplus", "surplus2"]].concat());
        }
    }
    for args in [
        &["explode"][..],
        &["start"],
        &["start", "../x"],
        &["start", "xen/web1"],
        &["start", "lxc/web1", "--backend", "crun"],
        &["start", "web1", "--backend", "proxmox-vm"],
        &["shutdown", "web1", "--timeout", "0"],
        &["exec", "web1"],
        &["configure", "web1"],
        &["configure", "web1", "--memory", "much"],
        &["create", "../x", "--template", "busybox"],
        &["create", "web1"],
        &["create", "web1", "--template", "nosuch"],
        &["create", "web1", "--template", "busybox", "--bundle", "/b"],
        &["create", "web1", "--template", "busybox", "--iso", "local:iso/x.iso"],
        &["create", "web1", "--metadata", "/m"],
        &["create", "job1", "--bundle", "/b", "--env", "A=1"],
        &["create", "job1", "--bundle", "relative"],
        &["clone", "web1", "a b"],
        &["run", "web1", "--template", "busybox", "--rm"],
        &["user", "add", "a b"],
        &["user", "reset-password", "nobody"],
        &["--config", "/no/such/file", "list"],
    ] {
        let said = lab.call(args);
        // Some are met only once the guest has been looked for.
        assert!(said.code == 2 || (said.code == 3 && args[0] != "create"), "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
    }
    assert_eq!(std::fs::read_dir(lab.path("lxc")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn each_verb_on_a_guest_that_is_not_there_ends_with_3() {
    let lab = Lab::new();
    for (verb, args) in VERBS {
        if args.first().is_some_and(|arg| ["web1", "list"].contains(arg))
            && !["run", "create", "user"].contains(&verb)
        {
            let error = lab.refused(3, &[&[verb], args].concat());
            assert!(error.contains("web1"), "{verb}: {error}");
        }
    }
}
