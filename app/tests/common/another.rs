//! Another client of a fake cluster: `bob@pve` with a token of his own.

use app::{
    backend::{
        Api as _, RunContext,
        proxmox::{Client, Credentials, ProxmoxConfig},
    },
    domain::{
        plan::{Answer, ApiCall, Method, Param},
        secret::{Secret, Secrets},
    },
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::fakepve::FakePve;

/// As whom his tasks run.
pub const BOB: &str = "bob@pve!cli";

/// Posts to this path; what is answered, as a rule a UPID. A refusal fails the test.
pub async fn by_another(fake: &FakePve, path: &str) -> String {
    asked_by_another(fake, Method::Post, path, &[]).await
}

/// Any request.
pub async fn asked_by_another(fake: &FakePve, method: Method, path: &str, params: &[(&str, &str)]) -> String {
    fake.set(&format!("apitokens.{BOB}"), json!("his"));
    let credentials = Credentials::Token { id: BOB.to_owned(), secret: Secret::new("his") };
    let client = Client::new(&ProxmoxConfig { credentials, ..fake.config() }).unwrap();
    let call = ApiCall {
        method,
        path: path.to_owned(),
        params: params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Param::Text((*value).to_owned())))
            .collect(),
        answer: Answer::Plain,
        timeout_ms: 10_000,
    };
    let context = RunContext {
        output: mpsc::unbounded_channel().0,
        started: mpsc::unbounded_channel().0,
        cancel: CancellationToken::new(),
    };
    let output = client.call(&call, &Secrets::new(), &context).await;
    output.result.unwrap().as_str().unwrap().to_owned()
}
