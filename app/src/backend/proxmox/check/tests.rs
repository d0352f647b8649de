use proptest::prelude::*;

use super::*;

fn refused(result: Result<impl std::fmt::Debug, Error>) -> Field {
    match result {
        Err(Error::Invalid { field, message }) => {
            assert!(message.ends_with('.'), "a sentence: {message}");
            field
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn names_that_proxmox_knows_are_accepted() {
    for text in ["pve1", "a", "node-2", "PVE"] {
        assert_eq!(node(text), Ok(()), "{text}");
    }
    for text in ["local", "local-lvm", "ceph_pool.2"] {
        assert_eq!(storage(text), Ok(()), "{text}");
    }
    for text in ["vmbr0", "vmbr0.100", "vnet_a"] {
        assert_eq!(bridge(text), Ok(()), "{text}");
    }
    for text in ["s1", "before-upgrade", &"x".repeat(40)] {
        assert_eq!(new_snapshot(text), Ok(()), "{text}");
    }
    for text in ["web1", "web1.example.org", "9"] {
        assert_eq!(host_name(text), Ok(()), "{text}");
    }
    let template = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst";
    let read = |text, contents: &[&'static str]| {
        volume(Field::Image, text, contents).map(|v| (v.storage, v.content))
    };
    assert_eq!(read(template, &["vztmpl"]), Ok(("local", "vztmpl")));
    for (text, content) in [
        ("nfs2:import/a.qcow2", "import"),
        ("nfs2:999/vm-999-disk-0.qcow2", "images"),
        ("nfs2:vm-999-disk-0", "images"),
    ] {
        assert_eq!(read(text, &["import", "images"]), Ok(("nfs2", content)));
    }
    assert_eq!(appliance("debian-12-standard_12.7-1_amd64.tar.zst"), Ok(()));
}

#[test]
fn hostile_names_are_refused_at_their_field() {
    for text in ["", "-a", "a-", "a/b", "a b", "pve1;x", "ü", "../x", &"x".repeat(64)] {
        assert_eq!(refused(node(text)), Field::Node, "{text}");
    }
    for text in ["", "a", "1a", "a,b", "a/", "a:b", "local\n"] {
        assert_eq!(refused(storage(text)), Field::Storage, "{text}");
    }
    for text in ["", "vmbr0,tag=1", "a b", "vmbr0=", &"v".repeat(16), "-x", "x\0"] {
        assert_eq!(refused(bridge(text)), Field::Network, "{text}");
    }
    for text in ["", "s", "1s", "a b", "current", "VZDUMP", "pending", &"x".repeat(41), "a.b"] {
        assert_eq!(refused(new_snapshot(text)), Field::Snapshot, "{text}");
    }
    assert_eq!(snapshot("vzdump"), Ok(()), "one that a broken backup left behind can be deleted");
    for text in ["", "a_b", "-a", "a-", "a..b", "a.", ".a", "a b", &"x".repeat(64)] {
        assert_eq!(refused(host_name(text)), Field::Name, "{text}");
    }
    for text in [
        "local",
        "local:iso/x.iso",
        "local:vztmpl/",
        "local:vztmpl/../../etc/shadow",
        "local:vztmpl/a,size=1",
        "local:vztmpl/a b",
        "/etc/passwd",
        ":vztmpl/x",
        "local:vztmpl/.hidden",
        "local:999/vm-999-disk-0.raw",
    ] {
        assert_eq!(refused(volume(Field::Template, text, &["vztmpl"])), Field::Template, "{text}");
    }
    for text in ["", "a/b", "a b", "-a", ".a", "a,b"] {
        assert_eq!(refused(appliance(text)), Field::Template, "{text}");
    }
    for text in ["", "-x", "a b", "a,b", "a;b", "ü"] {
        assert_eq!(refused(tag(text)), Field::Tags, "{text}");
    }
    for text in ["", "0root", "a b", "a:b", &"u".repeat(33)] {
        assert_eq!(refused(user(text)), Field::User, "{text}");
    }
}

#[test]
fn an_address_is_dhcp_or_one_with_a_prefix() {
    assert_eq!(addressing("dhcp"), Ok(Addressing::Dhcp));
    assert_eq!(addressing("10.0.0.5/24").unwrap().text(), "10.0.0.5/24");
    assert_eq!(addressing("2001:db8::5/64").map(Addressing::is_v6), Ok(true));
    for text in [
        "",
        "10.0.0.5",
        "10.0.0.5/33",
        "10.0.0.5/0",
        "10.0.0.5/+8",
        "10.0.0.256/8",
        "0.0.0.0/8",
        "a/8",
        "::/64",
        "10.0.0.5/24,gw=1.1.1.1",
        "fe80::1%eth0/64",
        "224.0.0.1/8",
    ] {
        assert_eq!(refused(addressing(text)), Field::Network, "{text}");
    }
    let four = addressing("10.0.0.5/24").ok();
    assert!(gateway("10.0.0.1", four).is_ok());
    assert_eq!(refused(gateway("2001:db8::1", four)), Field::Network);
    assert_eq!(refused(gateway("10.0.0.1", Some(Addressing::Dhcp))), Field::Network);
    assert_eq!(refused(gateway("10.0.0.1", None)), Field::Network);
    assert_eq!(refused(gateway("router", four)), Field::Network);
    assert_eq!([0, 1, 4094, 4095].map(|tag| vlan(tag).is_ok()), [false, true, true, false]);
}

#[test]
fn amounts_are_in_proxmoxs_units_and_ranges() {
    assert_eq!(memory_mib(512 << 20), Ok(512));
    for bytes in [0, 15 << 20, (512 << 20) + 1, u64::MAX, 9 << 40] {
        assert_eq!(refused(memory_mib(bytes)), Field::Memory, "{bytes}");
    }
    assert_eq!(swap_mib(0), Ok(0));
    assert_eq!(refused(swap_mib(1)), Field::Swap);
    assert_eq!([0, 1, 131_072, 131_073].map(|gib| disk_gib(gib).is_ok()), [false, true, true, false]);
    assert_eq!([99, 100, 999_999_999, 1_000_000_000].map(|id| vmid(id).is_ok()), [false, true, true, false]);
    assert_eq!(refused(count(Field::Cores, 0, 4)), Field::Cores);
    assert_eq!(refused(timeout(0, 60)), Field::Timeout);
}

#[test]
fn secrets_keys_and_words_are_one_line_each() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ anna@host one";
    assert_eq!(ssh_key(key), Ok(()));
    assert_eq!(ssh_key("sk-ssh-ed25519@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIJ"), Ok(()));
    for text in [
        "",
        "ssh-ed25519",
        "ssh-rsa short",
        &format!("{key}\nssh-rsa x"),
        "command=\"x\" ssh-rsa AAAAB3NzaC1yc2E",
    ] {
        assert_eq!(refused(ssh_key(text)), Field::SshKeys, "{text}");
    }
    assert_eq!(password("hunter2"), Ok(()));
    for text in ["", "1234", "hunter\n2"] {
        assert_eq!(refused(password(text)), Field::Password, "{text}");
    }
    assert_eq!(description("one\ntwo"), Ok(()));
    assert_eq!(refused(description(&"x".repeat(8193))), Field::Description);
    assert_eq!(refused(description("a\0")), Field::Description);
    assert_eq!(command(&["ls".into(), String::new()]), Ok(()));
    for words in [vec![], vec![String::new()], vec!["a\0".into()], vec!["x".repeat(70_000)]] {
        assert_eq!(refused(command(&words)), Field::Command);
    }
}

proptest! {
    #[test]
    fn whatever_passes_is_safe_in_a_url_and_in_a_property(text in "\\PC{0,40}|[a-z0-9.,:=/_ -]{0,40}") {
        let safe = |text: &str| text.chars().all(|c| c.is_ascii_graphic() && !",;=?#%\\".contains(c));
        if node(&text).is_ok() || storage(&text).is_ok() || bridge(&text).is_ok() || snapshot(&text).is_ok()
            || tag(&text).is_ok() || host_name(&text).is_ok() || appliance(&text).is_ok() || user(&text).is_ok() {
            prop_assert!(safe(&text) && !text.contains('/') && text != "." && text != "..");
        }
        if volume(Field::Image, &text, &["iso"]).is_ok() {
            prop_assert!(safe(&text) && !text.split('/').any(|part| part.starts_with('.')));
        }
        if let Ok(found) = addressing(&text) {
            prop_assert_eq!(addressing(&found.text()), Ok(found), "reads back as itself");
        }
    }
}
