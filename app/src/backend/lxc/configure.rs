//! The plan of a change: written into the container's configuration, and into its control groups while it runs.

use crate::{
    backend::{Error, cgroup::Layout},
    domain::{
        action::Field,
        name::GuestName,
        plan::{Change, Expectation, FileEdit, Output, Plan, Step, When, Work},
        spec::{Changes, Limits},
    },
};

use super::{
    facts::Place,
    limits,
    plan::{command, plan, step, tool},
};

const CGROUP_MS: u64 = 60_000;
const MOST_TAGS: usize = 64;
const LONGEST_TAG: usize = 64;

/// LXC starts, at boot, the containers of this group and those of no group at all: a container with tags must be in
/// it, too, or would not be started any more.
pub const BOOT_GROUP: &str = "onboot";

/// What a change depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigureFacts {
    pub layout: Layout,
    /// A monitor looks after it, so that its control groups can be changed.
    pub active: bool,
    /// Bytes in use.
    pub memory_used: Option<u64>,
    pub groups: Vec<String>,
    pub autostart: bool,
    /// Of its configuration file.
    pub path: String,
    pub digest: String,
}

/// Judges the changes by themselves.
pub fn check(changes: &Changes) -> Result<(), Error> {
    let invalid = |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
    if changes.is_empty() {
        return invalid(Field::Memory, "Nothing is to be changed; enter at least one new value.");
    }
    if changes.swap.is_some() {
        return invalid(Field::Swap, "Paddock sets no swap limit for LXC containers; leave it empty.");
    }
    if changes.description.as_ref().is_some_and(|text| !text.is_empty()) {
        return invalid(Field::Description, "LXC keeps no description of a container; use tags.");
    }
    limits::check(&limits_of(changes))?;
    changes.tags.as_deref().map_or(Ok(()), check_tags)
}

