use super::*;
use crate::domain::{
    guest::GuestStatus,
    plan::Expectation,
    spec::{Cpus, Limits, OciImage},
};

fn tool() -> Tool {
    Tool { root: "/run/crun".into(), log_dir: "/run/paddock".into() }
}

fn web1() -> GuestName {
    GuestName::new("web1").unwrap()
}

fn spec() -> OciSpec {
    OciSpec {
        image: OciImage::Registry("alpine".into()),
        command: vec![],
        env: vec![],
        mounts: vec![],
        limits: Limits::default(),
        host_network: false,
    }
}

fn ground() -> Ground {
    Ground {
        places: super::super::super::places::Places::new(
            Some(Path::new("/no/bundles")),
            Path::new("/no/images"),
        )
        .unwrap(),
        missing: vec![],
        has_unfinished: false,
        bundle: Spot::Free,
        network_files: vec!["/etc/resolv.conf".into()],
        directories: vec![],
    }
}

fn place() -> Place {
    Place { cgroup: "/paddock-web1".into(), members: vec![], shared_with: None, is_unfinished: false }
}

fn planned(source: &Source, spec: &OciSpec, ground: &Ground, start: bool) -> Plan {
    create(&tool(), &web1(), source, spec, ground, &place(), start).unwrap()
}

/// One line a step, the long edit by its file alone.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |step: &Step| match &step.work {
        Work::Edit(edit) if edit.changes.len() > 1 => format!("edit {}", edit.path),
        work => work.to_string(),
    };
    plan.steps.iter().map(line).collect()
}

fn layout() -> Source {
    Source::Layout("/srv/l".into(), "1".into())
}

/// What is changed in the new bundle, by its key.
fn change(spec: &OciSpec, ground: &Ground, key: &str) -> Option<Value> {
    let changes = fit(&web1(), &layout(), spec, ground);
    let found = changes.into_iter().find(|change| change.key == key)?;
    Some(serde_json::from_str(&found.value.unwrap()).unwrap())
}

const UNPACKED: [&str; 5] = [
    "edit /no/bundles/.web1.unfinished/config.json",
    "mv --no-target-directory -- /no/bundles/.web1.unfinished /no/bundles/web1",
    "crun --root /run/crun --log file:/run/paddock/crun-create-web1.log create --bundle /no/bundles/web1 web1",
    "edit /no/bundles/web1/config.json: /annotations/paddock.unfinished (removed)",
    "crun --root /run/crun start web1",
];

#[test]
fn an_image_is_copied_unpacked_fitted_and_set_up() {
    let registry = Source::Registry("docker.io/library/alpine:3.20".parse().unwrap());
    let plan = planned(&registry, &spec(), &ground(), true);
    let mut wanted = vec![
        "skopeo copy -- docker://docker.io/library/alpine:3.20 oci:/no/images/web1.paddock:3.20",
        "umoci unpack --image /no/images/web1.paddock:3.20 -- /no/bundles/.web1.unfinished",
    ];
    wanted.extend(UNPACKED);
    assert_eq!(lines(&plan), wanted);
    assert_eq!(plan.expect, Some(Expectation::Exists));
    let archive = Source::Archive("docker-archive", "/srv/a b.tar".into());
    let plan = planned(&archive, &spec(), &ground(), false);
    assert_eq!(
        lines(&plan)[0],
        "skopeo copy -- 'docker-archive:/srv/a b.tar' oci:/no/images/web1.paddock:latest"
    );
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Created)));
    let plan = planned(&layout(), &spec(), &ground(), false);
    assert_eq!(lines(&plan)[0], "umoci unpack --image /srv/l:1 -- /no/bundles/.web1.unfinished");
    assert!(plan.loses.is_empty());
}

#[test]
fn no_cancel_comes_between_the_container_and_the_note_that_its_bundle_is_in_use() {
    let plan = planned(&layout(), &spec(), &ground(), true);
    let unparted: Vec<bool> = plan.steps.iter().map(|step| step.when == When::Unparted).collect();
    assert_eq!(unparted, [false, false, false, false, true, false]);
}

