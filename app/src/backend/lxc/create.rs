//! The plan of a new container: the inputs of a form are judged here, before any tool sees them.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        plan::{Change, Expectation, FileEdit, Output, Plan, Step, When, Work},
        spec::{CreateSpec, Limits, LxcNetwork},
    },
};

use super::{
    facts::{
        Place,
        create::{Archive, Bridge, CreateFacts},
    },
    limits, network, oci,
    plan::{command, not_ready, plan, start_step, step, tool},
};

#[cfg(test)]
mod tests;

/// A template may download a whole distribution.
const CREATE_MS: u64 = 1_800_000;
const MOST_ARGUMENTS: usize = 64;
const LONGEST_ARGUMENT: usize = 4096;
const LONGEST_PATH: usize = 4096;

/// What lxc-create itself hands to a template. Given a second time, the later one wins, and the template would write
/// to any directory of the host.
const RESERVED: [&str; 5] = ["name", "path", "rootfs", "mapped-uid", "mapped-gid"];

/// Judges the request by itself, before a fact is read with any of its words.
pub fn check(name: &GuestName, foreign: bool, spec: &CreateSpec) -> Result<(), Error> {
    let name_error = |message: String| Error::Invalid { field: Field::Name, message };
    // A name that was merely found may be longer than one that Paddock gives.
    GuestName::new(name.as_str()).map_err(|e| name_error(e.to_string()))?;
    if foreign {
        return Err(name_error("Names of digits only belong to Proxmox on this host.".to_owned()));
    }
    let (limits, network) = limits_and_network(spec)?;
    match spec {
        CreateSpec::LxcTemplate { template, arguments, .. } => {
            let busybox = template == "busybox";
            check_arguments(arguments, busybox)?;
        }
        CreateSpec::LxcLocal { metadata, rootfs, .. } => {
            check_path(Field::Metadata, metadata)?;
            check_path(Field::Rootfs, rootfs)?;
        }
        CreateSpec::LxcOci { image, .. } => oci::check(image)?,
        _ => return Err(not_of_lxc()),
    }
    limits::check(limits)?;
    network.map_or(Ok(()), network::check)
}

/// What every container of LXC can be given; an error for what is none.
fn limits_and_network(spec: &CreateSpec) -> Result<(&Limits, Option<&LxcNetwork>), Error> {
    match spec {
        CreateSpec::LxcTemplate { limits, network, .. }
        | CreateSpec::LxcLocal { limits, network, .. }
        | CreateSpec::LxcOci { limits, network, .. } => Ok((limits, network.as_ref())),
        _ => Err(not_of_lxc()),
    }
}

fn not_of_lxc() -> Error {
    Error::Invalid {
        field: Field::Backend,
        message:
            "LXC makes containers from templates, archives and OCI images; choose the other backend for this."
                .to_owned(),
    }
}

/// The plan, for a request that has passed [`check`].
pub fn create(
    place: &Place,
    name: &GuestName,
    spec: &CreateSpec,
    start: bool,
    facts: &CreateFacts,
) -> Result<Plan, Error> {
    if facts.taken {
        return Err(Error::AlreadyExists(GuestId::new(BackendKind::Lxc, name.clone())));
    }
    if let (Some(config), false) = (&place.create_config, facts.create_config_exists) {
        return Err(not_ready(
            format!("the configuration for new containers, {config}, does not exist."),
            "Restore it, or set another one in Paddock's settings.",
        ));
    }
    let (limits, network) = limits_and_network(spec)?;
    check_bridge(network, facts)?;
    let (template, arguments) = match spec {
        CreateSpec::LxcTemplate { template, arguments, .. } => {
            check_template(template, arguments, facts)?;
            (template.as_str(), arguments.clone())
        }
        CreateSpec::LxcLocal { metadata, rootfs, .. } => {
            needs_template("local", facts)?;
            check_archives(metadata, rootfs, facts)?;
            ("local", ["--metadata", metadata, "--fstree", rootfs].map(str::to_owned).to_vec())
        }
        CreateSpec::LxcOci { image, .. } => {
            needs_template("oci", facts)?;
            if let Some(missing) = facts.missing_programs.first() {
                return Err(not_ready(
                    format!("making a container from an OCI image needs the program “{missing}”."),
                    "Install it with `apt-get install skopeo umoci jq`.",
                ));
            }
            facts.images.as_ref().map_or(Ok(()), |found| oci::check_layout(image, found))?;
            ("oci", ["--url", image].map(str::to_owned).to_vec())
        }
        _ => return Err(not_of_lxc()),
    };
    let mut argv = tool(place, "lxc-create", name).args(["-t", template]);
    if let Some(config) = &place.create_config {
        argv = argv.args(["-f", config]);
    }
    if !arguments.is_empty() {
        argv = argv.arg("--").args(arguments);
    }
    let title = format!("Create the container by the template “{template}”");
    let mut steps = vec![step(title, command(argv, CREATE_MS, Output::Piped))];
    steps.extend(configure(place, name, limits, network, facts));
    let mut status = GuestStatus::Stopped;
    if start {
        // That template writes the image's program, and no init, into the configuration.
        steps.push(start_step(place, name, template == "oci"));
        status = GuestStatus::Running;
    }
    Ok(plan(steps, Expectation::Status(status)))
}

