//! Who asks, and who answers: tokens, tickets, certificates, privileges.

use std::time::Duration;

use app::{
    backend::{
        Error,
        proxmox::{Client, Credentials, Endpoint, ProxmoxConfig, Trust},
    },
    domain::{
        guest::BackendKind,
        plan::{Answer, Method},
        secret::Secret,
    },
};
use futures::future::join_all;
use serde_json::json;

use crate::{
    api, called,
    fakepve::{FakePve, TOKEN},
    get, post, unavailable, with,
};

fn token(fake: &FakePve, id: &str, secret: &str) -> Client {
    let credentials = Credentials::Token { id: id.to_owned(), secret: Secret::new(secret) };
    Client::new(&ProxmoxConfig { credentials, ..fake.config() }).unwrap()
}

fn trusting(fake: &FakePve, host: &str, port: u16, trust: Trust) -> Client {
    let endpoints = vec![Endpoint { host: host.to_owned(), port, trust }];
    Client::new(&ProxmoxConfig { endpoints, ..fake.config() }).unwrap()
}

#[tokio::test]
async fn a_token_reads_and_a_wrong_one_is_told() {
    let fake = FakePve::start();
    let version = get(&fake.client(), "/version").await.unwrap();
    assert_eq!(version["version"], fake.get("version"));

    let (reason, cure) = unavailable(get(&token(&fake, TOKEN, "wrong"), "/version").await);
    assert!(reason.contains("authentication failure"), "{reason}");
    assert!(cure.contains("API token"), "{cure}");
    assert!(!reason.contains("wrong") && !cure.contains("wrong"), "no secret in an error");
}

#[tokio::test]
async fn a_password_becomes_one_ticket_for_all_and_changes_carry_its_csrf_token() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = Client::new(&fake.password_config()).unwrap();
    let reads = join_all((0..10).map(|_| get(&client, "/version"))).await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    called(&client, &post("/nodes/pve1/lxc/101/status/start", Answer::Task)).await.unwrap();
    assert_eq!(fake.get_guest(101, "status"), "running");
    assert_eq!(fake.count("POST", "/access/ticket"), 1);
}

#[tokio::test]
async fn an_ended_ticket_is_renewed_and_the_request_made_again() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = Client::new(&fake.password_config()).unwrap();
    get(&client, "/version").await.unwrap();

    fake.call("expire_tickets", json!([]));
    let reads = join_all((0..5).map(|_| get(&client, "/version"))).await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    assert_eq!(fake.count("POST", "/access/ticket"), 2, "one new ticket for all who found theirs ended");

    fake.call("revoke_tickets", json!([]));
    called(&client, &post("/nodes/pve1/lxc/101/status/start", Answer::Task)).await.unwrap();
    assert_eq!(fake.get_guest(101, "status"), "running");
    assert_eq!(fake.count("POST", "/access/ticket"), 3);
}

#[tokio::test]
async fn a_refused_password_is_not_tried_again_at_once() {
    let fake = FakePve::start();
    fake.set("password", json!("another"));
    let client = Client::new(&fake.password_config()).unwrap();
    for _ in 0..3 {
        let (reason, _) = unavailable(get(&client, "/version").await);
        assert!(reason.contains("authentication failure"), "{reason}");
    }
    assert_eq!(fake.count("POST", "/access/ticket"), 1);
}

