//! What is answered: refusals in Proxmox's own words, and everything that is no answer at all.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use app::{
    backend::{
        Error,
        proxmox::{Client, ProxmoxConfig},
    },
    domain::{
        action::Field,
        guest::{BackendKind, GuestId},
        plan::{Answer, Method},
    },
};
use serde_json::json;

use crate::{api, called, fakepve::FakePve, get, post, unavailable, with};

const START: &str = "/nodes/pve1/lxc/101/status/start";

#[tokio::test]
async fn an_unknown_guest_is_not_found_in_whichever_way_it_is_asked_for() {
    let fake = FakePve::start();
    let client = fake.client();
    let not_found = |backend: &str, vmid: &str| Err(Error::NotFound(GuestId::parse(backend, vmid).unwrap()));
    assert_eq!(get(&client, "/nodes/pve1/lxc/999/status/current").await, not_found("proxmox-lxc", "999"));
    assert_eq!(get(&client, "/nodes/pve1/qemu/998/config").await, not_found("proxmox-vm", "998"));
    let start = called(&client, &post("/nodes/pve1/lxc/999/status/start", Answer::Task)).await;
    assert_eq!(start, not_found("proxmox-lxc", "999"));
}

#[tokio::test]
async fn a_bad_parameter_belongs_to_its_field() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let call = with(api(Method::Put, "/nodes/pve1/lxc/101/config", Answer::Plain), "memory", "lots");
    let Err(Error::Invalid { field, message }) = called(&fake.client(), &with(call, "nope", "1")).await
    else {
        panic!()
    };
    assert_eq!(field, Field::Memory);
    assert!(message.contains("memory: ") && message.contains("nope: "), "{message}");
}

