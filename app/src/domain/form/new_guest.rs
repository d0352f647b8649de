//! A new guest as it was asked for, by the command line or by a form, and what its backend is asked for by that.

use super::{Wrong, values::Network};
use crate::domain::{
    action::Field,
    guest::BackendKind,
    secret::Secret,
    spec::{
        BindMount, Bios, CloudInit, ContainerSpec, CreateSpec, Limits, LxcNetwork, OciImage, OciSpec,
        ProxmoxNetwork, VmSource, VmSpec,
    },
};

/// All that can be said of a new guest, whatever its backend; each takes what is for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGuest {
    /// Of LXC, or of a Proxmox container.
    pub template: Option<String>,
    /// Of LXC's template.
    pub arguments: Vec<String>,
    pub metadata: Option<String>,
    pub rootfs: Option<String>,
    /// Of a registry.
    pub image: Option<String>,
    /// `DIRECTORY:TAG`.
    pub layout: Option<String>,
    pub archive: Option<String>,
    pub bundle: Option<String>,
    pub cloud_image: Option<String>,
    pub iso: Option<String>,

    /// What crun's process shall be instead of the image's own.
    pub command: Vec<String>,
    pub env: Vec<(String, String)>,
    pub mounts: Vec<BindMount>,
    pub host_network: bool,
    pub networks: Vec<Network>,

    pub limits: Limits,
    pub sockets: Option<u32>,
    /// Bytes.
    pub swap: Option<u64>,
    pub disk_gib: Option<u32>,
    pub more_disks_gib: Vec<u32>,
    pub storage: Option<String>,

    pub node: Option<String>,
    pub vmid: Option<u32>,
    pub password: Option<Secret>,
    pub ssh_keys: Vec<String>,
    pub privileged: bool,
    pub nesting: bool,
    pub uefi: bool,
    pub cloud_init: bool,
    pub cloud_user: Option<String>,
    pub no_agent: bool,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub start_at_boot: bool,
}

fn wrong<T>(field: Field, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { field, message: message.into() })
}

/// The one source that was given; `names` are those there are.
fn one_source<T>(
    field: Field,
    names: &str,
    sources: impl IntoIterator<Item = Option<T>>,
) -> Result<T, Wrong> {
    let mut given = sources.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(source), None) => Ok(source),
        (None, _) => wrong(field, format!("Say what it is made from: {names}.")),
        (Some(_), Some(_)) => {
            wrong(field, format!("Say one thing that it is made from, not several: {names}."))
        }
    }
}

impl NewGuest {
    /// What a guest of this backend is made from. What says nothing to that backend is for the caller to refuse.
    pub fn spec(self, backend: BackendKind) -> Result<CreateSpec, Wrong> {
        match backend {
            BackendKind::Lxc => self.lxc(),
            BackendKind::Crun => self.crun(),
            BackendKind::ProxmoxLxc => self.container(),
            BackendKind::ProxmoxVm => self.vm(),
        }
    }

    fn lxc(self) -> Result<CreateSpec, Wrong> {
        let network = match &self.networks[..] {
            [] => None,
            [Network::None] => Some(LxcNetwork::None),
            [Network::Bridge(ProxmoxNetwork { bridge, address, gateway, vlan: None, firewall: false })] => {
                let address = address.clone().filter(|address| address != "dhcp");
                Some(LxcNetwork::Bridge { bridge: bridge.clone(), address, gateway: gateway.clone() })
            }
            _ => {
                return wrong(
                    Field::Network,
                    "LXC takes one network, of a bridge, an address and a gateway alone.",
                );
            }
        };
        let archives = match (self.metadata, self.rootfs) {
            (Some(metadata), Some(rootfs)) => Some((metadata, rootfs)),
            (None, None) => None,
            (None, _) => return wrong(Field::Metadata, "Metadata and root file system go together."),
            (_, None) => return wrong(Field::Rootfs, "Metadata and root file system go together."),
        };
        if !self.arguments.is_empty() && self.template.is_none() {
            return wrong(Field::Arguments, "Arguments go with a template.");
        }
        let (limits, arguments) = (self.limits, self.arguments);
        let by_template = self.template.map(|template| CreateSpec::LxcTemplate {
            template,
            arguments,
            limits: limits.clone(),
            network: network.clone(),
        });
        let by_archives = archives.map(|(metadata, rootfs)| CreateSpec::LxcLocal {
            metadata,
            rootfs,
            limits: limits.clone(),
            network: network.clone(),
        });
        let by_image = self.image.map(|image| CreateSpec::LxcOci { image, limits, network });
        let names = "a template, metadata with a root file system, or an image";
        one_source(Field::Template, names, [by_template, by_archives, by_image])
    }

