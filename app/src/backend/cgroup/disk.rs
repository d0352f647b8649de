//! Bytes read from disks and written to them by one control group, all devices together. Formats: the kernel's
//! blkio-controller.rst and cgroup-v2.rst.

/// Lines of device, `Read` or `Write` or others, and bytes.
pub fn v1(text: &str) -> [u64; 2] {
    let mut sum = [0u64; 2];
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (what, bytes) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        add(&mut sum, what, bytes, ["Read", "Write"]);
    }
    sum
}

/// Lines of device and `key=number`, among others `rbytes` and `wbytes`. Empty where nothing was ever read or written.
pub fn v2(text: &str) -> [u64; 2] {
    let mut sum = [0u64; 2];
    for word in text.lines().flat_map(|line| line.split_whitespace().skip(1)) {
        let Some((key, number)) = word.split_once('=') else { continue };
        add(&mut sum, Some(key), number.parse().ok(), ["rbytes", "wbytes"]);
    }
    sum
}

fn add(sum: &mut [u64; 2], what: Option<&str>, bytes: Option<u64>, names: [&str; 2]) {
    for (sum, name) in sum.iter_mut().zip(names) {
        if what == Some(name) {
            *sum = sum.saturating_add(bytes.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_summed_over_devices_without_its_own_sums() {
        let text = "8:0 Read 100\n8:0 Write 20\n8:0 Sync 120\n8:0 Total 120\n253:1 Read 7\nTotal 127\n";
        assert_eq!(v1(text), [107, 20]);
        assert_eq!(v1(""), [0, 0]);
        assert_eq!(v1("8:0 Read\n8:0 Read x\nRead 5\n"), [0, 0]);
    }

    #[test]
    fn version_2_is_summed_over_devices_and_nothing_is_told_before_there_is_something() {
        let text = "8:0 rbytes=100 wbytes=20 rios=3 wios=1 dbytes=9 dios=1\n253:1 rbytes=7 wbytes=18446744073709551615\n7:0 \n";
        assert_eq!(v2(text), [107, u64::MAX]);
        assert_eq!(v2(""), [0, 0]);
        assert_eq!(v2("rbytes=5\n8:0 rbytes=-1 wbytes=x rbytes\n"), [0, 0]);
    }
}
