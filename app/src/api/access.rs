//! Access: users, groups, roles and grants.

use leptos::prelude::*;

use super::ApiError;
use crate::domain::access::Privilege;
pub use crate::domain::access::{AccessPage, PastPage, UserPage};

#[server(prefix = "/api", endpoint = "access/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_access() -> Result<AccessPage, ApiError> {
    use crate::{request, service::access_pages};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access_pages::page(&state, &caller).await?)
    })
    .await
}

/// `None` where there is no such user.
#[server(prefix = "/api", endpoint = "access/user", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_user(name: String) -> Result<Option<UserPage>, ApiError> {
    use crate::{request, service::access_pages};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access_pages::user(&state, &caller, &name).await?)
    })
    .await
}

/// Adds a user. `realm` is one of Proxmox, which checks the password then; anything else is Paddock's own, and the user's page
/// shows the one-time password. `role` is a built-in one for everything, or empty.
#[server(prefix = "/api", endpoint = "access/add-user")]
pub async fn add_user(
    name: String,
    #[server(default)] realm: String,
    #[server(default)] role: String,
) -> Result<(), ApiError> {
    use crate::{request, service::access_pages};
    request::reply(async {
        let (state, caller) = request::context()?;
        request::redirect(&access_pages::add_user(&state, &caller, &name, &realm, &role).await?);
        Ok(())
    })
    .await
}

/// Gives a user a new one-time password, which their page then shows, and ends all their sessions.
#[server(prefix = "/api", endpoint = "access/reset-password")]
pub async fn reset_password(name: String) -> Result<(), ApiError> {
    use crate::{request, service::access_pages};
    request::reply(async {
        let (state, caller) = request::context()?;
        request::redirect(&access_pages::reset_password(&state, &caller, &name).await?);
        Ok(())
    })
    .await
}

/// Disables or enables an account.
#[server(prefix = "/api", endpoint = "access/disable-user")]
pub async fn disable_user(name: String, disabled: bool) -> Result<(), ApiError> {
    use crate::{request, service::users, store::UserChange};
    request::reply(async {
        let (state, caller) = request::context()?;
        let change = UserChange { is_disabled: Some(disabled), ..UserChange::default() };
        Ok(users::change(&state, &caller, &name, change).await?)
    })
    .await
}

/// Sets when an account is over; empty for never.
#[server(prefix = "/api", endpoint = "access/expire-user")]
pub async fn expire_user(name: String, #[server(default)] until: String) -> Result<(), ApiError> {
    use crate::{
        request,
        service::{access_pages, users},
        store::UserChange,
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let change = UserChange { expires_ms: Some(access_pages::end(&until)?), ..UserChange::default() };
        Ok(users::change(&state, &caller, &name, change).await?)
    })
    .await
}

/// Asks an account of Paddock's own for a second factor, or no longer.
#[server(prefix = "/api", endpoint = "access/require-factor")]
pub async fn require_factor(name: String, required: bool) -> Result<(), ApiError> {
    use crate::{request, service::users, store::UserChange};
    request::reply(async {
        let (state, caller) = request::context()?;
        let change = UserChange { factor_required: Some(required), ..UserChange::default() };
        Ok(users::change(&state, &caller, &name, change).await?)
    })
    .await
}

/// Takes the second factor off an account whose user has lost it.
#[server(prefix = "/api", endpoint = "access/remove-factor")]
pub async fn remove_factor(name: String) -> Result<(), ApiError> {
    use crate::{request, service::users};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(users::remove_factor(&state, &caller, &name).await?)
    })
    .await
}

/// Removes an account and goes back to all of them.
#[server(prefix = "/api", endpoint = "access/remove-user")]
pub async fn remove_user(name: String) -> Result<(), ApiError> {
    use crate::{request, service::users};
    request::reply(async {
        let (state, caller) = request::context()?;
        users::remove(&state, &caller, &name).await?;
        request::redirect("/access");
        Ok(())
    })
    .await
}

#[server(prefix = "/api", endpoint = "access/add-group")]
pub async fn add_group(name: String) -> Result<(), ApiError> {
    use crate::{request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access::add_group(&state, &caller, &name).await?)
    })
    .await
}

#[server(prefix = "/api", endpoint = "access/remove-group")]
pub async fn remove_group(name: String) -> Result<(), ApiError> {
    use crate::{request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access::remove_group(&state, &caller, &name).await?)
    })
    .await
}

/// Puts a user into a group, or out of it.
#[server(prefix = "/api", endpoint = "access/set-member")]
pub async fn set_member(group: String, user: String, member: bool) -> Result<(), ApiError> {
    use crate::{request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access::set_member(&state, &caller, &group, &user, member).await?)
    })
    .await
}

/// Makes a role, or gives one that is there other privileges.
#[server(prefix = "/api", endpoint = "access/save-role")]
pub async fn save_role(
    name: String,
    #[server(default)] privileges: Vec<Privilege>,
    #[server(default)] is_new: bool,
) -> Result<(), ApiError> {
    use crate::{request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        let privileges = privileges.into_iter().collect();
        if is_new {
            access::add_role(&state, &caller, &name, privileges).await?;
        } else {
            access::change_role(&state, &caller, &name, privileges).await?;
        }
        Ok(())
    })
    .await
}

#[server(prefix = "/api", endpoint = "access/remove-role")]
pub async fn remove_role(name: String) -> Result<(), ApiError> {
    use crate::{request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access::remove_role(&state, &caller, &name).await?)
    })
    .await
}

/// Gives a role on a scope. `holder` is `user:NAME` or `group:NAME`; `until` is when it is over, empty for never.
#[server(prefix = "/api", endpoint = "access/add-grant")]
pub async fn add_grant(
    holder: String,
    role: String,
    scope: String,
    #[server(default)] until: String,
) -> Result<(), ApiError> {
    use crate::{
        request,
        service::{
            access::{self, GrantForm},
            access_pages,
        },
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let form = GrantForm {
            holder: access::holder(&holder)?,
            role: &role,
            scope: &scope,
            expires_ms: access_pages::end(&until)?,
        };
        Ok(access::add_grant(&state, &caller, &form).await?)
    })
    .await
}

/// Takes a grant back.
#[server(prefix = "/api", endpoint = "access/remove-grant")]
pub async fn remove_grant(id: i64) -> Result<(), ApiError> {
    use crate::{domain::access::GrantId, request, service::access};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access::remove_grant(&state, &caller, GrantId(id)).await?)
    })
    .await
}

/// Who had which role at a time, empty for now, and what was changed. `user`: of one alone. `before`: only changes before that
/// number of the ledger.
#[server(prefix = "/api", endpoint = "access/past", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_past(
    #[server(default)] at: String,
    #[server(default)] user: String,
    #[server(default)] before: Option<i64>,
) -> Result<PastPage, ApiError> {
    use crate::{
        request,
        service::access_past::{self, PastQuery},
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(access_past::page(&state, &caller, &PastQuery { at, user, before }).await?)
    })
    .await
}
