//! PROXMOX: containers and VMs of a Proxmox VE cluster, by its REST API.
//!
//! | part | what it is |
//! |---|---|
//! | [`Client`] | the transport: one request or one followed task at a time, every failure typed |
//! | [`refuse`] | what Proxmox's refusals mean |
//! | [`ProxmoxDriver`] | the driver of one kind of guests |
//! | [`Realms`], [`Person`] | people with accounts of their own there; `person`: the driver as one of them |
//! | `wire`, `num` | Proxmox's answers as types, however they are written |
//! | `check`, `props` | what somebody typed, before any request is made of it |
//! | `choose`, `facts` ──► `plan` | what will be done: pure, from facts |
//! | `cluster`, `memory`, `reach` | what is remembered between two readings |
//! | `pulse`, `host` ──► `signals` | what tells that something must be read anew |
//! | `read`, `detail`, `nodes`, `images`, `tasks`, `meters` | what is there, what was done, and what is used |

mod begun;
mod capabilities;
mod check;
mod choose;
mod client;
mod cluster;
mod config;
mod detail;
mod driver;
mod facts;
mod host;
mod images;
mod memory;
mod meters;
mod nodes;
pub(crate) mod num;
mod parse;
mod person;
mod place;
mod plan;
mod props;
mod pulse;
mod reach;
mod read;
pub mod refuse;
mod signals;
mod state;
mod tasks;
mod upid;
pub(crate) mod wire;

pub use client::{Client, Entry, Factor, Person, RENEW_AFTER, Realms, is_user, segment};
pub use config::{CONCURRENCY, Credentials, Endpoint, PORT, ProxmoxConfig, TIMEOUT, Trust};
pub use driver::ProxmoxDriver;
pub use host::Signs;
pub use upid::{NoUpid, Upid};
