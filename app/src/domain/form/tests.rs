use super::*;
use crate::domain::{
    action::{ActionRequest, Field, GuestAction, Refusal},
    guest::BackendKind,
    secret::Secret,
    spec::{Changes, Cpus, CreateRequest, CreateSpec, LxcNetwork, OciImage, VmSource},
};

fn typed(pairs: &[(&str, &str)]) -> Typed {
    Typed::from_pairs(pairs.iter().copied())
}

fn asked(action: GuestAction, pairs: &[(&str, &str)]) -> Result<ActionRequest, Option<Field>> {
    request(action, &typed(pairs), &Changes::default()).map_err(|refusal| refusal.field())
}

fn present() -> Changes {
    Changes {
        memory: Some(512 << 20),
        cpu: Some(Cpus(1500)),
        description: Some("db\nof the shop".to_owned()),
        tags: Some(vec!["a".to_owned(), "b".to_owned()]),
        start_at_boot: Some(false),
        ..Changes::default()
    }
}

fn changed(pairs: &[(&str, &str)]) -> Result<Changes, Vec<Field>> {
    match read(GuestAction::Configure, &typed(pairs), &present()) {
        Ok(ActionRequest::Configure(changes)) => Ok(changes),
        Ok(other) => panic!("{other:?}"),
        Err(wrong) => Err(wrong.into_iter().map(|wrong| wrong.field).collect()),
    }
}

