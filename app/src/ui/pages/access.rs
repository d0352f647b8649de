//! Who may do what, and who might when: users, groups, roles, grants and their past, each a tab with an address of its own.

mod account;
mod grants;
mod groups;
mod past;
mod roles;
mod user;
mod users;

pub use grants::GrantsPage;
pub use groups::GroupsPage;
pub use past::PastPage;
pub use roles::{Boxes, RolesPage};
pub use user::UserPage;
pub use users::UsersPage;

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::{
        ApiError,
        access::{AccessPage, get_access},
    },
    domain::words,
    ui::{
        components::loaded::{ActionProblem, Loaded},
        live::Live,
        reply::reply,
    },
};

/// The tabs: address and label.
const TABS: [(&str, &str); 5] = [
    ("/access", "Users"),
    ("/access/groups", "Groups"),
    ("/access/roles", "Roles"),
    ("/access/grants", "Grants"),
    ("/access/history", "History"),
];

/// One tab's page. `changes` counts what was changed here, `error` is why the last change was not made.
#[component]
fn Tab(
    here: &'static str,
    #[prop(into)] changes: Signal<usize>,
    #[prop(into)] error: Signal<Option<ApiError>>,
    content: fn(AccessPage) -> AnyView,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let access = reply(move || (live.version(), changes.get()), |_| get_access());
    view! {
        <Tabs here />
        <ActionProblem error />
        <Loaded reply=access let:access>
            {content(access)}
        </Loaded>
    }
}

/// The head of each of these pages.
#[component]
fn Tabs(here: &'static str) -> impl IntoView {
    let title = TABS.iter().find(|(href, _)| *href == here).map_or("Access", |(_, label)| *label);
    let tab = move |(href, label): (&'static str, &'static str)| {
        view! {
            <a href=href aria-current=(href == here).then_some("page")>
                {label}
            </a>
        }
    };
    view! {
        <Title text=title />
        <header class="head">
            <h1>"Access"</h1>
        </header>
        <nav class="subtabs" aria-label="Access">
            {TABS.map(tab).into_iter().collect_view()}
        </nav>
    }
}

/// When something is over: a time, or never.
fn until(end_ms: Option<i64>) -> String {
    end_ms.map_or_else(|| "never".to_owned(), words::until)
}

/// The page of a user. Names have letters beyond ASCII, too.
fn user_href(name: &str) -> String {
    format!("/access/users/{}", leptos_router::location::Url::escape(name))
}