/// The template has written the configuration; what was asked for comes behind it.
fn configure(
    place: &Place,
    name: &GuestName,
    limits: &Limits,
    network: Option<&LxcNetwork>,
    facts: &CreateFacts,
) -> Option<Step> {
    let mut changes: Vec<Change> = network.map(network::changes).unwrap_or_default();
    changes.extend(limits::settings(limits, facts.layout).iter().map(limits::Setting::change));
    let path = format!("{}/{name}/config", place.lxcpath);
    let title = match (network, limits == &Limits::default()) {
        (Some(_), true) => "Write its network into the configuration",
        (Some(_), false) => "Write its network and limits into the configuration",
        (None, _) => "Write its limits into the configuration",
    };
    (!changes.is_empty()).then(|| Step {
        title: title.to_owned(),
        when: When::Always,
        work: Work::Edit(FileEdit { path, changes, digest: None }),
    })
}

fn check_bridge(network: Option<&LxcNetwork>, facts: &CreateFacts) -> Result<(), Error> {
    let (Some(LxcNetwork::Bridge { bridge, .. }), Some(found)) = (network, facts.bridge) else {
        return Ok(());
    };
    let message = match found {
        Bridge::Found => return Ok(()),
        Bridge::Missing => format!("The host has no bridge “{bridge}”."),
        Bridge::OtherInterface => format!("“{bridge}” is a network interface of the host, but no bridge."),
    };
    Err(Error::Invalid { field: Field::Network, message })
}

fn needs_template(template: &str, facts: &CreateFacts) -> Result<(), Error> {
    if facts.templates.iter().any(|installed| installed == template) {
        return Ok(());
    }
    Err(not_ready(
        format!("LXC's template “{template}” is not installed."),
        "Install it with `apt-get install lxc-templates`, or by reinstalling lxc.",
    ))
}

fn check_arguments(arguments: &[String], busybox: bool) -> Result<(), Error> {
    let error = |message: String| Err(Error::Invalid { field: Field::Arguments, message });
    if arguments.len() > MOST_ARGUMENTS {
        return error(format!("There are {} arguments; {MOST_ARGUMENTS} is the most.", arguments.len()));
    }
    for argument in arguments {
        if argument.len() > LONGEST_ARGUMENT {
            return error(format!("An argument has more than {LONGEST_ARGUMENT} bytes."));
        }
        if argument.chars().any(char::is_control) {
            return error("An argument cannot contain a line break or another control character.".to_owned());
        }
        if sets_reserved(argument, busybox) {
            return error(format!("“{argument}” would override what lxc-create itself tells the template."));
        }
    }
    Ok(())
}

/// getopt takes any beginning of a long option for the whole, and short ones in a cluster.
fn sets_reserved(argument: &str, busybox: bool) -> bool {
    if let Some(option) = argument.strip_prefix("--") {
        let option = option.split('=').next().unwrap_or_default();
        return !option.is_empty() && RESERVED.iter().any(|reserved| reserved.starts_with(option));
    }
    // Of the templates that come with LXC only busybox has short forms of them: -p and -n.
    busybox && argument.starts_with('-') && argument.contains(['p', 'n'])
}

fn check_template(template: &str, arguments: &[String], facts: &CreateFacts) -> Result<(), Error> {
    // Being one of the names in the directory, it holds no slash and is no option.
    if !facts.templates.iter().any(|installed| installed == template) {
        let message = match &facts.templates[..] {
            [] => "No LXC template is installed on this host.".to_owned(),
            installed => format!("There is no such template; there are {}.", installed.join(", ")),
        };
        return Err(Error::Invalid { field: Field::Template, message });
    }
    let own_busybox = arguments.iter().any(|argument| argument.starts_with("--busybox-path"));
    if template == "busybox" && !own_busybox && !facts.has_busybox {
        return Err(not_ready(
            "the template needs the program “busybox”.".to_owned(),
            "Install it with `apt-get install busybox-static`.",
        ));
    }
    Ok(())
}

fn check_path(field: Field, path: &str) -> Result<(), Error> {
    let wrong = if path.is_empty() {
        "Enter the path of a file on the host."
    } else if !path.starts_with('/') {
        "Enter an absolute path: one that begins with a slash."
    } else if path.len() > LONGEST_PATH {
        "The path is too long."
    } else if path.chars().any(char::is_control) {
        "A path cannot contain a line break or another control character."
    } else if path.split('/').any(|part| part == "..") {
        "Enter the path without “..”."
    } else {
        return Ok(());
    };
    Err(Error::Invalid { field, message: wrong.to_owned() })
}

fn check_archives(metadata: &str, rootfs: &str, facts: &CreateFacts) -> Result<(), Error> {
    for (field, path, found) in
        [(Field::Metadata, metadata, facts.metadata), (Field::Rootfs, rootfs, facts.rootfs)]
    {
        let wrong = match found {
            Archive::Xz => continue,
            Archive::Missing => format!("There is no file {path} on the host."),
            Archive::NotAFile => format!("{path} is not a regular file."),
            Archive::OtherFormat => {
                format!("{path} is not compressed with xz, which is all that LXC takes here.")
            }
        };
        return Err(Error::Invalid { field, message: wrong });
    }
    if let Some(missing) = facts.missing_programs.first() {
        return Err(not_ready(
            format!("unpacking the archives needs the program “{missing}”."),
            "Install it with `apt-get install tar xz-utils`.",
        ));
    }
    Ok(())
}
