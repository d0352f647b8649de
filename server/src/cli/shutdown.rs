//! `paddock shutdown`: asks a guest to shut itself down, and waits.

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
pub struct Shutdown {
    #[command(flatten)]
    guests: GuestsArg,

    #[command(flatten)]
    patience: Patience,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Shutdown, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Shutdown { timeout_seconds: args.patience.seconds };
    on_guests(global, args.guests, args.manner, request).await
}
