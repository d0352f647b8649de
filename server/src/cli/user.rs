//! `paddock user`: accounts of the dashboard, from the host itself; also the way back in for who is locked out.

mod lets_in;

use std::process::ExitCode;

use app::{
    domain::access::{BuiltIn, Rights},
    service::{access, users},
    store::{User as Account, UserChange},
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
pub struct User {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Who may log in.
    List,
    /// Add a user and print a one-time password.
    Add {
        name: String,
        /// viewer, operator, auditor or administrator, on everything
        #[arg(long, default_value_t = BuiltIn::Viewer, conflicts_with = "no_role")]
        role: BuiltIn,
        /// Give no role yet; `paddock grant add` gives one on a part
        #[arg(long)]
        no_role: bool,
        /// An account of Proxmox, written name@realm: it logs in with its password there
        #[arg(long)]
        realm: bool,
    },
    /// Give a user a new one-time password and end all sessions of the account.
    ResetPassword { name: String },
    /// Let nobody log in to an account any more, and end its sessions.
    Disable { name: String },
    /// Let its user log in again.
    Enable { name: String },
    /// Let an account in with a second factor alone: whoever has none sets one up at the next request.
    RequireFactor {
        name: String,
        /// No longer
        #[arg(long)]
        no: bool,
    },
    /// Take the second factor off an account whose user has lost it.
    RemoveFactor { name: String },
    /// Remove an account and its grants; what it did stays in the history.
    Remove { name: String },
    /// What a user may do, and by which grant.
    Rights { name: String },
    /// Where a user is logged in.
    Sessions { name: String },
    /// Log a user out everywhere.
    EndSessions { name: String },
    /// A user's API tokens.
    Tokens { name: String },
    /// Remove one of a user's API tokens.
    RemoveToken {
        name: String,
        /// Its number
        id: i64,
    },
}

/// A user.
#[derive(Debug, Serialize)]
struct UserRow {
    name: String,
    /// `local`, or the Proxmox realm that checks the password.
    realm: String,
    /// The names of all roles held somewhere, the widest first.
    role: String,
    /// Still has a one-time password.
    must_change_password: bool,
    /// A second factor of Paddock's.
    second_factor: bool,
    second_factor_required: bool,
    disabled: bool,
    /// When the account is over, milliseconds since 1970.
    expires_ms: Option<i64>,
}

impl Row for UserRow {
    const COLUMNS: &'static [&'static str] = &["NAME", "REALM", "ROLE", "PASSWORD", "FACTOR", "STATE"];

    fn cells(&self) -> Vec<String> {
        let password = match (self.realm.as_str(), self.must_change_password) {
            ("local", true) => "one-time",
            ("local", false) => "own",
            _ => "Proxmox's",
        };
        let state = if self.disabled { "disabled" } else { "enabled" };
        let factor = match (self.realm.as_str(), self.second_factor, self.second_factor_required) {
            ("local", true, _) => "yes",
            ("local", false, true) => "required",
            ("local", false, false) => "no",
            _ => "Proxmox's",
        };
        let words = [password, factor, state].map(str::to_owned);
        [self.name.clone(), self.realm.clone(), self.role.clone()].into_iter().chain(words).collect()
    }
}

/// One right of a user.
#[derive(Debug, Serialize)]
struct RightRow {
    grant: Option<i64>,
    role: String,
    scope: String,
    /// The group that has the grant.
    group: Option<String>,
    expires_ms: Option<i64>,
    privileges: String,
}

impl Row for RightRow {
    const COLUMNS: &'static [&'static str] = &["GRANT", "ROLE", "SCOPE", "BY GROUP", "PRIVILEGES"];

    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.grant.map_or_else(dash, |id| id.to_string()),
            self.role.clone(),
            self.scope.clone(),
            self.group.clone().unwrap_or_else(dash),
            self.privileges.clone(),
        ]
    }
}

pub async fn run(args: User, global: &Global) -> Result<ExitCode, CliError> {
    Desk::with(global, async |desk| at(desk, args.verb).await).await
}

