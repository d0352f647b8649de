//! One verb on several guests: one operation with a part for each, told part by part.

use std::process::ExitCode;

use app::{
    domain::{
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, GuestId},
        view::BulkPreview,
    },
    service::{
        actions::Planned,
        bulk::{self, BulkAsk},
    },
};
use clap::Args;
use serde::Serialize;

use super::{
    act::{self, Manner, cannot_print},
    desk::{Desk, Global},
    exit::CliError,
    output::{self, Format, visible},
    shown::OperationSheet,
    target::GuestArg,
};

/// The guests that a verb is about.
#[derive(Debug, Clone, Args)]
pub struct GuestsArg {
    /// The guests: each BACKEND/NAME, or its name or VMID alone if no other has it. Several are one operation with a part
    /// for each, which go on past one that fails.
    #[arg(required = true, value_name = "GUEST")]
    pub guests: Vec<String>,

    /// Look at this backend only: proxmox-lxc, proxmox-vm, lxc or crun.
    #[arg(long)]
    pub backend: Option<BackendKind>,
}

impl GuestsArg {
    async fn asked(
        &self,
        desk: &Desk,
        action: GuestAction,
        manner: &Manner,
    ) -> Result<Vec<GuestId>, CliError> {
        let mut ids = Vec::new();
        for guest in &self.guests {
            let arg = GuestArg { guest: guest.clone(), backend: self.backend };
            ids.push(arg.asked(desk, action, manner).await?.id);
        }
        Ok(ids)
    }
}

/// Finds the guests and does this with each.
pub async fn on_guests(
    global: &Global,
    guests: GuestsArg,
    manner: Manner,
    request: ActionRequest,
) -> Result<ExitCode, CliError> {
    if let [guest] = &guests.guests[..] {
        let guest = GuestArg { guest: guest.clone(), backend: guests.backend };
        return act::on_guest(global, &guest, manner, request).await;
    }
    let desk = Desk::open(global).await?;
    let done = all(&desk, &guests, manner, request).await;
    desk.close().await;
    done
}

async fn all(
    desk: &Desk,
    guests: &GuestsArg,
    manner: Manner,
    request: ActionRequest,
) -> Result<ExitCode, CliError> {
    let guests = guests.asked(desk, request.action(), &manner).await?;
    let ask = BulkAsk { guests, request, agreed: manner.agreed };
    if manner.plan {
        let preview = bulk::plan(&desk.state, &desk.caller, &ask).await?;
        print_preview(desk.look.format, preview)?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = bulk::begin(&desk.state, &desk.caller, ask).await?;
    let whole = act::wait(desk, id).await?;
    let parts = desk.state.store.parts_of(id).await?;
    // One that somebody wrote to meanwhile is told in the failure of the whole.
    let parts: Vec<_> = parts.iter().flatten().map(OperationSheet::of_summary).collect();
    let sheet = BulkSheet { whole: OperationSheet::of(&whole), parts };
    match desk.look.format {
        Format::Table => {
            let lines: String = sheet.parts.iter().map(OperationSheet::line).collect();
            output::print(&format!("{lines}{}", sheet.whole.line())).map_err(cannot_print)?;
        }
        format => output::one(format, &sheet, &[]).map_err(cannot_print)?,
    }
    act::succeeded(&whole)?;
    Ok(ExitCode::SUCCESS)
}

/// A bulk action as JSON has it.
#[derive(Debug, Serialize)]
struct BulkSheet {
    #[serde(flatten)]
    whole: OperationSheet,
    parts: Vec<OperationSheet>,
}

fn print_preview(format: Format, preview: BulkPreview) -> Result<(), CliError> {
    if format != Format::Table {
        return output::one(format, &preview, &[]).map_err(cannot_print);
    }
    let mut text = String::new();
    for part in preview.parts {
        text += &match part.plan {
            Ok(plan) => {
                act::plan_lines(preview.action, &Planned { guest: part.guest, title: part.title, plan })
            }
            Err(refusal) => format!("{} is left out: {}\n", part.guest, visible(&refusal.to_string())),
        };
    }
    text += &format!("To run just this: --agreed {}\n", preview.hash);
    output::print(&text).map_err(cannot_print)
}
