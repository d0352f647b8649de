//! What was asked for, checked before a tool or a file sees it. Pure.

use std::collections::BTreeSet;

use crate::{
    backend::Error,
    domain::{
        action::{Field, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS},
        spec::{BindMount, Cpus, Limits},
    },
};

use super::paths;

/// The kernel takes no longer word (MAX_ARG_STRLEN, with its closing zero), bytes.
const LONGEST_WORD: usize = 128 * 1024 - 1;
/// Well within what the kernel takes of arguments and environment together, bytes.
const MOST_WORDS: usize = 1024 * 1024;
/// Most entries of a list.
const MOST_ENTRIES: usize = 1000;
/// With less, crun 1.8.1 itself is killed inside of the new control group now and then, bytes.
pub const LEAST_MEMORY: u64 = 4 * 1024 * 1024;
/// The OCI specification counts memory in signed 64 bits, bytes.
const MOST_MEMORY: u64 = i64::MAX as u64;
/// The kernel's own bound (PID_MAX_LIMIT).
const MOST_PIDS: u64 = 4 * 1024 * 1024;
/// Longest description, bytes.
const LONGEST_DESCRIPTION: usize = 8 * 1024;
/// Longest tag, and most of them.
const LONGEST_TAG: usize = 64;
const MOST_TAGS: usize = 64;

pub fn invalid(field: Field, message: impl Into<String>) -> Error {
    Error::Invalid { field, message: message.into() }
}

/// A command's words. There may be none only where `may_be_empty`.
pub fn command(words: &[String], may_be_empty: bool) -> Result<(), Error> {
    let no = |message: &str| Err(invalid(Field::Command, message));
    match words.first() {
        None if may_be_empty => return Ok(()),
        None => return no("Enter a command."),
        Some(program) if program.is_empty() => return no("The command's first word, its program, is empty."),
        Some(_) => {}
    }
    if words.iter().any(|word| word.contains('\0')) {
        return no("The command contains a zero byte, which no program can be given.");
    }
    if words.iter().any(|word| word.len() > LONGEST_WORD) {
        return no("A word of the command is longer than 131071 bytes, the most that the kernel takes.");
    }
    if words.iter().map(|word| word.len() + 1).sum::<usize>() > MOST_WORDS || words.len() > MOST_ENTRIES {
        return no(
            "The command is too long: at most 1000 words and 1 MiB. Put it into a script in the guest.",
        );
    }
    Ok(())
}

pub fn seconds(seconds: u32, field: Field, most: u32) -> Result<(), Error> {
    if (1..=most).contains(&seconds) {
        return Ok(());
    }
    Err(invalid(field, format!("Enter a time from 1 to {most} seconds.")))
}

pub fn shutdown_seconds(asked: u32) -> Result<(), Error> {
    seconds(asked, Field::Timeout, LONGEST_SHUTDOWN_SECONDS)
}

pub fn exec_seconds(asked: u32) -> Result<(), Error> {
    seconds(asked, Field::Timeout, LONGEST_EXEC_SECONDS)
}

/// Variables of the environment: each name once.
pub fn environment(env: &[(String, String)]) -> Result<(), Error> {
    let no = |message: String| Err(invalid(Field::Env, message));
    let mut names = BTreeSet::new();
    for (name, value) in env {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !is_name || name.len() > 255 {
            return no(format!(
                "“{}” is no name of a variable: use letters, digits and underscores, not beginning with a digit.",
                shown(name)
            ));
        }
        if value.contains('\0') {
            return no(format!("The value of {name} contains a zero byte."));
        }
        if name.len() + value.len() + 1 > LONGEST_WORD {
            return no(format!("The value of {name} is longer than the kernel takes (128 KiB)."));
        }
        if !names.insert(name) {
            return no(format!("The variable {name} is set twice."));
        }
    }
    if env.len() > MOST_ENTRIES || env.iter().map(|(n, v)| n.len() + v.len() + 2).sum::<usize>() > MOST_WORDS
    {
        return no("That is too much: at most 1000 variables and 1 MiB.".to_owned());
    }
    Ok(())
}

/// Paths of mounts. Whether the sources are there is a fact, and none of this.
pub fn mounts(mounts: &[BindMount]) -> Result<(), Error> {
    let no = |message: String| Err(invalid(Field::Mount, message));
    let mut targets = BTreeSet::new();
    for mount in mounts {
        for path in [&mount.source, &mount.target] {
            if let Err(why) = paths::absolute(path) {
                return no(format!("“{}”: {why}", shown(path)));
            }
        }
        let target = mount.target.trim_end_matches('/');
        // crun sets these up by itself; a mount on them keeps a container from starting, or opens the host.
        let is_taken =
            matches!(target, "" | "/dev") || is_at_or_in(target, "/proc") || is_at_or_in(target, "/sys");
        if is_taken {
            return no(format!("Nothing can be mounted on {} inside. Choose another place.", mount.target));
        }
        if !targets.insert(target) {
            return no(format!("Two mounts are for the same place, {target}."));
        }
    }
    if mounts.len() > MOST_ENTRIES {
        return no("That is too much: at most 1000 mounts.".to_owned());
    }
    Ok(())
}

fn is_at_or_in(path: &str, dir: &str) -> bool {
    std::path::Path::new(path).starts_with(dir)
}

pub fn limits(limits: &Limits) -> Result<(), Error> {
    memory(limits.memory)?;
    cpu(limits.cpu)?;
    pids(limits.pids)
}

