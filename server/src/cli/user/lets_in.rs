//! `paddock user sessions`, `end-sessions`, `tokens`, `remove-token`: what lets somebody in.

use app::{
    domain::{
        account::{SessionInfo, TokenId, TokenInfo},
        words,
    },
    service::{sessions, tokens},
};
use serde::Serialize;

use super::super::{
    act::cannot_print,
    desk::Desk,
    exit::CliError,
    output::{self, Row, tell},
};

/// A session that goes on.
#[derive(Debug, Serialize)]
struct SessionRow {
    id: i64,
    /// What the browser says of itself.
    device: String,
    address: Option<String>,
    /// Milliseconds since 1970.
    begun_ms: i64,
    seen_ms: i64,
}

impl From<SessionInfo> for SessionRow {
    fn from(info: SessionInfo) -> Self {
        let SessionInfo { id, device, address, begun_ms, seen_ms, .. } = info;
        Self { id: id.0, device, address, begun_ms, seen_ms }
    }
}

impl Row for SessionRow {
    const COLUMNS: &'static [&'static str] = &["ID", "DEVICE", "ADDRESS", "BEGUN", "LAST SEEN"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.device.clone(),
            self.address.clone().unwrap_or_else(|| "-".to_owned()),
            words::exact(self.begun_ms),
            words::exact(self.seen_ms),
        ]
    }
}

/// An API token.
#[derive(Debug, Serialize)]
struct TokenRow {
    id: i64,
    name: String,
    privileges: String,
    scope: String,
    /// Milliseconds since 1970.
    created_ms: i64,
    expires_ms: i64,
    used_ms: Option<i64>,
    used_address: Option<String>,
}

impl From<TokenInfo> for TokenRow {
    fn from(info: TokenInfo) -> Self {
        Self {
            id: info.id.0,
            name: info.name,
            privileges: info.limit.privileges.to_string(),
            scope: info.limit.scope.to_string(),
            created_ms: info.created_ms,
            expires_ms: info.expires_ms,
            used_ms: info.used_ms,
            used_address: info.used_address,
        }
    }
}

impl Row for TokenRow {
    const COLUMNS: &'static [&'static str] = &["ID", "NAME", "SCOPE", "PRIVILEGES", "EXPIRES", "LAST USED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.scope.clone(),
            self.privileges.clone(),
            words::exact(self.expires_ms),
            self.used_ms.map_or_else(|| "never".to_owned(), words::exact),
        ]
    }
}

pub(super) async fn list_sessions(desk: &Desk, name: &str) -> Result<(), CliError> {
    let sessions = sessions::of_user(&desk.state, &desk.caller, name).await?;
    let rows: Vec<SessionRow> = sessions.into_iter().map(SessionRow::from).collect();
    output::list(desk.look.format, &rows).map_err(cannot_print)
}

pub(super) async fn end_sessions(desk: &Desk, name: &str) -> Result<(), CliError> {
    match sessions::end_all_of_user(&desk.state, &desk.caller, name).await? {
        0 => tell(&format!("{name} has no session.")),
        1 => tell(&format!("The session of {name} is over.")),
        count => tell(&format!("The {count} sessions of {name} are over.")),
    }
    Ok(())
}

pub(super) async fn list_tokens(desk: &Desk, name: &str) -> Result<(), CliError> {
    let tokens = tokens::of_user(&desk.state, &desk.caller, name).await?;
    let rows: Vec<TokenRow> = tokens.into_iter().map(TokenRow::from).collect();
    output::list(desk.look.format, &rows).map_err(cannot_print)
}

pub(super) async fn remove_token(desk: &Desk, name: &str, id: i64) -> Result<(), CliError> {
    tokens::remove_of_user(&desk.state, &desk.caller, name, TokenId(id)).await?;
    tell(&format!("Token {id} of {name} is removed."));
    Ok(())
}
