//! A whole request, before anything is asked of Proxmox.

use crate::{
    backend::Error,
    domain::{
        action::{ActionRequest, Field, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS},
        guest::BackendKind,
        secret::Secret,
        spec::{
            Changes, CloneSpec, ContainerSpec, Cpus, CreateRequest, CreateSpec, ProxmoxNetwork, VmSource,
            VmSpec,
        },
    },
};

use super::{
    addressing, appliance, bridge, command, count, description, disk_gib, gateway, host_name, invalid,
    memory_mib, new_snapshot, node, password, snapshot, ssh_key, storage, swap_mib, tag, timeout, user, vlan,
    vmid, volume,
};
use crate::backend::proxmox::wire::config::is_disk_key;

/// Most network interfaces of a guest.
const MOST_NETWORKS: usize = 32;
/// Most disks besides the first.
const MOST_DISKS: usize = 29;
/// Kinds of volumes that hold an installer.
pub const ISO_KINDS: &[&str] = &["iso"];
/// Kinds of volumes that a disk can be copied from.
pub const DISK_KINDS: &[&str] = &["import", "images"];
/// Kinds of volumes that a container is made from.
pub const TEMPLATE_KINDS: &[&str] = &["vztmpl"];

pub fn request(kind: BackendKind, request: &ActionRequest) -> Result<(), Error> {
    match request {
        ActionRequest::Create(request) => create(kind, request),
        ActionRequest::Shutdown { timeout_seconds } | ActionRequest::Reboot { timeout_seconds } => {
            timeout(*timeout_seconds, LONGEST_SHUTDOWN_SECONDS)
        }
        ActionRequest::Exec { command: words, timeout_seconds } => {
            command(words)?;
            timeout(*timeout_seconds, LONGEST_EXEC_SECONDS)
        }
        ActionRequest::Clone(spec) => copy(spec),
        ActionRequest::Snapshot { name, description: text, memory } => {
            let name =
                name.as_deref().ok_or_else(|| invalid(Field::Snapshot, "Enter a name for the snapshot."))?;
            new_snapshot(name)?;
            description(text)?;
            if *memory && kind == BackendKind::ProxmoxLxc {
                return Err(invalid(Field::Mode, "A container's snapshot holds no memory; only a VM's can."));
            }
            Ok(())
        }
        ActionRequest::Rollback { snapshot: name } | ActionRequest::DeleteSnapshot { snapshot: name } => {
            snapshot(name)
        }
        ActionRequest::Configure(changes) => configure(kind, changes),
        ActionRequest::Resize { disk, size } => {
            if !is_disk_key(kind, disk) || disk.starts_with("unused") {
                let known =
                    if kind == BackendKind::ProxmoxLxc { "rootfs or mp0" } else { "scsi0 or virtio1" };
                return Err(invalid(Field::Disk, format!("Name a disk by its key, such as {known}.")));
            }
            if *size == 0 || size % super::MIB != 0 {
                return Err(invalid(Field::Size, "The new size is a whole number of MiB."));
            }
            Ok(())
        }
        ActionRequest::Migrate { node: target } => node(target),
        ActionRequest::Backup { storage: Some(name), .. } => storage(name),
        ActionRequest::Start
        | ActionRequest::Stop
        | ActionRequest::Reset
        | ActionRequest::Pause
        | ActionRequest::Resume
        | ActionRequest::Hibernate
        | ActionRequest::MakeTemplate
        | ActionRequest::Backup { storage: None, .. }
        | ActionRequest::Unlock
        | ActionRequest::Delete { .. } => Ok(()),
    }
}

/// What a new guest's id depends on; the rest is looked at when it is planned.
pub fn create(kind: BackendKind, request: &CreateRequest) -> Result<(), Error> {
    if request.spec.backend() != kind {
        return Err(invalid(Field::Backend, format!("This is no request for a {}.", kind.label())));
    }
    host_name(request.name.as_str())?;
    match &request.spec {
        CreateSpec::ProxmoxLxc(spec) => container(spec),
        CreateSpec::ProxmoxVm(spec) => vm(spec),
        _ => Ok(()),
    }
}

