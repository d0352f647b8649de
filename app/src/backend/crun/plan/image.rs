//! A container from an image: copied, unpacked into a bundle, fitted, set up. Pure.
//!
//! ```text
//!   registry, archive ──skopeo──► IMAGES/NAME.paddock ─┐
//!                         layout on the host ──────────┴─umoci──► BUNDLES/.NAME.unfinished ──edit, mv──► BUNDLES/NAME ──crun──►
//! ```
//!
//! Whatever fails, the next attempt finds its place free: what lies at the unfinished place, and a bundle that still
//! says of itself that nothing has run in it, are removed first. skopeo takes up a copy where an earlier one was left.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    backend::Error,
    domain::{
        name::GuestName,
        plan::{Argv, Change, Command, FileEdit, Output, Plan, Step, When, Work},
        spec::{BindMount, OciSpec},
    },
};

use super::{
    super::{
        facts::Place,
        ground::{Ground, Spot},
        input::invalid,
        json::part,
        notes,
        reference::Reference,
    },
    Tool, after_create,
    checks::check_place,
    plan, remove,
    settings::{annotation, limits, set, unset},
    start_step, step,
};
use crate::domain::action::Field;

/// Copying a large image over a slow line.
const COPY_MS: u64 = 3_600_000;
const UNPACK_MS: u64 = 1_800_000;
/// Within one file system.
const MOVE_MS: u64 = 30_000;

/// What podman lets a container's root do by default. umoci would leave it three, and most images' own set-up fails.
const CAPABILITIES: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// Where the image comes from, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Registry(Reference),
    /// skopeo's name of the format, and the file.
    Archive(&'static str, String),
    /// A layout on the host and the tag in it, used where it lies.
    Layout(String, String),
}

impl Source {
    fn shown(&self) -> String {
        match self {
            Self::Registry(reference) => reference.to_string(),
            Self::Archive(format, path) => format!("{format}:{path}"),
            Self::Layout(path, tag) => format!("oci:{path}:{tag}"),
        }
    }
}

pub fn create(
    tool: &Tool,
    name: &GuestName,
    source: &Source,
    spec: &OciSpec,
    ground: &Ground,
    place: &Place,
    start: bool,
) -> Result<Plan, Error> {
    check_place(tool, name, place)?;
    let (bundle, unfinished) = (ground.places.bundle(name), ground.places.unfinished(name));
    if ground.bundle == Spot::Taken {
        return Err(invalid(
            Field::Name,
            format!(
                "{} is there already. Choose another name, create the container from that bundle, or remove it.",
                bundle.display()
            ),
        ));
    }
    let mut steps = Vec::new();
    let mut loses = Vec::new();
    for (is_left, path) in [(ground.has_unfinished, &unfinished), (ground.bundle == Spot::LeftOver, &bundle)]
    {
        if is_left {
            steps.push(step("Remove what an attempt that failed has left", remove(path)));
            loses.push(format!("{}, which an attempt that failed has left.", path.display()));
        }
    }
    if !ground.missing.is_empty() {
        let argv = Argv::new("mkdir").args(["--parents", "--mode=0700", "--"]);
        let argv = argv.args(ground.missing.iter().map(|dir| dir.display().to_string()));
        steps.push(step("Make the directories for images and bundles", piped(argv, MOVE_MS)));
    }
    let image = match source {
        Source::Layout(path, tag) => format!("{path}:{tag}"),
        other => {
            let (copied, image) = copy(other, &ground.places.layout(name));
            steps.push(copied);
            image
        }
    };
    steps.extend(unpack(name, source, spec, ground, &image, &unfinished));
    let argv = Argv::new("mv").args(["--no-target-directory", "--"]);
    let argv = argv.args([&unfinished, &bundle].map(|path| path.display().to_string()));
    steps.push(step("Put the bundle into its place", piped(argv, MOVE_MS)));
    let config = bundle.join("config.json").display().to_string();
    steps.push(step("Set up the container from it", tool.create(name, &bundle.display().to_string())));
    let changes = vec![unset(&annotation(notes::UNFINISHED))];
    let note = Work::Edit(FileEdit { path: config, changes, digest: None });
    // From here on the bundle may hold what somebody wants to keep.
    steps.push(Step { when: When::Unparted, ..step("Note that the bundle is in use", note) });
    if start {
        steps.push(start_step(tool, name));
    }
    Ok(Plan { loses, ..plan(steps, Some(after_create(start))) })
}

fn piped(argv: Argv, timeout_ms: u64) -> Work {
    Work::Command(Command { argv, timeout_ms, output: Output::Piped })
}

