use std::os::unix::{ffi::OsStringExt as _, fs::PermissionsExt as _};

use super::*;

#[test]
fn a_key_that_no_one_knows_is_refused_with_what_there_is() {
    let desk = Desk::new();
    for section in keys::SECTIONS.map(|(section, _)| section) {
        let names: Vec<&str> =
            keys::ALL.iter().filter(|key| key.section == section).map(|key| key.name).collect();
        let text = format!("# words\n\n[{section}]\nnonsense = 1\n");
        let known = format!("is unknown. The keys of [{section}] are {}.", names.join(", "));
        desk.refuses(&text, 4, &format!("{section}.nonsense"), &known);
    }
    desk.refuses(
        "addr = \"127.0.0.1:1\"\n",
        1,
        "addr",
        "There are the sections [server], [accounts], [operations], [history], [lxc], ",
    );
    desk.refuses(
        "\n[servers]\naddr = 1\n",
        2,
        "servers",
        "There are the sections [server], [accounts], [operations], [history], [lxc], ",
    );
    desk.refuses("[server]\nlxc.path = \"/x\"\n", 2, "server.lxc", "is unknown");
    desk.refuses("[server.addr]\nport = 1\n", 1, "server.addr", "is a table");
    desk.refuses("lxc.nonsense.more = 1\n", 1, "lxc.nonsense", "is unknown");
    // Of several, the first in the file.
    desk.refuses("[lxc]\nz = 1\na = 1\n[crun]\na = 1\n", 2, "lxc.z", "is unknown");
}

