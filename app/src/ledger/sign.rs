//! The host's key: made once, kept in a file of the service alone, with its public half beside it for everyone.
//!
//! The key's file is the 32 bytes of an Ed25519 seed, mode 0600; `FILE.pub` is the public key's hexadecimal digits and
//! a line feed, mode 0644.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer as _, SigningKey};
use hkdf::Hkdf;
use sha2::Sha256;

use super::{
    checkpoint::{Checkpoint, PublicKey, Signature},
    digest::Hash,
};

const SEED: usize = 32;

/// Why there is no key to sign with. Nothing was changed unless it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "The key of the history, {path}, cannot be read ({detail}). Give it back to the user Paddock runs as."
    )]
    Unreadable { path: String, detail: String },
    #[error(
        "The key of the history, {path}, can be read by others than its owner (mode {mode:o}), so that anybody \
         may have signed with it. Find out who had access, then set its mode to 600."
    )]
    Exposed { path: String, mode: u32 },
    #[error(
        "The key of the history, {path}, has {length} bytes where a key has {SEED}. Restore the file from a backup; \
         without it, move it away, and a new key is made at the next start."
    )]
    Length { path: String, length: u64 },
    #[error("The key of the history, {path}, is no file. Move away what is there, or name another path.")]
    NotAFile { path: String },
    #[error(
        "The file {path} does not hold the public key of the key beside it. Find out who changed which of the two; \
         if it was the public one, remove it, and it is written anew at the next start."
    )]
    OtherPublicKey { path: String },
    #[error(
        "The file {path} holds no public key: it is 64 hexadecimal digits in lower case and a line feed."
    )]
    NotAPublicKey { path: String },
    #[error(
        "The key of the history cannot be written as {path} ({detail}). Paddock's directory must be writable for \
         it, and on a file system with hard links."
    )]
    NotWritten { path: String, detail: String },
}

/// Who signs checkpoints. Never shows its key.
pub struct Signer {
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("public", &self.public_key()).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key in the file, which is made if there is none; of several processes that do so at once, all get the same.
    /// Its public half is written beside it if it is not there.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let signer = match Self::load(path)? {
            Some(signer) => signer,
            None => {
                let mut seed = [0; SEED];
                getrandom::fill(&mut seed).map_err(|e| not_written(path, &e.into()))?;
                place(path, &seed, 0o600)?;
                // Whoever came first has placed it; this process may hold another.
                Self::load(path)?.ok_or_else(|| unreadable(path, &io::ErrorKind::NotFound.into()))?
            }
        };
        let public = beside(path);
        match PublicKey::read(&public)? {
            Some(key) if key == signer.public_key() => {}
            Some(_) => return Err(KeyError::OtherPublicKey { path: shown(&public) }),
            None => place(&public, format!("{}\n", signer.public_key()).as_bytes(), 0o644)?,
        }
        Ok(signer)
    }

    /// The key in the file, `None` if there is no such file.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let Some((bytes, metadata)) = read(path, SEED)? else { return Ok(None) };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: shown(path), mode });
        }
        match <[u8; SEED]>::try_from(bytes) {
            Ok(seed) => Ok(Some(Self::from_seed(seed))),
            Err(_) => Err(KeyError::Length { path: shown(path), length: metadata.len() }),
        }
    }

    /// The key whose secret these bytes are.
    pub fn from_seed(seed: [u8; SEED]) -> Self {
        Self { key: SigningKey::from_bytes(&seed) }
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// A signed word that the ledger's entry `seq` has this hash.
    pub fn checkpoint(&self, seq: i64, hash: Hash, at_ms: i64) -> Checkpoint {
        let key = self.public_key();
        let signature = self.sign(&Checkpoint::message(seq, hash, at_ms, key));
        Checkpoint { seq, hash, at_ms, key, signature }
    }

    /// A key for another purpose, which tells nothing of this one.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        // Fails for more than 8,160 bytes alone.
        let _ = Hkdf::<Sha256>::new(None, self.key.as_bytes()).expand(purpose.as_bytes(), &mut key);
        key
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message).to_bytes())
    }
}

impl PublicKey {
    /// The public key in a file such as `FILE.pub`, `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let Some((bytes, _)) = read(path, 65)? else { return Ok(None) };
        let digits = bytes.strip_suffix(b"\n").and_then(|digits| str::from_utf8(digits).ok());
        match digits.map(str::parse) {
            Some(Ok(key)) => Ok(Some(key)),
            _ => Err(KeyError::NotAPublicKey { path: shown(path) }),
        }
    }
}

/// At most one byte more than expected, and what is known of the file.
fn read(path: &Path, expected: usize) -> Result<Option<(Vec<u8>, fs::Metadata)>, KeyError> {
    // Opening a pipe would wait for a writer.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(KeyError::NotAFile { path: shown(path) }),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(path, &e)),
    }
    let file = fs::File::open(path).map_err(|e| unreadable(path, &e))?;
    let metadata = file.metadata().map_err(|e| unreadable(path, &e))?;
    let mut bytes = Vec::new();
    file.take(expected as u64 + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    Ok(Some((bytes, metadata)))
}

/// Puts a whole file in its place, unless there is one already, which then stays.
fn place(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).map_err(|e| not_written(path, &e.into()))?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(tag)));
    let new = PathBuf::from(name);
    let placed = write(&new, bytes, mode).and_then(|()| match fs::hard_link(&new, path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = fs::remove_file(&new);
    placed.and(removed).and_then(|()| sync_directory(path)).map_err(|e| not_written(path, &e))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    // Whatever the process's umask takes away from a mode at creation.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// The name, too, must outlive a power cut: what is signed with a key that is lost can never be added to.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(parent)?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn unreadable(path: &Path, error: &io::Error) -> KeyError {
    KeyError::Unreadable { path: shown(path), detail: error.to_string() }
}

fn not_written(path: &Path, error: &io::Error) -> KeyError {
    KeyError::NotWritten { path: shown(path), detail: error.to_string() }
}

#[cfg(test)]
mod tests;