/// The step, and the image as umoci names it.
fn copy(source: &Source, layout: &Path) -> (Step, String) {
    let (from, tag, is_plain) = match source {
        Source::Registry(reference) => {
            (format!("docker://{reference}"), reference.tag(), reference.is_loopback())
        }
        other => (other.shown(), "latest", false),
    };
    let image = format!("{}:{tag}", layout.display());
    let mut argv = Argv::new("skopeo").arg("copy");
    if is_plain {
        // A registry on this very machine may well speak without TLS; one that speaks with it is taken, too.
        argv = argv.arg("--src-tls-verify=false");
    }
    let argv = argv.args(["--", &from, &format!("oci:{image}")]);
    (step(format!("Copy the image {}", source.shown()), piped(argv, COPY_MS)), image)
}

fn unpack(
    name: &GuestName,
    source: &Source,
    spec: &OciSpec,
    ground: &Ground,
    image: &str,
    to: &Path,
) -> [Step; 2] {
    let argv = Argv::new("umoci").args(["unpack", "--image", image, "--"]).arg(to.display().to_string());
    let config = to.join("config.json").display().to_string();
    let edit = FileEdit { path: config, changes: fit(name, source, spec, ground), digest: None };
    [
        step("Unpack it into a bundle", piped(argv, UNPACK_MS)),
        step("Write what was asked for into the bundle", Work::Edit(edit)),
    ]
}

/// What is different from the configuration that umoci writes.
fn fit(name: &GuestName, source: &Source, spec: &OciSpec, ground: &Ground) -> Vec<Change> {
    let inherited = ["CAP_NET_BIND_SERVICE"];
    let capabilities = json!({
        "bounding": CAPABILITIES,
        "effective": CAPABILITIES,
        "permitted": CAPABILITIES,
        // What a user other than root keeps: to serve at a low port, as with Docker.
        "inheritable": inherited,
        "ambient": inherited,
    });
    let namespaces: Vec<Value> = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
        .into_iter()
        .filter(|namespace| !(spec.host_network && *namespace == "network"))
        .map(|namespace| json!({ "type": namespace }))
        .collect();
    let mut changes = vec![
        set("/hostname", &json!(name)),
        // Nobody is at its console.
        set("/process/terminal", &json!(false)),
        set("/process/capabilities", &capabilities),
        set("/linux/namespaces", &Value::from(namespaces)),
        set("/linux/cgroupsPath", &json!(cgroup(name))),
        // As a whole: umoci would put a memory disk on each volume of the image, and with its end all data be gone.
        set("/mounts", &Value::from(mounts(spec, ground))),
    ];
    if !spec.command.is_empty() {
        changes.push(set("/process/args", &json!(spec.command)));
    }
    for (variable, value) in &spec.env {
        let key = format!("/process/env/{}=", part(variable));
        changes.push(set(&key, &json!(format!("{variable}={value}"))));
    }
    changes.extend(limits(&spec.limits));
    changes.extend([
        set(&annotation(notes::MADE_FOR), &json!(name)),
        set(&annotation(notes::IMAGE), &json!(source.shown())),
        set(&annotation(notes::UNFINISHED), &json!("nothing has run in it yet")),
    ]);
    changes
}

/// The control group of a container that is made from an image: no other tool's.
pub fn cgroup(name: &GuestName) -> String {
    format!("/paddock-{name}")
}

fn mounts(spec: &OciSpec, ground: &Ground) -> Vec<Value> {
    let system = |target: &str, kind: &str, options: &[&str]| json!({"destination": target, "type": kind, "source": kind, "options": options});
    let mut mounts = vec![
        system("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        system("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        system(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        system("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        system("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        system("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        system("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
    ];
    let bind = |mount: &BindMount, is_directory: bool| {
        // What is mounted below the source comes along, and read-only is so to its depth: crun 1.8.1 takes the word
        // for that of directories alone.
        let options: &[&str] = match (mount.read_only, is_directory) {
            (false, _) => &["rbind", "rprivate"],
            (true, true) => &["rbind", "rprivate", "rro"],
            (true, false) => &["bind", "ro"],
        };
        json!({"destination": mount.target, "type": "bind", "source": mount.source, "options": options})
    };
    if spec.host_network {
        let own = ground.network_files.iter().filter(|file| !spec.mounts.iter().any(|m| m.target == **file));
        mounts.extend(own.map(|file| {
            bind(&BindMount { source: file.clone(), target: file.clone(), read_only: true }, false)
        }));
    }
    mounts.extend(spec.mounts.iter().map(|m| bind(m, ground.directories.contains(&m.source))));
    mounts
}

#[cfg(test)]
mod tests;
