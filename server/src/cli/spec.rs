//! From the options of `create` and `run` to what a backend is asked for. An option that says nothing to the backend is
//! an error, never ignored.

use app::domain::{
    form::NewGuest,
    guest::BackendKind,
    spec::{CreateSpec, Limits},
};

use super::{create::CreateOptions, exit::CliError, value};

use BackendKind::{Crun, Lxc, ProxmoxLxc, ProxmoxVm};

/// `notes` say how the backend was chosen, for the error.
pub fn of(
    backend: BackendKind,
    options: &CreateOptions,
    command: Vec<String>,
    notes: &[String],
) -> Result<CreateSpec, CliError> {
    if let Some((option, kinds)) = given(options).find(|(_, kinds)| !kinds.contains(&backend)) {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let why = notes.first().map(|note| format!(" {note}")).unwrap_or_default();
        return Err(CliError::Usage(format!(
            "--{option} is for {}, and this guest goes to {backend}.{why}",
            kinds.join(" and ")
        )));
    }
    asked(options, command)?.spec(backend).map_err(|wrong| CliError::Refused { refusal: wrong.into() })
}

/// The options that were given and apply to some backends only.
fn given(o: &CreateOptions) -> impl Iterator<Item = (&'static str, &'static [BackendKind])> {
    const PROXMOX: &[BackendKind] = &[ProxmoxLxc, ProxmoxVm];
    let table: [(bool, &str, &[BackendKind]); 28] = [
        (o.template.is_some(), "template", &[Lxc, ProxmoxLxc]),
        (!o.arguments.is_empty(), "arg", &[Lxc]),
        (o.metadata.is_some(), "metadata", &[Lxc]),
        (o.rootfs.is_some(), "rootfs", &[Lxc]),
        (o.image.is_some(), "image", &[Lxc, Crun]),
        (o.layout.is_some(), "layout", &[Crun]),
        (o.archive.is_some(), "archive", &[Crun]),
        (o.bundle.is_some(), "bundle", &[Crun]),
        (o.cloud_image.is_some(), "cloud-image", &[ProxmoxVm]),
        (o.iso.is_some(), "iso", &[ProxmoxVm]),
        (o.sockets.is_some(), "sockets", &[ProxmoxVm]),
        (o.swap.is_some(), "swap", &[ProxmoxLxc]),
        (o.pids.is_some(), "pids", &[Lxc, Crun]),
        (o.disk.is_some(), "disk", PROXMOX),
        (!o.more_disk.is_empty(), "more-disk", &[ProxmoxVm]),
        (o.storage.is_some(), "storage", PROXMOX),
        (o.host_network, "host-network", &[Crun]),
        (!o.env.is_empty(), "env", &[Crun]),
        (!o.mount.is_empty(), "mount", &[Crun]),
        (o.node.is_some(), "node", PROXMOX),
        (o.vmid.is_some(), "vmid", PROXMOX),
        (o.password_file.is_some() || o.ssh_keys.is_some(), "password-file and --ssh-keys", PROXMOX),
        (o.privileged, "privileged", &[ProxmoxLxc]),
        (o.nesting, "nesting", &[ProxmoxLxc]),
        (o.uefi, "uefi", &[ProxmoxVm]),
        (o.cloud_init || o.cloud_user.is_some(), "cloud-init and --cloud-user", &[ProxmoxVm]),
        (o.no_agent, "no-agent", &[ProxmoxVm]),
        (
            o.description.is_some() || !o.tags.is_empty() || o.start_at_boot,
            "description, --tag and --start-at-boot",
            PROXMOX,
        ),
    ];
    table.into_iter().filter(|(given, ..)| *given).map(|(_, option, kinds)| (option, kinds))
}

fn asked(o: &CreateOptions, command: Vec<String>) -> Result<NewGuest, CliError> {
    Ok(NewGuest {
        template: o.template.clone(),
        arguments: o.arguments.clone(),
        metadata: o.metadata.clone(),
        rootfs: o.rootfs.clone(),
        image: o.image.clone(),
        layout: o.layout.clone(),
        archive: o.archive.clone(),
        bundle: o.bundle.clone(),
        cloud_image: o.cloud_image.clone(),
        iso: o.iso.clone(),
        command,
        env: o.env.clone(),
        mounts: o.mount.clone(),
        host_network: o.host_network,
        networks: o.network.clone(),
        limits: Limits { cpu: o.cpu, memory: o.memory, pids: o.pids },
        sockets: o.sockets,
        swap: o.swap,
        disk_gib: o.disk,
        more_disks_gib: o.more_disk.clone(),
        storage: o.storage.clone(),
        node: o.node.clone(),
        vmid: o.vmid,
        password: o.password_file.as_deref().map(value::secret_file).transpose()?,
        ssh_keys: o.ssh_keys.as_deref().map(value::key_file).transpose()?.unwrap_or_default(),
        privileged: o.privileged,
        nesting: o.nesting,
        uefi: o.uefi,
        cloud_init: o.cloud_init,
        cloud_user: o.cloud_user.clone(),
        no_agent: o.no_agent,
        description: o.description.clone(),
        tags: o.tags.clone(),
        start_at_boot: o.start_at_boot,
    })
}