#[tokio::test]
async fn an_error_without_a_body_speaks_by_its_reason_phrase() {
    let fake = FakePve::start();
    let client = fake.client().speaking_for(BackendKind::ProxmoxVm);
    fake.spoil(
        "GET",
        "/cluster/resources",
        "raw",
        1,
        json!({"status": 500, "reason": "got no worker upid - start worker failed"}),
    );
    let failed = get(&client, "/cluster/resources").await.unwrap_err();
    assert_eq!(failed.to_string(), "Proxmox: got no worker upid - start worker failed");
    fake.spoil("GET", "/cluster/resources", "raw", 1, json!({"status": 401, "reason": "No ticket"}));
    let Err(Error::Unavailable { backend, reason, .. }) = get(&client, "/cluster/resources").await else {
        panic!()
    };
    assert_eq!(backend, BackendKind::ProxmoxVm, "as whom it speaks");
    assert!(reason.contains("No ticket"), "{reason}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_a_typed_error() {
    let fake = FakePve::start();
    let client = fake.client();
    for body in [
        "",
        "null",
        "{",
        "<html><body>Log in</body></html>",
        "{\"data\":",
        "{\"data\":[{}]}",
        "{\"data\":\"x\"}",
        "{\"data\":{\"a\":-1}}",
        "{\"data\":{\"a\":1e400}}",
        "{\"data\":{\"a\":123456789012345678901234567890}}",
        "\u{0}\u{1}\u{fffd}",
    ] {
        fake.spoil("GET", "/version", "raw", 1, json!({"body": body}));
        let answer: Result<std::collections::BTreeMap<String, u32>, Error> =
            client.get("/version", &[]).await;
        let Err(Error::Garbled { source_name, detail }) = answer else { panic!("{body:?}: {answer:?}") };
        assert_eq!(source_name, "Proxmox");
        assert!(detail.contains("GET /version"), "{detail}");
    }
    let deep = format!("{{\"data\":{}", "[".repeat(200_000));
    fake.spoil("GET", "/version", "raw", 1, json!({"body": deep}));
    assert!(matches!(get(&client, "/version").await, Err(Error::Garbled { .. })));
}

#[tokio::test]
async fn what_should_be_a_task_and_is_none_is_a_typed_error() {
    let fake = FakePve::start();
    let client = fake.client();
    for data in [
        json!(5),
        json!([]),
        json!({"upid": "x"}),
        json!(""),
        json!("UPID:"),
        json!("UPID:../../access:1:2:3:vzstart:101:root@pam:"),
        json!("UPID:pve1:1:2:3:vzstart:101:root@pam:\r\nX: y"),
        json!(true),
    ] {
        fake.spoil("POST", START, "raw", 1, json!({"body": json!({"data": data}).to_string()}));
        let answer = called(&client, &post(START, Answer::Task)).await;
        assert!(matches!(answer, Err(Error::Garbled { .. })), "{data}: {answer:?}");
    }
    assert_eq!(fake.count("GET", "/status"), 0, "nothing was followed");
}

#[tokio::test]
async fn a_task_whose_status_is_nonsense_is_given_up() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    for body in [
        "{}",
        "{\"data\":null}",
        "{\"data\":{\"status\":7}}",
        "{\"data\":{\"status\":\"dancing\"}}",
        "<html>",
    ] {
        let upid = fake.call("run_task", json!({"secs": 0}));
        let status = format!("{}/status", upid.as_str().unwrap());
        fake.spoil("GET", &status, "raw", 100, json!({"body": body}));
        let upid = upid.as_str().unwrap().parse().unwrap();
        let begun = Instant::now();
        let output =
            fake.client().follow(&upid, Duration::from_secs(600), &crate::Watch::new().context).await;
        let (reason, _) = unavailable(output.result);
        assert!(reason.contains("was not seen"), "{body}: {reason}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_task_log_of_nonsense_does_not_hide_how_the_task_ended() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    for body in
        ["{}", "{\"data\":\"x\"}", "{\"data\":[5]}", "{\"data\":[{\"n\":\"x\",\"t\":{}}]}", "nonsense"]
    {
        let upid = fake.call("run_task", json!({"secs": 0}));
        fake.spoil("GET", &format!("{}/log", upid.as_str().unwrap()), "raw", 1, json!({"body": body}));
        let upid = upid.as_str().unwrap().parse().unwrap();
        let output = fake.client().follow(&upid, Duration::from_secs(60), &crate::Watch::new().context).await;
        assert!(output.result.is_ok(), "{body}: {output:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_again_or_told() {
    let fake = FakePve::start();
    let client = fake.client();
    fake.spoil("GET", "/version", "cut", 2, json!({"body": "{\"data\":{}}"}));
    let version = get(&client, "/version").await.unwrap();
    assert!(version["version"].is_string(), "the whole one: {version}");
    fake.add_ct(101, "web1", "stopped");
    fake.spoil("POST", START, "cut", 1, json!({"body": "{\"data\":"}));
    let (reason, _) = unavailable(called(&client, &post(START, Answer::Task)).await);
    assert!(reason.contains("carried out is not known"), "{reason}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_it() {
    let fake = FakePve::start();
    let config = ProxmoxConfig { timeout: Duration::from_secs(100), ..fake.config() };
    let client = Client::new(&config).unwrap();
    fake.spoil("GET", "/version", "cut", 1, json!({"promise": 1_u64 << 40}));
    let (reason, _) = unavailable(get(&client, "/version").await);
    assert!(reason.contains("more than 67108864 bytes"), "{reason}");
    fake.spoil("GET", "/version", "flood", 1, json!({}));
    let (reason, _) = unavailable(get(&client, "/version").await);
    assert!(reason.contains("more than 67108864 bytes"), "{reason}");
    get(&client, "/version").await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = FakePve::start();
    fake.spoil("GET", "/version", "raw", 1, json!({"status": 302, "body": "elsewhere"}));
    let failed = get(&fake.client(), "/version").await.unwrap_err();
    assert!(failed.to_string().contains("302"), "{failed}");
    assert_eq!(fake.count("GET", "/version"), 1);
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_never_asked_for() {
    let fake = FakePve::start();
    for path in ["/nodes/../access/ticket", "/nodes/%2e%2e/access", "/version?x=y", "version"] {
        assert!(matches!(get(&fake.client(), path).await, Err(Error::Garbled { .. })), "{path}");
    }
    assert_eq!(fake.get("requests"), json!([]));
}

/// A server that does this with each of its connections, once they have said something.
fn server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(answer);
        }
    });
    port
}

#[tokio::test]
async fn what_speaks_no_tls_is_a_typed_error() {
    let fake = FakePve::start();
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":{}}",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x16\x03\x03\xff\xff garbage",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let endpoints = vec![fake.endpoint_at(server(answer))];
        let config = ProxmoxConfig { endpoints, timeout: Duration::from_secs(2), ..fake.config() };
        let client = Client::new(&config).unwrap();
        let (reason, _) = unavailable(get(&client, "/version").await);
        assert!(reason.contains("cannot be reached"), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
    let fake = FakePve::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = vec![fake.endpoint_at(listener.local_addr().unwrap().port())];
    let config = ProxmoxConfig { endpoints, timeout: Duration::from_secs(1), ..fake.config() };
    let begun = Instant::now();
    let (reason, _) = unavailable(get(&Client::new(&config).unwrap(), "/version").await);
    assert!(reason.contains("no connection in time"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
