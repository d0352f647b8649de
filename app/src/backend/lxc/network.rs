//! The network of a new container, in LXC's terms.

use std::net::IpAddr;

use crate::{
    backend::Error,
    domain::{action::Field, plan::Change, spec::LxcNetwork},
};

/// Longest name of a network interface: the kernel's IFNAMSIZ without its final zero.
const LONGEST_INTERFACE: usize = 15;

/// Judges the network by itself, before anything of the host is looked up by its words.
pub fn check(network: &LxcNetwork) -> Result<(), Error> {
    let LxcNetwork::Bridge { bridge, address, gateway } = network else { return Ok(()) };
    if !is_interface_name(bridge) {
        return invalid(format!(
            "A bridge's name has 1 to {LONGEST_INTERFACE} letters, digits, dots, dashes and underscores."
        ));
    }
    let Some(address) = address else {
        return match gateway {
            Some(_) => invalid("A gateway needs an address beside it.".to_owned()),
            None => Ok(()),
        };
    };
    let Some(interface) = Interface::parse(address) else {
        return invalid("Enter the address with its prefix, such as 10.0.3.7/24 or fd00::7/64.".to_owned());
    };
    let Some(gateway) = gateway else { return Ok(()) };
    let Ok(gateway) = gateway.parse::<IpAddr>() else {
        return invalid("Enter the gateway as an address, such as 10.0.3.1.".to_owned());
    };
    if !interface.reaches(gateway) {
        return invalid(format!("The gateway {gateway} is not another address in the network of {address}."));
    }
    Ok(())
}

fn invalid(message: String) -> Result<(), Error> {
    Err(Error::Invalid { field: Field::Network, message })
}

/// Safe as a value in a configuration and as a name in `/sys/class/net`.
fn is_interface_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=LONGEST_INTERFACE).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['.', '-'])
}

/// An address and how many of its first bits name the network.
struct Interface {
    address: IpAddr,
    prefix: u32,
}

impl Interface {
    /// `None` for what no interface of a guest can have.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let digits = prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u32 = prefix.parse().ok().filter(|_| digits)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let usable = !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
        ((1..=most).contains(&prefix) && usable).then_some(Self { address, prefix })
    }

    fn reaches(&self, other: IpAddr) -> bool {
        let network = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(u32::from(v4)) >> (32 - self.prefix.min(32)),
            IpAddr::V6(v6) => u128::from(v6).checked_shr(128 - self.prefix).unwrap_or_default(),
        };
        other.is_ipv4() == self.address.is_ipv4()
            && other != self.address
            && network(other) == network(self.address)
    }
}

/// What the new container's configuration says of networks, in place of all that it says already.
pub fn changes(network: &LxcNetwork) -> Vec<Change> {
    let mut changes = vec![Change { key: "lxc.net".to_owned(), value: None }];
    let mut set = |key: &str, value: &str| {
        changes.push(Change { key: format!("lxc.net.0.{key}"), value: Some(value.to_owned()) });
    };
    match network {
        LxcNetwork::None => set("type", "empty"),
        LxcNetwork::Bridge { bridge, address, gateway } => {
            set("type", "veth");
            set("link", bridge);
            set("name", "eth0");
            set("flags", "up");
            let is_v6 = address.as_ref().is_some_and(|address| address.contains(':'));
            let family = if is_v6 { "ipv6" } else { "ipv4" };
            for (what, value) in [("address", address), ("gateway", gateway)] {
                if let Some(value) = value {
                    set(&format!("{family}.{what}"), value);
                }
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridge(bridge: &str, address: Option<&str>, gateway: Option<&str>) -> LxcNetwork {
        let text = |text: Option<&str>| text.map(str::to_owned);
        LxcNetwork::Bridge { bridge: bridge.to_owned(), address: text(address), gateway: text(gateway) }
    }

    fn lines(network: &LxcNetwork) -> Vec<String> {
        changes(network).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_network_takes_the_place_of_what_the_default_configuration_says() {
        assert_eq!(lines(&LxcNetwork::None), ["lxc.net (removed)", "lxc.net.0.type = empty"]);
        assert_eq!(
            lines(&bridge("vmbr0", Some("10.0.3.7/24"), Some("10.0.3.1"))),
            [
                "lxc.net (removed)",
                "lxc.net.0.type = veth",
                "lxc.net.0.link = vmbr0",
                "lxc.net.0.name = eth0",
                "lxc.net.0.flags = up",
                "lxc.net.0.ipv4.address = 10.0.3.7/24",
                "lxc.net.0.ipv4.gateway = 10.0.3.1"
            ]
        );
        let v6 = lines(&bridge("vmbr0", Some("fd00::7/64"), Some("fd00::1")));
        assert_eq!(v6[5..], ["lxc.net.0.ipv6.address = fd00::7/64", "lxc.net.0.ipv6.gateway = fd00::1"]);
    }

    #[test]
    fn what_can_be_a_network_is_taken() {
        for network in [
            LxcNetwork::None,
            bridge("br0", None, None),
            bridge("vmbr0.12", Some("192.168.1.2/24"), None),
            bridge("a-b_c", Some("10.0.0.2/8"), Some("10.255.0.1")),
            bridge("br0", Some("fd00::2/64"), Some("fd00::1")),
            bridge("br0", Some("10.0.0.2/32"), None),
        ] {
            assert_eq!(check(&network), Ok(()), "{network:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_network_is_refused() {
        for network in [
            bridge("", None, None),
            bridge("a b", None, None),
            bridge("../x", None, None),
            bridge("a/b", None, None),
            bridge("-a", None, None),
            bridge("..", None, None),
            bridge("br0\nlxc.hook.start = x", None, None),
            bridge("abcdefghijklmnop", None, None),
            bridge("br0", None, Some("10.0.0.1")),
            bridge("br0", Some("10.0.0.2"), None),
            bridge("br0", Some("10.0.0.2/33"), None),
            bridge("br0", Some("10.0.0.2/0"), None),
            bridge("br0", Some("10.0.0.2/+8"), None),
            bridge("br0", Some("10.0.0.2/8/8"), None),
            bridge("br0", Some("10.0.0.256/8"), None),
            bridge("br0", Some("0.0.0.0/8"), None),
            bridge("br0", Some("127.0.0.1/8"), None),
            bridge("br0", Some("fd00::1/129"), None),
            bridge("br0", Some("10.0.0.2/24\nlxc.x = y"), None),
            bridge("br0", Some(" 10.0.0.2/24"), None),
            bridge("br0", Some("10.0.0.2/24"), Some("10.0.1.1")),
            bridge("br0", Some("10.0.0.2/24"), Some("10.0.0.2")),
            bridge("br0", Some("10.0.0.2/24"), Some("fd00::1")),
            bridge("br0", Some("10.0.0.2/24"), Some("auto")),
        ] {
            assert!(
                matches!(check(&network), Err(Error::Invalid { field: Field::Network, .. })),
                "{network:?}"
            );
        }
    }
}
