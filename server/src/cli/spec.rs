//! From the options of `create` and `run` to what a backend is asked for. An option that says nothing to the backend is
//! an error, never ignored.

use app::domain::{
    guest::BackendKind,
    spec::{
        Bios, CloudInit, ContainerSpec, CreateSpec, Limits, LxcNetwork, OciImage, OciSpec, ProxmoxNetwork,
        VmSource, VmSpec,
    },
};

use super::{
    create::CreateOptions,
    exit::CliError,
    value::{self, Network},
};

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
    match backend {
        Lxc => lxc(options),
        Crun => crun(options, command),
        ProxmoxLxc => container(options),
        ProxmoxVm => vm(options),
    }
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

/// The one source that was given.
fn one_source<T>(
    backend: BackendKind,
    names: &str,
    sources: impl IntoIterator<Item = Option<T>>,
) -> Result<T, CliError> {
    let mut given = sources.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(source), None) => Ok(source),
        (None, _) => Err(CliError::Usage(format!("Say what a {backend} guest is made from: {names}."))),
        (Some(_), Some(_)) => Err(CliError::Usage(format!("Give one of {names}, not several."))),
    }
}

fn limits(options: &CreateOptions) -> Limits {
    Limits { cpu: options.cpu, memory: options.memory, pids: options.pids }
}

fn lxc(options: &CreateOptions) -> Result<CreateSpec, CliError> {
    let network = match &options.network[..] {
        [] => None,
        [Network::None] => Some(LxcNetwork::None),
        [Network::Bridge(ProxmoxNetwork { bridge, address, gateway, vlan: None, firewall: false })] => {
            let address = address.clone().filter(|address| address != "dhcp");
            Some(LxcNetwork::Bridge { bridge: bridge.clone(), address, gateway: gateway.clone() })
        }
        _ => {
            let sentence = "LXC takes one --network, with bridge, ip and gw alone.";
            return Err(CliError::Usage(sentence.to_owned()));
        }
    };
    let archives = match (&options.metadata, &options.rootfs) {
        (Some(metadata), Some(rootfs)) => Some((metadata.clone(), rootfs.clone())),
        (None, None) => None,
        _ => return Err(CliError::Usage("--metadata and --rootfs go together.".to_owned())),
    };
    if !options.arguments.is_empty() && options.template.is_none() {
        return Err(CliError::Usage("--arg goes with --template.".to_owned()));
    }
    let limits = limits(options);
    let by_template = options.template.clone().map(|template| CreateSpec::LxcTemplate {
        template,
        arguments: options.arguments.clone(),
        limits: limits.clone(),
        network: network.clone(),
    });
    let by_archives = archives.map(|(metadata, rootfs)| CreateSpec::LxcLocal {
        metadata,
        rootfs,
        limits: limits.clone(),
        network: network.clone(),
    });
    let by_image = options.image.clone().map(|image| CreateSpec::LxcOci { image, limits, network });
    one_source(Lxc, "--template, --metadata with --rootfs, or --image", [by_template, by_archives, by_image])
}

fn crun(options: &CreateOptions, command: Vec<String>) -> Result<CreateSpec, CliError> {
    if !options.network.iter().all(|network| *network == Network::None) {
        let sentence = "crun has no bridges here: --network none, or --host-network.";
        return Err(CliError::Usage(sentence.to_owned()));
    }
    let layout = match &options.layout {
        None => None,
        Some(text) => {
            let (path, tag) = text
                .rsplit_once(':')
                .ok_or_else(|| CliError::Usage("--layout is DIRECTORY:TAG.".to_owned()))?;
            Some(OciImage::Layout { path: path.to_owned(), tag: tag.to_owned() })
        }
    };
    let image = [
        options.image.clone().map(OciImage::Registry),
        layout,
        options.archive.clone().map(|path| OciImage::Archive { path }),
    ];
    let spec = |image| {
        CreateSpec::CrunImage(OciSpec {
            image,
            command: command.clone(),
            env: options.env.clone(),
            mounts: options.mount.clone(),
            limits: limits(options),
            host_network: options.host_network,
        })
    };
    let bundle = options.bundle.clone().map(|bundle| CreateSpec::CrunBundle { bundle });
    let of_image = !options.env.is_empty()
        || !options.mount.is_empty()
        || options.host_network
        || limits(options) != Limits::default();
    if bundle.is_some() && of_image {
        let sentence =
            "A bundle says all that itself: --env, --mount, --host-network and limits go with an image.";
        return Err(CliError::Usage(sentence.to_owned()));
    }
    let sources = image.into_iter().map(|image| image.map(spec)).chain([bundle]);
    one_source(Crun, "--image, --layout, --archive or --bundle", sources)
}

