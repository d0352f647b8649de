//! The form of a new guest: what each backend asks for, and what it is asked for by that.

use super::{
    Choices, Input, NewGuest, Parameter, Reader, Typed, Wrong,
    fields::parameter,
    values::{self, Network},
};
use crate::domain::{
    action::Field,
    guest::BackendKind,
    secret::Secret,
    spec::{CreateRequest, Limits, ProxmoxNetwork},
};

/// Where in the form a field stands. What follows is the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    What,
    HowBig,
}

/// One field of a new guest's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewField {
    pub parameter: Parameter,
    pub step: Step,
    /// The sources that it belongs to; empty for all.
    pub sources: &'static [&'static str],
}

/// What guests of a backend can be made from, value and label; the first is the usual one.
pub fn sources(kind: BackendKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        BackendKind::Lxc => {
            &[("template", "A template"), ("local", "Archives on the host"), ("image", "An OCI image")]
        }
        BackendKind::Crun => &[
            ("image", "A registry"),
            ("layout", "A layout"),
            ("archive", "An archive"),
            ("bundle", "A bundle"),
        ],
        BackendKind::ProxmoxLxc => &[("template", "A template")],
        BackendKind::ProxmoxVm => {
            &[("cloud-image", "A disk image"), ("iso", "An installer"), ("empty", "Nothing")]
        }
    }
}

/// The one that was chosen; where none was, the one whose field is filled in.
fn source(kind: BackendKind, typed: &Typed) -> &str {
    let chosen = typed.text(Field::Source);
    if !chosen.is_empty() {
        return chosen;
    }
    match kind {
        BackendKind::Crun if !typed.text(Field::Bundle).is_empty() => "bundle",
        BackendKind::ProxmoxVm if !typed.text(Field::Iso).is_empty() => "iso",
        BackendKind::ProxmoxVm if typed.text(Field::CloudImage).is_empty() => "empty",
        kind => sources(kind)[0].0,
    }
}

/// What the form asks for. `password` is asked for beside it, as it stands in no address.
pub fn create(typed: &Typed, password: Option<Secret>) -> Result<(BackendKind, CreateRequest), Vec<Wrong>> {
    let mut reader = Reader::new(typed);
    let read = read(&mut reader, password);
    reader.end(read)
}

fn read(reader: &mut Reader<'_>, password: Option<Secret>) -> Option<(BackendKind, CreateRequest)> {
    let name = reader.new_name(Field::Name);
    let Ok(kind) = reader.typed.text(Field::Backend).parse::<BackendKind>() else {
        reader.note(Field::Backend, "Choose what runs it.");
        return None;
    };
    if reader.typed.is_on(Field::WithPassword) && password.is_none() {
        reader.note(Field::Password, "Enter the password that the new guest shall have.");
    }
    let guest = new_guest(reader, kind, password);
    let spec = match guest.spec(kind) {
        Ok(spec) => Some(spec),
        // What is missing because it could not be read was told already.
        Err(wrong) => {
            reader.note(wrong.field, wrong.message);
            None
        }
    };
    let start = reader.typed.is_on(Field::Start);
    Some((kind, CreateRequest { name: name?, spec: spec?, start }))
}

