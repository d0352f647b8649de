//! New containers with networks and limits, from OCI images, and what a host offers for them.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use app::{
    backend::{Backend, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field, GuestAction},
        guest::GuestStatus,
        host::ImageKind,
        plan::Stream,
        spec::{Cpus, CreateRequest, CreateSpec, Limits, LxcNetwork},
    },
};

use super::{
    create, failed,
    lab::{Lab, busybox, must_run, unique},
};

const MIB: u64 = 1 << 20;

fn limits() -> Limits {
    Limits { cpu: Some(Cpus(250)), memory: Some(48 * MIB), pids: Some(50) }
}

fn started(spec: CreateSpec) -> ActionRequest {
    ActionRequest::Create(CreateRequest { start: true, ..CreateRequest::of("any".parse().unwrap(), spec) })
}

fn busybox_with(limits: Limits, network: Option<LxcNetwork>) -> CreateSpec {
    CreateSpec::LxcTemplate { template: "busybox".into(), arguments: vec![], limits, network }
}

fn image(image: String) -> CreateSpec {
    CreateSpec::LxcOci { image, limits: Limits::default(), network: None }
}

/// A bridge of the host's for one test.
struct HostBridge(String);

impl HostBridge {
    fn new() -> Self {
        let name = format!("ptb{}", std::process::id() % 100_000);
        must_run(Command::new("ip").args(["link", "add", "name", &name, "type", "bridge"]), "ip (iproute2)");
        must_run(Command::new("ip").args(["link", "set", &name, "up"]), "ip (iproute2)");
        Self(name)
    }
}

impl Drop for HostBridge {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", &self.0]).output();
    }
}

/// An image layout with one tag, `t`, whose program sleeps. No network is needed.
fn image_layout(directory: &Path, command: &[&str]) -> String {
    let umoci = |arguments: &[&str]| {
        must_run(
            Command::new("umoci").current_dir(directory).args(arguments),
            "umoci (apt-get install umoci)",
        );
    };
    umoci(&["init", "--layout", "images"]);
    umoci(&["new", "--image", "images:t"]);
    umoci(&["unpack", "--image", "images:t", "bundle"]);
    let rootfs = directory.join("bundle/rootfs");
    for part in ["bin", "etc", "proc", "sys", "dev", "tmp"] {
        fs::create_dir_all(rootfs.join(part)).unwrap();
    }
    fs::copy(busybox(), rootfs.join("bin/busybox")).unwrap();
    for link in ["bin/sh", "bin/sleep"] {
        std::os::unix::fs::symlink("busybox", rootfs.join(link)).unwrap();
    }
    umoci(&["repack", "--image", "images:t", "bundle"]);
    let words: Vec<&str> = command.iter().flat_map(|word| ["--config.cmd", word]).collect();
    umoci(&[&["config", "--image", "images:t", "--config.env", "GREETING=hi there"], &words[..]].concat());
    format!("oci:{}:t", directory.join("images").display())
}

#[tokio::test]
async fn a_new_container_runs_with_its_limits_and_on_its_bridge() {
    let lab = Lab::new();
    let (name, bridge) = (unique(), HostBridge::new());
    let network = LxcNetwork::Bridge {
        bridge: bridge.0.clone(),
        address: Some("10.123.45.7/24".into()),
        gateway: Some("10.123.45.1".into()),
    };
    // Not by the template busybox, whose init asks for an address by DHCP and takes the given one away.
    create::archives(&lab);
    let at = |file: &str| lab.dir.path().join(file).display().to_string();
    let (metadata, rootfs) = (at("meta.tar.xz"), at("rootfs.tar.xz"));
    let spec = CreateSpec::LxcLocal { metadata, rootfs, limits: limits(), network: Some(network) };
    lab.done(&name, started(spec)).await;
    let detail = lab.driver.inspect(&name).await.unwrap().unwrap();
    assert_eq!(detail.guest.status, GuestStatus::Running);
    assert_eq!((detail.memory_limit, detail.cpu_limit), (Some(48 * MIB), Some(Cpus(250))));
    assert!(detail.facts.contains(&("Process limit".into(), "50".into())), "{:?}", detail.facts);
    assert!(
        detail.facts.contains(&("Network 0".into(), format!("veth on {}", bridge.0))),
        "{:?}",
        detail.facts
    );
    assert_eq!(detail.guest.addresses, ["10.123.45.7"]);
    let routes = lab.tool("lxc-attach", &name, &["--clear-env", "--", "/bin/busybox", "ip", "route"]);
    assert!(String::from_utf8_lossy(&routes.stdout).contains("default via 10.123.45.1"), "{routes:?}");
}