#[test]
fn a_command_is_split_as_a_shell_would_and_nothing_is_expanded() {
    let asked = |text| match asked(GuestAction::Exec, &[("command", text)]) {
        Ok(ActionRequest::Exec { command, timeout_seconds: 3600 }) => Ok(command),
        Ok(other) => panic!("{other:?}"),
        Err(field) => Err(field),
    };
    assert_eq!(asked("ls -l /"), Ok(vec!["ls".into(), "-l".into(), "/".into()]));
    assert_eq!(
        asked(r#"sh -c "echo 'a  b' $HOME""#),
        Ok(vec!["sh".into(), "-c".into(), "echo 'a  b' $HOME".into()])
    );
    assert_eq!(
        asked("echo a\\ b *.txt | cat"),
        Ok(["echo", "a b", "*.txt", "|", "cat"].map(String::from).to_vec())
    );
    for wrong in ["", "  ", "echo 'a", "a \\"] {
        assert_eq!(asked(wrong), Err(Some(Field::Command)), "{wrong:?}");
    }
}

#[test]
fn what_stands_in_the_form_changes_nothing() {
    for kind in BackendKind::ALL {
        let shown = shown(kind, &present());
        let wrong = read(GuestAction::Configure, &shown, &present()).unwrap_err();
        assert_eq!(wrong.len(), 1, "{kind}: {wrong:?}");
        assert!(wrong[0].message.starts_with("Nothing is to be changed"));
        let names: Vec<_> = shown.pairs().map(|(name, _)| name.to_owned()).collect();
        assert!(changeable(kind).iter().all(|field| names.iter().any(|name| name == field.as_str())));
    }
}

#[test]
fn only_what_differs_is_changed_and_what_is_absent_stays() {
    let changes = changed(&[("memory", "1G"), ("cpu", "1.5"), ("tags", "b, a")]).unwrap();
    assert_eq!(changes, Changes { memory: Some(1 << 30), ..Changes::default() });
    let changes = changed(&[("description", ""), ("tags", ""), ("start-at-boot", "true")]).unwrap();
    let wanted = Changes {
        description: Some(String::new()),
        tags: Some(Vec::new()),
        start_at_boot: Some(true),
        ..Changes::default()
    };
    assert_eq!(changes, wanted);
    // As a browser sends what it was given.
    assert_eq!(changed(&[("description", "db\r\nof the shop\r\n")]), Err(vec![Field::Memory]));
}

#[test]
fn each_wrong_field_is_told_and_a_limit_is_not_removed() {
    assert_eq!(
        changed(&[("memory", "512 apples"), ("cpu", "-1"), ("start-at-boot", "perhaps")]),
        Err(vec![Field::Memory, Field::Cpu, Field::StartAtBoot])
    );
    assert_eq!(changed(&[("memory", ""), ("tags", "c")]), Err(vec![Field::Memory]));
}

#[test]
fn each_action_says_which_field_it_lacks() {
    for (action, field) in [
        (GuestAction::Clone, Field::Name),
        (GuestAction::Rollback, Field::Snapshot),
        (GuestAction::DeleteSnapshot, Field::Snapshot),
        (GuestAction::Resize, Field::Disk),
        (GuestAction::Migrate, Field::Node),
        (GuestAction::Exec, Field::Command),
        (GuestAction::Configure, Field::Memory),
        (GuestAction::Create, Field::Name),
    ] {
        assert_eq!(asked(action, &[]).map(|request| request.action()), Err(Some(field)), "{action}");
    }
    assert_eq!(asked(GuestAction::Resize, &[("disk", "rootfs"), ("size", "x")]), Err(Some(Field::Size)));
    assert_eq!(asked(GuestAction::Backup, &[("mode", "sideways")]), Err(Some(Field::Mode)));
    assert_eq!(asked(GuestAction::Shutdown, &[("timeout", "0")]), Err(Some(Field::Timeout)));
}

#[test]
fn what_needs_no_more_than_a_guest_asks_for_nothing() {
    for action in GuestAction::ALL {
        let is_plain = asked(action, &[]).is_ok();
        for kind in BackendKind::ALL {
            let needed =
                matches!(action, GuestAction::Rollback | GuestAction::DeleteSnapshot | GuestAction::Create);
            assert!(is_plain || needed || !parameters(kind, action).is_empty(), "{action} of {kind}");
        }
    }
}

#[test]
fn what_was_typed_comes_back_from_its_address() {
    let typed = typed(&[("command", "a b&c=d+ü%\n"), ("timeout", "")]);
    let address = typed.at("/x");
    assert_eq!(address, "/x?command=a%20b%26c%3Dd%2B%C3%BC%25%0A&timeout=");
    let query = address.strip_prefix("/x?").unwrap();
    assert_eq!(Typed::from_pairs(form_urlencoded::parse(query.as_bytes())), typed);
    assert_eq!(Typed::default().at("/x"), "/x");
}

#[test]
fn a_refusal_of_a_form_names_its_field() {
    let refusal = request(GuestAction::Migrate, &Typed::default(), &Changes::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::Field { field: Field::Node, .. }), "{refusal:?}");
    assert_eq!(
        serde_json::to_string(&Field::StartAtBoot).unwrap(),
        format!("{:?}", Field::StartAtBoot.as_str())
    );
}

fn new(pairs: &[(&str, &str)], password: Option<&str>) -> Result<CreateRequest, Vec<Field>> {
    match create(&typed(pairs), password.map(Secret::new)) {
        Ok((kind, request)) => {
            assert_eq!(request.spec.backend(), kind);
            Ok(request)
        }
        Err(wrong) => Err(wrong.into_iter().map(|wrong| wrong.field).collect()),
    }
}

