//! LXC's programs and templates on this host.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::{backend::files, domain::host::Availability};

/// Where programs are looked for, whatever the environment of Paddock says.
const TOOL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest version or complaint that is shown, characters.
const LONGEST_WORDS: usize = 200;

/// The program on the fixed path.
pub fn find(program: &str) -> Option<PathBuf> {
    find_in(TOOL_PATH, program)
}

fn find_in(path: &str, program: &str) -> Option<PathBuf> {
    path.split(':').map(|directory| Path::new(directory).join(program)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Names of the installed templates, sorted.
pub fn templates(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = files::names(directory)
        .unwrap_or_default()
        .iter()
        .filter(|file| is_executable(&directory.join(file)))
        .filter_map(|file| file.strip_prefix("lxc-"))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names
}

/// Whether LXC can be used, by asking it for its version.
pub async fn probe() -> Availability {
    probe_in(TOOL_PATH).await
}

async fn probe_in(path: &str) -> Availability {
    let unavailable =
        |reason: String, cure: &str| Availability::Unavailable { reason, cure: cure.to_owned() };
    let Some(program) = find_in(path, "lxc-start") else {
        return unavailable(
            "LXC is not installed on this host.".to_owned(),
            "Install it with `apt-get install lxc`.",
        );
    };
    match version(&program, path).await {
        Ok(version) => Availability::Available { version },
        Err(what) => unavailable(
            format!("LXC does not work on this host: {} --version {what}.", program.display()),
            "Reinstall it with `apt-get install --reinstall lxc`.",
        ),
    }
}

async fn version(program: &Path, path: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().env("PATH", path).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(VERSION_TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(e)) => return Err(format!("could not be run: {e}")),
        Err(_) => return Err(format!("did not end within {} s", VERSION_TIMEOUT.as_secs())),
    };
    let words = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.trim().chars().take(LONGEST_WORDS).collect::<String>()
    };
    if !output.status.success() {
        return Err(format!("failed ({}): {}", output.status, words(&output.stderr)));
    }
    let version = words(&output.stdout);
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(char::is_control);
    if is_version { Ok(version) } else { Err(format!("answered “{version}”")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(directory: &Path, name: &str, text: &str) {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    async fn probed(text: Option<&str>) -> Availability {
        let dir = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            script(dir.path(), "lxc-start", text);
        }
        probe_in(dir.path().to_str().unwrap()).await
    }

    fn reason(availability: Availability) -> String {
        match availability {
            Availability::Unavailable { reason, .. } => reason,
            Availability::Available { version } => panic!("available: {version}"),
        }
    }

    #[tokio::test]
    async fn a_missing_tool_is_told_with_its_package() {
        let Availability::Unavailable { reason, cure } = probed(None).await else { panic!("available") };
        assert!(reason.contains("not installed") && cure.contains("apt-get install lxc"));
    }

    #[tokio::test]
    async fn a_broken_tool_is_told_in_its_own_words() {
        assert!(
            reason(probed(Some("#!/bin/sh\necho no liblxc >&2; exit 127\n")).await).contains("no liblxc")
        );
        assert!(reason(probed(Some("#!/bin/sh\necho Usage: x\n")).await).contains("Usage: x"));
        assert!(reason(probed(Some("#!/nonexistent\n")).await).contains("could not be run"));
    }

    #[tokio::test]
    async fn a_working_tool_is_told_by_its_version_without_seeing_the_environment() {
        let answer = probed(Some("#!/bin/sh\n[ -z \"$CARGO_PKG_NAME$HOME\" ] && echo 5.0.2\n")).await;
        assert_eq!(answer, Availability::Available { version: "5.0.2".into() });
    }

    #[test]
    fn templates_are_the_executable_files_of_that_name_sorted() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lxc-oci", "lxc-busybox", "lxc-", "README"] {
            script(dir.path(), name, "");
        }
        fs::write(dir.path().join("lxc-notes"), "").unwrap();
        fs::create_dir(dir.path().join("lxc-dir")).unwrap();
        assert_eq!(templates(dir.path()), ["busybox", "oci"]);
        assert!(templates(Path::new("/nonexistent")).is_empty());
    }
}
