//! Addresses as they are written.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;

/// Refuses addresses that another reader takes for other ones. The router compares them as they are written, while pages
/// are found as a browser would, which sees `/guests` in `/x/../guests`. No browser asks for one by itself.
pub async fn plain_path(request: Request, next: Next) -> Response {
    if is_plain(request.uri().path()) {
        return next.run(request).await;
    }
    (StatusCode::NOT_FOUND, "There is no such address.\n").into_response()
}

/// Whether a path says the same to everybody: no empty part, none that goes up or stays, and no backslash.
pub fn is_plain(path: &str) -> bool {
    let goes_nowhere =
        |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    path.starts_with('/')
        && !path.contains("//")
        && !path.contains('\\')
        && !path.split('/').any(goes_nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_the_same_to_everybody() {
        for plain in [
            "/",
            "/guests",
            "/guests/",
            "/guests/lxc/web%2e1",
            "/guests/lxc/...",
            "/pkg/a..b.js",
            "/%2fguests",
            "/a;b",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "",
            "*",
            "guests",
            "//",
            "//guests",
            "/x//guests",
            "/.",
            "/x/..",
            "/x/../guests",
            "/%2e%2E/x",
            "/.%2e/x",
            "/%2E",
            "/\\x",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }
}
