//! Command sockets: each running container's monitor listens on one, and the kernel lists them all in one file.

use std::collections::BTreeMap;

/// Listening command sockets of all LXC monitors in this network namespace: abstract name without the `@`, inode.
pub type Sockets = BTreeMap<String, u64>;

/// `__SO_ACCEPTCON`. A connection that a monitor has accepted carries the same name but not this flag.
const LISTENING: &str = "00010000";

/// From the text of `/proc/net/unix`: `Num RefCount Protocol Flags Type St Inode Path`.
pub fn listening(text: &str) -> Sockets {
    text.lines()
        .filter_map(|line| {
            let (_, name) = line.split_once(" @")?;
            let mut fields = line.split_ascii_whitespace().skip(3);
            let flags = fields.next()?;
            let inode = fields.nth(2)?.parse().ok()?;
            (flags == LISTENING && name.ends_with("/command")).then(|| (name.to_owned(), inode))
        })
        .collect()
}

/// The inode of this container's command socket, if its monitor listens.
pub fn of(sockets: &Sockets, lxcpath: &str, name: &str) -> Option<u64> {
    let plain = format!("{lxcpath}/{name}/command");
    sockets.get(&plain).or_else(|| sockets.get(&hashed(lxcpath, name))).copied()
}

/// The name that LXC takes where the plain one is too long for a socket's address.
fn hashed(lxcpath: &str, name: &str) -> String {
    format!("lxc/{:016x}/command", fnv1a(format!("{lxcpath}/{name}").as_bytes()))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n\
        00000000d73ec126: 00000002 00000000 00010000 0001 01 69161 @/var/lib/lxc/web1/command\n\
        00000000d73ec127: 00000003 00000000 00000000 0001 03 69999 @/var/lib/lxc/web1/command\n\
        00000000d73ec128: 00000003 00000000 00000000 0001 03 70000 @/var/lib/lxc/web2/command\n\
        00000000d73ec129: 00000002 00000000 00010000 0001 01   812 /run/systemd/notify\n\
        000000002893d33a: 00000002 00000000 00010000 0001 01 73931 @lxc/92f0a4bac1e5503a/command\n\
        broken\n";

    #[test]
    fn only_a_listening_socket_means_that_a_container_is_active() {
        let sockets = listening(TEXT);
        assert_eq!(of(&sockets, "/var/lib/lxc", "web1"), Some(69161));
        assert_eq!(of(&sockets, "/var/lib/lxc", "web2"), None, "an accepted connection is no monitor");
        assert_eq!(of(&sockets, "/srv/lxc", "web1"), None, "another path's container of the same name");
        assert_eq!(sockets.len(), 2);
    }

    #[test]
    fn a_name_too_long_for_a_socket_is_found_by_its_hash() {
        // As a real lxc-start named it: the FNV-1a test vectors first, then one whole name.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        let lxcpath = format!("/srv/{}", "x".repeat(120));
        let text = format!("0: 2 0 00010000 0001 01 7 @{}\n", hashed(&lxcpath, "c1"));
        assert_eq!(of(&listening(&text), &lxcpath, "c1"), Some(7));
        assert_eq!(of(&listening(&text), &lxcpath, "c2"), None);
    }

    proptest! {
        #[test]
        fn any_table_is_read_without_a_panic(text in any::<String>(), near in "([0-9a-f: ]{0,40} @[/a-z]{0,20}/command\n){0,4}") {
            listening(&text);
            listening(&near);
            of(&listening(&near), &text, &near);
        }

        #[test]
        fn a_listening_monitor_is_found_among_any_other_lines(
            before in "\\PC{0,40}",
            lxcpath in "/[a-z/]{0,30}[a-z]",
            name in "[a-z0-9]{1,10}",
            inode in any::<u64>(),
            long in any::<bool>(),
        ) {
            let socket = if long { hashed(&lxcpath, &name) } else { format!("{lxcpath}/{name}/command") };
            let line = |flags: &str, inode: u64| format!("0000: 00000002 00000000 {flags} 0001 01 {inode} @{socket}");
            let accepted = line("00000000", inode.wrapping_add(1));
            let text = format!("{before}\n{accepted}\n{}\n{accepted}\n{before}", line(LISTENING, inode));
            prop_assert_eq!(of(&listening(&text), &lxcpath, &name), Some(inode));
            let other = format!("{name}x");
            prop_assert_eq!(of(&listening(&text), &lxcpath, &other), None);
        }
    }
}
