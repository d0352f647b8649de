use super::{
    super::facts::create::{Archive, Bridge, ImageLayout},
    *,
};
use crate::{backend::cgroup::Layout, domain::spec::Cpus};

fn place() -> Place {
    Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() }
}

fn facts() -> CreateFacts {
    CreateFacts {
        taken: false,
        create_config_exists: true,
        templates: vec!["busybox".into(), "local".into(), "oci".into()],
        has_busybox: true,
        missing_programs: vec![],
        metadata: Archive::Xz,
        rootfs: Archive::Xz,
        images: None,
        bridge: None,
        layout: Layout::V2,
    }
}

fn by_template(template: &str, arguments: &[&str]) -> CreateSpec {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    CreateSpec::LxcTemplate { template: template.into(), arguments, limits: Limits::default(), network: None }
}

fn by_archives(metadata: &str, rootfs: &str) -> CreateSpec {
    CreateSpec::LxcLocal {
        metadata: metadata.into(),
        rootfs: rootfs.into(),
        limits: Limits::default(),
        network: None,
    }
}

/// As the driver does it: judged first, then planned.
fn planned(name: &str, spec: &CreateSpec, facts: &CreateFacts, place: &Place) -> Result<String, Error> {
    let name = GuestName::found(name).unwrap();
    check(&name, false, spec)?;
    let plan = create(place, &name, spec, false, facts)?;
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Stopped)));
    let Work::Command(command) = &plan.steps[0].work else { panic!("no command") };
    Ok(command.argv.to_string())
}

fn field(result: Result<String, Error>) -> Field {
    match result {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("expected a refused field, got {other:?}"),
    }
}

#[test]
fn a_template_gets_its_arguments_behind_two_dashes() {
    let spec = by_template("busybox", &[]);
    assert_eq!(
        planned("web1", &spec, &facts(), &place()).unwrap(),
        "lxc-create -P /var/lib/lxc -n web1 -t busybox"
    );
    let place = Place { create_config: Some("/etc/net.conf".into()), ..place() };
    let spec = by_template("local", &["--release", "a b"]);
    assert_eq!(
        planned("web1", &spec, &facts(), &place).unwrap(),
        "lxc-create -P /var/lib/lxc -n web1 -t local -f /etc/net.conf -- --release 'a b'"
    );
}

#[test]
fn archives_are_given_to_the_local_template() {
    let spec = by_archives("/srv/meta.tar.xz", "/srv/rootfs.tar.xz");
    assert_eq!(
        planned("web1", &spec, &facts(), &place()).unwrap(),
        "lxc-create -P /var/lib/lxc -n web1 -t local -- --metadata /srv/meta.tar.xz --fstree /srv/rootfs.tar.xz"
    );
}

#[test]
fn a_taken_name_and_a_long_one_are_refused() {
    let spec = by_template("busybox", &[]);
    let taken = CreateFacts { taken: true, ..facts() };
    assert!(matches!(planned("web1", &spec, &taken, &place()), Err(Error::AlreadyExists(_))));
    assert_eq!(field(planned(&"x".repeat(64), &spec, &facts(), &place())), Field::Name);
    let number = GuestName::new("101").unwrap();
    assert!(check(&number, true, &spec).is_err(), "Proxmox's own");
    assert!(check(&number, false, &spec).is_ok());
}

#[test]
fn only_an_installed_template_is_ever_named() {
    for template in ["nosuch", "", "../busybox", "/bin/sh", "-f", "busybox\n"] {
        let spec = by_template(template, &[]);
        assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Template, "{template:?}");
    }
}

#[test]
fn arguments_cannot_redirect_the_template_to_another_directory() {
    for argument in [
        "--rootfs",
        "--rootfs=/etc",
        "--roo=/etc",
        "--path",
        "--p",
        "--name=x",
        "--mapped-uid=0",
        "-p/etc",
        "-hn",
        "-n",
    ] {
        let spec = by_template("busybox", &[argument]);
        assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Arguments, "{argument}");
    }
    for argument in ["--release", "--arch=amd64", "-r", "--", "path", "--busybox-path=/bin/busybox"] {
        assert!(
            planned("web1", &by_template("busybox", &[argument]), &facts(), &place()).is_ok(),
            "{argument}"
        );
    }
}

#[test]
fn hostile_arguments_are_refused() {
    let (long, many) = ("x".repeat(5000), vec!["x"; 65]);
    for arguments in [&["a\nb"][..], &["a\0"], &["\u{1b}[2J"], &[&long], &many] {
        let spec = by_template("busybox", arguments);
        assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Arguments);
    }
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let spec = by_template("busybox", &[]);
    let without = CreateFacts { has_busybox: false, missing_programs: vec!["xz"], ..facts() };
    let text = planned("web1", &spec, &without, &place()).unwrap_err().to_string();
    assert!(text.contains("busybox-static"), "{text}");
    let text = planned("web1", &by_archives("/m", "/r"), &without, &place()).unwrap_err().to_string();
    assert!(text.contains("“xz”") && text.contains("xz-utils"), "{text}");
}

