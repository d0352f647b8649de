//! `paddock unlock`: removes a lock that was left behind.

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
pub struct Unlock {
    #[command(flatten)]
    guest: GuestArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Unlock, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Unlock).await
}
