//! The command line, one file a verb. It goes through the same services, database and history as the dashboard, as
//! the actor `root (cli)`, safely beside a running server.
//!
//! Results go to standard output, messages to standard error.

mod act;
mod archive;
mod backup;
mod clone;
mod config;
mod configure;
mod create;
mod delete;
mod desk;
mod exec;
mod exit;
mod grant;
mod help;
mod hibernate;
mod history;
mod inspect;
mod ledger;
mod list;
mod make_template;
mod migrate;
mod nodes;
mod output;
mod pause;
mod reboot;
mod reset;
mod resize;
mod resume;
mod run;
mod serve;
mod several;
mod shown;
mod shown_hosts;
mod shutdown;
mod snapshot;
mod spec;
mod start;
mod stop;
mod target;
mod templates;
mod unlock;
mod user;
mod value;
mod verify;
mod version;
mod who;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry::{self, Program};
use desk::Global;
use exit::{CliError, EXIT_CODES};

/// One dashboard for every guest of a Proxmox VE host.
#[derive(Debug, Parser)]
#[command(name = "paddock", version, disable_help_subcommand = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a guest and start it; with a command, run that in it.
    Run(Box<run::Run>),
    /// Make a guest.
    Create(Box<create::Create>),
    /// Start a guest.
    Start(start::Start),
    /// Ask a guest to shut itself down, and wait.
    Shutdown(shutdown::Shutdown),
    /// Pull a guest's plug.
    Stop(stop::Stop),
    /// Shut a guest down and start it again.
    Reboot(reboot::Reboot),
    /// Press a VM's reset button.
    Reset(reset::Reset),
    /// Freeze a guest where it is.
    Pause(pause::Pause),
    /// Let a paused guest go on.
    Resume(resume::Resume),
    /// Write a VM's memory to disk and end it.
    Hibernate(hibernate::Hibernate),
    /// Delete a guest for good.
    Delete(delete::Delete),
    /// Run a command in a guest.
    Exec(exec::Exec),
    /// Everything that is known of one guest.
    Inspect(inspect::Inspect),
    /// The guests of all backends.
    List(list::List),
    /// Snapshots: list, create, rollback, delete.
    Snapshot(snapshot::Snapshot),
    /// Copy a guest.
    Clone(clone::Clone),
    /// Turn a guest into a template, for good.
    MakeTemplate(make_template::MakeTemplate),
    /// Change limits, description, tags and start at boot.
    Configure(configure::Configure),
    /// Make a disk larger.
    Resize(resize::Resize),
    /// Move a guest to another node.
    Migrate(migrate::Migrate),
    /// Write a guest's backup to a storage.
    Backup(backup::Backup),
    /// Remove a lock that was left behind.
    Unlock(unlock::Unlock),
    /// What guests can be made from.
    Templates(templates::Templates),
    /// The machines that guests run on.
    Nodes(nodes::Nodes),
    /// Accounts of the dashboard: list, add, disable, reset-password, rights, ...
    User(user::User),
    /// Who has which role where, and who had: list, add, remove, at, changes.
    Grant(grant::Grant),
    /// Move old history out of the database, into files that `verify` proves.
    Archive(archive::Archive),
    /// Prove that the history is as it was recorded, or tell what was changed.
    Verify(verify::Verify),
    /// What was done, newest first: list, show.
    History(Box<history::History>),
    /// What was recorded, newest first: actions, log-ins, refusals, accounts, settings.
    Ledger(ledger::Ledger),
    /// Run the dashboard until it is told to end (SIGTERM or Ctrl+C).
    Serve(Box<serve::ServeArgs>),
    /// The settings in force, or a settings file to begin with.
    Config(config::Config),
    /// Which Paddock this is.
    Version,
    /// All verbs, or one of them with its options.
    Help(help::Help),
}

impl Cli {
    /// Runs the verb; the exit codes are [`EXIT_CODES`], bad usage is told by the parser.
    pub fn run(self) -> ExitCode {
        let global = self.global;
        let ended = match self.verb {
            Verb::Serve(_) if global.as_user.is_some() => Err(CliError::Usage(
                "--as: The dashboard itself runs as nobody's. Nothing was done.".to_owned(),
            )),
            Verb::Serve(args) => return serve::run(global.config.as_deref(), &args),
            Verb::Version => version::run(&global),
            Verb::Help(args) => help::run(&args),
            verb => {
                telemetry::start(Program::CommandLine);
                tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .map_err(|source| CliError::System {
                        what: "Cannot start its threads".to_owned(),
                        source,
                    })
                    .and_then(|runtime| runtime.block_on(dispatch(verb, &global)))
            }
        };
        ended.unwrap_or_else(|error| {
            output::tell(&format!("paddock: {error}"));
            error.code()
        })
    }
}

async fn dispatch(verb: Verb, global: &Global) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Run(args) => run::run(*args, global).await,
        Verb::Create(args) => create::run(*args, global).await,
        Verb::Start(args) => start::run(args, global).await,
        Verb::Shutdown(args) => shutdown::run(args, global).await,
        Verb::Stop(args) => stop::run(args, global).await,
        Verb::Reboot(args) => reboot::run(args, global).await,
        Verb::Reset(args) => reset::run(args, global).await,
        Verb::Pause(args) => pause::run(args, global).await,
        Verb::Resume(args) => resume::run(args, global).await,
        Verb::Hibernate(args) => hibernate::run(args, global).await,
        Verb::Delete(args) => delete::run(args, global).await,
        Verb::Exec(args) => exec::run(args, global).await,
        Verb::Inspect(args) => inspect::run(args, global).await,
        Verb::List(args) => list::run(args, global).await,
        Verb::Snapshot(args) => snapshot::run(args, global).await,
        Verb::Clone(args) => clone::run(args, global).await,
        Verb::MakeTemplate(args) => make_template::run(args, global).await,
        Verb::Configure(args) => configure::run(args, global).await,
        Verb::Resize(args) => resize::run(args, global).await,
        Verb::Migrate(args) => migrate::run(args, global).await,
        Verb::Backup(args) => backup::run(args, global).await,
        Verb::Unlock(args) => unlock::run(args, global).await,
        Verb::Templates(args) => templates::run(args, global).await,
        Verb::Nodes(args) => nodes::run(args, global).await,
        Verb::User(args) => user::run(args, global).await,
        Verb::Grant(args) => grant::run(args, global).await,
        Verb::Archive(args) => archive::run(args, global).await,
        Verb::Verify(args) => verify::run(args, global).await,
        Verb::History(args) => history::run(*args, global).await,
        Verb::Ledger(args) => ledger::run(args, global).await,
        Verb::Config(args) => config::run(&args, global).await,
        // Done before any thread is started.
        Verb::Serve(_) | Verb::Version | Verb::Help(_) => Ok(ExitCode::SUCCESS),
    }
}