#[test]
fn a_bad_path_is_refused_at_its_own_field() {
    for path in ["", "meta.tar.xz", "/a/../b", "/a\nb", "/a\0", "-x", &format!("/{}", "x".repeat(5000))] {
        assert_eq!(field(planned("w", &by_archives(path, "/r"), &facts(), &place())), Field::Metadata);
        assert_eq!(field(planned("w", &by_archives("/m", path), &facts(), &place())), Field::Rootfs);
    }
    for found in [Archive::Missing, Archive::NotAFile, Archive::OtherFormat] {
        let facts = CreateFacts { rootfs: found, ..facts() };
        assert_eq!(field(planned("w", &by_archives("/m", "/r"), &facts, &place())), Field::Rootfs);
    }
}

#[test]
fn a_missing_default_configuration_and_a_bundle_are_refused() {
    let place = Place { create_config: Some("/none".into()), ..place() };
    let facts = CreateFacts { create_config_exists: false, ..facts() };
    let text = planned("w", &by_template("busybox", &[]), &facts, &place).unwrap_err().to_string();
    assert!(text.contains("/none"), "{text}");
    let bundle = CreateSpec::CrunBundle { bundle: "/b".into() };
    assert_eq!(field(planned("w", &bundle, &facts, &place)), Field::Backend);
    assert!(create(&super::tests::place(), &GuestName::new("w").unwrap(), &bundle, false, &facts).is_err());
}

fn by_image(image: &str) -> CreateSpec {
    CreateSpec::LxcOci { image: image.into(), limits: Limits::default(), network: None }
}

fn on_bridge(bridge: &str) -> Option<LxcNetwork> {
    Some(LxcNetwork::Bridge { bridge: bridge.into(), address: Some("10.0.3.7/24".into()), gateway: None })
}

fn lines(spec: &CreateSpec, start: bool, facts: &CreateFacts) -> Vec<String> {
    let plan = create(&place(), &GuestName::new("web1").unwrap(), spec, start, facts).unwrap();
    plan.steps.iter().map(|step| step.work.to_string()).collect()
}

#[test]
fn network_and_limits_are_written_behind_what_the_template_wrote() {
    let spec = CreateSpec::LxcTemplate {
        template: "busybox".into(),
        arguments: vec![],
        limits: Limits { cpu: Some(Cpus(500)), memory: Some(64 << 20), pids: Some(9) },
        network: on_bridge("br0"),
    };
    let found = CreateFacts { bridge: Some(Bridge::Found), ..facts() };
    let lines = lines(&spec, true, &found);
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        "edit /var/lib/lxc/web1/config: lxc.net (removed); lxc.net.0.type = veth; lxc.net.0.link = br0; \
         lxc.net.0.name = eth0; lxc.net.0.flags = up; lxc.net.0.ipv4.address = 10.0.3.7/24; \
         lxc.cgroup2.memory.max = 67108864; lxc.cgroup2.cpu.max = 50000 100000; lxc.cgroup2.pids.max = 9"
    );
    assert!(lines[2].starts_with("lxc-start "), "{}", lines[2]);
}

#[test]
fn an_image_is_unpacked_by_lxcs_own_template_and_runs_its_program() {
    let spec = by_image("oci:/srv/images:3.20");
    let there = CreateFacts { images: Some(ImageLayout::Tags(vec!["3.20".into()])), ..facts() };
    let lines = lines(&spec, true, &there);
    assert_eq!(lines[0], "lxc-create -P /var/lib/lxc -n web1 -t oci -- --url oci:/srv/images:3.20");
    assert!(lines[1].starts_with("lxc-execute "), "{}", lines[1]);
    for found in [ImageLayout::Missing, ImageLayout::NotALayout, ImageLayout::Tags(vec![])] {
        let facts = CreateFacts { images: Some(found), ..facts() };
        assert_eq!(field(planned("web1", &spec, &facts, &place())), Field::Image);
    }
    assert_eq!(field(planned("web1", &by_image("dir:/etc"), &there, &place())), Field::Image);
    let without = CreateFacts { missing_programs: vec!["umoci"], ..there };
    let text = planned("web1", &spec, &without, &place()).unwrap_err().to_string();
    assert!(text.contains("“umoci”") && text.contains("apt-get install"), "{text}");
}

#[test]
fn a_bridge_that_is_not_there_is_refused() {
    for (found, word) in [(Bridge::Missing, "no bridge"), (Bridge::OtherInterface, "but no bridge")] {
        let spec = CreateSpec::LxcOci {
            image: "docker://a".into(),
            limits: Limits::default(),
            network: on_bridge("eth0"),
        };
        let facts = CreateFacts { bridge: Some(found), ..facts() };
        let error = planned("web1", &spec, &facts, &place()).unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Network, .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn limits_and_networks_are_judged_for_every_kind_of_container() {
    let limits = Limits { memory: Some(1), ..Limits::default() };
    let network = on_bridge("a b");
    for (limits, network, wrong) in
        [(limits, None, Field::Memory), (Limits::default(), network, Field::Network)]
    {
        let (image, path) = ("docker://a".to_owned(), "/m".to_owned());
        for spec in [
            CreateSpec::LxcTemplate {
                template: "busybox".into(),
                arguments: vec![],
                limits: limits.clone(),
                network: network.clone(),
            },
            CreateSpec::LxcLocal {
                metadata: path.clone(),
                rootfs: path,
                limits: limits.clone(),
                network: network.clone(),
            },
            CreateSpec::LxcOci { image, limits: limits.clone(), network: network.clone() },
        ] {
            assert_eq!(field(planned("web1", &spec, &facts(), &place())), wrong);
        }
    }
}
