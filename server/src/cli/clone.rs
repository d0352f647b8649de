//! `paddock clone`: copies a guest.

use std::process::ExitCode;

use app::domain::{action::ActionRequest, name::GuestName, spec::CloneSpec};
use clap::Args;

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Clone {
    #[command(flatten)]
    guest: GuestArg,

    /// What people will call the copy.
    name: String,

    /// Share the original's disk and hold only what differs (Proxmox: of a template or snapshot).
    #[arg(long)]
    linked: bool,

    /// Copy this snapshot instead of the guest as it is.
    #[arg(long)]
    snapshot: Option<String>,

    /// Proxmox: where the copy's disks are made.
    #[arg(long)]
    storage: Option<String>,

    /// Proxmox: the node to make it on.
    #[arg(long)]
    node: Option<String>,

    /// Proxmox: its VMID [default: the next free one].
    #[arg(long)]
    vmid: Option<u32>,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Clone, global: &Global) -> Result<ExitCode, CliError> {
    let name = GuestName::new(&args.name).map_err(|e| CliError::Usage(format!("“{}”: {e}", args.name)))?;
    let request = ActionRequest::Clone(CloneSpec {
        name,
        vmid: args.vmid,
        linked: args.linked,
        snapshot: args.snapshot,
        storage: args.storage,
        node: args.node,
    });
    on_guest(global, &args.guest, args.manner, request).await
}
