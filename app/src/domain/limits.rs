//! How much a guest may use.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Processor time a guest may use, in thousandths of one core. Written as a number of cores: `1.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpus(pub u32);

impl Cpus {
    /// Most that can be asked for: 8192 cores, Proxmox's own bound.
    pub const MOST: Self = Self(8_192_000);

    pub fn cores(cores: u32) -> Self {
        Self(cores.saturating_mul(1000))
    }

    /// The number of whole cores; `None` where a part of one is left over.
    pub fn whole(self) -> Option<u32> {
        self.0.is_multiple_of(1000).then_some(self.0 / 1000)
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{part:03}").trim_end_matches('0'))
    }
}

/// The text is no number of cores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Enter a number of processor cores from 0.001 to 8192, such as 2 or 1.5.")]
pub struct BadCpus;

impl FromStr for Cpus {
    type Err = BadCpus;
    fn from_str(text: &str) -> Result<Self, BadCpus> {
        let text = text.trim();
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() && part.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) {
            return Err(BadCpus);
        }
        let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| BadCpus)? };
        let part: u32 = format!("{part:0<3}").parse().map_err(|_| BadCpus)?;
        let cpus = whole.checked_mul(1000).and_then(|milli| milli.checked_add(part)).ok_or(BadCpus)?;
        if (1..=Self::MOST.0).contains(&cpus) { Ok(Self(cpus)) } else { Err(BadCpus) }
    }
}

/// How much a guest may use; `None` is no limit of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub cpu: Option<Cpus>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_and_shown_in_thousandths() {
        for (text, cpus) in [("1", 1000), ("1.5", 1500), ("0.001", 1), (".25", 250), ("8192", 8_192_000)] {
            assert_eq!(text.parse(), Ok(Cpus(cpus)), "{text}");
        }
        for text in ["", ".", "0", "0.0", "-1", "1e3", "1.2345", "8192.001", "99999999999", "1,5", "NaN", "١"]
        {
            assert_eq!(text.parse::<Cpus>(), Err(BadCpus), "{text}");
        }
        assert_eq!([2000, 1500, 250, 1].map(|c| Cpus(c).to_string()), ["2", "1.5", "0.25", "0.001"]);
        assert_eq!(Cpus(1500).whole(), None);
        assert_eq!(Cpus::cores(3).whole(), Some(3));
    }
}
