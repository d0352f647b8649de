//! `paddock templates`: what guests can be made from.

use std::process::ExitCode;

use app::domain::{access::Privilege, guest::BackendKind};
use clap::Args;
use futures::future::join_all;

use super::{
    act::cannot_print,
    desk::{Global, Look},
    exit::CliError,
    output,
    shown_hosts::ImageRow,
    who::must_hold_somewhere,
};

#[derive(Debug, Args)]
pub struct Templates {
    /// This backend only: proxmox-lxc, proxmox-vm, lxc or crun.
    #[arg(long)]
    backend: Option<BackendKind>,
}

pub async fn run(args: Templates, global: &Global) -> Result<ExitCode, CliError> {
    let look = Look::open(global).await?;
    must_hold_somewhere(&look.caller, Privilege::See)?;
    let drivers = look.drivers(args.backend)?;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for (driver, answer) in drivers.iter().zip(join_all(drivers.iter().map(|d| d.images())).await) {
        match answer {
            Ok(images) => {
                rows.extend(images.into_iter().map(|image| ImageRow::of(driver.kind().as_str(), image)));
            }
            Err(error) => failed.push(format!("{}: {error}", driver.kind())),
        }
    }
    output::list(look.format, &rows).map_err(cannot_print)?;
    if failed.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(CliError::Incomplete(failed)) }
}
