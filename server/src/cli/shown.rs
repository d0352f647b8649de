//! The results of verbs as they are printed: what each field is stands beside it, and none is ever renamed.

use app::domain::{
    guest::{Guest, GuestDetail, Pending, Snapshot},
    operation::{Operation, OperationSummary},
    words,
};
use serde::Serialize;

use super::output::{Row, or_dash};

/// A guest.
#[derive(Debug, Serialize)]
pub struct GuestRow {
    /// `BACKEND/NAME`, what every verb takes.
    pub id: String,
    pub backend: String,
    /// The VMID with Proxmox.
    pub name: String,
    /// What people call it, where `name` is a number.
    pub title: Option<String>,
    /// running, stopped, paused, created, creating, starting, stopping or unknown.
    pub status: String,
    pub node: Option<String>,
    /// Of its init on the host.
    pub pid: Option<u32>,
    /// Milliseconds since 1970.
    pub started_ms: Option<i64>,
    pub addresses: Vec<String>,
    pub tags: Vec<String>,
    pub template: bool,
    /// What holds the backend's own lock.
    pub lock: Option<String>,
    pub note: Option<String>,
}

impl From<Guest> for GuestRow {
    fn from(guest: Guest) -> Self {
        Self {
            id: guest.id.to_string(),
            backend: guest.id.backend.to_string(),
            name: guest.id.name.to_string(),
            title: guest.title,
            status: guest.status.to_string(),
            node: guest.node,
            pid: guest.pid,
            started_ms: guest.started_ms,
            addresses: guest.addresses,
            tags: guest.tags,
            template: guest.is_template,
            lock: guest.lock,
            note: guest.note,
        }
    }
}

impl Row for GuestRow {
    const COLUMNS: &'static [&'static str] =
        &["BACKEND", "NAME", "TITLE", "STATUS", "NODE", "PID", "ADDRESSES", "TAGS"];

    fn cells(&self) -> Vec<String> {
        let joined = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(",") };
        let status = match (&self.lock, self.template) {
            (Some(by), _) => format!("{} (locked: {by})", self.status),
            (None, true) => format!("{} (template)", self.status),
            (None, false) => self.status.clone(),
        };
        vec![
            self.backend.clone(),
            self.name.clone(),
            or_dash(self.title.as_ref()),
            status,
            or_dash(self.node.as_ref()),
            or_dash(self.pid),
            joined(&self.addresses),
            joined(&self.tags),
        ]
    }
}

/// A guest with everything that is known of it.
#[derive(Debug, Serialize)]
pub struct GuestSheet {
    #[serde(flatten)]
    pub guest: GuestRow,
    /// Bytes in use, and the limit.
    pub memory: Option<u64>,
    pub memory_limit: Option<u64>,
    /// Number of cores it may use, as a text: `1.5`.
    pub cpu_limit: Option<String>,
    /// Processor time used since its start, nanoseconds.
    pub cpu_ns: Option<u64>,
    /// What it uses now, a number of cores as a text.
    pub cpu_now: Option<String>,
    /// Since its start, seconds.
    pub uptime_seconds: Option<i64>,
    /// Processes and threads.
    pub tasks: Option<u64>,
    pub facts: Vec<Fact>,
    /// Changes that wait for the next start.
    pub pending: Vec<Fact>,
    pub config_path: Option<String>,
    pub config: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Fact {
    pub label: String,
    pub value: String,
}

fn facts(pairs: Vec<(String, String)>) -> Vec<Fact> {
    pairs.into_iter().map(|(label, value)| Fact { label, value }).collect()
}

fn to_come(pending: Pending) -> (String, String) {
    (pending.label, pending.next.unwrap_or_default())
}

impl GuestSheet {
    pub fn of(detail: GuestDetail, now_ms: i64) -> Self {
        let uptime_seconds = detail.guest.started_ms.map(|since| (now_ms - since).max(0) / 1000);
        let (config_path, config) = detail.config.map(|config| (config.path, config.text)).unzip();
        Self {
            guest: detail.guest.into(),
            memory: detail.memory,
            memory_limit: detail.memory_limit,
            cpu_limit: detail.cpu_limit.map(|cpu| cpu.to_string()),
            cpu_ns: detail.cpu_ns,
            cpu_now: detail.cpu_now.map(|cpu| cpu.to_string()),
            uptime_seconds,
            tasks: detail.tasks,
            facts: facts(detail.facts),
            pending: facts(detail.pending.into_iter().map(to_come).collect()),
            config_path,
            config,
        }
    }

