//! The options of `paddock serve` that set a key: one for each, made from the list of keys.

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, builder::OsStringValueParser};

use super::{
    key::{Info, Sample},
    keys,
    layers::Override,
};

/// The keys that the command line sets, as typed.
#[derive(Debug, Clone, Default)]
pub struct Options(pub(super) Vec<Override>);

fn arg(key: &'static Info) -> Arg {
    let default = match key.sample {
        Sample::Default(default) => format!(" [default: {}]", default.trim_matches('"')),
        Sample::Example(_) => String::new(),
    };
    let lines: Vec<&str> = key.doc.lines().map(str::trim).collect();
    let help = |words: &str| format!("{words}{default} [env: {}]", key.env);
    let arg = Arg::new(key.env)
        .long(key.option())
        .value_name(key.name.to_uppercase())
        .value_parser(OsStringValueParser::new())
        .help(help(lines.first().copied().unwrap_or_default()))
        .long_help(help(&lines.join(" ")))
        .help_heading(format!("Settings: {}", key.section));
    if !key.is_flag {
        return arg;
    }
    // `--https` alone is enough.
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        command.args(keys::ALL.iter().map(|key| arg(key)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |key: &&'static Info| Some((*key, matches.get_one::<OsString>(key.env)?.clone()));
        Ok(Self(keys::ALL.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
