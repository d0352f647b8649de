//! `paddock reset`: presses a VM's reset button.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::Args;

use super::{
    act::Manner,
    desk::Global,
    exit::CliError,
    several::{GuestsArg, on_guests},
};

#[derive(Debug, Args)]
pub struct Reset {
    #[command(flatten)]
    guests: GuestsArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Reset, global: &Global) -> Result<ExitCode, CliError> {
    on_guests(global, args.guests, args.manner, ActionRequest::Reset).await
}
