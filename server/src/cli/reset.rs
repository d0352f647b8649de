//! `paddock reset`: presses a VM's reset button.

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
pub struct Reset {
    #[command(flatten)]
    guest: GuestArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Reset, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Reset).await
}