#[tokio::test]
async fn a_second_factor_is_said_to_be_out_of_reach() {
    let fake = FakePve::start();
    fake.set("tfa", json!(true));
    let client = Client::new(&fake.password_config()).unwrap();
    let (reason, cure) = unavailable(get(&client, "/version").await);
    assert!(reason.contains("root@pam for a second factor"), "{reason}");
    assert!(cure.contains("API token"), "{cure}");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_gets_no_request() {
    let fake = FakePve::start();
    let client = trusting(&fake, &fake.host, fake.port, Trust::Fingerprint([0xAB; 32]));
    let seen: Vec<String> = fake.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    for result in [
        get(&client, "/version").await,
        called(&client, &post("/nodes/pve1/lxc/101/status/start", Answer::Task)).await,
    ] {
        let (reason, cure) = unavailable(result);
        assert!(reason.contains(&seen.join(":")), "{reason}");
        assert!(reason.contains("pinned is AB:AB:AB"), "{reason}");
        assert!(cure.contains("pvenode cert info"), "{cure}");
    }
    assert_eq!(fake.get("requests"), json!([]));
}

#[tokio::test]
async fn a_certificate_is_trusted_by_its_authority_and_for_its_host_alone() {
    let fake = FakePve::start();
    let right = || Trust::Ca(fake.ca.clone());
    for host in ["127.0.0.1", "localhost"] {
        get(&trusting(&fake, host, fake.port, right()), "/version").await.unwrap();
    }
    let asked = fake.count("GET", "/version");

    let wrong = trusting(&fake, &fake.host, fake.port, Trust::Ca(fake.other_ca.clone()));
    let (reason, _) = unavailable(get(&wrong, "/version").await);
    assert!(reason.contains("is not trusted"), "{reason}");

    let elsewhere = u16::try_from(fake.call("listen", json!(["127.0.0.2"])).as_u64().unwrap()).unwrap();
    let (reason, _) = unavailable(get(&trusting(&fake, "127.0.0.2", elsewhere, right()), "/version").await);
    assert!(reason.contains("not valid for name"), "{reason}");
    assert_eq!(fake.count("GET", "/version"), asked);

    let pinned = trusting(&fake, "127.0.0.2", elsewhere, Trust::Fingerprint(fake.fingerprint));
    get(&pinned, "/version").await.unwrap();
}

#[tokio::test]
async fn a_denial_names_the_privilege_and_the_path() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    fake.add_vm(102, "db1", "stopped");
    fake.set("apitokens.paddock@pve!t", json!("x"));
    fake.call("grant", json!(["paddock@pve", "/vms/101", "VM.Audit"]));
    let client = token(&fake, "paddock@pve!t", "x");
    get(&client, "/nodes/pve1/lxc/101/status/current").await.unwrap();

    let start = called(&client, &post("/nodes/pve1/lxc/101/status/start", Answer::Task)).await;
    let what = |what: &str| what.to_owned();
    let lxc = Error::Denied {
        backend: BackendKind::ProxmoxLxc,
        account: None,
        what: what("VM.PowerMgmt on /vms/101 is missing"),
    };
    assert_eq!(start, Err(lxc));
    let read = get(&client, "/nodes/pve1/qemu/102/status/current").await;
    let vm = Error::Denied {
        backend: BackendKind::ProxmoxVm,
        account: None,
        what: what("VM.Audit on /vms/102 is missing"),
    };
    assert_eq!(read, Err(vm));
    assert_eq!(fake.get_guest(101, "status"), "stopped");
}

#[tokio::test]
async fn secrets_reach_proxmox_and_nothing_else() {
    let fake = FakePve::start();
    let mut call = with(post("/access/users", Answer::Plain), "userid", "ann@pve");
    let secret = app::domain::plan::Param::Secret("password".to_owned());
    call.params.push(("password".to_owned(), secret));
    let secrets = app::domain::secret::Secrets::from([("password".to_owned(), Secret::new("hunter2 & co"))]);
    let watch = crate::Watch::new();
    let client = fake.client();
    let output = app::backend::Api::call(&client, &call, &secrets, &watch.context).await;
    assert_eq!(output.status, Some(200), "{output:?}");
    assert!(!call.to_string().contains("hunter2"));
    // The fake masks what it recognises as a password.
    assert_eq!(
        fake.call("bodies", json!(["POST", "/access/users"])),
        json!(["userid=ann%40pve&password=***"])
    );

    let mut in_url = api(Method::Delete, "/access/users/ann%40pve", Answer::Plain);
    in_url.params = call.params.clone();
    let refused = app::backend::Api::call(&client, &in_url, &secrets, &watch.context).await;
    assert!(matches!(refused.result, Err(Error::Garbled { .. })), "{refused:?}");
    assert_eq!(fake.count("DELETE", "/access/users/ann@pve"), 0);
}

#[tokio::test]
async fn a_log_in_that_takes_too_long_does_not_hold_a_call_beyond_its_time() {
    let fake = FakePve::start();
    fake.spoil("POST", "/access/ticket", "hang", 9, json!({"seconds": 30}));
    let client = Client::new(&fake.password_config()).unwrap();
    let begun = std::time::Instant::now();
    let call =
        crate::within(post("/nodes/pve1/lxc/101/status/start", Answer::Task), Duration::from_millis(300));
    assert!(matches!(called(&client, &call).await, Err(Error::TimedOut { .. })));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(fake.count("POST", "/status/start"), 0);
}
