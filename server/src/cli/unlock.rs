//! `paddock unlock`: removes a lock that was left behind.

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
pub struct Unlock {
    #[command(flatten)]
    guests: GuestsArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Unlock, global: &Global) -> Result<ExitCode, CliError> {
    on_guests(global, args.guests, args.manner, ActionRequest::Unlock).await
}
