//! `paddock help`: all verbs, or one of them with its options.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use super::{Cli, act::cannot_print, exit::CliError, output};

#[derive(Debug, Args)]
pub struct Help {
    /// The verb to explain, with its own verb where it has some: `help snapshot create`.
    verb: Vec<String>,
}

pub fn run(args: &Help) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    let mut of = &mut command;
    for verb in &args.verb {
        of = of.find_subcommand_mut(verb).ok_or_else(|| {
            CliError::Usage(format!("There is no verb “{}”; `paddock help` lists all.", args.verb.join(" ")))
        })?;
    }
    output::print(&of.render_long_help().to_string()).map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}
