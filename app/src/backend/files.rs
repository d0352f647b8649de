//! Small reads from the host's files, where "not there" is an answer and anything else unexpected is an error.

use std::{fs, io, io::Read as _, os::unix::fs::MetadataExt as _, path::Path};

use super::Error;

/// Most that is read of a file of the kernel or of a tool's state, bytes.
const STATE_FILE_CAP: u64 = 4 * 1024 * 1024;

/// The file's text, `None` if there is no such file. What is not UTF-8 is replaced; a longer file is cut.
pub fn read(path: &Path) -> Result<Option<String>, Error> {
    read_capped(path, STATE_FILE_CAP).map(|found| found.map(|(text, _)| text))
}

/// As [`read`], at most `cap` bytes, and whether the file is longer.
pub fn read_capped(path: &Path, cap: u64) -> Result<Option<(String, bool)>, Error> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if is_absence(&e) => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    };
    let mut bytes = Vec::new();
    // One byte more than shown tells a file of exactly the cap from a longer one.
    match file.take(cap.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) => {}
        // The kernel's answer for the files of a process that ended while they were read.
        Err(e) if is_absence(&e) => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    }
    let cut = bytes.len() as u64 > cap;
    if cut {
        bytes.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
    }
    Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), cut)))
}

/// The names in a directory that are UTF-8, unsorted; empty if there is no such directory.
pub fn names(path: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if is_absence(&e) => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(path, &e)),
    };
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

/// Device and inode: whether two paths lead to the same thing. `None` where there is nothing to be seen.
pub fn identity(path: impl AsRef<Path>) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// A named failure to read this path.
pub fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Unreadable { path: path.display().to_string(), detail: error.to_string() }
}

fn is_absence(error: &io::Error) -> bool {
    const ESRCH: i32 = 3;
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_file_is_an_answer_and_a_directory_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&dir.path().join("none")), Ok(None));
        assert_eq!(names(&dir.path().join("none")), Ok(vec![]));
        assert!(matches!(read(dir.path()), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn a_long_file_is_cut_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "abcdef").unwrap();
        assert_eq!(read_capped(&path, 6), Ok(Some(("abcdef".to_owned(), false))));
        assert_eq!(read_capped(&path, 5), Ok(Some(("abcde".to_owned(), true))));
    }
}
