//! The rules of routing as they are written.

use app::{
    backend::routing::{Pattern, Routing, Rule},
    domain::guest::BackendKind,
};
use serde::Serialize;

use super::{
    error::{Place, Problem, SettingsError},
    key::{Given, Wrong},
    keys,
    layers::{Layers, at_key},
    list::{self, Item},
    read,
};

/// A rule as it was written: it has a pattern or a glob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleGiven {
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    glob: Option<String>,
    pub backend: BackendKind,
    #[serde(skip)]
    pub at: Places,
}

/// The bytes of the settings file at which the values of a rule are, where it is from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    pattern: Option<usize>,
    pub backend: Option<usize>,
}

impl RuleGiven {
    pub fn rule(&self) -> Rule {
        let pattern = match (&self.pattern, &self.glob) {
            (Some(regex), _) => Pattern::Regex(regex.clone()),
            (None, glob) => Pattern::Glob(glob.clone().unwrap_or_default()),
        };
        Rule { pattern, backend: self.backend }
    }
}

const EXPECTED: &str = "a table such as { pattern = \"^web-\", backend = \"lxc\" }";

/// A list of tables with `pattern` or `glob`, and `backend`. All patterns have been tried.
pub fn list(given: Given<'_>) -> Result<Vec<RuleGiven>, Wrong> {
    let expected = format!("a list, each item {EXPECTED}");
    let rules = list::read(given, &expected, |item| match item {
        Item::Plain(value) => Err(read::wrong(value, EXPECTED)),
        Item::Table(table) => {
            table.only(&["pattern", "glob", "backend"])?;
            table.not_both("pattern", "glob")?;
            let text =
                |given: Given<'_>| read::parsed(given, "text, in quotes", |text| Some(text.to_owned()));
            let (pattern, glob) = (table.optional("pattern", text)?, table.optional("glob", text)?);
            if pattern.is_none() && glob.is_none() {
                table.required("pattern", "a pattern or a glob", text)?;
            }
            Ok(RuleGiven {
                backend: table.required("backend", "the backend to choose", read::backend)?,
                at: Places {
                    pattern: table.begin_of("pattern").or(table.begin_of("glob")),
                    backend: table.begin_of("backend"),
                },
                pattern,
                glob,
            })
        }
    })?;
    let rules: Vec<RuleGiven> = rules.into_iter().map(|(_, rule)| rule).collect();
    try_out(&rules)?;
    Ok(rules)
}

fn try_out(rules: &[RuleGiven]) -> Result<(), Wrong> {
    // Whatever the default is, the patterns are the same.
    let tried = Routing::new(rules.iter().map(RuleGiven::rule), BackendKind::Lxc);
    tried.map(drop).map_err(|error| {
        let index = error.number().saturating_sub(1);
        let rule = rules.get(index);
        let key = if rule.is_some_and(|rule| rule.glob.is_some()) { "glob" } else { "pattern" };
        let at = rule.and_then(|rule| rule.at.pattern);
        Wrong::from(Problem::Routing(error)).inside(key, at).inside(&list::number(index), None)
    })
}

/// The rules and the default, all of which go to backends that are set up.
pub fn routing(
    layers: &mut Layers<'_>,
    is_set_up: impl Fn(BackendKind) -> bool,
) -> Result<Routing, SettingsError> {
    let default = layers.find(&keys::ROUTING_DEFAULT)?;
    let rules = layers.find(&keys::ROUTING_RULES)?;
    let not_set_up = |backend| {
        let cure = match backend {
            BackendKind::Lxc => "Choose another, or set lxc.enabled to true.",
            BackendKind::Crun => "Choose another, or set crun.enabled to true.",
            BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => "Choose another, or set proxmox.endpoints.",
        };
        Wrong::from(Problem::NotSetUp { backend, cure })
    };
    let mut compiled = Vec::new();
    if let Some(rules) = rules {
        for (index, rule) in rules.value.iter().enumerate() {
            if !is_set_up(rule.backend) {
                let wrong =
                    not_set_up(rule.backend).inside("backend", None).inside(&list::number(index), None);
                let place = layers.part(&rules.place, rule.at.backend);
                return Err(at_key(place, &keys::ROUTING_RULES.info, wrong));
            }
            compiled.push(rule.rule());
        }
    }
    let (backend, place) =
        default.map_or((BackendKind::Lxc, Place::Default), |found| (found.value, found.place));
    if !is_set_up(backend) {
        return Err(at_key(place, &keys::ROUTING_DEFAULT.info, not_set_up(backend)));
    }
    Routing::new(compiled, backend)
        .map_err(|error| at_key(Place::Default, &keys::ROUTING_RULES.info, Problem::Routing(error).into()))
}
