//! `paddock user`: accounts of the dashboard, from the host itself; also the way back in for who is locked out.

use std::process::ExitCode;

use app::{domain::access::Role, service::accounts};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    act::cannot_print,
    desk::{Desk, Global},
    exit::CliError,
    output::{self, Row},
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
        /// viewer, operator or administrator
        #[arg(long, default_value_t = Role::Viewer)]
        role: Role,
    },
    /// Give a user a new one-time password and end all sessions of the account.
    ResetPassword { name: String },
}

/// A user.
#[derive(Debug, Serialize)]
struct UserRow {
    name: String,
    /// viewer, operator or administrator
    role: String,
    /// Still has a one-time password.
    must_change_password: bool,
}

impl Row for UserRow {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "PASSWORD"];

    fn cells(&self) -> Vec<String> {
        let password = if self.must_change_password { "one-time" } else { "own" };
        vec![self.name.clone(), self.role.clone(), password.to_owned()]
    }
}

pub async fn run(args: User, global: &Global) -> Result<ExitCode, CliError> {
    let desk = Desk::open(global).await?;
    let done = at(&desk, args.verb).await;
    desk.close().await;
    done
}

async fn at(desk: &Desk, verb: Verb) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List => {
            let users = accounts::users(&desk.state).await?;
            let row = |user: app::store::User| UserRow {
                name: user.username,
                role: user.role.to_string(),
                must_change_password: user.must_change_password,
            };
            let rows: Vec<UserRow> = users.into_iter().map(row).collect();
            output::list(desk.look.format, &rows).map_err(cannot_print)?;
        }
        Verb::Add { name, role } => {
            let password = accounts::add_user(&desk.state, &desk.caller, &name, role).await?;
            tell_password(desk, &name, &password)?;
        }
        Verb::ResetPassword { name } => {
            let password = accounts::reset_password(&desk.state, &desk.caller, &name).await?;
            tell_password(desk, &name, &password)?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
