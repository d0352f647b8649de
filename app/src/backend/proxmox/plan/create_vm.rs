//! A new VM.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    backend::Error,
    domain::{
        action::{Field, PASSWORD},
        plan::{Param, Plan},
        spec::{Bios, CloudInit, CreateRequest, ProxmoxNetwork, VmSource, VmSpec},
    },
};

use super::{
    super::{
        check::{GIB, invalid, memory_mib},
        facts::VmFacts,
        props::Props,
    },
    Call, HOUR,
    config::size_text,
    create_container::{addressed, described, finished},
};

const CREATE_MS: u64 = 4 * HOUR;
const RESIZE_MS: u64 = HOUR;
/// The processor that Proxmox's own pages give a new VM: old enough for every host, new enough for every guest.
const CPU: &str = "x86-64-v2-AES";
/// What Proxmox decodes again before it hands keys to cloud-init: a blank as `%20`, never as `+`.
const KEYS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub fn create(request: &CreateRequest, spec: &VmSpec, facts: &VmFacts) -> Result<Plan, Error> {
    let place = &facts.place;
    let storage = facts.storage.as_str();
    let disk_size = u64::from(spec.disk_gib) * GIB;
    let mut call = Call::post(place.guests_path(), CREATE_MS).text("vmid", place.vmid.to_string());
    call = call.text("name", request.name.as_str()).text("ostype", "l26").text("cpu", CPU);
    call = call.maybe("cores", spec.cores).maybe("sockets", spec.sockets);
    call = call.maybe("memory", spec.memory.map(memory_mib).transpose()?);
    if spec.bios == Bios::Ovmf {
        let vars = new_disk(storage, 1)?.set("efitype", "4m")?;
        call = call.text("bios", "ovmf").text("machine", "q35").text("efidisk0", vars.text());
    }
    call = call.text("scsihw", "virtio-scsi-single").text("scsi0", first_disk(spec, facts)?);
    for (number, gib) in spec.more_disks_gib.iter().enumerate() {
        let disk = new_disk(storage, *gib)?.set("iothread", "1")?;
        call = call.text(format!("scsi{}", number + 1), disk.text());
    }
    let (boot, what) = match &spec.source {
        VmSource::CloudImage(image) => {
            // Many cloud images speak to a serial line alone.
            call = call.text("serial0", "socket");
            ("order=scsi0", format!("with a copy of {image}"))
        }
        VmSource::Iso(image) => {
            let drive = Props::new(Field::Image).value(image)?.set("media", "cdrom")?;
            call = call.text("ide2", drive.text());
            // The empty disk does not boot: so the installer is run once, and the system from then on.
            ("order=scsi0;ide2", format!("with {image} in its drive"))
        }
        VmSource::Empty => ("order=scsi0;net0", "with an empty disk".to_owned()),
    };
    if spec.networks.is_empty() && spec.source == VmSource::Empty {
        return Err(invalid(
            Field::Network,
            "A VM with an empty disk boots from the network: give it an interface.",
        ));
    }
    for (number, network) in spec.networks.iter().enumerate() {
        call = call.text(format!("net{number}"), interface(network)?);
    }
    if let Some(init) = &spec.cloud_init {
        let drive = if matches!(spec.source, VmSource::Iso(_)) { "ide0" } else { "ide2" };
        call = cloud_init(call, drive, storage, init, &spec.networks)?;
    }
    call = call.text("boot", boot).flag("agent", spec.agent);
    call = described(call, spec.description.as_deref(), &spec.tags, spec.start_at_boot);
    let mut steps = vec![call.step(format!("Make VM {} {what}, on {storage}", place.vmid))];
    if matches!(spec.source, VmSource::CloudImage(_)) && facts.image_size != Some(disk_size) {
        let call = Call::put(place.path("/resize"), RESIZE_MS)
            .text("disk", "scsi0")
            .text("size", size_text(disk_size));
        steps.push(call.step(format!("Grow its disk to {} GiB", spec.disk_gib)));
    }
    Ok(finished(place, steps, request.start))
}

/// `STORAGE:GIB`: a disk to be made.
fn new_disk(storage: &str, gib: u32) -> Result<Props, Error> {
    Props::new(Field::Storage).value(&format!("{storage}:{gib}"))
}

fn first_disk(spec: &VmSpec, facts: &VmFacts) -> Result<String, Error> {
    let VmSource::CloudImage(image) = &spec.source else {
        return Ok(new_disk(&facts.storage, spec.disk_gib)?.set("iothread", "1")?.text());
    };
    if let Some(size) = facts.image_size.filter(|size| *size > u64::from(spec.disk_gib) * GIB) {
        return Err(invalid(
            Field::Size,
            format!("The image has {} GiB; the disk must have at least as much.", size.div_ceil(GIB)),
        ));
    }
    // 0 is Proxmox's word for "as large as the image".
    Ok(new_disk(&facts.storage, 0)?.set("import-from", image)?.set("iothread", "1")?.text())
}

fn interface(network: &ProxmoxNetwork) -> Result<String, Error> {
    let mut props = Props::new(Field::Network).value("virtio")?.set("bridge", &network.bridge)?;
    if let Some(tag) = network.vlan {
        props = props.set("tag", &tag.to_string())?;
    }
    if network.firewall {
        props = props.set("firewall", "1")?;
    }
    Ok(props.text())
}

