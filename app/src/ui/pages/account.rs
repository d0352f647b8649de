//! One's own account: where one is logged in, API tokens, and the way to the password.

use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;

use super::access::Boxes;
use crate::{
    api::sessions::{
        AddToken, EndOtherSessions, EndSession, RemoveToken, SessionInfo, TokenInfo, list_sessions,
        list_tokens, told_token,
    },
    domain::{
        access::{BuiltIn, Privileges},
        action::Field,
        words,
    },
    ui::{
        components::{
            ago::Exact,
            banner::{Banner, Tone},
            command::Copy,
            field::{FieldError, TextField},
            loaded::{ActionProblem, Loaded},
        },
        live::Live,
        reply::reply,
    },
};

#[component]
pub fn AccountPage() -> impl IntoView {
    let live = expect_context::<Live>();
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
        <div class="narrow">
            <header class="head">
                <h1>"Account"</h1>
                <div class="head-actions">
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
                    {session_table(sessions, end, end_others)}
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
                    {token_table(tokens, remove)}
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
    end: ServerAction<EndSession>,
    end_others: ServerAction<EndOtherSessions>,
) -> AnyView {
    let has_others = sessions.iter().any(|session| !session.is_this);
    let row = move |session: SessionInfo| {
        let control = match session.is_this {
            true => Either::Left(view! { <span class="meta">"this one"</span> }),
            false => Either::Right(view! {
                <ActionForm action=end>
                    <input type="hidden" name="id" value=session.id.to_string() />
                    <button class="button" type="submit">
                        "End"
                    </button>
                </ActionForm>
            }),
        };
        view! {
            <tr>
                <th scope="row">{session.device}</th>
                <td class="mono">{session.address.unwrap_or_else(|| "-".to_owned())}</td>
                <td>
                    <Exact at_ms=session.begun_ms />
                </td>
                <td>
                    <Exact at_ms=session.seen_ms />
                </td>
                <td>{control}</td>
            </tr>
        }
    };
    let all = has_others.then(|| {
        view! {
            <ActionForm action=end_others>
                <button class="button" type="submit">
                    "End all others"
                </button>
            </ActionForm>
        }
    });
    view! {
        <table class="plain">
            <thead>
                <tr>
                    <th scope="col">"Browser"</th>
                    <th scope="col">"Address"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"Last seen"</th>
                    <th scope="col">
                        <span class="unseen">"End"</span>
                    </th>
                </tr>
            </thead>
            <tbody>{sessions.into_iter().map(row).collect_view()}</tbody>
        </table>
        {all}
    }
    .into_any()
}

fn token_table(tokens: Vec<TokenInfo>, remove: ServerAction<RemoveToken>) -> AnyView {
    if tokens.is_empty() {
        return view! { <p class="meta">"None yet."</p> }.into_any();
    }
    let row = move |token: TokenInfo| {
        let used = token.used_ms.map_or_else(|| "never".to_owned(), words::exact);
        let from = token.used_address.map(|address| format!(" from {address}"));
        view! {
            <tr>
                <th scope="row" class="long">
                    {token.name}
                </th>
                <td class="mono long">{token.limit.privileges.to_string()}</td>
                <td class="mono long">{token.limit.scope.to_string()}</td>
                <td>
                    <Exact at_ms=token.expires_ms />
                </td>
                <td>{used} {from}</td>
                <td>
                    <ActionForm action=remove>
                        <input type="hidden" name="id" value=token.id.to_string() />
                        <button class="button danger-text" type="submit">
                            "Remove"
                        </button>
                    </ActionForm>
                </td>
            </tr>
        }
    };
    view! {
        <table class="plain">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Privileges"</th>
                    <th scope="col">"On"</th>
                    <th scope="col">"Ends"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col">
                        <span class="unseen">"Remove"</span>
                    </th>
                </tr>
            </thead>
            <tbody>{tokens.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
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
