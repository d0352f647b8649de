//! What `/proc` says of processes: the facts from which drivers tell a guest's state without starting a tool.
//!
//! Formats: proc(5). A process may end between two reads, so every answer is optional.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Error, files};

/// Clock ticks a second in `/proc/PID/stat`: USER_HZ, 100 on every Linux architecture that Paddock is built for.
const TICKS_PER_SECOND: i64 = 100;

/// When the host was booted is read again so seldom: the kernel adds up every interrupt of every processor for that
/// file, which takes longer than all else that is read of a process. It changes when somebody sets the clock.
const BOOT_HOLDS: Duration = Duration::from_secs(10);

/// Reads `/proc`, or a directory laid out like it.
#[derive(Debug, Clone)]
pub struct Proc {
    root: PathBuf,
    /// Seconds since 1970, and when that was read.
    boot: Arc<Mutex<Option<(Instant, i64)>>>,
}

impl Default for Proc {
    fn default() -> Self {
        Self::below("/proc")
    }
}

/// From `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStat {
    pub parent: u32,
    /// Since boot, in clock ticks. With the pid it tells this process from a later one of the same pid.
    pub start_ticks: u64,
    /// The kernel's one-letter state; `Z` and `X` are dead.
    pub state: char,
}

impl ProcessStat {
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// One line of `/proc/PID/cgroup`: the controllers of a v1 hierarchy (empty for the v2 one) and the path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupLine {
    pub controllers: Vec<String>,
    pub path: String,
}