#[tokio::test]
async fn a_new_container_without_a_network_has_loopback_alone() {
    let lab = Lab::new();
    // What the default configuration says of networks, also in a file that it includes, does not count then.
    let net = lab.dir.path().join("net.conf");
    let included = lab.dir.path().join("included.conf");
    fs::write(&included, "lxc.net.1.type = veth\nlxc.net.1.link = nosuchbr1\n").unwrap();
    let text =
        format!("lxc.net.0.type = veth\nlxc.net.0.link = nosuchbr0\nlxc.include = {}\n", included.display());
    fs::write(&net, text).unwrap();
    let name = unique();
    lab.done(&name, started(busybox_with(Limits::default(), Some(LxcNetwork::None)))).await;
    let seen = lab.tool("lxc-attach", &name, &["--clear-env", "--", "ls", "/sys/class/net"]);
    assert_eq!(String::from_utf8_lossy(&seen.stdout).trim(), "lo");
}

#[tokio::test]
async fn a_network_that_cannot_be_is_refused_before_anything_is_made() {
    let lab = Lab::new();
    for bridge in ["nosuchbr0", "lo", "../lo", "a b"] {
        let network = LxcNetwork::Bridge { bridge: bridge.into(), address: None, gateway: None };
        let error = lab.refused(&unique(), started(busybox_with(Limits::default(), Some(network)))).await;
        assert!(matches!(error, Error::Invalid { field: Field::Network, .. }), "{bridge}: {error}");
    }
    assert_eq!(fs::read_dir(&lab.lxcpath).unwrap().count(), 0);
}

#[tokio::test]
async fn an_oci_image_becomes_a_container_that_runs_its_program() {
    let lab = Lab::new();
    let name = unique();
    let image = image_layout(lab.dir.path(), &["/bin/sleep", "4715"]);
    let spec = CreateSpec::LxcOci { image, limits: limits(), network: Some(LxcNetwork::None) };
    lab.done(&name, started(spec)).await;
    let guest = lab.guest(&name).await.unwrap();
    assert_eq!(guest.status, GuestStatus::Running);
    let exec = |words: &[&str]| ActionRequest::Exec {
        command: words.iter().map(|&word| word.to_owned()).collect(),
        timeout_seconds: 20,
    };
    let ran = lab.done(&name, exec(&["/bin/busybox", "ps"])).await;
    assert!(ran.said(Stream::Stdout).contains("/bin/sleep 4715"), "{}", ran.said(Stream::Stdout));
    let ran = lab.done(&name, exec(&["/bin/busybox", "env"])).await;
    assert!(ran.said(Stream::Stdout).contains("GREETING=hi there"));
    assert_eq!(lab.driver.inspect(&name).await.unwrap().unwrap().memory_limit, Some(48 * MIB));
    // It is stopped, started and rebooted like any other.
    let reboot = ActionRequest::Reboot { timeout_seconds: 20 };
    lab.done(&name, reboot).await;
    assert_ne!(lab.guest(&name).await.unwrap().pid, guest.pid);
    lab.done(&name, super::shutdown(20)).await;
    lab.start(&name).await;
    lab.done(&name, ActionRequest::Stop).await;
    lab.done(&name, ActionRequest::Delete { purge: false }).await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told_before_anything_is_made() {
    let lab = Lab::new();
    let there = image_layout(lab.dir.path(), &["/bin/sleep", "9"]);
    let directory = lab.dir.path().display();
    for (wrong, words) in [
        (there.replace(":t", ":nope"), "there are t"),
        (format!("oci:{directory}/none:t"), "no directory"),
        (format!("oci:{directory}:t"), "no OCI image layout"),
        ("oci:relative:t".to_owned(), "docker://"),
    ] {
        let error = lab.refused(&unique(), started(image(wrong.clone()))).await;
        assert!(matches!(error, Error::Invalid { field: Field::Image, .. }), "{wrong}: {error}");
        assert!(error.to_string().contains(words), "{wrong}: {error}");
    }
    assert_eq!(fs::read_dir(&lab.lxcpath).unwrap().count(), 0);
    // A registry that does not answer is only known when it is asked; nothing is left then.
    let name = unique();
    let error = failed(lab.act(&name, started(image("docker://localhost:1/a".into()))).await);
    assert!(matches!(&error, Error::NotReady { cure, .. } if cure.contains("registry")), "{error}");
    assert_eq!(lab.guest(&name).await, None);
}

#[tokio::test]
async fn an_image_whose_program_is_missing_does_not_pass_for_started() {
    let lab = Lab::new();
    let name = unique();
    let image = image(image_layout(lab.dir.path(), &["/no/such/program"]));
    let error = failed(lab.act(&name, started(image)).await);
    let is_told = matches!(&error, Error::NotDone { what } if what.contains("is stopped"));
    assert!(is_told, "the tool exits 0: {error}");
}

#[tokio::test]
async fn an_application_whose_init_cannot_be_told_by_its_title_runs_nonetheless() {
    // Without a /proc its init keeps the title of the monitor.
    let lab = Lab::new();
    let name = lab.made("lxc.mount.auto =\nlxc.execute.cmd = /bin/sleep 4716");
    lab.start(&name).await;
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Running));
    lab.done(&name, ActionRequest::Stop).await;
}

