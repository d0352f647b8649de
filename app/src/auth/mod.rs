//! AUTH: who is calling, what they may do, and passwords. Decides; stores nothing and knows nothing of the web.

mod caller;
pub mod device;
pub mod factor;
pub mod password;
pub mod policy;
pub mod qr;
pub mod seal;
pub mod token;

pub use caller::{ActsAs, Caller, Credential};
