//! Which file system holds a path, from the text of `/proc/self/mountinfo`.

use std::path::{Path, PathBuf};

/// The type of the file system at this absolute path without links, as the kernel names it.
pub fn type_at(mountinfo: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mountinfo.lines() {
        let Some((point, kind)) = mount(line) else { continue };
        let depth = point.components().count();
        // Of two at one place, the later one covers the earlier.
        if path.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

/// The fifth field is where, the first after ` - ` is what.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (before, after) = line.split_once(" - ")?;
    Some((PathBuf::from(unescaped(before.split(' ').nth(4)?)), after.split(' ').next()?))
}

/// The kernel writes blanks and the like as a backslash and three octal digits.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
        match after.split_at_checked(3) {
            Some((digits, beyond)) if byte == b'\\' && octal(digits).is_some() => {
                bytes.extend(octal(digits));
                rest = beyond;
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
        22 21 0:20 / /srv rw - zfs tank/srv rw\n\
        23 21 0:21 / /srv/a\\040b rw shared:7 master:2 - btrfs /dev/b rw\n\
        24 22 0:22 / /srv rw - xfs /dev/c rw\n\
        garbage\n";

    #[test]
    fn the_deepest_mount_holds_a_path_and_the_latest_of_two() {
        for (path, kind) in
            [("/", "ext4"), ("/srvx", "ext4"), ("/srv", "xfs"), ("/srv/a b/c", "btrfs"), ("/srv/a", "xfs")]
        {
            assert_eq!(type_at(TABLE, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
        assert_eq!(type_at("", Path::new("/")), None);
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        for (text, path) in
            [(r"\040", " "), (r"a\134b", r"a\b"), (r"\9", r"\9"), (r"\", r"\"), (r"\777x", r"\777x")]
        {
            assert_eq!(unescaped(text), path, "{text}");
        }
    }
}
