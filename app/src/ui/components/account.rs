//! At the foot of the rail: who is logged in, the theme, password and log out.

use leptos::{prelude::*, server_fn::ServerFn as _};

use super::icon::{Glyph, Icon};
use crate::{
    api::account::{Frame, LogOut},
    ui::theme::{self, Theme},
};

#[component]
pub fn Account(frame: Frame) -> impl IntoView {
    view! {
        <p class="who">
            <span class="avatar" aria-hidden="true">
                {frame.username.chars().next().map(String::from)}
            </span>
            <span class="who-words">
                <span class="strong">{frame.username}</span>
                <span class="meta">{frame.roles}</span>
            </span>
        </p>
        <a class="account-link" href="/account" title="Sessions and tokens">
            <Icon glyph=Glyph::Screen />
            <span class="account-words">"Sessions and tokens"</span>
        </a>
        <a class="account-link" href="/account/password" title="Change password">
            <Icon glyph=Glyph::Key />
            <span class="account-words">"Change password"</span>
        </a>
        <LogOutForm>
            <button class="account-link" type="submit" title="Log out">
                <Icon glyph=Glyph::Exit />
                <span class="account-words">"Log out"</span>
            </button>
        </LogOutForm>
    }
}

/// Around the button that logs out. A plain form, as a whole new document comes after it in any case.
#[component]
pub fn LogOutForm(children: Children) -> impl IntoView {
    view! {
        <form method="post" action=LogOut::PATH>
            {children()}
        </form>
    }
}

/// A plain form, as the theme is an attribute of the whole document.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let current = theme::of_request();
    let choice = |theme: Theme| {
        let (glyph, label) = match theme {
            Theme::System => (Glyph::Screen, "As the system"),
            Theme::Light => (Glyph::Sun, "Light"),
            Theme::Dark => (Glyph::Moon, "Dark"),
        };
        view! {
            <button
                name="theme"
                value=theme.as_str()
                aria-label=label
                title=label
                aria-pressed=if theme == current { "true" } else { "false" }
            >
                <Icon glyph />
            </button>
        }
    };
    view! {
        <form class="theme" method="post" action="/theme" aria-label="Theme">
            {Theme::ALL.map(choice).into_iter().collect_view()}
        </form>
    }
}