#[tokio::test]
async fn a_container_whose_start_fails_is_there_and_stopped() {
    let lab = Lab::new();
    let net = lab.dir.path().join("net.conf");
    fs::write(net, "lxc.net.0.type = veth\nlxc.net.0.link = nosuchbr0\n").unwrap();
    let name = unique();
    let end = lab.act(&name, started(busybox_with(Limits::default(), None))).await;
    assert!(matches!(end, ExecutionEnd::Failed(_)), "{end:?}");
    lab.until(&name, GuestStatus::Stopped).await;
}

#[tokio::test]
async fn a_host_tells_what_it_offers_and_what_it_is() {
    let lab = Lab::new();
    let images = lab.driver.images().await.unwrap();
    assert!(images.iter().any(|image| image.id == "busybox" && image.kind == ImageKind::LxcTemplate));
    assert!(images.is_sorted_by_key(|image| image.id.clone()));
    let nodes = lab.driver.nodes().await.unwrap();
    assert_eq!(nodes.len(), 1);
    assert!(nodes[0].state.is_online() && nodes[0].memory_total.is_some_and(|bytes| bytes > 0));
    assert!(nodes[0].storages[0].total.is_some_and(|bytes| bytes > 0), "{:?}", nodes[0].storages);
}

#[tokio::test]
async fn what_lxc_lacks_is_said_in_plain_words_and_nothing_is_planned() {
    let lab = Lab::new();
    let name = lab.made("");
    for (request, action) in [
        (ActionRequest::Reset, GuestAction::Reset),
        (ActionRequest::Hibernate, GuestAction::Hibernate),
        (ActionRequest::MakeTemplate, GuestAction::MakeTemplate),
        (ActionRequest::Resize { disk: "rootfs".into(), size: 1 << 30 }, GuestAction::Resize),
        (ActionRequest::Migrate { node: "pve2".into() }, GuestAction::Migrate),
        (ActionRequest::Backup { storage: None, mode: Default::default() }, GuestAction::Backup),
        (ActionRequest::Unlock, GuestAction::Unlock),
    ] {
        let reason = lab.driver.lack(action).unwrap();
        assert!(reason.ends_with('.') && reason.len() > 20 && !reason.contains("built"), "{reason}");
        let error = lab.refused(&name, request).await;
        assert!(matches!(error, Error::Unsupported { action: told, .. } if told == action), "{error}");
    }
    let lacking = GuestAction::ALL.into_iter().filter(|action| lab.driver.lack(*action).is_some()).count();
    assert_eq!(lacking, 7);
}

#[tokio::test]
async fn a_list_of_tagged_containers_starts_no_process_and_costs_next_to_nothing() {
    let lab = Lab::new();
    for number in 0..50 {
        lab.made(&format!("lxc.group = t{number}"));
    }
    assert_eq!(lab.driver.list().await.unwrap().len(), 50);
    let mut best = Duration::MAX;
    for _ in 0..100 {
        let begun = Instant::now();
        let listed = lab.driver.list().await.unwrap();
        best = best.min(begun.elapsed());
        assert!(listed.iter().all(|guest| guest.tags.len() == 1));
    }
    println!("50 with tags: best {best:?}");
    assert!(best.as_millis() < 5, "{best:?}");
}