impl Proc {
    #[cfg(test)]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self::below(root)
    }

    fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), boot: Arc::default() }
    }

    /// Every process id of the host.
    pub fn pids(&self) -> Result<Vec<u32>, Error> {
        Ok(files::names(&self.root)?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The text of `/proc/net/unix`: all Unix sockets of this network namespace.
    pub fn unix_sockets(&self) -> Result<String, Error> {
        Ok(files::read(&self.root.join("self/net/unix"))?.unwrap_or_default())
    }

    /// `None` if there is no such process.
    pub fn stat(&self, pid: u32) -> Option<ProcessStat> {
        parse_stat(&self.text(pid, "stat")?)
    }

    /// The same question kept open, for one who asks often: it goes on to mean this process, never a later one of
    /// the same pid. Holds one descriptor.
    pub fn watch(&self, pid: u32) -> Option<ProcessWatch> {
        File::open(self.root.join(pid.to_string()).join("stat")).ok().map(ProcessWatch)
    }

    /// The command line's words, lossily as text.
    pub fn command_line(&self, pid: u32) -> Option<Vec<String>> {
        let text = self.text(pid, "cmdline")?;
        Some(text.trim_end_matches('\0').split('\0').map(str::to_owned).collect())
    }

    /// Device and inode of the program that the process executes; `None` as soon as it exits, and for one of the
    /// kernel's own.
    pub fn executable(&self, pid: u32) -> Option<(u64, u64)> {
        files::identity(self.root.join(pid.to_string()).join("exe"))
    }

    /// What its first thread has started and not waited for yet; `None` where the kernel does not tell (it is built
    /// with `CONFIG_PROC_CHILDREN` in Debian and Proxmox).
    pub fn children(&self, pid: u32) -> Option<Vec<u32>> {
        let text = self.text(pid, &format!("task/{pid}/children"))?;
        Some(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    /// Is this process number 1 of a pid namespace other than the host's?
    pub fn is_namespace_init(&self, pid: u32) -> bool {
        self.text(pid, "status").is_some_and(|status| {
            status
                .lines()
                .find_map(|line| line.strip_prefix("NSpid:"))
                .map(|ids| ids.split_whitespace().collect::<Vec<_>>())
                .is_some_and(|ids| ids.len() > 1 && ids.last() == Some(&"1"))
        })
    }

    /// Whether both processes have their ids in the same pid namespace.
    pub fn share_pid_namespace(&self, pid: u32, other: u32) -> bool {
        let namespace = |pid: u32| fs::read_link(self.root.join(pid.to_string()).join("ns/pid")).ok();
        namespace(pid).is_some_and(|found| Some(found) == namespace(other))
    }

    /// Whether the process was started by that one, or by what that one started, as far as those still live.
    pub fn is_descendant(&self, pid: u32, of: u32) -> bool {
        // A chain is never longer; while it is read, it may change and go round.
        const LONGEST: usize = 4096;
        std::iter::successors(self.stat(pid), |stat| self.stat(stat.parent))
            .take(LONGEST)
            .any(|stat| stat.parent == of)
    }

    /// The process's id in each pid namespace it is in, that of the reader first.
    pub fn namespace_ids(&self, pid: u32) -> Vec<u32> {
        let status = self.text(pid, "status").unwrap_or_default();
        let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        ids.split_whitespace().filter_map(|id| id.parse().ok()).collect()
    }

    /// Inodes of the sockets that the process holds open, in the order of their descriptors.
    pub fn open_sockets(&self, pid: u32) -> Vec<u64> {
        let directory = self.root.join(pid.to_string()).join("fd");
        let mut descriptors: Vec<u32> = files::names(&directory)
            .unwrap_or_default()
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        descriptors.sort_unstable();
        let target = |fd: u32| fs::read_link(directory.join(fd.to_string())).ok();
        descriptors
            .into_iter()
            .filter_map(|fd| target(fd)?.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
            .collect()
    }

    /// The process's root directory, opened through `/proc`: what is seen there is the guest's file system.
    pub fn root_directory(&self, pid: u32) -> PathBuf {
        self.root.join(pid.to_string()).join("root")
    }

    /// The line of its mount table for its own `/`, as in `/proc/PID/mountinfo`.
    pub fn root_mount(&self, pid: u32) -> Option<String> {
        let table = self.text(pid, "mountinfo")?;
        table.lines().find(|line| line.split(' ').nth(4) == Some("/")).map(str::to_owned)
    }

    pub fn cgroups(&self, pid: u32) -> Vec<CgroupLine> {
        self.text(pid, "cgroup").map(|text| parse_cgroups(&text)).unwrap_or_default()
    }

    /// When the process began, milliseconds since 1970, to a hundredth of a second.
    pub fn started_ms(&self, pid: u32) -> Option<i64> {
        let ticks = i64::try_from(self.stat(pid)?.start_ticks).ok()?;
        Some(self.boot()? * 1000 + ticks * 1000 / TICKS_PER_SECOND)
    }

    /// Seconds since 1970.
    fn boot(&self) -> Option<i64> {
        let mut known = self.boot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, boot)) = *known
            && read.elapsed() < BOOT_HOLDS
        {
            return Some(boot);
        }
        let stat = files::read(&self.root.join("stat")).ok()??;
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        *known = Some((Instant::now(), boot));
        Some(boot)
    }

    /// Whether the process has another network namespace than the host.
    pub fn has_own_network(&self, pid: u32) -> bool {
        let namespace = |pid: &str| fs::read_link(self.root.join(pid).join("ns/net")).ok();
        namespace(&pid.to_string()) != namespace("self")
    }

    /// Bytes received and sent in the process's network namespace so far, by the interfaces that `counts`.
    pub fn network(&self, pid: u32, counts: impl Fn(&str) -> bool) -> Option<[u64; 2]> {
        self.text(pid, "net/dev").map(|text| parse_net_dev(&text, counts))
    }

    /// The addresses in the process's network namespace, without loopback and link-local ones, IPv4 first. Empty
    /// if it shares the host's namespace, as those are not the guest's own.
    pub fn addresses(&self, pid: u32) -> Vec<String> {
        if !self.has_own_network(pid) {
            return Vec::new();
        }
        let v4 = self.text(pid, "net/fib_trie").map(|text| parse_fib_trie(&text)).unwrap_or_default();
        let v6 = self.text(pid, "net/if_inet6").map(|text| parse_if_inet6(&text)).unwrap_or_default();
        v4.iter().map(ToString::to_string).chain(v6.iter().map(ToString::to_string)).collect()
    }

    fn text(&self, pid: u32, file: &str) -> Option<String> {
        files::read(&self.root.join(pid.to_string()).join(file)).ok().flatten()
    }
}

/// One process's open `stat` file.
pub struct ProcessWatch(File);

impl ProcessWatch {
    /// `None` once the process is gone.
    pub fn stat(&self) -> Option<ProcessStat> {
        // Numbers only, but for a command of 15 bytes at most: it cannot come near to this.
        let mut bytes = [0; 2048];
        let length = self.0.read_at(&mut bytes, 0).ok()?;
        parse_stat(&String::from_utf8_lossy(&bytes[..length]))
    }
}

pub(crate) fn parse_stat(text: &str) -> Option<ProcessStat> {
    // The second field is the command in parentheses and may itself hold blanks and parentheses.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(ProcessStat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

pub(crate) fn parse_cgroups(text: &str) -> Vec<CgroupLine> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let controllers = parts.next()?;
            let path = parts.next()?.to_owned();
            Some(CgroupLine {
                controllers: controllers.split(',').filter(|c| !c.is_empty()).map(str::to_owned).collect(),
                path,
            })
        })
        .collect()
}

