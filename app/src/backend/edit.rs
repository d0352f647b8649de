//! Changes a file of the host whole or not at all.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::domain::plan::FileEdit;

/// Largest file that is changed, bytes.
const CAP: u64 = 4 * 1024 * 1024;

/// The SHA-256 of a file's text, in hexadecimal: what a plan remembers of it.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what `change` makes of the file's text. The new text stands beside the old one and on disk before it takes
/// its place, with the same owner and mode. On an error, which is a part of a sentence, the file is as it was.
pub fn apply(edit: &FileEdit, change: impl FnOnce(&str) -> Result<String, String>) -> Result<(), String> {
    // A link's target is changed, not the link replaced.
    let path = fs::canonicalize(&edit.path).map_err(|e| e.to_string())?;
    let found = fs::metadata(&path).map_err(|e| e.to_string())?;
    if !found.is_file() || found.len() > CAP {
        return Err(format!("it is no regular file of at most {CAP} bytes"));
    }
    let text = fs::read_to_string(&path).map_err(|e| e.to_string())?;
    if edit.digest.as_ref().is_some_and(|planned| *planned != digest(&text)) {
        return Err("somebody has changed it since this was planned; look at it and begin again".to_owned());
    }
    let new = change(&text)?;
    if new == text {
        return Ok(());
    }
    let beside = beside(&path).ok_or("its name cannot be used")?;
    let written = write(&beside, &new, &found).and_then(|()| fs::rename(&beside, &path));
    if let Err(e) = written {
        let _ = fs::remove_file(&beside);
        return Err(e.to_string());
    }
    // The rename itself must survive a power cut, too.
    if let Some(dir) = path.parent() {
        let _ = fs::File::open(dir).and_then(|dir| dir.sync_all());
    }
    Ok(())
}

fn beside(path: &Path) -> Option<PathBuf> {
    Some(path.with_file_name(format!(".{}.paddock-{}", path.file_name()?.to_str()?, std::process::id())))
}

fn write(path: &Path, text: &str, like: &fs::Metadata) -> std::io::Result<()> {
    // What a killed Paddock may have left there.
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
    file.set_permissions(fs::Permissions::from_mode(like.mode() & 0o7777))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit_of(path: &Path, digest: Option<String>) -> FileEdit {
        FileEdit { path: path.display().to_string(), changes: vec![], digest }
    }

    #[test]
    fn a_file_is_changed_in_place_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let planned = edit_of(&path, Some(digest("old\n")));
        apply(&planned, |text| Ok(format!("{text}new\n"))).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\nnew\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        let late = apply(&planned, |_| Ok(String::new())).unwrap_err();
        assert!(late.contains("since this was planned"), "{late}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\nnew\n");
    }

    #[test]
    fn what_cannot_be_changed_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        assert!(apply(&edit_of(&path, None), |_| Ok(String::new())).is_err(), "there is no such file");
        fs::write(&path, "old").unwrap();
        assert_eq!(apply(&edit_of(&path, None), |_| Err("no".into())), Err("no".into()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert!(apply(&edit_of(dir.path(), None), |_| Ok(String::new())).is_err());
    }
}
