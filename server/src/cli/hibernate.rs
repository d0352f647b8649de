//! `paddock hibernate`: writes a VM's memory to disk and ends it.

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
pub struct Hibernate {
    #[command(flatten)]
    guest: GuestArg,
    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Hibernate, global: &Global) -> Result<ExitCode, CliError> {
    on_guest(global, &args.guest, args.manner, ActionRequest::Hibernate).await
}
