//! What is in force, and where each value came from.

use std::fmt;

use super::{Settings, error::Place, keys::SECTIONS};

/// Where the comments begin, if the value is not longer.
const COLUMN: usize = 48;

/// All settings as a settings file that would bring about the same, each with its place as a comment. Holds no
/// secret, only the paths of their files.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => writeln!(f, "# The settings file is {}.", file.display())?,
            None => writeln!(f, "# There is no settings file.")?,
        }
        for (section, _) in SECTIONS {
            writeln!(f, "\n[{section}]")?;
            for effective in self.effective.iter().filter(|of| of.key.section == section) {
                let line = match &effective.value {
                    Some(value) => format!("{} = {value}", effective.key.name),
                    None => format!("#{} is not set", effective.key.name),
                };
                match (&effective.value, &effective.place) {
                    (None, Place::Default) => writeln!(f, "{line}")?,
                    (_, place) => writeln!(f, "{line:COLUMN$} # {place}")?,
                }
            }
        }
        Ok(())
    }
}
