//! AUTH: who is calling, what they may do, and passwords. Decides; stores nothing and knows nothing of the web.

mod caller;
pub mod password;
pub mod policy;

pub use caller::{ActsAs, Caller};
