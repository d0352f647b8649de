//! Who may do what: privileges, the roles made of them, and the grants that give somebody a role somewhere.
//!
//! ```text
//!   user ──┬────────────► grant: a role on a scope, perhaps for a time ──► rights ──► decide(privilege, on what, when)
//!          └── group ───►
//! ```
//!
//! [`Rights::decide`] is the one function that decides, and it is pure. `auth::policy` asks it for a caller.

mod grant;
mod past;
mod privilege;
mod rights;
mod role;
mod scope;
mod view;

pub use grant::{Grant, GrantId, Holder};
pub use past::{Access, Account, Change, End, Held, Idle, Recorded};
pub use privilege::{Privilege, Privileges, UnknownPrivilege};
pub use rights::{Limit, Missing, On, Place, Right, Rights};
pub use role::{BadRoleName, BuiltIn, Role, RoleName, UnknownRole};
pub use scope::{BadScope, Scope};
pub use view::{AccessPage, Group, LetsIn, PastPage, Since, SinceWhy, UserPage, UserRow};
