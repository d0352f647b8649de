use super::*;

/// The backends that this text sets up, on a host that is a node of Proxmox or not.
fn kinds(text: &str) -> Vec<BackendKind> {
    let desk = Desk::new();
    let host = Host { name: "pve1".into(), is_proxmox: false };
    let drivers = desk.load(text).unwrap().drivers(&host, desk.dir.path()).unwrap();
    drivers.iter().map(|driver| driver.kind()).collect()
}

#[test]
fn there_is_a_driver_of_each_backend_that_is_set_up() {
    assert_eq!(kinds(""), [BackendKind::Lxc, BackendKind::Crun]);
    assert_eq!(kinds("[crun]\nenabled = false\n"), [BackendKind::Lxc]);
    assert_eq!(kinds("[lxc]\nenabled = false\n[routing]\ndefault = \"crun\"\n"), [BackendKind::Crun]);
}

#[test]
fn this_host_has_a_name() {
    let name = Host::read().name;
    assert!(!name.is_empty() && name.trim() == name, "{name:?}");
}
