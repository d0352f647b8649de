//! What a guest's own page shows.

use std::{net::IpAddr, time::Duration};

use tokio::time::timeout;

use crate::{
    backend::Error,
    domain::{
        guest::{BackendKind, CONFIG_SHOWN, ConfigText, Guest, GuestDetail, GuestStatus, Pending},
        spec::{Changes, Cpus},
    },
};

use super::{
    cluster::Cluster,
    num::Rows,
    place::Place,
    read, state,
    wire::{
        config::Config,
        guest::{AgentInterfaces, Current, Interface, Pending as PendingRow},
    },
};

/// How long the inside of a guest may take to tell its addresses.
const INSIDE: Duration = Duration::from_secs(2);

pub async fn inspect(cluster: &Cluster, kind: BackendKind, vmid: u32) -> Result<Option<GuestDetail>, Error> {
    let all = |place: Place| async move {
        let pending = place.path("/pending");
        tokio::try_join!(
            read::current(cluster, &place),
            read::config(cluster, &place),
            cluster.client.get::<Rows<PendingRow>>(&pending, &[]),
        )
    };
    let Some((place, (current, config, Rows(pending)))) = cluster.at(kind, vmid, all).await? else {
        return Ok(None);
    };
    let Some(guest) = read::note(cluster, &place, &current) else { return Ok(None) };
    let interfaces = interfaces(cluster, &place, &guest, &config).await;
    Ok(Some(detail(&place, guest, &current, &config, pending, &interfaces)))
}

/// Those seen inside. None of a VM without a guest agent, and none where nobody answers in time: that is no error, and
/// the page is not held up by it.
async fn interfaces(cluster: &Cluster, place: &Place, guest: &Guest, config: &Config) -> Vec<Interface> {
    timeout(INSIDE, seen_inside(cluster, place, guest, config)).await.unwrap_or_default()
}

async fn seen_inside(cluster: &Cluster, place: &Place, guest: &Guest, config: &Config) -> Vec<Interface> {
    if guest.status != GuestStatus::Running || place.is_vm() && !config.has_agent() {
        return Vec::new();
    }
    if place.is_vm() {
        let answer = cluster.client.get(&place.path("/agent/network-get-interfaces"), &[]).await;
        return answer.map_or_else(|_| Vec::new(), |AgentInterfaces { result: Rows(rows) }| rows);
    }
    let answer = cluster.client.get(&place.path("/interfaces"), &[]).await;
    answer.map_or_else(|_| Vec::new(), |Rows(rows)| rows)
}

fn detail(
    place: &Place,
    guest: Guest,
    current: &Current,
    config: &Config,
    pending: Vec<PendingRow>,
    interfaces: &[Interface],
) -> GuestDetail {
    let is_active = guest.status.is_active();
    let guest = Guest {
        pid: current.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| is_active && *pid > 0),
        addresses: addresses(interfaces),
        ..guest
    };
    let text = config.text();
    let to_be = pending.iter().fold(config.clone(), |config, row| match row.key.as_deref() {
        Some(key) if row.delete || row.pending.is_some() => config.with(key, row.pending.as_deref()),
        _ => config,
    });
    let cut = text.len() > CONFIG_SHOWN;
    GuestDetail {
        memory: current.mem.filter(|_| is_active),
        memory_limit: current.maxmem.filter(|bytes| *bytes > 0),
        cpu_limit: cpu_limit(place.is_vm(), config),
        cpu_ns: None,
        cpu_now: cpu_now(current).filter(|_| is_active),
        tasks: None,
        facts: facts(place, current, config),
        pending: pending.into_iter().filter_map(to_come).collect(),
        settings: settings(place.is_vm(), &to_be),
        config: Some(ConfigText { path: place.config_path(), text: cut_at(text, CONFIG_SHOWN), cut }),
        guest,
    }
}

