//! SERVICE: the use cases. Each asks the policy, reads and writes through backend and store, and answers with
//! domain types. No leptos, no axum.

pub mod accounts;
pub mod actions;
mod adopt;
pub mod again;
pub mod bulk;
mod error;
pub mod fair;
pub mod guests;
pub mod history;
mod inventory;
mod job;
pub mod operations;
mod recorder;
mod settle;
mod state;
mod supervisor;

pub use error::{AccountFailure, Error, LogInFailure};
pub use inventory::{Inventory, Snapshot};
pub use recorder::Listener;
pub use settle::{Patience, keep_settled, settle, settle_own};
pub use state::{AppState, Visit};
pub use supervisor::Supervisor;
