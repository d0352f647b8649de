//! LEDGER: the append-only chain of what was recorded, and the proof that nothing in it has changed.
//!
//! Pure but for the key's file: no database, no clock, no log. The store keeps entries and checkpoints and asks this
//! room to seal, sign and verify them; `paddock verify` asks it about exports.
//!
//! ```text
//!   entry 1 ◄── entry 2 ◄── … ◄── entry N      each names the hash of the one before it (`entry`)
//!                  ▲                 ▲
//!              checkpoint          head          signed: a ledger changed and hashed anew does not fit (`checkpoint`)
//!                  │                 │
//!                  └──► journal ◄────┘           witnesses elsewhere: a tail cut off with its checkpoints is missed
//! ```
//!
//! What this proves: who lacks the key can neither change, remove, add nor reorder an entry unseen. Who has it can
//! write another ledger, but not take back what the journal, or a copy of it elsewhere, has witnessed.

mod checkpoint;
pub mod damage;
pub mod digest;
pub mod entry;
pub mod export;
mod hex;
mod sign;
pub mod verify;

pub use checkpoint::{BadCheckpoint, Checkpoint, PublicKey, Signature};
pub use damage::{Damage, Report};
pub use digest::{Hash, Record};
pub use entry::{Entry, NewEntry};
pub use export::{Exporter, verify_export, verify_export_with};
pub use hex::BadHex;
pub use sign::{KeyError, Signer};
pub use verify::Verifier;

#[cfg(test)]
mod sample;
