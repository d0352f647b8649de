//! `paddock hibernate`: writes a VM's memory to disk and ends it.

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
pub struct Hibernate {
    #[command(flatten)]
    guests: GuestsArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Hibernate, global: &Global) -> Result<ExitCode, CliError> {
    on_guests(global, args.guests, args.manner, ActionRequest::Hibernate).await
}
