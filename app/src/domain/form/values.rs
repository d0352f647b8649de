//! Values of several parts in one text, as the command line and forms take them.

use crate::domain::{
    size,
    spec::{BindMount, ProxmoxNetwork},
};

/// Whole GiB: `8G`, `8`.
pub fn gib(text: &str) -> Result<u32, String> {
    const GIB: u64 = 1 << 30;
    let plain = text.trim().parse::<u64>().ok();
    let bytes = match plain {
        Some(number) => number.checked_mul(GIB).ok_or("That is too much.")?,
        None => size::parse(text).map_err(|e| e.to_string())?,
    };
    let whole = bytes.is_multiple_of(GIB).then_some(bytes / GIB).filter(|gib| *gib > 0);
    whole
        .and_then(|gib| u32::try_from(gib).ok())
        .ok_or_else(|| "Enter whole GiB, such as 8 or 8G.".to_owned())
}

/// `NAME=VALUE`
pub fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("Enter it as NAME=VALUE.")?;
    if name.is_empty() {
        Err("The name is empty.".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

/// `SOURCE:TARGET` or `SOURCE:TARGET:ro`
pub fn mount(text: &str) -> Result<BindMount, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, read_only) = match parts[..] {
        [source, target] | [source, target, "rw"] => (source, target, false),
        [source, target, "ro"] => (source, target, true),
        _ => return Err("Enter it as SOURCE:TARGET or SOURCE:TARGET:ro.".to_owned()),
    };
    if !source.starts_with('/') || !target.starts_with('/') {
        return Err("Both paths must be absolute.".to_owned());
    }
    Ok(BindMount { source: source.to_owned(), target: target.to_owned(), read_only })
}

/// A network as it is told: `none`, or a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    None,
    Bridge(ProxmoxNetwork),
}

/// `none`, or `bridge=vmbr0,ip=dhcp,gw=10.0.0.1,vlan=7,firewall`
pub fn network(text: &str) -> Result<Network, String> {
    if text == "none" {
        return Ok(Network::None);
    }
    let mut network = ProxmoxNetwork::default();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match (key, value) {
            ("bridge", value) if !value.is_empty() => network.bridge = value.to_owned(),
            ("ip" | "address", value) if !value.is_empty() => network.address = Some(value.to_owned()),
            ("gw" | "gateway", value) if !value.is_empty() => network.gateway = Some(value.to_owned()),
            ("vlan", value) => {
                network.vlan = Some(value.parse().map_err(|_| "A VLAN is a number from 1 to 4094.")?);
            }
            ("firewall", "" | "1") => network.firewall = true,
            _ => {
                return Err(format!(
                    "“{part}” is not understood: bridge=, ip=, gw=, vlan= and firewall can stand there."
                ));
            }
        }
    }
    if network.bridge.is_empty() {
        Err("It names no bridge.".to_owned())
    } else {
        Ok(Network::Bridge(network))
    }
}

/// The lines of a file with public keys, without comments.
pub fn keys(text: &str) -> Vec<String> {
    let keys = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    keys.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_whole_or_not_at_all() {
        let Ok(Network::Bridge(network)) = network("bridge=vmbr0,ip=10.0.0.2/24,gw=10.0.0.1,vlan=7,firewall")
        else {
            panic!("not read");
        };
        assert_eq!((network.bridge.as_str(), network.vlan, network.firewall), ("vmbr0", Some(7), true));
        assert_eq!(super::network("none"), Ok(Network::None));
        for wrong in ["", "bridge=", "ip=dhcp", "bridge=a,vlan=x", "bridge=a,mtu=9000", "bridge=a,,"] {
            assert!(super::network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_variables_and_mounts_are_checked() {
        assert_eq!((gib("8"), gib("8G"), gib("1T")), (Ok(8), Ok(8), Ok(1024)));
        assert!(["0", "0.5G", "512M", "x", "99999999999999"].iter().all(|text| gib(text).is_err()));
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(variable("=x").is_err() && variable("A").is_err());
        assert!(mount("/a:/b:ro").is_ok_and(|m| m.read_only));
        assert!(["/a", "a:/b", "/a:b", "/a:/b:x", "/a:/b:ro:x"].iter().all(|text| mount(text).is_err()));
    }
}
