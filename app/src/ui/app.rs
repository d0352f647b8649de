//! The document and its routes.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, Title, provide_meta_context};
use leptos_router::{
    PossibleRouteMatch, SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use super::{
    clock::Clock,
    components::frame::FramePage,
    pages::{
        lazy::{Access, Guest, Guests, Home, Nodes, Record},
        not_found::NotFoundPage,
    },
    rail, theme,
};

/// The pages that need no script: whoever is not logged in is sent a form, and waits for nothing else.
const PLAIN: [&str; 2] = ["/login", "/login/factor"];

/// The path of the request, as the server provides it.
#[derive(Debug, Clone)]
pub struct Path(pub String);

/// The document around the app. Only ever made on the server.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let is_plain = use_context::<Path>().is_some_and(|path| PLAIN.contains(&path.0.as_str()));
    let scripts = (!is_plain).then(|| view! { <HydrationScripts options=options.clone() /> });
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
                <HashedStylesheet id="leptos" options />
                {scripts}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// A path of one type with every other: the router is then in the WebAssembly once, and not for each form a path can have.
fn at(path: impl PossibleRouteMatch + Send + Sync + 'static) -> Arc<dyn PossibleRouteMatch + Send + Sync> {
    Arc::new(path)
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
                <Route path=at(path!("/login")) view=Access::LogIn ssr=ssr.clone() />
                <Route path=at(path!("/login/factor")) view=Access::Factor ssr=ssr.clone() />
                <Route path=at(path!("/account/password")) view=Access::Password ssr=ssr.clone() />
                <Route
                    path=at(path!("/account/factor"))
                    view=Access::AccountFactor
                    ssr=ssr.clone()
                />
                <ParentRoute path=at(path!("")) view=FramePage ssr=ssr.clone()>
                    <Route path=at(path!("/")) view=Home::Dashboard ssr=ssr.clone() />
                    <Route path=at(path!("/nodes")) view=Nodes::List ssr=ssr.clone() />
                    <Route path=at(path!("/nodes/:name")) view=Nodes::Node ssr=ssr.clone() />
                    <Route path=at(path!("/account")) view=Access::Account ssr=ssr.clone() />
                    <Route path=at(path!("/guests")) view=Guests::List ssr=ssr.clone() />
                    <Route path=at(path!("/guests/new")) view=Guest::New ssr=ssr.clone() />
                    <Route
                        path=at(path!("/guests/new/plan"))
                        view=Guest::CheckNew
                        ssr=ssr.clone()
                    />
                    <Route path=at(path!("/guests/plan")) view=Guests::Plan ssr=ssr.clone() />
                    // The page itself shows the tab that the address is about, so that its head stays where it is.
                    <ParentRoute
                        path=at(path!("/guests/:backend/:name"))
                        view=Guest::Tabs
                        ssr=ssr.clone()
                    >
                        <Route path=at(path!("")) view=|| () ssr=of_tabs.clone() />
                        <Route path=at(path!("timeline")) view=|| () ssr=of_tabs.clone() />
                        <Route path=at(path!("configuration")) view=|| () ssr=of_tabs.clone() />
                        <Route path=at(path!("snapshots")) view=|| () ssr=of_tabs.clone() />
                        <Route path=at(path!("exec")) view=|| () ssr=of_tabs />
                    </ParentRoute>
                    <Route
                        path=at(path!("/guests/:backend/:name/do/:action"))
                        view=Guest::Form
                        ssr=ssr.clone()
                    />
                    <Route
                        path=at(path!("/guests/:backend/:name/plan/:action"))
                        view=Guest::Plan
                        ssr=ssr.clone()
                    />
                    <Route path=at(path!("/history")) view=Record::History ssr=ssr.clone() />
                    <Route path=at(path!("/history/:id")) view=Record::Operation ssr=ssr.clone() />
                    <Route
                        path=at(path!("/history/:id/again"))
                        view=Record::Again
                        ssr=ssr.clone()
                    />
                    <Route path=at(path!("/access")) view=Access::Users ssr=ssr.clone() />
                    <Route
                        path=at(path!("/access/users/:name"))
                        view=Access::User
                        ssr=ssr.clone()
                    />
                    <Route path=at(path!("/access/groups")) view=Access::Groups ssr=ssr.clone() />
                    <Route path=at(path!("/access/roles")) view=Access::Roles ssr=ssr.clone() />
                    <Route path=at(path!("/access/grants")) view=Access::Grants ssr=ssr.clone() />
                    <Route path=at(path!("/access/history")) view=Access::Past ssr=ssr />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
