//! What an action asks for: the fields of its form.

use serde::{Deserialize, Serialize};

use super::changeable;
use crate::domain::{
    action::{Field, GuestAction},
    guest::BackendKind,
};

/// One field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub field: Field,
    pub label: &'static str,
    pub hint: Option<&'static str>,
    pub input: Input,
}

/// How it is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Line,
    /// For names, sizes, words of a command.
    Mono,
    Lines,
    /// As [`Mono`](Self::Mono), with what the host has to choose from; anything else can be typed.
    Suggested(Choices),
    Switch,
    /// Value and label of each choice.
    OneOf(&'static [(&'static str, &'static str)]),
    /// One of what the host has. Nothing chosen is what the label of the empty choice says; with none, one must be chosen.
    FromHost(Choices, Option<&'static str>),
}

/// What the host is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choices {
    /// Nodes that are up, but for the one that the guest is on.
    OtherNodes,
    /// Storages that take disks of such a guest.
    DiskStorages,
    BackupStorages,
    Snapshots,
    /// The guest's disks by their keys.
    Disks,
    /// Nodes that are up.
    Nodes,
    /// What a new interface can be put on.
    Bridges,
    LxcTemplates,
    Bundles,
    /// `DIRECTORY:TAG`.
    Layouts,
    /// Of Proxmox containers, appliances that are downloaded first among them.
    OsTemplates,
    DiskImages,
    Isos,
}

const YES_NO: Input = Input::OneOf(&[("true", "Yes"), ("false", "No")]);

pub(super) const fn parameter(field: Field, label: &'static str, input: Input) -> Parameter {
    Parameter { field, label, hint: None, input }
}

impl Parameter {
    pub(super) const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

const TIMEOUT: Parameter = parameter(Field::Timeout, "Seconds to wait", Input::Mono)
    .hint("For its shut-down: 60 unless you say otherwise. Nothing is killed when they are over.");

/// The fields of an action's form, in the order shown; none for one that needs no more than the guest.
pub fn parameters(kind: BackendKind, action: GuestAction) -> Vec<Parameter> {
    match action {
        GuestAction::Shutdown | GuestAction::Reboot => vec![TIMEOUT],
        GuestAction::Exec => exec(),
        GuestAction::Clone => copy(kind),
        GuestAction::Snapshot => snapshot(kind),
        GuestAction::Configure => changeable(kind).iter().map(|field| change(kind, *field)).collect(),
        GuestAction::Resize => vec![
            parameter(Field::Disk, "Disk", Input::FromHost(Choices::Disks, None)),
            parameter(Field::Size, "New size", Input::Mono)
                .hint("The size it shall have, such as 16G. A disk only ever grows."),
        ],
        GuestAction::Migrate => vec![
            parameter(Field::Node, "To the node", Input::FromHost(Choices::OtherNodes, None))
                .hint("A running container is restarted there; a running VM moves while it runs."),
        ],
        GuestAction::Backup => vec![
            parameter(
                Field::Storage,
                "Storage",
                Input::FromHost(Choices::BackupStorages, Some("The first that takes backups")),
            ),
            parameter(
                Field::Mode,
                "Meanwhile",
                Input::OneOf(&[
                    ("snapshot", "It goes on: taken from a snapshot"),
                    ("suspend", "It is paused"),
                    ("stop", "It is shut down and started again"),
                ]),
            ),
        ],
        GuestAction::Delete => vec![purge(kind)],
        _ => Vec::new(),
    }
}

fn exec() -> Vec<Parameter> {
    vec![
        parameter(Field::Command, "Command", Input::Mono)
            .hint("The program and its words, parted as a shell would. No shell takes part: nothing is expanded or piped."),
        parameter(Field::Timeout, "Seconds", Input::Mono)
            .hint("It is ended after so long: 3600 unless you say otherwise."),
    ]
}

fn purge(kind: BackendKind) -> Parameter {
    let label = match kind {
        BackendKind::Lxc => "Also its snapshots",
        BackendKind::Crun => "Also its bundle, if Paddock made it",
        BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => {
            "Also what refers to it: backup jobs, unreferenced disks"
        }
    };
    parameter(Field::Purge, label, Input::Switch)
}

fn copy(kind: BackendKind) -> Vec<Parameter> {
    let name = parameter(Field::Name, "Name of the copy", Input::Mono);
    let linked = |hint| parameter(Field::Linked, "Linked: holds only what differs", Input::Switch).hint(hint);
    let from = parameter(
        Field::Snapshot,
        "Copied from",
        Input::FromHost(Choices::Snapshots, Some("The guest as it is now")),
    );
    if matches!(kind, BackendKind::Lxc | BackendKind::Crun) {
        return vec![name, from, linked("Shares the original's root file system; not of a snapshot.")];
    }
    vec![
        name,
        from,
        linked("Shares the original's disks: of a template or a snapshot alone."),
        parameter(
            Field::Storage,
            "Storage",
            Input::FromHost(Choices::DiskStorages, Some("That of the original")),
        ),
        parameter(Field::Node, "Node", Input::FromHost(Choices::OtherNodes, Some("That of the original"))),
        parameter(Field::Vmid, "VMID", Input::Mono).hint("Empty: the next free one."),
    ]
}

fn snapshot(kind: BackendKind) -> Vec<Parameter> {
    let name = parameter(Field::Snapshot, "Name", Input::Mono)
        .hint("A letter, then letters, digits, dashes and underscores; 40 at most.");
    let description = parameter(Field::Description, "Description", Input::Lines);
    match kind {
        // LXC names its snapshots itself.
        BackendKind::Lxc | BackendKind::Crun => vec![description],
        BackendKind::ProxmoxLxc => vec![name, description],
        BackendKind::ProxmoxVm => vec![
            name,
            description,
            parameter(Field::WithMemory, "With the running VM's memory", Input::Switch)
                .hint("It then goes on from there when it is rolled back."),
        ],
    }
}

fn change(kind: BackendKind, field: Field) -> Parameter {
    let size = |label| parameter(field, label, Input::Mono).hint("With a unit: 512M, 2G.");
    match field {
        Field::Memory => size("Memory"),
        Field::Swap => size("Swap"),
        Field::Cpu if kind == BackendKind::ProxmoxVm => {
            parameter(field, "Processor cores", Input::Mono).hint("All sockets together.")
        }
        Field::Cpu => parameter(field, "Processor cores", Input::Mono).hint("2, or 1.5 for a share of one."),
        Field::Pids => parameter(field, "Processes at most", Input::Mono),
        Field::Tags => parameter(field, "Tags", Input::Line).hint("With commas between them."),
        Field::StartAtBoot => parameter(field, "Start when the host boots", YES_NO),
        _ => parameter(field, "Description", Input::Lines),
    }
}
