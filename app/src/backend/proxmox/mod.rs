//! PROXMOX: containers and VMs of a Proxmox VE cluster, by its REST API.
//!
//! | part | what it is |
//! |---|---|
//! | [`Client`] | the transport: one request or one followed task at a time, every failure typed |
//! | [`refuse`] | what Proxmox's refusals mean |

mod client;
mod config;
pub mod refuse;
mod upid;

pub use client::{Client, segment};
pub use config::{CONCURRENCY, Credentials, Endpoint, PORT, ProxmoxConfig, TIMEOUT, Trust};
pub use upid::{NoUpid, Upid};
