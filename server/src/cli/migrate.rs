//! `paddock migrate`: moves a guest to another node.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::Args;

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    guest: GuestArg,

    /// The node to move it to.
    node: String,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Migrate, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Migrate { node: args.node }).await
}