async fn at(desk: &Desk, verb: Verb) -> Result<ExitCode, CliError> {
    let (state, caller) = (&desk.state, &desk.caller);
    match verb {
        Verb::List => {
            let mut rows = Vec::new();
            for user in users::list(state, caller).await? {
                let rights = access::rights(state, caller, &user.username).await?;
                rows.push(row(user, &rights));
            }
            output::list(desk.look.format, &rows).map_err(cannot_print)?;
        }
        Verb::Add { name, role, no_role, realm: true } => {
            users::add_of_realm(state, caller, &name, (!no_role).then_some(role)).await?;
            tell(&format!("{name} may log in with the password of the account at Proxmox."));
        }
        Verb::Add { name, role, no_role, realm: false } => {
            let password = users::add(state, caller, &name, (!no_role).then_some(role)).await?;
            tell_password(desk, &name, &password)?;
        }
        Verb::ResetPassword { name } => {
            let password = users::reset_password(state, caller, &name).await?;
            tell_password(desk, &name, &password)?;
        }
        Verb::Disable { name } => {
            disable(desk, &name, true).await?;
            tell(&format!("{name} is disabled, and all sessions of the account are over."));
        }
        Verb::Enable { name } => {
            disable(desk, &name, false).await?;
            tell(&format!("{name} may log in again."));
        }
        Verb::RequireFactor { name, no } => {
            let change = UserChange { factor_required: Some(!no), ..UserChange::default() };
            users::change(state, caller, &name, change).await?;
            tell(&match no {
                true => format!("{name} needs no second factor."),
                false => format!("{name} may do nothing without a second factor."),
            });
        }
        Verb::RemoveFactor { name } => {
            users::remove_factor(state, caller, &name).await?;
            tell(&format!("{name} has no second factor any more."));
        }
        Verb::Remove { name } => {
            users::remove(state, caller, &name).await?;
            tell(&format!("{name} is removed."));
        }
        Verb::Rights { name } => {
            let rights = access::rights(state, caller, &name).await?;
            let rows: Vec<RightRow> = rights
                .list
                .into_iter()
                .map(|right| RightRow {
                    grant: right.grant.map(|id| id.0),
                    role: right.role.to_string(),
                    scope: right.scope.to_string(),
                    group: right.group,
                    expires_ms: right.expires_ms,
                    privileges: right.privileges.to_string(),
                })
                .collect();
            output::list(desk.look.format, &rows).map_err(cannot_print)?;
        }
        Verb::Sessions { name } => lets_in::list_sessions(desk, &name).await?,
        Verb::EndSessions { name } => lets_in::end_sessions(desk, &name).await?,
        Verb::Tokens { name } => lets_in::list_tokens(desk, &name).await?,
        Verb::RemoveToken { name, id } => lets_in::remove_token(desk, &name, id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn disable(desk: &Desk, name: &str, is_disabled: bool) -> Result<(), CliError> {
    let change = UserChange { is_disabled: Some(is_disabled), ..UserChange::default() };
    Ok(users::change(&desk.state, &desk.caller, name, change).await?)
}

fn row(user: Account, rights: &Rights) -> UserRow {
    UserRow {
        name: user.username,
        realm: user.realm,
        role: rights.roles(app::backend::now_ms()),
        must_change_password: user.must_change_password,
        second_factor: user.has_factor,
        second_factor_required: user.factor_required,
        disabled: user.is_disabled,
        expires_ms: user.expires_ms,
    }
}

/// A one-time password is the result, and told nowhere else.
#[derive(Debug, Serialize)]
struct OneTime<'a> {
    name: &'a str,
    one_time_password: &'a str,
}

fn tell_password(desk: &Desk, name: &str, password: &str) -> Result<(), CliError> {
    let told = OneTime { name, one_time_password: password };
    let lines = [("User".to_owned(), name.to_owned()), ("One-time password".to_owned(), password.to_owned())];
    output::one(desk.look.format, &told, &lines).map_err(cannot_print)
}
