use super::*;

use crate::settings::{key::Sample, sample::line};

/// The sample with the mark before each of these keys removed.
fn with_keys(is_wanted: impl Fn(&key::Info) -> bool) -> String {
    let mut text = sample();
    for key in keys::ALL.iter().filter(|key| is_wanted(key)) {
        let plain = line(key);
        let marked = plain.lines().map(|line| format!("#{line}\n")).collect::<String>();
        let section = text.find(&format!("\n[{}]\n", key.section)).unwrap();
        let at = section + text[section..].find(&format!("\n{marked}")).unwrap() + 1;
        text.replace_range(at..at + marked.len(), &format!("{plain}\n"));
    }
    text
}

#[test]
fn the_sample_changes_nothing() {
    let desk = Desk::new();
    assert_eq!(without_places(desk.load(sample()).unwrap()), without_places(defaults()));
    let without_comments: String =
        sample().lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert_eq!(without_places(desk.load(without_comments).unwrap()), without_places(defaults()));
}

#[test]
fn the_defaults_in_the_sample_are_those_in_force() {
    let text = with_keys(|key| matches!(key.sample, Sample::Default(_)));
    // Those of Proxmox are of no use alone.
    let text = text.replace("\n[proxmox]\n", "\n[proxmox]\nendpoints = []\n");
    let settings = Desk::new().load(text).unwrap();
    for (read, default) in settings.effective.iter().zip(defaults().effective) {
        if *read.key == keys::PROXMOX_ENDPOINTS.info {
            continue;
        }
        assert_eq!((read.key, &read.value), (default.key, &default.value));
        let is_from_the_sample = matches!(read.place, Place::Line { .. });
        assert_eq!(is_from_the_sample, matches!(read.key.sample, Sample::Default(_)), "{}", read.key);
    }
}

#[test]
fn the_examples_in_the_sample_can_be_used() {
    let either_or =
        [&keys::PROXMOX_FINGERPRINT.info, &keys::PROXMOX_USER.info, &keys::PROXMOX_PASSWORD_FILE.info];
    let settings = Desk::new().load(with_keys(|key| !either_or.contains(&key))).unwrap();
    let unset: Vec<_> = settings.effective.iter().filter(|of| of.value.is_none()).map(|of| of.key).collect();
    assert_eq!(unset, either_or);
    assert_eq!(settings.routing.rules().len(), 2);
    let others =
        [&keys::PROXMOX_CA.info, &keys::PROXMOX_TOKEN_ID.info, &keys::PROXMOX_TOKEN_SECRET_FILE.info];
    let settings = Desk::new().load(with_keys(|key| !others.contains(&key))).unwrap();
    assert!(settings.proxmox.is_some());
}

#[test]
fn the_sample_explains_every_key() {
    let sample = sample();
    for key in keys::ALL {
        assert!(sample.contains(&format!("# Variable {}.", key.env)), "{key}");
        assert!(key.doc.lines().all(|doc| sample.contains(doc.trim())), "{key}");
    }
    assert!(sample.lines().all(|line| line.len() < 120 && line.trim_end() == line));
}

#[test]
fn what_is_shown_is_a_settings_file_that_brings_about_the_same() {
    let desk = Desk::new().variable("PADDOCK_HTTPS", "on").option(&keys::ADDR.info, "[::1]:80");
    let either_or = [&keys::PROXMOX_CA.info, &keys::PROXMOX_USER.info, &keys::PROXMOX_PASSWORD_FILE.info];
    let settings = desk.load(with_keys(|key| !either_or.contains(&key))).unwrap();
    let shown = settings.to_string();
    let line = |begin: &str, end: &str| {
        let found = shown.lines().find(|line| line.starts_with(begin)).unwrap();
        assert!(found.ends_with(end), "{found:?} does not end with {end:?}");
    };
    assert!(shown.starts_with(&format!("# The settings file is {}.\n", desk.file().display())), "{shown}");
    line("addr = \"[::1]:80\" ", "# option --addr");
    line("https = true ", "# variable PADDOCK_HTTPS");
    line("#ca is not set", "#ca is not set");
    let data = sample().lines().position(|line| line.starts_with("#data")).unwrap() + 1;
    line("data = \"/var/lib/paddock\" ", &format!("# {}, line {data}", desk.file().display()));
    let again = Desk::new().load(&shown).unwrap();
    let values = |settings: Settings| settings.effective.into_iter().map(|of| of.value).collect::<Vec<_>>();
    assert_eq!(values(again), values(settings));
    let default = format!("\n{:48} # default\n", "addr = \"127.0.0.1:3000\"");
    assert!(defaults().to_string().contains(&default));
}