/// Those of others than loopback and link-local ones, IPv4 first.
fn addresses(interfaces: &[Interface]) -> Vec<String> {
    let texts = interfaces.iter().flat_map(|interface| {
        let listed = interface.addresses.0.iter().filter_map(|address| address.address.as_deref());
        let older = [&interface.inet, &interface.inet6].into_iter().filter_map(|text| text.as_deref());
        listed.chain(older)
    });
    let mut found: Vec<IpAddr> = texts
        .filter_map(|text| text.split(['/', '%']).next()?.parse().ok())
        .filter(|address: &IpAddr| match address {
            IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
            IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
        })
        .collect();
    found.sort_by_key(std::net::IpAddr::is_ipv6);
    let mut told: Vec<String> = Vec::new();
    for text in found.iter().map(ToString::to_string) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// A container without `cores` sees all of the node's, and so has no limit.
fn cpu_limit(is_vm: bool, config: &Config) -> Option<Cpus> {
    let limit = config.get("cpulimit").and_then(|text| text.parse().ok()).filter(|cpus: &Cpus| cpus.0 > 0);
    let count = |key| config.uint(key).and_then(|number| u32::try_from(number).ok());
    let seen = if is_vm {
        Some(count("cores").unwrap_or(1).saturating_mul(count("sockets").unwrap_or(1)))
    } else {
        count("cores")
    };
    match (limit, seen.map(Cpus::cores)) {
        (Some(limit), Some(seen)) => Some(limit.min(seen)),
        (limit, seen) => limit.or(seen),
    }
}

/// Thousandths of a core. Proxmox tells a part of what the guest may use, at times a little below nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn cpu_now(current: &Current) -> Option<Cpus> {
    let used = current.cpu? * current.cpus.unwrap_or(1.0) * 1000.0;
    Some(Cpus(used.round().clamp(0.0, f64::from(Cpus::MOST.0)) as u32))
}

/// A setting that is not in force yet.
fn to_come(row: PendingRow) -> Option<Pending> {
    let key = row.key.filter(|key| key != "digest")?;
    let is_to_come = row.delete || row.pending.is_some();
    is_to_come.then_some(Pending { label: key, now: row.value, next: row.pending })
}

/// `config` has what is pending in it, too: a change is one of that.
fn settings(is_vm: bool, config: &Config) -> Changes {
    let mib = |key| config.uint(key).map(|mib| mib << 20);
    Changes {
        cpu: cpu_limit(is_vm, config),
        memory: mib("memory"),
        swap: mib("swap").filter(|_| !is_vm),
        pids: None,
        description: config.get("description").map(|text| text.trim_end().to_owned()),
        tags: Some(state::tags(config.get("tags"))),
        start_at_boot: Some(config.flag("onboot")),
    }
}

fn cut_at(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// In reading order.
fn facts(place: &Place, current: &Current, config: &Config) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut tell = |label: &str, value: Option<&str>| {
        facts.extend(
            value.filter(|value| !value.is_empty()).map(|value| (label.to_owned(), value.to_owned())),
        );
    };
    let yes_no = |flag| Some(if flag { "yes" } else { "no" });
    tell("VMID", Some(&place.vmid.to_string()));
    tell("Node", Some(&place.node));
    tell("Description", config.get("description").map(str::trim_end));
    tell("OS type", config.get("ostype"));
    tell("Cores", config.get("cores"));
    tell("Sockets", config.get("sockets"));
    tell("Processor limit", config.get("cpulimit"));
    tell("Processor type", config.property("cpu", "cputype"));
    tell("Configured memory", config.get("memory").map(|mib| format!("{mib} MiB")).as_deref());
    tell("Least memory", config.get("balloon").map(|mib| format!("{mib} MiB")).as_deref());
    tell("Swap", config.get("swap").map(|mib| format!("{mib} MiB")).as_deref());
    for disk in config.disks(place.kind) {
        let size = disk.size_text.map(|size| format!(", {size}")).unwrap_or_default();
        tell(&format!("Disk {}", disk.key), Some(&format!("{}{size}", disk.volume)));
    }
    for (key, value) in config.numbered("net") {
        tell(&format!("Network {}", key.trim_start_matches("net")), Some(value));
    }
    for (key, value) in config.numbered("ipconfig") {
        tell(&format!("Address {}", key.trim_start_matches("ipconfig")), Some(value));
    }
    if place.is_vm() {
        tell("Firmware", Some(config.get("bios").unwrap_or("seabios")));
        tell("Machine", config.get("machine"));
        tell("Boot", config.get("boot"));
        tell("Guest agent", yes_no(config.has_agent()));
    } else {
        tell("Host name", config.get("hostname"));
        tell("Architecture", config.get("arch"));
        tell("Unprivileged", yes_no(config.flag("unprivileged")));
        tell("Features", config.get("features"));
    }
    tell("Start at boot", yes_no(config.flag("onboot")));
    tell("Protected", config.flag("protection").then_some("yes"));
    tell("High availability", current.is_ha_managed().then_some("looked after by the cluster"));
    tell("Snapshot it stands on", config.get("parent"));
    facts
}

#[cfg(test)]
mod tests;
