//! From a form to the request that it asks for.

use super::{Reader, Typed, Wrong, changes};
use crate::domain::{
    action::{
        ActionRequest, EXEC_SECONDS, Field, GuestAction, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS,
        Refusal, SHUTDOWN_SECONDS,
    },
    spec::{BackupMode, Changes, CloneSpec},
};

/// What the form asks for; the first thing that is wrong with it is the refusal. `present` is how the guest is set now, for
/// a change.
pub fn request(action: GuestAction, typed: &Typed, present: &Changes) -> Result<ActionRequest, Refusal> {
    read(action, typed, present).map_err(|wrong| {
        let message = "A guest that exists cannot be created again. Nothing was run.".to_owned();
        wrong.into_iter().next().map_or(Refusal::Field { field: Field::Name, message }, Refusal::from)
    })
}

/// As [`request`], with all that is wrong.
pub fn read(action: GuestAction, typed: &Typed, present: &Changes) -> Result<ActionRequest, Vec<Wrong>> {
    let mut reader = Reader::new(typed);
    let request = read_by(&mut reader, action, present);
    reader.end(request)
}

fn read_by(reader: &mut Reader<'_>, action: GuestAction, present: &Changes) -> Option<ActionRequest> {
    Some(match action {
        GuestAction::Create => return None,
        GuestAction::Start => ActionRequest::Start,
        GuestAction::Stop => ActionRequest::Stop,
        GuestAction::Reset => ActionRequest::Reset,
        GuestAction::Pause => ActionRequest::Pause,
        GuestAction::Resume => ActionRequest::Resume,
        GuestAction::Hibernate => ActionRequest::Hibernate,
        GuestAction::MakeTemplate => ActionRequest::MakeTemplate,
        GuestAction::Unlock => ActionRequest::Unlock,
        GuestAction::Delete => ActionRequest::Delete { purge: reader.typed.is_on(Field::Purge) },
        GuestAction::Shutdown => ActionRequest::Shutdown { timeout_seconds: patience(reader) },
        GuestAction::Reboot => ActionRequest::Reboot { timeout_seconds: patience(reader) },
        GuestAction::Exec => exec(reader)?,
        GuestAction::Clone => ActionRequest::Clone(copy(reader)?),
        GuestAction::Snapshot => ActionRequest::Snapshot {
            name: reader.text(Field::Snapshot),
            description: reader.typed.text(Field::Description).replace("\r\n", "\n"),
            memory: reader.typed.is_on(Field::WithMemory),
        },
        GuestAction::Rollback => ActionRequest::Rollback { snapshot: chosen_snapshot(reader)? },
        GuestAction::DeleteSnapshot => ActionRequest::DeleteSnapshot { snapshot: chosen_snapshot(reader)? },
        GuestAction::Configure => ActionRequest::Configure(changes(reader, present)),
        GuestAction::Resize => {
            let disk = reader.needed(Field::Disk, "Choose the disk.");
            reader.needed(Field::Size, "Enter the size it shall have, such as 16G.");
            ActionRequest::Resize { disk: disk?, size: reader.size(Field::Size)? }
        }
        GuestAction::Migrate => {
            ActionRequest::Migrate { node: reader.needed(Field::Node, "Choose the node to move it to.")? }
        }
        GuestAction::Backup => {
            ActionRequest::Backup { storage: reader.text(Field::Storage), mode: mode(reader)? }
        }
    })
}

/// The seconds to wait for a shut-down.
fn patience(reader: &mut Reader<'_>) -> u32 {
    seconds(reader, SHUTDOWN_SECONDS, LONGEST_SHUTDOWN_SECONDS)
}

fn seconds(reader: &mut Reader<'_>, usual: u32, most: u32) -> u32 {
    if reader.typed.text(Field::Timeout).is_empty() {
        return usual;
    }
    let read = reader.typed.text(Field::Timeout).parse().ok().filter(|s| (1..=most).contains(s));
    read.unwrap_or_else(|| {
        let message = format!("Enter a number of seconds from 1 to {most}. Nothing was run.");
        reader.note(Field::Timeout, message);
        usual
    })
}

fn exec(reader: &mut Reader<'_>) -> Option<ActionRequest> {
    let line = reader.needed(Field::Command, "Enter the program to run, and its words.");
    let command = reader.words(Field::Command);
    let timeout_seconds = seconds(reader, EXEC_SECONDS, LONGEST_EXEC_SECONDS);
    line.map(|_| ActionRequest::Exec { command, timeout_seconds })
}

fn copy(reader: &mut Reader<'_>) -> Option<CloneSpec> {
    let name = reader.new_name(Field::Name);
    let vmid = reader.number32(Field::Vmid, 100, 999_999_999);
    Some(CloneSpec {
        name: name?,
        vmid,
        linked: reader.typed.is_on(Field::Linked),
        snapshot: reader.text(Field::Snapshot),
        storage: reader.text(Field::Storage),
        node: reader.text(Field::Node),
    })
}

fn chosen_snapshot(reader: &mut Reader<'_>) -> Option<String> {
    reader.needed(Field::Snapshot, "Choose the snapshot.")
}

fn mode(reader: &mut Reader<'_>) -> Option<BackupMode> {
    let text = reader.typed.text(Field::Mode);
    let mode = BackupMode::ALL.into_iter().find(|mode| mode.as_str() == text);
    match (mode, text) {
        (None, "") => Some(BackupMode::default()),
        (None, _) => {
            reader.note(Field::Mode, "Choose snapshot, suspend or stop.");
            None
        }
        (mode, _) => mode,
    }
}
