//! `paddock resize`: makes a disk larger.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::Args;

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
    value,
};

#[derive(Debug, Args)]
pub struct Resize {
    #[command(flatten)]
    guest: GuestArg,

    /// The disk by its key in the configuration: rootfs, scsi0.
    disk: String,

    /// The size it shall have; never smaller than it is.
    #[arg(value_parser = value::bytes)]
    size: u64,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Resize, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Resize { disk: args.disk, size: args.size };
    on_guest(global, &args.guest, args.manner, request).await
}
