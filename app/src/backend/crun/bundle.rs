//! Bundles: a directory with `config.json` and a root file system, checked before crun sees it.
//!
//! crun finds most of these faults too, but in words about itself (`write cpuset.cpus: Permission denied`), and when
//! a stopped container is started again it finds them only after the old one has been deleted.

use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use serde::Deserialize;

use crate::backend::files;

/// The parts of `config.json` that Paddock reads. Everything is optional; everything else is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Config {
    process: Option<Process>,
    root: Option<Root>,
    linux: Option<Linux>,
    mounts: Option<Vec<Mount>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Process {
    terminal: bool,
    args: Option<Vec<String>>,
    env: Option<Vec<String>>,
    cwd: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Root {
    path: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Linux {
    cgroups_path: Option<String>,
    namespaces: Option<Vec<Namespace>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Namespace {
    r#type: String,
    path: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Mount {
    destination: String,
}

impl Config {
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The words of the container's process.
    pub fn args(&self) -> &[String] {
        self.process.as_ref().and_then(|p| p.args.as_deref()).unwrap_or_default()
    }

    /// Whether the end of the container's process is the end of all processes in it.
    pub fn has_own_pid_namespace(&self) -> bool {
        self.linux
            .iter()
            .flat_map(|l| l.namespaces.iter().flatten())
            .any(|n| n.r#type == "pid" && n.path.as_deref().is_none_or(str::is_empty))
    }

    /// Where it asks to be among the control groups.
    pub fn cgroups_path(&self) -> Option<&str> {
        self.linux.as_ref()?.cgroups_path.as_deref()
    }
}

/// A bundle that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub path: String,
    pub config: Config,
}

/// Why it cannot. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error("Enter the absolute path of a bundle, beginning with “/”.")]
    NotAbsolute,
    #[error("The path goes through “..”. Enter it without.")]
    GoesUp,
    #[error("The path contains a control character.")]
    ControlCharacter,
    #[error("{0} is not a directory on this host. Enter the directory that holds config.json.")]
    NotADirectory(String),
    #[error("{0} has no config.json. `crun spec` writes one to begin with.")]
    NoConfig(String),
    #[error("{path}/config.json cannot be understood: {detail}. Correct the file.")]
    Garbled { path: String, detail: String },
    #[error("{path}/config.json cannot be read: {detail}.")]
    Unreadable { path: String, detail: String },
    #[error("{0}/config.json names no root file system. Set root.path in it.")]
    NoRoot(String),
    #[error(
        "The bundle's root file system {0} is not there. Unpack it there, or correct root.path in config.json."
    )]
    RootMissing(String),
    #[error(
        "The container wants a terminal, and nobody would be at its console. Set process.terminal to false in \
         {0}/config.json."
    )]
    Terminal(String),
    #[error("{0}/config.json names no program. Set process.args in it.")]
    NoProgram(String),
    #[error(
        "The bundle's root file system has no program {program}. Correct process.args in {path}/config.json."
    )]
    ProgramMissing { path: String, program: String },
    #[error(
        "linux.cgroupsPath in {0}/config.json is not a control group of its own: leave it out, or name one as in \
         “/group”, without “..”."
    )]
    NoGroup(String),
}

impl Bundle {
    /// Reads and checks the bundle in this directory of the host.
    pub fn check(path: &str) -> Result<Self, BundleError> {
        let dir = Path::new(path);
        if path.chars().any(char::is_control) {
            return Err(BundleError::ControlCharacter);
        }
        if !dir.is_absolute() {
            return Err(BundleError::NotAbsolute);
        }
        if goes_up(dir) {
            return Err(BundleError::GoesUp);
        }
        let path = path.to_owned();
        if !dir.is_dir() {
            return Err(BundleError::NotADirectory(path));
        }
        let text = match files::read(&dir.join("config.json")) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(BundleError::NoConfig(path)),
            Err(e) => return Err(BundleError::Unreadable { path, detail: e.to_string() }),
        };
        let config = Config::parse(&text)
            .map_err(|e| BundleError::Garbled { path: path.clone(), detail: e.to_string() })?;
        config.check(dir, &path)?;
        Ok(Self { path, config })
    }
}

impl Config {
    fn check(&self, dir: &Path, path: &str) -> Result<(), BundleError> {
        let root = self.root.as_ref().map(|root| root.path.as_str()).filter(|path| !path.is_empty());
        let rootfs = dir.join(root.ok_or_else(|| BundleError::NoRoot(path.to_owned()))?);
        if !rootfs.is_dir() {
            return Err(BundleError::RootMissing(rootfs.display().to_string()));
        }
        if self.process.as_ref().is_some_and(|process| process.terminal) {
            return Err(BundleError::Terminal(path.to_owned()));
        }
        let program = self.args().first().filter(|program| !program.is_empty());
        let program = program.ok_or_else(|| BundleError::NoProgram(path.to_owned()))?;
        if self.lacks(program, &rootfs) {
            return Err(BundleError::ProgramMissing { path: path.to_owned(), program: program.clone() });
        }
        // crun takes an empty path for the root of all groups, and would limit and freeze the whole host.
        match self.cgroups_path() {
            Some(group) if group.trim_matches('/').is_empty() || goes_up(Path::new(group)) => {
                Err(BundleError::NoGroup(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is certain that the program is missing. Only what can be seen from outside is judged: not what
    /// comes to be by a mount.
    fn lacks(&self, program: &str, rootfs: &Path) -> bool {
        let Some(process) = &self.process else { return false };
        let candidates: Vec<PathBuf> = if program.contains('/') {
            vec![Path::new(process.cwd.as_deref().unwrap_or("/")).join(program)]
        } else {
            let path = process.env.iter().flatten().find_map(|entry| entry.strip_prefix("PATH="));
            let Some(path) = path else { return false };
            path.split(':').map(|dir| Path::new(dir).join(program)).collect()
        };
        let is_mounted = |candidate: &Path| {
            self.mounts.iter().flatten().any(|mount| candidate.starts_with(&mount.destination))
        };
        !candidates.iter().any(|candidate| is_mounted(candidate) || is_inside(rootfs, candidate))
    }
}

/// Whether the root file system has that file, with links followed as they are from inside of it. A kernel that
/// cannot tell says yes.
fn is_inside(rootfs: &Path, file: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(root) = openat(CWD, rootfs, flags | OFlags::DIRECTORY, Mode::empty()) else { return false };
    match openat2(root, file, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        Ok(_) => true,
        Err(e) => !matches!(e, rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR),
    }
}

fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use serde_json::{Value, json};

    use super::*;

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
            serde_json::from_str(include_str!("../../../tests/fixtures/crun-1.8.1/spec-config.json"))
                .unwrap();
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
            ("", BundleError::NotAbsolute),
            ("bundle", BundleError::NotAbsolute),
            ("-b", BundleError::NotAbsolute),
            ("/srv/../etc", BundleError::GoesUp),
            ("/srv\n/b", BundleError::ControlCharacter),
            ("/srv\0", BundleError::ControlCharacter),
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
        let args =
            |program: &'static str| move |c: &mut Value, _: &Path| c["process"]["args"] = json!([program]);
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
}
