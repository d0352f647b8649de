//! What an entry of the ledger tells of.

use std::str::FromStr;

/// What happened. The texts are in the ledger for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The first entry: from here on everything is recorded.
    LedgerBegun,
    OperationBegun,
    /// It goes on with another guest id and plan.
    OperationMoved,
    /// Somebody asked for its end; which end that brought about, its own entry tells.
    CancelRequested,
    OperationEnded,
    /// Somebody lacked the privilege.
    ActionDenied,
    /// It could not be done as things stood.
    ActionRefused,
    LoggedIn,
    LogInFailed,
    SessionEnded,
    PasswordChanged,
    /// A second factor was set up.
    FactorAdded,
    FactorRemoved,
    /// A recovery code took the place of a code.
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    UserAdded,
    PasswordReset,
    /// Disabled, enabled, or given an end.
    UserChanged,
    UserRemoved,
    GroupAdded,
    /// Somebody was put into it or out of it.
    GroupChanged,
    GroupRemoved,
    RoleAdded,
    RoleChanged,
    RoleRemoved,
    GrantAdded,
    GrantRemoved,
    /// All there is of users, groups, roles and grants, where the ledger did not tell it.
    AccessNoted,
    /// An API token.
    TokenAdded,
    TokenRemoved,
    SettingsChanged,
    ServerStarted,
    ServerStopped,
    Archived,
    /// The record was found damaged.
    DamageFound,
}

impl EntryKind {
    pub const ALL: [Self; 35] = [
        Self::LedgerBegun,
        Self::OperationBegun,
        Self::OperationMoved,
        Self::CancelRequested,
        Self::OperationEnded,
        Self::ActionDenied,
        Self::ActionRefused,
        Self::LoggedIn,
        Self::LogInFailed,
        Self::SessionEnded,
        Self::PasswordChanged,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesRenewed,
        Self::UserAdded,
        Self::PasswordReset,
        Self::UserChanged,
        Self::UserRemoved,
        Self::GroupAdded,
        Self::GroupChanged,
        Self::GroupRemoved,
        Self::RoleAdded,
        Self::RoleChanged,
        Self::RoleRemoved,
        Self::GrantAdded,
        Self::GrantRemoved,
        Self::AccessNoted,
        Self::TokenAdded,
        Self::TokenRemoved,
        Self::SettingsChanged,
        Self::ServerStarted,
        Self::ServerStopped,
        Self::Archived,
        Self::DamageFound,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LedgerBegun => "ledger-begun",
            Self::OperationBegun => "operation-begun",
            Self::OperationMoved => "operation-moved",
            Self::CancelRequested => "cancel-requested",
            Self::OperationEnded => "operation-ended",
            Self::ActionDenied => "action-denied",
            Self::ActionRefused => "action-refused",
            Self::LoggedIn => "logged-in",
            Self::LogInFailed => "log-in-failed",
            Self::SessionEnded => "session-ended",
            Self::PasswordChanged => "password-changed",
            Self::FactorAdded => "factor-added",
            Self::FactorRemoved => "factor-removed",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::RecoveryCodesRenewed => "recovery-codes-renewed",
            Self::UserAdded => "user-added",
            Self::PasswordReset => "password-reset",
            Self::UserChanged => "user-changed",
            Self::UserRemoved => "user-removed",
            Self::GroupAdded => "group-added",
            Self::GroupChanged => "group-changed",
            Self::GroupRemoved => "group-removed",
            Self::RoleAdded => "role-added",
            Self::RoleChanged => "role-changed",
            Self::RoleRemoved => "role-removed",
            Self::GrantAdded => "grant-added",
            Self::GrantRemoved => "grant-removed",
            Self::AccessNoted => "access-noted",
            Self::TokenAdded => "token-added",
            Self::TokenRemoved => "token-removed",
            Self::SettingsChanged => "settings-changed",
            Self::ServerStarted => "server-started",
            Self::ServerStopped => "server-stopped",
            Self::Archived => "archived",
            Self::DamageFound => "damage-found",
        }
    }
}

/// The text names no kind of entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no kind of entry in the ledger")]
pub struct UnknownKind(pub String);

impl FromStr for EntryKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
