//! Who uses the command line: somebody who may read the database itself, and so may do everything, or, with `--as`, no more
//! than one user of the dashboard may.

use app::{
    auth::{ActsAs, Caller, policy},
    domain::access::{On, Privilege},
    service,
    store::Store,
};

use super::{
    desk::{Global, os_user},
    exit::CliError,
};
use crate::{data_dir, settings::Settings};

/// The caller; the database is opened for `--as` alone.
pub async fn caller(global: &Global, settings: &Settings) -> Result<Caller, CliError> {
    if global.as_user.is_none() {
        return Ok(Caller::command_line(&os_user()));
    }
    let store = Store::open(&data_dir::prepare(&settings.server.data)?.database).await?;
    let caller = caller_in(global, &store).await;
    store.close().await;
    caller
}

/// As [`caller`], with the database open already.
pub async fn caller_in(global: &Global, store: &Store) -> Result<Caller, CliError> {
    let caller = Caller::command_line(&os_user());
    let Some(name) = &global.as_user else { return Ok(caller) };
    let user = store.user_named(name.trim()).await?;
    let user =
        user.ok_or_else(|| CliError::Usage(format!("--as: There is no user {name}. Nothing was done.")))?;
    let rights = store.rights_of(user.id).await?;
    Ok(Caller {
        username: format!("{} as {}", caller.username, user.username),
        rights: rights.into(),
        acts_as: ActsAs::without_log_in(&user),
        ..caller
    })
}

/// Denied unless the caller has this privilege on everything.
pub fn must_hold(caller: &Caller, privilege: Privilege) -> Result<(), CliError> {
    Ok(policy::decide(caller, privilege, On::Everything).map_err(service::Error::from)?)
}

/// Denied unless the caller has this privilege at one place or another.
pub fn must_hold_somewhere(caller: &Caller, privilege: Privilege) -> Result<(), CliError> {
    Ok(policy::decide(caller, privilege, On::Somewhere).map_err(service::Error::from)?)
}
