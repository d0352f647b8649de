//! Paddock's own log: to standard error, one line an event. `RUST_LOG` narrows or widens it.

use tracing_subscriber::EnvFilter;

/// Call once, at the start. `level` is for what `RUST_LOG` does not name.
pub fn start(level: &str) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},sqlx=warn")));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}
