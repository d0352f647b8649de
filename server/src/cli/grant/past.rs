//! `paddock grant at`, `changes`: who had which role when, as the ledger has it.

use app::{
    domain::{
        access::{Held, PastPage, Recorded},
        words,
    },
    service::access_past::{self, PastQuery},
};
use serde::Serialize;

use super::super::{
    act::cannot_print,
    desk::Desk,
    exit::CliError,
    output::{self, Row, or_dash, tell},
};

/// What somebody held by one grant.
#[derive(Debug, Serialize)]
struct HeldRow {
    user: String,
    role: String,
    privileges: String,
    scope: String,
    /// The group that had the grant.
    group: Option<String>,
    grant: i64,
    /// Milliseconds since 1970.
    expires_ms: Option<i64>,
    given_ms: i64,
    given_by: Option<String>,
    /// Why it was of no use.
    idle: Option<&'static str>,
}

impl From<Held> for HeldRow {
    fn from(held: Held) -> Self {
        Self {
            user: held.user,
            role: held.role.to_string(),
            privileges: held.privileges.to_string(),
            scope: held.scope.to_string(),
            group: held.group,
            grant: held.grant.0,
            expires_ms: held.expires_ms,
            given_ms: held.given_ms,
            given_by: held.given_by,
            idle: held.idle.map(app::domain::access::Idle::words),
        }
    }
}

impl Row for HeldRow {
    const COLUMNS: &'static [&'static str] =
        &["USER", "ROLE", "SCOPE", "BY GROUP", "GRANT", "UNTIL", "PRIVILEGES", "BUT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.user.clone(),
            self.role.clone(),
            self.scope.clone(),
            or_dash(self.group.clone()),
            self.grant.to_string(),
            self.expires_ms.map_or_else(|| "never".to_owned(), words::exact),
            self.privileges.clone(),
            self.idle.unwrap_or("-").to_owned(),
        ]
    }
}

/// A change of users, groups, roles or grants.
#[derive(Debug, Serialize)]
struct ChangeRow {
    /// Its number in the ledger.
    seq: i64,
    /// Milliseconds since 1970.
    at_ms: i64,
    actor: Option<String>,
    address: Option<String>,
    what: String,
}

impl From<Recorded> for ChangeRow {
    fn from(recorded: Recorded) -> Self {
        let what = recorded.change.words();
        let Recorded { seq, at_ms, actor, address, .. } = recorded;
        Self { seq, at_ms, actor, address, what }
    }
}

impl Row for ChangeRow {
    const COLUMNS: &'static [&'static str] = &["SEQ", "TIME", "ACTOR", "ADDRESS", "WHAT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            words::exact(self.at_ms),
            or_dash(self.actor.clone()),
            or_dash(self.address.clone()),
            self.what.clone(),
        ]
    }
}

pub(super) async fn at(desk: &Desk, moment: String, user: Option<String>) -> Result<(), CliError> {
    let query = PastQuery { at: moment, user: user.unwrap_or_default(), before: None };
    let page = access_past::page(&desk.state, &desk.caller, &query).await?;
    warn(&page);
    let at_ms = page.at.map_err(|why| CliError::Usage(format!("{why} Nothing was done.")))?;
    tell(&format!("As of {}:", words::exact(at_ms)));
    let rows: Vec<HeldRow> = page.held.into_iter().map(HeldRow::from).collect();
    output::list(desk.look.format, &rows).map_err(cannot_print)
}

pub(super) async fn changes(desk: &Desk, user: Option<String>, before: Option<i64>) -> Result<(), CliError> {
    let query = PastQuery { user: user.unwrap_or_default(), before, ..PastQuery::default() };
    let page = access_past::page(&desk.state, &desk.caller, &query).await?;
    warn(&page);
    let rows: Vec<ChangeRow> = page.changes.into_iter().map(ChangeRow::from).collect();
    output::list(desk.look.format, &rows).map_err(cannot_print)?;
    if let Some(older) = page.older {
        tell(&format!("There are older ones: --before {older}"));
    }
    Ok(())
}

/// How far back it goes, and what is wrong with it.
fn warn(page: &PastPage) {
    match page.since {
        Some(since) => tell(&format!("Known since {}, {}.", words::exact(since.at_ms), since.why.words())),
        None => tell("Nothing is known of the past: the ledger does not tell it."),
    }
    for seq in &page.unreadable {
        tell(&format!(
            "Entry {seq} of the ledger cannot be read, so that this may be wrong; see paddock verify."
        ));
    }
    if let Some(first) = page.differences.first() {
        let more = page.differences.len() - 1;
        tell(&format!(
            "Somebody changed the database outside Paddock: {first}, and {more} more. What is told is what the ledger says."
        ));
    }
}
