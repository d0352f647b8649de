//! The verbs on a fake Proxmox VE: containers and VMs.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    fakepve::{FakePve, TOKEN, TOKEN_SECRET},
    lab::Lab,
};

/// A cluster of two nodes with container 101 (`web1`) and VM 200 (`db1`), and the program set up for it.
pub struct Cluster {
    pub fake: FakePve,
    pub lab: Lab,
}

impl Cluster {
    pub fn new() -> Self {
        let fake = FakePve::start();
        fake.call("add_node", json!(["pve2"]));
        let disk = json!({"rootfs": "local-lvm:vm-101-disk-0,size=8G", "tags": "lab"});
        fake.call("add_ct", json!({"vmid": 101, "name": "web1", "status": "stopped", "config": disk}));
        let disk = json!({"scsi0": "local-lvm:vm-200-disk-0,size=8G"});
        fake.call("add_vm", json!({"vmid": 200, "name": "db1", "status": "stopped", "config": disk}));
        let lab = Lab::new();
        let secret = lab.path("token");
        std::fs::write(&secret, format!("{TOKEN_SECRET}\n")).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let fingerprint: Vec<String> = fake.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
        lab.set_up(&format!(
            "[proxmox]\nendpoints = [\"https://{}:{}\"]\nfingerprint = \"{}\"\ntoken_id = \"{TOKEN}\"\n\
             token_secret_file = \"{}\"\n",
            fake.host,
            fake.port,
            fingerprint.join(":"),
            secret.display()
        ));
        Self { fake, lab }
    }
}

#[test]
fn guests_of_all_four_backends_are_in_one_list() {
    let Cluster { fake: _fake, lab } = Cluster::new();
    lab.must(&["create", "plain", "--template", "busybox"]);
    let list = lab.json(&["list"]);
    let ids: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["proxmox-vm/200", "lxc/plain", "proxmox-lxc/101"], "by what people call them");
    assert_eq!(list[2]["title"], "web1");
    assert_eq!(lab.json(&["list", "tag:lab"]).as_array().unwrap().len(), 1);
    let nodes = lab.json(&["nodes"]);
    let names: Vec<&str> =
        nodes.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"pve1") && names.contains(&"pve2"), "{names:?}");
}

#[test]
fn a_vm_is_named_by_its_number_or_by_what_people_call_it() {
    let Cluster { fake, lab } = Cluster::new();
    lab.must(&["start", "db1"]);
    assert_eq!(fake.get_guest(200, "status"), "running");
    lab.refused(5, &["start", "db1"]);
    lab.must(&["pause", "200"]);
    assert_eq!(lab.status("proxmox-vm/200"), "paused");
    lab.must(&["resume", "db1", "--backend", "proxmox-vm"]);
    lab.must(&["reset", "db1"]);
    lab.must(&["snapshot", "create", "db1", "before", "--description", "as it was", "--memory"]);
    assert_eq!(lab.json(&["snapshot", "list", "db1"])[0]["name"], "before");
    lab.must(&["snapshot", "rollback", "db1", "before"]);
    lab.must(&["snapshot", "delete", "db1", "before"]);
    lab.must(&["configure", "db1", "--cpu", "2", "--memory", "1G", "--tags", "lab,db"]);
    // Its memory is back, too, or it is not: either way it ends stopped.
    if lab.status("db1") == "running" {
        lab.must(&["shutdown", "db1", "--timeout", "10"]);
    }
    assert_eq!(fake.get_guest(200, "status"), "stopped");
    let made = lab.json(&["clone", "db1", "db2"]);
    assert_eq!((&made["guest"], &made["title"]), (&"proxmox-vm/200".into(), &"db1".into()));
    assert_eq!(lab.status("db2"), "stopped");
    lab.must(&["delete", "db2", "--yes", "--purge"]);
    lab.refused(3, &["inspect", "db2"]);
}

