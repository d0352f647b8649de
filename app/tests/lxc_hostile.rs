//! What somebody could try to make of an LXC host by its inputs: each is refused by name, and no tool ever runs.
//!
//! A program of its own, so that a process started by anything in it would be seen. Needs no LXC.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "backend")]

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use app::{
    backend::{
        Backend, Error,
        lxc::{LxcConfig, LxcDriver},
    },
    domain::{
        action::{ActionRequest, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS},
        name::GuestName,
        spec::{Changes, CloneSpec, Cpus, CreateRequest, CreateSpec, Limits, LxcNetwork},
    },
};

/// Texts that are no name, no path, no image, no address and no tag of anything.
const TEXTS: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "../x",
    "../../../../etc/shadow",
    "-",
    "-n",
    "--help",
    "--rootfs=/",
    "-o/etc/passwd",
    ".hidden",
    "a b",
    "a\tb",
    "a\nb",
    "a\r",
    "a\0b",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{202e}gnp",
    "\u{feff}x",
    "ü",
    "١٢٣",
    "a/b",
    "/",
    "//",
    "a\\b",
    "$(id)",
    "`id`",
    "${IFS}",
    "; rm -rf /",
    "&& id",
    "| sh",
    "> /etc/passwd",
    "*",
    "?",
    "~root",
    "%s%n",
    "'",
    "\"",
    "a,b",
    "a=b",
    "lxc.hook.pre-start = /bin/sh",
    "x\nlxc.hook.start-host = /bin/sh",
    "#x",
    "!",
    "(",
    "{}",
    "[::1]",
];

struct Host {
    driver: LxcDriver,
    lxcpath: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Host {
    /// With the stopped container `web1`, which has a snapshot.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (lxcpath, templates) = (directory.path().join("lxc"), directory.path().join("templates"));
        let snapshot = lxcpath.join("web1/snaps/snap0");
        fs::create_dir_all(&snapshot).unwrap();
        let config = format!("lxc.rootfs.path = dir:{}/web1/rootfs\n", lxcpath.display());
        fs::write(lxcpath.join("web1/config"), &config).unwrap();
        fs::write(snapshot.join("config"), &config).unwrap();
        fs::write(snapshot.join("ts"), "2026:11:22 19:19:56").unwrap();
        fs::create_dir(&templates).unwrap();
        for template in ["busybox", "local", "oci"] {
            let path = templates.join(format!("lxc-{template}"));
            fs::write(&path, "#!/bin/sh\ntouch /hacked\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let driver = LxcDriver::new(LxcConfig {
            lxcpath: lxcpath.clone(),
            create_config: None,
            templates,
            skip_numeric: true,
            log_dir: directory.path().join("log"),
        });
        Self { driver: driver.unwrap(), lxcpath, _directory: directory }
    }

    /// Every file below the LXC path with its text.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(directory: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
            for path in fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()) {
                let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
                found.insert(path.display().to_string(), bytes);
                if path.is_dir() {
                    walk(&path, found);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.lxcpath, &mut found);
        found
    }
}

/// Page faults of all children that were waited for, and how many children there are: 0 and 0 where no process was
/// ever started.
fn processes() -> (u64, usize) {
    let fields = |path: &str| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let rest = text.rsplit_once(')').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        rest.split_whitespace().map(str::to_owned).collect()
    };
    let faults = fields("/proc/self/stat")[8].parse().unwrap();
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = pids.filter(|pid| fields(&format!("/proc/{pid}/stat")).get(1) == Some(&own)).count();
    (faults, children)
}

fn create(spec: CreateSpec) -> ActionRequest {
    let mut request = CreateRequest::of("any".parse().unwrap(), spec);
    request.start = true;
    ActionRequest::Create(request)
}

fn template(
    template: &str,
    arguments: Vec<String>,
    limits: Limits,
    network: Option<LxcNetwork>,
) -> ActionRequest {
    create(CreateSpec::LxcTemplate { template: template.to_owned(), arguments, limits, network })
}

fn with(limits: Limits, network: Option<LxcNetwork>) -> ActionRequest {
    template("local", vec![], limits, network)
}

