//! Whose signatures count, and what was signed elsewhere.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use app::{
    ledger::{Checkpoint, PublicKey},
    store::public_key_file,
};

use super::{CliError, Kind};

/// Longest line of a journal that is looked at; the rest of a longer one is passed over.
const LONGEST_LINE: u64 = 64 * 1024;

/// Where the key came from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyFrom {
    Given,
    /// A file beside the database.
    Beside(PathBuf),
    /// Whoever made the file named the key.
    Itself,
}

pub struct Source {
    pub keys: Vec<PublicKey>,
    pub from: KeyFrom,
}

pub fn find(given: Option<&str>, files: &[PathBuf], kinds: &[Kind]) -> Result<Source, CliError> {
    if let Some(given) = given {
        return Ok(Source { keys: vec![read(given)?], from: KeyFrom::Given });
    }
    let mut databases = files.iter().zip(kinds).filter(|(_, kind)| **kind == Kind::Database);
    if let Some((database, _)) = databases.next() {
        let beside = public_key_file(database);
        if let Some(key) = PublicKey::read(&beside).map_err(|error| CliError::Usage(error.to_string()))? {
            return Ok(Source { keys: vec![key], from: KeyFrom::Beside(beside) });
        }
    }
    Ok(Source { keys: Vec::new(), from: KeyFrom::Itself })
}

fn read(given: &str) -> Result<PublicKey, CliError> {
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let wrong = |why: String| CliError::Usage(format!("--public-key: {why}"));
    match PublicKey::read(Path::new(given)) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => {
            Err(wrong(format!("“{given}” is neither 64 hexadecimal digits in lower case nor a file.")))
        }
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// All checkpoints in the lines of a journal, whoever wrote them there.
pub fn witnesses(path: &Path) -> Result<Vec<Checkpoint>, CliError> {
    let cannot = |source| CliError::System { what: format!("Cannot read {}", path.display()), source };
    if path == Path::new("-") {
        return collect(io::stdin().lock()).map_err(cannot);
    }
    File::open(path).and_then(|file| collect(BufReader::new(file))).map_err(cannot)
}

fn collect(mut lines: impl BufRead) -> io::Result<Vec<Checkpoint>> {
    let (mut found, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        // A forged one proves nothing, and takes no place.
        found.extend(Checkpoint::find(&String::from_utf8_lossy(&line)).filter(Checkpoint::verify));
        if line.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use app::ledger::{Hash, Signer};

    use super::*;

    #[test]
    fn checkpoints_are_found_among_anything() {
        let one = Signer::from_seed([1; 32]).checkpoint(7, Hash::ZERO, 5);
        let forged = Checkpoint { seq: 8, ..one };
        let long = "x".repeat(100_000);
        let journal = [
            "-- Boot --",
            &format!("Nov 26 23:40:12 pve1 paddock[1]: INFO {one}"),
            &format!("{forged}"),
            &long,
            &format!("{one} \u{1b}[0m"),
        ]
        .join("\n");
        let mut bytes = journal.into_bytes();
        bytes.extend(b"\n\xff\xfe\n");
        assert_eq!(collect(bytes.as_slice()).unwrap(), [one, one]);
    }
}
