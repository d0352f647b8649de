//! Every key of Paddock's settings: the one list that the reader, the options of `paddock serve`, the sample and
//! `paddock config show` are made from.

use std::{net::SocketAddr, path::PathBuf};

use app::domain::guest::BackendKind;
use ipnet::IpNet;

use super::{
    endpoint::{self, EndpointGiven, Fingerprint},
    key::{Info, Key, Sample},
    networks, read,
    rules::{self, RuleGiven},
};

/// The sections in the order of the sample, and what each is for, one line of text each.
pub const SECTIONS: [(&str, &str); 8] = [
    ("server", "The dashboard itself."),
    ("accounts", "Accounts of Paddock's own. Those of Proxmox are as Proxmox has them."),
    ("operations", "What is done to guests."),
    (
        "history",
        "How long the history stays in the database. What is older is moved into signed files, which\n\
         `paddock verify` proves together with the database; what is moved is shown by the dashboard no more.",
    ),
    ("lxc", "Plain LXC containers, by the lxc-* tools of this host."),
    ("crun", "OCI containers, by crun of this host."),
    (
        "proxmox",
        "Containers and VMs of a Proxmox VE cluster, by its API. Without endpoints there are none.\n\
         On a Proxmox host, as root, these make an account and a token for Paddock; the last prints the secret:\n\
         \n\
         \x20   pveum user add paddock@pve\n\
         \x20   pveum acl modify / --users paddock@pve --roles PVEAdmin\n\
         \x20   pveum user token add paddock@pve dashboard --privsep 0\n\
         \n\
         Put the secret alone into a file that only root can read (chmod 600), name that file below, and remove\n\
         the # before endpoints, ca, token_id and token_secret_file.",
    ),
    (
        "routing",
        "Which backend makes a new guest when nobody names one: the first rule that matches the guest's name\n\
         decides.",
    ),
];

/// Makes a static of each key and the list of all of them, so that neither can lack one.
macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $key:ident: $type:ty = $section:literal $name:literal $env:literal
        $sample:ident($text:literal) $read:expr;)+) => {
        $($(#[doc = $doc])+
        pub static $key: Key<$type> = Key {
            info: Info {
                section: $section,
                name: $name,
                env: $env,
                doc: concat!($($doc, "\n"),+),
                sample: Sample::$sample($text),
                is_flag: is_flag(stringify!($type)),
            },
            read: $read,
        };)+

        /// All keys, in the order of the sample.
        pub static ALL: &[&Info] = &[$(&$key.info),+];
    };
}

/// Whether a key of this type is true or false.
const fn is_flag(type_name: &str) -> bool {
    matches!(type_name.as_bytes(), b"bool")
}

