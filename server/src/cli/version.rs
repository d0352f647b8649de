//! `paddock version`: which Paddock this is.

use std::process::ExitCode;

use serde::Serialize;

use super::{
    act::cannot_print,
    desk::Global,
    exit::CliError,
    output::{self, Format},
};

#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
}

pub fn run(global: &Global) -> Result<ExitCode, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    match global.format()? {
        Format::Table => output::print(&format!("paddock {version}\n")),
        format => output::one(format, &Version { version }, &[]),
    }
    .map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}
