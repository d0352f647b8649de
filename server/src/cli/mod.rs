//! The command line, one file a verb.

mod config;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// One dashboard for every guest of a Proxmox VE host.
#[derive(Debug, Parser)]
#[command(name = "paddock", version, disable_help_subcommand = false)]
pub struct Cli {
    /// The settings file [env: PADDOCK_CONFIG] [default: /etc/paddock/paddock.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the dashboard until it is told to end (SIGTERM or Ctrl+C).
    Serve(Box<serve::ServeArgs>),
    /// Show the settings, or a settings file to begin with.
    #[command(subcommand)]
    Config(config::ConfigVerb),
    /// Print the version.
    Version,
}

impl Cli {
    /// Runs the verb. Results go to standard output, messages to standard error; 0 is success, 1 failure, and 2,
    /// from the parser, bad usage.
    pub fn run(self) -> ExitCode {
        match self.verb {
            Verb::Serve(args) => serve::run(self.config.as_deref(), &args),
            Verb::Config(verb) => config::run(self.config.as_deref(), verb),
            Verb::Version => {
                println!("paddock {}", env!("CARGO_PKG_VERSION"));
                ExitCode::SUCCESS
            }
        }
    }
}
