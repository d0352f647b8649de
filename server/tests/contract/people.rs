//! People with different rights, each of whom the policy can be asked about.

use app::domain::{access::BuiltIn, account::Owed};

/// Somebody and what they were given.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub name: &'static str,
    /// Role, scope, and whether the grant is over already.
    pub grants: &'static [(&'static str, &'static str, bool)],
    /// Is in this group, which has the grants.
    pub group: Option<&'static str>,
    /// What they have to do before anything else.
    pub owed: Option<Owed>,
}

const fn person(name: &'static str, grants: &'static [(&'static str, &'static str, bool)]) -> Person {
    Person { name, grants, group: None, owed: None }
}

/// A role of their own making: power without sight.
pub const BLIND: (&str, &str) = ("blind", "power,delete");
/// Another: what the night shift needs.
pub const NIGHT: (&str, &str) = ("night", "see,power,history");

/// Each built-in role on everything, and a few odd ones. Nobody, who is not logged in, is no person.
pub const PEOPLE: [Person; 14] = [
    person("administrator", &[("administrator", "everything", false)]),
    person("operator", &[("operator", "everything", false)]),
    person("auditor", &[("auditor", "everything", false)]),
    person("viewer", &[("viewer", "everything", false)]),
    person("nothing", &[]),
    person("over", &[("administrator", "everything", true)]),
    person("lab-operator", &[("operator", "tag:lab", false)]),
    person("lab-admin", &[("administrator", "tag:lab", false)]),
    person("one-guest", &[("viewer", "guest:lxc/prod1", false)]),
    person("crun-admin", &[("administrator", "backend:crun", false)]),
    person("blind", &[("blind", "everything", false)]),
    Person {
        group: Some("nights"),
        ..person("night", &[("night", "tag:lab", false), ("night", "backend:crun", false)])
    },
    Person { owed: Some(Owed::Password), ..person("newcomer", &[("administrator", "everything", false)]) },
    Person { owed: Some(Owed::Factor), ..person("factorless", &[("administrator", "everything", false)]) },
];

#[test]
fn every_built_in_role_is_somebodys() {
    for role in BuiltIn::ALL {
        assert!(
            PEOPLE.iter().any(|person| person.grants.contains(&(role.as_str(), "everything", false))),
            "{role}"
        );
    }
}
