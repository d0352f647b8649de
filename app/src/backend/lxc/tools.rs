//! LXC's programs and templates on this host.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::{
    backend::{
        files,
        host_runner::{TOOL_PATH, find_tool},
    },
    domain::host::{Availability, Image, ImageKind},
};

const VERSION_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest version or complaint that is shown, characters.
const LONGEST_WORDS: usize = 200;

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

/// The installed templates as images, sorted.
pub fn images(directory: &Path) -> Vec<Image> {
    let image = |name: String| Image {
        description: format!("The script {}", directory.join(format!("lxc-{name}")).display()),
        id: name,
        kind: ImageKind::LxcTemplate,
        node: None,
        size: None,
    };
    templates(directory).into_iter().map(image).collect()
}

/// Whether LXC can be used, by asking it for its version.
pub async fn probe() -> Availability {
    match find_tool("lxc-start") {
        Some(program) => probe_at(&program).await,
        None => Availability::Unavailable {
            reason: "LXC is not installed on this host.".to_owned(),
            cure: "Install it with `apt-get install lxc`.".to_owned(),
        },
    }
}

async fn probe_at(program: &Path) -> Availability {
    match version(program).await {
        Ok(version) => Availability::Available { version },
        Err(what) => Availability::Unavailable {
            reason: format!("LXC does not work on this host: {} --version {what}.", program.display()),
            cure: "Reinstall it with `apt-get install --reinstall lxc`.".to_owned(),
        },
    }
}

async fn version(program: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().env("PATH", TOOL_PATH).stdin(Stdio::null()).kill_on_drop(true);
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

    async fn probed(text: &str) -> Availability {
        let dir = tempfile::tempdir().unwrap();
        script(dir.path(), "lxc-start", text);
        probe_at(&dir.path().join("lxc-start")).await
    }

    fn reason(availability: Availability) -> String {
        match availability {
            Availability::Unavailable { reason, .. } => reason,
            Availability::Available { version } => panic!("available: {version}"),
        }
    }

    #[tokio::test]
    async fn a_broken_tool_is_told_in_its_own_words() {
        assert!(reason(probed("#!/bin/sh\necho no liblxc >&2; exit 127\n").await).contains("no liblxc"));
        assert!(reason(probed("#!/bin/sh\necho Usage: x\n").await).contains("Usage: x"));
        assert!(reason(probed("#!/nonexistent\n").await).contains("could not be run"));
    }

    #[tokio::test]
    async fn a_working_tool_is_told_by_its_version_without_seeing_the_environment() {
        let answer = probed("#!/bin/sh\n[ -z \"$CARGO_PKG_NAME$HOME\" ] && echo 5.0.2\n").await;
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
        let images = images(dir.path());
        assert_eq!(images[1].id, "oci");
        assert!(images[1].description.ends_with("/lxc-oci"), "{images:?}");
        assert!(templates(Path::new("/nonexistent")).is_empty());
    }
}
