//! A new container.

use crate::{
    backend::Error,
    domain::{
        action::{Field, PASSWORD},
        guest::GuestStatus,
        plan::{Expectation, Param, Plan, Step},
        spec::{ContainerSpec, CreateRequest, ProxmoxNetwork},
    },
};

use super::{
    super::{
        check::{addressing, gateway, memory_mib, swap_mib},
        facts::{ContainerFacts, GuestFacts, TemplateFact},
        place::Place,
        props::Props,
        wire::config::Config,
    },
    Call, HOUR, config, plan, power,
};

const DOWNLOAD_MS: u64 = 2 * HOUR;
const CREATE_MS: u64 = 2 * HOUR;

pub fn create(request: &CreateRequest, spec: &ContainerSpec, facts: &ContainerFacts) -> Result<Plan, Error> {
    let place = &facts.place;
    let mut steps = Vec::new();
    let volume = match &facts.template {
        TemplateFact::There(volume) => volume.clone(),
        TemplateFact::Download { storage, name } => {
            let call = Call::post(place.node_path("/aplinfo"), DOWNLOAD_MS);
            let call = call.text("storage", storage).text("template", name);
            steps.push(call.step(format!("Download the template {name} to {storage}")));
            format!("{storage}:vztmpl/{name}")
        }
    };
    let mut call = Call::post(place.guests_path(), CREATE_MS).text("vmid", place.vmid.to_string());
    call = call.text("hostname", request.name.as_str()).text("ostemplate", &volume);
    let disk = format!("{}:{}", facts.storage, spec.disk_gib);
    call = call.text("rootfs", Props::new(Field::Storage).value(&disk)?.text());
    if let Some(cpus) = spec.cpu {
        let amount = config::processors(false, &Config::default(), cpus)?;
        call = call.text("cores", amount.cores.to_string()).maybe("cpulimit", amount.limit);
    }
    call = call.maybe("memory", spec.memory.map(memory_mib).transpose()?);
    call = call.maybe("swap", spec.swap.map(swap_mib).transpose()?);
    for (number, network) in spec.networks.iter().enumerate() {
        call = call.text(format!("net{number}"), interface(number, network)?);
    }
    if spec.password.is_some() {
        call = call.param("password", Param::Secret(PASSWORD.to_owned()));
    }
    call = call.maybe("ssh-public-keys", Some(spec.ssh_keys.join("\n")).filter(|keys| !keys.is_empty()));
    call = call.text("unprivileged", if spec.unprivileged { "1" } else { "0" });
    if spec.nesting {
        call = call.text("features", Props::new(Field::Arguments).set("nesting", "1")?.text());
    }
    call = described(call, spec.description.as_deref(), &spec.tags, spec.start_at_boot);
    steps.push(call.step(format!(
        "Make container {} from {volume}, {} GiB on {}",
        place.vmid, spec.disk_gib, facts.storage
    )));
    Ok(finished(place, steps, request.start))
}

/// What both kinds of new guests may have.
pub fn described(call: Call, description: Option<&str>, tags: &[String], start_at_boot: bool) -> Call {
    let call = call.maybe("description", description.filter(|text| !text.is_empty()));
    let call = call.maybe("tags", Some(tags.join(";")).filter(|tags| !tags.is_empty()));
    call.flag("onboot", start_at_boot)
}

/// With the start as a step of its own, so that a guest that was made and does not start is told as such.
pub fn finished(place: &Place, mut steps: Vec<Step>, start: bool) -> Plan {
    if !start {
        return plan(steps, Expectation::Status(GuestStatus::Stopped));
    }
    let made = GuestFacts {
        place: place.clone(),
        status: GuestStatus::Stopped,
        is_template: false,
        lock: None,
        is_ha: false,
        config: Config::default(),
        is_local: false,
    };
    steps.push(power::start_step(&made));
    plan(steps, Expectation::Status(GuestStatus::Running))
}

fn interface(number: usize, network: &ProxmoxNetwork) -> Result<String, Error> {
    let mut props =
        Props::new(Field::Network).set("name", &format!("eth{number}"))?.set("bridge", &network.bridge)?;
    if let Some(tag) = network.vlan {
        props = props.set("tag", &tag.to_string())?;
    }
    if network.firewall {
        props = props.set("firewall", "1")?;
    }
    Ok(addressed(props, network)?.text())
}

