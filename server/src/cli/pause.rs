//! `paddock pause`: freezes a guest where it is.

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
pub struct Pause {
    #[command(flatten)]
    guest: GuestArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Pause, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Pause).await
}
