//! The document and its routes.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use super::{
    clock::Clock,
    components::frame::FramePage,
    pages::{lazy, login::LogInPage, not_found::NotFoundPage},
    rail, theme,
};

/// The document around the app. Only ever made on the server.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-theme=theme::of_request().attribute()
            data-rail=rail::of_request().attribute()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet id="leptos" options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Every page is sent whole (`Async`), so that nothing in it waits for a script.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    theme::provide();
    rail::provide();
    Clock::provide();
    let ssr = SsrMode::Async;
    let of_tabs = ssr.clone();
    let title =
        |page: String| if page.is_empty() { "Paddock".to_owned() } else { format!("{page} · Paddock") };
    view! {
        <Title formatter=title />
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=LogInPage ssr=ssr.clone() />
                <Route path=path!("/login/factor") view=lazy::Factor::new() ssr=ssr.clone() />
                <Route path=path!("/account/password") view=lazy::Password::new() ssr=ssr.clone() />
                <Route
                    path=path!("/account/factor")
                    view=lazy::AccountFactor::new()
                    ssr=ssr.clone()
                />
                <ParentRoute path=path!("") view=FramePage ssr=ssr.clone()>
                    <Route path=path!("/") view=lazy::Dashboard::new() ssr=ssr.clone() />
                    <Route path=path!("/nodes") view=lazy::Nodes::new() ssr=ssr.clone() />
                    <Route path=path!("/nodes/:name") view=lazy::Node::new() ssr=ssr.clone() />
                    <Route path=path!("/account") view=lazy::Account::new() ssr=ssr.clone() />
                    <Route path=path!("/guests") view=lazy::Guests::new() ssr=ssr.clone() />
                    <Route path=path!("/guests/new") view=lazy::NewGuest::new() ssr=ssr.clone() />
                    <Route
                        path=path!("/guests/new/plan")
                        view=lazy::CheckNewGuest::new()
                        ssr=ssr.clone()
                    />
                    <Route path=path!("/guests/plan") view=lazy::PlanAll::new() ssr=ssr.clone() />
                    // The page itself shows the tab that the address is about, so that its head stays where it is.
                    <ParentRoute
                        path=path!("/guests/:backend/:name")
                        view=lazy::Guest::new()
                        ssr=ssr.clone()
                    >
                        <Route path=path!("") view=|| () ssr=of_tabs.clone() />
                        <Route path=path!("timeline") view=|| () ssr=of_tabs.clone() />
                        <Route path=path!("configuration") view=|| () ssr=of_tabs.clone() />
                        <Route path=path!("snapshots") view=|| () ssr=of_tabs.clone() />
                        <Route path=path!("exec") view=|| () ssr=of_tabs />
                    </ParentRoute>
                    <Route
                        path=path!("/guests/:backend/:name/do/:action")
                        view=lazy::ActForm::new()
                        ssr=ssr.clone()
                    />
                    <Route
                        path=path!("/guests/:backend/:name/plan/:action")
                        view=lazy::Plan::new()
                        ssr=ssr.clone()
                    />
                    <Route path=path!("/history") view=lazy::History::new() ssr=ssr.clone() />
                    <Route path=path!("/history/:id") view=lazy::Operation::new() ssr=ssr.clone() />
                    <Route
                        path=path!("/history/:id/again")
                        view=lazy::Again::new()
                        ssr=ssr.clone()
                    />
                    <Route path=path!("/access") view=lazy::Users::new() ssr=ssr.clone() />
                    <Route
                        path=path!("/access/users/:name")
                        view=lazy::User::new()
                        ssr=ssr.clone()
                    />
                    <Route path=path!("/access/groups") view=lazy::Groups::new() ssr=ssr.clone() />
                    <Route path=path!("/access/roles") view=lazy::Roles::new() ssr=ssr.clone() />
                    <Route path=path!("/access/grants") view=lazy::Grants::new() ssr=ssr.clone() />
                    <Route path=path!("/access/history") view=lazy::Past::new() ssr=ssr />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