/// Local addresses are the leaves marked `/32 host LOCAL`; each stands twice (in the main and the local table).
pub fn parse_fib_trie(text: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.trim().parse().ok();
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(last.filter(|a| !a.is_loopback() && !a.is_link_local()));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Lines of: 32 hexadecimal digits, index, prefix length, scope, flags, device.
pub(crate) fn parse_if_inet6(text: &str) -> Vec<Ipv6Addr> {
    let mut found: Vec<Ipv6Addr> = text
        .lines()
        .filter_map(|line| u128::from_str_radix(line.split_whitespace().next()?, 16).ok())
        .map(Ipv6Addr::from)
        .filter(|a| !a.is_loopback() && !a.is_unicast_link_local())
        .collect();
    found.sort_unstable();
    found
}

/// Lines of: interface and colon, bytes received, seven more of what was received, bytes sent, ...
pub(crate) fn parse_net_dev(text: &str, counts: impl Fn(&str) -> bool) -> [u64; 2] {
    let mut sum = [0u64; 2];
    for (name, numbers) in text.lines().filter_map(|line| line.rsplit_once(':')) {
        if !counts(name.trim()) {
            continue;
        }
        let numbers: Vec<u64> = numbers.split_whitespace().map_while(|word| word.parse().ok()).collect();
        for (sum, column) in sum.iter_mut().zip([0, 8]) {
            *sum = sum.saturating_add(numbers.get(column).copied().unwrap_or_default());
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn a_command_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let text = "77 (a b) (c)) S 12 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1000 200";
        assert_eq!(parse_stat(text), Some(ProcessStat { parent: 12, start_ticks: 4242, state: 'S' }));
        assert_eq!(parse_stat("77 (x"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn cgroup_lines_of_both_versions_are_read() {
        let lines = parse_cgroups("4:cpu,cpuacct:/lxc.payload.web1\n0::/user.slice/a:b\ngarbage\n");
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].controllers, ["cpu", "cpuacct"]);
        assert_eq!(lines[1], CgroupLine { controllers: vec![], path: "/user.slice/a:b".into() });
    }

    #[test]
    fn addresses_leave_out_loopback_and_link_local_ones() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.3.17\n        /32 host LOCAL\n     |-- 127.0.0.1\n        \
                    /32 host LOCAL\n     |-- 10.0.3.255\n        /32 link BROADCAST\nLocal:\n     |-- 10.0.3.17\n        /32 host LOCAL\n";
        assert_eq!(parse_fib_trie(trie), [Ipv4Addr::new(10, 0, 3, 17)]);
        let inet6 = "fe80000000000000021c42fffe000008 02 40 20 80 eth0\n\
                     fd000000000000000000000000000007 02 40 00 80 eth0\n\
                     00000000000000000000000000000001 01 80 10 80 lo\n";
        assert_eq!(parse_if_inet6(inet6), ["fd00::7".parse::<Ipv6Addr>().unwrap()]);
    }

    #[test]
    fn bytes_of_interfaces_are_summed_where_they_count() {
        let text = "Inter-|   Receive                            |  Transmit\n \
                    face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n\
                    lo:    1000       9    0    0    0     0          0         0     1000       9    0\n  \
                    eth0:5000 1 0 0 0 0 0 0 70 1 0\neth0.1: 3 1 0 0 0 0 0 0 4 1\n eth9: x\ngarbage\n";
        assert_eq!(parse_net_dev(text, |name| name != "lo"), [5003, 74]);
        assert_eq!(parse_net_dev(text, |name| name == "eth0"), [5000, 70]);
        assert_eq!(parse_net_dev("", |_| true), [0, 0]);
    }

    #[test]
    fn a_watch_ends_with_its_process() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let watch = Proc::default().watch(child.id()).unwrap();
        assert!(watch.stat().is_some_and(|stat| stat.is_alive() && stat.parent == std::process::id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(watch.stat(), None);
    }

    #[test]
    fn the_running_test_finds_itself() {
        let proc = Proc::default();
        let own = std::process::id();
        assert!(proc.pids().unwrap().contains(&own));
        assert!(proc.stat(own).is_some_and(|s| s.is_alive()));
        assert!(!proc.is_namespace_init(own) || own == 1);
        assert!(proc.started_ms(own).is_some_and(|ms| ms > 1_600_000_000_000));
        assert_eq!(proc.stat(u32::MAX), None);
        assert!(proc.executable(own).is_some() && proc.executable(u32::MAX).is_none());
        assert_eq!(
            proc.watch(own).and_then(|watch| watch.stat()).map(|s| s.parent),
            proc.stat(own).map(|s| s.parent)
        );
        assert_eq!(proc.namespace_ids(own).first(), Some(&own));
        assert!(proc.share_pid_namespace(own, own) && !proc.share_pid_namespace(u32::MAX, u32::MAX));
        let parent = proc.stat(own).map_or(0, |stat| stat.parent);
        assert!(proc.is_descendant(own, parent) && !proc.is_descendant(parent, own));
        assert!(proc.root_mount(own).is_some());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let held = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inodes = proc.open_sockets(own);
        assert!(inodes.iter().any(|inode| held.to_str() == Some(&format!("socket:[{inode}]"))));
        assert!(proc.addresses(own).is_empty(), "the host's own addresses are no guest's");
    }
}
