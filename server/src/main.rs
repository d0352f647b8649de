//! `paddock`: see `paddock help`.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::Cli;
use tikv_jemallocator::Jemalloc;

/// The C library's keeps, for each thread, what the largest request once took: a password's hash takes 19 MiB, and a
/// server that a dozen threads had logged people in with was seen to hold 225 MiB for good. How this one gives back is in
/// `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
