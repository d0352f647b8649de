//! What Proxmox answered: the status, its words, and the data inside. Everything in it is hostile.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Largest answer that is read, bytes: a hundred times the largest that a cluster of thousands of guests gives.
pub const CAP: usize = 64 * 1024 * 1024;
/// Most characters of Proxmox's words that are kept in an error.
const LONGEST_WORDS: usize = 2000;

/// One answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// The reason phrase, where an error's text is.
    pub reason: String,
    pub body: Vec<u8>,
}

/// The `data` of an answer.
#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// What an error's body holds besides.
#[derive(Default, Deserialize)]
struct Complaint {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    errors: Value,
}

/// Proxmox's own words for a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Never empty, at most [`LONGEST_WORDS`] characters, no control characters but line breaks.
    pub text: String,
    /// Parameter and what is wrong with it.
    pub fields: Vec<(String, String)>,
}

impl Reply {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The data of a successful answer; what is wrong with it where it is not as expected.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice::<Envelope<T>>(&self.body)
            .map(|envelope| envelope.data)
            .map_err(|e| readable(&e.to_string()))
    }

    /// Why it was refused: the message of the body, which has every line, else the reason phrase, as the body is
    /// often empty or a web server's page.
    pub fn words(&self) -> Words {
        let complaint: Complaint = serde_json::from_slice(&self.body).unwrap_or_default();
        let message = complaint.message.as_str().map(readable).unwrap_or_default();
        let text = [message, readable(&self.reason)]
            .into_iter()
            .find(|words| !words.is_empty())
            .unwrap_or_else(|| format!("HTTP status {}", self.status));
        let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let errors = complaint.errors.as_object().map(Map::iter).into_iter().flatten();
        let fields = errors.take(20).map(|(name, why)| (readable(name), readable(&told(why)))).collect();
        Words { text, fields }
    }
}

/// Text from the wire as it can be shown and kept.
pub fn readable(text: &str) -> String {
    let kept: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).take(LONGEST_WORDS).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, reason: &str, body: &str) -> Reply {
        Reply { status, reason: reason.to_owned(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn words_come_from_the_body_and_else_from_the_reason_phrase() {
        let said = |reason, body| reply(500, reason, body).words().text;
        assert_eq!(
            said("CT 101 not running", r#"{"message":"CT 101 not running\n","data":null}"#),
            "CT 101 not running"
        );
        assert_eq!(said("first", r#"{"message":"first\nsecond\n"}"#), "first\nsecond");
        assert_eq!(said("No ticket", ""), "No ticket");
        assert_eq!(said("Bad Gateway", "<html>oops</html>"), "Bad Gateway");
        assert_eq!(said("x", r#"{"message":{"a":1}}"#), "x");
        assert_eq!(said("x", r#"[[1]]"#), "x");
        assert_eq!(said("", ""), "HTTP status 500");
        assert_eq!(said("a\u{1b}[31mb\u{0}c", ""), "a[31mbc");
        assert_eq!(said(&"x".repeat(5000), "").len(), LONGEST_WORDS);
    }

    #[test]
    fn the_errors_of_parameters_may_have_any_shape() {
        let fields = |body| reply(400, "", body).words().fields;
        assert_eq!(
            fields(r#"{"errors":{"memory":"too small\n","x":{"y":1}}}"#),
            [("memory".to_owned(), "too small".to_owned()), ("x".to_owned(), r#"{"y":1}"#.to_owned())]
        );
        assert_eq!(fields(r#"{"errors":"all"}"#), []);
        assert_eq!(fields(r#"{"errors":[1]}"#), []);
        assert_eq!(fields("{"), []);
    }

    #[test]
    fn data_of_the_wrong_shape_is_a_typed_error() {
        #[derive(Debug, Deserialize)]
        struct Version {
            #[expect(dead_code, reason = "only that it is there counts")]
            version: String,
        }
        for body in [
            "",
            "{",
            "null",
            "[]",
            "<html>",
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":{"version":5}}"#,
            r#"{"datum":{"version":"9"}}"#,
            r#"{"data":{"version":"9"}"#,
        ] {
            assert!(reply(200, "OK", body).data::<Version>().is_err(), "{body}");
        }
        assert!(reply(200, "OK", r#"{"data":{"version":"9","more":1},"total":3}"#).data::<Version>().is_ok());
        let deep = format!(r#"{{"data":{}"#, "[".repeat(100_000));
        assert!(reply(200, "OK", &deep).data::<Value>().is_err(), "nesting has an end");
        assert!(reply(200, "OK", r#"{"data":1e999}"#).data::<u64>().is_err());
        assert!(reply(200, "OK", r#"{"data":99999999999999999999999}"#).data::<u64>().is_err());
    }
}
