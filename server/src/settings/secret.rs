//! Secrets are in files of their own, which nobody but their owner may read.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use app::domain::secret::Secret;

use super::error::SecretLack;

/// The longest secret file, bytes.
const CAP: u64 = 4096;

/// The secret that a file holds: its one line, without the line's end.
pub fn read(path: &Path) -> Result<Secret, SecretLack> {
    let unreadable = |e: std::io::Error| SecretLack::Unreadable(e.to_string());
    // Asked before it is opened: a pipe would keep whoever opens it waiting.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SecretLack::NoFile);
    }
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretLack::Open { mode, path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    file.take(CAP + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let not_one_line = || SecretLack::NotOneLine(CAP);
    if bytes.len() as u64 > CAP {
        return Err(not_one_line());
    }
    let text = String::from_utf8(bytes).map_err(|_| not_one_line())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line {
        line if line.trim().is_empty() => Err(SecretLack::Empty),
        // A line's end inside would become a header of its own in a request.
        line if line.chars().any(char::is_control) => Err(not_one_line()),
        line => Ok(Secret::new(line)),
    }
}
