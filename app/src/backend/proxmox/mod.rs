//! PROXMOX: containers and VMs of a Proxmox VE cluster, by its REST API.
//!
//! [`Client`] is the transport: one request or one followed task at a time, every failure typed.

mod capabilities;
mod check;
mod choose;
mod client;
mod cluster;
mod config;
mod detail;
mod driver;
mod facts;
mod images;
mod memory;
mod nodes;
mod num;
mod parse;
mod place;
mod plan;
mod props;
mod read;
mod state;
mod wire;

pub use client::{Client, segment};
pub use config::{CONCURRENCY, Credentials, Endpoint, PORT, ProxmoxConfig, TIMEOUT, Trust};
pub use driver::ProxmoxDriver;