pub fn memory(bytes: Option<u64>) -> Result<(), Error> {
    match bytes {
        Some(bytes) if bytes < LEAST_MEMORY => Err(invalid(
            Field::Memory,
            "Give it at least 4 MiB of memory: with less it cannot even be set up.",
        )),
        Some(bytes) if bytes > MOST_MEMORY => {
            Err(invalid(Field::Memory, "That is more memory than can be written down: at most 8 EiB - 1."))
        }
        _ => Ok(()),
    }
}

pub fn cpu(cpu: Option<Cpus>) -> Result<(), Error> {
    match cpu {
        Some(cpu) if cpu.0 == 0 || cpu > Cpus::MOST => {
            Err(invalid(Field::Cpu, crate::domain::spec::BadCpus.to_string()))
        }
        _ => Ok(()),
    }
}

pub fn pids(pids: Option<u64>) -> Result<(), Error> {
    match pids {
        Some(pids) if !(1..=MOST_PIDS).contains(&pids) => {
            Err(invalid(Field::Pids, format!("Enter a number of processes from 1 to {MOST_PIDS}.")))
        }
        _ => Ok(()),
    }
}

/// What memory and swap are together, as the OCI specification counts them, bytes.
pub fn memory_and_swap(memory: u64, swap: u64) -> Result<u64, Error> {
    memory
        .checked_add(swap)
        .filter(|total| *total <= MOST_MEMORY)
        .ok_or_else(|| invalid(Field::Swap, "Memory and swap together are more than can be written down."))
}

/// Processor time as the kernel counts it: microseconds of each period, and the period. The kernel takes no less than
/// 1000 of them, so a small share is of a longer period.
pub fn quota(cpu: Cpus) -> (u64, u64) {
    const PERIOD: u64 = 100_000;
    const LONG_PERIOD: u64 = 1_000_000;
    const LEAST: u64 = 1_000;
    let quota = u64::from(cpu.0) * (PERIOD / 1000);
    if quota < LEAST { (u64::from(cpu.0) * (LONG_PERIOD / 1000), LONG_PERIOD) } else { (quota, PERIOD) }
}

pub fn description(text: &str) -> Result<(), Error> {
    let no = |message: &str| Err(invalid(Field::Description, message));
    if text.len() > LONGEST_DESCRIPTION {
        return no("The description is longer than 8 KiB.");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return no("The description contains a control character.");
    }
    Ok(())
}

pub fn tags(tags: &[String]) -> Result<(), Error> {
    if let Some(tag) = tags.iter().find(|tag| !is_tag(tag)) {
        return Err(invalid(
            Field::Tags,
            format!(
                "“{}” is no tag: use letters, digits, dots, underscores, pluses and dashes, at most {LONGEST_TAG}, beginning with a letter, a digit or an underscore.",
                shown(tag)
            ),
        ));
    }
    if tags.len() > MOST_TAGS {
        return Err(invalid(Field::Tags, format!("At most {MOST_TAGS} tags.")));
    }
    Ok(())
}

/// The alphabet of Proxmox's tags, and large letters.
pub fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'+' | b'-'))
}

/// As much of it as fits in a sentence, without anything that would spoil a screen.
pub fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_core_becomes_what_the_kernel_takes() {
        for (cpu, wanted) in [
            (1, (1_000, 1_000_000)),
            (9, (9_000, 1_000_000)),
            (10, (1_000, 100_000)),
            (1_500, (150_000, 100_000)),
            (Cpus::MOST.0, (819_200_000, 100_000)),
        ] {
            assert_eq!(quota(Cpus(cpu)), wanted, "{cpu}");
        }
    }

    #[test]
    fn limits_end_where_the_kernel_ends() {
        let of = |memory, cpu, pids| limits(&Limits { memory, cpu, pids });
        assert!(of(Some(LEAST_MEMORY), Some(Cpus(1)), Some(1)).is_ok());
        assert!(of(Some(MOST_MEMORY), Some(Cpus::MOST), Some(MOST_PIDS)).is_ok());
        assert!(of(None, None, None).is_ok());
        for (bad, field) in [
            (of(Some(0), None, None), Field::Memory),
            (of(Some(u64::MAX), None, None), Field::Memory),
            (of(None, Some(Cpus(0)), None), Field::Cpu),
            (of(None, Some(Cpus(u32::MAX)), None), Field::Cpu),
            (of(None, None, Some(0)), Field::Pids),
            (of(None, None, Some(u64::MAX)), Field::Pids),
        ] {
            assert!(matches!(&bad, Err(Error::Invalid { field: found, .. }) if *found == field), "{bad:?}");
        }
        assert_eq!(memory_and_swap(MOST_MEMORY - 1, 1), Ok(MOST_MEMORY));
        assert!(memory_and_swap(u64::MAX, 1).is_err());
        assert!(memory_and_swap(MOST_MEMORY, 1).is_err());
    }

    #[test]
    fn a_mount_covers_nothing_that_the_container_needs() {
        let mount =
            |target: &str| BindMount { source: "/srv".into(), target: target.into(), read_only: false };
        for target in ["/data", "/dev/shm/x", "/procs", "/mnt/a b"] {
            assert_eq!(mounts(&[mount(target)]), Ok(()), "{target}");
        }
        for target in
            ["/", "//", "/proc", "/proc/sys", "/sys/fs/cgroup", "/dev", "/dev/", "data", "/a/../proc"]
        {
            assert!(mounts(&[mount(target)]).is_err(), "{target}");
        }
        assert!(mounts(&[mount("/a"), mount("/a/")]).is_err(), "twice the same place");
    }
}