fn new_guest(reader: &mut Reader<'_>, kind: BackendKind, password: Option<Secret>) -> NewGuest {
    let typed = reader.typed;
    let chosen = source(kind, typed);
    if !sources(kind).iter().any(|(value, _)| *value == chosen) {
        reader.note(Field::Source, "Choose what it is made from.");
    }
    let is_proxmox = matches!(kind, BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm);
    // What was typed for another source or backend stays in the form, and says nothing here.
    let mut of = |source: &str, field: Field, empty: &str| {
        (chosen == source).then(|| reader.needed(field, empty)).flatten()
    };
    let mut guest = NewGuest {
        template: of("template", Field::Template, "Choose the template."),
        metadata: of("local", Field::Metadata, "Enter the path of the image's metadata."),
        rootfs: of("local", Field::Rootfs, "Enter the path of the root file system."),
        image: of("image", Field::Image, "Enter the image, such as docker.io/library/alpine:3.20."),
        layout: of("layout", Field::Layout, "Enter the layout as DIRECTORY:TAG."),
        archive: of("archive", Field::Archive, "Enter the path of the archive."),
        bundle: of("bundle", Field::Bundle, "Enter the path of the bundle."),
        cloud_image: of("cloud-image", Field::CloudImage, "Choose the disk image."),
        iso: of("iso", Field::Iso, "Choose the installer."),
        ..NewGuest::default()
    };
    let is_bundle = chosen == "bundle";
    if !is_bundle {
        guest.limits = Limits {
            cpu: reader.cpus(Field::Cpu),
            memory: reader.size(Field::Memory),
            pids: if is_proxmox { None } else { reader.number(Field::Pids, 1, 1 << 22) },
        };
    }
    match kind {
        BackendKind::Lxc => {
            if chosen == "template" {
                guest.arguments = reader.lines(Field::Arguments);
            }
            guest.networks = networks(reader, kind);
        }
        BackendKind::Crun if !is_bundle => {
            guest.command = reader.words(Field::Command);
            guest.env = each(reader, Field::Env, values::variable);
            guest.mounts = each(reader, Field::Mount, values::mount);
            guest.host_network = typed.is_on(Field::HostNetwork);
        }
        BackendKind::Crun => {}
        BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => of_proxmox(reader, kind, &mut guest, password),
    }
    guest
}

fn of_proxmox(reader: &mut Reader<'_>, kind: BackendKind, guest: &mut NewGuest, password: Option<Secret>) {
    let typed = reader.typed;
    guest.node = reader.text(Field::Node);
    guest.vmid = reader.number32(Field::Vmid, 100, 999_999_999);
    guest.storage = reader.text(Field::Storage);
    guest.disk_gib = reader.parsed(Field::Disk, values::gib);
    guest.networks = networks(reader, kind);
    guest.ssh_keys = values::keys(typed.text(Field::SshKeys));
    guest.password = password.filter(|_| typed.is_on(Field::WithPassword));
    guest.description = reader.text(Field::Description).map(|text| text.replace("\r\n", "\n"));
    guest.tags = reader.list(Field::Tags);
    guest.start_at_boot = typed.is_on(Field::StartAtBoot);
    if kind == BackendKind::ProxmoxLxc {
        guest.swap = reader.size(Field::Swap);
        guest.privileged = typed.is_on(Field::Privileged);
        guest.nesting = typed.is_on(Field::Nesting);
    } else {
        guest.sockets = reader.number32(Field::Sockets, 1, 128);
        guest.uefi = typed.is_on(Field::Uefi);
        guest.no_agent = typed.is_on(Field::NoAgent);
        guest.cloud_user = reader.text(Field::CloudUser);
        guest.cloud_init = !typed.text(Field::Address).is_empty();
    }
}

/// The one interface that the form has; nothing chosen is what the backend does by itself.
fn networks(reader: &mut Reader<'_>, kind: BackendKind) -> Vec<Network> {
    let bridge = match reader.typed.text(Field::Bridge) {
        "" => return Vec::new(),
        "none" => return vec![Network::None],
        bridge => bridge.to_owned(),
    };
    let is_lxc = kind == BackendKind::Lxc;
    vec![Network::Bridge(ProxmoxNetwork {
        bridge,
        address: reader.text(Field::Address),
        gateway: reader.text(Field::Gateway),
        vlan: if is_lxc { None } else { vlan(reader) },
        firewall: !is_lxc && reader.typed.is_on(Field::Firewall),
    })]
}

fn vlan(reader: &mut Reader<'_>) -> Option<u16> {
    reader.number(Field::Vlan, 1, 4094).and_then(|tag| u16::try_from(tag).ok())
}

/// Each line, by itself.
fn each<T>(reader: &mut Reader<'_>, field: Field, parse: fn(&str) -> Result<T, String>) -> Vec<T> {
    let read: Result<Vec<T>, String> = reader
        .lines(field)
        .iter()
        .map(|line| parse(line).map_err(|why| format!("“{line}”: {why}")))
        .collect();
    read.unwrap_or_else(|message| {
        reader.note(field, message);
        Vec::new()
    })
}

