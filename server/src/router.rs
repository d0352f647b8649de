//! Routes, and the layers around them.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};

use app::{
    service::{AppState, sessions as user_sessions},
    ui::{
        app::{App, Path, shell},
        rail::{self, RAIL, Rail},
        status::SetStatus,
        theme::Theme,
    },
};
use axum::{
    Extension, Form, Router,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
    routing::{MethodRouter, get, post},
};
use http::{
    HeaderMap, StatusCode,
    header::{COOKIE, REFERER, SET_COOKIE},
    request::Parts,
};
use leptos::{
    prelude::{LeptosOptions, provide_context, use_context},
    server_fn::axum::server_fn_paths,
};
use leptos_axum::{AxumRouteListing, LeptosRoutes as _, ResponseOptions, generate_route_list};
use tokio_util::sync::CancellationToken;
use tower_http::{compression::CompressionLayer, services::ServeDir, trace::TraceLayer};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};
use tower_sessions_sqlx_store::SqliteStore;

use crate::{
    body,
    events::{events, operation},
    export::export,
    guard, headers, proxies,
};
pub use crate::{limits::Limits, proxies::Front};

/// How long a session that nobody uses is kept. It is over long before, but only one that is still there can be told
/// to be.
const SESSION_KEPT: time::Duration = time::Duration::milliseconds(user_sessions::ABSOLUTE_LIMIT_MS);
/// The theme's cookie, and how long a browser keeps it.
const THEME_COOKIE: &str = "theme";
const THEME_KEPT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The pages' paths, found once: while leptos looks for them, no resource of the whole process loads, and a page
/// that another router renders in that moment would wait for its data for ever.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// The routes beside pages and server functions.
fn others() -> [(&'static str, MethodRouter<LeptosOptions>); 5] {
    [
        ("/history/export", get(export).layer(from_fn(guard::pages))),
        ("/events", get(events)),
        ("/events/operations/{id}", get(operation)),
        ("/theme", post(set_theme)),
        ("/rail", post(set_rail)),
    ]
}

/// Every address that Paddock answers but for the files of its site: pages as `/guests/{backend}/{name}`, server functions as
/// `/api/...`. A test holds this against what each of them needs.
pub fn addresses() -> Vec<String> {
    let pages = ROUTES.iter().map(|route| route.path().to_owned());
    let functions = server_fn_paths().map(|(path, _)| path.to_owned());
    pages.chain(functions).chain(others().into_iter().map(|(path, _)| path.to_owned())).collect()
}

/// What the router needs besides the state.
#[derive(Debug, Clone)]
pub struct Site {
    /// Directory of the site's files.
    pub root: PathBuf,
    /// What stands between the browsers and this server.
    pub front: Front,
    pub limits: Limits,
    /// Cancelled when the server begins to shut down; ends the event streams.
    pub closing: CancellationToken,
}

/// The whole of Paddock as one service.
pub fn build(state: AppState, sessions: SqliteStore, site: &Site) -> Router {
    let options = leptos_options(site);
    let shell_options = options.clone();
    let pages = Router::new()
        .leptos_routes_with_context(&options, ROUTES.clone(), page_context, move || {
            shell(shell_options.clone())
        })
        .route_layer(from_fn(guard::pages))
        // Leptos routes the server functions along with the pages.
        .route_layer(from_fn(guard::bad_arguments));
    let session_layer = SessionManagerLayer::new(sessions)
        .with_name(guard::SESSION_COOKIE)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        // Where it is for HTTPS alone `headers` marks it, with the other cookies.
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(SESSION_KEPT));
    let others = others().into_iter().fold(Router::new(), |all, (path, answers)| all.route(path, answers));
    // Where no file is, whoever may not see pages learns no more than where one is.
    let missing = Router::new()
        .fallback(leptos_axum::file_and_error_handler_with_context::<LeptosOptions, _>(page_context, shell))
        .layer(from_fn(guard::missing))
        .with_state(options.clone());
    let files = ServeDir::new(&site.root)
        .precompressed_gzip()
        .precompressed_br()
        .append_index_html_on_directories(false)
        .call_fallback_on_method_not_allowed(true)
        .fallback(missing);
    others
        .merge(pages)
        .fallback_service(files)
        // The innermost, as leptos reads bodies itself and asks no extractor's limit.
        .layer(from_fn_with_state(site.limits.body, body::whole))
        .layer(from_fn(guard::identify))
        .layer(from_fn(guard::same_origin))
        .layer(session_layer)
        .layer(from_fn(guard::session_cookie))
        .layer(Extension(state))
        .layer(Extension(site.closing.clone()))
        // Leaves event streams alone by its default predicate, and files that are compressed already.
        .layer(CompressionLayer::new())
        .layer(from_fn(guard::plain_path))
        .layer(from_fn(headers::common))
        .layer(from_fn_with_state(site.front.clone(), proxies::look))
        .layer(TraceLayer::new_for_http())
        .with_state(options)
}