/// With its address and gateway, if it has some.
pub fn addressed(mut props: Props, network: &ProxmoxNetwork) -> Result<Props, Error> {
    let Some(text) = network.address.as_deref() else { return Ok(props) };
    let found = addressing(text)?;
    let (ip, gw) = if found.is_v6() { ("ip6", "gw6") } else { ("ip", "gw") };
    props = props.set(ip, &found.text())?;
    match network.gateway.as_deref() {
        Some(text) => props.set(gw, &gateway(text, Some(found))?.to_string()),
        None => Ok(props),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{LXC, lines, place},
        *,
    };
    use crate::domain::{
        name::GuestName,
        plan::Work,
        secret::Secret,
        spec::{Cpus, CreateSpec},
    };

    fn planned(spec: &ContainerSpec, template: TemplateFact, start: bool) -> Plan {
        let facts = ContainerFacts { place: place(LXC), storage: "local-lvm".into(), template };
        let made = CreateSpec::ProxmoxLxc(spec.clone());
        let request = CreateRequest { start, ..CreateRequest::of(GuestName::new("web1").unwrap(), made) };
        create(&request, spec, &facts).unwrap()
    }

    fn there() -> TemplateFact {
        TemplateFact::There("local:vztmpl/debian-12.tar.zst".into())
    }

    #[test]
    fn the_least_that_is_asked_for_leaves_the_rest_to_proxmox() {
        let plan = planned(&ContainerSpec::of("local:vztmpl/debian-12.tar.zst"), there(), false);
        assert_eq!(
            lines(&plan),
            ["POST /nodes/pve1/lxc vmid=101 hostname=web1 ostemplate=local:vztmpl/debian-12.tar.zst \
              rootfs=local-lvm:4 unprivileged=1"]
        );
        assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Stopped)));
    }

    #[test]
    fn everything_that_is_asked_for_is_in_the_call() {
        let network = |bridge: &str| ProxmoxNetwork { bridge: bridge.into(), ..ProxmoxNetwork::default() };
        let spec = ContainerSpec {
            cpu: Some(Cpus(1500)),
            memory: Some(512 << 20),
            swap: Some(0),
            networks: vec![
                ProxmoxNetwork {
                    address: Some("dhcp".into()),
                    vlan: Some(7),
                    firewall: true,
                    ..network("vmbr0")
                },
                ProxmoxNetwork {
                    address: Some("10.0.0.5/24".into()),
                    gateway: Some("10.0.0.1".into()),
                    ..network("vmbr1")
                },
                ProxmoxNetwork {
                    address: Some("2001:db8::5/64".into()),
                    gateway: Some("2001:db8::1".into()),
                    ..network("vmbr1")
                },
                network("vmbr2"),
            ],
            password: Some(Secret::new("hunter2")),
            ssh_keys: vec!["ssh-ed25519 AAAA one".into(), "ssh-ed25519 BBBB two".into()],
            unprivileged: false,
            nesting: true,
            description: Some("a web server".into()),
            tags: vec!["prod".into(), "web".into()],
            start_at_boot: true,
            ..ContainerSpec::of("local:vztmpl/debian-12.tar.zst")
        };
        let plan = planned(&spec, there(), true);
        assert_eq!(
            lines(&plan),
            [
                "POST /nodes/pve1/lxc vmid=101 hostname=web1 ostemplate=local:vztmpl/debian-12.tar.zst \
                 rootfs=local-lvm:4 cores=2 cpulimit=1.5 memory=512 swap=0 \
                 net0=name=eth0,bridge=vmbr0,tag=7,firewall=1,ip=dhcp \
                 net1=name=eth1,bridge=vmbr1,ip=10.0.0.5/24,gw=10.0.0.1 \
                 net2=name=eth2,bridge=vmbr1,ip6=2001:db8::5/64,gw6=2001:db8::1 net3=name=eth3,bridge=vmbr2 \
                 'password=********' 'ssh-public-keys=ssh-ed25519 AAAA one\nssh-ed25519 BBBB two' unprivileged=0 \
                 features=nesting=1 'description=a web server' 'tags=prod;web' onboot=1",
                "POST /nodes/pve1/lxc/101/status/start"
            ]
        );
        assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
        assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"), "a plan holds no secret");
        let Work::Api(call) = &plan.steps[0].work else { panic!("no call") };
        assert_eq!(call.param("password"), Some(&Param::Secret(PASSWORD.into())));
    }

    #[test]
    fn an_appliance_is_downloaded_before_the_disk_is_formatted() {
        let template = TemplateFact::Download { storage: "local".into(), name: "alpine.tar.xz".into() };
        let plan = planned(&ContainerSpec::of("alpine.tar.xz"), template, false);
        let lines = lines(&plan);
        assert_eq!(lines[0], "POST /nodes/pve1/aplinfo storage=local template=alpine.tar.xz");
        assert!(lines[1].contains("ostemplate=local:vztmpl/alpine.tar.xz"));
    }
}
