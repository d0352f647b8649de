//! Nothing here: what would be, and the one thing to do.

use leptos::{either::Either, prelude::*};

use super::{
    command::CommandLine,
    icon::{Glyph, Icon},
};

/// `whole_page`: there is nothing else on the page, so this is its heading.
#[component]
pub fn Empty(
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(optional)] whole_page: bool,
    children: Children,
) -> impl IntoView {
    let title = if whole_page {
        Either::Left(view! { <h1 class="empty-title">{title}</h1> })
    } else {
        Either::Right(view! { <p class="empty-title">{title}</p> })
    };
    view! {
        <div class="empty">
            <span class="empty-icon">
                <Icon glyph />
            </span>
            {title}
            {children()}
        </div>
    }
}

/// Logged in, and that is all.
#[component]
pub fn WithoutRights(username: String) -> impl IntoView {
    let command = format!("paddock grant add {username} viewer everything");
    view! {
        <Empty glyph=Glyph::Account title="You may do nothing here yet">
            <p>
                {format!(
                    "You are logged in as {username}, and nobody has given this account a right in Paddock. ",
                )} "Ask an administrator of Paddock; whoever is root on the host can do it, too:"
            </p>
            <CommandLine text=command />
        </Empty>
    }
}
