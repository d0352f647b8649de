//! A plan's calls: made once, and followed to the end of what they began.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    backend::{
        Api, ApiOutput, Error, RunContext, Started,
        proxmox::{refuse::Scene, upid::Upid},
    },
    domain::{
        plan::{Answer, ApiCall, Method, Param},
        secret::{Secret, Secrets},
    },
};

use super::{Client, Request, after, output::note, reply::Reply};

/// How what a call began has ended.
pub(super) struct End {
    /// In Proxmox's words, or an exit code; `None` where it was not seen.
    pub told: Option<String>,
    pub result: Result<Value, Error>,
}

#[async_trait]
impl Api for Client {
    async fn call(&self, call: &ApiCall, secrets: &Secrets, context: &RunContext) -> ApiOutput {
        let limit = Duration::from_millis(call.timeout_ms);
        let deadline = after(limit);
        let failed = |status, result| ApiOutput { status, upid: None, end: None, result: Err(result) };
        let params = match params(call, secrets) {
            Ok(params) => params,
            Err(error) => return failed(None, error),
        };
        let request = Request {
            method: call.method,
            path: &call.path,
            params: &params,
            repeatable: call.method == Method::Get,
            patience: limit,
            deadline,
        };
        let reply = match self.answer(&request, context).await {
            Ok(reply) => reply,
            Err(error) => return failed(None, error),
        };
        let status = Some(reply.status);
        let data: Value = match self.data(&request, &reply) {
            Ok(data) => data,
            Err(error) => return failed(status, error),
        };
        let scene = self.scene(&request);
        match (call.answer, &data) {
            (Answer::Plain, _) => ApiOutput { status, upid: None, end: None, result: Ok(data) },
            // Where there was nothing to do, there is no task: a backup of no guest says OK.
            (Answer::Task, Value::Null) => ApiOutput { status, upid: None, end: None, result: Ok(data) },
            (Answer::Task, Value::String(text)) if text == "OK" => {
                ApiOutput { status, upid: None, end: None, result: Ok(data) }
            }
            (Answer::Task, Value::String(text)) => match text.parse::<Upid>() {
                Ok(upid) => {
                    let _ = context.started.send(Started::Task(upid.to_string()));
                    let end = self.follow_task(&upid, &scene, deadline, context).await;
                    let upid = Some(upid.to_string());
                    ApiOutput { status, upid, end: end.told, result: end.result }
                }
                Err(e) => failed(status, scene.garbled(e)),
            },
            (Answer::Task, _) => {
                failed(status, scene.garbled("instead of a task's UPID came something else"))
            }
            (Answer::GuestProcess, _) => {
                let end = self.follow_process(&call.path, &data, &scene, deadline, context).await;
                ApiOutput { status, upid: None, end: end.told, result: end.result }
            }
        }
    }
}

impl Client {
    /// The answer to a plan's call. A cancel that comes while a change is under way waits for its answer, as long as
    /// that may take: only that tells what there is to end.
    async fn answer(&self, request: &Request<'_>, context: &RunContext) -> Result<Reply, Error> {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let patience = if request.repeatable { Duration::ZERO } else { self.shared.patience };
        let given_up = async {
            context.cancel.cancelled().await;
            sleep(patience).await;
        };
        tokio::select! {
            biased;
            reply = self.exchange(request) => reply,
            () = given_up => {
                let scene = self.scene(request);
                if !request.repeatable {
                    let unknown = format!("whether {} was carried out is not known", scene.what());
                    note(&context.output, &format!("cancelled before Proxmox answered; {unknown}"));
                }
                Err(Error::Cancelled)
            }
        }
    }

    /// Follows a task that an earlier Paddock began, for at most this long. A cancel ends the task.
    pub async fn follow(&self, upid: &Upid, limit: Duration, context: &RunContext) -> ApiOutput {
        let scene = Scene::of_task(self.backend, upid);
        let end = self.follow_task(upid, &scene, after(limit), context).await;
        ApiOutput { status: None, upid: Some(upid.to_string()), end: end.told, result: end.result }
    }
}

/// The call's parameters with its secrets in place.
fn params<'a>(call: &'a ApiCall, secrets: &'a Secrets) -> Result<Vec<(&'a str, &'a str)>, Error> {
    let in_query = matches!(call.method, Method::Get | Method::Delete);
    let bad = |detail: String| Error::Garbled { source_name: "The plan".to_owned(), detail };
    let value = |param: &'a Param| match param {
        Param::Text(text) => Ok(text.as_str()),
        // A URL is written into logs on its way.
        Param::Secret(name) if in_query => Err(bad(format!("the secret “{name}” would be in a URL"))),
        Param::Secret(name) => {
            secrets.get(name).map(Secret::expose).ok_or_else(|| bad(format!("there is no secret “{name}”")))
        }
    };
    call.params.iter().map(|(name, param)| Ok((name.as_str(), value(param)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, param: Param) -> ApiCall {
        ApiCall {
            method,
            path: "/x".to_owned(),
            params: vec![("a".to_owned(), Param::Text("1".to_owned())), ("a".to_owned(), param)],
            answer: Answer::Plain,
            timeout_ms: 1,
        }
    }

    #[test]
    fn a_secret_is_put_in_place_but_never_into_a_url() {
        let secrets = Secrets::from([("password".to_owned(), Secret::new("hunter2"))]);
        let secret = || Param::Secret("password".to_owned());
        assert_eq!(params(&call(Method::Post, secret()), &secrets).unwrap(), [("a", "1"), ("a", "hunter2")]);
        for (call, secrets) in [
            (call(Method::Get, secret()), &secrets),
            (call(Method::Delete, secret()), &secrets),
            (call(Method::Post, secret()), &Secrets::new()),
        ] {
            let error = params(&call, secrets).unwrap_err();
            assert!(matches!(error, Error::Garbled { .. }) && !error.to_string().contains("hunter2"));
        }
    }
}
