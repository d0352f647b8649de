//! `paddock create`: makes a guest.

use std::{path::PathBuf, process::ExitCode};

use app::{
    domain::{
        action::ActionRequest,
        guest::BackendKind,
        name::GuestName,
        spec::{Cpus, CreateRequest},
    },
    service::actions::Target,
};
use clap::Args;

use super::{
    act::{self, Manner},
    desk::{Desk, Global, Look},
    exit::CliError,
    spec,
    value::{self, Network},
};

#[derive(Debug, Args)]
pub struct Create {
    /// What people will call it. A Proxmox guest gets a VMID besides.
    pub name: String,

    #[command(flatten)]
    pub options: CreateOptions,

    /// Start it as the last step.
    #[arg(long)]
    pub start: bool,

    #[command(flatten)]
    pub manner: Manner,
}

/// What a new guest is made from and how it shall be. Which of these apply depends on the backend.
#[derive(Debug, Clone, Args)]
pub struct CreateOptions {
    /// proxmox-lxc, proxmox-vm, lxc or crun [default: what the routing rules of the settings choose].
    #[arg(long)]
    pub backend: Option<BackendKind>,

    /// LXC: an installed template. Proxmox container: a template's volume, or a name from the appliance index, which
    /// is downloaded first. See `paddock templates`.
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// LXC: a word handed to the template; may be given several times.
    #[arg(long = "arg", value_name = "WORD", allow_hyphen_values = true)]
    pub arguments: Vec<String>,
    /// LXC: an archive of image metadata on the host, with --rootfs.
    #[arg(long, value_name = "FILE")]
    pub metadata: Option<String>,
    /// LXC: an archive of a root file system on the host, with --metadata.
    #[arg(long, value_name = "FILE")]
    pub rootfs: Option<String>,
    /// crun: an image of a registry, as docker.io/library/alpine:3.20. LXC: docker://… or oci:DIRECTORY:TAG.
    #[arg(long, value_name = "REFERENCE")]
    pub image: Option<String>,
    /// crun: an OCI image layout on the host.
    #[arg(long, value_name = "DIRECTORY:TAG")]
    pub layout: Option<String>,
    /// crun: an image archive on the host.
    #[arg(long, value_name = "FILE")]
    pub archive: Option<String>,
    /// crun: a bundle on the host.
    #[arg(long, value_name = "DIRECTORY")]
    pub bundle: Option<String>,
    /// VM: a volume with a disk image to copy.
    #[arg(long, value_name = "VOLUME")]
    pub cloud_image: Option<String>,
    /// VM: a volume with an installer.
    #[arg(long, value_name = "VOLUME")]
    pub iso: Option<String>,

    /// Processor cores: 2, or 1.5 where the backend can share one.
    #[arg(long)]
    pub cpu: Option<Cpus>,
    /// VM: processor sockets.
    #[arg(long)]
    pub sockets: Option<u32>,
    /// Memory: 512M, 2G.
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    pub memory: Option<u64>,
    /// Proxmox container: swap.
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    pub swap: Option<u64>,
    /// LXC, crun: processes and threads at most.
    #[arg(long, value_name = "NUMBER")]
    pub pids: Option<u64>,
    /// Proxmox: size of the first disk, whole GiB.
    #[arg(long, value_name = "SIZE", value_parser = value::gib)]
    pub disk: Option<u32>,
    /// VM: a further disk; may be given several times.
    #[arg(long, value_name = "SIZE", value_parser = value::gib)]
    pub more_disk: Vec<u32>,
    /// Proxmox: where the disks are made.
    #[arg(long)]
    pub storage: Option<String>,
    /// none, or bridge=vmbr0,ip=dhcp (or ADDRESS/PREFIX),gw=ADDRESS,vlan=NUMBER,firewall. Proxmox: may be given
    /// several times.
    #[arg(long, value_name = "NETWORK", value_parser = value::network)]
    pub network: Vec<Network>,
    /// crun: shares the host's network.
    #[arg(long)]
    pub host_network: bool,
    /// crun: a variable of the process's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::variable)]
    pub env: Vec<(String, String)>,
    /// crun: a directory or file of the host seen inside, SOURCE:TARGET[:ro]; may be given several times.
    #[arg(long, value_name = "MOUNT", value_parser = value::mount)]
    pub mount: Vec<app::domain::spec::BindMount>,

    /// Proxmox: the node to make it on.
    #[arg(long)]
    pub node: Option<String>,
    /// Proxmox: its VMID [default: the next free one].
    #[arg(long)]
    pub vmid: Option<u32>,
    /// Proxmox: a file with the password of root (container) or of the cloud-init user (VM); - is standard input.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Proxmox: a file with public SSH keys.
    #[arg(long, value_name = "FILE")]
    pub ssh_keys: Option<PathBuf>,
    /// Proxmox container: its root is root of the host. Unprivileged is the default.
    #[arg(long)]
    pub privileged: bool,
    /// Proxmox container: may run containers itself.
    #[arg(long)]
    pub nesting: bool,
    /// VM: UEFI instead of BIOS.
    #[arg(long)]
    pub uefi: bool,
    /// VM: set up by cloud-init; a user name, a password or keys imply it.
    #[arg(long)]
    pub cloud_init: bool,
    /// VM: the user that cloud-init makes.
    #[arg(long, value_name = "USER")]
    pub cloud_user: Option<String>,
    /// VM: no guest agent is to be expected inside.
    #[arg(long)]
    pub no_agent: bool,
    /// Proxmox: a description.
    #[arg(long)]
    pub description: Option<String>,
    /// Proxmox: a tag; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Proxmox: start it when the node boots.
    #[arg(long)]
    pub start_at_boot: bool,
}

/// A new guest as it was asked for.
pub struct Wanted {
    pub backend: BackendKind,
    pub request: CreateRequest,
    /// What chose the backend.
    pub notes: Vec<String>,
}

/// `command` is what crun's process shall be instead of the image's own.
pub fn wanted(
    look: &Look,
    name: &str,
    options: &CreateOptions,
    command: Vec<String>,
    start: bool,
) -> Result<Wanted, CliError> {
    let name = GuestName::new(name).map_err(|e| CliError::Usage(format!("“{name}”: {e}")))?;
    let (backend, notes) = match options.backend {
        Some(backend) => (backend, Vec::new()),
        None => {
            let route = look.routing.route(&name);
            (route.backend, vec![route.to_string()])
        }
    };
    let spec = spec::of(backend, options, command, &notes)?;
    Ok(Wanted { backend, request: CreateRequest { name, spec, start }, notes })
}

pub async fn run(args: Create, global: &Global) -> Result<ExitCode, CliError> {
    let desk = Desk::open(global).await?;
    let done = async {
        let wanted = wanted(&desk.look, &args.name, &args.options, Vec::new(), args.start)?;
        let request = ActionRequest::Create(wanted.request);
        act::once(&desk, Target::New(wanted.backend), request, wanted.notes, args.manner).await
    };
    let done = done.await;
    desk.close().await;
    done
}
