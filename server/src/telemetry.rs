//! Paddock's own log: to standard error, one line an event. `RUST_LOG` narrows or widens it.
//!
//! The ledger's checkpoints are witnesses, not messages: whatever the level, they go to the host's journal, beyond the
//! reach of whoever changes the database. A server whose standard error is the journal writes them there; else
//! they are sent to it, where a host has one, and a command line's never show on the terminal.

use std::{io, os::unix::fs::MetadataExt as _};

use app::store::CHECKPOINT_TARGET;
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{Directive, LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// What the journal calls the sender.
const IDENTIFIER: &str = "paddock";

/// Who writes the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Server,
    CommandLine,
}

/// Call once, at the start.
pub fn start(program: Program) {
    let is_journal = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| stderr_is(&stream));
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(filter(program, std::env::var("RUST_LOG").ok().as_deref()));
    // Where there is no journal there is nobody to tell.
    let journal = match program {
        Program::Server if is_journal => None,
        _ => tracing_journald::layer().ok(),
    };
    let to_journal = journal.map(|journal| {
        let checkpoints = Targets::new().with_target(CHECKPOINT_TARGET, Level::INFO);
        journal.with_syslog_identifier(IDENTIFIER.to_owned()).with_filter(checkpoints)
    });
    tracing_subscriber::registry().with(to_stderr).with(to_journal).init();
}

/// What goes to standard error: checkpoints always or never.
fn filter(program: Program, asked: Option<&str>) -> EnvFilter {
    let (level, checkpoints) = match program {
        Program::Server => ("info", LevelFilter::INFO),
        Program::CommandLine => ("warn", LevelFilter::OFF),
    };
    let asked = asked.and_then(|asked| EnvFilter::try_new(asked).ok());
    let filter = asked.unwrap_or_else(|| EnvFilter::new(format!("{level},sqlx=warn")));
    match format!("{CHECKPOINT_TARGET}={checkpoints}").parse::<Directive>() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

/// Whether standard error is the stream with this device and inode, `DEVICE:INODE`. The variable alone says little: it
/// is inherited by whatever a service starts, wherever that writes to.
fn stderr_is(stream: &str) -> bool {
    let written = |metadata: std::fs::Metadata| format!("{}:{}", metadata.dev(), metadata.ino());
    std::fs::metadata("/dev/stderr").is_ok_and(|metadata| written(metadata) == stream)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged of a checkpoint and of a remark.
    fn logged(program: Program, asked: Option<&str>) -> (bool, bool) {
        let written = Written::default();
        let writer = written.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter(program, asked)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: CHECKPOINT_TARGET, "the-checkpoint");
            tracing::info!("the-remark");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        (text.contains("the-checkpoint"), text.contains("the-remark"))
    }

    #[test]
    fn a_server_logs_checkpoints_at_any_level_and_a_command_line_at_none() {
        use Program::{CommandLine, Server};
        assert_eq!(logged(Server, None), (true, true));
        for quiet in ["off", "error", "warn,paddock::checkpoint=off", "paddock=error", "sqlx=trace"] {
            assert_eq!(logged(Server, Some(quiet)), (true, false), "{quiet}");
        }
        assert_eq!(logged(CommandLine, None), (false, false));
        assert_eq!(logged(CommandLine, Some("trace")), (false, true));
        assert_eq!(logged(CommandLine, Some("paddock::checkpoint=trace")), (false, false));
    }

    #[test]
    fn standard_error_is_told_by_device_and_inode() {
        let stderr = std::fs::metadata("/dev/stderr").unwrap();
        assert!(stderr_is(&format!("{}:{}", stderr.dev(), stderr.ino())));
        for other in ["", "1:1", "x"] {
            assert!(!stderr_is(other), "{other:?}");
        }
    }
}
