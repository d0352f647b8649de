//! `paddock configure`: changes limits, description, tags and start at boot.

use std::process::ExitCode;

use app::domain::{
    action::ActionRequest,
    spec::{Changes, Cpus},
};
use clap::Args;

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
    value,
};

#[derive(Debug, Args)]
pub struct Configure {
    #[command(flatten)]
    guest: GuestArg,

    /// Processor cores: 2, or 1.5 where the backend can share one.
    #[arg(long)]
    cpu: Option<Cpus>,

    /// Memory: 512M, 2G.
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    memory: Option<u64>,

    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    swap: Option<u64>,

    /// Processes and threads at most.
    #[arg(long, value_name = "NUMBER")]
    pids: Option<u64>,

    /// Empty removes it.
    #[arg(long)]
    description: Option<String>,

    /// All tags it shall have, with commas between them; empty removes all.
    #[arg(long)]
    tags: Option<String>,

    /// Start it when its host boots: true or false.
    #[arg(long, value_name = "BOOL")]
    start_at_boot: Option<bool>,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Configure, global: &Global) -> Result<ExitCode, CliError> {
    let tags = |text: String| {
        text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    };
    let changes = Changes {
        cpu: args.cpu,
        memory: args.memory,
        swap: args.swap,
        pids: args.pids,
        description: args.description,
        tags: args.tags.map(tags),
        start_at_boot: args.start_at_boot,
    };
    if changes.is_empty() {
        return Err(CliError::Usage("Say what to change; see `paddock help configure`.".to_owned()));
    }
    on_guest(global, &args.guest, args.manner, ActionRequest::Configure(changes)).await
}