fn bridge(bridge: &str, address: Option<&str>, gateway: Option<&str>) -> ActionRequest {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let network =
        LxcNetwork::Bridge { bridge: bridge.to_owned(), address: text(address), gateway: text(gateway) };
    with(Limits::default(), Some(network))
}

fn clone(name: &str) -> CloneSpec {
    let name = GuestName::found(name).unwrap();
    CloneSpec { name, vmid: None, linked: false, snapshot: None, storage: None, node: None }
}

/// Requests for a container that is to be made.
fn of_new() -> Vec<ActionRequest> {
    let mut all = Vec::new();
    for &text in TEXTS {
        let owned = || text.to_owned();
        all.push(template(text, vec![], Limits::default(), None));
        all.push(template(&format!("busybox{text}\n"), vec![], Limits::default(), None));
        all.push(template("local", vec![format!("--rootfs={text}")], Limits::default(), None));
        all.push(template("busybox", vec![format!("-p{text}")], Limits::default(), None));
        all.push(bridge(text, None, None));
        all.push(bridge("br0", Some(text), None));
        all.push(bridge("br0", Some("10.0.0.2/24"), Some(text)));
        all.push(create(CreateSpec::LxcOci { image: owned(), limits: Limits::default(), network: None }));
        let image = format!("docker://{text}\n");
        all.push(create(CreateSpec::LxcOci { image, limits: Limits::default(), network: None }));
        for (metadata, rootfs) in [(owned(), "/r".to_owned()), ("/m".to_owned(), owned())] {
            all.push(create(CreateSpec::LxcLocal {
                metadata,
                rootfs,
                limits: Limits::default(),
                network: None,
            }));
        }
    }
    for memory in [0, 1, 512, 1023, (1 << 20) - 1, (1 << 60) + 1, u64::MAX] {
        all.push(with(Limits { memory: Some(memory), ..Limits::default() }, None));
    }
    for cpu in [0, 8_192_001, u32::MAX] {
        all.push(with(Limits { cpu: Some(Cpus(cpu)), ..Limits::default() }, None));
    }
    for pids in [0, (1 << 22) + 1, u64::MAX] {
        all.push(with(Limits { pids: Some(pids), ..Limits::default() }, None));
    }
    let many = vec!["x".to_owned(); 65];
    all.push(template("local", many, Limits::default(), None));
    all.push(template("local", vec!["x".repeat(1 << 20)], Limits::default(), None));
    all.push(create(CreateSpec::CrunBundle { bundle: "/b".into() }));
    all
}

