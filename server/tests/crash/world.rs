//! How things really are, asked of the tools and of the fake, past the program.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

use crate::{fakepve::TOKEN, ground::Ground};

/// A task of the fake.
#[derive(Debug)]
pub struct Task {
    /// As Proxmox tells it; `None` while it runs.
    pub result: Option<String>,
    pub is_ours: bool,
}

pub fn tasks(ground: &Ground) -> BTreeMap<String, Task> {
    let all = ground.fake.get("tasks");
    let task = |task: &Value| Task {
        result: task["exitstatus"].as_str().map(str::to_owned),
        is_ours: task["user"] == TOKEN,
    };
    all.as_object().unwrap().iter().map(|(upid, told)| (upid.clone(), task(told))).collect()
}

/// The guest's state in the program's words; `None` where there is no such guest.
pub fn status(ground: &Ground, backend: &str, name: &str) -> Option<String> {
    let told = match backend {
        "lxc" => {
            said(Command::new("lxc-info").arg("-P").arg(ground.path("lxc")).args(["-n", name, "-s", "-H"]))
        }
        "crun" => {
            let text =
                said(Command::new("crun").arg("--root").arg(ground.path("crun")).args(["state", name]));
            let state: Value = serde_json::from_str(&text).unwrap_or_default();
            state["status"].as_str().unwrap_or_default().to_owned()
        }
        _ => {
            let ask = |what: &str| {
                ground.fake.ask(&serde_json::json!({
                    "do": "get", "guest": name.parse::<u32>().unwrap(), "name": what,
                }))
            };
            let status = ask("status").ok()?.as_str().unwrap().to_owned();
            let paused = ask("qmpstatus").is_ok_and(|status| status == "paused");
            if paused { "paused".to_owned() } else { status }
        }
    };
    match told.to_lowercase().as_str() {
        "" => None,
        "frozen" => Some("paused".to_owned()),
        other => Some(other.to_owned()),
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Tools at work on this ground's guests: their processes' command lines. The monitor of an LXC container is none, nor
/// is the first process of a crun container that waits for its start: they belong to the guest.
pub fn tools(dir: &Path) -> Vec<String> {
    let dir = dir.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, std::fs::read(format!("/proc/{pid}/cmdline")).ok()?)))
        .map(|(pid, words)| (pid, String::from_utf8_lossy(&words).replace('\0', " ").trim().to_owned()))
        .filter(|(_, line)| line.contains(&dir) && !line.starts_with("[lxc monitor]"))
        .filter(|(pid, _)| !is_init(*pid))
        // The server itself.
        .filter(|(_, line)| !line.starts_with(&format!("{dir}/paddock ")))
        .map(|(pid, line)| format!("{pid}: {line}"))
        .collect()
}

/// Is it number 1 of a pid namespace other than the host's?
fn is_init(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    ids.len() > 1 && ids.last() == Some(&"1")
}
