use crate::settings::proxmox::{Account, Endpoint, Trust};

use super::*;

const ACCOUNT: &str = "token_id = \"a@pve!b\"\ntoken_secret_file = \"/secret\"\n";
const AA: &str =
    "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA";

fn cluster(keys: &str) -> Result<Vec<Endpoint>, SettingsError> {
    let desk = Desk::new();
    Ok(desk.load(format!("[proxmox]\n{keys}\n{ACCOUNT}"))?.proxmox.unwrap().endpoints)
}

fn endpoint(url: &str, trust: Trust) -> (String, Trust) {
    (url.to_owned(), trust)
}

fn aa() -> Trust {
    Trust::Fingerprint(crate::settings::endpoint::Fingerprint([0xaa; 32]))
}

#[test]
fn every_endpoint_has_its_own_trust_or_the_common_one() {
    let keys = format!(
        "ca = \"/common.pem\"\nendpoints = [\n \"https://pve1:8006\",\n {{ url = \"https://pve2\", fingerprint = \"{AA}\" \
         }},\n {{ url = \"https://[fd00::3]:443/\", ca = \"/own.pem\" }},\n {{ url = \"https://10.0.0.4\" }},\n]"
    );
    let found: Vec<_> =
        cluster(&keys).unwrap().into_iter().map(|of| endpoint(&of.url.to_string(), of.trust)).collect();
    assert_eq!(
        found,
        [
            endpoint("https://pve1:8006", Trust::Ca("/common.pem".into())),
            endpoint("https://pve2:8006", aa()),
            endpoint("https://[fd00::3]:443", Trust::Ca("/own.pem".into())),
            endpoint("https://10.0.0.4:8006", Trust::Ca("/common.pem".into())),
        ]
    );
    let keys = "ca = \"/c\"\nendpoints = [\"https://[fd00::3]\"]";
    assert_eq!(cluster(keys).unwrap()[0].url.host, "fd00::3", "the brackets belong to the address");
}

#[test]
fn endpoints_can_be_sections_of_their_own() {
    let desk = Desk::new();
    let text = format!(
        "[proxmox]\n{ACCOUNT}\n[[proxmox.endpoints]]\nurl = \"https://a\"\nca = \"/a\"\n\n[[proxmox.endpoints]]\nurl = \
         \"https://b\"\n"
    );
    desk.refuses(
        &text,
        9,
        "proxmox.fingerprint",
        "is missing, and the certificate of https://b:8006 must be known",
    );
    let both = desk.load(format!("{text}ca = \"/b\"\n")).unwrap().proxmox.unwrap().endpoints;
    assert_eq!(
        both.iter().map(|of| of.url.to_string()).collect::<Vec<_>>(),
        ["https://a:8006", "https://b:8006"]
    );
}

#[test]
fn a_variable_names_several_endpoints() {
    let desk = Desk::new()
        .variable("PADDOCK_PROXMOX_ENDPOINTS", "https://a, https://b:1")
        .variable("PADDOCK_PROXMOX_FINGERPRINT", AA.to_lowercase().replace(':', ""))
        .variable("PADDOCK_PROXMOX_USER", "root@pam")
        .variable("PADDOCK_PROXMOX_PASSWORD_FILE", "/password");
    let proxmox = desk.load_named(None).unwrap().proxmox.unwrap();
    let urls: Vec<_> = proxmox.endpoints.iter().map(|of| of.url.to_string()).collect();
    assert_eq!(urls, ["https://a:8006", "https://b:1"]);
    assert!(proxmox.endpoints.iter().all(|of| of.trust == aa()));
    assert!(matches!(proxmox.account, Account::Password { user, .. } if user == "root@pam"));
    let desk = Desk::new()
        .variable("PADDOCK_PROXMOX_ENDPOINTS", format!("[{{ url = 'https://a', fingerprint = '{AA}' }}]"))
        .variable("PADDOCK_PROXMOX_TOKEN_ID", "a@pve!b")
        .variable("PADDOCK_PROXMOX_TOKEN_SECRET_FILE", "/secret");
    assert_eq!(desk.load_named(None).unwrap().proxmox.unwrap().endpoints[0].trust, aa());
}