/// The fields of a backend's form, in the order shown; the name and what it is made from come before.
pub fn new_fields(kind: BackendKind) -> Vec<NewField> {
    match kind {
        BackendKind::Lxc => lxc(),
        BackendKind::Crun => crun(),
        BackendKind::ProxmoxLxc => container(),
        BackendKind::ProxmoxVm => vm(),
    }
}

fn what(parameter: Parameter) -> NewField {
    NewField { parameter, step: Step::What, sources: &[] }
}

fn big(parameter: Parameter) -> NewField {
    NewField { parameter, step: Step::HowBig, sources: &[] }
}

fn of(sources: &'static [&'static str], parameter: Parameter) -> NewField {
    NewField { sources, ..what(parameter) }
}

const PATH: &str = "Absolute path on the host.";
const IMAGES: &[&str] = &["image", "layout", "archive"];

const CPU: Parameter = parameter(Field::Cpu, "Processor cores", Input::Mono)
    .hint("2, or 1.5 for a share of one. Empty: no limit.");
const MEMORY: Parameter =
    parameter(Field::Memory, "Memory", Input::Mono).hint("With a unit: 512M, 2G. Empty: no limit.");
const PIDS: Parameter = parameter(Field::Pids, "Processes at most", Input::Mono).hint("Empty: no limit.");
const START: Parameter = parameter(Field::Start, "Start it right away", Input::Switch);
const ADDRESS: Parameter = parameter(Field::Address, "Address", Input::Mono);
const GATEWAY: Parameter =
    parameter(Field::Gateway, "Gateway", Input::Mono).hint("With a fixed address alone.");

fn lxc() -> Vec<NewField> {
    let bridge = Input::FromHost(Choices::Bridges, Some("As the host's LXC has it"));
    vec![
        of(
            &["template"],
            parameter(Field::Template, "Template", Input::FromHost(Choices::LxcTemplates, None)),
        ),
        of(
            &["template"],
            parameter(Field::Arguments, "Arguments of the template", Input::Lines)
                .hint("One a line, handed over as they are; no shell reads them. Most templates need none."),
        ),
        of(&["local"], parameter(Field::Metadata, "Image metadata", Input::Mono).hint(PATH)),
        of(&["local"], parameter(Field::Rootfs, "Root file system", Input::Mono).hint(PATH)),
        of(
            &["image"],
            parameter(Field::Image, "Image", Input::Mono)
                .hint("docker://… of a registry, or oci:DIRECTORY:TAG on the host."),
        ),
        big(MEMORY),
        big(CPU),
        big(PIDS),
        big(parameter(Field::Bridge, "Network", bridge)),
        big(ADDRESS.hint("ADDRESS/PREFIX on that bridge; empty: the guest asks for one.")),
        big(GATEWAY),
        big(START),
    ]
}

fn crun() -> Vec<NewField> {
    let big_of = |parameter| NewField { sources: IMAGES, ..big(parameter) };
    vec![
        of(
            &["image"],
            parameter(Field::Image, "Image", Input::Mono).hint("As docker.io/library/alpine:3.20."),
        ),
        of(
            &["layout"],
            parameter(Field::Layout, "Image layout", Input::Suggested(Choices::Layouts))
                .hint("DIRECTORY:TAG on the host."),
        ),
        of(&["archive"], parameter(Field::Archive, "Image archive", Input::Mono).hint(PATH)),
        of(
            &["bundle"],
            parameter(Field::Bundle, "OCI bundle", Input::Suggested(Choices::Bundles))
                .hint("Absolute path of a directory with config.json and a root file system."),
        ),
        of(
            IMAGES,
            parameter(Field::Command, "Command", Input::Mono)
                .hint("Empty: the image's own. Parted as a shell would; no shell takes part."),
        ),
        of(IMAGES, parameter(Field::Env, "Environment", Input::Lines).hint("NAME=VALUE, one a line.")),
        of(
            IMAGES,
            parameter(Field::Mount, "Directories of the host", Input::Lines)
                .hint("SOURCE:TARGET or SOURCE:TARGET:ro, one a line."),
        ),
        big_of(MEMORY),
        big_of(CPU),
        big_of(PIDS),
        big_of(
            parameter(Field::HostNetwork, "Share the host's network", Input::Switch)
                .hint("Otherwise it has loopback alone."),
        ),
        big(START),
    ]
}