#[test]
fn what_is_inside_a_list_is_known_by_its_number() {
    let desk = Desk::new();
    let rules = "[routing]\nrules = [\n  { glob = \"a\", backend = \"lxc\" },\n  { gob = \"a\" },\n]\n";
    desk.refuses(rules, 4, "routing.rules (number 2, gob)", "Its keys are pattern, glob, backend.");
    let endpoints = "[proxmox]\nendpoints = [\n  { url = \"https://a\" },\n  { uri = \"https://b\" },\n]\n";
    desk.refuses(endpoints, 4, "proxmox.endpoints (number 2, uri)", "Its keys are url, fingerprint, ca.");
    let sections = "[[routing.rules]]\nglob = \"a\"\nbackend = \"lxc\"\n\n[[routing.rules]]\nglob = \"a\"\nback = \"lxc\"\n";
    desk.refuses(sections, 7, "routing.rules (number 2, back)", "is unknown");
    let without = "[[routing.rules]]\nglob = \"a\"\n\n[[routing.rules]]\nbackend = \"lxc\"\n";
    desk.refuses(without, 1, "routing.rules (number 1, backend)", "is missing");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_in_every_key() {
    let desk = Desk::new();
    for key in keys::ALL {
        for (wrong, found) in [
            ("{ a = 1 }", "is a table. It must be "),
            ("1979-05-27", "is the date 1979-05-27. It must be "),
            ("-1.5", "is the number -1.5. It must be "),
        ] {
            let found = if key.name.ends_with("_file") { "is something else than " } else { found };
            let text = format!("[{}]\n{} = {wrong}\n", key.section, key.name);
            desk.refuses(&text, 2, &key.to_string(), found);
        }
    }
}

#[test]
fn a_wrong_value_is_shown_beside_what_is_expected() {
    let desk = Desk::new();
    let rows = [
        (
            "server",
            "addr",
            "\"nope\"",
            "\"nope\". It must be an IP address and a port, such as \"127.0.0.1:3000\".",
        ),
        ("server", "addr", "\"localhost:3000\"", "an IP address and a port"),
        ("server", "addr", "3000", "is the number 3000."),
        ("server", "data", "\"data\"", "is \"data\". It must be an absolute path, in quotes."),
        ("server", "data", "\"\"", "an absolute path"),
        ("server", "data", "\"/a\\u0000b\"", "is \"/a\\0b\"."),
        ("server", "https", "\"true\"", "is \"true\". It must be true or false, without quotes."),
        ("server", "https", "1", "true or false"),
        ("server", "site", "\"../site\"", "an absolute path"),
        ("lxc", "enabled", "\"yes\"", "true or false"),
        ("lxc", "path", "true", "is true. It must be an absolute path, in quotes."),
        ("crun", "root", "[\"/run/crun\"]", "is a list. It must be an absolute path"),
        ("proxmox", "timeout_seconds", "0", "is the number 0. It must be a whole number from 1 to 600."),
        ("proxmox", "timeout_seconds", "601", "a whole number from 1 to 600"),
        ("proxmox", "timeout_seconds", "\"10\"", "a whole number from 1 to 600"),
        ("proxmox", "concurrency", "-1", "a whole number from 1 to 64"),
        ("operations", "at_once", "0", "a whole number from 1 to 64"),
        ("operations", "at_once", "65", "a whole number from 1 to 64"),
        ("operations", "at_once", "\"many\"", "a whole number from 1 to 64"),
        ("proxmox", "concurrency", "99999999999999999999999999", "a whole number from 1 to 64"),
        (
            "proxmox",
            "token_id",
            "\"paddock@pve\"",
            "the id of a Proxmox API token, such as \"paddock@pve!dashboard\".",
        ),
        ("proxmox", "token_id", "\"paddock!dashboard\"", "the id of a Proxmox API token"),
        ("proxmox", "token_id", "\"a@pve!b\\r\\nX: y\"", "is \"a@pve!b\\r\\nX: y\"."),
        ("proxmox", "user", "\"paddock\"", "a Proxmox user with its realm, such as \"paddock@pve\"."),
        ("proxmox", "user", "\"a b@pve\"", "a Proxmox user with its realm"),
        ("proxmox", "node", "\"pve/1\"", "the name of a node"),
        ("proxmox", "local_node", "\"../x\"", "the name of a node"),
        ("proxmox", "local_node", "\"-x\"", "the name of a node"),
        ("proxmox", "fingerprint", "\"AA:BB\"", "a SHA-256 fingerprint: 32 bytes in hexadecimal with colons"),
        ("proxmox", "endpoints", "\"https://pve1:8006\"", "a list such as [\"https://pve1:8006\"]"),
        ("routing", "default", "\"docker\"", "one of \"proxmox-lxc\", \"proxmox-vm\", \"lxc\", \"crun\"."),
        ("routing", "default", "\"LXC\"", "one of"),
        (
            "routing",
            "rules",
            "\"^web-\"",
            "a list, each item a table such as { pattern = \"^web-\", backend = \"lxc\" }",
        ),
    ];
    for (section, key, value, words) in rows {
        let text = format!("# words\n[{section}]\n\n{key} = {value}\n");
        desk.refuses(&text, 4, &format!("{section}.{key}"), words);
    }
    let long = format!("[server]\naddr = \"{}\"\n", "ü".repeat(500));
    let error = desk.error(&long);
    assert!(error.contains("ü…\"") && error.len() < 400, "{error}");
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let desk = Desk::new();
    let twice = "[server]\naddr = \"127.0.0.1:1\"\nhttps = true\naddr = \"127.0.0.1:2\"\n";
    desk.refuses(twice, 4, "server.addr", "is there twice");
    desk.refuses("[lxc]\n[server]\n[lxc]\n", 3, "lxc", "is there twice");
    desk.refuses("[crun]\nroot = \"/a\"\n\"root\" = \"/b\"\n", 3, "crun.\"root\"", "is there twice");
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let desk = Desk::new();
    for (text, line) in [
        ("[server]\naddr: 127.0.0.1:3000\n", 2),
        ("[server\n", 1),
        ("\n\n{\"server\": {}}\n", 3),
        ("[server]\naddr = 127.0.0.1:3000\n", 2),
        ("[server]\ndata = \"/a\nhttps = true\n", 2),
        ("[server]\nhttps = yes\n", 2),
    ] {
        let error = desk.error(text);
        let begin = format!("{}, line {line}: this is no TOML: ", desk.file().display());
        assert!(error.starts_with(&begin) && error.contains("paddock config sample"), "{text}\n{error}");
    }
}

#[test]
fn what_is_no_text_is_refused_with_its_line() {
    let error = Desk::new().error(b"[server]\n# \xff\n");
    assert!(error.contains("paddock.toml, line 2: this is no UTF-8."), "{error}");
}

#[test]
fn a_named_file_that_is_not_there_is_an_error_and_the_default_file_need_not_be() {
    let desk = Desk::new();
    let missing = desk.path("missing.toml");
    let error = desk.load_named(Some(&missing)).unwrap_err().to_string();
    let words = format!("There is no settings file {}, which --config names.", missing.display());
    assert!(error.starts_with(&words), "{error}");
    let desk = desk.variable(FILE_VARIABLE, missing.as_os_str());
    let error = desk.load_named(None).unwrap_err().to_string();
    assert!(error.contains("missing.toml, which PADDOCK_CONFIG names."), "{error}");
    assert_eq!(Desk::new().load_named(None).unwrap().file, None);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_the_systems_words() {
    let desk = Desk::new();
    let error = desk.load_named(Some(desk.dir.path())).unwrap_err().to_string();
    assert!(error.contains("Is a directory") && error.contains("Cannot read the settings file"), "{error}");
    fs::write(desk.file(), "x".repeat(2 << 20)).unwrap();
    let error = desk.load_named(Some(&desk.file())).unwrap_err().to_string();
    assert!(error.contains("longer than 1048576 bytes"), "{error}");
    // Whom no rights stop cannot see this.
    fs::write(desk.file(), "[lxc]\n").unwrap();
    fs::set_permissions(desk.file(), fs::Permissions::from_mode(0o000)).unwrap();
    match fs::read(desk.file()) {
        Ok(_) => assert!(desk.load_named(Some(&desk.file())).is_ok()),
        Err(_) => {
            let error = desk.load_named(Some(&desk.file())).unwrap_err().to_string();
            assert!(error.contains("Permission denied"), "{error}");
        }
    }
}

#[test]
fn a_wrong_variable_is_named_with_its_key() {
    let error = Desk::new().variable("PADDOCK_ADDR", "nope").error("");
    assert!(error.starts_with("variable PADDOCK_ADDR: server.addr is \"nope\". It must be an IP"), "{error}");
    let not_text = OsString::from_vec(b"/a\xff".to_vec());
    let error = Desk::new().variable("PADDOCK_DATA", not_text).error("");
    assert_eq!(
        error,
        "variable PADDOCK_DATA: server.data is something else than UTF-8. Nothing was done; change it there."
    );
    let error = Desk::new().option(&keys::LXC_PATH.info, "").error("");
    assert!(error.starts_with("option --lxc-path: lxc.path is \"\". It must be a path."), "{error}");
    let rules = "[{ pattern = \"(\", backend = \"lxc\" }]";
    let error = Desk::new().variable("PADDOCK_ROUTING_RULES", rules).error("");
    assert!(
        error.starts_with("variable PADDOCK_ROUTING_RULES: routing.rules (number 1, pattern) "),
        "{error}"
    );
    let endpoints = "https://a, http://b";
    let error = Desk::new().variable("PADDOCK_PROXMOX_ENDPOINTS", endpoints).error("");
    assert!(
        error
            .starts_with("variable PADDOCK_PROXMOX_ENDPOINTS: proxmox.endpoints (number 2) is \"http://b\".")
    );
}

#[test]
fn a_bad_pattern_or_glob_is_refused_with_the_librarys_words() {
    let desk = Desk::new();
    let rule = |rule: &str| {
        format!(
            "[[routing.rules]]\nglob = \"a*\"\nbackend = \"lxc\"\n\n[[routing.rules]]\nbackend = \"crun\"\n{rule}\n"
        )
    };
    let words = "cannot be used. Routing rule 2 (web-() is no regular expression: unclosed group.";
    desk.refuses(&rule("pattern = \"web-(\""), 7, "routing.rules (number 2, pattern)", words);
    let words = "cannot be used. Routing rule 2 (db-[) is no glob: unclosed character class";
    desk.refuses(&rule("glob = \"db-[\""), 7, "routing.rules (number 2, glob)", words);
    desk.refuses(
        &rule("glob = \"\""),
        7,
        "routing.rules (number 2, glob)",
        "Routing rule 2 has an empty glob.",
    );
    desk.refuses(
        &rule("pattern = 1"),
        7,
        "routing.rules (number 2, pattern)",
        "is the number 1. It must be text",
    );
    desk.refuses(&rule(""), 5, "routing.rules (number 2, pattern)", "each must have it: a pattern or a glob");
    let both = rule("pattern = \"a\"\nglob = \"a\"");
    desk.refuses(&both, 8, "routing.rules (number 2, glob)", "is together with pattern. It must be alone");
}

#[test]
fn a_rule_or_default_goes_to_a_backend_that_is_set_up() {
    let desk = Desk::new();
    let rule = |backend: &str| format!("[[routing.rules]]\nglob = \"a*\"\nbackend = \"{backend}\"\n");
    desk.refuses(&rule("docker"), 3, "routing.rules (number 1, backend)", "is \"docker\". It must be one of");
    let cure =
        "names the backend proxmox-vm, which is not set up here. Choose another, or set proxmox.endpoints.";
    desk.refuses(&rule("proxmox-vm"), 3, "routing.rules (number 1, backend)", cure);
    let off = format!("{}[crun]\nenabled = false\n", rule("crun"));
    desk.refuses(&off, 3, "routing.rules (number 1, backend)", "set crun.enabled to true");
    desk.refuses("[routing]\ndefault = \"proxmox-lxc\"\n", 2, "routing.default", "is not set up here");
    let error = desk.error("[lxc]\nenabled = false\n");
    assert!(
        error.starts_with("default: routing.default names the backend lxc, which is not set up"),
        "{error}"
    );
    assert!(desk.load("[lxc]\nenabled = false\n[routing]\ndefault = \"crun\"\n").is_ok());
    let none = "[lxc]\nenabled = false\n[crun]\nenabled = false\n";
    desk.refuses(none, 2, "lxc.enabled", "no other backend is set up");
}
