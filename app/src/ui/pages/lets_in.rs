//! What lets somebody in, for themselves and for those who may look: their sessions and API tokens.

use leptos::{either::Either, prelude::*};

use crate::{
    api::sessions::{SessionInfo, TokenInfo},
    domain::{
        account::{SessionId, TokenId},
        words,
    },
    ui::components::{ago::Ago, table::Table},
};

const MINUTE: i64 = 60_000;

/// `end` makes the button that ends the session of that browser, where one may.
pub fn sessions(
    list: Vec<SessionInfo>,
    now_ms: i64,
    end: Option<impl Fn(SessionId, String) -> AnyView + Send + 'static>,
) -> AnyView {
    if list.is_empty() {
        return view! { <p class="meta">"Logged in nowhere."</p> }.into_any();
    }
    let action = end.is_some().then_some("End");
    let row = move |session: SessionInfo| {
        let control = end.as_ref().map(|end| {
            let control = match session.is_this {
                true => Either::Left(view! { <span class="meta">"this one"</span> }),
                false => Either::Right(end(session.id, session.device.clone())),
            };
            view! { <td class="c-action">{control}</td> }
        });
        view! {
            <tr>
                <th scope="row" class="strong">
                    {session.device}
                </th>
                <td class="mono" data-label="Address">
                    {session.address.unwrap_or_else(|| "-".to_owned())}
                </td>
                <td data-label="Since">
                    <Ago at_ms=session.begun_ms now_ms />
                </td>
                <td data-label="Last seen">
                    <Ago at_ms=session.seen_ms now_ms />
                </td>
                {control}
            </tr>
        }
    };
    view! {
        <Table columns=&["Browser", "Address", "Since", "Last seen"] action>
            {list.into_iter().map(row).collect_view()}
        </Table>
    }
    .into_any()
}

/// `remove` makes the button that removes the token of that name, where one may.
pub fn tokens(
    list: Vec<TokenInfo>,
    now_ms: i64,
    remove: Option<impl Fn(TokenId, String) -> AnyView + Send + 'static>,
) -> AnyView {
    if list.is_empty() {
        return view! { <p class="meta">"None yet."</p> }.into_any();
    }
    let action = remove.is_some().then_some("Remove");
    let row = move |token: TokenInfo| {
        let control = remove.as_ref().map(|remove| {
            let control = remove(token.id, token.name.clone());
            view! { <td class="c-action">{control}</td> }
        });
        let is_over = token.expires_ms <= now_ms;
        let ends = match is_over {
            true => Either::Left("over"),
            false => Either::Right(words::until(token.expires_ms / MINUTE * MINUTE)),
        };
        let used = match token.used_ms {
            None => Either::Left("never"),
            Some(at_ms) => Either::Right(view! { <Ago at_ms now_ms /> }),
        };
        let from =
            token.used_address.map(|address| view! { <span class="meta">{format!("from {address}")}</span> });
        view! {
            <tr class:is-over=is_over>
                <th scope="row" class="strong long">
                    {token.name}
                </th>
                <td class="mono long" data-label="Privileges">
                    {token.limit.privileges.words()}
                </td>
                <td class="mono long" data-label="On">
                    {token.limit.scope.to_string()}
                </td>
                <td data-label="Ends">{ends}</td>
                <td class="two" data-label="Last used">
                    {used}
                    {from}
                </td>
                {control}
            </tr>
        }
    };
    view! {
        <Table columns=&["Name", "Privileges", "On", "Ends", "Last used"] action>
            {list.into_iter().map(row).collect_view()}
        </Table>
    }
    .into_any()
}
