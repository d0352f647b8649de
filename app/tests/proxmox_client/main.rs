//! The Proxmox client against a fake Proxmox VE.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "backend")]

#[path = "../common/fakepve.rs"]
mod fakepve;

mod access;
mod answers;
mod catalogue;
mod network;
mod process;
mod task;

use std::time::Duration;

use app::{
    backend::{Api as _, ApiOutput, Error, RunContext, Started, proxmox::Client},
    domain::{
        plan::{Answer, ApiCall, Method, Param, Stream},
        secret::Secrets,
    },
};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// What a call is given besides itself, and what it told.
struct Watch {
    context: RunContext,
    output: UnboundedReceiver<(Stream, String)>,
    started: UnboundedReceiver<Started>,
}

impl Watch {
    fn new() -> Self {
        let (output, seen) = unbounded_channel();
        let (started, begun) = unbounded_channel();
        let context = RunContext { output, started, cancel: CancellationToken::new() };
        Self { context, output: seen, started: begun }
    }

    async fn call(&self, client: &Client, call: &ApiCall) -> ApiOutput {
        client.call(call, &Secrets::new(), &self.context).await
    }

    /// All that came on this stream.
    fn said(&mut self, stream: Stream) -> String {
        let mut said = String::new();
        while let Ok((found, text)) = self.output.try_recv() {
            if found == stream {
                said.push_str(&text);
            }
        }
        said
    }
}

/// A call without parameters that has a minute.
fn api(method: Method, path: &str, answer: Answer) -> ApiCall {
    ApiCall { method, path: path.to_owned(), params: Vec::new(), answer, timeout_ms: 60_000 }
}

fn post(path: &str, answer: Answer) -> ApiCall {
    api(Method::Post, path, answer)
}

fn with(mut call: ApiCall, name: &str, value: &str) -> ApiCall {
    call.params.push((name.to_owned(), Param::Text(value.to_owned())));
    call
}

fn within(mut call: ApiCall, limit: Duration) -> ApiCall {
    call.timeout_ms = u64::try_from(limit.as_millis()).unwrap();
    call
}

/// One call of which only the result counts.
async fn called(client: &Client, call: &ApiCall) -> Result<Value, Error> {
    Watch::new().call(client, call).await.result
}

async fn get(client: &Client, path: &str) -> Result<Value, Error> {
    client.get(path, &[]).await
}

/// Of an error that the backend as a whole cannot be used.
fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    match result {
        Err(Error::Unavailable { reason, cure, .. }) => (reason, cure),
        other => panic!("not unavailable as it should be: {other:?}"),
    }
}
