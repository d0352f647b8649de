//! WIRE: Proxmox's answers as types, by area. Only what this driver reads; everything may be absent.

pub mod config;
pub mod guest;
pub mod node;

#[cfg(test)]
mod tests;