#[test]
fn what_failed_before_is_removed_first_and_told_and_what_is_somebodys_stays() {
    let left = Ground {
        has_unfinished: true,
        bundle: Spot::LeftOver,
        missing: vec!["/no/images".into()],
        ..ground()
    };
    let plan = planned(&layout(), &spec(), &left, false);
    assert_eq!(
        lines(&plan)[..3],
        [
            "rm --recursive --force --one-file-system -- /no/bundles/.web1.unfinished",
            "rm --recursive --force --one-file-system -- /no/bundles/web1",
            "mkdir --parents --mode=0700 -- /no/images"
        ]
    );
    assert_eq!(plan.loses.len(), 2);
    let taken = Ground { bundle: Spot::Taken, ..ground() };
    let refused = create(&tool(), &web1(), &layout(), &spec(), &taken, &place(), false);
    assert!(
        matches!(&refused, Err(Error::Invalid { field: Field::Name, message }) if message.contains("/no/bundles/web1")),
        "{refused:?}"
    );
}

#[test]
fn the_bundle_is_what_was_asked_for() {
    let bind = |source: &str, target: &str, read_only| BindMount {
        source: source.into(),
        target: target.into(),
        read_only,
    };
    let asked = OciSpec {
        command: vec!["sh".into(), "-c".into(), "echo \"$A\"".into()],
        env: vec![("A".into(), "x=y".into())],
        mounts: vec![bind("/srv/d", "/d", true), bind("/srv/f", "/f", true), bind("/srv/d", "/w", false)],
        limits: Limits { cpu: Some(Cpus(500)), memory: Some(1 << 30), pids: Some(9) },
        host_network: true,
        ..spec()
    };
    let ground = Ground { directories: vec!["/srv/d".into()], ..ground() };
    let of = |key| change(&asked, &ground, key);
    assert_eq!(of("/process/args"), Some(json!(["sh", "-c", "echo \"$A\""])));
    assert_eq!(of("/process/env/A="), Some(json!("A=x=y")));
    assert_eq!(of("/linux/resources/memory/limit"), Some(json!(1 << 30)));
    assert_eq!(of("/linux/resources/cpu/quota"), Some(json!(50_000)));
    assert_eq!(of("/linux/resources/pids/limit"), Some(json!(9)));
    assert_eq!(of("/linux/cgroupsPath"), Some(json!("/paddock-web1")));
    assert_eq!(of("/hostname"), Some(json!("web1")));
    assert_eq!(of("/process/terminal"), Some(json!(false)));
    let mounts = of("/mounts").unwrap();
    let binds: Vec<String> = mounts
        .as_array()
        .unwrap()
        .iter()
        .filter(|mount| mount["type"] == "bind")
        .map(|mount| format!("{} {} {}", mount["source"], mount["destination"], mount["options"]))
        .collect();
    assert_eq!(
        binds,
        [
            r#""/etc/resolv.conf" "/etc/resolv.conf" ["bind","ro"]"#,
            r#""/srv/d" "/d" ["rbind","rprivate","rro"]"#,
            r#""/srv/f" "/f" ["bind","ro"]"#,
            r#""/srv/d" "/w" ["rbind","rprivate"]"#
        ]
    );
    assert!(!of("/linux/namespaces").unwrap().to_string().contains("network"));
}

#[test]
fn without_a_wish_the_image_keeps_its_command_and_the_container_its_own_network() {
    assert_eq!(change(&spec(), &ground(), "/process/args"), None);
    assert_eq!(change(&spec(), &ground(), "/linux/resources/memory/limit"), None);
    assert!(change(&spec(), &ground(), "/linux/namespaces").unwrap().to_string().contains("network"));
    assert!(!change(&spec(), &ground(), "/mounts").unwrap().to_string().contains("resolv.conf"));
}

#[test]
fn a_mount_of_ones_own_replaces_the_hosts_file() {
    let own = BindMount { source: "/srv/r".into(), target: "/etc/resolv.conf".into(), read_only: false };
    let asked = OciSpec { mounts: vec![own], host_network: true, ..spec() };
    let mounts = change(&asked, &ground(), "/mounts").unwrap();
    assert_eq!(mounts.to_string().matches("\"/etc/resolv.conf\"").count(), 1);
}
