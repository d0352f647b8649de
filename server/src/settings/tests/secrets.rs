use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A cluster whose token's secret is in this file.
fn text(secret: &Path) -> String {
    format!(
        "[proxmox]\nendpoints = [\"https://pve1\"]\nca = \"/c\"\ntoken_id = \"a@pve!b\"\ntoken_secret_file = {:?}\n",
        secret.display().to_string()
    )
}

fn write(desk: &Desk, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = desk.path("secret");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// That the file is refused at its own line, with these words.
#[track_caller]
fn refuses(desk: &Desk, secret: &Path, words: &str) {
    let settings = desk.load(text(secret)).unwrap();
    let error = settings.proxmox.unwrap().account.secret().unwrap_err().to_string();
    let begin = format!(
        "{}, line 5: proxmox.token_secret_file names {}, which ",
        desk.file().display(),
        secret.display()
    );
    assert!(error.starts_with(&begin), "{error}");
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_secret_is_the_one_line_of_its_file() {
    let desk = Desk::new();
    for (bytes, mode) in [("abc-123\n", 0o600), ("abc-123", 0o400), ("abc-123\r\n", 0o600)] {
        let secret = write(&desk, bytes, mode);
        let account = desk.load(text(&secret)).unwrap().proxmox.unwrap().account;
        assert_eq!(account.secret().unwrap().expose(), "abc-123");
    }
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_cure() {
    let desk = Desk::new();
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602] {
        let secret = write(&desk, "abc", mode);
        let words = format!(
            "others than its owner may read or change (its mode is {mode:04o}). It was not used. Run: chmod 600 {}",
            secret.display()
        );
        refuses(&desk, &secret, &words);
    }
}

#[test]
fn a_file_that_holds_no_secret_is_refused() {
    let desk = Desk::new();
    refuses(&desk, &desk.path("missing"), "cannot be read: No such file or directory");
    refuses(&desk, desk.dir.path(), "is no regular file");
    for empty in ["", "\n", "  \n"] {
        refuses(&desk, &write(&desk, empty, 0o600), "is empty. Write the secret into it");
    }
    for bytes in [b"two\nlines\n".as_slice(), b"a\0b", b"\xff", &[b'x'; 5000]] {
        refuses(&desk, &write(&desk, bytes, 0o600), "holds no secret: that is one line");
    }
}

#[test]
fn the_file_of_a_password_is_held_to_the_same() {
    let desk = Desk::new();
    let secret = write(&desk, "abc", 0o644);
    let text = text(&secret)
        .replace("token_id = \"a@pve!b\"", "user = \"a@pve\"")
        .replace("token_secret", "password");
    let account = desk.load(&text).unwrap().proxmox.unwrap().account;
    let error = account.secret().unwrap_err().to_string();
    assert!(error.contains("line 5: proxmox.password_file names ") && error.contains("chmod 600"), "{error}");
    write(&desk, "abc", 0o600);
    assert_eq!(account.secret().unwrap().expose(), "abc");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let desk = Desk::new();
    let settings = "[proxmox]\ntoken_secret_file = \"hunter2\"\n";
    desk.refuses(settings, 2, "proxmox.token_secret_file", "something else than the absolute path of a file");
    let by_variable = Desk::new().variable("PADDOCK_PROXMOX_PASSWORD_FILE", "hunter2");
    for error in [
        desk.error(settings),
        desk.error("[proxmox]\ntoken_secret = \"hunter2\"\n"),
        desk.error("[proxmox]\npassword_file = [\"hunter2\"]\n"),
        by_variable.error(""),
    ] {
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_settings_show_no_secret() {
    let desk = Desk::new();
    let secret = write(&desk, "hunter2", 0o600);
    let settings = desk.load(text(&secret)).unwrap();
    assert!(settings.proxmox.as_ref().unwrap().account.secret().is_ok());
    for shown in [settings.to_string(), format!("{settings:?}")] {
        assert!(!shown.contains("hunter2") && shown.contains(secret.to_str().unwrap()), "{shown}");
    }
}
