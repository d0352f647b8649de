use std::{os::unix::fs::symlink, sync::Barrier, thread};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_key_is_made_once_for_the_service_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    let made = Signer::load_or_create(&path).unwrap();
    assert_eq!(names(dir.path()), ["ledger.key", "ledger.key.pub"]);
    assert_eq!((mode(&path), mode(&beside(&path))), (0o600, 0o644));
    assert_eq!(PublicKey::read(&beside(&path)), Ok(Some(made.public_key())));
    let again = Signer::load_or_create(&path).unwrap();
    assert_eq!(again.public_key(), made.public_key());

    let other = Signer::load_or_create(&dir.path().join("other.key")).unwrap();
    assert_ne!(other.public_key(), made.public_key());
}

#[test]
fn processes_that_make_the_key_at_once_agree_on_one() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.key");
        let together = Barrier::new(8);
        let keys: Vec<_> = thread::scope(|scope| {
            let made: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        Signer::load_or_create(&path).unwrap().public_key()
                    })
                })
                .collect();
            made.into_iter().map(|key| key.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(names(dir.path()), ["ledger.key", "ledger.key.pub"]);
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    Signer::load_or_create(&path).unwrap();
    for bad in [0o604, 0o640, 0o610, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bad)).unwrap();
        let refused = Signer::load_or_create(&path).unwrap_err();
        assert_eq!(refused, KeyError::Exposed { path: shown(&path), mode: bad });
        assert!(refused.to_string().contains(&format!("{bad:o}")), "{refused}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Signer::load_or_create(&path).unwrap();
}

#[test]
fn a_key_of_another_length_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for length in [0, 31, 33, 5000] {
        let path = dir.path().join(format!("{length}.key"));
        write(&path, &vec![7; length], 0o600).unwrap();
        let expected = KeyError::Length { path: shown(&path), length: length as u64 };
        assert_eq!(Signer::load_or_create(&path).unwrap_err(), expected);
        assert_eq!(fs::read(&path).unwrap(), vec![7; length]);
    }
}

#[test]
fn what_is_no_file_is_no_key() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        Signer::load_or_create(dir.path()).unwrap_err(),
        KeyError::NotAFile { path: shown(dir.path()) }
    );
    let lost = dir.path().join("lost");
    symlink(dir.path().join("nowhere"), &lost).unwrap();
    assert!(matches!(Signer::load_or_create(&lost), Err(KeyError::Unreadable { .. })));
    let no_directory = dir.path().join("none/ledger.key");
    assert!(matches!(Signer::load_or_create(&no_directory), Err(KeyError::NotWritten { .. })));
}

#[test]
fn another_public_key_beside_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.key");
    let signer = Signer::load_or_create(&path).unwrap();
    let public = beside(&path);
    fs::write(&public, format!("{}\n", Signer::from_seed([3; 32]).public_key())).unwrap();
    assert_eq!(Signer::load_or_create(&path).unwrap_err(), KeyError::OtherPublicKey { path: shown(&public) });
    for nonsense in [String::new(), signer.public_key().to_string(), format!("{}\n\n", signer.public_key())] {
        fs::write(&public, nonsense).unwrap();
        let expected = KeyError::NotAPublicKey { path: shown(&public) };
        assert_eq!(Signer::load_or_create(&path).unwrap_err(), expected);
    }
    fs::remove_file(&public).unwrap();
    Signer::load_or_create(&path).unwrap();
    assert_eq!(PublicKey::read(&public), Ok(Some(signer.public_key())));
}

#[test]
fn the_key_is_never_shown() {
    let seed = [0xab; 32];
    let signer = Signer::from_seed(seed);
    let shown = format!("{signer:?} {signer:#?}");
    assert!(shown.contains(&signer.public_key().to_string()), "{shown}");
    assert!(!shown.contains("abab") && !shown.contains("171, 171"), "{shown}");
}
