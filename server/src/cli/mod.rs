//! The command line, one file a verb.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;

/// One dashboard for every guest of a Proxmox VE host.
#[derive(Debug, Parser)]
#[command(name = "paddock", version, disable_help_subcommand = false)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the dashboard until it is told to end (SIGTERM or Ctrl+C).
    Serve(Box<ServeArgs>),
    /// Print the version.
    Version,
}

impl Cli {
    /// Runs the verb. Results go to standard output, messages to standard error; 0 is success, 1 failure, and 2,
    /// from the parser, bad usage.
    pub fn run(self) -> ExitCode {
        match self.verb {
            Verb::Serve(args) => serve::run(*args),
            Verb::Version => {
                println!("paddock {}", env!("CARGO_PKG_VERSION"));
                ExitCode::SUCCESS
            }
        }
    }
}
