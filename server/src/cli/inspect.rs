//! `paddock inspect`: everything that is known of one guest.

use std::process::ExitCode;

use app::{
    auth::policy,
    backend::now_ms,
    domain::access::{On, Place, Privilege},
};
use clap::Args;

use super::{
    act::cannot_print,
    desk::{Global, Look},
    exit::CliError,
    output,
    shown::GuestSheet,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Inspect {
    #[command(flatten)]
    guest: GuestArg,
}

pub async fn run(args: Inspect, global: &Global) -> Result<ExitCode, CliError> {
    let look = Look::open(global).await?;
    let id = args.guest.find_id(&look.registry, &look.caller).await?;
    let gone = || CliError::NoGuest { text: id.to_string(), backends: Vec::new() };
    let driver = look.registry.get(id.backend).ok_or_else(gone)?;
    let mut detail = driver.inspect(&id.name).await?.ok_or_else(gone)?;
    // As on the guest's page: it may hold secrets.
    let place = On::Guest(Place::of(&detail.guest));
    if policy::decide(&look.caller, Privilege::Configure, place).is_err() {
        detail.config = None;
    }
    let sheet = GuestSheet::of(detail, now_ms());
    output::one(look.format, &sheet, &sheet.lines()).map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}