    /// For people, in reading order.
    pub fn lines(&self) -> Vec<(String, String)> {
        let guest = &self.guest;
        let bytes = |n: u64| words::bytes(n);
        let mut lines = vec![
            ("Guest".to_owned(), guest.id.clone()),
            ("Title".to_owned(), guest.title.clone().unwrap_or_default()),
            ("Status".to_owned(), guest.status.clone()),
            ("Node".to_owned(), guest.node.clone().unwrap_or_default()),
            ("PID".to_owned(), guest.pid.map(|pid| pid.to_string()).unwrap_or_default()),
            ("Uptime".to_owned(), self.uptime_seconds.map(|s| words::span(s * 1000)).unwrap_or_default()),
            ("Addresses".to_owned(), guest.addresses.join(", ")),
            ("Memory".to_owned(), self.memory.map(bytes).unwrap_or_default()),
            ("Memory limit".to_owned(), self.memory_limit.map(bytes).unwrap_or_default()),
            ("Cores in use".to_owned(), self.cpu_now.clone().unwrap_or_default()),
            ("Cores at most".to_owned(), self.cpu_limit.clone().unwrap_or_default()),
            (
                "Processor time".to_owned(),
                self.cpu_ns.map(|ns| words::span((ns / 1_000_000).cast_signed())).unwrap_or_default(),
            ),
            ("Tasks".to_owned(), self.tasks.map(|n| n.to_string()).unwrap_or_default()),
            ("Tags".to_owned(), guest.tags.join(", ")),
            ("Locked by".to_owned(), guest.lock.clone().unwrap_or_default()),
            ("Note".to_owned(), guest.note.clone().unwrap_or_default()),
        ];
        // What every backend tells stands above already.
        let is_new =
            |fact: &&Fact| lines.iter().all(|(label, value)| *label != fact.label || value.is_empty());
        let more: Vec<_> =
            self.facts.iter().filter(is_new).map(|fact| (fact.label.clone(), fact.value.clone())).collect();
        lines.extend(more);
        let pending = |fact: &Fact| (format!("{} (pending)", fact.label), fact.value.clone());
        lines.extend(self.pending.iter().map(pending));
        lines.extend(self.config_path.clone().map(|path| ("Configuration".to_owned(), path)));
        lines.retain(|(_, value)| !value.is_empty());
        lines
    }
}

/// A snapshot.
#[derive(Debug, Serialize)]
pub struct SnapshotRow {
    pub name: String,
    /// Milliseconds since 1970.
    pub created_ms: Option<i64>,
    pub parent: Option<String>,
    pub memory: bool,
    pub description: String,
}

impl From<Snapshot> for SnapshotRow {
    fn from(s: Snapshot) -> Self {
        Self {
            name: s.name,
            created_ms: s.created_ms,
            parent: s.parent,
            memory: s.memory,
            description: s.description,
        }
    }
}

impl Row for SnapshotRow {
    const COLUMNS: &'static [&'static str] = &["NAME", "CREATED", "PARENT", "MEMORY", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            or_dash(self.created_ms.map(words::exact)),
            or_dash(self.parent.as_ref()),
            if self.memory { "yes" } else { "no" }.to_owned(),
            self.description.clone(),
        ]
    }
}

/// An operation that has ended.
#[derive(Debug, Serialize)]
pub struct OperationSheet {
    pub operation: i64,
    /// `lxc/web1`; null for a bulk action.
    pub guest: Option<String>,
    pub title: Option<String>,
    pub action: String,
    /// succeeded, failed, cancelled, timed-out or interrupted; running where it was left to go on.
    pub state: String,
    pub actor: Option<String>,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    pub failure: Option<String>,
    /// not-found, wrong-state, tool-failed, ...
    pub failure_kind: Option<String>,
    /// What ran, a line each step.
    pub steps: Vec<String>,
}

impl OperationSheet {
    pub fn of(operation: &Operation) -> Self {
        let steps = operation.plan.steps.iter().map(|step| step.work.to_string()).collect();
        Self { steps, ..Self::of_summary(&operation.summary) }
    }

    /// Without its steps.
    pub fn of_summary(summary: &OperationSummary) -> Self {
        let OperationSummary { id, guest, title, action, state, actor, started_ms, finished_ms, .. } =
            summary.clone();
        Self {
            operation: id.0,
            guest: guest.map(|guest| guest.to_string()),
            title,
            action: action.to_string(),
            state: state.to_string(),
            actor,
            started_ms,
            finished_ms,
            failure: summary.failure.clone(),
            failure_kind: summary.failure_kind.map(|kind| kind.to_string()),
            steps: Vec::new(),
        }
    }

    /// For people: one line.
    pub fn line(&self) -> String {
        let took = self.finished_ms.map(|end| format!(" in {}", words::span(end - self.started_ms)));
        let called = self.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
        format!(
            "#{} {} {}{called}: {}{}\n",
            self.operation,
            self.action,
            self.guest.as_deref().unwrap_or("several guests"),
            self.state,
            took.unwrap_or_default()
        )
    }
}
