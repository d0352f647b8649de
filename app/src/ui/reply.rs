//! What the server answers to a page's question: in the page itself at first, then by request.

use leptos::{
    prelude::*,
    server::codee::{Decoder, Encoder},
};
use serde::{Deserialize, Serialize};

use crate::api::ApiError;

/// An answer that a page shows, asked for again whenever what it depends on changes.
pub type Reply<T> = Resource<Result<T, ApiError>, Json>;

/// `source` is what the question depends on, `ask` the question.
pub fn reply<S, T, Fut>(
    source: impl Fn() -> S + Send + Sync + 'static,
    ask: impl Fn(S) -> Fut + Send + Sync + 'static,
) -> Reply<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + for<'de> Deserialize<'de> + Send + Sync + 'static,
    Fut: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    Resource::new_with_options(source, ask, false)
}

/// JSON as server functions read it: from bytes. Leptos' own reads it from text, and all that is read would be in
/// the WebAssembly twice, a fifth of the whole.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: for<'de> Deserialize<'de>> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}
