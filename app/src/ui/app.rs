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
    pages::{
        access::{GrantsPage, GroupsPage, RolesPage, UserPage, UsersPage},
        account::AccountPage,
        again::AgainPage,
        factor::FactorPage,
        guest::GuestPage,
        guest_new::NewGuestPage,
        guests::GuestsPage,
        history::HistoryPage,
        login::LogInPage,
        not_found::NotFoundPage,
        operation::OperationPage,
        password::PasswordPage,
        plan::PlanPage,
    },
    theme,
};

/// The document around the app. Only ever made on the server.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme::of_request().attribute()>
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
    Clock::provide();
    let ssr = SsrMode::Async;
    let title =
        |page: String| if page.is_empty() { "Paddock".to_owned() } else { format!("{page} · Paddock") };
    view! {
        <Title formatter=title />
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=LogInPage ssr=ssr.clone() />
                <Route path=path!("/login/factor") view=FactorPage ssr=ssr.clone() />
                <Route path=path!("/account/password") view=PasswordPage ssr=ssr.clone() />
                <ParentRoute path=path!("") view=FramePage ssr=ssr.clone()>
                    <Route path=path!("/account") view=AccountPage ssr=ssr.clone() />
                    <Route path=path!("/guests") view=GuestsPage ssr=ssr.clone() />
                    <Route path=path!("/guests/new") view=NewGuestPage ssr=ssr.clone() />
                    <Route path=path!("/guests/:backend/:name") view=GuestPage ssr=ssr.clone() />
                    <Route
                        path=path!("/guests/:backend/:name/plan/:action")
                        view=PlanPage
                        ssr=ssr.clone()
                    />
                    <Route path=path!("/history") view=HistoryPage ssr=ssr.clone() />
                    <Route path=path!("/history/:id") view=OperationPage ssr=ssr.clone() />
                    <Route path=path!("/history/:id/again") view=AgainPage ssr=ssr.clone() />
                    <Route path=path!("/access") view=UsersPage ssr=ssr.clone() />
                    <Route path=path!("/access/users/:name") view=UserPage ssr=ssr.clone() />
                    <Route path=path!("/access/groups") view=GroupsPage ssr=ssr.clone() />
                    <Route path=path!("/access/roles") view=RolesPage ssr=ssr.clone() />
                    <Route path=path!("/access/grants") view=GrantsPage ssr=ssr />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
