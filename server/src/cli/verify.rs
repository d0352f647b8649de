//! `paddock verify`: is the record as it was written? Needs no server, no settings when a file is named, and no network.

mod shown;
mod trust;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{
    domain::access::Privilege,
    ledger::Damage,
    store::{After, Pace, Proof, Trust, prove, prove_export},
};
use clap::Args;

use super::{
    desk::Global,
    exit::{CliError, DAMAGED},
    who::{caller, must_hold},
};
use crate::{data_dir, settings::Settings};
use shown::{Verdict, show};
use trust::{KeyFrom, Source};

/// Without a file, the database of the data directory that the settings name.
#[derive(Debug, Args)]
pub struct Verify {
    /// Databases, exports and archives, told apart by what is in them. Several are parts of one record, oldest first:
    /// each must continue the one before it.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The key that must have signed: its 64 digits, or a file with them [default: ledger.key.pub beside the database;
    /// without that, the key that the file itself names].
    #[arg(long, value_name = "DIGITS|FILE")]
    public_key: Option<String>,

    /// Lines of a journal with checkpoints of this server, such as those of `journalctl -u paddock -o cat`; “-” is
    /// standard input. What was signed there and is missing now was cut off.
    #[arg(long, value_name = "FILE|-")]
    journal: Option<PathBuf>,
}

/// What a file is, as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Database,
    Export,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, CliError> {
        let cannot = |source| CliError::System { what: format!("Cannot read {}", path.display()), source };
        let mut first = [0; 16];
        let length = File::open(path).and_then(|mut file| file.read(&mut first)).map_err(cannot)?;
        Ok(if &first[..length] == b"SQLite format 3\0" { Self::Database } else { Self::Export })
    }
}

pub async fn run(args: Verify, global: &Global) -> Result<ExitCode, CliError> {
    let format = global.format()?;
    if global.as_user.is_some() {
        let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
        must_hold(&caller(global, &settings).await?, Privilege::Audit)?;
    }
    let files = if args.files.is_empty() { vec![default_database(global)?] } else { args.files };
    let kinds = files.iter().map(|path| Kind::of(path)).collect::<Result<Vec<_>, _>>()?;
    let Source { keys, from } = trust::find(args.public_key.as_deref(), &files, &kinds)?;
    // Before the databases: what is signed while they are read is missing in none.
    let witnesses = match &args.journal {
        Some(path) => trust::witnesses(path)?,
        None => Vec::new(),
    };
    let mut trust = Trust { keys, witnesses };
    let (mut verdicts, mut before) = (Vec::new(), None);
    for (path, kind) in files.into_iter().zip(kinds) {
        let proof = proof_of(&path, kind, &trust, before).await?;
        // Of several parts, all are of the key of the first.
        if trust.keys.is_empty() {
            trust.keys.extend(proof.report.key);
        }
        before = proof.report.end;
        verdicts.push(Verdict::new(&path, kind, &proof, &from, args.journal.is_some()));
    }
    show(format, &verdicts)?;
    let all_sound = verdicts.iter().all(Verdict::is_sound);
    Ok(if all_sound { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) })
}

async fn proof_of(path: &Path, kind: Kind, trust: &Trust, before: Option<After>) -> Result<Proof, CliError> {
    match kind {
        Kind::Export => {
            let (path, trust) = (path.to_owned(), trust.clone());
            let proof = tokio::task::spawn_blocking(move || prove_export(&path, &trust, before)).await;
            Ok(proof.map_err(|crash| CliError::System {
                what: "A part of the proof ended early".to_owned(),
                source: std::io::Error::other(crash),
            })??)
        }
        Kind::Database => {
            let mut proof = prove(path, trust, Pace::Full).await?;
            let after = proof.report.after;
            if let Some((seq, _)) = before.filter(|before| after != Some(*before)) {
                let why = format!("{} does not begin after its last entry, {seq}", path.display());
                proof.report.add(Damage::ArchiveMismatch { why });
            }
            Ok(proof)
        }
    }
}

fn default_database(global: &Global) -> Result<PathBuf, CliError> {
    let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
    Ok(data_dir::database(&settings.server.data))
}
