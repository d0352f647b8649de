//! `paddock history`: what was done, by whom, and how it ended.

use std::process::ExitCode;

use app::{
    domain::{
        history::{FilterError, HistoryField, HistoryQuery},
        operation::{LedgerPlace, Operation, OperationId, OperationSummary, OutputChunk},
        script, words,
    },
    service::{
        Visible,
        export::{self, Export, ExportFailure, Rows},
        operations,
    },
    store::{HistoryRecord, Store},
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::{Desk, Global, Wanted},
    exit::CliError,
    output::{self, Format, Row, or_dash, tell, visible},
    shown::OperationSheet,
};
use crate::{data_dir, settings::Settings};

/// Operations that a table or a JSON document has, if nothing else is said: both are held whole before they are printed.
const FEW: usize = 50;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct History {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    filter: Filter,

    /// At most so many, newest first [default: 50 for table and json, all for jsonl and csv].
    #[arg(long)]
    limit: Option<usize>,
}

/// All that is given must hold of an operation.
#[derive(Debug, Args)]
struct Filter {
    /// A guest's whole name, VMID or title, or BACKEND/NAME.
    #[arg(long, default_value = "", hide_default_value = true)]
    guest: String,
    /// proxmox-lxc, proxmox-vm, lxc or crun.
    #[arg(long, default_value = "", hide_default_value = true)]
    backend: String,
    /// Who did it; "unknown" for what nobody knows the author of.
    #[arg(long, default_value = "", hide_default_value = true)]
    user: String,
    /// An action; task, or task:TYPE, for Proxmox tasks of others; observed for what was only seen.
    #[arg(long, default_value = "", hide_default_value = true)]
    action: String,
    /// planned, running, succeeded, failed, cancelled, timed-out, interrupted; live for the first two, bad for what went wrong.
    #[arg(long, default_value = "", hide_default_value = true)]
    result: String,
    /// Begun then or later: 2026-11-26, 2026-11-26T10:00, 24h (ago), today.
    #[arg(long, default_value = "", hide_default_value = true)]
    from: String,
    /// Begun then or earlier.
    #[arg(long, default_value = "", hide_default_value = true)]
    to: String,
    /// Part of a guest's name or title, an actor, a node, an action or a failure.
    #[arg(long, default_value = "", hide_default_value = true)]
    text: String,
    /// Only older than the place where another list ended, as it told.
    #[arg(long, default_value = "", hide_default_value = true)]
    after: String,
}

