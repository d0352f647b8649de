//! `paddock grant`: who has which role where, and who had, from the host itself.

mod past;

use std::process::ExitCode;

use app::{
    domain::access::GrantId,
    service::access::{self, GrantForm},
};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::{Desk, Global},
    exit::CliError,
    output::{self, Row, tell},
};

#[derive(Debug, Args)]
pub struct Grant {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every grant, oldest first.
    List,
    /// Give a user or a group a role on a scope.
    Add {
        /// A user's name, or `group:NAME`
        holder: String,
        /// A built-in role (viewer, operator, auditor, administrator) or one of your own
        role: String,
        /// everything, backend:NAME, pool:NAME, tag:NAME or guest:BACKEND/NAME
        scope: String,
        /// It is over after so many hours
        #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=87_600))]
        hours: Option<u32>,
    },
    /// Take a grant back.
    Remove {
        /// Its number
        id: i64,
    },
    /// Who had which role at a moment, as the ledger has it.
    At {
        /// Such as `2026-11-26 10:00` (UTC), 7d (so long ago) or yesterday, of which the beginning counts
        moment: String,
        /// Of this user alone
        #[arg(long)]
        user: Option<String>,
    },
    /// Every change of users, groups, roles and grants, newest first.
    Changes {
        /// Those alone that have to do with this user or with what they may do
        #[arg(long)]
        user: Option<String>,
        /// Only changes older than the ledger's entry with this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
}

/// A grant.
#[derive(Debug, Serialize)]
struct GrantRow {
    id: i64,
    /// `user:anna` or `group:ops`
    holder: String,
    role: String,
    scope: String,
    /// Milliseconds since 1970.
    expires_ms: Option<i64>,
    created_ms: i64,
    created_by: Option<String>,
}

impl Row for GrantRow {
    const COLUMNS: &'static [&'static str] = &["ID", "HOLDER", "ROLE", "SCOPE", "BY"];

    fn cells(&self) -> Vec<String> {
        let by = self.created_by.clone().unwrap_or_else(|| "-".to_owned());
        vec![self.id.to_string(), self.holder.clone(), self.role.clone(), self.scope.clone(), by]
    }
}

pub async fn run(args: Grant, global: &Global) -> Result<ExitCode, CliError> {
    Desk::with(global, async |desk| at(desk, args.verb).await).await
}

async fn at(desk: &Desk, verb: Verb) -> Result<ExitCode, CliError> {
    let (state, caller) = (&desk.state, &desk.caller);
    match verb {
        Verb::List => {
            let row = |grant: app::domain::access::Grant| GrantRow {
                id: grant.id.0,
                holder: grant.holder.to_string(),
                role: grant.role.to_string(),
                scope: grant.scope.to_string(),
                expires_ms: grant.expires_ms,
                created_ms: grant.created_ms,
                created_by: grant.created_by,
            };
            let rows: Vec<GrantRow> = access::grants(state, caller).await?.into_iter().map(row).collect();
            output::list(desk.look.format, &rows).map_err(cannot_print)?;
        }
        Verb::Add { holder, role, scope, hours } => {
            let holder = access::holder(&holder)?;
            let expires_ms =
                hours.map(|hours| app::backend::now_ms().saturating_add(i64::from(hours) * 3_600_000));
            let form = GrantForm { holder: holder.clone(), role: &role, scope: &scope, expires_ms };
            access::add_grant(state, caller, &form).await?;
            tell(&format!("{holder} has the role {role} on {scope} now."));
        }
        Verb::Remove { id } => {
            access::remove_grant(state, caller, GrantId(id)).await?;
            tell(&format!("Grant {id} is taken back."));
        }
        Verb::At { moment, user } => past::at(desk, moment, user).await?,
        Verb::Changes { user, before } => past::changes(desk, user, before).await?,
    }
    Ok(ExitCode::SUCCESS)
}
