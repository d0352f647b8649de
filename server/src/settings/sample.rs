//! A settings file to begin with: every key with its meaning, none of them in force.

use std::fmt::Write as _;

use super::{
    DEFAULT_FILE,
    key::{Info, Sample},
    keys::{self, SECTIONS},
};

/// The sample. Each key stands in it behind a `#` without a blank; its defaults are those of the program, and
/// examples are told from them.
pub fn sample() -> String {
    let mut text = format!(
        "# Settings of Paddock. It reads them from {DEFAULT_FILE}, or from the file that --config or\n\
         # PADDOCK_CONFIG names.\n\
         #\n\
         # A value holds in this order: option of the command line, environment variable, this file, default.\n\
         # To set a key, remove the # before it. `paddock config show` prints what is in force and why.\n"
    );
    for (section, doc) in SECTIONS {
        text.push('\n');
        comment(&mut text, doc);
        let _ = writeln!(text, "[{section}]");
        for key in keys::ALL.iter().filter(|key| key.section == section) {
            text.push('\n');
            comment(&mut text, key.doc.trim());
            let kind = match key.sample {
                Sample::Default(_) => "The default:",
                Sample::Example(_) => "No default. An example:",
            };
            let _ = writeln!(text, "# Variable {}. {kind}", key.env);
            for line in line(key).lines() {
                let _ = writeln!(text, "#{line}");
            }
        }
    }
    text
}

/// A key with its value in the sample, as it stands there without the `#`.
pub fn line(key: &Info) -> String {
    format!("{} = {}", key.name, key.sample.text())
}

fn comment(text: &mut String, words: &str) {
    for line in words.lines() {
        let line = format!("# {}", line.strip_prefix(' ').unwrap_or(line));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