#[test]
fn an_address_is_https_a_host_and_perhaps_a_port() {
    let desk = Desk::new();
    for url in [
        "http://pve1:8006",
        "pve1:8006",
        "https://pve1:8006/api2/json",
        "https://pve1:8006?x=1",
        "https://pve1:8006#x",
        "https://pve1:0",
        "https://pve1:65536",
        "https://pve1:",
        "https://",
        "https://pve 1",
        "https://-x",
        "https://pve_1%0d",
        "ftp://pve1",
        "",
    ] {
        let text =
            format!("[proxmox]\nca = \"/c\"\nendpoints = [\n \"https://good\",\n \"{url}\",\n]\n{ACCOUNT}");
        desk.refuses(
            &text,
            5,
            "proxmox.endpoints (number 2)",
            "It must be an address such as \"https://pve1:8006\"",
        );
    }
    let with_password =
        format!("[proxmox]\nca = \"/c\"\nendpoints = [\"https://root:hunter2@pve1\"]\n{ACCOUNT}");
    let error = desk.error(&with_password);
    assert!(error.contains("line 3: proxmox.endpoints (number 1)") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_fingerprint_is_32_bytes() {
    let desk = Desk::new();
    for text in [
        "AA",
        &AA[..92],
        &format!("{AA}:AA"),
        &AA.replace(':', "-"),
        &AA.replacen("AA", "GG", 1),
        &AA.replacen("AA:", "A:A", 1),
    ] {
        let text = format!("[proxmox]\nfingerprint = \"{text}\"\n");
        desk.refuses(&text, 2, "proxmox.fingerprint", "32 bytes in hexadecimal");
    }
    let own = "[proxmox]\nendpoints = [{ url = \"https://a\", fingerprint = \"AA\" }]\n";
    desk.refuses(own, 2, "proxmox.endpoints (number 1, fingerprint)", "32 bytes in hexadecimal");
}

#[test]
fn there_is_no_way_without_trust_and_no_two_ways() {
    let desk = Desk::new();
    let none = format!("[proxmox]\n{ACCOUNT}endpoints = [\"https://pve1\"]\n");
    desk.refuses(&none, 4, "proxmox.fingerprint", "(shown there by `pvenode cert info`), or by ca");
    let two =
        format!("[proxmox]\n{ACCOUNT}endpoints = [\"https://pve1\"]\nfingerprint = \"{AA}\"\nca = \"/c\"\n");
    desk.refuses(&two, 6, "proxmox.ca", "cannot be together with proxmox.fingerprint (");
    let own =
        format!("[proxmox]\nendpoints = [{{ url = \"https://a\", fingerprint = \"{AA}\", ca = \"/c\" }}]\n");
    desk.refuses(&own, 2, "proxmox.endpoints (number 1, ca)", "is together with fingerprint");
    desk.refuses("[proxmox]\ninsecure = true\n", 2, "proxmox.insecure", "is unknown");
}

#[test]
fn there_is_one_account_and_it_is_whole() {
    let desk = Desk::new();
    let with = |keys: &str| format!("[proxmox]\nca = \"/c\"\nendpoints = [\"https://pve1\"]\n{keys}");
    desk.refuses(&with(""), 3, "proxmox.token_id", "is missing, and Proxmox answers nobody it does not know");
    let half = with("token_id = \"a@pve!b\"\n");
    desk.refuses(
        &half,
        4,
        "proxmox.token_secret_file",
        "is missing, and proxmox.token_id is of no use without it",
    );
    let half = with("token_secret_file = \"/s\"\n");
    desk.refuses(
        &half,
        4,
        "proxmox.token_id",
        "is missing, and proxmox.token_secret_file is of no use without it",
    );
    desk.refuses(&with("user = \"a@pve\"\n"), 4, "proxmox.password_file", "is missing");
    desk.refuses(&with("password_file = \"/p\"\n"), 4, "proxmox.user", "is missing");
    let both = with(&format!("{ACCOUNT}user = \"a@pve\"\npassword_file = \"/p\"\n"));
    desk.refuses(&both, 6, "proxmox.user", "cannot be together with proxmox.token_id (");
}

#[test]
fn what_is_set_without_endpoints_is_told() {
    let desk = Desk::new();
    desk.refuses(
        "[proxmox]\n\nnode = \"pve1\"\n",
        3,
        "proxmox.endpoints",
        "proxmox.node is of no use without it",
    );
    assert_eq!(desk.load("[proxmox]\n").unwrap().proxmox, None);
    assert_eq!(desk.load(format!("[proxmox]\nendpoints = []\n{ACCOUNT}")).unwrap().proxmox, None);
}