/// Requests for the container that is there.
fn of_web1() -> Vec<ActionRequest> {
    let mut all = Vec::new();
    for &text in TEXTS {
        let owned = || text.to_owned();
        all.push(ActionRequest::Rollback { snapshot: owned() });
        all.push(ActionRequest::DeleteSnapshot { snapshot: owned() });
        all.push(ActionRequest::Clone(CloneSpec { snapshot: Some(owned()), ..clone("w2") }));
        all.push(ActionRequest::Clone(CloneSpec { storage: Some(owned()), ..clone("w2") }));
        all.push(ActionRequest::Clone(CloneSpec { node: Some(owned()), ..clone("w2") }));
        all.push(ActionRequest::Snapshot { name: Some(owned()), description: owned(), memory: false });
        all.push(ActionRequest::Configure(Changes { tags: Some(vec![owned()]), ..Changes::default() }));
        all.push(ActionRequest::Exec { command: vec![format!("{text}\0")], timeout_seconds: 1 });
        all.push(ActionRequest::Exec { command: vec![String::new(), owned()], timeout_seconds: 1 });
        all.push(ActionRequest::Migrate { node: owned() });
        all.push(ActionRequest::Resize { disk: owned(), size: u64::MAX });
        if !text.is_empty() {
            all.push(ActionRequest::Configure(Changes { description: Some(owned()), ..Changes::default() }));
        }
    }
    for name in ["A", "AL", "ALL", "snap", "snap00", "snap-1", "snap1", "Snap0", "snap0 "] {
        all.push(ActionRequest::DeleteSnapshot { snapshot: name.to_owned() });
        all.push(ActionRequest::Rollback { snapshot: name.to_owned() });
    }
    for timeout_seconds in [0, LONGEST_SHUTDOWN_SECONDS + 1, u32::MAX] {
        all.push(ActionRequest::Shutdown { timeout_seconds });
        all.push(ActionRequest::Reboot { timeout_seconds });
    }
    for timeout_seconds in [0, LONGEST_EXEC_SECONDS + 1, u32::MAX] {
        all.push(ActionRequest::Exec { command: vec!["true".to_owned()], timeout_seconds });
    }
    let words = |word: &str, count: usize| ActionRequest::Exec {
        command: vec![word.to_owned(); count],
        timeout_seconds: 1,
    };
    all.extend([
        words("", 0),
        words("x", 1025),
        words(&"x".repeat(1 << 17), 1),
        words(&"x".repeat(100_000), 20),
    ]);
    for changes in [
        Changes::default(),
        Changes { swap: Some(0), ..Changes::default() },
        Changes { memory: Some(0), ..Changes::default() },
        Changes { memory: Some(u64::MAX), ..Changes::default() },
        Changes { cpu: Some(Cpus(0)), ..Changes::default() },
        Changes { cpu: Some(Cpus(u32::MAX)), ..Changes::default() },
        Changes { pids: Some(0), ..Changes::default() },
        Changes { tags: Some(vec!["onboot".to_owned()]), ..Changes::default() },
        Changes { tags: Some(vec!["x".repeat(65)]), ..Changes::default() },
        Changes { tags: Some((0..65).map(|tag| tag.to_string()).collect()), ..Changes::default() },
    ] {
        all.push(ActionRequest::Configure(changes));
    }
    let snapshot = |description: &str, memory| ActionRequest::Snapshot {
        name: None,
        description: description.to_owned(),
        memory,
    };
    all.extend([snapshot("", true), snapshot("\u{1b}[2J", false), snapshot(&"x".repeat(4097), false)]);
    all.push(ActionRequest::Clone(CloneSpec { vmid: Some(101), ..clone("w2") }));
    all.push(ActionRequest::Clone(clone("101")));
    all.push(ActionRequest::Clone(clone("web1")));
    all.push(ActionRequest::Clone(clone(&"x".repeat(64))));
    all.extend([
        ActionRequest::Reset,
        ActionRequest::Hibernate,
        ActionRequest::MakeTemplate,
        ActionRequest::Unlock,
    ]);
    all
}

/// A refusal by name: not that something could not be read or understood on the way.
fn is_typed(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid { .. }
            | Error::AlreadyExists(_)
            | Error::NotFound(_)
            | Error::NotReady { .. }
            | Error::Unsupported { .. }
    )
}

#[tokio::test]
async fn hostile_inputs_are_refused_by_name_and_start_no_process() {
    let host = Host::new();
    let before = host.files();
    assert_eq!(processes(), (0, 0), "this program has started something before");
    let mut count = 0;
    for text in TEXTS {
        assert!(GuestName::found(text).is_err(), "{text:?} is no name of a guest");
        count += 1;
    }
    let (new, web1) = (GuestName::new("new1").unwrap(), GuestName::new("web1").unwrap());
    let long = GuestName::found(&"x".repeat(64)).unwrap();
    let mut requests: Vec<(GuestName, ActionRequest)> = Vec::new();
    requests.extend(of_new().into_iter().map(|request| (new.clone(), request)));
    requests.extend(of_web1().into_iter().map(|request| (web1.clone(), request)));
    for name in [long, GuestName::new("101").unwrap(), web1.clone()] {
        requests.push((name, with(Limits::default(), None)));
    }
    // The same of a guest that is not there.
    requests.extend(of_web1().into_iter().map(|request| (new.clone(), request)));
    for (name, request) in requests {
        let error = host.driver.plan(&name, &request).await.expect_err(&format!("{name}: {request:?}"));
        assert!(is_typed(&error), "{request:?}: {error:?}");
        let said = error.to_string();
        assert!(!said.is_empty() && said.len() < 2000, "{request:?}: {said}");
        count += 1;
    }
    println!("{count} inputs");
    assert!(count >= 500, "{count}");
    assert_eq!(processes(), (0, 0), "no process was started");
    assert_eq!(host.files(), before, "no file was touched");
    assert!(!Path::new("/hacked").exists());
    std::process::Command::new("true").status().unwrap();
    assert_ne!(processes(), (0, 0), "one would have been seen");
}
