//! SERVER FUNCTIONS: each gets the caller, calls one service function and replies.
//!
//! No SQL, no process and no decision in here. On the server the bodies run; in the browser each function is the
//! request that makes them run. Server-only imports stay inside the bodies, so this room needs no cfg.

pub mod access;
pub mod account;
pub mod dashboard;
mod error;
pub mod guests;
pub mod operations;
pub mod saved_views;
pub mod sessions;
pub mod usage;

pub use error::{AccountError, ApiError, CreateError, LogInError, Wait};
