//! `paddock reboot`: shuts a guest down and starts it again.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::Args;

use super::{
    act::{Manner, Patience, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Reboot {
    #[command(flatten)]
    guest: GuestArg,

    #[command(flatten)]
    patience: Patience,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Reboot, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Reboot { timeout_seconds: args.patience.seconds };
    on_guest(global, &args.guest, args.manner, request).await
}