impl Filter {
    fn query(self) -> HistoryQuery {
        let Self { guest, backend, user, action, result, from, to, text, after } = self;
        HistoryQuery { guest, backend, user, action, result, from, to, text, after, stray: Vec::new() }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// One operation whole: plan, steps, output, ledger.
    Show {
        /// Its number.
        id: i64,
        /// Print what ran as a shell script, to be run by hand.
        #[arg(long)]
        script: bool,
    },
}

pub async fn run(args: History, global: &Global) -> Result<ExitCode, CliError> {
    let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
    let store = Store::open(&data_dir::prepare(&settings.server.data)?.database).await?;
    let done = async {
        let part = part(global).await?;
        match args.verb {
            Some(Verb::Show { id, script }) => show(&store, &part, id, script, global).await,
            None => list(&store, part.0, &args.filter.query(), args.limit, global.format).await,
        }
    };
    let done = done.await;
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

/// What may be seen: which part of the list, and whether one operation.
struct Part(Visible, Box<dyn Fn(&OperationSummary) -> bool + Send + Sync>);

async fn part(global: &Global) -> Result<Part, CliError> {
    if global.as_user.is_none() {
        return Ok(Part(Visible::all(), Box::new(|_| true)));
    }
    let desk = Desk::open(global).await?;
    let (state, caller) = (desk.state.clone(), desk.caller.clone());
    let visible = Visible::to(&state, &caller);
    Ok(Part(visible, Box::new(move |operation| operations::is_seen(&state, &caller, operation))))
}

async fn list(
    store: &Store,
    visible: Visible,
    query: &HistoryQuery,
    limit: Option<usize>,
    format: Wanted,
) -> Result<(), CliError> {
    let (format, file) = match format {
        Wanted::Csv => (Format::Jsonl, export::Format::Csv),
        Wanted::Jsonl => (Format::Jsonl, export::Format::JsonLines),
        Wanted::Table => (Format::Table, export::Format::JsonLines),
        Wanted::Json => (Format::Json, export::Format::JsonLines),
    };
    if format == Format::Jsonl {
        let mut export = Export::new(store, visible, query, file).map_err(wrong)?.at_most(limit);
        while let Some(piece) = export.next().await? {
            if !output::pass_on(&piece).map_err(cannot_print)? {
                break;
            }
        }
        return Ok(());
    }
    let limit = limit.unwrap_or(FEW);
    // One more than asked for tells whether there are older ones.
    let mut rows = Rows::new(store, visible, query, Some(limit.saturating_add(1))).map_err(wrong)?;
    let mut records = Vec::new();
    loop {
        let more = rows.next().await?;
        if more.is_empty() {
            break;
        }
        records.extend(more);
    }
    let has_older = records.len() > limit;
    records.truncate(limit);
    let last = records.last().map(HistoryRecord::place);
    let lines: Vec<Line> = records.into_iter().map(Line).collect();
    output::list(format, &lines).map_err(cannot_print)?;
    if let Some(last) = last.filter(|_| has_older) {
        tell(&format!("There are older ones: --after {last} goes on, --limit tells more at once."));
    }
    Ok(())
}

/// Each sentence after its option.
fn wrong(failure: ExportFailure) -> CliError {
    let sentence = |error: &FilterError| {
        let option = error.field.map(HistoryField::as_str).map(|field| format!("--{field}: "));
        option.unwrap_or_default() + &error.message
    };
    match failure {
        ExportFailure::Filter(errors) => {
            CliError::Usage(errors.iter().map(sentence).collect::<Vec<_>>().join("\npaddock: "))
        }
        ExportFailure::Other(error) => error.into(),
    }
}

/// An operation, with the fields of an export.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Line(HistoryRecord);

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["ID", "STARTED", "STATE", "ACTION", "GUEST", "ACTOR", "TOOK", "FAILURE"];

    fn cells(&self) -> Vec<String> {
        let record = &self.0;
        let guest = record.backend.as_ref().zip(record.guest.as_ref()).map(|(backend, name)| {
            let title = record.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
            format!("{backend}/{name}{title}")
        });
        vec![
            record.id.to_string(),
            words::exact(record.started_ms),
            record.state.clone(),
            record.action.clone(),
            or_dash(guest.as_ref().or(record.node.as_ref())),
            record.actor.clone().unwrap_or_else(|| "unknown".to_owned()),
            or_dash(record.finished_ms.map(|end| words::span(end - record.started_ms))),
            or_dash(record.failure.as_ref()),
        ]
    }
}

/// An operation whole.
#[derive(Debug, Serialize)]
struct Sheet {
    #[serde(flatten)]
    operation: OperationSheet,
    node: Option<String>,
    address: Option<String>,
    /// When its turn came, milliseconds since 1970.
    running_ms: Option<i64>,
    /// How the guest was read from the host at the end.
    guest_after: Option<String>,
    /// SHA-256, hexadecimal.
    plan_hash: String,
    /// Its entries in the ledger.
    ledger: Vec<LedgerPlace>,
    output: Vec<OutputChunk>,
}

impl Sheet {
    fn of(operation: Operation) -> Self {
        let sheet = OperationSheet::of(&operation);
        let Operation { summary, plan_hash, ledger, output, .. } = operation;
        Self {
            operation: sheet,
            node: summary.node,
            address: summary.address,
            running_ms: summary.running_ms,
            guest_after: summary.guest_after.map(words::after),
            plan_hash,
            ledger,
            output,
        }
    }

    fn lines(&self) -> Vec<(String, String)> {
        let sheet = &self.operation;
        let time = |ms: Option<i64>| ms.map(words::exact).unwrap_or_default();
        let joined = |lines: Vec<String>| lines.join("\n");
        let places =
            self.ledger.iter().map(|place| format!("#{} {} {}", place.seq, place.kind, place.hash)).collect();
        let said: String = self.output.iter().map(|chunk| chunk.text.as_str()).collect();
        let lines = [
            ("Operation", format!("#{}", sheet.operation)),
            ("Action", sheet.action.clone()),
            ("Guest", sheet.guest.clone().unwrap_or_default()),
            ("Title", sheet.title.clone().unwrap_or_default()),
            ("Node", self.node.clone().unwrap_or_default()),
            ("Actor", sheet.actor.clone().unwrap_or_else(|| "unknown".to_owned())),
            ("Address", self.address.clone().unwrap_or_default()),
            ("State", sheet.state.clone()),
            ("Asked for", time(Some(sheet.started_ms))),
            ("Begun", time(self.running_ms)),
            ("Ended", time(sheet.finished_ms)),
            ("Failure", sheet.failure.clone().unwrap_or_default()),
            ("Guest after", self.guest_after.clone().unwrap_or_default()),
            ("Plan's hash", self.plan_hash.clone()),
            ("Ledger", joined(places)),
            ("Steps", joined(sheet.steps.clone())),
            ("Output", said),
        ];
        let told = lines.into_iter().filter(|(_, value)| !value.is_empty());
        told.map(|(label, value)| (label.to_owned(), value)).collect()
    }
}

async fn show(store: &Store, part: &Part, id: i64, as_script: bool, global: &Global) -> Result<(), CliError> {
    let format = global.format()?;
    let operation = store.operation(OperationId(id)).await?;
    let operation = operation.filter(|operation| part.1(&operation.summary));
    let operation = operation.ok_or_else(|| CliError::NoOperation(OperationId(id)))?;
    if as_script {
        // A terminal shows what would steer it; a file has it as it is.
        let text = script::shell(&operation.plan);
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let text = if is_terminal { text.lines().map(|line| visible(line) + "\n").collect() } else { text };
        return output::print(&text).map_err(cannot_print);
    }
    let sheet = Sheet::of(operation);
    output::one(format, &sheet, &sheet.lines()).map_err(cannot_print)
}
