//! `paddock config`: what is set, and how to set it.

use std::process::ExitCode;

use app::domain::access::Privilege;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::Global,
    exit::CliError,
    output::{self, Format, Row},
    who::{caller, must_hold},
};
use crate::settings::{self, Settings};

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the settings in force and where each came from: no secrets, only the paths of their files.
    Show,
    /// Print a settings file with every key explained and none set.
    Sample,
}

pub async fn run(args: &Config, global: &Global) -> Result<ExitCode, CliError> {
    match args.verb {
        Verb::Show => show(global).await?,
        Verb::Sample => sample(global.format()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Setting {
    key: String,
    /// `null` where nobody set it and there is no default.
    value: Option<toml::Value>,
    /// An option, a variable, a line of a file, or the default.
    from: String,
}

impl Row for Setting {
    const COLUMNS: &'static [&'static str] = &["KEY", "VALUE", "FROM"];

    fn cells(&self) -> Vec<String> {
        let value = self.value.as_ref().map(ToString::to_string);
        vec![self.key.clone(), value.unwrap_or_default(), self.from.clone()]
    }
}

/// For people as a settings file. Also tries the files with the secrets, so that what would keep the dashboard from
/// starting is told here.
async fn show(global: &Global) -> Result<(), CliError> {
    let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
    must_hold(&caller(global, &settings).await?, Privilege::Settings)?;
    match global.format()? {
        Format::Table => output::print(&settings.to_string()),
        format => {
            let rows: Vec<Setting> = settings
                .effective()
                .map(|(key, value, place)| Setting {
                    key: key.to_string(),
                    value: value.cloned(),
                    from: place.to_string(),
                })
                .collect();
            output::list(format, &rows)
        }
    }
    .map_err(cannot_print)?;
    if let Some(proxmox) = &settings.proxmox {
        proxmox.account.secret()?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Sample {
    /// The settings file, in TOML.
    sample: String,
}

fn sample(format: Format) -> Result<(), CliError> {
    let sample = settings::sample();
    match format {
        Format::Table => output::print(&sample),
        format => output::one(format, &Sample { sample }, &[]),
    }
    .map_err(cannot_print)
}