/// With the names of the files as the build wrote them: content-hashed if it left a list of hashes.
fn leptos_options(site: &Site) -> LeptosOptions {
    let hashed = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("hash.txt").exists()))
        .unwrap_or(false);
    LeptosOptions::builder()
        .output_name("paddock")
        .site_root(site.root.display().to_string())
        .site_pkg_dir("pkg")
        .hash_files(hashed)
        .build()
}

/// What pages and server functions find in their context besides the request.
fn page_context() {
    headers::content_security_policy();
    let parts = use_context::<Parts>();
    let headers = parts.as_ref().map(|parts| &parts.headers);
    if let Some(parts) = &parts {
        provide_context(Path(parts.uri.path().to_owned()));
    }
    provide_context(cookie(headers, THEME_COOKIE).map_or(Theme::System, Theme::parse));
    provide_context(cookie(headers, RAIL).map_or(Rail::Wide, Rail::parse));
    if let Some(options) = use_context::<ResponseOptions>() {
        provide_context(SetStatus(Arc::new(move |status| {
            if let Ok(status) = StatusCode::from_u16(status) {
                options.set_status(status);
            }
        })));
    }
}

fn cookie<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    let cookies = headers.and_then(|headers| headers.get(COOKIE)?.to_str().ok())?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[derive(serde::Deserialize)]
struct ThemeForm {
    #[serde(default)]
    theme: String,
}

/// `POST /theme`: keeps the choice in a cookie and goes back to the page it was made on.
async fn set_theme(headers: HeaderMap, Form(form): Form<ThemeForm>) -> Response {
    let theme = Theme::parse(&form.theme).as_str();
    let cookie =
        format!("{THEME_COOKIE}={theme}; Path=/; Max-Age={}; SameSite=Lax; HttpOnly", THEME_KEPT.as_secs());
    ([(SET_COOKIE, cookie)], Redirect::to(&page_it_came_from(&headers))).into_response()
}

#[derive(serde::Deserialize)]
struct RailForm {
    #[serde(default)]
    rail: String,
}

/// `POST /rail`: as [`set_theme`]. A script may change this cookie, too.
async fn set_rail(headers: HeaderMap, Form(form): Form<RailForm>) -> Response {
    let rail = Rail::parse(&form.rail).as_str();
    let cookie = format!("{RAIL}={rail}; Path=/; Max-Age={}; SameSite=Lax", rail::KEPT);
    ([(SET_COOKIE, cookie)], Redirect::to(&page_it_came_from(&headers))).into_response()
}

/// The path of the Referer, so that it never leads off this site.
fn page_it_came_from(headers: &HeaderMap) -> String {
    headers
        .get(REFERER)
        .and_then(|value| value.to_str().ok()?.parse::<http::Uri>().ok())
        .and_then(|uri| Some(uri.path_and_query()?.as_str().to_owned()))
        .filter(|path| guard::is_plain(path.split('?').next().unwrap_or_default()))
        .unwrap_or_else(|| "/".to_owned())
}
