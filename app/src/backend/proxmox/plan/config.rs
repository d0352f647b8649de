//! Changing what a guest may use, growing its disks, removing a lock that was left behind.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        plan::{Answer, Argv, Command, Expectation, Output, Plan, Work},
        spec::{Changes, Cpus},
    },
};

use super::{
    super::{
        check::{GIB, MIB, invalid, memory_mib, swap_mib},
        facts::GuestFacts,
        wire::config::Config,
    },
    Call, HOUR, MINUTE, not_ready, plan, step,
};

const CONFIG_MS: u64 = MINUTE;
const RESIZE_MS: u64 = 2 * HOUR;
const UNLOCK_MS: u64 = MINUTE;

pub fn configure(facts: &GuestFacts, changes: &Changes) -> Result<Plan, Error> {
    if changes.is_empty() {
        return Err(not_ready("Nothing was asked to change.", "Change one of the values."));
    }
    let place = &facts.place;
    let mut removed: Vec<&str> = Vec::new();
    let mut call = Call::put(place.path("/config"), CONFIG_MS).answered_by(Answer::Plain);
    if let Some(cpus) = changes.cpu {
        let amount = processors(place.is_vm(), &facts.config, cpus)?;
        call = call.text("cores", amount.cores.to_string()).maybe("cpulimit", amount.limit);
        if amount.limit.is_none() && facts.config.get("cpulimit").is_some() {
            removed.push("cpulimit");
        }
    }
    if let Some(bytes) = changes.memory {
        let memory = memory_mib(bytes)?;
        if let Some(balloon) = facts.config.uint("balloon").filter(|balloon| *balloon > memory) {
            return Err(invalid(
                Field::Memory,
                format!("The VM is promised at least {balloon} MiB (balloon); lower that in Proxmox first."),
            ));
        }
        call = call.text("memory", memory.to_string());
    }
    call = call.maybe("swap", changes.swap.map(swap_mib).transpose()?);
    match changes.description.as_deref() {
        Some("") => removed.push("description"),
        text => call = call.maybe("description", text),
    }
    match changes.tags.as_deref() {
        Some([]) => removed.push("tags"),
        tags => call = call.maybe("tags", tags.map(|tags| tags.join(";"))),
    }
    call = call.maybe("onboot", changes.start_at_boot.map(u8::from));
    call = call.maybe("delete", Some(removed.join(",")).filter(|keys| !keys.is_empty()));
    // A change that somebody made since is not overwritten: Proxmox refuses an old digest.
    call = call.maybe("digest", facts.config.digest.as_deref());
    let title = format!("Change the {}'s configuration", place.word());
    Ok(plan(vec![call.step(title)], Expectation::Exists))
}

/// How many processors a guest sees, and how much of their time it may use where that is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processors {
    /// Of each socket.
    pub cores: u32,
    pub limit: Option<Cpus>,
}

pub fn processors(is_vm: bool, config: &Config, cpus: Cpus) -> Result<Processors, Error> {
    let seen = cpus.0.div_ceil(1000);
    let limit = cpus.whole().is_none().then_some(cpus);
    let sockets = config.uint("sockets").and_then(|sockets| u32::try_from(sockets).ok()).unwrap_or(1).max(1);
    if !is_vm || sockets == 1 {
        return Ok(Processors { cores: seen, limit });
    }
    if !seen.is_multiple_of(sockets) {
        return Err(invalid(
            Field::Cpu,
            format!("The VM has {sockets} sockets, all with as many cores: enter a multiple of {sockets}."),
        ));
    }
    Ok(Processors { cores: seen / sockets, limit })
}

/// `size` in bytes.
pub fn resize(facts: &GuestFacts, key: &str, size: u64) -> Result<Plan, Error> {
    let place = &facts.place;
    let disks = facts.config.disks(place.kind);
    let Some(disk) = disks.iter().find(|disk| disk.key == key) else {
        let keys: Vec<&str> =
            disks.iter().filter(|disk| !disk.is_unused).map(|disk| disk.key.as_str()).collect();
        return Err(invalid(
            Field::Disk,
            format!("{} has no disk {key}; it has {}.", place.label(), listed(&keys)),
        ));
    };
    match disk.size {
        Some(now) if size < now => {
            return Err(invalid(
                Field::Size,
                format!("The disk {key} has {} and cannot be made smaller.", size_text(now)),
            ));
        }
        Some(now) if size == now => {
            return Err(invalid(Field::Size, format!("The disk {key} has {} already.", size_text(now))));
        }
        _ => {}
    }
    let call = Call::put(place.path("/resize"), RESIZE_MS).text("disk", key).text("size", size_text(size));
    let call = call.maybe("digest", facts.config.digest.as_deref());
    Ok(plan(vec![call.step(format!("Grow the disk {key} to {}", size_text(size)))], Expectation::Exists))
}

fn listed(keys: &[&str]) -> String {
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}

/// As Proxmox writes it: the largest unit that it is a whole number of.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(GIB) => format!("{}G", bytes / GIB),
        _ if bytes.is_multiple_of(MIB) => format!("{}M", bytes / MIB),
        _ if bytes.is_multiple_of(1024) => format!("{}K", bytes / 1024),
        _ => bytes.to_string(),
    }
}

/// Who may remove a lock, and whether somebody holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnlockFacts {
    /// Paddock is root@pam by its password: for a token of root's, Proxmox does not take it as root.
    pub is_root: bool,
    /// Kinds of the tasks that are at work on the guest: `vzdump`.
    pub at_work: Vec<String>,
}

/// On the guest's own node by `pct` or `qm`, which need nobody's leave; of a VM also by the API, as root alone.
pub fn unlock(facts: &GuestFacts, unlock: &UnlockFacts) -> Result<Plan, Error> {
    let place = &facts.place;
    let Some(by) = &facts.lock else {
        return Err(Error::WrongState { words: format!("{} is not locked", place.label()) });
    };
    if !unlock.at_work.is_empty() {
        return Err(not_ready(
            format!(
                "The lock ({by}) of {} is not stale: {} is at work.",
                place.label(),
                unlock.at_work.join(", ")
            ),
            "Wait until that has ended, or stop it.",
        ));
    }
    let title = format!("Remove the lock ({by})");
    let argv = Argv::new(place.tool()).args(["unlock", &place.vmid.to_string()]);
    let step = if facts.is_local {
        step(title, Work::Command(Command { argv, timeout_ms: UNLOCK_MS, output: Output::Piped }))
    } else if place.is_vm() && unlock.is_root {
        let call = Call::put(place.path("/config"), CONFIG_MS).answered_by(Answer::Plain);
        call.text("delete", "lock").text("skiplock", "1").step(title)
    } else {
        let who =
            if place.is_vm() { "root@pam with a password, or on its own node" } else { "on its own node" };
        return Err(not_ready(
            format!("Proxmox lets a {}'s lock be removed only {who}.", place.word()),
            format!("Run `{argv}` on {}.", place.node),
        ));
    };
    Ok(plan(vec![step], Expectation::Exists))
}

#[cfg(test)]
mod tests;
