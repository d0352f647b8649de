//! One's own account: where one is logged in, API tokens, and the way to the password.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use super::{access::Boxes, lets_in};
use crate::{
    api::sessions::{
        AddToken, EndOtherSessions, EndSession, RemoveToken, SessionInfo, TokenInfo, list_sessions,
        list_tokens, told_token,
    },
    domain::{
        access::{BuiltIn, Privileges},
        account::{SessionId, TokenId},
        action::Field,
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            command::Copy,
            field::{FieldError, TextField},
            frame::Me,
            loaded::{ActionProblem, Loaded},
        },
        live::Live,
        reply::reply,
    },
};

#[component]
pub fn AccountPage() -> impl IntoView {
    let (live, me) = (expect_context::<Live>(), expect_context::<Me>());
    let (end, end_others) = (ServerAction::<EndSession>::new(), ServerAction::<EndOtherSessions>::new());
    let (add, remove) = (ServerAction::<AddToken>::new(), ServerAction::<RemoveToken>::new());
    let ended = move || end.version().get() + end_others.version().get();
    let sessions = reply(move || (live.version(), ended()), |_| list_sessions());
    let changed = move || add.version().get() + remove.version().get();
    let tokens = reply(move || (live.version(), changed()), |_| list_tokens());
    let told = reply(changed, |_| told_token());
    let add_error = move || add.value().get().and_then(Result::err);
    let error = Signal::derive(move || {
        let first =
            end.value().get().and_then(Result::err).or(end_others.value().get().and_then(Result::err));
        first.or(remove.value().get().and_then(Result::err)).or_else(add_error)
    });
    view! {
        <Title text="Account" />
        <div class="person">
            <header class="head">
                <h1>"Account"</h1>
                <div class="actions">
                    <a class="button" href="/account/factor">
                        "Second factor"
                    </a>
                    <a class="button" href="/account/password">
                        "Change password"
                    </a>
                </div>
            </header>
            <ActionProblem error />
            <section class="panel">
                <h2>"Sessions"</h2>
                <p class="meta">
                    "Where you are logged in. What the browser is called is its own word for itself."
                </p>
                <Loaded reply=sessions let:sessions>
                    {session_table(sessions, me.now_ms(), end, end_others)}
                </Loaded>
            </section>
            <section class="panel">
                <h2>"API tokens"</h2>
                <p class="meta">
                    "A program sends one as “Authorization: Bearer …”. It may do what it names of what you may do."
                </p>
                <Loaded reply=told let:bearer>
                    {(!bearer.is_empty()).then(|| told_banner(bearer)).into_any()}
                </Loaded>
                <Loaded reply=tokens let:tokens>
                    {token_table(tokens, me.now_ms(), remove)}
                </Loaded>
                <NewToken add />
            </section>
        </div>
    }
}

fn told_banner(bearer: String) -> impl IntoView {
    view! {
        <Banner tone=Tone::Info title="Your new token">
            <p>
                "Copy it now: it is shown in this session alone, for two minutes, and kept nowhere."
            </p>
            <p class="one-time">
                <code class="long">{bearer.clone()}</code>
                <Copy text=bearer what="the token" />
            </p>
        </Banner>
    }
}

fn session_table(
    sessions: Vec<SessionInfo>,
    now_ms: i64,
    end: ServerAction<EndSession>,
    end_others: ServerAction<EndOtherSessions>,
) -> AnyView {
    let all = sessions.iter().any(|session| !session.is_this).then(|| {
        view! {
            <div class="row-forms">
                <ActionForm action=end_others>
                    <button class="button" type="submit">
                        "End all others"
                    </button>
                </ActionForm>
            </div>
        }
    });
    let end_one = move |id: SessionId, device: String| {
        view! {
            <ActionForm action=end>
                <input type="hidden" name="id" value=id.to_string() />
                <button class="button small" type="submit" aria-label=format!("End {}", device)>
                    "End"
                </button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        {lets_in::sessions(sessions, now_ms, Some(end_one))}
        {all}
    }
    .into_any()
}

fn token_table(tokens: Vec<TokenInfo>, now_ms: i64, remove: ServerAction<RemoveToken>) -> AnyView {
    let remove_one = move |id: TokenId, token: String| {
        view! {
            <ActionForm action=remove>
                <input type="hidden" name="id" value=id.to_string() />
                <button
                    class="button small danger-text"
                    type="submit"
                    aria-label=format!("Remove {}", token)
                >
                    "Remove"
                </button>
            </ActionForm>
        }
        .into_any()
    };
    lets_in::tokens(tokens, now_ms, Some(remove_one))
}

#[component]
fn NewToken(add: ServerAction<AddToken>) -> impl IntoView {
    let at = move |field: Field| -> FieldError {
        Signal::derive(move || {
            let error = add.value().get().and_then(Result::err)?;
            match error {
                crate::api::ApiError::Refused(refusal) if refusal.field() == Some(field) => {
                    Some(refusal.to_string())
                }
                _ => None,
            }
        })
    };
    let usual: Privileges = BuiltIn::Viewer.privileges();
    view! {
        <details class="more">
            <summary>"New token"</summary>
            <ActionForm action=add attr:class="form">
                <TextField id="token-name" name="name" label="Name" error=at(Field::Token) />
                <TextField
                    id="token-scope"
                    name="scope"
                    label="On"
                    hint="everything, backend:NAME, pool:NAME, tag:NAME or guest:BACKEND/NAME; empty for everything."
                    error=at(Field::Scope)
                />
                <TextField
                    id="token-days"
                    name="days"
                    label="Days"
                    hint="1 to 365; empty for 90."
                    error=at(Field::Expires)
                />
                <Boxes held=usual />
                <button class="button primary" type="submit">
                    "Make token"
                </button>
            </ActionForm>
        </details>
    }
}
