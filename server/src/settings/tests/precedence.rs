use std::collections::BTreeMap;

use clap::{Args as _, FromArgMatches as _};

use super::*;

use crate::settings::proxmox::Account;

/// For each key a value unlike its default, as text of a variable.
fn others() -> BTreeMap<&'static str, &'static str> {
    let fingerprint = "AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899";
    BTreeMap::from([
        ("server.addr", "[::1]:8080"),
        ("server.data", "/other/data"),
        ("server.https", "true"),
        ("server.trusted_proxies", "127.0.0.1, 10.0.0.0/8"),
        ("server.site", "/other/site"),
        ("accounts.require_second_factor", "true"),
        ("operations.at_once", "3"),
        ("history.keep_days", "365"),
        ("history.archive_dir", "/other/archive"),
        ("lxc.enabled", "no"),
        ("lxc.path", "/other/lxc"),
        ("lxc.create_config", "/other/lxc.conf"),
        ("lxc.templates", "/other/templates"),
        ("crun.enabled", "0"),
        ("crun.root", "/other/crun"),
        ("crun.bundles", "/other/bundles"),
        ("crun.images", "/other/images"),
        ("proxmox.endpoints", "https://a, https://b:8007"),
        ("proxmox.fingerprint", fingerprint),
        ("proxmox.ca", "/other/ca.pem"),
        ("proxmox.token_id", "other@pam!x"),
        ("proxmox.token_secret_file", "/other/token"),
        ("proxmox.user", "other@pam"),
        ("proxmox.password_file", "/other/password"),
        ("proxmox.node", "other"),
        ("proxmox.local_node", "other"),
        ("proxmox.timeout_seconds", "33"),
        ("proxmox.concurrency", "3"),
        ("routing.default", "crun"),
        ("routing.rules", "[{ glob = 'x*', backend = 'lxc' }]"),
    ])
}

/// With a cluster that each of its keys can be set for.
fn base(key: &str) -> &'static str {
    let without_ca =
        "[proxmox]\nendpoints = ['https://pve1']\ntoken_id = 'a@pve!b'\ntoken_secret_file = '/a'\n";
    match key {
        "proxmox.fingerprint" | "proxmox.ca" => without_ca,
        "proxmox.user" | "proxmox.password_file" => {
            "[proxmox]\nendpoints = ['https://pve1']\nca = '/ca'\nuser = 'a@pve'\npassword_file = '/a'\n"
        }
        key if key.starts_with("proxmox.") => {
            "[proxmox]\nendpoints = ['https://pve1']\nca = '/ca'\ntoken_id = 'a@pve!b'\ntoken_secret_file = '/a'\n"
        }
        "lxc.enabled" => "[routing]\ndefault = 'crun'\n",
        _ => "",
    }
}

/// The plain structs alone, without places: what the rest of the program sees.
fn plain(mut settings: Settings) -> Settings {
    if let Some(proxmox) = &mut settings.proxmox {
        let (Account::Token { secret_file: file, .. } | Account::Password { password_file: file, .. }) =
            &mut proxmox.account;
        file.place = Place::Default;
    }
    Settings { effective: Vec::new(), file: None, ..settings }
}

#[test]
fn every_key_is_set_by_its_variable_and_by_its_option() {
    let others = others();
    for key in keys::ALL {
        let name = key.to_string();
        let other = others[name.as_str()];
        let before = Desk::new().load(base(&name));
        let by_variable = Desk::new().variable(key.env, other).load(base(&name)).unwrap();
        let place = |settings: &Settings| {
            settings.effective.iter().find(|of| of.key == *key).map(|of| of.place.clone())
        };
        assert_eq!(place(&by_variable), Some(Place::Variable(key.env)), "{name}");
        let by_option = Desk::new().option(key, other).load(base(&name)).unwrap();
        assert_eq!(place(&by_option), Some(Place::Option(format!("--{}", key.option()))), "{name}");
        let by_variable = plain(by_variable);
        assert_eq!(by_variable, plain(by_option), "{name}");
        // Trust has no default: without it there is nothing to compare with.
        if let Ok(before) = before {
            assert_ne!(by_variable, plain(before), "{name} changes nothing");
        }
    }
}

