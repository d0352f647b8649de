//! `paddock archive`: old history out of the database, into files that prove themselves.

use std::{path::PathBuf, process::ExitCode};

use app::{
    backend::now_ms,
    domain::{access::Privilege, history::moment},
    store::{Archived, By, Pace, Store},
};
use clap::Args;
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::Global,
    exit::CliError,
    output::{self, Row},
    who::{caller_in, must_hold},
};
use crate::{data_dir, settings::Settings};

#[derive(Debug, Args)]
pub struct Archive {
    /// What is older: a day or time in UTC, or an age such as 90d.
    #[arg(long, value_name = "TIME|AGE", value_parser = time)]
    before: i64,

    /// The directory of the files [default: history.archive_dir of the settings].
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Milliseconds since 1970.
fn time(text: &str) -> Result<i64, String> {
    moment::read(text, now_ms()).map(|span| span.start_ms)
}

/// A file that was made.
#[derive(Debug, Serialize)]
struct FileRow {
    file: String,
    /// The numbers of its first and its last entry.
    first: i64,
    last: i64,
    operations: u64,
}

impl Row for FileRow {
    const COLUMNS: &'static [&'static str] = &["FILE", "FIRST", "LAST", "OPERATIONS"];

    fn cells(&self) -> Vec<String> {
        vec![self.file.clone(), self.first.to_string(), self.last.to_string(), self.operations.to_string()]
    }
}

impl From<Archived> for FileRow {
    fn from(archived: Archived) -> Self {
        Self {
            file: archived.file.display().to_string(),
            first: archived.first_seq,
            last: archived.last_seq,
            operations: archived.operations,
        }
    }
}

pub async fn run(args: Archive, global: &Global) -> Result<ExitCode, CliError> {
    let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
    let into = match args.into {
        Some(into) => std::path::absolute(&into)
            .map_err(|source| CliError::System { what: format!("Cannot use {}", into.display()), source })?,
        None => settings.history.archives(&settings.server.data),
    };
    let store = Store::open(&data_dir::prepare(&settings.server.data)?.database).await?;
    let done = async {
        let caller = caller_in(global, &store).await?;
        must_hold(&caller, Privilege::Settings)?;
        let by = By { actor: Some(&caller.username), address: None, at_ms: now_ms() };
        Ok::<_, CliError>(store.archive(args.before, &into, by, Pace::Full).await?)
    };
    let done = done.await;
    store.close().await;
    let rows: Vec<FileRow> = done?.into_iter().map(FileRow::from).collect();
    output::list(global.format()?, &rows).map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}
