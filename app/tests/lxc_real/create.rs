//! New containers, and what somebody could try to make of them.

use std::{fs, process::Command};

use app::{
    backend::{Backend, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus,
        host::CreateOptions,
        name::GuestName,
        spec::{CreateSpec, Limits},
    },
};

use super::{
    by_busybox, by_template, create, failed,
    lab::{Lab, busybox, must_run, unique},
};

#[tokio::test]
async fn a_container_is_creating_only_while_lxc_create_is_at_work() {
    let lab = Lab::new();
    let name = unique();
    let plan = lab.plan(&name, by_busybox()).await.unwrap();
    let seen = async {
        lab.until(&name, GuestStatus::Creating).await;
        let error = lab.plan(&name, ActionRequest::Delete { purge: false }).await.unwrap_err();
        assert!(error.to_string().contains("lxc-create"), "{error}");
        lab.until(&name, GuestStatus::Stopped).await;
    };
    let (ran, ()) = tokio::join!(lab.run(&name, &plan), seen);
    assert_eq!(ran.end, ExecutionEnd::Done);
}

/// A root file system with busybox and its metadata: `rootfs.tar.xz` and `meta.tar.xz` in the lab's directory.
pub fn archives(lab: &Lab) {
    let at = |file: &str| lab.dir.path().join(file).to_str().unwrap().to_owned();
    let rootfs = lab.dir.path().join("root");
    for directory in ["bin", "sbin", "dev", "proc", "sys", "etc"] {
        fs::create_dir_all(rootfs.join(directory)).unwrap();
    }
    fs::copy(busybox(), rootfs.join("bin/busybox")).unwrap();
    std::os::unix::fs::symlink("/bin/busybox", rootfs.join("sbin/init")).unwrap();
    fs::create_dir(lab.dir.path().join("meta")).unwrap();
    fs::write(lab.dir.path().join("meta/config"), "lxc.signal.halt = SIGUSR1\n").unwrap();
    for (archive, directory) in [("rootfs.tar.xz", &at("root")), ("meta.tar.xz", &at("meta"))] {
        must_run(
            Command::new("tar").args(["-C", directory, "-cJf", &at(archive), "."]),
            "tar and xz are needed",
        );
    }
}

#[tokio::test]
async fn a_container_is_made_from_two_archives() {
    let lab = Lab::new();
    let at = |file: &str| lab.dir.path().join(file).to_str().unwrap().to_owned();
    archives(&lab);
    let request = |metadata, rootfs| {
        create(CreateSpec::LxcLocal { metadata, rootfs, limits: Limits::default(), network: None })
    };

    let name = unique();
    let end = lab.act(&name, request(at("meta.tar.xz"), at("rootfs.tar.xz"))).await;
    assert_eq!(end, ExecutionEnd::Done);
    lab.start(&name).await;
    assert_eq!(lab.act(&name, ActionRequest::Stop).await, ExecutionEnd::Done);

    for (metadata, rootfs, wrong) in [
        (at("none"), at("rootfs.tar.xz"), Field::Metadata),
        (at("meta.tar.xz"), at("root"), Field::Rootfs),
        (at("net.conf"), at("rootfs.tar.xz"), Field::Metadata),
        (at("x/../meta.tar.xz"), at("rootfs.tar.xz"), Field::Metadata),
    ] {
        let error = lab.plan(&unique(), request(metadata, rootfs)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == wrong), "{error}");
    }

    // Archives of the right form with the wrong things in them: the tool's words come through, and nothing is left.
    let broken = unique();
    let error = failed(lab.act(&broken, request(at("rootfs.tar.xz"), at("rootfs.tar.xz"))).await).to_string();
    assert!(error.contains("meta tarball is missing the configuration file"), "{error}");
    assert_eq!(lab.guest(&broken).await, None);
}

#[tokio::test]
async fn hostile_names_and_arguments_never_reach_a_tool() {
    let lab = Lab::new();
    for name in ["../x", "a b", "-n", ".hidden", "a\nb", "ü", "", "a/b"] {
        assert!(GuestName::found(name).is_err(), "{name:?}");
    }
    let long = GuestName::found(&"x".repeat(64)).unwrap();
    assert!(matches!(lab.plan(&long, by_busybox()).await, Err(Error::Invalid { field: Field::Name, .. })));
    for template in ["../../bin/sh", "/bin/sh", "-h", "nosuch"] {
        let error = lab.plan(&unique(), by_template(template, vec![])).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Template, .. }), "{error}");
    }
    for argument in ["--rootfs=/", "--roo=/", "-p/", "a\nb"] {
        let error = lab.plan(&unique(), by_template("busybox", vec![argument.into()])).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Arguments, .. }), "{error}");
    }
    assert_eq!(fs::read_dir(&lab.lxcpath).unwrap().count(), 0, "no tool has run");
    // What another tool left there under such a name is not listed.
    for name in ["a b", ".hidden", "-n", "a\nb"] {
        fs::create_dir(lab.lxcpath.join(name)).unwrap();
        fs::write(lab.lxcpath.join(name).join("config"), "").unwrap();
    }
    fs::create_dir(lab.lxcpath.join("noconfig")).unwrap();
    assert_eq!(lab.driver.list().await.unwrap(), []);
    let taken = GuestName::new("noconfig").unwrap();
    assert!(matches!(lab.plan(&taken, by_busybox()).await, Err(Error::AlreadyExists(_))));
}

#[tokio::test]
async fn the_installed_tool_is_available_and_offers_its_templates() {
    let lab = Lab::new();
    assert!(lab.driver.probe().await.is_available());
    let mut options = CreateOptions::default();
    lab.driver.create_options(&mut options).await;
    assert!(options.lxc_templates.iter().any(|name| name == "busybox"), "{options:?}");
    assert!(options.lxc_templates.is_sorted());
}

#[tokio::test]
async fn a_creation_cut_off_in_the_middle_is_unknown_and_can_be_deleted() {
    let lab = Lab::new();
    let name = unique();
    let plan = lab.plan(&name, by_busybox()).await.unwrap();
    tokio::select! {
        ran = lab.run(&name, &plan) => panic!("it was not cut off: {:?}", ran.end),
        // The run is dropped then, and lxc-create with all it has started is killed.
        () = lab.until(&name, GuestStatus::Creating) => {}
    }
    lab.until(&name, GuestStatus::Unknown).await;
    let guest = lab.guest(&name).await.unwrap();
    assert!(guest.note.unwrap().contains("cut off"));
    assert!(lab.plan(&name, ActionRequest::Stop).await.is_err());
    assert!(matches!(failed(lab.act(&name, ActionRequest::Start).await), Error::WrongState { .. }));
    assert_eq!(lab.act(&name, ActionRequest::Delete { purge: false }).await, ExecutionEnd::Done);
    assert!(!lab.lxcpath.join(name.as_str()).exists());
}
