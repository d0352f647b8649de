//! Containers from images, by the real skopeo and umoci, without a network.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use app::{
    backend::{Backend as _, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestStatus::{Created, Running, Stopped},
        host::ImageKind,
        name::GuestName,
        plan::{StepResult, Stream},
        spec::{BindMount, Cpus, CreateRequest, CreateSpec, Limits, OciImage, OciSpec},
    },
};
use serde_json::Value;

use super::crun::World;

/// Ends by itself at SIGTERM, and writes what it sees into its root file system first.
pub const TELL: &str = "env > /env; hostname > /name; cat /proc/net/dev > /net; echo ready > /ready; \
                        trap 'exit 0' TERM; while :; do sleep 0.05; done";

pub fn run(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("these tests need {program}: {e}"));
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A layout with one image, `busy`: a busybox that tells, two variables and a volume.
pub fn layout(world: &World) -> String {
    let (layout, source) = (world.path("source-layout"), world.path("source"));
    fs::create_dir_all(source.join("bin")).unwrap();
    fs::create_dir_all(source.join("etc")).unwrap();
    fs::copy("/bin/busybox", source.join("bin/busybox")).unwrap();
    for tool in ["sh", "sleep", "env", "hostname", "cat", "grep", "id", "touch", "ls"] {
        symlink("busybox", source.join("bin").join(tool)).unwrap();
    }
    let layout = layout.to_str().unwrap().to_owned();
    let image = format!("{layout}:busy");
    run("umoci", &["init", "--layout", &layout]);
    run("umoci", &["new", "--image", &image]);
    run("umoci", &["insert", "--image", &image, source.to_str().unwrap(), "/"]);
    let words =
        ["config", "--image", &image, "--config.cmd", "sh", "--config.cmd", "-c", "--config.cmd", TELL];
    let env = ["--config.env", "PATH=/bin", "--config.env", "WHO=image", "--config.volume", "/data"];
    run("umoci", &[&words[..], &env[..]].concat());
    layout
}

pub fn of_layout(layout: &str) -> OciSpec {
    spec(OciImage::Layout { path: layout.to_owned(), tag: "busy".to_owned() })
}

pub fn spec(image: OciImage) -> OciSpec {
    OciSpec {
        image,
        command: vec![],
        env: vec![],
        mounts: vec![],
        limits: Limits::default(),
        host_network: false,
    }
}

pub fn create(spec: OciSpec, start: bool) -> ActionRequest {
    let spec = CreateSpec::CrunImage(spec);
    ActionRequest::Create(CreateRequest { start, ..CreateRequest::of("any".parse().unwrap(), spec) })
}

pub fn bundle(world: &World, name: &GuestName) -> String {
    world.path("bundles").join(name.as_str()).to_str().unwrap().to_owned()
}

fn copied(world: &World, name: &GuestName) -> std::path::PathBuf {
    world.path("images").join(format!("{name}.paddock"))
}

fn config(bundle: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(bundle).join("config.json")).unwrap()).unwrap()
}

