//! A browser without JavaScript, or what the wasm client sends.

use std::{net::SocketAddr, time::Duration};

use app::{api::operations::OperationPage, domain::operation::OperationState};
use axum::{
    Router,
    body::{Body, BodyDataStream},
    extract::ConnectInfo,
    response::Response,
};
use http::{Request, StatusCode, header};
use tower::ServiceExt as _;

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub location: Option<String>,
    pub headers: http::HeaderMap,
    pub body: String,
}

/// Keeps its session's cookie, follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    pub router: Router,
    pub cookie: Option<String>,
    /// The cookie by which it is known when somebody logs in again.
    pub device: Option<String>,
    /// Asks as the wasm client does instead of as a plain form.
    pub json: bool,
    /// The `Origin` it tells; a request without is as from a tool.
    pub origin: Option<&'static str>,
    /// Where it asks from.
    pub address: String,
    /// An API token that it sends.
    pub token: Option<String>,
    /// What it sends besides, or a proxy in front.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// The same session, asking as the wasm client does.
    pub fn wasm(&self) -> Self {
        Self { json: true, ..self.clone() }
    }

    pub async fn log_in(&mut self, username: &str, password: &str) -> Reply {
        self.post("/login", "/api/account/log_in", &[("username", username), ("password", password)]).await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path), Body::empty()).await
    }

    /// Sends a form that stands on `page`.
    pub async fn post(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = Request::post(action)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, format!("http://paddock.test{page}"));
        self.send(request, Body::from(pairs.join("&"))).await
    }

    /// The pieces of an answer's body, each taken when it is asked for.
    pub async fn body(&self, path: &str) -> BodyDataStream {
        let response = self.answer(Request::get(path), Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.into_body().into_data_stream()
    }

    /// How an answer begins that has no end if it is a success: its status, and the body of a failure.
    pub async fn begin(&self, path: &str) -> Reply {
        let response = self.answer(Request::get(path), Body::empty()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match status {
            StatusCode::OK => String::new(),
            _ => {
                let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        Reply { status, location: None, headers, body }
    }

    async fn send(&mut self, request: http::request::Builder, body: Body) -> Reply {
        let response = self.answer(request, body).await;
        let headers = response.headers().clone();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if pair.starts_with("paddock=") {
                self.cookie = Some(pair.to_owned());
            } else if pair.starts_with("paddock-device=") {
                self.device = Some(pair.to_owned());
            }
        }
        let location = headers
            .get(header::LOCATION)
            .map(|value| value.to_str().unwrap().trim_start_matches("http://paddock.test").to_owned());
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 16 * 1024 * 1024).await.unwrap();
        Reply { status, location, headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn answer(&self, mut request: http::request::Builder, body: Body) -> Response {
        let accept = if self.json { "application/json" } else { "text/html" };
        request = request.header(header::ACCEPT, accept).header(header::HOST, "paddock.test");
        let cookies: Vec<&str> =
            [&self.cookie, &self.device].into_iter().flatten().map(String::as_str).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(origin) = self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(body).unwrap();
        let address: SocketAddr = format!("{}:40000", self.address).parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        let at = request.uri().clone();
        let answer = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await;
        answer.unwrap_or_else(|_| panic!("{at} is not answered")).unwrap()
    }

    /// As the wasm client: begins an action and says which operation it is.
    pub async fn act(&mut self, guest: &str, action: &str) -> i64 {
        let reply = self.try_act(guest, action).await;
        assert_eq!(reply.status, StatusCode::OK, "{action} {guest}: {}", reply.body);
        reply.body.trim().parse().unwrap()
    }

    pub async fn try_act(&mut self, guest: &str, action: &str) -> Reply {
        let (backend, name) = guest.split_once('/').unwrap();
        let mut client = self.wasm();
        let fields = [("backend", backend), ("name", name), ("action", action), ("confirm", name)];
        client.post("/guests", "/api/guests/act", &fields).await
    }

    /// Waits for the operation's end and returns it whole.
    pub async fn ended(&mut self, id: i64) -> OperationPage {
        let mut client = self.wasm();
        for _ in 0..1200 {
            let reply = client.get(&format!("/api/operations/get?id={id}")).await;
            let page: Option<OperationPage> = serde_json::from_str(&reply.body).unwrap();
            let page = page.unwrap_or_else(|| panic!("no operation {id}"));
            if !page.operation.summary.state.is_live() {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("operation {id} does not end");
    }

    /// Acts, waits, and insists on success.
    pub async fn succeed(&mut self, guest: &str, action: &str) -> OperationPage {
        let id = self.act(guest, action).await;
        let page = self.ended(id).await;
        assert_eq!(page.operation.summary.state, OperationState::Succeeded, "{action} {guest}: {page:#?}");
        page
    }

    /// Creates as the wasm client does, waits, and insists on success.
    pub async fn create(&mut self, fields: &[(&str, &str)]) -> OperationPage {
        let mut client = self.wasm();
        let reply = client.post("/guests/new", "/api/guests/create", fields).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let page = self.ended(reply.body.trim().parse().unwrap()).await;
        assert_eq!(page.operation.summary.state, OperationState::Succeeded, "{page:#?}");
        page
    }
}
