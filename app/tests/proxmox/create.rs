//! New guests.

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus,
        name::GuestName,
        plan::StepResult,
        secret::Secret,
        spec::{
            Bios, CloudInit, ContainerSpec, Cpus, CreateRequest, CreateSpec, ProxmoxNetwork, VmSource, VmSpec,
        },
    },
};
use serde_json::{Value, json};

use crate::lab::{CT, LXC, Lab, MACHINE, VM, name};

const TEMPLATE: &str = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+x= anna@host";

/// A lab with a template, an installer and a cloud image in its storage.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.fake.set("storages.local.content", json!("iso,vztmpl,backup,import"));
    let file = |content: &str, name: &str, size: u64| {
        lab.fake
            .call("store_file", json!({"storage": "local", "name": name, "size": size, "content": content}));
    };
    file("vztmpl", "debian-12-standard_12.7-1_amd64.tar.zst", 1 << 20);
    file("iso", "debian.iso", 1 << 20);
    file("import", "debian-12.qcow2", 2 << 30);
    lab
}

fn request(spec: CreateSpec, start: bool) -> CreateRequest {
    CreateRequest { start, ..CreateRequest::of(GuestName::new("new1").unwrap(), spec) }
}

fn container(change: impl FnOnce(&mut ContainerSpec)) -> CreateRequest {
    let mut spec = ContainerSpec::of(TEMPLATE);
    change(&mut spec);
    request(CreateSpec::ProxmoxLxc(spec), false)
}

fn vm(source: VmSource, change: impl FnOnce(&mut VmSpec)) -> CreateRequest {
    let mut spec = VmSpec::of(source);
    change(&mut spec);
    request(CreateSpec::ProxmoxVm(spec), false)
}

fn network() -> ProxmoxNetwork {
    ProxmoxNetwork { bridge: "vmbr0".into(), ..ProxmoxNetwork::default() }
}

fn text(config: &Value, key: &str) -> String {
    config[key].as_str().map_or_else(|| config[key].to_string(), str::to_owned)
}

#[tokio::test]
async fn a_container_is_made_as_it_was_asked_for_and_started() {
    let lab = lab();
    let asked = CreateRequest {
        start: true,
        ..container(|spec| {
            spec.vmid = Some(150);
            spec.disk_gib = 6;
            spec.cpu = Some(Cpus(1500));
            spec.memory = Some(768 << 20);
            spec.swap = Some(0);
            spec.networks = vec![
                ProxmoxNetwork {
                    address: Some("10.0.0.9/24".into()),
                    gateway: Some("10.0.0.1".into()),
                    vlan: Some(7),
                    firewall: true,
                    ..network()
                },
                ProxmoxNetwork { address: Some("dhcp".into()), ..network() },
            ];
            spec.password = Some(Secret::new("hunter2"));
            spec.ssh_keys = vec![KEY.into()];
            spec.nesting = true;
            spec.description = Some("one\ntwo".into());
            spec.tags = vec!["web".into(), "prod".into()];
            spec.start_at_boot = true;
        })
    };
    let (vmid, end) = lab.create(asked).await;
    assert_eq!((vmid, end), (150, ExecutionEnd::Done));
    let config = lab.config(150);
    for (key, value) in [
        ("hostname", "new1"),
        ("rootfs", "local-lvm:vm-150-disk-0,size=6G"),
        ("cores", "2"),
        ("cpulimit", "1.5"),
        ("memory", "768"),
        ("swap", "0"),
        ("unprivileged", "1"),
        ("features", "nesting=1"),
        ("description", "one\ntwo"),
        ("tags", "prod;web"),
        ("onboot", "1"),
    ] {
        assert_eq!(text(&config, key), value, "{key}");
    }
    for part in ["name=eth0", "bridge=vmbr0", "tag=7", "firewall=1", "ip=10.0.0.9/24", "gw=10.0.0.1"] {
        assert!(text(&config, "net0").contains(part), "{part}");
    }
    assert!(text(&config, "net1").contains("ip=dhcp"));
    assert_eq!(lab.status(LXC, 150).await, Some(GuestStatus::Running));
    let asked = lab.fake.call("bodies", json!(["POST", "/nodes/pve1/lxc"]));
    let body = asked[0].as_str().unwrap();
    assert!(body.contains("password=***"), "the password was sent, and the fake masks it: {body}");
    assert!(body.contains("ssh-public-keys=ssh-ed25519"), "{body}");
}