fn cloud_init(
    mut call: Call,
    drive: &str,
    storage: &str,
    init: &CloudInit,
    networks: &[ProxmoxNetwork],
) -> Result<Call, Error> {
    call = call.text(drive, Props::new(Field::Storage).value(&format!("{storage}:cloudinit"))?.text());
    call = call.maybe("ciuser", init.user.as_deref());
    if init.password.is_some() {
        call = call.param("cipassword", Param::Secret(PASSWORD.to_owned()));
    }
    if !init.ssh_keys.is_empty() {
        call = call.text("sshkeys", utf8_percent_encode(&init.ssh_keys.join("\n"), KEYS).to_string());
    }
    for (number, network) in networks.iter().enumerate() {
        let config = addressed(Props::new(Field::Network), network)?.text();
        call = call.maybe(&format!("ipconfig{number}"), Some(config).filter(|config| !config.is_empty()));
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{VM, lines, place, refused},
        *,
    };
    use crate::domain::{name::GuestName, secret::Secret, spec::CreateSpec};

    fn plan(spec: &VmSpec, image_size: Option<u64>, start: bool) -> Result<Plan, Error> {
        let facts = VmFacts { place: place(VM), storage: "local-lvm".into(), image_size };
        let made = CreateSpec::ProxmoxVm(spec.clone());
        let request = CreateRequest { start, ..CreateRequest::of(GuestName::new("web1").unwrap(), made) };
        create(&request, spec, &facts)
    }

    fn network() -> ProxmoxNetwork {
        ProxmoxNetwork { bridge: "vmbr0".into(), ..ProxmoxNetwork::default() }
    }

    const IMAGE: &str = "local:import/debian-12.qcow2";

    #[test]
    fn a_cloud_image_is_imported_grown_and_started() {
        let spec = VmSpec {
            cores: Some(2),
            sockets: Some(1),
            memory: Some(2 << 30),
            bios: Bios::Ovmf,
            networks: vec![
                ProxmoxNetwork {
                    address: Some("10.0.0.5/24".into()),
                    gateway: Some("10.0.0.1".into()),
                    vlan: Some(7),
                    firewall: true,
                    ..network()
                },
                network(),
            ],
            cloud_init: Some(CloudInit {
                user: Some("anna".into()),
                password: Some(Secret::new("hunter2")),
                ssh_keys: vec!["ssh-ed25519 AA+A= anna@x".into(), "ssh-ed25519 BBBB".into()],
            }),
            more_disks_gib: vec![20],
            description: Some("web".into()),
            tags: vec!["prod".into()],
            start_at_boot: true,
            ..VmSpec::of(VmSource::CloudImage(IMAGE.into()))
        };
        let plan = plan(&spec, Some(2 << 30), true).unwrap();
        assert_eq!(
            lines(&plan),
            [
                "POST /nodes/pve1/qemu vmid=200 name=web1 ostype=l26 cpu=x86-64-v2-AES cores=2 sockets=1 memory=2048 \
                 bios=ovmf machine=q35 efidisk0=local-lvm:1,efitype=4m scsihw=virtio-scsi-single \
                 scsi0=local-lvm:0,import-from=local:import/debian-12.qcow2,iothread=1 \
                 scsi1=local-lvm:20,iothread=1 serial0=socket net0=virtio,bridge=vmbr0,tag=7,firewall=1 \
                 net1=virtio,bridge=vmbr0 ide2=local-lvm:cloudinit ciuser=anna 'cipassword=********' \
                 sshkeys=ssh-ed25519%20AA%2BA%3D%20anna%40x%0Assh-ed25519%20BBBB \
                 ipconfig0=ip=10.0.0.5/24,gw=10.0.0.1 boot=order=scsi0 agent=1 description=web tags=prod onboot=1",
                "PUT /nodes/pve1/qemu/200/resize disk=scsi0 size=8G",
                "POST /nodes/pve1/qemu/200/status/start"
            ]
        );
        assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"), "a plan holds no secret");
    }

    #[test]
    fn an_image_as_large_as_the_disk_is_not_grown_and_a_larger_one_refused() {
        let spec = VmSpec::of(VmSource::CloudImage(IMAGE.into()));
        assert_eq!(plan(&spec, Some(8 << 30), false).unwrap().steps.len(), 1);
        assert_eq!(plan(&spec, None, false).unwrap().steps.len(), 2);
        assert!(refused(plan(&spec, Some((8 << 30) + 1), false)).contains("9 GiB"));
    }

    #[test]
    fn an_installer_lies_in_the_drive_and_the_empty_disk_boots_first() {
        let iso = VmSpec {
            cloud_init: Some(CloudInit::default()),
            agent: false,
            ..VmSpec::of(VmSource::Iso("local:iso/debian.iso".into()))
        };
        assert_eq!(
            lines(&plan(&iso, None, false).unwrap()),
            [
                "POST /nodes/pve1/qemu vmid=200 name=web1 ostype=l26 cpu=x86-64-v2-AES scsihw=virtio-scsi-single \
              scsi0=local-lvm:8,iothread=1 ide2=local:iso/debian.iso,media=cdrom ide0=local-lvm:cloudinit \
              'boot=order=scsi0;ide2'"
            ]
        );
    }

    #[test]
    fn an_empty_vm_boots_from_the_network_that_it_must_have() {
        let empty = VmSpec::of(VmSource::Empty);
        assert!(refused(plan(&empty, None, false)).contains("boots from the network"));
        let spec = VmSpec { networks: vec![network()], ..empty };
        let line = lines(&plan(&spec, None, false).unwrap()).join("\n");
        assert!(line.contains("net0=virtio,bridge=vmbr0 'boot=order=scsi0;net0' agent=1"), "{line}");
    }
}
