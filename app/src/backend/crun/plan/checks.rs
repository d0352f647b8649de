//! What plans refuse, as it would not work or would cost somebody something that nobody asked for. Pure.

use crate::{
    backend::Error,
    domain::{guest::GuestStatus, name::GuestName, plan::Argv},
};

use super::{
    super::facts::{Member, Place, Registered},
    Tool,
};

pub fn check_place(tool: &Tool, name: &GuestName, place: &Place) -> Result<(), Error> {
    if place.is_unfinished {
        return Err(Error::NotReady {
            reason: format!("The directory {}/{name} is in the way: it holds no container.", tool.root),
            cure: format!(
                "Another tool may be making it right now. If it stays, remove it by `{}`.",
                tool.argv().args(["delete", name.as_str()])
            ),
        });
    }
    check_unshared(place)?;
    check_empty(place)
}

/// Whether what is registered of it can be removed and made once more.
pub fn check_renewable(guest: &Registered, place: &Place) -> Result<(), Error> {
    check_not_by_systemd(guest)?;
    check_unshared(place)?;
    // What is left in its own group goes with the old registration; a new group must be empty.
    if place.cgroup != guest.cgroup {
        check_empty(place)?;
    }
    Ok(())
}

pub fn check_not_by_systemd(guest: &Registered) -> Result<(), Error> {
    if !guest.systemd_cgroup {
        return Ok(());
    }
    Err(Error::NotReady {
        reason: "Another tool made this container with crun's systemd cgroup manager, and made anew it would lose \
                 that."
            .to_owned(),
        cure: "Do this by the tool that made it, such as podman.".to_owned(),
    })
}

pub fn check_status(guest: &Registered, wanted: GuestStatus) -> Result<(), Error> {
    if guest.status == wanted {
        return Ok(());
    }
    Err(Error::WrongState { words: format!("it is {}.", guest.status) })
}

/// A bundle that others were made from is not removed with one of them.
pub fn check_bundle_unshared(bundle: &str, users: &[GuestName]) -> Result<(), Error> {
    let Some(names) = joined(users) else { return Ok(()) };
    Err(Error::NotReady {
        reason: format!("Its bundle {bundle} is also that of {names}."),
        cure: "Delete it without its bundle, or delete those first.".to_owned(),
    })
}

pub fn joined(names: &[GuestName]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(GuestName::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// crun cannot signal a container whose state file it cannot read.
pub fn check_known(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<(), Error> {
    if guest.status != GuestStatus::Unknown {
        return Ok(());
    }
    let file = format!("{}/{name}/status", tool.root);
    let cure = if guest.members.is_empty() {
        format!("No process is left in its control group {}: delete it.", guest.cgroup)
    } else {
        let inits: Vec<&Member> = guest.members.iter().filter(|member| member.is_init).collect();
        let all: Vec<&Member> = guest.members.iter().collect();
        let kill = Argv::new("kill").arg("-KILL");
        let kill = kill.args(if inits.is_empty() { all } else { inits }.iter().map(|m| m.pid.to_string()));
        format!(
            "Its control group {} holds {}. If these are its own, end them on the host by `{kill}`, then delete it.",
            guest.cgroup,
            listed(&guest.members)
        )
    };
    Err(Error::NotReady { reason: format!("crun cannot understand its own state file {file}."), cure })
}

/// A delete kills everything in the control group. What the container itself can have left there is its own.
pub fn check_deletable(guest: &Registered) -> Result<(), Error> {
    // It was started or thawed since somebody looked; crun itself would refuse.
    if guest.status.is_active() {
        return Err(Error::WrongState { words: format!("it is {}.", guest.status) });
    }
    check_no_other(guest)
}

pub fn check_no_other(guest: &Registered) -> Result<(), Error> {
    let is_foreign = |member: &&Member| !member.is_own && (guest.has_own_pid_namespace || member.is_init);
    let foreign: Vec<Member> = guest.members.iter().filter(is_foreign).cloned().collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Error::NotReady {
        reason: format!(
            "Its control group {} also holds what is not its own: {}. crun would kill that, too.",
            guest.cgroup,
            listed(&foreign)
        ),
        cure: "Stop the container that these belong to first: it has the same id under another state directory, or \
               the same linux.cgroupsPath."
            .to_owned(),
    })
}

pub fn check_unshared(place: &Place) -> Result<(), Error> {
    match &place.shared_with {
        None => Ok(()),
        Some(other) => Err(Error::NotReady {
            reason: format!("Its control group {} would be shared with the container {other}.", place.cgroup),
            cure: "Give the two different values of linux.cgroupsPath in config.json, or leave it out."
                .to_owned(),
        }),
    }
}

pub fn check_empty(place: &Place) -> Result<(), Error> {
    if place.members.is_empty() {
        return Ok(());
    }
    Err(Error::NotReady {
        reason: format!(
            "Its control group would be {}, and that holds {} already: another container, perhaps of the same id \
             under another state directory.",
            place.cgroup,
            listed(&place.members)
        ),
        cure:
            "Choose another name, or set linux.cgroupsPath in the bundle's config.json to a group of its own."
                .to_owned(),
    })
}

/// A few processes by name.
pub fn listed(members: &[Member]) -> String {
    const SHOWN: usize = 5;
    let mut words: Vec<String> =
        members.iter().take(SHOWN).map(|m| format!("{} (process {})", m.command, m.pid)).collect();
    if members.len() > SHOWN {
        words.push(format!("{} more", members.len() - SHOWN));
    }
    words.join(", ")
}
