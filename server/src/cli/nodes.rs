//! `paddock nodes`: the machines that guests run on, with their storages and networks.

use std::process::ExitCode;

use app::{backend::now_ms, domain::access::Privilege, service::nodes};
use clap::Args;

use super::{
    act::cannot_print,
    desk::{Global, Look},
    exit::CliError,
    output::{self, Format},
    shown_hosts::{NetworkRow, NodeRow, StorageRow},
    who::must_hold_somewhere,
};

#[derive(Debug, Args)]
pub struct Nodes {
    /// Also their storages and networks; JSON has them always.
    #[arg(long)]
    all: bool,
}

pub async fn run(args: Nodes, global: &Global) -> Result<ExitCode, CliError> {
    let look = Look::open(global).await?;
    must_hold_somewhere(&look.caller, Privilege::See)?;
    let drivers = look.drivers(None)?;
    let kinds: Vec<_> = drivers.iter().map(|driver| driver.kind()).collect();
    let (mut told, mut failed) = (Vec::new(), Vec::new());
    for (backend, answer) in nodes::read(&drivers).await {
        match answer {
            Ok(nodes) => told.push((backend, now_ms(), nodes)),
            Err(error) => failed.push(format!("{backend}: {error}")),
        }
    }
    let rows: Vec<NodeRow> = nodes::merged(told, &kinds).into_iter().map(NodeRow::of).collect();
    output::list(look.format, &rows).map_err(cannot_print)?;
    if args.all && look.format == Format::Table {
        let storages: Vec<_> = rows.iter().flat_map(StorageRow::of).collect();
        let networks: Vec<_> = rows.iter().flat_map(NetworkRow::of).collect();
        output::print("\n").map_err(cannot_print)?;
        output::list(look.format, &storages).map_err(cannot_print)?;
        output::print("\n").map_err(cannot_print)?;
        output::list(look.format, &networks).map_err(cannot_print)?;
    }
    if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(CliError::Incomplete(failed)) }
}
