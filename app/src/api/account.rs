//! One's own account: log in, log out, the password, the second factor, and what the frame of every page shows.

use leptos::prelude::*;

use super::{AccountError, ApiError, LogInError};
pub use crate::domain::{account::FactorInfo, view::Frame};

#[server(prefix = "/api", endpoint = "account/frame", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_frame() -> Result<Frame, ApiError> {
    use crate::{request, service::accounts};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(accounts::frame(&state, &caller).await?)
    })
    .await
}

/// The realms of Proxmox that one can log in with; none where there is no Proxmox.
#[server(prefix = "/api", endpoint = "account/realms", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_realms() -> Result<Vec<String>, ApiError> {
    use crate::request;
    request::reply(async { Ok(request::visit()?.state.realms.offered()) }).await
}

/// Logs in and goes to `next`, a path of this site, or to the dashboard; or to where the second factor is asked for. `realm` is one
/// of Proxmox, anything else is Paddock's own; a name that has one itself, `anna@pve`, needs none.
#[server(prefix = "/api", endpoint = "account/log_in")]
pub async fn log_in(
    username: String,
    password: String,
    #[server(default)] next: String,
    #[server(default)] realm: String,
) -> Result<(), LogInError> {
    use crate::{
        request,
        service::{accounts, realms},
    };
    request::reply(async {
        let visit = request::visit()?;
        let username = realms::account(&visit.state, &username, &realm);
        request::logged_in(accounts::log_in(&visit, &username, &password, &next).await?);
        Ok(())
    })
    .await
}

/// Answers with the code of the second factor that the log-in has asked for.
#[server(prefix = "/api", endpoint = "account/factor")]
pub async fn answer_factor(code: String) -> Result<(), LogInError> {
    use crate::{request, service::factors};
    request::reply(async {
        request::logged_in(factors::answer(&request::visit()?, &code).await?);
        Ok(())
    })
    .await
}

#[server(prefix = "/api", endpoint = "account/log_out")]
pub async fn log_out() -> Result<(), ApiError> {
    use crate::{request, service::accounts};
    request::reply(async {
        accounts::log_out(&request::visit()?).await?;
        request::redirect("/login");
        Ok(())
    })
    .await
}

/// Replaces one's own password; every other session of the account ends.
#[server(prefix = "/api", endpoint = "account/password")]
pub async fn change_password(current: String, new: String, repeat: String) -> Result<(), AccountError> {
    use crate::{request, service::accounts};
    request::reply(async {
        let visit = request::visit()?;
        let caller = request::any_caller()?;
        accounts::change_password(&visit, &caller, &current, &new, &repeat).await?;
        request::redirect("/");
        Ok(())
    })
    .await
}

/// The second factor of one's own account; where there is none, what an authenticator is to know, which is shown to nobody else.
#[server(prefix = "/api", endpoint = "account/factor-info", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_factor() -> Result<FactorInfo, ApiError> {
    use crate::{request, service::factors};
    request::reply(async {
        let caller = request::any_caller()?;
        Ok(factors::own(&request::visit()?.state, &caller).await?)
    })
    .await
}

/// Sets up the second factor that [`get_factor`] has shown; every other session of the account ends.
#[server(prefix = "/api", endpoint = "account/factor-add")]
pub async fn add_factor(current: String, code: String) -> Result<(), AccountError> {
    use crate::{request, service::factors};
    request::reply(async {
        factors::set_up(&request::visit()?, &request::any_caller()?, &current, &code).await?;
        request::redirect("/account/factor");
        Ok(())
    })
    .await
}

/// Makes new recovery codes, which [`get_factor`] then tells.
#[server(prefix = "/api", endpoint = "account/factor-codes")]
pub async fn renew_recovery_codes(current: String, code: String) -> Result<(), AccountError> {
    use crate::{request, service::factors};
    request::reply(async {
        factors::renew_codes(&request::visit()?, &request::any_caller()?, &current, &code).await?;
        request::redirect("/account/factor");
        Ok(())
    })
    .await
}

/// Takes off the second factor of one's own account.
#[server(prefix = "/api", endpoint = "account/factor-remove")]
pub async fn remove_own_factor(current: String, code: String) -> Result<(), AccountError> {
    use crate::{request, service::factors};
    request::reply(async {
        factors::remove_own(&request::visit()?, &request::any_caller()?, &current, &code).await?;
        request::redirect("/account/factor");
        Ok(())
    })
    .await
}
