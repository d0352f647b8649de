//! PROXMOX: containers and VMs of a Proxmox VE cluster, by its REST API.
//!
//! [`Client`] is the transport: one request or one followed task at a time, every failure typed.

mod check;
mod client;
mod config;
mod facts;
mod num;
mod place;
mod plan;
mod props;
mod wire;

pub use client::{Client, segment};
pub use config::{CONCURRENCY, Credentials, Endpoint, PORT, ProxmoxConfig, TIMEOUT, Trust};
