//! Forms of actions: from what was typed to a request. The same in the browser, while one types, and on the server, before
//! anything is planned; what only the host knows is looked at by the plan.
//!
//! A [`Typed`] holds what was typed, right or wrong, so that a page shows it again and a link repeats it. Only a
//! [`Reader`] turns it into a request, whole or not at all, and tells of each field what is wrong with it.

mod changes;
mod command;
mod create;
mod fields;
mod new_guest;
mod read;
mod request;
mod typed;
pub mod values;

pub use changes::{changeable, changes, shown};
pub use command::split;
pub use create::{NewField, Step, create, new_fields, sources};
pub use fields::{Choices, Input, Parameter, parameters};
pub use new_guest::NewGuest;
pub use read::{Reader, Wrong};
pub use request::{read, request};
pub use typed::Typed;

#[cfg(test)]
mod tests;