#[tokio::test]
async fn an_appliance_is_downloaded_once() {
    let lab = lab();
    let name = "alpine-3.20-default_20240908_amd64.tar.xz";
    lab.fake.set("appliances", json!([{"template": name, "type": "lxc", "headline": "Alpine"}]));
    for downloads in [1, 1] {
        let (_, end) = lab.create(container(|spec| spec.template = name.into())).await;
        assert_eq!(end, ExecutionEnd::Done);
        assert_eq!(lab.fake.count("POST", "/nodes/pve1/aplinfo"), downloads);
    }
    let refused =
        lab.refused(LXC, 300, ActionRequest::Create(container(|spec| spec.template = "none".into()))).await;
    assert!(matches!(&refused, Error::Invalid { field: Field::Template, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_vm_is_made_of_a_cloud_image_grown_and_started() {
    let lab = lab();
    let image = VmSource::CloudImage("local:import/debian-12.qcow2".into());
    let asked = CreateRequest {
        start: true,
        ..vm(image, |spec| {
            spec.vmid = Some(250);
            spec.disk_gib = 20;
            spec.more_disks_gib = vec![5];
            spec.cores = Some(2);
            spec.sockets = Some(1);
            spec.memory = Some(2 << 30);
            spec.bios = Bios::Ovmf;
            spec.networks = vec![ProxmoxNetwork { address: Some("dhcp".into()), ..network() }];
            spec.cloud_init = Some(CloudInit {
                user: Some("anna".into()),
                password: Some(Secret::new("hunter2")),
                ssh_keys: vec![KEY.into()],
            });
            spec.description = Some("db".into());
            spec.tags = vec!["db".into()];
            spec.start_at_boot = true;
        })
    };
    let (vmid, end) = lab.create(asked).await;
    assert_eq!((vmid, end), (250, ExecutionEnd::Done));
    let config = lab.config(250);
    for (key, value) in [
        ("name", "new1"),
        ("cores", "2"),
        ("memory", "2048"),
        ("bios", "ovmf"),
        ("machine", "q35"),
        ("scsihw", "virtio-scsi-single"),
        ("ciuser", "anna"),
        ("cipassword", "hunter2"),
        ("ipconfig0", "ip=dhcp"),
        ("boot", "order=scsi0"),
        ("agent", "1"),
        ("tags", "db"),
        ("onboot", "1"),
    ] {
        assert_eq!(text(&config, key), value, "{key}");
    }
    assert_eq!(text(&config, "sshkeys"), "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ%2Bx%3D%20anna%40host");
    assert!(text(&config, "scsi0").contains("size=20G"), "the image's 2 GiB, grown: {config}");
    assert!(text(&config, "scsi1").contains("size=5G"));
    assert!(text(&config, "efidisk0").contains("efitype=4m"));
    assert!(text(&config, "ide2").contains("media=cdrom"), "the cloud-init drive: {config}");
    assert_eq!(lab.status(VM, 250).await, Some(GuestStatus::Running));
}

#[tokio::test]
async fn a_vm_is_made_with_an_installer_or_empty() {
    let lab = lab();
    let (vmid, end) = lab.create(vm(VmSource::Iso("local:iso/debian.iso".into()), |_| ())).await;
    assert_eq!(end, ExecutionEnd::Done);
    let config = lab.config(vmid);
    assert!(text(&config, "ide2").starts_with("local:iso/debian.iso,media=cdrom"));
    assert_eq!(text(&config, "boot"), "order=scsi0;ide2");
    assert!(text(&config, "scsi0").contains("size=8G"));
    let (vmid, end) = lab.create(vm(VmSource::Empty, |spec| spec.networks = vec![network()])).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(text(&lab.config(vmid), "boot"), "order=scsi0;net0");
}

#[tokio::test]
async fn what_a_guest_is_to_be_made_from_must_be_there() {
    let lab = lab();
    for (asked, field) in [
        (container(|spec| spec.template = "local:vztmpl/nope.tar.gz".into()), Field::Template),
        (container(|spec| spec.storage = Some("nope".into())), Field::Storage),
        (container(|spec| spec.storage = Some("local".into())), Field::Storage),
        (container(|spec| spec.node = Some("nope".into())), Field::Node),
        (
            container(|spec| spec.networks = vec![ProxmoxNetwork { bridge: "vmbr9".into(), ..network() }]),
            Field::Network,
        ),
        (vm(VmSource::Iso("local:iso/nope.iso".into()), |_| ()), Field::Image),
        (vm(VmSource::CloudImage("local:import/nope.qcow2".into()), |_| ()), Field::Image),
        (
            vm(VmSource::CloudImage("local:import/debian-12.qcow2".into()), |spec| spec.disk_gib = 1),
            Field::Size,
        ),
    ] {
        let kind = asked.spec.backend();
        let refused = lab.refused(kind, 300, ActionRequest::Create(asked)).await;
        assert!(
            matches!(&refused, Error::Invalid { field: at, .. } if *at == field),
            "{field:?}: {refused:?}"
        );
    }
    assert_eq!(lab.fake.count("POST", "/lxc") + lab.fake.count("POST", "/qemu"), 0, "nothing was made");
}

#[tokio::test]
async fn a_new_guest_goes_to_the_node_asked_for_or_preferred() {
    let lab = Lab::with("stopped", |config| config.node = Some("pve2".into()));
    lab.fake.call(
        "store_file",
        json!({"storage": "local", "name": "debian-12-standard_12.7-1_amd64.tar.zst", "size": 1, "content": "vztmpl"}),
    );
    let (vmid, end) = lab.create(container(|_| ())).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(lab.guest(LXC, vmid).await.unwrap().node.as_deref(), Some("pve2"));
    let (vmid, end) = lab.create(container(|spec| spec.node = Some("pve1".into()))).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(lab.guest(LXC, vmid).await.unwrap().node.as_deref(), Some("pve1"));
    lab.fake.call("set_node_offline", json!(["pve2"]));
    let (vmid, end) = lab.create(container(|_| ())).await;
    assert_eq!(
        (lab.guest(LXC, vmid).await.unwrap().node.as_deref(), end),
        (Some("pve1"), ExecutionEnd::Done)
    );
}

#[tokio::test]
async fn an_id_is_the_next_free_one_or_the_one_asked_for() {
    let lab = lab();
    let driver = lab.driver(LXC);
    assert_eq!(driver.new_id(&container(|_| ())).await, Ok(name(100)));
    assert_eq!(driver.new_id(&container(|spec| spec.vmid = Some(555))).await, Ok(name(555)));
    for taken in [CT, MACHINE] {
        let refused = driver.new_id(&container(|spec| spec.vmid = Some(taken))).await;
        assert!(matches!(&refused, Err(Error::AlreadyExists(id)) if id.name == name(taken)), "{refused:?}");
    }
    let refused = driver.new_id(&container(|spec| spec.vmid = Some(99))).await;
    assert!(matches!(refused, Err(Error::Invalid { field: Field::Vmid, .. })));
}

#[tokio::test]
async fn of_two_creators_of_one_id_the_second_is_told_and_tries_the_next() {
    let lab = lab();
    for (kind, asked) in
        [(LXC, container(|_| ())), (VM, vm(VmSource::Empty, |spec| spec.networks = vec![network()]))]
    {
        let driver = lab.driver(kind);
        let id = driver.new_id(&asked).await.unwrap();
        let vmid: u32 = id.as_str().parse().unwrap();
        let first = driver.plan(&id, &ActionRequest::Create(asked.clone())).await.unwrap();
        let second = first.clone();
        assert_eq!(lab.run(kind, vmid, &first, &Default::default()).await.end, ExecutionEnd::Done);
        let ran = lab.run(kind, vmid, &second, &Default::default()).await;
        assert!(matches!(&ran.end, ExecutionEnd::Failed(Error::AlreadyExists(_))), "{:?}", ran.end);
        assert!(matches!(ran.outcomes[0].result, StepResult::Answered { status: 500, .. }));
        let (next, end) = lab.create(asked).await;
        assert_eq!((next > vmid, end), (true, ExecutionEnd::Done));
    }
}
