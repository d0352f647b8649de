//! Users, as those who may change them see them: add, disable, give an end, remove, a new one-time password.

use super::{
    AppState, Error,
    accounts::{by, hashed},
    attempts::Attempt,
    realms,
};
use crate::{
    auth::{Caller, password, policy},
    backend::{Realms, now_ms},
    domain::{
        access::{BuiltIn, On, Privilege},
        action::{Field, Refusal},
        failure::FailureKind,
    },
    store::{Changed, LOCAL, NewUser, User, UserChange},
};

/// Longest user name, characters.
const LONGEST: usize = 64;

/// Everybody who may log in. For those who may read it.
pub async fn list(state: &AppState, caller: &Caller) -> Result<Vec<User>, Error> {
    may_read(caller)?;
    Ok(state.store.users().await?)
}

/// The account of that name, or a refusal that says there is none.
pub(super) async fn named(state: &AppState, name: &str) -> Result<User, Error> {
    let name = name.trim();
    match state.store.user_named(name).await? {
        Some(user) => Ok(user),
        None => {
            let message = format!("There is no user {name}. Nothing was changed.");
            Err(Refusal::Field { field: Field::User, message }.into())
        }
    }
}

/// Whoever may change users and rights may read them, and so may auditors.
pub(super) fn may_read(caller: &Caller) -> Result<(), Refusal> {
    policy::decide(caller, Privilege::Users, On::Everything)
        .or_else(|_| policy::decide(caller, Privilege::Audit, On::Everything))
}

/// Records a denial or refusal of a change.
pub(super) async fn changing<T>(
    state: &AppState,
    caller: &Caller,
    attempt: Attempt,
    change: impl AsyncFnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let answer = match policy::decide(caller, Privilege::Users, On::Everything) {
        Ok(()) => {
            let changed = change().await;
            // Also of what other processes do it is heard, only later.
            state.access_changes.ring();
            changed
        }
        Err(denied) => Err(denied.into()),
    };
    attempt.answered(state, caller, answer).await
}

/// What came of a change, for people. `what` names the thing: `user anna`.
pub(super) fn told(changed: Changed, field: Field, what: &str) -> Result<(), Error> {
    let message = match changed {
        Changed::Done => return Ok(()),
        Changed::Missing => format!("There is no {what}. Nothing was changed."),
        Changed::Taken => format!("There is a {what} already. Nothing was changed."),
        Changed::LastAdministrator => {
            "Nobody would be left who may do everything. Nothing was changed; make somebody else administrator of everything \
             first."
                .to_owned()
        }
        Changed::InUse => format!("The {what} is still granted. Nothing was changed; take those grants back first."),
    };
    Err(Refusal::Field { field, message }.into())
}

/// Adds a user and returns the one-time password, which is told nowhere else. The role, if any, is granted on everything.
pub async fn add(
    state: &AppState,
    caller: &Caller,
    name: &str,
    role: Option<BuiltIn>,
) -> Result<String, Error> {
    let username = checked_username(name);
    let attempt = Attempt::new("add-user");
    // A name that can be none is not recorded: it may be a password, typed into the wrong field.
    let attempt = username.as_ref().map_or(attempt.clone(), |name| attempt.on_user(name));
    changing(state, caller, attempt, async || {
        let username = username?;
        let secret = password::one_time();
        let user = NewUser {
            username: username.to_owned(),
            realm: LOCAL.to_owned(),
            password_hash: Some(hashed(secret.clone()).await?),
            role,
            must_change_password: true,
            created_ms: now_ms(),
        };
        let address = caller.address_text();
        let is_new = state.store.add_user(&user, by(caller, &address)).await?;
        told(if is_new { Changed::Done } else { Changed::Taken }, Field::User, &format!("user {username}"))?;
        tracing::info!(user = username, actor = caller.username, "user added");
        Ok(secret)
    })
    .await
}