fn networks(options: &CreateOptions) -> Result<Vec<ProxmoxNetwork>, CliError> {
    match &options.network[..] {
        [Network::None] => Ok(Vec::new()),
        several => several
            .iter()
            .map(|network| match network {
                Network::Bridge(network) => Ok(network.clone()),
                Network::None => Err(CliError::Usage("--network none stands alone.".to_owned())),
            })
            .collect(),
    }
}

fn container(options: &CreateOptions) -> Result<CreateSpec, CliError> {
    let template = one_source(ProxmoxLxc, "--template", [options.template.clone()])?;
    let plain = ContainerSpec::of(template);
    Ok(CreateSpec::ProxmoxLxc(ContainerSpec {
        node: options.node.clone(),
        vmid: options.vmid,
        storage: options.storage.clone(),
        disk_gib: options.disk.unwrap_or(plain.disk_gib),
        cpu: options.cpu,
        memory: options.memory,
        swap: options.swap,
        networks: networks(options)?,
        password: options.password_file.as_deref().map(value::secret_file).transpose()?,
        ssh_keys: options.ssh_keys.as_deref().map(value::key_file).transpose()?.unwrap_or_default(),
        unprivileged: !options.privileged,
        nesting: options.nesting,
        description: options.description.clone(),
        tags: options.tags.clone(),
        start_at_boot: options.start_at_boot,
        ..plain
    }))
}

fn vm(options: &CreateOptions) -> Result<CreateSpec, CliError> {
    let source = match (&options.cloud_image, &options.iso) {
        (Some(volume), None) => VmSource::CloudImage(volume.clone()),
        (None, Some(volume)) => VmSource::Iso(volume.clone()),
        (None, None) => VmSource::Empty,
        (Some(_), Some(_)) => {
            return Err(CliError::Usage("Give one of --cloud-image and --iso, not both.".to_owned()));
        }
    };
    let cores = match options.cpu {
        None => None,
        Some(cpu) => Some(
            cpu.whole()
                .ok_or_else(|| CliError::Usage("A VM has whole cores: --cpu 2, not 1.5.".to_owned()))?,
        ),
    };
    let password = options.password_file.as_deref().map(value::secret_file).transpose()?;
    let ssh_keys = options.ssh_keys.as_deref().map(value::key_file).transpose()?.unwrap_or_default();
    let initialised =
        options.cloud_init || options.cloud_user.is_some() || password.is_some() || !ssh_keys.is_empty();
    let plain = VmSpec::of(source);
    Ok(CreateSpec::ProxmoxVm(VmSpec {
        node: options.node.clone(),
        vmid: options.vmid,
        storage: options.storage.clone(),
        disk_gib: options.disk.unwrap_or(plain.disk_gib),
        more_disks_gib: options.more_disk.clone(),
        cores,
        sockets: options.sockets,
        memory: options.memory,
        bios: if options.uefi { Bios::Ovmf } else { Bios::SeaBios },
        networks: networks(options)?,
        cloud_init: initialised.then(|| CloudInit { user: options.cloud_user.clone(), password, ssh_keys }),
        agent: !options.no_agent,
        description: options.description.clone(),
        tags: options.tags.clone(),
        start_at_boot: options.start_at_boot,
        ..plain
    }))
}
