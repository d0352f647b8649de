use proptest::prelude::*;

use super::*;

use BackendKind::{Crun, Lxc, ProxmoxLxc, ProxmoxVm};

fn regex(text: &str, backend: BackendKind) -> Rule {
    Rule { pattern: Pattern::Regex(text.to_owned()), backend }
}

fn glob(text: &str, backend: BackendKind) -> Rule {
    Rule { pattern: Pattern::Glob(text.to_owned()), backend }
}

fn name(text: &str) -> GuestName {
    GuestName::new(text).unwrap()
}

#[test]
fn the_first_rule_that_matches_decides() {
    let routing =
        Routing::new([glob("db-*", ProxmoxVm), regex("^web-", ProxmoxLxc), regex("^(web|app)-", Crun)], Lxc)
            .unwrap();
    for (text, backend, sentence) in [
        ("db-1", ProxmoxVm, "Backend proxmox-vm: rule 1 (db-*) chose it."),
        ("web-1", ProxmoxLxc, "Backend proxmox-lxc: rule 2 (^web-) chose it."),
        ("app-1", Crun, "Backend crun: rule 3 (^(web|app)-) chose it."),
        ("my-web-1", Lxc, "Backend lxc: the default."),
        ("my-db-1", Lxc, "Backend lxc: the default."),
    ] {
        let route = routing.route(&name(text));
        assert_eq!((route.backend, route.to_string().as_str()), (backend, sentence), "{text}");
    }
}

#[test]
fn without_rules_the_default_gets_every_name() {
    let route = Routing::new([], Crun).unwrap().route(&name("web-1"));
    assert_eq!(route, Route { backend: Crun, by: ChosenBy::Default });
}

#[test]
fn a_regular_expression_is_found_anywhere_and_a_glob_fits_the_whole_name() {
    let routing = Routing::new([regex("test", Crun), glob("web", ProxmoxVm)], Lxc).unwrap();
    let backend = |text| routing.route(&name(text)).backend;
    assert_eq!(["my-test-1", "web", "web1", "a.web"].map(backend), [Crun, ProxmoxVm, Lxc, Lxc]);
}

#[test]
fn both_kinds_have_their_whole_language() {
    let routing =
        Routing::new([regex(r"(?i)^WEB-\d{2,3}$", Crun), glob("{db,cache}-[0-9]?", ProxmoxVm)], Lxc).unwrap();
    let backend = |text| routing.route(&name(text)).backend;
    assert_eq!(["web-01", "Web-123", "web-1", "web-1234"].map(backend), [Crun, Crun, Lxc, Lxc]);
    assert_eq!(["db-1a", "cache-99", "db-a1", "db-1"].map(backend), [ProxmoxVm, ProxmoxVm, Lxc, Lxc]);
}

#[test]
fn a_bad_pattern_is_named_with_its_rule_and_the_reason() {
    let after_a_good_one = |rule| Routing::new([regex("^a", Lxc), rule], Lxc).unwrap_err();
    for (rule, text) in [
        (regex("web-(", Lxc), "Routing rule 2 (web-() is no regular expression: unclosed group."),
        (glob("db-[", Lxc), "Routing rule 2 (db-[) is no glob: unclosed character class; missing ']'."),
        (glob("{a,b", Lxc), "Routing rule 2 ({a,b) is no glob: "),
        (regex("", Lxc), "Routing rule 2 has an empty regular expression. "),
        (glob("", Lxc), "Routing rule 2 has an empty glob. "),
        (regex("(a{999}){999}", Lxc), "Routing rule 2 ((a{999}){999}) is no regular expression: "),
    ] {
        let error = after_a_good_one(rule);
        assert_eq!(error.number(), 2);
        let words = error.to_string();
        assert!(words.starts_with(text) && words.len() > text.len() - 1, "{words}");
        assert!(!words.contains('\n') && words.ends_with('.') && !words.contains("error:"), "{words}");
    }
}

fn backend() -> impl Strategy<Value = BackendKind> {
    prop::sample::select(BackendKind::ALL.to_vec())
}

/// Prefixes from a small alphabet, so that names meet them.
fn prefixes() -> impl Strategy<Value = Vec<(String, bool, BackendKind)>> {
    prop::collection::vec(("[ab]{1,3}", any::<bool>(), backend()), 0..8)
}

fn rules_of(prefixes: &[(String, bool, BackendKind)]) -> Vec<Rule> {
    let rule = |(prefix, is_glob, backend): &(String, bool, BackendKind)| match is_glob {
        true => glob(&format!("{prefix}*"), *backend),
        false => regex(&format!("^{prefix}"), *backend),
    };
    prefixes.iter().map(rule).collect()
}

proptest! {
    /// Against the plainest reading of the rules: the first prefix that fits.
    #[test]
    fn routes_agree_with_a_plain_search(prefixes in prefixes(), default in backend(), text in "[ab]{1,4}") {
        let route = Routing::new(rules_of(&prefixes), default).unwrap().route(&name(&text));
        match prefixes.iter().position(|(prefix, ..)| text.starts_with(prefix)) {
            Some(index) => {
                prop_assert_eq!(route.backend, prefixes[index].2);
                let is_it = matches!(&route.by, ChosenBy::Rule { number, .. } if *number == index + 1);
                prop_assert!(is_it, "{:?}", route);
            }
            None => prop_assert_eq!(route, Route { backend: default, by: ChosenBy::Default }),
        }
    }

    #[test]
    fn a_rule_at_the_end_changes_no_name_that_was_matched(
        prefixes in prefixes(), more in prefixes(), default in backend(), text in "[ab]{1,4}"
    ) {
        let before = Routing::new(rules_of(&prefixes), default).unwrap().route(&name(&text));
        let longer = Routing::new(rules_of(&[prefixes, more].concat()), default).unwrap();
        if before.by != ChosenBy::Default {
            prop_assert_eq!(longer.route(&name(&text)), before);
        }
    }

    /// Whatever is written as a pattern: refused with its number, or usable on every name.
    #[test]
    fn no_pattern_can_do_harm(text in "\\PC{0,40}", is_glob in any::<bool>(), guest in "[a-z0-9][a-zA-Z0-9._-]{0,62}") {
        let rule = if is_glob { glob(&text, Crun) } else { regex(&text, Crun) };
        match Routing::new([rule], Lxc) {
            Ok(routing) => {
                let route = routing.route(&name(&guest));
                prop_assert_eq!(route.backend == Crun, route.by != ChosenBy::Default);
            }
            Err(error) => prop_assert_eq!(error.number(), 1),
        }
    }
}
