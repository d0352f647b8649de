//! `paddock stop`: pulls a guest's plug.

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
pub struct Stop {
    #[command(flatten)]
    guest: GuestArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Stop, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Stop).await
}
