//! Pieces that more than one page shows.

pub mod account;
pub mod ago;
pub mod badge;
pub mod banner;
pub mod chart;
pub mod command;
pub mod crumbs;
pub mod empty;
pub mod field;
pub mod fold;
pub mod frame;
pub mod guest_actions;
pub mod hash;
pub mod icon;
pub mod loaded;
pub mod log;
pub mod operation_row;
pub mod plan_view;
pub mod run_form;
pub mod sheet;
pub mod sparkline;
pub mod step_row;
pub mod table;
pub mod usage;
