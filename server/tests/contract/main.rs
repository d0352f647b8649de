//! The contract of access: every page, server function, stream and verb of the command line, called by people with
//! different rights, answers as `Rights::decide` says it should, and what somebody may not see is in no answer.
//!
//! An address or verb that is not in the tables here fails the test, so that no new one is forgotten.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod people;
mod verbs;
mod web;
mod world;

use std::fmt;

/// What an answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not for want of a right, whatever else may be wrong with the request.
    Allowed,
    /// The right is missing, and that is said.
    Denied,
    /// As if it did not exist.
    Hidden,
    /// Log in first.
    LogIn,
    /// Replace the one-time password first.
    PasswordDue,
    /// Set up a second factor first.
    FactorDue,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allowed => "yes",
            Self::Denied => "no",
            Self::Hidden => "hidden",
            Self::LogIn => "log in",
            Self::PasswordDue => "password",
            Self::FactorDue => "factor",
        })
    }
}

/// One cell that is not as the policy says.
#[derive(Debug)]
pub struct Difference {
    pub what: String,
    pub person: &'static str,
    pub is: Verdict,
    pub should: Verdict,
    pub answer: String,
}

/// The table as text, and a panic that names each cell that is not as it should be.
pub fn conclude(title: &str, people: &[&'static str], rows: &[(String, Vec<Verdict>)], wrong: &[Difference]) {
    let mut table = format!("{title}\n{:<64}", "");
    for person in people {
        table += &format!("{person:<14}");
    }
    for (what, verdicts) in rows {
        table += &format!("\n{what:<64}");
        for verdict in verdicts {
            table += &format!("{verdict:<14}");
        }
    }
    println!("{table}");
    let list: Vec<String> = wrong
        .iter()
        .map(|it| format!("{} by {}: {} instead of {}: {}", it.what, it.person, it.is, it.should, it.answer))
        .collect();
    assert!(list.is_empty(), "{} of {} differ:\n{}", list.len(), rows.len() * people.len(), list.join("\n"));
}