/// What both kinds of new guests have.
fn common(
    on_node: Option<&str>,
    id: Option<u32>,
    on_storage: Option<&str>,
    text: Option<&str>,
    tags: &[String],
    networks: &[ProxmoxNetwork],
) -> Result<(), Error> {
    on_node.map_or(Ok(()), node)?;
    id.map_or(Ok(()), vmid)?;
    on_storage.map_or(Ok(()), storage)?;
    text.map_or(Ok(()), description)?;
    tags.iter().try_for_each(|text| tag(text))?;
    if networks.len() > MOST_NETWORKS {
        return Err(invalid(
            Field::Network,
            format!("A guest has at most {MOST_NETWORKS} network interfaces."),
        ));
    }
    networks.iter().try_for_each(network)
}

fn network(network: &ProxmoxNetwork) -> Result<(), Error> {
    bridge(&network.bridge)?;
    let address = network.address.as_deref().map(addressing).transpose()?;
    if let Some(text) = &network.gateway {
        gateway(text, address)?;
    }
    network.vlan.map_or(Ok(()), vlan)
}

fn secret(secret: Option<&Secret>) -> Result<(), Error> {
    secret.map_or(Ok(()), |secret| password(secret.expose()))
}

fn container(spec: &ContainerSpec) -> Result<(), Error> {
    let ContainerSpec { node, vmid, storage, description, tags, networks, .. } = spec;
    common(node.as_deref(), *vmid, storage.as_deref(), description.as_deref(), tags, networks)?;
    if spec.template.contains(':') {
        volume(Field::Template, &spec.template, TEMPLATE_KINDS)?;
    } else {
        appliance(&spec.template)?;
    }
    disk_gib(spec.disk_gib)?;
    spec.cpu.map_or(Ok(()), cpus)?;
    spec.memory.map(memory_mib).transpose()?;
    spec.swap.map(swap_mib).transpose()?;
    secret(spec.password.as_ref())?;
    spec.ssh_keys.iter().try_for_each(|key| ssh_key(key))
}

fn vm(spec: &VmSpec) -> Result<(), Error> {
    let VmSpec { node, vmid, storage, description, tags, networks, .. } = spec;
    common(node.as_deref(), *vmid, storage.as_deref(), description.as_deref(), tags, networks)?;
    match &spec.source {
        VmSource::CloudImage(image) => drop(volume(Field::Image, image, DISK_KINDS)?),
        VmSource::Iso(image) => drop(volume(Field::Image, image, ISO_KINDS)?),
        VmSource::Empty => {}
    }
    disk_gib(spec.disk_gib)?;
    if spec.more_disks_gib.len() > MOST_DISKS {
        return Err(invalid(Field::Disk, format!("At most {MOST_DISKS} disks besides the first.")));
    }
    spec.more_disks_gib.iter().try_for_each(|gib| disk_gib(*gib))?;
    spec.cores.map_or(Ok(()), |cores| count(Field::Cores, cores, 8192))?;
    spec.sockets.map_or(Ok(()), |sockets| count(Field::Sockets, sockets, 128))?;
    spec.memory.map(memory_mib).transpose()?;
    let Some(init) = &spec.cloud_init else {
        let is_static = |network: &ProxmoxNetwork| network.address.is_some();
        if spec.networks.iter().any(is_static) {
            return Err(invalid(
                Field::Network,
                "A VM gets its address by cloud-init: fill that in, or leave both.",
            ));
        }
        return Ok(());
    };
    init.user.as_deref().map_or(Ok(()), user)?;
    secret(init.password.as_ref())?;
    init.ssh_keys.iter().try_for_each(|key| ssh_key(key))
}

fn cpus(cpus: Cpus) -> Result<(), Error> {
    if (1..=Cpus::MOST.0).contains(&cpus.0) {
        return Ok(());
    }
    Err(invalid(Field::Cpu, "A number of processor cores from 0.001 to 8192."))
}

fn copy(spec: &CloneSpec) -> Result<(), Error> {
    host_name(spec.name.as_str())?;
    spec.vmid.map_or(Ok(()), vmid)?;
    spec.snapshot.as_deref().map_or(Ok(()), snapshot)?;
    spec.storage.as_deref().map_or(Ok(()), storage)?;
    spec.node.as_deref().map_or(Ok(()), node)?;
    if spec.linked && spec.storage.is_some() {
        return Err(invalid(
            Field::Storage,
            "A linked clone stays on the storage of its original: name none.",
        ));
    }
    Ok(())
}

