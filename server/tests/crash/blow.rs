//! The instant of the kill, and of what.

use std::time::Duration;

use crate::chance::Chance;

/// What is killed in a round, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blow {
    /// The server, so long after the load began.
    Server { after: Duration },
    /// The server as above, and then again while it starts, so long after each start.
    StartingServer { after: Duration, starts: Vec<Duration> },
    /// The server while it ends in order, so long after it was told to.
    EndingServer { after: Duration, then: Duration },
    /// The command line in the middle of something, so long after that was seen, and a moment later the server.
    CommandLine { after: Duration, into: Duration, then: Duration },
    /// The command line alone; the server goes on and settles what it left.
    CommandLineAlone { after: Duration, into: Duration },
}

impl Blow {
    /// Each sort once in the first rounds, then by chance.
    pub fn of_round(round: usize, chance: &mut Chance) -> Self {
        let after = chance.ms(50, 2500);
        let sort = match round {
            1 => 0,
            2 => 50,
            3 => 70,
            4 => 90,
            _ => chance.below(100),
        };
        match sort {
            0..50 => Self::Server { after },
            50..70 => {
                let starts = (0..1 + chance.below(3)).map(|_| chance.ms(1, 600)).collect();
                Self::StartingServer { after, starts }
            }
            70..85 => Self::EndingServer { after, then: chance.ms(0, 1500) },
            85..97 => Self::CommandLine { after, into: chance.ms(0, 800), then: chance.ms(0, 300) },
            _ => Self::CommandLineAlone { after, into: chance.ms(0, 800) },
        }
    }
}
