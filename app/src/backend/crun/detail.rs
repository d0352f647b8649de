//! Everything that a container's own page shows, from files alone.

use std::path::Path;

use crate::{
    backend::{cgroup::Usage, files, process::Proc},
    domain::{
        guest::{CONFIG_SHOWN, ConfigText, GuestDetail, Pending},
        name::GuestName,
        spec::Changes,
    },
};

use super::{
    bundle::Config,
    notes,
    state::{Record, State, StateDir},
};

pub fn detail(states: &StateDir, proc: &Proc, name: &GuestName, record: &Record) -> GuestDetail {
    let state = record.state();
    // One that waits for its start has its control group already.
    let alive = state.filter(|state| state.is_alive(proc));
    let usage = alive.map(|state| state.usage(proc)).unwrap_or_default();
    let copy = states.of(name).join("config.json");
    let in_bundle = state.and_then(|s| s.bundle.as_ref()).map(|bundle| Path::new(bundle).join("config.json"));
    // crun's own copy is what is in force; the bundle's is what a person edits and what the next start takes.
    let made_from = config(&copy);
    let next = in_bundle.as_deref().and_then(config).or_else(|| made_from.clone()).unwrap_or_default();
    let pending = match alive {
        Some(state) if state.cgroup().is_some() => pending(&usage, made_from.as_ref(), &next),
        _ => Vec::new(),
    };
    let now = |in_force, planned| if alive.is_some() { in_force } else { planned };
    let mut guest = record.guest(name.clone(), proc);
    guest.tags = notes::tags(&next);
    GuestDetail {
        guest,
        memory: usage.memory,
        memory_limit: now(usage.memory_limit, next.memory_limit()),
        cpu_limit: if alive.is_some() { usage.cpu_limit } else { next.cpu_limit() },
        cpu_ns: usage.cpu_ns,
        cpu_now: None,
        tasks: usage.tasks,
        facts: facts(state, made_from.as_ref(), &next, now(usage.tasks_limit, next.pids_limit())),
        pending,
        settings: settings(&next),
        config: in_bundle.into_iter().chain([copy]).find_map(|path| shown(&path)),
    }
}

/// As the bundle says: what every start to come is made from.
fn settings(next: &Config) -> Changes {
    Changes {
        cpu: next.cpu_limit(),
        memory: next.memory_limit(),
        swap: next.swap_limit(),
        pids: next.pids_limit(),
        description: next.annotation(notes::DESCRIPTION).map(str::to_owned),
        tags: Some(notes::tags(next)),
        start_at_boot: None,
    }
}

fn facts(
    state: Option<&State>,
    made_from: Option<&Config>,
    next: &Config,
    tasks_limit: Option<u64>,
) -> Vec<(String, String)> {
    let annotation = |name| next.annotation(name).map(str::to_owned);
    let facts = [
        ("Description", annotation(notes::DESCRIPTION)),
        ("Image", annotation(notes::IMAGE)),
        ("Bundle", state.and_then(|s| s.bundle.clone())),
        ("Root file system", state.and_then(|s| s.rootfs.clone())),
        ("Command", made_from.map(|config| config.args().join(" "))),
        ("Process limit", tasks_limit.map(|limit| limit.to_string())),
        ("Swap limit", next.swap_limit().map(|bytes| format!("{bytes} bytes"))),
        ("Control group", state.and_then(|s| s.cgroup().map(str::to_owned))),
        ("Created", state.and_then(|s| s.created.clone())),
        ("Owner", state.and_then(|s| s.owner.clone())),
    ];
    facts
        .into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect()
}

/// What the bundle says by now and the running container does not have yet.
fn pending(usage: &Usage, made_from: Option<&Config>, next: &Config) -> Vec<Pending> {
    /// The kernel counts memory in pages.
    const PAGE: u64 = 4096;
    let mut pending = Vec::new();
    let mut differs = |label: &str, in_force: Option<String>, to_come: Option<String>| {
        if in_force != to_come {
            pending.push(Pending { label: label.to_owned(), now: in_force, next: to_come });
        }
    };
    // A kernel that does not count something has no limit of it to compare with.
    if usage.memory.is_some() {
        let pages = |bytes: Option<u64>| bytes.map(|bytes| format!("{} bytes", bytes / PAGE * PAGE));
        differs("Memory limit", pages(usage.memory_limit), pages(next.memory_limit()));
    }
    if usage.cpu_ns.is_some() {
        let cores = |cpus: Option<_>| cpus.map(|cpus| format!("{cpus} cores"));
        differs("Processor limit", cores(usage.cpu_limit), cores(next.cpu_limit()));
    }
    if usage.tasks.is_some() {
        let number = |limit: Option<u64>| limit.map(|limit| limit.to_string());
        differs("Process limit", number(usage.tasks_limit), number(next.pids_limit()));
    }
    if let Some(made_from) = made_from {
        differs("Command", Some(made_from.args().join(" ")), Some(next.args().join(" ")));
    }
    pending
}

fn config(file: &Path) -> Option<Config> {
    let text = file.is_file().then(|| files::read(file).ok().flatten())??;
    Config::parse(&text).ok()
}

fn shown(path: &Path) -> Option<ConfigText> {
    let found = path.is_file().then(|| files::read_capped(path, CONFIG_SHOWN as u64).ok().flatten())?;
    let (text, cut) = found?;
    Some(ConfigText { path: path.display().to_string(), text, cut })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::spec::Cpus;

    fn config_of(memory: i64, quota: i64, pids: i64, args: &[&str]) -> Config {
        let resources =
            json!({"memory": {"limit": memory}, "cpu": {"quota": quota}, "pids": {"limit": pids}});
        let text = json!({"process": {"args": args}, "linux": {"resources": resources}});
        Config::parse(&text.to_string()).unwrap()
    }

    #[test]
    fn what_the_bundle_says_and_the_kernel_does_not_is_pending() {
        let usage = Usage {
            memory: Some(1),
            memory_limit: Some(8192),
            cpu_ns: Some(1),
            cpu_limit: Some(Cpus(500)),
            tasks: Some(1),
            tasks_limit: Some(5),
            ..Usage::default()
        };
        let made_from = config_of(0, 0, 0, &["sleep", "5"]);
        let same = config_of(8192 + 7, 50_000, 5, &["sleep", "5"]);
        assert_eq!(pending(&usage, Some(&made_from), &same), []);
        let other = config_of(4096, 150_000, 0, &["sleep", "6"]);
        let differs = |label: &str, now: Option<&str>, next: Option<&str>| Pending {
            label: label.to_owned(),
            now: now.map(str::to_owned),
            next: next.map(str::to_owned),
        };
        assert_eq!(
            pending(&usage, Some(&made_from), &other),
            [
                differs("Memory limit", Some("8192 bytes"), Some("4096 bytes")),
                differs("Processor limit", Some("0.5 cores"), Some("1.5 cores")),
                differs("Process limit", Some("5"), None),
                differs("Command", Some("sleep 5"), Some("sleep 6"))
            ]
        );
        assert_eq!(pending(&Usage::default(), None, &other), [], "a kernel that counts nothing");
    }
}