fn configure(kind: BackendKind, changes: &Changes) -> Result<(), Error> {
    if changes.pids.is_some() {
        return Err(invalid(Field::Pids, "Proxmox limits no number of processes."));
    }
    if changes.swap.is_some() && kind == BackendKind::ProxmoxVm {
        return Err(invalid(
            Field::Swap,
            "A VM has swap of its own inside; only a container has it from outside.",
        ));
    }
    changes.cpu.map_or(Ok(()), cpus)?;
    if kind == BackendKind::ProxmoxVm
        && changes.cpu.is_some_and(|cpu| cpu.whole().is_none() && cpu.0 > 128_000)
    {
        return Err(invalid(
            Field::Cpu,
            "Proxmox limits a VM's processor time up to 128 cores; enter whole cores.",
        ));
    }
    changes.memory.map(memory_mib).transpose()?;
    changes.swap.map(swap_mib).transpose()?;
    changes.description.as_deref().map_or(Ok(()), description)?;
    changes.tags.iter().flatten().try_for_each(|text| tag(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{name::GuestName, spec::CloudInit};

    fn field(kind: BackendKind, asked: &ActionRequest) -> Option<Field> {
        match request(kind, asked) {
            Ok(()) => None,
            Err(Error::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn new(name: &str, spec: CreateSpec) -> ActionRequest {
        ActionRequest::Create(CreateRequest::of(GuestName::new(name).unwrap(), spec))
    }

    fn lxc(change: impl FnOnce(&mut ContainerSpec)) -> Option<Field> {
        let mut spec = ContainerSpec::of("local:vztmpl/debian-12.tar.zst");
        change(&mut spec);
        field(BackendKind::ProxmoxLxc, &new("web1", CreateSpec::ProxmoxLxc(spec)))
    }

    fn vm(change: impl FnOnce(&mut VmSpec)) -> Option<Field> {
        let mut spec = VmSpec::of(VmSource::CloudImage("local:import/debian-12.qcow2".into()));
        change(&mut spec);
        field(BackendKind::ProxmoxVm, &new("web1", CreateSpec::ProxmoxVm(spec)))
    }

    fn network(bridge: &str) -> ProxmoxNetwork {
        ProxmoxNetwork { bridge: bridge.into(), ..ProxmoxNetwork::default() }
    }

    #[test]
    fn each_part_of_a_new_container_is_looked_at() {
        assert_eq!(lxc(|_| ()), None);
        assert_eq!(lxc(|spec| spec.node = Some("a/b".into())), Some(Field::Node));
        assert_eq!(lxc(|spec| spec.vmid = Some(99)), Some(Field::Vmid));
        assert_eq!(lxc(|spec| spec.template = "/etc/passwd".into()), Some(Field::Template));
        assert_eq!(lxc(|spec| spec.template = "local:iso/x".into()), Some(Field::Template));
        assert_eq!(lxc(|spec| spec.storage = Some("a,b".into())), Some(Field::Storage));
        assert_eq!(lxc(|spec| spec.disk_gib = 0), Some(Field::Size));
        assert_eq!(lxc(|spec| spec.cpu = Some(Cpus(0))), Some(Field::Cpu));
        assert_eq!(lxc(|spec| spec.memory = Some(1)), Some(Field::Memory));
        assert_eq!(lxc(|spec| spec.swap = Some(1)), Some(Field::Swap));
        assert_eq!(lxc(|spec| spec.networks = vec![network("vmbr0,tag=1")]), Some(Field::Network));
        assert_eq!(lxc(|spec| spec.networks = vec![network("vmbr0"); 33]), Some(Field::Network));
        assert_eq!(lxc(|spec| spec.password = Some(Secret::new("x"))), Some(Field::Password));
        assert_eq!(lxc(|spec| spec.ssh_keys = vec!["x".into()]), Some(Field::SshKeys));
        assert_eq!(lxc(|spec| spec.description = Some("\0".into())), Some(Field::Description));
        assert_eq!(lxc(|spec| spec.tags = vec!["a;b".into()]), Some(Field::Tags));
        let named = |name| new(name, CreateSpec::ProxmoxLxc(ContainerSpec::of("local:vztmpl/x")));
        assert_eq!(field(BackendKind::ProxmoxLxc, &named("a_b")), Some(Field::Name));
        assert_eq!(field(BackendKind::ProxmoxVm, &named("web1")), Some(Field::Backend));
    }

    #[test]
    fn each_part_of_a_new_vm_is_looked_at() {
        assert_eq!(vm(|_| ()), None);
        assert_eq!(vm(|spec| spec.source = VmSource::Iso("local:import/x".into())), Some(Field::Image));
        assert_eq!(vm(|spec| spec.source = VmSource::CloudImage("/dev/sda".into())), Some(Field::Image));
        assert_eq!(vm(|spec| spec.more_disks_gib = vec![0]), Some(Field::Size));
        assert_eq!(vm(|spec| spec.more_disks_gib = vec![1; 30]), Some(Field::Disk));
        assert_eq!(vm(|spec| spec.cores = Some(0)), Some(Field::Cores));
        assert_eq!(vm(|spec| spec.sockets = Some(0)), Some(Field::Sockets));
        let with_address = ProxmoxNetwork { address: Some("dhcp".into()), ..network("vmbr0") };
        assert_eq!(
            vm(|spec| spec.networks = vec![with_address.clone()]),
            Some(Field::Network),
            "no cloud-init"
        );
        let init = |change: fn(&mut CloudInit)| {
            let mut init = CloudInit::default();
            change(&mut init);
            vm(|spec| (spec.cloud_init, spec.networks) = (Some(init), vec![with_address.clone()]))
        };
        assert_eq!(init(|_| ()), None);
        assert_eq!(init(|init| init.user = Some("a b".into())), Some(Field::User));
        assert_eq!(init(|init| init.password = Some(Secret::new("x"))), Some(Field::Password));
        assert_eq!(init(|init| init.ssh_keys = vec![String::new()]), Some(Field::SshKeys));
    }

    #[test]
    fn what_a_kind_does_not_have_is_refused_at_its_field() {
        let changes = |changes: Changes| ActionRequest::Configure(changes);
        let swap = changes(Changes { swap: Some(0), ..Changes::default() });
        assert_eq!(field(BackendKind::ProxmoxLxc, &swap), None);
        assert_eq!(field(BackendKind::ProxmoxVm, &swap), Some(Field::Swap));
        let pids = changes(Changes { pids: Some(1), ..Changes::default() });
        assert_eq!(field(BackendKind::ProxmoxLxc, &pids), Some(Field::Pids));
        let taken =
            ActionRequest::Snapshot { name: Some("s1".into()), description: String::new(), memory: true };
        assert_eq!(field(BackendKind::ProxmoxLxc, &taken), Some(Field::Mode));
        assert_eq!(field(BackendKind::ProxmoxVm, &taken), None);
        let unnamed = ActionRequest::Snapshot { name: None, description: String::new(), memory: false };
        assert_eq!(field(BackendKind::ProxmoxVm, &unnamed), Some(Field::Snapshot));
        let grow = |disk: &str, size| ActionRequest::Resize { disk: disk.into(), size };
        assert_eq!(field(BackendKind::ProxmoxLxc, &grow("rootfs", 1 << 30)), None);
        assert_eq!(field(BackendKind::ProxmoxVm, &grow("rootfs", 1 << 30)), Some(Field::Disk));
        assert_eq!(field(BackendKind::ProxmoxVm, &grow("scsi0,size=1", 1 << 30)), Some(Field::Disk));
        assert_eq!(field(BackendKind::ProxmoxVm, &grow("unused0", 1 << 30)), Some(Field::Disk));
        assert_eq!(field(BackendKind::ProxmoxVm, &grow("scsi0", 1)), Some(Field::Size));
        let copy = CloneSpec {
            name: GuestName::new("web2").unwrap(),
            vmid: None,
            linked: true,
            snapshot: None,
            storage: Some("local".into()),
            node: None,
        };
        assert_eq!(field(BackendKind::ProxmoxVm, &ActionRequest::Clone(copy)), Some(Field::Storage));
    }
}
