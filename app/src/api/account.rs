//! One's own account: log in, log out, change the password, and what the frame of every page shows.

use leptos::prelude::*;

use super::{AccountError, ApiError, LogInError};
pub use crate::domain::view::Frame;

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

/// Logs in and goes to `next`, a path of this site, or to the guests; or to where the second factor is asked for. `realm` is one
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
    use crate::{request, service::realms};
    request::reply(async {
        request::logged_in(realms::answer(&request::visit()?, &code).await?);
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
        request::redirect("/guests");
        Ok(())
    })
    .await
}