keys! {
    /// Address and port to listen on. Without TLS in front of it, keep it on loopback.
    ADDR: SocketAddr = "server" "addr" "PADDOCK_ADDR" Default("\"127.0.0.1:3000\"") read::address;

    /// Directory of the database and keys. Made, readable by its owner alone, if it is not there.
    DATA: PathBuf = "server" "data" "PADDOCK_DATA" Default("\"/var/lib/paddock\"") read::path;

    /// The browser reaches Paddock by HTTPS (through a proxy), so its cookies are marked Secure.
    HTTPS: bool = "server" "https" "PADDOCK_HTTPS" Default("false") read::flag;

    /// Reverse proxies in front of Paddock, as addresses or networks: ["127.0.0.1", "10.0.0.0/24"]. Of them alone it is
    /// believed from where a request came (X-Forwarded-For), whether by HTTPS (X-Forwarded-Proto) and for which
    /// host (X-Forwarded-Host); see to it that they write the first two themselves. As a variable: with commas between.
    TRUSTED_PROXIES: Vec<IpNet> = "server" "trusted_proxies" "PADDOCK_TRUSTED_PROXIES" Default("[]") networks::list;

    /// Directory of the web site's files. Without it: `site` beside the program's own directory.
    SITE: PathBuf = "server" "site" "PADDOCK_SITE" Example("\"/usr/share/paddock/site\"") read::path;

    /// Everybody must have a second factor; else those alone of whom an administrator asks it.
    REQUIRE_SECOND_FACTOR: bool = "accounts" "require_second_factor" "PADDOCK_ACCOUNTS_REQUIRE_SECOND_FACTOR" Default("false")
        read::flag;

    /// How many operations of one backend are at work at once, 1 to 64. The others stand in line, and users take turns.
    OPERATIONS_AT_ONCE: u64 = "operations" "at_once" "PADDOCK_OPERATIONS_AT_ONCE" Default("8") read::whole::<1, 64>;

    /// Days that the history stays in the database, 0 to 36500. 0: for ever.
    HISTORY_KEEP_DAYS: u32 = "history" "keep_days" "PADDOCK_HISTORY_KEEP_DAYS" Default("0") read::days;

    /// Directory of the files that old history is moved into. Without it: `archive` in the data directory.
    HISTORY_ARCHIVE_DIR: PathBuf = "history" "archive_dir" "PADDOCK_HISTORY_ARCHIVE_DIR"
        Example("\"/srv/paddock-archive\"") read::path;

    /// Whether LXC is looked at at all.
    LXC_ENABLED: bool = "lxc" "enabled" "PADDOCK_LXC_ENABLED" Default("true") read::flag;

    /// Where LXC keeps its containers.
    LXC_PATH: PathBuf = "lxc" "path" "PADDOCK_LXC_PATH" Default("\"/var/lib/lxc\"") read::path;

    /// Configuration that new containers begin with. Without it: LXC's own default.
    LXC_CREATE_CONFIG: PathBuf = "lxc" "create_config" "PADDOCK_LXC_CREATE_CONFIG"
        Example("\"/etc/lxc/default.conf\"") read::path;

    /// Where LXC's templates are installed.
    LXC_TEMPLATES: PathBuf = "lxc" "templates" "PADDOCK_LXC_TEMPLATES"
        Default("\"/usr/share/lxc/templates\"") read::path;

    /// Whether crun is looked at at all.
    CRUN_ENABLED: bool = "crun" "enabled" "PADDOCK_CRUN_ENABLED" Default("true") read::flag;

    /// Where crun keeps the state of its containers.
    CRUN_ROOT: PathBuf = "crun" "root" "PADDOCK_CRUN_ROOT" Default("\"/run/crun\"") read::path;

    /// A directory whose OCI bundles are offered for new containers, and where those made from images get theirs.
    CRUN_BUNDLES: PathBuf = "crun" "bundles" "PADDOCK_CRUN_BUNDLES"
        Default("\"/var/lib/paddock/bundles\"") read::path;

    /// A directory whose OCI image layouts are offered for new containers, and where fetched images are kept.
    CRUN_IMAGES: PathBuf = "crun" "images" "PADDOCK_CRUN_IMAGES"
        Default("\"/var/lib/paddock/images\"") read::path;

    /// Nodes of one cluster; any of them can be asked for all, the first that works is used until it fails.
    /// A node whose certificate differs from the others' has its own trust:
    /// { url = "https://pve1:8006", fingerprint = "AA:BB:..." } or { url = "https://pve1:8006", ca = "/path.pem" }.
    /// As a variable: addresses with commas between them, or a list as here. An empty list: no Proxmox.
    PROXMOX_ENDPOINTS: Vec<EndpointGiven> = "proxmox" "endpoints" "PADDOCK_PROXMOX_ENDPOINTS"
        Example("[\"https://localhost:8006\"]") endpoint::list;

    /// SHA-256 fingerprint of the certificate that the endpoints show, as `pvenode cert info` prints it.
    PROXMOX_FINGERPRINT: Fingerprint = "proxmox" "fingerprint" "PADDOCK_PROXMOX_FINGERPRINT"
        Example("\"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\"")
        endpoint::fingerprint;

    /// Certificate of the authority that signed the endpoints' certificates, in PEM. Instead of a fingerprint.
    PROXMOX_CA: PathBuf = "proxmox" "ca" "PADDOCK_PROXMOX_CA" Example("\"/etc/pve/pve-root-ca.pem\"") read::path;

    /// Id of the API token that Paddock uses, user@realm!name.
    PROXMOX_TOKEN_ID: String = "proxmox" "token_id" "PADDOCK_PROXMOX_TOKEN_ID"
        Example("\"paddock@pve!dashboard\"") read::token_id;

    /// File with the token's secret, readable by its owner alone.
    PROXMOX_TOKEN_SECRET_FILE: PathBuf = "proxmox" "token_secret_file" "PADDOCK_PROXMOX_TOKEN_SECRET_FILE"
        Example("\"/etc/paddock/proxmox-token\"") read::secret_path;

    /// Instead of a token: a user of Proxmox, user@realm.
    PROXMOX_USER: String = "proxmox" "user" "PADDOCK_PROXMOX_USER" Example("\"paddock@pve\"") read::user;

    /// File with the user's password, readable by its owner alone.
    PROXMOX_PASSWORD_FILE: PathBuf = "proxmox" "password_file" "PADDOCK_PROXMOX_PASSWORD_FILE"
        Example("\"/etc/paddock/proxmox-password\"") read::secret_path;

    /// The node for new guests where a request names none. Without it: local_node.
    PROXMOX_NODE: String = "proxmox" "node" "PADDOCK_PROXMOX_NODE" Example("\"pve1\"") read::node;

    /// Name of the node that Paddock itself runs on. Without it: this host's name, if this is a Proxmox host.
    PROXMOX_LOCAL_NODE: String = "proxmox" "local_node" "PADDOCK_PROXMOX_LOCAL_NODE" Example("\"pve1\"") read::node;

    /// Seconds that a connection may take to be made, and then an answer to come, 1 to 600.
    PROXMOX_TIMEOUT_SECONDS: u64 = "proxmox" "timeout_seconds" "PADDOCK_PROXMOX_TIMEOUT_SECONDS"
        Default("10") read::whole::<1, 600>;

    /// Most requests under way at once, 1 to 64. Each costs a Proxmox daemon's worker.
    PROXMOX_CONCURRENCY: u64 = "proxmox" "concurrency" "PADDOCK_PROXMOX_CONCURRENCY"
        Default("8") read::whole::<1, 64>;

    /// The backend for names that no rule matches.
    ROUTING_DEFAULT: BackendKind = "routing" "default" "PADDOCK_ROUTING_DEFAULT" Default("\"lxc\"") read::backend;

    /// The rules, in order. Each has a pattern (a regular expression, found anywhere in the name unless anchored) or
    /// a glob (which fits the whole name), and a backend. Each can also be a section of its own, [[routing.rules]].
    /// As a variable: a list as here.
    ROUTING_RULES: Vec<RuleGiven> = "routing" "rules" "PADDOCK_ROUTING_RULES"
        Example(
            "[\n    { pattern = \"^web-\", backend = \"proxmox-lxc\" },\n    { glob = \"db-*\", backend = \"proxmox-vm\" },\n]"
        )
        rules::list;
}
