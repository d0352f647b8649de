//! `paddock`: see `paddock help`.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
