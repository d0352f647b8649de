//! The form that changes a guest: what stands there now, and what was changed of it.

use super::{Reader, Typed};
use crate::domain::{action::Field, guest::BackendKind, size, spec::Changes};

/// The kernel's own bound of process ids.
const MOST_PIDS: u64 = 1 << 22;

/// What can be changed of a guest of this backend, in the order shown.
pub fn changeable(kind: BackendKind) -> &'static [Field] {
    match kind {
        BackendKind::Lxc => &[Field::Memory, Field::Cpu, Field::Pids, Field::Tags, Field::StartAtBoot],
        BackendKind::Crun => {
            &[Field::Memory, Field::Swap, Field::Cpu, Field::Pids, Field::Description, Field::Tags]
        }
        BackendKind::ProxmoxLxc => {
            &[Field::Memory, Field::Swap, Field::Cpu, Field::Description, Field::Tags, Field::StartAtBoot]
        }
        BackendKind::ProxmoxVm => {
            &[Field::Memory, Field::Cpu, Field::Description, Field::Tags, Field::StartAtBoot]
        }
    }
}

/// What stands in the form before anybody types.
pub fn shown(kind: BackendKind, present: &Changes) -> Typed {
    let bytes = |bytes: Option<u64>| bytes.map(size::text).unwrap_or_default();
    let value = |field: &Field| match field {
        Field::Memory => bytes(present.memory),
        Field::Swap => bytes(present.swap),
        Field::Cpu => present.cpu.map(|cpu| cpu.to_string()).unwrap_or_default(),
        Field::Pids => present.pids.map(|pids| pids.to_string()).unwrap_or_default(),
        Field::Description => present.description.clone().unwrap_or_default(),
        Field::Tags => present.tags.as_deref().unwrap_or_default().join(", "),
        Field::StartAtBoot => present.start_at_boot.unwrap_or_default().to_string(),
        _ => String::new(),
    };
    Typed::from_pairs(changeable(kind).iter().map(|field| (field.as_str(), value(field))))
}

/// What is to be changed of a guest that is as `present` says: a field that is absent, or holds what is there already,
/// changes nothing.
pub fn changes(reader: &mut Reader<'_>, present: &Changes) -> Changes {
    let changes = Changes {
        memory: limit(reader, Field::Memory, present.memory, |reader| reader.size(Field::Memory)),
        swap: limit(reader, Field::Swap, present.swap, |reader| reader.size(Field::Swap)),
        cpu: limit(reader, Field::Cpu, present.cpu, |reader| reader.cpus(Field::Cpu)),
        pids: limit(reader, Field::Pids, present.pids, |reader| reader.number(Field::Pids, 1, MOST_PIDS)),
        description: description(reader.typed)
            .filter(|text| *text != present.description.as_deref().unwrap_or_default().trim_end()),
        tags: reader
            .typed
            .get(Field::Tags)
            .map(|_| sorted(reader.list(Field::Tags)))
            .filter(|tags| *tags != sorted(present.tags.clone().unwrap_or_default())),
        start_at_boot: start_at_boot(reader)
            .filter(|wanted| *wanted != present.start_at_boot.unwrap_or_default()),
    };
    if changes.is_empty() && reader.is_right() {
        reader.note(Field::Memory, "Nothing is to be changed; enter at least one new value.");
    }
    changes
}

/// A limit, where it is to be another one.
fn limit<T: PartialEq>(
    reader: &mut Reader<'_>,
    field: Field,
    present: Option<T>,
    read: impl Fn(&mut Reader<'_>) -> Option<T>,
) -> Option<T> {
    reader.typed.get(field)?;
    if reader.typed.text(field).is_empty() {
        if present.is_some() {
            reader.note(field, "A limit can be changed here, not removed; enter a larger one.");
        }
        return None;
    }
    read(reader).filter(|wanted| present.as_ref() != Some(wanted))
}

/// Line breaks as the host has them: forms send those of the network.
fn description(typed: &Typed) -> Option<String> {
    typed.get(Field::Description).map(|text| text.replace("\r\n", "\n").trim_end().to_owned())
}

fn start_at_boot(reader: &mut Reader<'_>) -> Option<bool> {
    reader.typed.get(Field::StartAtBoot)?;
    match reader.typed.text(Field::StartAtBoot) {
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            reader.note(Field::StartAtBoot, "Choose yes or no.");
            None
        }
    }
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags.dedup();
    tags
}
