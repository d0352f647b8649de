//! Values of options: each is checked where it is read, so that a wrong one is a usage error with the option's name.

use std::{io::Read as _, path::Path};

use app::domain::{form::values, secret::Secret, size};

pub use app::domain::form::values::{Network, gib, mount, network, variable};

use super::exit::CliError;

/// Longest file of a password or of public keys, bytes.
const FILE_CAP: u64 = 64 * 1024;

/// Bytes: `512M`, `2G`.
pub fn bytes(text: &str) -> Result<u64, String> {
    size::parse(text).map_err(|e| e.to_string())
}

/// The first line of a file, or of standard input for `-`: never an option's value, which every user of the host
/// could read.
pub fn secret_file(path: &Path) -> Result<Secret, CliError> {
    let text = file(path)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(CliError::Usage(format!("{} holds no password in its first line.", path.display())));
    }
    Ok(Secret::new(line))
}

/// The lines of a file with public keys, without comments.
pub fn key_file(path: &Path) -> Result<Vec<String>, CliError> {
    let text = file(path)?;
    Ok(values::keys(&text))
}

fn file(path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(FILE_CAP).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(FILE_CAP).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(source) => Err(CliError::Usage(format!("Cannot read {}: {source}.", path.display()))),
    }
}