#[test]
fn a_container_is_made_with_a_password_that_is_told_to_nobody() {
    let Cluster { fake, lab } = Cluster::new();
    let volume = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst";
    let file = volume.rsplit('/').next().unwrap();
    fake.call("store_file", json!({"storage": "local", "name": file, "size": 1 << 20, "content": "vztmpl"}));
    std::fs::write(lab.path("password"), "hunter2hunter2\n").unwrap();
    let password = lab.path("password").display().to_string();
    let args =
        ["create", "shop", "--backend", "proxmox-lxc", "--template", volume, "--disk", "4G", "--start"];
    let args = [&args[..], &["--password-file", &password]].concat();
    let plan = lab.must(&[&args[..], &["--plan"]].concat());
    assert!(plan.contains("POST /nodes/pve1/lxc") && plan.contains("********"), "{plan}");
    let made = lab.json(&args);
    assert_eq!((&made["title"], &made["state"]), (&"shop".into(), &"succeeded".into()), "{made}");
    assert_eq!(lab.status("shop"), "running");
    for text in [plan, made.to_string(), String::from_utf8_lossy(&database(&lab)).into_owned()] {
        assert!(!text.contains("hunter2"), "the password is nowhere");
    }
    lab.refused(5, &["exec", "shop", "--", "true"]);
    lab.must(&["stop", "shop"]);
    lab.must(&["delete", "shop", "--yes"]);
}

#[test]
fn an_account_of_proxmox_is_added_before_its_first_log_in() {
    let Cluster { fake: _fake, lab } = Cluster::new();
    lab.must(&["user", "add", "root", "--role", "administrator"]);
    lab.refused(2, &["user", "add", "anna@pve"]);
    lab.refused(2, &["user", "add", "anna", "--realm"]);
    let told = lab.must(&["user", "add", "anna@pve", "--realm", "--role", "operator"]);
    assert!(told.is_empty(), "there is no password to tell: {told}");
    lab.refused(2, &["user", "reset-password", "anna@pve"]);
    let list = lab.json(&["user", "list"]);
    let anna = list.as_array().unwrap().iter().find(|row| row["name"] == "anna@pve").unwrap();
    assert_eq!((&anna["realm"], &anna["role"]), (&"pve".into(), &"operator".into()));
    // What she does there is done by her own log-in, which the command line has not.
    assert!(lab.refused(4, &["--as", "anna@pve", "start", "db1"]).contains("by its own log-in there"));
}

fn database(lab: &Lab) -> Vec<u8> {
    let files = std::fs::read_dir(lab.path("data")).unwrap();
    files.filter_map(|file| std::fs::read(file.unwrap().path()).ok()).flatten().collect()
}

#[test]
fn what_proxmox_refuses_is_told_with_the_code_for_it() {
    let Cluster { fake, lab } = Cluster::new();
    fake.set_guest(200, "lock", Value::from("backup"));
    assert!(lab.refused(9, &["start", "db1"]).contains("backup"));
    fake.set_guest(200, "lock", Value::Null);
    let error =
        lab.refused(2, &["create", "x", "--backend", "proxmox-lxc", "--template", "local:vztmpl/none"]);
    assert!(error.contains("template: "), "{error}");
    fake.shut(fake.port);
    let error = lab.refused(6, &["start", "proxmox-vm/200"]);
    assert!(error.contains("Check that the node is up"), "{error}");
    let error = lab.refused(6, &["start", "db1"]);
    assert!(error.contains("name the backend too"), "a guess could be the wrong guest: {error}");
    let partly = lab.call(&["list", "--format", "jsonl"]);
    assert_eq!(partly.code, 6, "{partly:?}");
    lab.must(&["list", "--backend", "lxc"]);
}

#[test]
fn creators_at_once_get_an_id_each() {
    let Cluster { fake, lab } = Cluster::new();
    // Long enough for all to have asked for the next free id before the first has taken it.
    fake.set("latency", json!(0.05));
    fake.set("time_scale", json!(1));
    let create = |name: &str| {
        let args =
            ["create", name, "--backend", "proxmox-vm", "--iso", "local:iso/debian.iso", "--format", "json"];
        lab.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    fake.call(
        "store_file",
        json!({"storage": "local", "name": "debian.iso", "size": 1 << 20, "content": "iso"}),
    );
    let made: Vec<Value> = ["a1", "a2", "a3", "a4"]
        .map(create)
        .into_iter()
        .map(|child| {
            let ended = child.wait_with_output().unwrap();
            serde_json::from_slice(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
        })
        .collect();
    let mut ids: Vec<&str> = made.iter().map(|sheet| sheet["guest"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "{made:?}");
    assert!(made.iter().all(|sheet| sheet["state"] == "succeeded"), "{made:?}");
    assert_eq!(lab.json(&["list", "name:a", "--backend", "proxmox-vm"]).as_array().unwrap().len(), 4);
}
