use std::os::unix::fs::PermissionsExt as _;

use app::backend::proxmox::{Credentials, Trust};

use super::*;

const AA: &str =
    "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA";

fn host(is_proxmox: bool) -> Host {
    Host { name: "pve1.example.org".into(), is_proxmox }
}

/// A cluster, with the secret "abc" in a file of this mode.
fn cluster(desk: &Desk, mode: u32) -> String {
    let secret = desk.path("secret");
    fs::write(&secret, "abc\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
    format!(
        "[proxmox]\nendpoints = [\"https://pve1\", {{ url = \"https://[fd00::2]:443\", ca = \"/ca.pem\" }}]\n\
         fingerprint = \"{AA}\"\ntoken_id = \"a@pve!b\"\ntoken_secret_file = {secret:?}\n"
    )
}

/// The backends that this text sets up.
fn kinds(desk: &Desk, text: &str) -> Vec<BackendKind> {
    let drivers = desk.load(text).unwrap().drivers(&host(false), desk.dir.path()).unwrap();
    drivers.iter().map(|driver| driver.kind()).collect()
}

#[test]
fn there_is_a_driver_of_each_backend_that_is_set_up() {
    use BackendKind::{Crun, Lxc, ProxmoxLxc, ProxmoxVm};
    let desk = Desk::new();
    assert_eq!(kinds(&desk, ""), [Lxc, Crun]);
    assert_eq!(kinds(&desk, "[crun]\nenabled = false\n"), [Lxc]);
    assert_eq!(kinds(&desk, "[lxc]\nenabled = false\n[routing]\ndefault = \"crun\"\n"), [Crun]);
    let cluster = cluster(&desk, 0o600).replace(", ca = \"/ca.pem\"", "");
    assert_eq!(kinds(&desk, &cluster), [Lxc, Crun, ProxmoxLxc, ProxmoxVm]);
}

#[test]
fn the_proxmox_client_gets_all_that_was_set() {
    let desk = Desk::new();
    let text = format!("{}node = \"pve2\"\ntimeout_seconds = 33\nconcurrency = 3\n", cluster(&desk, 0o600));
    let config = desk.load(text).unwrap().proxmox.unwrap().config(&host(false)).unwrap();
    let endpoints: Vec<_> = config.endpoints.into_iter().map(|of| (of.host, of.port, of.trust)).collect();
    assert_eq!(
        endpoints,
        [
            ("pve1".to_owned(), 8006, Trust::Fingerprint([0xaa; 32])),
            ("fd00::2".to_owned(), 443, Trust::Ca("/ca.pem".into())),
        ]
    );
    assert!(
        matches!(&config.credentials, Credentials::Token { id, secret } if id == "a@pve!b" && secret.expose() == "abc")
    );
    assert_eq!(config.node.as_deref(), Some("pve2"));
    assert_eq!((config.timeout.as_secs(), config.concurrency), (33, 3));
}

#[test]
fn the_local_node_is_this_host_where_it_is_one() {
    let desk = Desk::new();
    let local = |text: &str, is_proxmox| {
        desk.load(text).unwrap().proxmox.unwrap().config(&host(is_proxmox)).unwrap().local_node
    };
    let text = cluster(&desk, 0o600);
    assert_eq!(local(&text, false), None);
    assert_eq!(local(&text, true).as_deref(), Some("pve1"));
    assert_eq!(local(&format!("{text}local_node = \"other\"\n"), true).as_deref(), Some("other"));
}

#[test]
fn no_driver_is_made_with_a_secret_that_others_may_read() {
    let desk = Desk::new();
    let settings = desk.load(cluster(&desk, 0o644)).unwrap();
    let Err(error) = settings.drivers(&host(false), desk.dir.path()) else { panic!("it was used") };
    let error = error.to_string();
    assert!(error.contains("line 5: proxmox.token_secret_file ") && error.contains("chmod 600"), "{error}");
}

#[test]
fn this_host_has_a_name() {
    let name = Host::read().name;
    assert!(!name.is_empty() && name.trim() == name, "{name:?}");
}