/// What both kinds of Proxmox guests have.
fn placed() -> [NewField; 2] {
    [
        what(parameter(
            Field::Node,
            "Node",
            Input::FromHost(Choices::Nodes, Some("The one that Paddock prefers")),
        )),
        what(parameter(Field::Vmid, "VMID", Input::Mono).hint("Empty: the next free one.")),
    ]
}

fn secrets(password: &'static str) -> [NewField; 2] {
    [
        what(
            parameter(Field::WithPassword, password, Input::Switch).hint("It is asked for in the last step."),
        ),
        what(
            parameter(Field::SshKeys, "Public SSH keys", Input::Lines)
                .hint("One a line, as in a file ending in .pub."),
        ),
    ]
}

fn connected(address: &'static str) -> Vec<NewField> {
    let storage = Input::FromHost(Choices::DiskStorages, Some("The first that takes its disks"));
    vec![
        big(parameter(Field::Storage, "Storage", storage)),
        big(parameter(Field::Bridge, "Network", Input::FromHost(Choices::Bridges, Some("No network")))),
        big(ADDRESS.hint(address)),
        big(GATEWAY),
        big(parameter(Field::Vlan, "VLAN", Input::Mono)),
        big(parameter(Field::Firewall, "Proxmox's firewall on it", Input::Switch)),
        big(parameter(Field::Tags, "Tags", Input::Line).hint("With commas between them.")),
        big(parameter(Field::Description, "Description", Input::Lines)),
        big(parameter(Field::StartAtBoot, "Start when the node boots", Input::Switch)),
        big(START),
    ]
}

const DISK: Parameter = parameter(Field::Disk, "Disk", Input::Mono).hint("Whole GiB: 8G.");

fn container() -> Vec<NewField> {
    let template = what(parameter(Field::Template, "Template", Input::FromHost(Choices::OsTemplates, None)));
    let more = [
        what(
            parameter(Field::Privileged, "Privileged", Input::Switch)
                .hint("Its root is then root of the host: only for what cannot do without."),
        ),
        what(parameter(Field::Nesting, "May run containers itself", Input::Switch)),
        big(DISK),
        big(MEMORY),
        big(parameter(Field::Swap, "Swap", Input::Mono).hint("With a unit: 512M.")),
        big(CPU),
    ];
    let secrets = secrets("Give root a password");
    let connected = connected("dhcp, or ADDRESS/PREFIX.");
    [template].into_iter().chain(placed()).chain(secrets).chain(more).chain(connected).collect()
}

fn vm() -> Vec<NewField> {
    let images = [
        of(
            &["cloud-image"],
            parameter(Field::CloudImage, "Disk image", Input::FromHost(Choices::DiskImages, None))
                .hint("It is copied into the VM's first disk."),
        ),
        of(&["iso"], parameter(Field::Iso, "Installer", Input::FromHost(Choices::Isos, None))),
    ];
    let more = [
        what(
            parameter(Field::CloudUser, "User that cloud-init makes", Input::Mono)
                .hint("A user, a password, keys or an address mean cloud-init."),
        ),
        what(parameter(Field::Uefi, "UEFI instead of BIOS", Input::Switch)),
        what(parameter(Field::NoAgent, "No guest agent inside", Input::Switch)),
        big(DISK),
        big(MEMORY),
        big(parameter(Field::Cpu, "Processor cores", Input::Mono).hint("Of each socket.")),
        big(parameter(Field::Sockets, "Sockets", Input::Mono)),
    ];
    let secrets = secrets("Give the user a password");
    let connected = connected("By cloud-init: dhcp, or ADDRESS/PREFIX.");
    images.into_iter().chain(placed()).chain(secrets).chain(more).chain(connected).collect()
}
