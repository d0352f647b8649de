//! PLANS: a request and the facts it depends on become steps, as pure functions. Every refusal here happens before
//! anything has run.

pub mod config;
pub mod copy;
pub mod create_container;
pub mod create_vm;
pub mod delete;
pub mod exec;
pub mod power;
pub mod snapshot;

use crate::{
    backend::Error,
    domain::plan::{Answer, ApiCall, Expectation, Method, Param, Plan, Step, When, Work},
};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// One request to the API that is being put together; its answer is a task unless told otherwise.
#[derive(Debug)]
pub struct Call(ApiCall);

impl Call {
    fn new(method: Method, path: String, timeout_ms: u64) -> Self {
        Self(ApiCall { method, path, params: Vec::new(), answer: Answer::Task, timeout_ms })
    }

    pub fn post(path: String, timeout_ms: u64) -> Self {
        Self::new(Method::Post, path, timeout_ms)
    }

    pub fn put(path: String, timeout_ms: u64) -> Self {
        Self::new(Method::Put, path, timeout_ms)
    }

    pub fn delete(path: String, timeout_ms: u64) -> Self {
        Self::new(Method::Delete, path, timeout_ms)
    }

    #[must_use]
    pub fn answered_by(mut self, answer: Answer) -> Self {
        self.0.answer = answer;
        self
    }

    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.param(name, Param::Text(value.into()))
    }

    /// Leaves the parameter out where there is no value.
    #[must_use]
    pub fn maybe<V: ToString>(self, name: &str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.text(name, value.to_string()),
            None => self,
        }
    }

    /// Sent only where it is true.
    #[must_use]
    pub fn flag(self, name: &str, is_set: bool) -> Self {
        if is_set { self.text(name, "1") } else { self }
    }

    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: Param) -> Self {
        self.0.params.push((name.into(), value));
        self
    }

    pub fn step(self, title: impl Into<String>) -> Step {
        step(title, Work::Api(self.0))
    }
}

pub fn step(title: impl Into<String>, work: Work) -> Step {
    Step { title: title.into(), when: When::Always, work }
}

pub fn plan(steps: Vec<Step>, expect: Expectation) -> Plan {
    Plan { steps, expect: Some(expect), ..Plan::default() }
}

pub fn not_ready(reason: impl Into<String>, cure: impl Into<String>) -> Error {
    Error::NotReady { reason: reason.into(), cure: cure.into() }
}

#[cfg(test)]
pub mod tests {
    //! What the tests of all plans share.

    use super::{
        super::{facts::GuestFacts, place::Place, wire::config::Config},
        *,
    };
    use crate::domain::guest::{BackendKind, GuestStatus};

    /// Container 101 or VM 200 on pve1.
    pub fn place(kind: BackendKind) -> Place {
        let vmid = if kind == BackendKind::ProxmoxVm { 200 } else { 101 };
        Place { kind, node: "pve1".into(), vmid }
    }

    pub fn facts(kind: BackendKind, status: GuestStatus, config: &[(&str, &str)]) -> GuestFacts {
        GuestFacts {
            place: place(kind),
            status,
            is_template: false,
            lock: None,
            is_ha: false,
            config: Config::of(config),
            is_local: false,
        }
    }

    pub fn lines(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|step| step.work.to_string()).collect()
    }

    /// The refusal's reason and cure.
    pub fn refused(plan: Result<Plan, Error>) -> String {
        match plan {
            Err(Error::NotReady { reason, cure }) => format!("{reason} {cure}"),
            Err(Error::Invalid { field, message }) => format!("{field:?}: {message}"),
            Err(Error::WrongState { words }) => words,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub use BackendKind::{ProxmoxLxc as LXC, ProxmoxVm as VM};
}
