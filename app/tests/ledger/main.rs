//! The proof of the record: whatever is changed in a database behind Paddock's back is found, and told as what it is.
#![cfg_attr(feature = "ssr", expect(clippy::unwrap_used, reason = "what cannot be set up has failed"))]
#![cfg(feature = "ssr")]

mod archived;
mod attacker;
mod changed;
mod cut;
mod protected;
mod read_only;
mod sample;