/// Adds an account of Proxmox, `anna@pve`, whose password Proxmox checks: to give it rights before its first log-in.
pub async fn add_of_realm(
    state: &AppState,
    caller: &Caller,
    account: &str,
    role: Option<BuiltIn>,
) -> Result<(), Error> {
    let account = account.trim();
    let attempt = Attempt::new("add-user");
    let is_account = Realms::is_account(account);
    // As with a user's name: what can be none is not recorded.
    let attempt = if is_account { attempt.on_user(account) } else { attempt };
    changing(state, caller, attempt, async || {
        if !is_account {
            let message =
                "An account of Proxmox is written name@realm: anna@pve. Nothing was changed.".to_owned();
            return Err(Refusal::Field { field: Field::User, message }.into());
        }
        let address = caller.address_text();
        let user = NewUser { role, ..realms::of_realm(account) };
        let is_new = state.store.add_user(&user, by(caller, &address)).await?;
        told(if is_new { Changed::Done } else { Changed::Taken }, Field::User, &format!("user {account}"))?;
        tracing::info!(user = account, actor = caller.username, "account of Proxmox added");
        Ok(())
    })
    .await
}

/// Gives a user a one-time password, which is returned and told nowhere else, and ends all sessions of the account.
pub async fn reset_password(state: &AppState, caller: &Caller, name: &str) -> Result<String, Error> {
    let name = name.trim();
    policy_of_reset(state, caller).await?;
    let secret = password::one_time();
    let hash = hashed(secret.clone()).await?;
    let address = caller.address_text();
    if !state.store.reset_password(name, &hash, by(caller, &address)).await? {
        // The name is not recorded, as with a log-in.
        let why = "There is no such user here. Nothing was changed.";
        Attempt::new("reset-password").failed(state, caller, false, FailureKind::Invalid, why).await;
        let message = format!("There is no user {name} whose password is Paddock's. Nothing was changed.");
        return Err(Refusal::Field { field: Field::User, message }.into());
    }
    state.access_changes.ring();
    tracing::info!(user = name, actor = caller.username, "password reset");
    Ok(secret)
}

async fn policy_of_reset(state: &AppState, caller: &Caller) -> Result<(), Error> {
    let denied = policy::decide(caller, Privilege::Users, On::Everything);
    Attempt::new("reset-password").answered(state, caller, denied.map_err(Error::from)).await
}

/// Takes the second factor off an account whose user has lost it.
pub async fn remove_factor(state: &AppState, caller: &Caller, name: &str) -> Result<(), Error> {
    let name = name.trim();
    changing(state, caller, Attempt::new("remove-factor"), async || {
        let user = named(state, name).await?;
        let address = caller.address_text();
        if !state.store.remove_factor(user.id, by(caller, &address)).await? {
            let message =
                format!("{} has no second factor of Paddock's. Nothing was changed.", user.username);
            return Err(Refusal::Field { field: Field::User, message }.into());
        }
        tracing::info!(user = user.username, actor = caller.username, "second factor removed");
        Ok(())
    })
    .await
}

/// Disables or enables the account, sets when it is over, or whether it must have a second factor.
pub async fn change(state: &AppState, caller: &Caller, name: &str, change: UserChange) -> Result<(), Error> {
    let name = name.trim();
    changing(state, caller, Attempt::new("change-user"), async || {
        if change.factor_required == Some(true) && named(state, name).await?.realm != LOCAL {
            let message = format!("{name} is an account of Proxmox, which asks for its second factor itself. Nothing was changed.");
            return Err(Refusal::Field { field: Field::User, message }.into());
        }
        let address = caller.address_text();
        let changed = state.store.change_user(name, change, by(caller, &address)).await?;
        told(changed, Field::User, &format!("user {name}"))
    })
    .await
}

/// Removes the account with its grants; what it did stays in the history.
pub async fn remove(state: &AppState, caller: &Caller, name: &str) -> Result<(), Error> {
    let name = name.trim();
    changing(state, caller, Attempt::new("remove-user"), async || {
        let address = caller.address_text();
        let changed = state.store.remove_user(name, by(caller, &address)).await?;
        told(changed, Field::User, &format!("user {name}"))
    })
    .await
}

/// Names with an `@` are those of Proxmox's realms.
pub(super) fn checked_username(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(fits) {
        return Ok(name);
    }
    let message = format!(
        "A user name has 1 to {LONGEST} letters, digits, dots, underscores and dashes. Nothing was changed."
    );
    Err(Refusal::Field { field: Field::User, message })
}

#[cfg(test)]
mod tests {
    use super::checked_username;

    #[test]
    fn user_names_are_plain_words() {
        for name in ["anna", "anna.b", " Jörg ", "a-b_c"] {
            assert_eq!(checked_username(name).unwrap(), name.trim());
        }
        for name in ["", " ", "a b", "a\nb", "<b>", "root (cli)", "anna@pve", &"x".repeat(65)] {
            assert!(checked_username(name).is_err(), "{name:?}");
        }
    }
}
