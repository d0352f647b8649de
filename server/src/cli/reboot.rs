//! `paddock reboot`: shuts a guest down and starts it again.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::Args;

use super::{
    act::{Manner, Patience},
    desk::Global,
    exit::CliError,
    several::{GuestsArg, on_guests},
};

#[derive(Debug, Args)]
pub struct Reboot {
    #[command(flatten)]
    guests: GuestsArg,

    #[command(flatten)]
    patience: Patience,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Reboot, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Reboot { timeout_seconds: args.patience.seconds };
    on_guests(global, args.guests, args.manner, request).await
}
