//! Tasks: what Proxmox itself did or does, whoever asked it: Paddock, root's shell, Proxmox's own pages, a timer.
//!
//! Their names and words are Proxmox's and are kept as it tells them; nothing here is guessed.

use serde::{Deserialize, Serialize};

use super::{action::GuestAction, guest::GuestId};

/// One task of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its name, which no other task ever has: `UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER:`.
    pub upid: String,
    /// Proxmox's word for what it does: `vzstart`, `qmshutdown`, `vzdump`, `aptupdate`, ...
    pub kind: String,
    /// What it is about, in Proxmox's words: a VMID, a service, a file; empty where it says nothing, as a backup of
    /// several guests does.
    pub id: String,
    /// The guest it is about. `None` where it is about none, about several, or about one whose sort is not known any
    /// more: a `vzdump` tells a VMID alone.
    pub guest: Option<GuestId>,
    /// Where it runs.
    pub node: String,
    /// As whom, in Proxmox's words: `root@pam`, with an API token `root@pam!token`.
    pub user: String,
    /// Milliseconds since 1970, whole seconds, by the node's clock.
    pub started_ms: i64,
    /// `None` while it runs.
    pub end: Option<TaskEnd>,
}

/// How and when a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    /// Milliseconds since 1970, whole seconds, by the node's clock, never before its start; `None` where it is not
    /// told. Proxmox notes it when it sees the end, which may be ten seconds late.
    pub at_ms: Option<i64>,
    pub result: TaskResult,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskResult {
    Ok,
    /// It did its work, with so many warnings in its log.
    Warnings(u32),
    /// Its last words.
    Failed(String),
    /// Somebody ended it; its last words.
    Cancelled(String),
    /// Its log has no last words, as its process was killed or the node went down, or they cannot be read any more;
    /// what Proxmox says instead.
    Unknown(String),
}

impl TaskResult {
    /// From what Proxmox tells of an ended task: the list's `status`, a task's `exitstatus`. Sources:
    /// `PVE::UPID::read_status` for the words that are none of the task's, `PVE::RESTEnvironment::fork_worker` for
    /// those of one that was told to end.
    pub fn of(status: &str) -> Self {
        let words = || status.to_owned();
        if status == "OK" {
            return Self::Ok;
        }
        if let Some(count) = status.strip_prefix("WARNINGS: ").and_then(|count| count.trim().parse().ok()) {
            return Self::Warnings(count);
        }
        let is_unread = ["unable to open file - ", "unable to read tail ", "unable to get last line "];
        if matches!(status, "" | "unexpected status" | "unable to extract last line")
            || is_unread.iter().any(|start| status.starts_with(start))
        {
            return Self::Unknown(words());
        }
        // By itself, or at the end of what was under way: `clone failed: command '...' failed: received interrupt`.
        if status.ends_with("received interrupt") || status.ends_with("interrupted by signal") {
            return Self::Cancelled(words());
        }
        Self::Failed(words())
    }

    pub fn is_success(&self) -> bool {
        matches!(self, Self::Ok | Self::Warnings(_))
    }

    /// What Proxmox said, where that is more than that it is done.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Ok | Self::Warnings(_) => None,
            Self::Failed(words) | Self::Cancelled(words) | Self::Unknown(words) => Some(words),
        }
    }
}

impl Task {
    /// Which of Paddock's actions this is; `None` for what Paddock has no word for (`qmmove`, `aptupdate`), and for
    /// what only asks another to act (`hastart`: the cluster's HA manager then begins a task of its own).
    ///
    /// The kinds are those that `PVE::API2::LXC`, `PVE::API2::Qemu` and `PVE::API2::VZDump` give to `fork_worker`,
    /// as in `task_desc_table` of Proxmox's own pages. A container's `vzsuspend` is what Paddock calls a pause, a
    /// VM's `qmsuspend` a hibernation.
    pub fn action(&self) -> Option<GuestAction> {
        Some(match self.kind.as_str() {
            "vzcreate" | "qmcreate" | "vzrestore" | "qmrestore" => GuestAction::Create,
            "vzstart" | "qmstart" => GuestAction::Start,
            "vzshutdown" | "qmshutdown" => GuestAction::Shutdown,
            "vzstop" | "qmstop" => GuestAction::Stop,
            "vzreboot" | "qmreboot" => GuestAction::Reboot,
            "qmreset" => GuestAction::Reset,
            "vzsuspend" | "qmpause" => GuestAction::Pause,
            "vzresume" | "qmresume" => GuestAction::Resume,
            "qmsuspend" => GuestAction::Hibernate,
            "vzclone" | "qmclone" => GuestAction::Clone,
            "vztemplate" | "qmtemplate" => GuestAction::MakeTemplate,
            "vzsnapshot" | "qmsnapshot" => GuestAction::Snapshot,
            "vzrollback" | "qmrollback" => GuestAction::Rollback,
            "vzdelsnapshot" | "qmdelsnapshot" => GuestAction::DeleteSnapshot,
            "qmconfig" => GuestAction::Configure,
            "resize" => GuestAction::Resize,
            "vzmigrate" | "qmigrate" => GuestAction::Migrate,
            "vzdump" => GuestAction::Backup,
            "vzdestroy" | "qmdestroy" => GuestAction::Delete,
            _ => return None,
        })
    }

    pub fn is_running(&self) -> bool {
        self.end.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_the_words_of_proxmox() {
        let of = TaskResult::of;
        assert_eq!(of("OK"), TaskResult::Ok);
        assert_eq!(of("WARNINGS: 3"), TaskResult::Warnings(3));
        assert!(of("WARNINGS: 3").is_success() && !of("unexpected status").is_success());
        for words in ["connection timed out", "WARNINGS: many", "OK?", "job errors", "ok"] {
            assert_eq!(of(words), TaskResult::Failed(words.to_owned()));
            assert_eq!(of(words).words(), Some(words));
        }
        for words in ["received interrupt", "command 'rsync' failed: interrupted by signal"] {
            assert_eq!(of(words), TaskResult::Cancelled(words.to_owned()));
        }
        for words in ["", "unexpected status", "unable to read tail (got 0 bytes)"] {
            assert_eq!(of(words), TaskResult::Unknown(words.to_owned()));
        }
    }

    #[test]
    fn each_sort_of_guest_has_its_own_word_for_an_action_and_consoles_are_none() {
        let action = |kind: &str| {
            let task = Task {
                upid: String::new(),
                kind: kind.to_owned(),
                id: String::new(),
                guest: None,
                node: String::new(),
                user: String::new(),
                started_ms: 0,
                end: None,
            };
            task.action()
        };
        assert_eq!(action("vzsuspend"), Some(GuestAction::Pause));
        assert_eq!(action("qmpause"), Some(GuestAction::Pause));
        assert_eq!(action("qmsuspend"), Some(GuestAction::Hibernate));
        assert_eq!(action("qmigrate"), Some(GuestAction::Migrate));
        for kind in ["vncproxy", "aptupdate", "qmmove", "hastart", "startall", "", "vzstart "] {
            assert_eq!(action(kind), None, "{kind}");
        }
    }
}
