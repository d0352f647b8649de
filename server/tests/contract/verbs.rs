//! The verbs of the command line, each called `--as` everybody.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
};

use app::domain::{
    access::{On, Place, Privilege, Rights},
    guest::{BackendKind, Guest},
};
use clap::CommandFactory as _;
use futures::future::join_all;

use crate::{
    Difference, Verdict, conclude,
    people::{PEOPLE, Person},
    world::{Known, World},
};

const NOW: i64 = 1_000_000_000_000;

/// Which right a verb asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Somewhere(Privilege),
    Everything(Privilege),
    /// Either of them.
    EitherOnEverything(Privilege, Privilege),
    Guest(Privilege),
    /// Of an operation, whose history one must see.
    Operation,
    /// To make a guest of that name.
    New,
    /// Nobody may.
    Never,
}

struct Verb {
    /// As the parser has it: `user add`.
    path: &'static str,
    /// What stands in braces is that of the guest that is asked about.
    call: &'static [&'static str],
    needs: Needs,
}

const fn verb(path: &'static str, call: &'static [&'static str], needs: Needs) -> Verb {
    Verb { path, call, needs }
}

/// None of these calls changes anything: they plan, they name what is not there, or they are wrong in another way.
const VERBS: &[Verb] = {
    use Needs::{EitherOnEverything, Everything, Guest, Never, New, Nothing, Operation, Somewhere};
    use Privilege::{Audit, Backup, Configure, Create, Delete, Exec, Power, See, Settings, Snapshot, Users};
    &[
        verb("run", &["run", "--plan", "{name}", "--backend", "{kind}", "{option}", "{source}"], New),
        verb("create", &["create", "--plan", "{name}", "--backend", "{kind}", "{option}", "{source}"], New),
        verb("start", &["start", "--plan", "{guest}"], Guest(Power)),
        verb("shutdown", &["shutdown", "--plan", "{guest}"], Guest(Power)),
        verb("stop", &["stop", "--plan", "{guest}"], Guest(Power)),
        verb("reboot", &["reboot", "--plan", "{guest}"], Guest(Power)),
        verb("reset", &["reset", "--plan", "{guest}"], Guest(Power)),
        verb("pause", &["pause", "--plan", "{guest}"], Guest(Power)),
        verb("resume", &["resume", "--plan", "{guest}"], Guest(Power)),
        verb("hibernate", &["hibernate", "--plan", "{guest}"], Guest(Power)),
        verb("delete", &["delete", "--plan", "{guest}"], Guest(Delete)),
        verb("exec", &["exec", "--plan", "{guest}", "--", "true"], Guest(Exec)),
        verb("inspect", &["inspect", "{guest}"], Guest(See)),
        verb("list", &["list"], Nothing),
        verb("snapshot list", &["snapshot", "list", "{guest}"], Guest(See)),
        verb("snapshot create", &["snapshot", "create", "--plan", "{guest}"], Guest(Snapshot)),
        verb("snapshot rollback", &["snapshot", "rollback", "--plan", "{guest}", "x"], Guest(Snapshot)),
        verb("snapshot delete", &["snapshot", "delete", "--plan", "{guest}", "x"], Guest(Snapshot)),
        verb("clone", &["clone", "--plan", "{guest}", "copy"], Guest(Create)),
        verb("make-template", &["make-template", "--plan", "{guest}"], Guest(Configure)),
        verb("configure", &["configure", "--plan", "{guest}", "--description", "x"], Guest(Configure)),
        verb("resize", &["resize", "--plan", "{guest}", "rootfs", "9G"], Guest(Configure)),
        verb("migrate", &["migrate", "--plan", "{guest}", "pve2"], Guest(Configure)),
        verb("backup", &["backup", "--plan", "{guest}"], Guest(Backup)),
        verb("unlock", &["unlock", "--plan", "{guest}"], Guest(Configure)),
        verb("templates", &["templates"], Somewhere(See)),
        verb("nodes", &["nodes"], Somewhere(See)),
        verb("user list", &["user", "list"], EitherOnEverything(Users, Audit)),
        verb("user add", &["user", "add", "a b"], Everything(Users)),
        verb("user reset-password", &["user", "reset-password", "no-such"], Everything(Users)),
        verb("user disable", &["user", "disable", "no-such"], Everything(Users)),
        verb("user enable", &["user", "enable", "no-such"], Everything(Users)),
        verb("user require-factor", &["user", "require-factor", "no-such"], Everything(Users)),
        verb("user remove-factor", &["user", "remove-factor", "no-such"], Everything(Users)),
        verb("user remove", &["user", "remove", "no-such"], Everything(Users)),
        verb("user rights", &["user", "rights", "newcomer"], EitherOnEverything(Users, Audit)),
        verb("user sessions", &["user", "sessions", "newcomer"], EitherOnEverything(Users, Audit)),
        verb("user end-sessions", &["user", "end-sessions", "no-such"], Everything(Users)),
        verb("user tokens", &["user", "tokens", "newcomer"], EitherOnEverything(Users, Audit)),
        verb("user remove-token", &["user", "remove-token", "newcomer", "987654"], Everything(Users)),
        verb("grant list", &["grant", "list"], EitherOnEverything(Users, Audit)),
        verb("grant add", &["grant", "add", "no-such", "viewer", "everything"], Everything(Users)),
        verb("grant remove", &["grant", "remove", "987654"], Everything(Users)),
        verb("grant at", &["grant", "at", "0s"], EitherOnEverything(Users, Audit)),
        verb("grant changes", &["grant", "changes"], EitherOnEverything(Users, Audit)),
        verb("archive", &["archive", "--before", "1999-01-01"], Everything(Settings)),
        verb("verify", &["verify"], Everything(Audit)),
        verb("history", &["history"], Nothing),
        verb("history show", &["history", "show", "{operation}"], Operation),
        verb("ledger", &["ledger"], Everything(Audit)),
        verb("ledger export", &["ledger", "export"], Everything(Audit)),
        verb("serve", &["serve"], Never),
        verb("config show", &["config", "show"], Everything(Settings)),
        verb("config sample", &["config", "sample"], Nothing),
        verb("version", &["version"], Nothing),
        verb("help", &["help"], Nothing),
    ]
};

#[test]
fn every_verb_has_its_entry() {
    let known: BTreeSet<String> = VERBS.iter().map(|verb| verb.path.to_owned()).collect();
    let mut served = BTreeSet::new();
    collect(&server::cli::Cli::command(), "", &mut served);
    assert_eq!(known, served, "each verb needs its entry in contract/verbs.rs");
}

/// Every verb that can be called as it stands.
fn collect(command: &clap::Command, before: &str, into: &mut BTreeSet<String>) {
    for verb in command.get_subcommands() {
        let path = format!("{before}{}", verb.get_name());
        if !verb.is_subcommand_required_set() {
            into.insert(path.clone());
        }
        collect(verb, &format!("{path} "), into);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_answer_as_the_policy_says() {
    let world = World::new().await;
    let settings = world.settings();
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    let people: Vec<_> = PEOPLE.iter().filter(|person| person.owed.is_none()).collect();
    for verb in VERBS {
        let of_guest = matches!(verb.needs, Needs::Guest(_) | Needs::Operation | Needs::New);
        for known in if of_guest { &world.guests[..] } else { &world.guests[..1] } {
            let what =
                if of_guest { format!("{} ({})", verb.path, known.guest.id) } else { verb.path.to_owned() };
            let args: Vec<String> = verb.call.iter().map(|word| fill(word, known)).collect();
            let call = |person: &&Person| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
                command.arg("--config").arg(&settings).args(["--as", person.name]).args(&args);
                tokio::task::spawn_blocking(move || command.output().unwrap())
            };
            let mut verdicts = Vec::new();
            let outputs = join_all(people.iter().map(call)).await;
            for (person, output) in people.iter().zip(outputs) {
                let output = output.unwrap();
                let is = verdict(&output);
                let should = expected(verb.needs, known, &world.rights(person).await);
                verdicts.push(is);
                if is != should {
                    let answer = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                    let answer = format!("{} {answer}", output.status);
                    wrong.push(Difference { what: what.clone(), person: person.name, is, should, answer });
                }
            }
            rows.push((what, verdicts));
        }
    }
    let names: Vec<_> = people.iter().map(|person| person.name).collect();
    conclude("Who may do what by the command line", &names, &rows, &wrong);
}

fn fill(word: &str, known: &Known) -> String {
    let Guest { id, .. } = &known.guest;
    let (option, source) = match id.backend {
        BackendKind::Crun => ("--bundle", "/no/such/bundle"),
        _ => ("--template", "busybox"),
    };
    known
        .fill(word)
        .replace("{guest}", &id.to_string())
        .replace("{kind}", id.backend.as_str())
        .replace("{option}", option)
        .replace("{source}", source)
}

/// By the exit codes, see `paddock help`.
fn verdict(output: &Output) -> Verdict {
    match output.status.code() {
        Some(4) => Verdict::Denied,
        Some(3) => Verdict::Hidden,
        Some(2) if String::from_utf8_lossy(&output.stderr).contains("--as: ") => Verdict::Denied,
        _ => Verdict::Allowed,
    }
}

/// What the policy says, and nothing else.
fn expected(needs: Needs, known: &Known, rights: &Rights) -> Verdict {
    let allow = |privilege, on| rights.allow(privilege, on, NOW);
    let denied = |is_allowed| if is_allowed { Verdict::Allowed } else { Verdict::Denied };
    let on = On::Guest(known.place());
    match needs {
        Needs::Nothing => Verdict::Allowed,
        Needs::Never => Verdict::Denied,
        Needs::Somewhere(privilege) => denied(allow(privilege, On::Somewhere)),
        Needs::Everything(privilege) => denied(allow(privilege, On::Everything)),
        Needs::EitherOnEverything(one, other) => {
            denied(allow(one, On::Everything) || allow(other, On::Everything))
        }
        Needs::Guest(_) if !allow(Privilege::See, on) => Verdict::Hidden,
        Needs::Guest(privilege) => denied(allow(privilege, on)),
        Needs::Operation if !allow(Privilege::History, on) => Verdict::Hidden,
        Needs::Operation => Verdict::Allowed,
        Needs::New => denied(allow(Privilege::Create, On::Guest(Place::id(&known.guest.id)))),
    }
}
