//! `paddock reboot`: shuts a guest down and starts it again.

use std::process::ExitCode;

use app::domain::action::{ActionRequest, LONGEST_SHUTDOWN_SECONDS, SHUTDOWN_SECONDS};
use clap::Args;

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Reboot {
    #[command(flatten)]
    guest: GuestArg,

    /// Seconds to wait for the guest to shut down. Nothing is killed when they are over.
    #[arg(long, value_name = "SECONDS", default_value_t = SHUTDOWN_SECONDS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_SHUTDOWN_SECONDS)))]
    timeout: u32,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Reboot, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Reboot { timeout_seconds: args.timeout };
    on_guest(global, &args.guest, args.manner, request).await
}
