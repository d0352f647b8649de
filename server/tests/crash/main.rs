//! `kill -9` at random instants under load: whatever was answered is recorded, and everything recorded has a true end.
//!
//! A few rounds; `PADDOCK_CRASH_ROUNDS` says how many, `PADDOCK_CRASH_SEED` repeats the chances of an earlier run. One
//! data directory lives through all of them.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../app/tests/common/fakepve.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod fakepve;

mod blow;
mod chance;
mod check;
mod ground;
mod http;
mod ledger;
mod load;
mod record;
mod tally;
mod world;

use std::{
    collections::BTreeSet,
    env,
    sync::Mutex,
    thread::{self, sleep},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use blow::Blow;
use chance::Chance;
use check::Known;
use ground::{DEAF, Ground, Server};
use load::{Load, PEOPLE, Told};
use record::Book;
use tally::Tally;

/// Until everything that was cut off has its end: a server looks every 30 s, and what it then follows takes seconds.
const REST: Duration = Duration::from_secs(120);

/// A run of several rounds.
struct Run {
    ground: Ground,
    told: Mutex<Told>,
    known: Known,
    tally: Tally,
    /// Told once each.
    seen: BTreeSet<String>,
}

#[test]
fn whatever_instant_kill_9_comes_at_no_record_is_lost() {
    let rounds = env::var("PADDOCK_CRASH_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
    let now = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let seed = env::var("PADDOCK_CRASH_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
    eprintln!("PADDOCK_CRASH_SEED={seed}");
    let mut chance = Chance::new(seed);
    let mut run = Run::new();
    let mut server = run.ground.start().0;
    for round in 1..=rounds {
        let mut chance = chance.child();
        let blow = Blow::of_round(round, &mut chance);
        let begun = Instant::now();
        server = run.round(server, &blow, &mut chance);
        eprintln!("round {round}: {blow:?}, {} s", begun.elapsed().as_secs());
    }
    eprintln!("\n{}", run.tally);
    let violations = &run.tally.violations;
    if !violations.is_empty() || env::var_os("PADDOCK_CRASH_KEEP").is_some() {
        eprintln!("what is left of it is in {}", run.ground.keep().display());
    }
    assert!(violations.is_empty(), "seed {seed}:\n{}", violations.join("\n"));
}

impl Run {
    fn new() -> Self {
        let ground = Ground::new();
        make_deaf(&ground);
        let (told, known, tally, seen) = Default::default();
        Self { ground, told, known, tally, seen }
    }

    /// Load, a blow, a start, and a check. The server that is handed back is up.
    fn round(&mut self, mut server: Server, blow: &Blow, chance: &mut Chance) -> Server {
        let load = Load::new(&self.ground, server.addr, &self.told);
        let command_line_died = thread::scope(|scope| {
            for _ in 0..PEOPLE {
                let chance = chance.child();
                scope.spawn(|| load.person(chance));
            }
            let own = chance.child();
            scope.spawn(|| load.command_line(own));
            let died = strike(blow, &mut server, &load);
            load.stop();
            died
        });
        self.tally.rounds += 1;
        self.tally.kills_of_command_lines += usize::from(command_line_died);
        if !matches!(blow, Blow::CommandLineAlone { .. }) {
            self.tally.kills += 1;
            if let Blow::StartingServer { starts, .. } = blow {
                starts.iter().for_each(|after| self.ground.start_in_vain(*after));
                self.tally.kills += starts.len();
                self.tally.kills_at_start += starts.len();
            }
            let (next, took) = self.ground.start();
            server = next;
            self.tally.restarts.push(took);
        }
        self.come_to_rest();
        self.check(&server);
        server
    }

    /// Waits until no operation is live and the fake has nothing to do either.
    fn come_to_rest(&mut self) {
        let begun = Instant::now();
        loop {
            let live = Book::read(&self.ground.path("data/paddock.db")).live();
            let running = world::tasks(&self.ground).values().filter(|task| task.result.is_none()).count();
            if live.is_empty() && running == 0 {
                break;
            }
            if begun.elapsed() > REST {
                self.tally.violations.push(format!("still live after {REST:?}: {live:?}, {running} tasks"));
                break;
            }
            sleep(Duration::from_millis(50));
        }
        self.tally.rests.push(begun.elapsed());
    }

    fn check(&mut self, server: &Server) {
        let told = self.told.lock().unwrap();
        for sentence in check::wrong(&self.ground, server, &told, &mut self.known) {
            if self.seen.insert(sentence.clone()) {
                eprintln!("WRONG: {sentence}");
                self.tally.violations.push(format!("round {}: {sentence}", self.tally.rounds));
            }
        }
        self.tally.count(&told, &Book::read(&self.ground.path("data/paddock.db")));
    }
}

/// Says whether a command line was killed.
fn strike(blow: &Blow, server: &mut Server, load: &Load<'_>) -> bool {
    match blow {
        Blow::Server { after } | Blow::StartingServer { after, .. } => {
            sleep(*after);
            server.kill();
            false
        }
        Blow::EndingServer { after, then } => {
            sleep(*after);
            server.end_within(*then);
            false
        }
        Blow::CommandLine { after, into, then } => {
            sleep(*after);
            let died = load.kill_command_line(*into);
            sleep(*then);
            server.kill();
            died
        }
        Blow::CommandLineAlone { after, into } => {
            sleep(*after);
            load.kill_command_line(*into)
        }
    }
}

/// An LXC guest that never hears of a shut-down: busybox init halts at SIGUSR1, and it is sent another signal.
fn make_deaf(ground: &Ground) {
    for args in [&["create", DEAF, "--backend", "lxc", "--template", "busybox"][..], &["start", DEAF]] {
        if args[0] == "start" {
            let config = ground.path("lxc").join(DEAF).join("config");
            let text = std::fs::read_to_string(&config).unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("lxc.signal.halt")).collect();
            std::fs::write(&config, format!("{}\nlxc.signal.halt = SIGURG\n", lines.join("\n"))).unwrap();
        }
        let output = ground.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }
}
