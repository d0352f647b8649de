//! One file a page: what it asks for and how it is laid out.

pub mod access;
pub mod account;
pub mod account_factor;
pub mod act_form;
pub mod again;
pub mod dashboard;
pub mod factor;
pub mod guest;
pub mod guest_new;
pub mod guests;
pub mod history;
pub mod lazy;
mod lets_in;
pub mod login;
pub mod nodes;
pub mod not_found;
pub mod operation;
pub mod password;
pub mod plan;
pub mod plan_all;
