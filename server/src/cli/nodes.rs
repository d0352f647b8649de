//! `paddock nodes`: the machines that guests run on, with their storages and networks.

use std::process::ExitCode;

use app::domain::access::Privilege;
use clap::Args;
use futures::future::join_all;

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
    let (mut rows, mut failed) = (Vec::<NodeRow>::new(), Vec::new());
    for (driver, answer) in drivers.iter().zip(join_all(drivers.iter().map(|d| d.nodes())).await) {
        let backend = driver.kind().to_string();
        match answer {
            Ok(nodes) => nodes.into_iter().for_each(|node| NodeRow::add(&mut rows, node, &backend)),
            Err(error) => failed.push(format!("{backend}: {error}")),
        }
    }
    rows.sort_by(|a, b| a.node.name.cmp(&b.node.name));
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
