//! SERVICE: the use cases. Each asks the policy, reads and writes through backend and store, and answers with
//! domain types. No leptos, no axum.

pub mod access;
pub mod access_pages;
pub mod access_past;
pub mod accounts;
pub mod actions;
mod adopt;
pub mod again;
mod attempts;
pub mod bulk;
mod cut_off;
mod error;
pub mod export;
pub mod fair;
pub mod guests;
pub mod history;
mod inventory;
mod job;
pub mod life;
pub mod operations;
mod outside;
mod permit;
pub mod realms;
mod recorder;
pub mod retention;
mod seen;
pub mod sessions;
mod settle;
pub mod soundness;
mod standing;
mod state;
mod supervisor;
mod throttle;
pub mod tokens;
mod told;
pub mod users;

pub use attempts::{Attempts, keep_counted};
pub use error::{AccountFailure, Error, LogInFailure, TokenFailure};
pub use inventory::{Inventory, Snapshot};
pub use outside::Outside;
pub use recorder::Listener;
pub use seen::Visible;
pub use settle::{Patience, keep_settled, settle, settle_own};
pub use standing::{Standing, keep_watched};
pub use state::{AppState, Visit};
pub use supervisor::Supervisor;
