//! The way to Proxmox: slow, broken, gone, doubled.

use std::time::{Duration, Instant};

use app::{
    backend::{
        Error,
        proxmox::{Client, ProxmoxConfig},
    },
    domain::plan::Answer,
};
use futures::future::join_all;
use serde_json::json;

use crate::{called, fakepve::FakePve, get, post, unavailable, within};

const START: &str = "/nodes/pve1/lxc/101/status/start";

fn impatient(fake: &FakePve, timeout: Duration) -> Client {
    Client::new(&ProxmoxConfig { timeout, ..fake.config() }).unwrap()
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let fake = FakePve::start();
    let client = fake.client();
    for _ in 0..20 {
        get(&client, "/version").await.unwrap();
    }
    assert_eq!(fake.get("connections").as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_so_many_requests_are_under_way_at_once() {
    let fake = FakePve::start();
    fake.spoil("GET", "/version", "hang", 12, json!({"seconds": 0.05}));
    let client = Client::new(&ProxmoxConfig { concurrency: 3, ..fake.config() }).unwrap();
    let answers = join_all((0..12).map(|_| get(&client, "/version"))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(fake.get("most_under_way"), 3);
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_up_to_the_limit() {
    let fake = FakePve::with_time(1.0);
    fake.call("slow_network", json!([0.3]));
    get(&impatient(&fake, Duration::from_secs(5)), "/version").await.unwrap();
    assert_eq!(fake.count("GET", "/version"), 1);

    let begun = Instant::now();
    let client = impatient(&fake, Duration::from_millis(150));
    let (reason, _) = unavailable(get(&client, "/version").await);
    assert!(reason.contains("did not answer within"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_read_that_hangs_once_is_asked_again() {
    let fake = FakePve::start();
    fake.spoil("GET", "/version", "hang", 1, json!({"seconds": 30}));
    get(&impatient(&fake, Duration::from_millis(500)), "/version").await.unwrap();
    assert_eq!(fake.count("GET", "/version"), 2);
}

#[tokio::test]
async fn a_change_that_is_not_answered_is_not_made_twice() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = fake.client();
    fake.spoil("POST", START, "hang", 1, json!({"seconds": 30}));
    let call = within(post(START, Answer::Task), Duration::from_millis(500));
    let Err(Error::TimedOut { words }) = called(&client, &call).await else { panic!() };
    assert!(
        words.contains("Whether POST /nodes/pve1/lxc/101/status/start was carried out is not known"),
        "{words}"
    );
    assert_eq!(fake.count("POST", START), 1);
}

#[tokio::test]
async fn reads_survive_broken_connections_a_few_times() {
    let fake = FakePve::start();
    let client = fake.client();
    fake.spoil("GET", "/version", "drop", 2, json!({}));
    get(&client, "/version").await.unwrap();
    assert_eq!(fake.count("GET", "/version"), 3);
    fake.spoil("GET", "/version", "drop", 3, json!({}));
    let (reason, _) = unavailable(get(&client, "/version").await);
    assert!(reason.contains("broke the connection"), "{reason}");
    assert_eq!(fake.count("GET", "/version"), 6, "the tries have an end");
}

#[tokio::test]
async fn a_network_that_drops_every_tenth_request_goes_unnoticed_by_readers() {
    let fake = FakePve::start();
    fake.call("_random.seed", json!([7]));
    fake.call("flaky_network", json!({"drop_rate": 0.1}));
    let client = fake.client();
    for _ in 0..40 {
        get(&client, "/version").await.unwrap();
    }
    let connections = fake.get("connections").as_array().unwrap().len();
    assert!(connections > 1, "some were dropped");
}

#[tokio::test]
async fn a_change_whose_connection_breaks_is_not_repeated() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = fake.client();
    for how in ["drop", "swallow"] {
        fake.spoil("POST", START, how, 1, json!({}));
        let (reason, cure) = unavailable(called(&client, &post(START, Answer::Task)).await);
        assert!(reason.contains("carried out is not known"), "{reason}");
        assert!(cure.contains("before trying again"), "{cure}");
    }
    assert_eq!(fake.count("POST", START), 2);
    assert_eq!(fake.get_guest(101, "status"), "running", "one of the two was carried out");
}

#[tokio::test]
async fn a_proxy_in_front_that_fails_for_a_moment_is_asked_again_for_reads_alone() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = fake.client();
    let failing = |method: &str, suffix: &str, status: u16| {
        fake.call(
            "fail",
            json!({"method": method, "suffix": suffix, "status": status, "html": true,
                                 "message": "<html>Bad Gateway</html>", "times": 2}),
        );
    };
    failing("GET", "/version", 502);
    get(&client, "/version").await.unwrap();
    failing("POST", START, 503);
    let (reason, _) = unavailable(called(&client, &post(START, Answer::Task)).await);
    assert!(reason.contains("What stands before Proxmox"), "{reason}");
    assert_eq!(fake.count("POST", START), 1);
}

#[tokio::test]
async fn where_one_node_is_silent_the_next_is_asked_and_remembered() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let other = fake.listen();
    let endpoints = vec![fake.endpoint(), fake.endpoint_at(other)];
    let client = Client::new(&ProxmoxConfig { endpoints, ..fake.config() }).unwrap();
    get(&client, "/version").await.unwrap();

    fake.shut(fake.port);
    get(&client, "/version").await.unwrap();
    fake.shut(other);
    fake.reopen(fake.port);
    // Until the client has seen that its connection was cut: a change that is sent on one is not repeated.
    tokio::time::sleep(Duration::from_millis(200)).await;
    // No connection can be made, so a change goes on to the next node, too.
    called(&client, &post(START, Answer::Task)).await.unwrap();
    assert_eq!(fake.get_guest(101, "status"), "running");
    assert_eq!(fake.count("POST", START), 1);

    fake.shut(fake.port);
    let (reason, cure) = unavailable(get(&client, "/version").await);
    for port in [fake.port, other] {
        assert!(reason.contains(&format!("127.0.0.1:{port} cannot be reached")), "{reason}");
    }
    assert!(cure.contains("pveproxy"), "{cure}");
    // And a failed one is tried again.
    fake.reopen(other);
    get(&client, "/version").await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_not_trusted_is_passed_over_for_one_that_is() {
    let fake = FakePve::start();
    let other = fake.listen();
    let mut distrusted = fake.endpoint();
    distrusted.trust = app::backend::proxmox::Trust::Fingerprint([0; 32]);
    let endpoints = vec![distrusted, fake.endpoint_at(other)];
    let client = Client::new(&ProxmoxConfig { endpoints, ..fake.config() }).unwrap();
    get(&client, "/version").await.unwrap();
}

#[tokio::test]
async fn an_offline_node_is_told_from_an_offline_cluster() {
    let fake = FakePve::start();
    fake.call("add_node", json!(["pve2"]));
    fake.call("set_node_offline", json!(["pve2"]));
    let client = fake.client();
    let (reason, cure) = unavailable(get(&client, "/nodes/pve2/qemu").await);
    assert!(
        reason.contains("Proxmox cannot reach the node") && reason.contains("No route to host"),
        "{reason}"
    );
    assert!(cure.contains("node is up"), "{cure}");
    get(&client, "/nodes/pve1/qemu").await.unwrap();
}

#[tokio::test]
async fn without_quorum_reads_work_and_changes_are_refused() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    fake.call("lose_quorum", json!([]));
    let client = fake.client();
    get(&client, "/nodes/pve1/lxc/101/status/current").await.unwrap();
    let (reason, _) = unavailable(called(&client, &post(START, Answer::Task)).await);
    assert!(reason.contains("no quorum"), "{reason}");
    assert_eq!(fake.get_guest(101, "status"), "stopped");
}

/// Told with `--nocapture`; the bound is far above what it takes.
#[tokio::test]
async fn a_kept_alive_read_costs_little_more_than_the_bare_request() {
    let fake = FakePve::start();
    let client = fake.client();
    let pem = std::fs::read(&fake.ca).unwrap();
    let bare =
        reqwest::Client::builder().tls_backend_preconfigured(bare_tls(&pem)).no_proxy().build().unwrap();
    let url = format!("https://{}:{}/api2/json/version", fake.host, fake.port);
    let token = format!("PVEAPIToken={}={}", crate::fakepve::TOKEN, crate::fakepve::TOKEN_SECRET);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let begun = Instant::now();
        get(&client, "/version").await.unwrap();
        ours.push(begun.elapsed());
        let begun = Instant::now();
        let answer = bare.get(&url).header("Authorization", &token).send().await.unwrap();
        let _: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        theirs.push(begun.elapsed());
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("kept-alive GET /version: {ours:?} by the client, {theirs:?} bare");
    assert!(ours < theirs + Duration::from_millis(2), "{ours:?}, bare {theirs:?}");
}

fn bare_tls(pem: &[u8]) -> rustls::ClientConfig {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth()
}
