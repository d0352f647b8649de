//! The plan of a new container: the inputs of a form are judged here, before any tool sees them.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        plan::{Expectation, Output, Plan},
        spec::CreateSpec,
    },
};

use super::{
    facts::{Archive, CreateFacts, Place},
    plan::{command, not_ready, plan, step, tool},
};

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
    match spec {
        CreateSpec::LxcTemplate { template, arguments, .. } => {
            let busybox = template == "busybox";
            check_arguments(arguments, busybox)
        }
        CreateSpec::LxcLocal { metadata, rootfs, .. } => {
            check_path(Field::Metadata, metadata)?;
            check_path(Field::Rootfs, rootfs)
        }
        CreateSpec::LxcOci { .. } => Err(Error::Invalid {
            field: Field::Image,
            message: "Creating from an OCI image is not built yet.".to_owned(),
        }),
        _ => Err(Error::Invalid {
            field: Field::Backend,
            message: "LXC cannot make a container from an OCI bundle; crun can.".to_owned(),
        }),
    }
}

/// The plan, for a request that has passed [`check`].
pub fn create(
    place: &Place,
    name: &GuestName,
    spec: &CreateSpec,
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
    let (template, arguments) = match spec {
        CreateSpec::LxcTemplate { template, arguments, .. } => {
            check_template(template, arguments, facts)?;
            (template.as_str(), arguments.clone())
        }
        CreateSpec::LxcLocal { metadata, rootfs, .. } => {
            check_archives(metadata, rootfs, facts)?;
            let arguments = ["--metadata", metadata, "--fstree", rootfs].map(str::to_owned);
            ("local", arguments.to_vec())
        }
        _ => {
            return check(name, false, spec).map(|()| plan(vec![], Expectation::Exists));
        }
    };
    let mut argv = tool(place, "lxc-create", name).args(["-t", template]);
    if let Some(config) = &place.create_config {
        argv = argv.args(["-f", config]);
    }
    if !arguments.is_empty() {
        argv = argv.arg("--").args(arguments);
    }
    let title = format!("Create the container by the template “{template}”");
    let step = step(title, command(argv, CREATE_MS, Output::Piped));
    Ok(plan(vec![step], Expectation::Status(GuestStatus::Stopped)))
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
    if !facts.templates.iter().any(|installed| installed == "local") {
        return Err(not_ready(
            "LXC's template “local” is not installed.".to_owned(),
            "Install it with `apt-get install lxc-templates`, or by reinstalling lxc.",
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{plan::Work, spec::Limits};

    fn place() -> Place {
        Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() }
    }

    fn facts() -> CreateFacts {
        CreateFacts {
            taken: false,
            create_config_exists: true,
            templates: vec!["busybox".into(), "local".into()],
            has_busybox: true,
            missing_programs: vec![],
            metadata: Archive::Xz,
            rootfs: Archive::Xz,
        }
    }

    fn by_template(template: &str, arguments: &[&str]) -> CreateSpec {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        CreateSpec::LxcTemplate {
            template: template.into(),
            arguments,
            limits: Limits::default(),
            network: None,
        }
    }

    fn by_archives(metadata: &str, rootfs: &str) -> CreateSpec {
        CreateSpec::LxcLocal {
            metadata: metadata.into(),
            rootfs: rootfs.into(),
            limits: Limits::default(),
            network: None,
        }
    }

    /// As the driver does it: judged first, then planned.
    fn planned(name: &str, spec: &CreateSpec, facts: &CreateFacts, place: &Place) -> Result<String, Error> {
        let name = GuestName::found(name).unwrap();
        check(&name, false, spec)?;
        let plan = create(place, &name, spec, facts)?;
        assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Stopped)));
        let Work::Command(command) = &plan.steps[0].work else { panic!("no command") };
        Ok(command.argv.to_string())
    }

    fn field(result: Result<String, Error>) -> Field {
        match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("expected a refused field, got {other:?}"),
        }
    }

    #[test]
    fn a_template_gets_its_arguments_behind_two_dashes() {
        let spec = by_template("busybox", &[]);
        assert_eq!(
            planned("web1", &spec, &facts(), &place()).unwrap(),
            "lxc-create -P /var/lib/lxc -n web1 -t busybox"
        );
        let place = Place { create_config: Some("/etc/net.conf".into()), ..place() };
        let spec = by_template("local", &["--release", "a b"]);
        assert_eq!(
            planned("web1", &spec, &facts(), &place).unwrap(),
            "lxc-create -P /var/lib/lxc -n web1 -t local -f /etc/net.conf -- --release 'a b'"
        );
    }

    #[test]
    fn archives_are_given_to_the_local_template() {
        let spec = by_archives("/srv/meta.tar.xz", "/srv/rootfs.tar.xz");
        assert_eq!(
            planned("web1", &spec, &facts(), &place()).unwrap(),
            "lxc-create -P /var/lib/lxc -n web1 -t local -- --metadata /srv/meta.tar.xz --fstree /srv/rootfs.tar.xz"
        );
    }

    #[test]
    fn a_taken_name_and_a_long_one_are_refused() {
        let spec = by_template("busybox", &[]);
        let taken = CreateFacts { taken: true, ..facts() };
        assert!(matches!(planned("web1", &spec, &taken, &place()), Err(Error::AlreadyExists(_))));
        assert_eq!(field(planned(&"x".repeat(64), &spec, &facts(), &place())), Field::Name);
        let number = GuestName::new("101").unwrap();
        assert!(check(&number, true, &spec).is_err(), "Proxmox's own");
        assert!(check(&number, false, &spec).is_ok());
    }

    #[test]
    fn only_an_installed_template_is_ever_named() {
        for template in ["nosuch", "", "../busybox", "/bin/sh", "-f", "busybox\n"] {
            let spec = by_template(template, &[]);
            assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Template, "{template:?}");
        }
    }

    #[test]
    fn arguments_cannot_redirect_the_template_to_another_directory() {
        for argument in [
            "--rootfs",
            "--rootfs=/etc",
            "--roo=/etc",
            "--path",
            "--p",
            "--name=x",
            "--mapped-uid=0",
            "-p/etc",
            "-hn",
            "-n",
        ] {
            let spec = by_template("busybox", &[argument]);
            assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Arguments, "{argument}");
        }
        for argument in ["--release", "--arch=amd64", "-r", "--", "path", "--busybox-path=/bin/busybox"] {
            assert!(
                planned("web1", &by_template("busybox", &[argument]), &facts(), &place()).is_ok(),
                "{argument}"
            );
        }
    }

    #[test]
    fn hostile_arguments_are_refused() {
        let (long, many) = ("x".repeat(5000), vec!["x"; 65]);
        for arguments in [&["a\nb"][..], &["a\0"], &["\u{1b}[2J"], &[&long], &many] {
            let spec = by_template("busybox", arguments);
            assert_eq!(field(planned("web1", &spec, &facts(), &place())), Field::Arguments);
        }
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let spec = by_template("busybox", &[]);
        let without = CreateFacts { has_busybox: false, missing_programs: vec!["xz"], ..facts() };
        let text = planned("web1", &spec, &without, &place()).unwrap_err().to_string();
        assert!(text.contains("busybox-static"), "{text}");
        let text = planned("web1", &by_archives("/m", "/r"), &without, &place()).unwrap_err().to_string();
        assert!(text.contains("“xz”") && text.contains("xz-utils"), "{text}");
    }

    #[test]
    fn a_bad_path_is_refused_at_its_own_field() {
        for path in ["", "meta.tar.xz", "/a/../b", "/a\nb", "/a\0", "-x", &format!("/{}", "x".repeat(5000))] {
            assert_eq!(field(planned("w", &by_archives(path, "/r"), &facts(), &place())), Field::Metadata);
            assert_eq!(field(planned("w", &by_archives("/m", path), &facts(), &place())), Field::Rootfs);
        }
        for found in [Archive::Missing, Archive::NotAFile, Archive::OtherFormat] {
            let facts = CreateFacts { rootfs: found, ..facts() };
            assert_eq!(field(planned("w", &by_archives("/m", "/r"), &facts, &place())), Field::Rootfs);
        }
    }

    #[test]
    fn a_missing_default_configuration_and_a_bundle_are_refused() {
        let place = Place { create_config: Some("/none".into()), ..place() };
        let facts = CreateFacts { create_config_exists: false, ..facts() };
        let text = planned("w", &by_template("busybox", &[]), &facts, &place).unwrap_err().to_string();
        assert!(text.contains("/none"), "{text}");
        let bundle = CreateSpec::CrunBundle { bundle: "/b".into() };
        assert_eq!(field(planned("w", &bundle, &facts, &place)), Field::Backend);
        assert!(create(&super::tests::place(), &GuestName::new("w").unwrap(), &bundle, &facts).is_err());
    }
}
