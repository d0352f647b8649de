//! What a container's page tells of its settings, in reading order.

use super::config::ContainerConfig;

/// Label and value of each fact. `pids`: how many processes it may have.
pub fn facts(lxcpath: &str, config: &ContainerConfig, pids: Option<u64>) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut tell = |label: &str, value: Option<String>| {
        facts.extend(value.map(|value| (label.to_owned(), value)));
    };
    tell("Host name", config.host_name.clone());
    tell("Architecture", config.architecture.clone());
    tell("Start at boot", Some(if config.autostart { "yes" } else { "no" }.to_owned()));
    tell("Unprivileged", Some(if config.has_id_map { "yes" } else { "no" }.to_owned()));
    tell("Process limit", pids.map(|pids| pids.to_string()));
    for (number, network) in &config.networks {
        let value = match (network.kind.as_str(), network.link.as_str()) {
            ("", "") => continue,
            (kind, "") => kind.to_owned(),
            (kind, link) => format!("{kind} on {link}"),
        };
        tell(&format!("Network {number}"), Some(value));
    }
    tell("Root file system", config.rootfs.clone());
    tell("LXC path", Some(lxcpath.to_owned()));
    facts
}

#[cfg(test)]
mod tests {
    use super::{
        super::config::{ContainerConfig, Network},
        facts,
    };

    #[test]
    fn facts_are_told_in_reading_order_and_absent_ones_left_out() {
        let mut config = ContainerConfig { rootfs: Some("dir:/r".into()), ..ContainerConfig::default() };
        config
            .networks
            .insert(0, Network { kind: "veth".into(), link: "lxcbr0".into(), ..Network::default() });
        config.networks.insert(1, Network { kind: "empty".into(), ..Network::default() });
        let told: Vec<String> = facts("/var/lib/lxc", &config, Some(64))
            .iter()
            .map(|(label, value)| format!("{label}: {value}"))
            .collect();
        assert_eq!(
            told,
            [
                "Start at boot: no",
                "Unprivileged: no",
                "Process limit: 64",
                "Network 0: veth on lxcbr0",
                "Network 1: empty",
                "Root file system: dir:/r",
                "LXC path: /var/lib/lxc"
            ]
        );
    }
}
