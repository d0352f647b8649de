use std::net::TcpListener;

use crate::{
    backend::proxmox::{Endpoint, ProxmoxConfig, Trust},
    domain::guest::BackendKind,
};

use super::*;

/// What a ticket of this age is good for where Proxmox takes connections and says nothing: the key, and whether
/// a new one was asked for.
async fn key_of_age(age: Duration) -> (Result<Key, Error>, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, trust: Trust::Fingerprint([0; 32]) };
    let credentials = Credentials::Password { user: "root@pam".to_owned(), password: Secret::new("x") };
    let timeout = Duration::from_millis(100);
    let config = ProxmoxConfig { timeout, ..ProxmoxConfig::of(endpoint, credentials) };
    let client = Client::new(&config).unwrap();
    let text = Secret::new("PVE:root@pam:66::a");
    *client.session.held.lock().await = Held {
        ticket: Some(Ticket { text, headers: HeaderMap::new(), since: Instant::now() - age }),
        count: 7,
        refused: None,
    };
    let key = client.key().await;
    (key, listener.accept().is_ok())
}

#[tokio::test]
async fn a_ticket_is_renewed_before_it_ends_and_used_on_where_that_fails() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let (key, asked) = key_of_age(minutes(89)).await;
    assert!(key.is_ok_and(|key| key.ticket == Some(7)) && !asked);
    let (key, asked) = key_of_age(minutes(91)).await;
    assert!(key.is_ok_and(|key| key.ticket == Some(7)) && asked);
    let (key, asked) = key_of_age(minutes(121)).await;
    assert!(matches!(key, Err(Error::Unavailable { .. })) && asked);
}

fn token(id: &str, secret: &str) -> Result<Session, String> {
    Session::new(&Credentials::Token { id: id.to_owned(), secret: Secret::new(secret) })
}

#[test]
fn credentials_that_cannot_be_any_are_refused_before_the_first_request() {
    let session = token("paddock@pve!host", "5f0e").ok().unwrap();
    let Source::Token(sent) = session.source else { panic!("a token is one") };
    assert_eq!(sent[header::AUTHORIZATION], "PVEAPIToken=paddock@pve!host=5f0e");
    assert!(sent[header::AUTHORIZATION].is_sensitive());
    for id in [
        "",
        "paddock",
        "paddock@pve",
        "paddock!host",
        "@pve!host",
        "a@pve!",
        "a@p ve!b",
        "a@pve!b=c",
        "a\n@pve!b",
    ] {
        assert!(token(id, "5f0e").is_err_and(|why| why.contains("is no API token")), "{id:?}");
    }
    for secret in ["a\nb", "a\0", "ä"] {
        let why = token("a@pve!b", secret).err().unwrap();
        assert!(!why.contains(secret), "no secret in an error: {why}");
    }
    let password = |user: &str| {
        Session::new(&Credentials::Password { user: user.to_owned(), password: Secret::new("ü any\n") })
    };
    assert!(password("root@pam").is_ok());
    assert!(password("ann.lee@example.org@ldap").is_ok());
    for user in ["", "root", "root@", "@pam", "ro ot@pam"] {
        assert!(password(user).is_err(), "{user:?}");
    }
}

#[test]
fn a_log_in_that_gives_no_ticket_is_a_typed_error() {
    let scene = Scene::of(BackendKind::ProxmoxLxc, Method::Post, LOG_IN);
    let answered = |status, body: &str| {
        let reply = Reply { status, reason: "x".to_owned(), body: body.as_bytes().to_vec() };
        let ticket = granted(&scene, &reply).and_then(|answer| answer.ticket(&scene, "root@pam"));
        ticket.map(|ticket| ticket.headers)
    };
    let sent = answered(200, r#"{"data":{"ticket":"PVE:root@pam:66::a+b/c==","CSRFPreventionToken":"1:x"}}"#)
        .unwrap();
    assert_eq!(sent[header::COOKIE], "PVEAuthCookie=PVE:root@pam:66::a+b/c==");
    assert_eq!(sent[CSRF], "1:x");
    let factor = r#"{"data":{"ticket":"PVE:!tfa!x","CSRFPreventionToken":"1:x","NeedTFA":1}}"#;
    assert!(answered(200, factor).unwrap_err().to_string().contains("second factor"));
    assert!(matches!(answered(401, ""), Err(Error::Unavailable { .. })));
    for body in [
        "",
        "{}",
        r#"{"data":null}"#,
        r#"{"data":{"ticket":5}}"#,
        r#"{"data":{"ticket":"","CSRFPreventionToken":"1:x"}}"#,
        r#"{"data":{"ticket":"a; Path=/","CSRFPreventionToken":"1:x"}}"#,
        r#"{"data":{"ticket":"a\r\nX: y","CSRFPreventionToken":"1:x"}}"#,
        r#"{"data":{"ticket":"a","CSRFPreventionToken":"1\n"}}"#,
    ] {
        assert!(matches!(answered(200, body), Err(Error::Garbled { .. })), "{body}");
    }
}
