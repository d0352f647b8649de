//! The host's network interfaces that carry guests or can: bridges, bonds, VLANs and physical ones. Those of the
//! guests themselves (veth, tap) are left out.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
};

use crate::{
    backend::{files, process},
    domain::host::Network,
};

/// The first address of each interface, as `ADDRESS/PREFIX`; IPv4 before IPv6.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Addresses(BTreeMap<String, String>);

impl Addresses {
    /// From the texts of `/proc/net/fib_trie`, `/proc/net/route` and `/proc/net/if_inet6`. The kernel has no file that
    /// names interface and IPv4 address together: an address belongs to the interface that its own network is
    /// routed to.
    pub fn parse(fib_trie: &str, route: &str, if_inet6: &str) -> Self {
        let mut found = BTreeMap::new();
        let routes: Vec<Route> = route.lines().filter_map(Route::parse).collect();
        for address in process::parse_fib_trie(fib_trie) {
            let on = routes.iter().filter(|route| route.holds(address)).max_by_key(|route| route.mask);
            if let Some(route) = on {
                let text = format!("{address}/{}", route.mask.count_ones());
                found.entry(route.interface.clone()).or_insert(text);
            }
        }
        for (interface, text) in if_inet6.lines().filter_map(v6_line) {
            found.entry(interface).or_insert(text);
        }
        Self(found)
    }
}

/// A network reached without a gateway.
struct Route {
    interface: String,
    network: u32,
    mask: u32,
}

impl Route {
    /// Interface, destination, gateway, flags, references, use, metric, mask; the numbers as the host's own bytes
    /// of what goes over the wire, in hexadecimal.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |field: usize| Some(u32::from_be(u32::from_str_radix(fields.get(field)?, 16).ok()?));
        let is_direct = number(2)? == 0 && number(7)? != 0;
        is_direct.then_some(Self {
            interface: (*fields.first()?).to_owned(),
            network: number(1)?,
            mask: number(7)?,
        })
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask == self.network
    }
}

/// 32 hexadecimal digits, index, prefix length in hexadecimal, scope, flags, interface.
fn v6_line(line: &str) -> Option<(String, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = Ipv6Addr::from(u128::from_str_radix(fields.first()?, 16).ok()?);
    let prefix = u8::from_str_radix(fields.get(2)?, 16).ok()?;
    (!address.is_loopback() && !address.is_unicast_link_local())
        .then_some(((*fields.get(5)?).to_owned(), format!("{address}/{prefix}")))
}

/// Those of a directory like `/sys/class/net`, by name.
pub fn read(class: &Path, addresses: &Addresses) -> Vec<Network> {
    let mut names = files::names(class).unwrap_or_default();
    names.sort_unstable();
    let network = |name: String| {
        let dir = class.join(&name);
        Some(Network {
            kind: kind(&dir)?.to_owned(),
            address: addresses.0.get(&name).cloned(),
            is_active: is_up(&dir),
            name,
        })
    };
    names.into_iter().filter_map(network).collect()
}

fn kind(interface: &Path) -> Option<&'static str> {
    let uevent = files::read(&interface.join("uevent")).ok().flatten().unwrap_or_default();
    if interface.join("bridge").is_dir() {
        Some("bridge")
    } else if interface.join("bonding").is_dir() {
        Some("bond")
    } else if uevent.lines().any(|line| line == "DEVTYPE=vlan") {
        Some("vlan")
    } else {
        // What has a device is a piece of hardware, or passes for one in a VM.
        interface.join("device").exists().then_some("eth")
    }
}

/// Whether somebody has switched it on: a bridge without a guest is on, and has no carrier.
fn is_up(interface: &Path) -> bool {
    const IFF_UP: u32 = 1;
    let flags = files::read(&interface.join("flags")).ok().flatten().unwrap_or_default();
    let flags = flags.trim().strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
    flags.is_some_and(|flags| flags & IFF_UP != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.168.1.7\n        /32 host LOCAL\n     |-- 10.0.3.1\n        \
                        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
    /// As a little-endian machine writes it.
    const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        vmbr0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        vmbr0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        lxcbr0\t0003000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    const INET6: &str = "fd000000000000000000000000000007 02 40 00 80 vmbr0\n\
        fd000000000000000000000000000008 03 40 00 80 eno1\n\
        fe80000000000000021c42fffe000008 03 40 20 80 eno1\nshort\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn an_address_belongs_to_the_interface_of_its_network() {
        let found = Addresses::parse(TRIE, ROUTE, INET6);
        let want = [("eno1", "fd00::8/64"), ("lxcbr0", "10.0.3.1/24"), ("vmbr0", "192.168.1.7/24")];
        assert_eq!(found.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), want);
        assert_eq!(Addresses::parse("", "", ""), Addresses::default());
    }
}
