//! What can be done with somebody's account: what lets them in is ended, and the account itself changed.

use leptos::{form::ActionForm, prelude::*};

use crate::{
    api::{
        ApiError,
        access::{DisableUser, ExpireUser, RemoveFactor, RemoveUser, RequireFactor, ResetPassword},
        sessions::{EndUserSession, EndUserSessions, RemoveUserToken},
    },
    domain::{
        access::{LetsIn, UserRow},
        account::{SessionId, TokenId},
        words,
    },
    ui::{components::field::TextField, pages::lets_in},
};

/// What is done on the page.
#[derive(Clone, Copy)]
pub struct Changes {
    reset: ServerAction<ResetPassword>,
    disable: ServerAction<DisableUser>,
    expire: ServerAction<ExpireUser>,
    require_factor: ServerAction<RequireFactor>,
    remove_factor: ServerAction<RemoveFactor>,
    remove: ServerAction<RemoveUser>,
    end: ServerAction<EndUserSession>,
    end_all: ServerAction<EndUserSessions>,
    remove_token: ServerAction<RemoveUserToken>,
}

impl Changes {
    pub fn new() -> Self {
        Self {
            reset: ServerAction::new(),
            disable: ServerAction::new(),
            expire: ServerAction::new(),
            require_factor: ServerAction::new(),
            remove_factor: ServerAction::new(),
            remove: ServerAction::new(),
            end: ServerAction::new(),
            end_all: ServerAction::new(),
            remove_token: ServerAction::new(),
        }
    }

    /// How many there were that leave the page as it is.
    pub fn count(self) -> usize {
        let account = self.reset.version().get() + self.disable.version().get() + self.expire.version().get();
        let factor = self.require_factor.version().get() + self.remove_factor.version().get();
        account
            + factor
            + self.end.version().get()
            + self.end_all.version().get()
            + self.remove_token.version().get()
    }

    /// Why one could not be made.
    pub fn error(self) -> Option<ApiError> {
        let account = self.remove.value().get().and_then(Result::err);
        let account = account.or(self.disable.value().get().and_then(Result::err));
        let account = account.or(self.expire.value().get().and_then(Result::err));
        let account = account.or(self.reset.value().get().and_then(Result::err));
        let account = account.or(self.require_factor.value().get().and_then(Result::err));
        let account = account.or(self.remove_factor.value().get().and_then(Result::err));
        let sessions = self.end.value().get().and_then(Result::err);
        let sessions = sessions.or(self.end_all.value().get().and_then(Result::err));
        account.or(sessions).or(self.remove_token.value().get().and_then(Result::err))
    }
}

/// Where they are logged in, and their API tokens.
#[component]
pub fn WhatLetsIn(
    name: String,
    lets_in: LetsIn,
    now_ms: i64,
    may_change: bool,
    changes: Changes,
) -> impl IntoView {
    let Changes { end, end_all, remove_token, .. } = changes;
    let LetsIn { sessions, tokens } = lets_in;
    let name = StoredValue::new(name);
    let hidden = move || view! { <input type="hidden" name="name" value=name.get_value() /> };
    let end_one = may_change.then_some(move |id: SessionId, device: String| {
        view! {
            <ActionForm action=end>
                {hidden()} <input type="hidden" name="id" value=id.to_string() />
                <button
                    class="button small"
                    type="submit"
                    aria-label=format!("End {} of {}", device, name.get_value())
                >
                    "End"
                </button>
            </ActionForm>
        }
        .into_any()
    });
    let remove_one = may_change.then_some(move |id: TokenId, token: String| {
        view! {
            <ActionForm action=remove_token>
                {hidden()} <input type="hidden" name="id" value=id.to_string() />
                <button
                    class="button small danger-text"
                    type="submit"
                    aria-label=format!("Remove {} of {}", token, name.get_value())
                >
                    "Remove"
                </button>
            </ActionForm>
        }
        .into_any()
    });
    let all = (may_change && !sessions.is_empty()).then(|| {
        view! {
            <ActionForm action=end_all>
                {hidden()} <button class="button small" type="submit">
                    "End all"
                </button>
            </ActionForm>
        }
    });
    view! {
        <section class="panel" aria-labelledby="sessions">
            <div class="panel-head">
                <h2 id="sessions">"Sessions"</h2>
                {all}
            </div>
            {lets_in::sessions(sessions, now_ms, end_one)}
        </section>
        <section class="panel" aria-labelledby="tokens">
            <h2 id="tokens">"API tokens"</h2>
            {lets_in::tokens(tokens, now_ms, remove_one)}
        </section>
    }
}

#[component]
pub fn Controls(user: UserRow, changes: Changes) -> impl IntoView {
    let Changes { reset, disable, expire, remove, require_factor, remove_factor, .. } = changes;
    let name = StoredValue::new(user.name);
    let hidden = move || view! { <input type="hidden" name="name" value=name.get_value() /> };
    // In a form all times are UTC.
    let ends = user.expires_ms.map(words::until).unwrap_or_default().replace(" UTC", "");
    let is_disabled = user.is_disabled;
    let reset = (user.realm == "local").then(|| {
        view! {
            <ActionForm action=reset>
                {hidden()} <button class="button" type="submit">
                    "New one-time password"
                </button>
            </ActionForm>
        }
    });
    let is_required = user.factor_required;
    let require_factor = (user.realm == "local").then(|| {
        view! {
            <ActionForm action=require_factor>
                {hidden()}
                <input
                    type="hidden"
                    name="required"
                    value=if is_required { "false" } else { "true" }
                /> <button class="button" type="submit">
                    {if is_required {
                        "Require no second factor"
                    } else {
                        "Require a second factor"
                    }}
                </button>
            </ActionForm>
        }
    });
    let remove_factor = user.has_factor.then(|| {
        view! {
            <ActionForm action=remove_factor>
                {hidden()} <button class="button" type="submit">
                    "Take off the second factor"
                </button>
            </ActionForm>
        }
    });
    view! {
        <section class="panel" aria-labelledby="manage">
            <h2 id="manage">"Manage the account"</h2>
            <div class="row-forms">
                <ActionForm action=disable>
                    {hidden()}
                    <input
                        type="hidden"
                        name="disabled"
                        value=if is_disabled { "false" } else { "true" }
                    /> <button class="button" type="submit">
                        {if is_disabled { "Enable" } else { "Disable" }}
                    </button>
                </ActionForm>
                {reset}
                {require_factor}
                {remove_factor}
            </div>
            <ActionForm action=expire attr:class="set-end">
                {hidden()}
                <TextField
                    id="until"
                    name="until"
                    label="Ends"
                    value=ends
                    placeholder="never"
                    hint="With the end of a day as in 2026-12-31, or at a time as in 2026-12-31 18:00 (UTC)."
                />
                <button class="button" type="submit">
                    "Set"
                </button>
            </ActionForm>
            <details class="more">
                <summary>"Remove this account"</summary>
                <p class="meta">
                    "Its grants and sessions go with it. What it did stays in the history and the ledger."
                </p>
                <ActionForm action=remove>
                    {hidden()} <button class="button danger" type="submit">
                        {format!("Remove {}", name.get_value())}
                    </button>
                </ActionForm>
            </details>
        </section>
    }
}