#[test]
fn each_source_of_each_backend_becomes_its_spec() {
    let lxc =
        [("backend", "lxc"), ("name", "web1"), ("memory", "64M"), ("bridge", "none"), ("start", "true")];
    let request =
        new(&[&lxc[..], &[("template", "busybox"), ("arguments", "-r\n\n3.20 ")]].concat(), None).unwrap();
    let CreateSpec::LxcTemplate { template, arguments, limits, network } = request.spec else { panic!() };
    assert_eq!(
        (template.as_str(), arguments, request.start),
        ("busybox", vec!["-r".to_owned(), "3.20".to_owned()], true)
    );
    assert_eq!((limits.memory, network), (Some(64 << 20), Some(LxcNetwork::None)));

    let crun = [("backend", "crun"), ("name", "job1"), ("bundle", "/b")];
    assert!(matches!(new(&crun, None).unwrap().spec, CreateSpec::CrunBundle { bundle } if bundle == "/b"));
    // Leftovers of another source count for nothing.
    let image =
        [("source", "layout"), ("layout", "/i/alpine:3.20"), ("command", "sleep '1 0'"), ("env", "A=1\nB=2")];
    let CreateSpec::CrunImage(spec) = new(&[&crun[..], &image].concat(), None).unwrap().spec else {
        panic!()
    };
    assert_eq!(spec.image, OciImage::Layout { path: "/i/alpine".into(), tag: "3.20".into() });
    assert_eq!((spec.command, spec.env.len()), (vec!["sleep".to_owned(), "1 0".to_owned()], 2));

    let container = [
        ("backend", "proxmox-lxc"),
        ("name", "web1"),
        ("template", "local:vztmpl/debian-12.tar.zst"),
        ("disk", "8"),
        ("bridge", "vmbr0"),
        ("address", "dhcp"),
        ("vlan", "7"),
        ("tags", "a, b"),
    ];
    let CreateSpec::ProxmoxLxc(spec) = new(&container, None).unwrap().spec else { panic!() };
    assert_eq!(
        (spec.disk_gib, spec.unprivileged, spec.networks[0].vlan, spec.tags.len()),
        (8, true, Some(7), 2)
    );

    let vm = [("backend", "proxmox-vm"), ("name", "vm1"), ("iso", "local:iso/x.iso"), ("cpu", "2")];
    let CreateSpec::ProxmoxVm(spec) = new(&vm, None).unwrap().spec else { panic!() };
    assert_eq!(
        (spec.source, spec.cores, spec.cloud_init),
        (VmSource::Iso("local:iso/x.iso".into()), Some(2), None)
    );
}

#[test]
fn a_password_is_asked_for_where_one_is_wanted_and_counts_nowhere_else() {
    let vm = [("backend", "proxmox-vm"), ("name", "vm1"), ("source", "empty")];
    let wanted = [&vm[..], &[("with-password", "true")]].concat();
    assert_eq!(new(&wanted, None), Err(vec![Field::Password]));
    let CreateSpec::ProxmoxVm(spec) = new(&wanted, Some("secret")).unwrap().spec else { panic!() };
    assert_eq!(spec.cloud_init.unwrap().password, Some(Secret::new("secret")));
    let CreateSpec::ProxmoxVm(spec) = new(&vm, Some("secret")).unwrap().spec else { panic!() };
    assert_eq!(spec.cloud_init, None);
}

#[test]
fn every_field_of_a_new_guest_that_is_wrong_is_told() {
    let all = [
        ("backend", "crun"),
        ("name", "a b"),
        ("source", "image"),
        ("image", "alpine"),
        ("memory", "much"),
        ("cpu", "-"),
        ("env", "A"),
        ("mount", "a:b"),
        ("command", "'"),
    ];
    let told = new(&all, None).unwrap_err();
    for field in [Field::Name, Field::Memory, Field::Cpu, Field::Env, Field::Mount, Field::Command] {
        assert!(told.contains(&field), "{field:?}: {told:?}");
    }
    assert_eq!(new(&[("name", "a")], None), Err(vec![Field::Backend]));
    assert_eq!(
        new(&[("backend", "lxc"), ("name", "a"), ("source", "thin air")], None).unwrap_err()[0],
        Field::Source
    );
    assert_eq!(new(&[("backend", "lxc"), ("name", "a")], None).unwrap_err()[0], Field::Template);
}

#[test]
fn each_field_of_a_form_stands_in_it_once_and_belongs_to_a_source_that_there_is() {
    for kind in BackendKind::ALL {
        let fields = new_fields(kind);
        for (number, one) in fields.iter().enumerate() {
            let again = fields.iter().skip(number + 1).any(|it| it.parameter.field == one.parameter.field);
            assert!(!again, "{kind}: {:?}", one.parameter.field);
            let is_known = |source: &&str| sources(kind).iter().any(|(value, _)| value == source);
            assert!(one.sources.iter().all(|source| is_known(source)), "{kind}: {:?}", one.sources);
        }
    }
}
