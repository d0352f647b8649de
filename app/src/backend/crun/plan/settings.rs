//! Changes of a container: at once where it lives, and in its bundle, from which the next start makes it. Pure.

use serde_json::json;

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::GuestStatus,
        name::GuestName,
        plan::{Change, Expectation, FileEdit, Plan, Step, Work},
        spec::{Changes, Limits},
    },
};

use super::{
    super::{
        facts::{Registered, Settings},
        input::{self, invalid},
        notes,
    },
    Tool,
    checks::{check_not_by_systemd, joined},
    plan, step,
};

pub fn configure(
    tool: &Tool,
    name: &GuestName,
    guest: &Registered,
    settings: &Settings,
    changes: &Changes,
) -> Result<Plan, Error> {
    check_not_by_systemd(guest)?;
    if let Some(others) = joined(&settings.shared_with) {
        return Err(Error::NotReady {
            reason: format!("Its bundle is also that of {others}, which would be changed with it."),
            cure: "Give each container a bundle of its own: copy the directory and create one from the copy."
                .to_owned(),
        });
    }
    let memory = Memory::of(settings, changes)?;
    let mut edits = limits(&Limits { memory: memory.limit, cpu: changes.cpu, pids: changes.pids });
    if let Some(both) = memory.with_swap {
        edits.push(set("/linux/resources/memory/swap", &json!(both)));
    }
    edits.extend(notes_of(changes));
    let mut steps = Vec::new();
    // First, as the kernel may refuse; the file then stays as it is.
    if guest.status.is_active() || guest.status == GuestStatus::Created {
        steps.extend(update(tool, name, &memory, changes));
    }
    if !edits.is_empty() {
        let edit = FileEdit {
            path: settings.path.display().to_string(),
            changes: edits,
            digest: Some(settings.digest.clone()),
        };
        steps.push(step("Write it into the bundle, for every start to come", Work::Edit(edit)));
    }
    Ok(plan(steps, Some(Expectation::Exists)))
}

/// What is refused whatever the container is like.
pub fn check(changes: &Changes) -> Result<(), Error> {
    input::limits(&Limits { memory: changes.memory, cpu: changes.cpu, pids: changes.pids })?;
    input::tags(changes.tags.as_deref().unwrap_or_default())?;
    input::description(changes.description.as_deref().unwrap_or_default())?;
    if changes.start_at_boot == Some(true) {
        return Err(invalid(
            Field::Backend,
            "crun starts nothing when the host boots, and keeps nothing of a container until then. Use a service of \
             the host for that.",
        ));
    }
    if (Changes { start_at_boot: None, ..changes.clone() }).is_empty() {
        return Err(invalid(Field::Backend, "Nothing is to be changed. Enter what shall be different."));
    }
    Ok(())
}

/// Memory, and memory with swap, where either is changed, bytes: crun takes the one only with the other.
struct Memory {
    limit: Option<u64>,
    with_swap: Option<u64>,
}

impl Memory {
    fn of(settings: &Settings, changes: &Changes) -> Result<Self, Error> {
        if changes.memory.is_none() && changes.swap.is_none() {
            return Ok(Self { limit: None, with_swap: None });
        }
        let limit = changes.memory.or_else(|| settings.config.memory_limit());
        let Some(swap) = changes.swap.or_else(|| settings.config.swap_limit()) else {
            return Ok(Self { limit, with_swap: None });
        };
        if changes.swap.is_some() && !settings.swap_is_counted {
            return Err(Error::NotReady {
                reason: "This host's kernel does not count swap by container.".to_owned(),
                cure: "Boot it with swapaccount=1.".to_owned(),
            });
        }
        let limit = limit.ok_or_else(|| {
            invalid(Field::Swap, "Limit its memory as well: without that, crun takes no limit of swap.")
        })?;
        Ok(Self { limit: Some(limit), with_swap: Some(input::memory_and_swap(limit, swap)?) })
    }
}

fn update(tool: &Tool, name: &GuestName, memory: &Memory, changes: &Changes) -> Option<Step> {
    let mut words = vec!["update".to_owned()];
    let mut option = |name: &str, value: Option<u64>| {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value.to_string()]));
    };
    let (quota, period) = changes.cpu.map(input::quota).unzip();
    option("--memory", memory.limit);
    option("--memory-swap", memory.with_swap);
    option("--cpu-period", period);
    option("--cpu-quota", quota);
    option("--pids-limit", changes.pids);
    if words.len() == 1 {
        return None;
    }
    words.extend(["--".to_owned(), name.to_string()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(step("Put the new limits into force at once", tool.command(&words)))
}

/// Limits as `config.json` has them.
pub fn limits(limits: &Limits) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(memory) = limits.memory {
        changes.push(set("/linux/resources/memory/limit", &json!(memory)));
    }
    if let Some((quota, period)) = limits.cpu.map(input::quota) {
        changes.push(set("/linux/resources/cpu/quota", &json!(quota)));
        changes.push(set("/linux/resources/cpu/period", &json!(period)));
    }
    if let Some(pids) = limits.pids {
        changes.push(set("/linux/resources/pids/limit", &json!(pids)));
    }
    changes
}

fn notes_of(changes: &Changes) -> Vec<Change> {
    let note = |name: &str, text: String| match text.as_str() {
        "" => unset(&annotation(name)),
        text => set(&annotation(name), &json!(text)),
    };
    let description = changes.description.clone().map(|text| note(notes::DESCRIPTION, text));
    let tags = changes.tags.as_deref().map(|tags| note(notes::TAGS, notes::joined(tags)));
    description.into_iter().chain(tags).collect()
}

/// The key of an annotation.
pub fn annotation(name: &str) -> String {
    format!("/annotations/{name}")
}

pub fn set(key: &str, value: &serde_json::Value) -> Change {
    Change { key: key.to_owned(), value: Some(value.to_string()) }
}

pub fn unset(key: &str) -> Change {
    Change { key: key.to_owned(), value: None }
}

#[cfg(test)]
mod tests;