fn check_tags(tags: &[String]) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::Invalid { field: Field::Tags, message });
    if tags.len() > MOST_TAGS {
        return invalid(format!("There are {} tags; {MOST_TAGS} is the most.", tags.len()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    for tag in tags {
        // They are LXC's groups, which its tools take in lists parted by blanks and commas.
        let starts_well = tag.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || tag.len() > LONGEST_TAG || !tag.chars().all(plain) {
            return invalid(format!(
                "A tag has 1 to {LONGEST_TAG} letters from a to z, digits, dots, dashes, underscores and plus signs, \
                 and starts with a letter or digit."
            ));
        }
        if tag == BOOT_GROUP {
            return invalid(format!("“{BOOT_GROUP}” is LXC's own word for start at boot; set that instead."));
        }
    }
    Ok(())
}

fn limits_of(changes: &Changes) -> Limits {
    Limits { cpu: changes.cpu, memory: changes.memory, pids: changes.pids }
}

/// What a page shows of a container's groups, sorted.
pub fn tags(groups: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = groups.iter().filter(|group| *group != BOOT_GROUP).cloned().collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The plan, for changes that have passed [`check`]. The running container comes first: where the kernel refuses,
/// the configuration stays as it is.
pub fn configure(place: &Place, name: &GuestName, changes: &Changes, facts: &ConfigureFacts) -> Plan {
    let settings = limits::settings(&limits_of(changes), facts.layout);
    let mut steps = Vec::new();
    if facts.active {
        for setting in &settings {
            let argv = tool(place, "lxc-cgroup", name).args([setting.file, &setting.value]);
            let title = format!("Set {} of the running container to {}", setting.file, setting.value);
            steps.push(step(title, command(argv, CGROUP_MS, Output::Piped)));
        }
    }
    let mut edits: Vec<Change> = settings.iter().map(limits::Setting::change).collect();
    if let Some(at_boot) = changes.start_at_boot {
        edits.push(set("lxc.start.auto", if at_boot { "1" } else { "0" }));
    }
    if changes.tags.is_some() || changes.start_at_boot.is_some() {
        edits.extend(groups(changes, facts));
    }
    if !edits.is_empty() {
        let edit = FileEdit { path: facts.path.clone(), changes: edits, digest: Some(facts.digest.clone()) };
        let title = "Write it into the container's configuration".to_owned();
        steps.push(Step { title, when: When::Always, work: Work::Edit(edit) });
    }
    Plan { loses: lost(changes, facts), ..plan(steps, Expectation::Exists) }
}

/// Version 1 refuses a limit below what is in use; version 2 makes room.
fn lost(changes: &Changes, facts: &ConfigureFacts) -> Vec<String> {
    let used = facts.memory_used.filter(|_| facts.active && facts.layout == Layout::V2);
    match (used, changes.memory) {
        (Some(used), Some(limit)) if limit < used => vec![format!(
            "It uses {used} bytes of memory now, more than the new limit: the kernel may end processes in it."
        )],
        _ => Vec::new(),
    }
}

fn groups(changes: &Changes, facts: &ConfigureFacts) -> Vec<Change> {
    let mut wanted = tags(changes.tags.as_deref().unwrap_or(&facts.groups));
    if changes.start_at_boot.unwrap_or(facts.autostart) && !wanted.is_empty() {
        wanted.push(BOOT_GROUP.to_owned());
    }
    let (mut old, mut new) = (facts.groups.clone(), wanted.clone());
    old.sort_unstable();
    new.sort_unstable();
    if old == new {
        return Vec::new();
    }
    let none = Change { key: "lxc.group".to_owned(), value: None };
    std::iter::once(none).chain(wanted.iter().map(|group| set("lxc.group", group))).collect()
}

fn set(key: &str, value: &str) -> Change {
    Change { key: key.to_owned(), value: Some(value.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spec::Cpus;

    fn facts() -> ConfigureFacts {
        ConfigureFacts {
            layout: Layout::V2,
            active: false,
            memory_used: None,
            groups: vec![],
            autostart: false,
            path: "/var/lib/lxc/web1/config".into(),
            digest: "d".into(),
        }
    }

    fn lines(changes: &Changes, facts: &ConfigureFacts) -> Vec<String> {
        let place = Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() };
        let plan = configure(&place, &GuestName::new("web1").unwrap(), changes, facts);
        plan.steps.iter().map(|step| step.work.to_string()).collect()
    }

    fn limits() -> Changes {
        Changes { cpu: Some(Cpus(500)), memory: Some(64 << 20), ..Changes::default() }
    }

    fn tagged(tags: &[&str]) -> Changes {
        Changes { tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()), ..Changes::default() }
    }

    #[test]
    fn a_stopped_container_is_changed_in_its_file_alone() {
        assert_eq!(
            lines(&limits(), &facts()),
            [
                "edit /var/lib/lxc/web1/config: lxc.cgroup2.memory.max = 67108864; lxc.cgroup2.cpu.max = 50000 100000"
            ]
        );
    }

    #[test]
    fn a_running_container_is_changed_first_so_that_a_refusal_leaves_the_file() {
        let facts = ConfigureFacts { active: true, layout: Layout::Hybrid, ..facts() };
        let lines = lines(&limits(), &facts);
        assert_eq!(lines[0], "lxc-cgroup -P /var/lib/lxc -n web1 memory.limit_in_bytes 67108864");
        assert_eq!(lines[1], "lxc-cgroup -P /var/lib/lxc -n web1 cpu.cfs_period_us 100000");
        assert_eq!(lines[2], "lxc-cgroup -P /var/lib/lxc -n web1 cpu.cfs_quota_us 50000");
        assert!(lines[3].starts_with("edit ") && lines.len() == 4, "{lines:?}");
    }

    #[test]
    fn less_memory_than_is_in_use_is_told_where_the_kernel_would_make_room() {
        let place = Place { lxcpath: "/l".into(), create_config: None, log_dir: "/p".into() };
        let loses = |facts: &ConfigureFacts| {
            configure(&place, &GuestName::new("web1").unwrap(), &limits(), facts).loses
        };
        let used = ConfigureFacts { active: true, memory_used: Some(65 << 20), ..facts() };
        assert!(loses(&used)[0].contains("68157440 bytes"));
        assert!(
            loses(&ConfigureFacts { layout: Layout::V1, ..used.clone() }).is_empty(),
            "it refuses by itself"
        );
        assert!(loses(&ConfigureFacts { memory_used: Some(1), ..used }).is_empty());
    }

    #[test]
    fn tags_are_groups_and_do_not_keep_a_container_from_starting_at_boot() {
        assert_eq!(
            lines(&tagged(&["web", "db", "web"]), &facts()),
            ["edit /var/lib/lxc/web1/config: lxc.group (removed); lxc.group = db; lxc.group = web"]
        );
        let boots = ConfigureFacts { autostart: true, ..facts() };
        assert_eq!(
            lines(&tagged(&["web"]), &boots),
            ["edit /var/lib/lxc/web1/config: lxc.group (removed); lxc.group = web; lxc.group = onboot"]
        );
        let tagged_before = ConfigureFacts { groups: vec!["web".into()], ..facts() };
        let at_boot = Changes { start_at_boot: Some(true), ..Changes::default() };
        assert_eq!(
            lines(&at_boot, &tagged_before),
            [
                "edit /var/lib/lxc/web1/config: lxc.start.auto = 1; lxc.group (removed); lxc.group = web; lxc.group = onboot"
            ]
        );
        assert_eq!(lines(&at_boot, &facts()), ["edit /var/lib/lxc/web1/config: lxc.start.auto = 1"]);
        let both = ConfigureFacts { groups: vec!["onboot".into(), "web".into()], autostart: true, ..facts() };
        let not_at_boot = Changes { start_at_boot: Some(false), ..Changes::default() };
        assert_eq!(
            lines(&not_at_boot, &both),
            ["edit /var/lib/lxc/web1/config: lxc.start.auto = 0; lxc.group (removed); lxc.group = web"]
        );
        assert_eq!(lines(&tagged(&[]), &both), ["edit /var/lib/lxc/web1/config: lxc.group (removed)"]);
        assert_eq!(tags(&both.groups), ["web"], "a page shows start at boot by itself");
    }

    #[test]
    fn what_lxc_cannot_keep_is_refused_at_its_own_field() {
        let many: Vec<String> = (0..=MOST_TAGS).map(|number| number.to_string()).collect();
        let long = "x".repeat(LONGEST_TAG + 1);
        for (changes, wrong) in [
            (Changes::default(), Field::Memory),
            (Changes { swap: Some(1), ..Changes::default() }, Field::Swap),
            (Changes { description: Some("x".into()), ..Changes::default() }, Field::Description),
            (Changes { memory: Some(1), ..Changes::default() }, Field::Memory),
            (Changes { cpu: Some(Cpus(0)), ..Changes::default() }, Field::Cpu),
            (Changes { pids: Some(0), ..Changes::default() }, Field::Pids),
            (tagged(&["a b"]), Field::Tags),
            (tagged(&["a,b"]), Field::Tags),
            (tagged(&["a\nlxc.hook.start = x"]), Field::Tags),
            (tagged(&[""]), Field::Tags),
            (tagged(&["-a"]), Field::Tags),
            (tagged(&["onboot"]), Field::Tags),
            (tagged(&[&long]), Field::Tags),
            (Changes { tags: Some(many), ..Changes::default() }, Field::Tags),
        ] {
            let error = check(&changes).unwrap_err();
            assert!(matches!(error, Error::Invalid { field, .. } if field == wrong), "{changes:?}: {error}");
        }
        let removed = Changes { description: Some(String::new()), pids: Some(9), ..Changes::default() };
        assert_eq!(check(&removed), Ok(()), "there is none to be removed");
    }
}
