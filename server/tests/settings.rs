//! The settings as a person meets them: the program, a file, the environment, and what it says.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// The exit code, standard output and standard error of the program, with these variables alone.
fn paddock(args: &[&str], environment: &[(&str, &Path)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
    let done = command.args(args).env_clear().envs(environment.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn the_sample_is_a_settings_file_of_the_defaults() {
    let desk = Desk::new();
    let (code, sample, words) = paddock(&["config", "sample"], &[]);
    assert_eq!((code, words.as_str()), (0, ""));
    let file = desk.write("sample.toml", &sample);
    let empty = desk.write("empty.toml", "");
    let show = |file: &Path| {
        let (code, shown, _) = paddock(&["config", "show", "--config", file.to_str().unwrap()], &[]);
        assert_eq!(code, 0);
        shown.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(show(&file), show(&empty));
}

#[test]
fn what_is_in_force_is_shown_with_its_place() {
    let desk = Desk::new();
    let file = desk.write("paddock.toml", "[lxc]\npath = \"/guests\"\n");
    let environment = [("PADDOCK_CONFIG", file.as_path()), ("PADDOCK_DATA", Path::new("/data"))];
    let (code, shown, _) = paddock(&["config", "show"], &environment);
    assert_eq!(code, 0);
    let line = |begin: &str| shown.lines().find(|line| line.starts_with(begin)).unwrap();
    assert!(line("path = \"/guests\"").ends_with(&format!("# {}, line 2", file.display())), "{shown}");
    assert!(line("data = \"/data\"").ends_with("# variable PADDOCK_DATA"), "{shown}");
    let (code, json, _) = paddock(&["config", "show", "--format", "jsonl"], &environment);
    assert_eq!(code, 0);
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let data = rows.iter().find(|row| row["key"] == "server.data").unwrap();
    assert_eq!((&data["value"], &data["from"]), (&"/data".into(), &"variable PADDOCK_DATA".into()));
}

#[test]
fn every_verb_that_reads_settings_refuses_wrong_ones_in_the_same_words() {
    let desk = Desk::new();
    let file = desk.write("paddock.toml", "[server]\n\nadress = \"127.0.0.1:1\"\n");
    let expected =
        format!("{}, line 3: server.adress is unknown. The keys of [server] are addr, data", file.display());
    for verb in [&["config", "show"][..], &["serve"], &["list"]] {
        for args in [
            &[&["--config", file.to_str().unwrap()], verb].concat(),
            &[verb, &["--config", file.to_str().unwrap()]].concat(),
        ] {
            let (code, out, words) = paddock(args, &[]);
            assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {words}");
            assert!(words.starts_with(&format!("paddock: {expected}")), "{args:?}: {words}");
        }
    }
    let (code, _, words) = paddock(&["serve", "--addr", "nope"], &[]);
    assert_eq!(code, 2);
    assert!(words.starts_with("paddock: option --addr: server.addr is \"nope\"."), "{words}");
    let (code, _, words) = paddock(&["serve", "--config", "/no/such/file"], &[]);
    assert_eq!(code, 2);
    assert!(words.contains("There is no settings file /no/such/file, which --config names."), "{words}");
}

#[test]
fn a_secret_that_others_may_read_is_told_by_config_show_too() {
    let desk = Desk::new();
    let secret = desk.write("token", "hunter2\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let text = format!(
        "[proxmox]\nendpoints = [\"https://pve1\"]\nca = \"/c\"\ntoken_id = \"a@pve!b\"\ntoken_secret_file = {secret:?}\n"
    );
    let file = desk.write("paddock.toml", &text);
    let show = || paddock(&["config", "show", "--config", file.to_str().unwrap()], &[]);
    let (code, shown, words) = show();
    assert_eq!(code, 2);
    assert!(shown.contains("token_secret_file = ") && !shown.contains("hunter2"), "{shown}");
    let place = format!("{}, line 5: proxmox.token_secret_file names {}", file.display(), secret.display());
    assert!(words.contains(&place) && words.contains("chmod 600") && !words.contains("hunter2"), "{words}");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, shown, words) = show();
    assert_eq!((code, words.as_str(), shown.contains("hunter2")), (0, "", false));
}

#[test]
fn every_key_is_an_option_of_serve_with_its_variable_beside_it() {
    let (code, help, _) = paddock(&["serve", "--help"], &[]);
    assert_eq!(code, 0);
    for (option, variable) in [
        ("--addr <ADDR>", "PADDOCK_ADDR"),
        ("--https[=<HTTPS>]", "PADDOCK_HTTPS"),
        ("--lxc-create-config <CREATE_CONFIG>", "PADDOCK_LXC_CREATE_CONFIG"),
        ("--proxmox-token-secret-file <TOKEN_SECRET_FILE>", "PADDOCK_PROXMOX_TOKEN_SECRET_FILE"),
        ("--routing-rules <RULES>", "PADDOCK_ROUTING_RULES"),
    ] {
        assert!(help.contains(option) && help.contains(&format!("[env: {variable}]")), "{option}\n{help}");
    }
}
