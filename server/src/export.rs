//! The export of the history as a file.

use app::{
    auth::Caller,
    domain::{
        action::Refusal,
        history::{FilterError, HistoryQuery},
        words,
    },
    service::{
        AppState, Error, Standing, Visible,
        export::{Export, ExportFailure, Format},
    },
};
use axum::{
    Extension,
    body::Body,
    extract::RawQuery,
    response::{IntoResponse as _, Response},
};
use futures::stream;
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
};
use tokio_util::sync::CancellationToken;

/// `GET /history/export?format=csv` or `jsonl`, and the fields of the history's filter: all that it asks for. What makes no
/// sense is answered with 400, a sentence a line.
///
/// The next rows are read once the client has taken those before, so a slow one costs no memory, and one that hangs up ends
/// the reading; so does the end of the session, and a change of what may be seen. What ends before its end does so without the mark of one: a client tells such a file from a whole one.
pub async fn export(
    Extension(state): Extension<AppState>,
    Extension(closing): Extension<CancellationToken>,
    caller: Option<Extension<Caller>>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(Extension(caller)) = caller else { return StatusCode::UNAUTHORIZED.into_response() };
    let (query, format) = match asked(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(sentence) => return (StatusCode::BAD_REQUEST, sentence).into_response(),
    };
    let export = match Export::new(&state.store, Visible::to(&state, &caller), &query, format) {
        Ok(export) => export,
        Err(failure) => return refusal(failure),
    };
    tracing::info!(actor = caller.username, %format, filter = query.to_query(), "history exported");
    let standing = Standing::of(&state, &caller);
    let pieces =
        stream::try_unfold((export, closing, standing), |(mut export, closing, mut standing)| async move {
            let piece = tokio::select! {
                biased;
                () = standing.over.cancelled() => Err(Error::NotLoggedIn),
                // What may be seen was decided at the beginning: the rest would be decided otherwise.
                _ = standing.rights.changed() => Err(Error::NotLoggedIn),
                () = closing.cancelled() => Err(Error::Refused(Refusal::ShuttingDown)),
                piece = export.next() => piece,
            };
            let piece =
                piece.inspect_err(|error| tracing::error!(error = %error, "an export ended early"))?;
            Ok::<_, Error>(piece.map(|piece| (piece, (export, closing, standing))))
        });
    let name = format!(
        "attachment; filename=\"{}\"",
        file_name(&state.host, words::iso(app::backend::now_ms()), format)
    );
    let headers = [
        (CONTENT_TYPE, format.content_type().to_owned()),
        (CONTENT_DISPOSITION, name),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Body::from_stream(Box::pin(pieces))).into_response()
}

/// The filter and the format, which stands among its fields.
fn asked(query: &str) -> Result<(HistoryQuery, Format), String> {
    let (format, fields): (Vec<_>, Vec<_>) =
        form_urlencoded::parse(query.as_bytes()).into_owned().partition(|(key, _)| key == "format");
    match format.as_slice() {
        [(_, format)] => match format.parse() {
            Ok(format) => Ok((HistoryQuery::from_pairs(fields), format)),
            Err(e) => Err(format!("format: {e}\n")),
        },
        [] => Err("format: Say which one: csv or jsonl.\n".to_owned()),
        _ => Err("format: It is given more than once. Leave one.\n".to_owned()),
    }
}

fn refusal(failure: ExportFailure) -> Response {
    match failure {
        ExportFailure::Filter(errors) => {
            let line = |error: FilterError| match error.field {
                Some(field) => format!("{}: {}\n", field.as_str(), error.message),
                None => format!("{}\n", error.message),
            };
            let text: String = errors.into_iter().map(line).collect();
            (StatusCode::BAD_REQUEST, text).into_response()
        }
        ExportFailure::Other(Error::Refused(refusal)) => {
            (StatusCode::FORBIDDEN, format!("{refusal}\n")).into_response()
        }
        ExportFailure::Other(error) => {
            tracing::error!(error = %error, "an export could not begin");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `paddock-pve1-20250303T140211Z.csv`
fn file_name(host: &str, now: String, format: Format) -> String {
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(63).collect();
    let now = now.replace(['-', ':'], "");
    ["paddock", &host, &now].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
        + "."
        + format.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_holds_nothing_that_ends_the_header() {
        let name = |host: &str| file_name(host, words::iso(1_741_010_531_042), Format::Csv);
        assert_eq!(name("pve1"), "paddock-pve1-20250303T140211Z.csv");
        assert_eq!(name("a\"b\r\n;ü/.."), "paddock-ab-20250303T140211Z.csv");
        assert_eq!(name("…"), "paddock-20250303T140211Z.csv");
    }

    #[test]
    fn the_format_is_asked_for_once() {
        let (query, format) = asked("guest=web1&format=jsonl&text=a%26b+c").unwrap();
        assert_eq!((format, query.guest.as_str(), query.text.as_str()), (Format::JsonLines, "web1", "a&b c"));
        for wrong in ["", "format=", "format=xml", "format=csv&format=csv", "FORMAT=csv"] {
            assert!(asked(wrong).is_err_and(|sentence| sentence.starts_with("format: ")), "{wrong}");
        }
    }
}
