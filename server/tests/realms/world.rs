//! A cluster, and a Paddock on it.

use std::sync::Arc;

use app::{
    auth::Caller,
    backend::{
        Backend,
        proxmox::{Client, ProxmoxDriver},
    },
    domain::{access::BuiltIn, guest::BackendKind},
    service::users,
};
use http::StatusCode;
use serde_json::json;

use crate::{
    common::{Browser, Host, browser::Reply},
    fakepve::FakePve,
};

pub const ANNA: &str = "anna@pve";
pub const PASSWORD: &str = "anna's own password at Proxmox";

/// A cluster with container 101, stopped, in which Anna may see and start it, and a Paddock on it.
pub struct World {
    pub fake: FakePve,
    pub host: Host,
}

pub fn drivers(fake: &FakePve) -> Vec<Arc<dyn Backend>> {
    let config = fake.config();
    let lxc = ProxmoxDriver::new(BackendKind::ProxmoxLxc, Client::new(&config).unwrap(), &config);
    let vm = lxc.sibling(BackendKind::ProxmoxVm);
    vec![Arc::new(lxc), Arc::new(vm)]
}

impl World {
    pub async fn new() -> Self {
        let fake = FakePve::start();
        fake.add_ct(101, "web1", "stopped");
        fake.set("users", json!({ ANNA: PASSWORD, "bert@pve": "bert's password" }));
        fake.call("grant", json!([ANNA, "/vms/101", "VM.Audit", "VM.PowerMgmt"]));
        let host = Host::with_backends(drivers(&fake)).await;
        Self { fake, host }
    }

    /// In which an administrator of Paddock has given Anna that role before.
    pub async fn with_anna(role: BuiltIn) -> Self {
        let world = Self::new().await;
        let root = Caller::command_line("root");
        users::add_of_realm(&world.host.state, &root, ANNA, Some(role)).await.unwrap();
        world
    }

    pub async fn anna(&self) -> Browser {
        let mut browser = self.host.browser();
        assert_in(&browser.log_in(ANNA, PASSWORD).await);
        browser
    }

    /// The ledger, as text: kind, subject and detail of each entry.
    pub async fn ledger(&self) -> Vec<String> {
        self.host.ledger().await
    }
}

pub fn assert_in(reply: &Reply) {
    assert_eq!((reply.status, reply.location.as_deref()), (StatusCode::FOUND, Some("/")), "{reply:?}");
}

/// What a page without JavaScript says of an error that came back in its address.
pub async fn said(browser: &mut Browser, reply: &Reply) -> String {
    browser.get(reply.location.as_deref().unwrap()).await.body
}

pub fn is_sent_to_log_in(reply: &Reply) -> bool {
    reply.location.as_deref().is_some_and(|to| to.starts_with("/login"))
}
