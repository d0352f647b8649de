//! Paddock: one dashboard for every guest of a Proxmox VE host.
//!
//! This file is the map of the house, and the only place that says which rooms exist where.

pub mod domain;

#[cfg(feature = "ssr")]
pub mod backend;
