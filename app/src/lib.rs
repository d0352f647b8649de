//! Paddock: one dashboard for every guest of a Proxmox VE host.
//!
//! This file is the map of the house, and the only place that says which rooms exist where.
//!
//! | room | what it is | knows |
//! |---|---|---|
//! | [`domain`] | the words: guest, action, plan, operation | nothing |
//! | [`api`] | server functions: caller in, one service call, reply | `domain`, and on the server `request` and `service` |
//! | [`ui`] | what is seen: pages and components | `domain`, `api` |
//! | [`request`] | who is calling; how an error becomes a reply | `auth`, `service` |
//! | [`service`] | use cases: act on a guest, keep the inventory, log in | `domain`, `auth`, `backend`, `store` |
//! | [`auth`] | caller, policy, passwords | `domain` |
//! | [`backend`] | the tools that run guests: drivers, plans, processes | `domain` |
//! | [`ledger`] | the chain of what was recorded: hashes, signatures, proof; no database | nothing |
//! | [`store`] | SQLite | `domain` |
//! | `fuzzing` | each parser for a fuzzer to call; built by nothing else | `domain`, `backend`, `ledger` |
// A page's view is one deeply nested type, and the compiler looks all the way down.
#![recursion_limit = "512"]

pub mod domain;

#[cfg(feature = "ui")]
pub mod api;
#[cfg(feature = "ui")]
pub mod ui;

#[cfg(feature = "backend")]
pub mod backend;

#[cfg(feature = "ledger")]
pub mod ledger;

#[cfg(fuzzing)]
pub mod fuzzing;

#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
pub mod store;
