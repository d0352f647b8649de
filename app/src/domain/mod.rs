//! The words of Paddock, shared by browser and server: what a guest, an action, a plan and an operation are.
//!
//! Plain data and pure rules. No IO, no clock, no leptos, no sqlx: everything here can be tested with a literal.

pub mod access;
pub mod account;
pub mod action;
pub mod dashboard;
pub mod event;
pub mod failure;
pub mod field;
pub mod filter;
pub mod form;
pub mod guest;
pub mod history;
pub mod host;
pub mod limits;
pub mod list;
pub mod name;
pub mod operation;
pub mod plan;
pub mod realm;
pub mod refusal;
pub mod script;
pub mod secret;
pub mod size;
pub mod spec;
pub mod task;
pub mod usage;
pub mod view;
pub mod words;
