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

/// Logs in and goes to `next`, a path of this site, or to the guests.
#[server(prefix = "/api", endpoint = "account/log_in")]
pub async fn log_in(
    username: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), LogInError> {
    use crate::{request, service::accounts};
    request::reply(async {
        let visit = request::visit()?;
        let done = accounts::log_in(&visit, &username, &password, &next).await?;
        if let Some(device) = done.device {
            request::keep_device(&device);
        }
        request::redirect(&done.landing);
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