#[test]
fn an_option_is_stronger_than_a_variable_and_that_than_the_file_and_that_than_the_default() {
    let text = "[server]\naddr = \"127.0.0.1:1\"\n";
    let port = |desk: &Desk, text| desk.load(text).unwrap().server.addr.port();
    let desk = Desk::new();
    assert_eq!([port(&desk, ""), port(&desk, text)], [3000, 1]);
    let desk = desk.variable("PADDOCK_ADDR", "127.0.0.1:2");
    assert_eq!(port(&desk, text), 2);
    let desk = desk.option(&keys::ADDR.info, "127.0.0.1:3");
    assert_eq!(port(&desk, text), 3);
}

#[test]
fn the_named_file_is_stronger_than_the_variables_and_that_than_the_default_file() {
    let desk = Desk::new();
    let write = |name: &str, port: u16| {
        fs::write(desk.path(name), format!("[server]\naddr = \"127.0.0.1:{port}\"\n")).unwrap();
        desk.path(name)
    };
    let (named, by_variable, default) = (write("named", 1), write("variable", 2), write("default", 3));
    let port = |config: Option<&Path>, variable: Option<&Path>| {
        let environment = |name: &str| variable.filter(|_| name == FILE_VARIABLE).map(OsString::from);
        let settings = Settings::load_from(config, &environment, &Options::default(), &default).unwrap();
        settings.server.addr.port()
    };
    assert_eq!(port(Some(&named), Some(&by_variable)), 1);
    assert_eq!(port(None, Some(&by_variable)), 2);
    assert_eq!(port(None, Some(Path::new(""))), 3);
    assert_eq!(port(None, None), 3);
}

#[test]
fn an_empty_variable_is_none() {
    let mut desk = Desk::new();
    for key in keys::ALL {
        desk = desk.variable(key.env, "");
    }
    assert_eq!(desk.load_named(None), Ok(defaults()));
}

#[test]
fn a_relative_path_of_a_variable_is_of_the_working_directory() {
    let settings = Desk::new().variable("PADDOCK_LXC_PATH", "guests/../lxc").load("").unwrap();
    assert_eq!(settings.lxc.path, std::env::current_dir().unwrap().join("guests/../lxc"));
}

#[test]
fn flags_of_the_environment_are_written_in_several_ways() {
    for (text, flag) in
        [("true", true), ("1", true), ("Yes", true), ("on", true), ("off", false), ("0", false)]
    {
        assert_eq!(
            Desk::new().variable("PADDOCK_HTTPS", text).load("").unwrap().server.https,
            flag,
            "{text}"
        );
    }
    assert!(Desk::new().variable("PADDOCK_HTTPS", "maybe").load("").is_err());
}

#[test]
fn options_are_read_as_typed() {
    let read = |words: &[&str]| {
        let command = Options::augment_args(clap::Command::new("serve").no_binary_name(true));
        command.try_get_matches_from(words).map(|found| Options::from_arg_matches(&found).unwrap().0)
    };
    let given = read(&["--addr", "127.0.0.1:1", "--https", "--lxc-create-config=/x"]).unwrap();
    let given: Vec<_> = given.iter().map(|(key, value)| (key.to_string(), value.to_str().unwrap())).collect();
    assert_eq!(
        given,
        [
            ("server.addr".into(), "127.0.0.1:1"),
            ("server.https".into(), "true"),
            ("lxc.create_config".into(), "/x")
        ]
    );
    assert_eq!(read(&["--https=false"]).unwrap()[0].1, "false");
    assert!(read(&[]).unwrap().is_empty());
    assert!(read(&["--adr", "x"]).is_err());
    assert!(read(&["--addr"]).is_err());
}
