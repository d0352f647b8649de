use std::path::PathBuf;

use crate::{
    backend::proxmox::{Credentials, Endpoint, Trust},
    domain::secret::Secret,
};

use super::*;

fn config(trust: Trust) -> ProxmoxConfig {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: 8006, trust };
    ProxmoxConfig::of(endpoint, Credentials::Token { id: "a@pve!b".to_owned(), secret: Secret::new("c") })
}

#[test]
fn a_segment_stays_one_whatever_is_in_it() {
    assert_eq!(segment("pve-1.x_~"), "pve-1.x_~");
    assert_eq!(segment("UPID:a:1:2:3:t:1:u@pam!x:"), "UPID%3Aa%3A1%3A2%3A3%3At%3A1%3Au%40pam%21x%3A");
    assert_eq!(segment("a/../b?c#d e"), "a%2F..%2Fb%3Fc%23d%20e");
    assert_eq!(segment("ä"), "%C3%A4");
}

#[test]
fn a_path_cannot_lead_out_of_the_api() {
    for path in ["/version", "/nodes/pve-1/tasks/UPID%3Aa%3A/status", "/nodes/a/storage/local/content/b%2Fc"]
    {
        assert_eq!(check(path), Ok(()), "{path}");
    }
    for path in [
        "",
        "version",
        "/",
        "//",
        "/nodes//x",
        "/nodes/",
        "/..",
        "/nodes/../access",
        "/nodes/./x",
        "/nodes/%2e%2E/x",
        "/nodes/%2E/x",
        "/nodes/.%2e/x",
        "/version?a=b",
        "/version#x",
        "/a b",
        "/a\nb",
        "/ä",
        "/a\\b",
        "/@evil",
    ] {
        assert!(check(path).is_err(), "{path:?}");
    }
}

#[test]
fn what_is_wrong_with_the_settings_is_told_before_any_request() {
    let refused = |config: ProxmoxConfig| match Client::new(&config) {
        Err(Error::Unavailable { reason, .. }) => reason,
        Err(other) => panic!("not refused as it should be: {other:?}"),
        Ok(_) => panic!("accepted"),
    };
    assert!(Client::new(&config(Trust::Fingerprint([0; 32]))).is_ok());
    assert!(refused(config(Trust::Ca(PathBuf::from("/nowhere/ca.pem")))).contains("/nowhere/ca.pem"));
    let none = ProxmoxConfig { endpoints: Vec::new(), ..config(Trust::Fingerprint([0; 32])) };
    assert!(refused(none).contains("no endpoint"));
    let mut odd = config(Trust::Fingerprint([0; 32]));
    odd.endpoints[0].host = "pve1/x".to_owned();
    assert!(refused(odd).contains("pve1/x"));
    let credentials = Credentials::Password { user: "root".to_owned(), password: Secret::new("hunter2") };
    let reason = refused(ProxmoxConfig { credentials, ..config(Trust::Fingerprint([0; 32])) });
    assert!(reason.contains("user@realm") && !reason.contains("hunter2"), "{reason}");
}

#[test]
fn an_unanswered_change_is_not_said_to_be_undone() {
    let client = Client::new(&config(Trust::Fingerprint([0; 32]))).ok().unwrap();
    let read = client.reading("/nodes/a/qemu/100/config", &[]);
    let change = Request { method: Method::Post, repeatable: false, ..read };
    let broken = [("a:8006", Fault::Broken("reset".to_owned()))];
    let told = client.unanswered(&change, &broken).to_string();
    assert!(told.contains("Whether POST /nodes/a/qemu/100/config was carried out is not known"), "{told}");
    assert!(!client.unanswered(&read, &broken).to_string().contains("carried out"));
    let late = [("a:8006", Fault::Unanswered(Duration::from_secs(9)))];
    assert!(matches!(client.unanswered(&change, &late), Error::TimedOut { .. }));
    let refused = [("a:8006", Fault::Unconnected("refused".to_owned()))];
    let told = client.unanswered(&change, &refused);
    assert!(
        matches!(&told, Error::Unavailable { backend: BackendKind::ProxmoxVm, reason, .. } if !reason.contains("carried"))
    );
}
