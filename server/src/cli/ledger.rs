//! `paddock ledger`: what was recorded, newest first, or all of it as an export.

use std::{
    fs::File,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{
    domain::{access::Privilege, words},
    ledger::Entry,
    store::{EntryKind, LedgerFilter, Store},
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::Global,
    exit::CliError,
    output::{self, Format, Row, or_dash},
    who::{caller_in, must_hold},
};
use crate::{data_dir, settings::Settings};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Ledger {
    #[command(subcommand)]
    verb: Option<Verb>,

    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write all entries that are in the database as lines of JSON, which `paddock verify` proves anywhere.
    Export {
        /// The file, which must not be there yet [default: standard output].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Entries of this kind only: logged-in, log-in-failed, action-denied, operation-begun, ...
    #[arg(long)]
    kind: Option<EntryKind>,

    /// Entries of this actor only, such as anna or "root (cli)".
    #[arg(long)]
    actor: Option<String>,

    /// Only entries older than the one with this number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,

    /// At most so many entries.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// An entry.
#[derive(Debug, Serialize)]
struct EntryRow {
    /// Its place in the ledger, from 1.
    seq: i64,
    /// Milliseconds since 1970.
    at_ms: i64,
    kind: String,
    /// `null` where nobody knows.
    actor: Option<String>,
    address: Option<String>,
    subject: Option<String>,
    /// Number of the operation it belongs to.
    operation: Option<i64>,
    detail: serde_json::Value,
    hash: String,
}

impl From<Entry> for EntryRow {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            at_ms: entry.at_ms,
            kind: entry.kind,
            actor: entry.actor,
            address: entry.address,
            subject: entry.subject,
            operation: entry.operation,
            // Changed by hand it may be no JSON any more: then as the text that it is.
            detail: serde_json::from_str(&entry.detail).unwrap_or(serde_json::Value::String(entry.detail)),
            hash: entry.hash.to_string(),
        }
    }
}

impl Row for EntryRow {
    const COLUMNS: &'static [&'static str] =
        &["SEQ", "TIME", "KIND", "ACTOR", "ADDRESS", "SUBJECT", "OPERATION", "DETAIL"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            words::exact(self.at_ms),
            self.kind.clone(),
            or_dash(self.actor.as_ref()),
            or_dash(self.address.as_ref()),
            or_dash(self.subject.as_ref()),
            or_dash(self.operation),
            shortened(&self.detail.to_string()),
        ]
    }
}

/// As much as a line of a table bears; JSON has it whole.
fn shortened(detail: &str) -> String {
    const MOST: usize = 120;
    match detail.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &detail[..end]),
        None => detail.to_owned(),
    }
}

pub async fn run(args: Ledger, global: &Global) -> Result<ExitCode, CliError> {
    let format = global.format()?;
    let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
    let store = Store::open(&data_dir::prepare(&settings.server.data)?.database).await?;
    let done = async {
        must_hold(&caller_in(global, &store).await?, Privilege::Audit)?;
        match args.verb {
            Some(Verb::Export { out }) => export(&store, out.as_deref()).await,
            None => list(&store, args.list, format).await,
        }
    };
    let done = done.await;
    store.close().await;
    done
}

/// Nothing is left of a file that could not be written whole.
async fn export(store: &Store, out: Option<&Path>) -> Result<ExitCode, CliError> {
    let Some(path) = out else {
        store.export_ledger(io::BufWriter::new(io::stdout()), Path::new("Standard output")).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let cannot = |source| CliError::System { what: format!("Cannot write {}", path.display()), source };
    let file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    let written = store.export_ledger(io::BufWriter::new(&file), path).await.map_err(CliError::from);
    let kept = written.and_then(|_| file.sync_all().map_err(cannot));
    if kept.is_err() {
        let _ = std::fs::remove_file(path);
    }
    kept.map(|()| ExitCode::SUCCESS)
}

async fn list(store: &Store, args: List, format: Format) -> Result<ExitCode, CliError> {
    let List { kind, actor, before, limit } = args;
    let page = store.ledger_page(&LedgerFilter { before, kind, actor, limit }).await;
    let rows: Vec<EntryRow> = page?.into_iter().map(EntryRow::from).collect();
    output::list(format, &rows).map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_letters() {
        let long = "ü".repeat(200);
        assert_eq!(shortened(&long), format!("{}…", "ü".repeat(120)));
        assert_eq!(shortened("ü"), "ü");
    }
}