    fn crun(self) -> Result<CreateSpec, Wrong> {
        if !self.networks.iter().all(|network| *network == Network::None) {
            return wrong(Field::Network, "crun has no bridges here: none, or the host's own network.");
        }
        let layout = match self.layout {
            None => None,
            Some(text) => match text.rsplit_once(':') {
                Some((path, tag)) => Some(OciImage::Layout { path: path.to_owned(), tag: tag.to_owned() }),
                None => return wrong(Field::Layout, "A layout is told as DIRECTORY:TAG."),
            },
        };
        let of_image = !self.env.is_empty()
            || !self.mounts.is_empty()
            || self.host_network
            || self.limits != Limits::default();
        if self.bundle.is_some() && of_image {
            let message = "A bundle says all that itself: environment, mounts, the host's network and limits go with an image.";
            return wrong(Field::Bundle, message);
        }
        let images =
            [self.image.map(OciImage::Registry), layout, self.archive.map(|path| OciImage::Archive { path })];
        let spec = |image| {
            CreateSpec::CrunImage(OciSpec {
                image,
                command: self.command.clone(),
                env: self.env.clone(),
                mounts: self.mounts.clone(),
                limits: self.limits.clone(),
                host_network: self.host_network,
            })
        };
        let bundle = self.bundle.map(|bundle| CreateSpec::CrunBundle { bundle });
        let sources = images.into_iter().map(|image| image.map(spec)).chain([bundle]);
        one_source(Field::Image, "an image of a registry, a layout, an archive or a bundle", sources)
    }

    fn bridges(&self) -> Result<Vec<ProxmoxNetwork>, Wrong> {
        match &self.networks[..] {
            [Network::None] => Ok(Vec::new()),
            several => several
                .iter()
                .map(|network| match network {
                    Network::Bridge(network) => Ok(network.clone()),
                    Network::None => wrong(Field::Network, "No network stands alone."),
                })
                .collect(),
        }
    }

    fn container(self) -> Result<CreateSpec, Wrong> {
        let networks = self.bridges()?;
        let template = one_source(Field::Template, "a template", [self.template])?;
        let plain = ContainerSpec::of(template);
        Ok(CreateSpec::ProxmoxLxc(ContainerSpec {
            node: self.node,
            vmid: self.vmid,
            storage: self.storage,
            disk_gib: self.disk_gib.unwrap_or(plain.disk_gib),
            cpu: self.limits.cpu,
            memory: self.limits.memory,
            swap: self.swap,
            networks,
            password: self.password,
            ssh_keys: self.ssh_keys,
            unprivileged: !self.privileged,
            nesting: self.nesting,
            description: self.description,
            tags: self.tags,
            start_at_boot: self.start_at_boot,
            ..plain
        }))
    }

    fn vm(self) -> Result<CreateSpec, Wrong> {
        let networks = self.bridges()?;
        let source = match (self.cloud_image, self.iso) {
            (Some(volume), None) => VmSource::CloudImage(volume),
            (None, Some(volume)) => VmSource::Iso(volume),
            (None, None) => VmSource::Empty,
            (Some(_), Some(_)) => {
                return wrong(Field::Iso, "It starts from a disk image or an installer, not from both.");
            }
        };
        let cores = match self.limits.cpu.map(|cpu| cpu.whole()) {
            None => None,
            Some(Some(cores)) => Some(cores),
            Some(None) => return wrong(Field::Cpu, "A VM has whole cores: 2, not 1.5."),
        };
        let initialised = self.cloud_init
            || self.cloud_user.is_some()
            || self.password.is_some()
            || !self.ssh_keys.is_empty();
        let init = CloudInit { user: self.cloud_user, password: self.password, ssh_keys: self.ssh_keys };
        let plain = VmSpec::of(source);
        Ok(CreateSpec::ProxmoxVm(VmSpec {
            node: self.node,
            vmid: self.vmid,
            storage: self.storage,
            disk_gib: self.disk_gib.unwrap_or(plain.disk_gib),
            more_disks_gib: self.more_disks_gib,
            cores,
            sockets: self.sockets,
            memory: self.limits.memory,
            bios: if self.uefi { Bios::Ovmf } else { Bios::SeaBios },
            networks,
            cloud_init: initialised.then_some(init),
            agent: !self.no_agent,
            description: self.description,
            tags: self.tags,
            start_at_boot: self.start_at_boot,
            ..plain
        }))
    }
}
