//! The data directory: made private, and held by one server at a time.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// Why the data directory cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "Cannot make or open the data directory {path}: {source}. Choose another with --data, or see to its rights."
    )]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "Another Paddock is running with the data directory {path}. End it first, or choose another with --data."
    )]
    InUse { path: PathBuf },
}

/// Holds the directory until it is dropped; the kernel lets go of it even after a kill.
#[derive(Debug)]
pub struct DataDir {
    pub paths: DataPaths,
    _lock: File,
}

/// The directory of tools' logs in a data directory.
pub const LOGS: &str = "run";

/// What is where in a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPaths {
    /// Absolute.
    pub directory: PathBuf,
    pub database: PathBuf,
    /// Where tools that detach write their words until they are read.
    pub logs: PathBuf,
}

/// The database in a data directory.
pub fn database(directory: &Path) -> PathBuf {
    directory.join("paddock.db")
}

/// Makes the directory, readable by its owner alone, if it is not there. Holds nothing: for a command line beside a
/// running server.
pub fn prepare(path: &Path) -> Result<DataPaths, DataDirError> {
    let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
    let directory = std::path::absolute(path).map_err(unusable)?;
    let logs = directory.join(LOGS);
    DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(unusable)?;
    Ok(DataPaths { database: database(&directory), logs, directory })
}

impl DataDir {
    pub fn hold(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
        let paths = prepare(path)?;
        let lock = fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(paths.directory.join("paddock.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { paths, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_refused_until_the_first_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataDir::hold(&path).unwrap();
        assert!(matches!(DataDir::hold(&path), Err(DataDirError::InUse { .. })));
        drop(first);
        assert!(DataDir::hold(&path).is_ok());
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        fs::write(&path, "x").unwrap();
        let error = DataDir::hold(&path).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
