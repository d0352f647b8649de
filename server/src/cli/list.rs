//! `paddock list`: the guests of all backends.

use std::process::ExitCode;

use app::{auth::policy, domain::guest::BackendKind};
use clap::Args;
use futures::future::join_all;

use super::{
    act::cannot_print,
    desk::{Global, Look},
    exit::CliError,
    output,
    shown::GuestRow,
};

#[derive(Debug, Args)]
pub struct List {
    /// This backend only: proxmox-lxc, proxmox-vm, lxc or crun.
    #[arg(long)]
    backend: Option<BackendKind>,

    /// These guests only: words as in the dashboard's filter, such as `status:running tag:lab web`.
    filter: Vec<String>,
}

/// A backend that fails takes nothing from the others; the end is then 6.
pub async fn run(args: List, global: &Global) -> Result<ExitCode, CliError> {
    let look = Look::open(global).await?;
    let drivers: Vec<_> = look.drivers(args.backend)?;
    let filter = app::domain::filter::Filter::parse(&args.filter.join(" "));
    let (mut guests, mut failed) = (Vec::new(), Vec::new());
    for (driver, answer) in drivers.iter().zip(join_all(drivers.iter().map(|d| d.list())).await) {
        match answer {
            Ok(found) => guests.extend(
                found.into_iter().filter(|guest| filter.matches(guest) && policy::sees(&look.caller, guest)),
            ),
            Err(error) => failed.push(format!("{}: {error}", driver.kind())),
        }
    }
    guests.sort_by(|a, b| (a.label(), &a.id).cmp(&(b.label(), &b.id)));
    let rows: Vec<GuestRow> = guests.into_iter().map(GuestRow::from).collect();
    output::list(look.format, &rows).map_err(cannot_print)?;
    if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(CliError::Incomplete(failed)) }
}
