//! `paddock config`: what is set, and how to set it.

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::Subcommand;

use crate::settings::{self, Settings, SettingsError};

#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print the settings in force, and where each came from. No secrets, only the paths of their files.
    Show,
    /// Print a settings file with every key explained, none of them set.
    Sample,
}

pub fn run(config: Option<&Path>, verb: ConfigVerb) -> ExitCode {
    let result = match verb {
        ConfigVerb::Sample => print(&settings::sample()).map_err(Failure::Print),
        ConfigVerb::Show => show(config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough (`| head`).
        Err(Failure::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paddock: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("Cannot print: {0}.")]
    Print(io::Error),
}

/// Also tries the files with the secrets, so that what would keep the dashboard from starting is told here.
fn show(config: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::load(config, |name| std::env::var_os(name))?;
    print(&settings.to_string()).map_err(Failure::Print)?;
    if let Some(proxmox) = &settings.proxmox {
        proxmox.account.secret()?;
    }
    Ok(())
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