/// The names in the directories for bundles and images, without what the test itself made there.
pub fn left_in(world: &World) -> Vec<String> {
    let names = |sub: &str| fs::read_dir(world.path(sub)).into_iter().flatten().flatten();
    let names = ["bundles", "images"].into_iter().flat_map(names);
    let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_layout_on_the_host_becomes_a_container_and_stays_as_it_is() {
    let world = World::new();
    let (name, layout) = (world.name("web1"), layout(&world));
    let before = fs::read_to_string(Path::new(&layout).join("index.json")).unwrap();
    let begun = Instant::now();
    world.act_ok(&name, create(of_layout(&layout), false)).await;
    println!("create from a layout: {:?}", begun.elapsed());
    assert_eq!(world.agreed(&name).await, Created);
    world.act_ok(&name, ActionRequest::Start).await;
    assert_eq!(world.agreed(&name).await, Running);
    let bundle = bundle(&world, &name);
    world.written(&bundle, "ready").await;
    let read = |file: &str| fs::read_to_string(Path::new(&bundle).join("rootfs").join(file)).unwrap();
    assert!(read("env").lines().any(|line| line == "WHO=image"));
    assert_eq!(read("name").trim(), name.as_str());
    let interfaces: Vec<String> =
        read("net").lines().filter_map(|l| Some(l.split_once(':')?.0.trim().to_owned())).collect();
    assert_eq!(interfaces, ["lo"], "loopback alone");
    let config = config(&bundle);
    assert_eq!(config["linux"]["cgroupsPath"], format!("/paddock-{name}"));
    assert_eq!(config["annotations"]["paddock.made-for"], name.as_str());
    assert!(config["annotations"].get("paddock.unfinished").is_none());
    let found = world.driver.inspect(&name).await.unwrap().unwrap();
    assert!(found.facts.contains(&("Image".to_owned(), format!("oci:{layout}:busy"))), "{:?}", found.facts);

    // It lives on like any other, and keeps what it wrote where the image has a volume.
    world.act_ok(&name, super::SHUTDOWN).await;
    assert_eq!(world.agreed(&name).await, Stopped);
    world.act_ok(&name, ActionRequest::Start).await;
    assert_eq!(world.agreed(&name).await, Running);
    assert_eq!(fs::read_to_string(Path::new(&layout).join("index.json")).unwrap(), before);
    assert_eq!(left_in(&world), [name.as_str()]);
}

#[tokio::test]
async fn command_environment_mounts_limits_and_network_are_as_asked() {
    let world = World::new();
    let (name, layout) = (world.name("web1"), layout(&world));
    let host = world.path("host");
    fs::create_dir_all(host.join("in")).unwrap();
    fs::write(host.join("file"), "of the host\n").unwrap();
    let mount = |source: &Path, target: &str, read_only| BindMount {
        source: source.to_str().unwrap().to_owned(),
        target: target.to_owned(),
        read_only,
    };
    let script = "env > /env; cat /proc/net/dev > /net; cat /mnt/file > /seen; \
                  touch /mnt/rw/new; touch /mnt/ro/new; touch /mnt/file && echo x > /mnt/file; \
                  grep Cap /proc/self/status > /caps; ls -d /data 2>/dev/null; echo ready > /ready; sleep 600";
    let spec = OciSpec {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: [("WHO", "asked"), ("ODD", "a=b \"c\" $d\né"), ("EMPTY", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        mounts: vec![
            mount(&host.join("in"), "/mnt/rw", false),
            mount(&host, "/mnt/ro", true),
            mount(&host.join("file"), "/mnt/file", true),
        ],
        limits: Limits { cpu: Some(Cpus(250)), memory: Some(64 << 20), pids: Some(20) },
        host_network: true,
        ..of_layout(&layout)
    };
    world.act_ok(&name, create(spec, true)).await;
    let bundle = bundle(&world, &name);
    world.written(&bundle, "ready").await;
    let read = |file: &str| fs::read_to_string(Path::new(&bundle).join("rootfs").join(file)).unwrap();
    let env = read("env");
    for line in ["WHO=asked", "ODD=a=b \"c\" $d", "é", "EMPTY=", "PATH=/bin"] {
        assert_eq!(env.lines().filter(|found| *found == line).count(), 1, "{line} in {env}");
    }
    assert!(!env.contains("WHO=image"));
    assert_eq!(read("seen"), "of the host\n");
    assert!(host.join("in/new").exists());
    assert!(!host.join("new").exists(), "read-only");
    assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "of the host\n");
    let own = fs::read_to_string("/proc/net/dev").unwrap();
    assert_eq!(read("net").lines().count(), own.lines().count(), "the host's own network");
    assert!(read("caps").contains("CapBnd:\t00000000800405fb"), "{}", read("caps"));
    let found = world.driver.inspect(&name).await.unwrap().unwrap();
    assert_eq!((found.memory_limit, found.cpu_limit), (Some(64 << 20), Some(Cpus(250))));
    assert!(found.facts.contains(&("Process limit".to_owned(), "20".to_owned())));
}

#[tokio::test]
async fn archives_of_both_formats_become_containers() {
    let world = World::new();
    let layout = layout(&world);
    let from = format!("oci:{layout}:busy");
    for (word, format, suffix) in [("docker", "docker-archive", ":busy:1"), ("oci", "oci-archive", ":busy")] {
        let path = world.path(&format!("{word}.tar")).to_str().unwrap().to_owned();
        run("skopeo", &["copy", &from, &format!("{format}:{path}{suffix}")]);
        let name = world.name(word);
        let spec = spec(OciImage::Archive { path });
        let plan = world.plan(&name, &create(spec.clone(), true)).await.unwrap();
        assert!(
            plan.steps.iter().any(|step| step.work.to_string().contains(&format!(" {format}:"))),
            "{plan:?}"
        );
        let begun = Instant::now();
        world.act_ok(&name, create(spec, true)).await;
        println!("create from an {format}: {:?}", begun.elapsed());
        assert_eq!(world.agreed(&name).await, Running);
        world.written(&bundle(&world, &name), "ready").await;
        assert!(copied(&world, &name).join("oci-layout").is_file(), "the copied image is kept");
    }
}

#[tokio::test]
async fn images_and_bundles_are_listed_and_an_image_can_be_used_again() {
    let world = World::new();
    let source = layout(&world);
    let path = world.path("docker.tar").to_str().unwrap().to_owned();
    run("skopeo", &["copy", &format!("oci:{source}:busy"), &format!("docker-archive:{path}:busy:1")]);
    let first = world.name("first");
    world.act_ok(&first, create(spec(OciImage::Archive { path }), false)).await;
    let images = world.driver.images().await.unwrap();
    let seen: Vec<_> = images.iter().map(|image| (image.kind, image.id.clone())).collect();
    let copied = copied(&world, &first).to_str().unwrap().to_owned();
    assert_eq!(
        seen,
        [(ImageKind::Bundle, bundle(&world, &first)), (ImageKind::OciLayout, format!("{copied}:latest"))]
    );
    assert!(images[1].size.is_some_and(|size| size > 100_000), "{images:?}");
    let second = world.name("second");
    let again = spec(OciImage::Layout { path: copied, tag: "latest".to_owned() });
    world.act_ok(&second, create(again, true)).await;
    assert_eq!(world.agreed(&second).await, Running);
}

#[tokio::test]
async fn a_purge_removes_what_was_made_for_the_container_and_nothing_else() {
    let world = World::new();
    let source = layout(&world);
    let path = world.path("oci.tar").to_str().unwrap().to_owned();
    run("skopeo", &["copy", &format!("oci:{source}:busy"), &format!("oci-archive:{path}:busy")]);
    let host = world.path("host");
    fs::create_dir_all(&host).unwrap();
    fs::write(host.join("precious"), "").unwrap();
    let mounted =
        BindMount { source: host.to_str().unwrap().to_owned(), target: "/mnt".to_owned(), read_only: false };
    let other = world.name("other");
    world.act_ok(&other, create(of_layout(&source), false)).await;
    let name = world.name("web1");
    let spec = OciSpec { mounts: vec![mounted], ..spec(OciImage::Archive { path }) };
    world.act_ok(&name, create(spec, true)).await;
    let made = format!("{name}.paddock");
    assert_eq!(left_in(&world), [other.as_str(), name.as_str(), &made]);
    world.act_ok(&name, ActionRequest::Stop).await;

    let kept = world.plan(&name, &ActionRequest::Delete { purge: false }).await.unwrap();
    assert!(kept.steps.len() == 1 && kept.loses[0].contains("stays"), "{kept:?}");
    let purge = ActionRequest::Delete { purge: true };
    let plan = world.plan(&name, &purge).await.unwrap();
    assert_eq!(plan.steps.len(), 3);
    assert!(plan.loses.iter().any(|lost| lost.contains(&bundle(&world, &name))), "{:?}", plan.loses);
    assert!(plan.loses.iter().any(|lost| lost.contains(&made)), "{:?}", plan.loses);
    world.act_ok(&name, purge.clone()).await;
    assert_eq!(left_in(&world), [other.as_str()]);
    assert!(host.join("precious").exists());

    // One whose bundle somebody else made, also if the container's name and the bundle's are the same.
    let theirs = world.name("theirs");
    let bundle = world.bundle(theirs.as_str(), "sleep 600");
    world.create(&theirs, &bundle).await;
    let plan = world.plan(&theirs, &purge).await.unwrap();
    assert!(plan.steps.len() == 1 && plan.loses[0].contains("stays"), "{plan:?}");
    world.act_ok(&theirs, purge.clone()).await;
    assert!(Path::new(&bundle).join("rootfs").is_dir());
}

#[tokio::test]
async fn a_bundle_that_others_were_made_from_or_that_only_claims_to_be_ours_is_not_purged() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    world.act_ok(&name, create(of_layout(&source), false)).await;
    let own = bundle(&world, &name);
    let purge = ActionRequest::Delete { purge: true };
    // A container of another name from the same bundle, in another control group.
    let config_file = Path::new(&own).join("config.json");
    let text = fs::read_to_string(&config_file).unwrap();
    fs::write(&config_file, text.replace(&format!("/paddock-{name}"), "/paddock-x-other")).unwrap();
    let other = world.name("other");
    world.create(&other, &own).await;
    let why = super::not_ready(world.plan(&name, &purge).await);
    assert!(why.contains(other.as_str()), "{why}");
    // And that one's purge leaves the bundle, which was made for another.
    let plan = world.plan(&other, &purge).await.unwrap();
    assert_eq!(plan.steps.len(), 1);
    world.act_ok(&other, purge.clone()).await;
    assert!(Path::new(&own).is_dir());

    // A bundle elsewhere that says of itself that it was made for this container.
    let elsewhere = world.path("elsewhere");
    fs::rename(&own, &elsewhere).unwrap();
    symlink(&elsewhere, &own).unwrap();
    let plan = world.plan(&name, &purge).await.unwrap();
    assert_eq!(plan.steps.len(), 1, "a link is not followed: {plan:?}");
}

#[tokio::test]
async fn a_command_in_it_and_a_reboot_work_as_in_any_other() {
    let world = World::new();
    let (name, source) = (world.name("web1"), layout(&world));
    world.act_ok(&name, create(of_layout(&source), true)).await;
    world.written(&bundle(&world, &name), "ready").await;
    let command = ["id", "-u"].map(str::to_owned).to_vec();
    let (end, mut told) = world.act(&name, ActionRequest::Exec { command, timeout_seconds: 20 }).await;
    assert_eq!((end, told.said_by(Stream::Stdout).as_str()), (ExecutionEnd::Done, "0\n"));
    assert!(matches!(told.outcomes[0].result, StepResult::Exited(_)));
    world.act_ok(&name, ActionRequest::Reboot { timeout_seconds: 20 }).await;
    assert_eq!(world.agreed(&name).await, Running);
}
