//! Whatever is asked for, a plan is made or a typed error told: nothing panics, nothing runs, nothing is written.

use crate::domain::{
    action::{Field, LONGEST_EXEC_SECONDS, LONGEST_SHUTDOWN_SECONDS},
    name::NameError,
    spec::{
        BackupMode, BindMount, Changes, CloneSpec, Cpus, CreateRequest, CreateSpec, Limits, OciImage, OciSpec,
    },
};

use super::*;

/// None of these is a name, a path, a reference, a tag or a variable of any kind.
const TEXTS: [&str; 42] = [
    "",
    " ",
    "-",
    "-rf",
    "--help",
    "--root=/",
    "../x",
    "/../x",
    "/etc/../etc/passwd",
    "../../../../etc/shadow",
    "..",
    "./x",
    "~root",
    "a\0b",
    "a\nb",
    "\r\n",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{202e}txt.exe",
    "😀",
    "ünï",
    "$(reboot)",
    "`id`",
    ";reboot",
    "a;b",
    "| sh",
    "&& sh",
    "> /etc/passwd",
    "'",
    "\"",
    "\\",
    "%s%n",
    "{}",
    "[]",
    "null,",
    "<script>alert(1)</script>",
    "C:\\Windows",
    "file:///etc/passwd",
    "http://a b/",
    "a:b:c::",
    "@",
    "*?#",
];

struct Asked {
    driver: CrunDriver,
    count: usize,
}

impl Asked {
    async fn plan(&mut self, id: &str, request: ActionRequest) -> Error {
        self.count += 1;
        let id = GuestName::found(id).unwrap();
        match self.driver.plan(&id, &request).await {
            Err(error) => error,
            Ok(plan) => panic!("{request:?} was planned: {plan:?}"),
        }
    }

    async fn refuses(&mut self, field: Field, request: ActionRequest) {
        let shown = format!("{request:?}").chars().take(300).collect::<String>();
        let error = self.plan("web1", request).await;
        let Error::Invalid { field: found, message } = &error else { panic!("{shown}: {error:?}") };
        assert_eq!(*found, field, "{shown}: {message}");
        assert!(message.len() < 600 && !message.chars().any(char::is_control), "{shown}: {message:?}");
    }
}

fn spec(image: OciImage) -> OciSpec {
    OciSpec {
        image,
        command: vec![],
        env: vec![],
        mounts: vec![],
        limits: Limits::default(),
        host_network: false,
    }
}

fn alpine() -> OciSpec {
    spec(OciImage::Registry("alpine".into()))
}

fn create(spec: OciSpec) -> ActionRequest {
    ActionRequest::Create(CreateRequest::of(name("new"), CreateSpec::CrunImage(spec)))
}

fn mount(source: &str, target: &str) -> OciSpec {
    OciSpec {
        mounts: vec![BindMount { source: source.into(), target: target.into(), read_only: false }],
        ..alpine()
    }
}

/// Texts, and two that are too long for anything.
fn texts() -> Vec<String> {
    let long = ["a".repeat(5000), format!("/{}", "a/".repeat(5000))];
    TEXTS.iter().map(|&text| text.to_owned()).chain(long).collect()
}

/// Everything below the directory.
fn tree(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            found.push(entry.path());
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn five_hundred_bad_inputs_are_refused_each_by_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let (driver, crun) = driver(dir.path());
    let before = tree(dir.path());
    let mut asked = Asked { driver, count: 0 };
    names(&mut asked).await;
    texts_everywhere(&mut asked).await;
    numbers(&mut asked).await;
    words(&mut asked).await;
    println!("{} bad inputs", asked.count);
    assert!(asked.count >= 500, "only {}", asked.count);
    assert_eq!(*crun.asked.lock().unwrap(), Vec::<String>::new(), "no process was started");
    assert_eq!(tree(dir.path()), before, "nothing was written");
}

async fn names(asked: &mut Asked) {
    for text in texts() {
        // These never become a guest's name, so that no plan can be asked of them.
        asked.count += 1;
        let refused = GuestName::found(&text);
        assert!(
            matches!(
                refused,
                Err(NameError::Empty
                    | NameError::TooLong { .. }
                    | NameError::BadStart { .. }
                    | NameError::BadCharacter { .. })
            ),
            "{text:?}"
        );
    }
    // Found but not to be given.
    for length in [64, 65, 100, 128] {
        let id = "f".repeat(length);
        let error = asked.plan(&id, create(alpine())).await;
        assert!(matches!(error, Error::Invalid { field: Field::Name, .. }), "{error:?}");
        let bundle = CreateSpec::CrunBundle { bundle: "/srv/b".into() };
        let error = asked.plan(&id, ActionRequest::Create(CreateRequest::of(name("x"), bundle))).await;
        assert!(matches!(error, Error::Invalid { field: Field::Name, .. }), "{error:?}");
    }
    for id in ["none", "0", "web1.", "WEB1", "web1-", "status"] {
        for request in [
            ActionRequest::Start,
            ActionRequest::Stop,
            ActionRequest::Pause,
            ActionRequest::Resume,
            ActionRequest::Shutdown { timeout_seconds: 1 },
            ActionRequest::Reboot { timeout_seconds: 1 },
            ActionRequest::Delete { purge: false },
            ActionRequest::Delete { purge: true },
            ActionRequest::Exec { command: vec!["true".into()], timeout_seconds: 1 },
            ActionRequest::Configure(Changes { pids: Some(5), ..Changes::default() }),
        ] {
            let error = asked.plan(id, request).await;
            assert_eq!(error, Error::NotFound(guest_id(name(id))));
        }
    }
}

async fn texts_everywhere(asked: &mut Asked) {
    for text in texts() {
        let text = || text.clone();
        let bundle = CreateSpec::CrunBundle { bundle: text() };
        asked.refuses(Field::Bundle, ActionRequest::Create(CreateRequest::of(name("new"), bundle))).await;
        asked.refuses(Field::Image, create(spec(OciImage::Registry(text())))).await;
        asked.refuses(Field::Image, create(spec(OciImage::Archive { path: text() }))).await;
        let layout = |path: String, tag: String| create(spec(OciImage::Layout { path, tag }));
        asked.refuses(Field::Image, layout(text(), "1".into())).await;
        asked.refuses(Field::Image, layout("/srv".into(), text())).await;
        asked.refuses(Field::Env, create(OciSpec { env: vec![(text(), "x".into())], ..alpine() })).await;
        asked.refuses(Field::Mount, create(mount(&text(), "/mnt"))).await;
        asked.refuses(Field::Mount, create(mount("/etc", &text()))).await;
        let tags = Changes { tags: Some(vec!["good".into(), text()]), ..Changes::default() };
        asked.refuses(Field::Tags, ActionRequest::Configure(tags)).await;
    }
    for path in ["/", "/proc", "/proc/1/mem", "/sys/kernel", "/dev", "//proc", "/./sys"] {
        asked.refuses(Field::Mount, create(mount("/etc", path))).await;
    }
    for image in ["/etc/passwd", "/dev/zero", "/proc/self/mem", "/etc", "/no/such.tar"] {
        asked.refuses(Field::Image, create(spec(OciImage::Archive { path: image.into() }))).await;
        let layout = OciImage::Layout { path: image.into(), tag: "latest".into() };
        asked.refuses(Field::Image, create(spec(layout))).await;
    }
    for text in ["\u{1b}]0;x\u{7}", "a\0", &"x".repeat(9000)] {
        let changes = Changes { description: Some(text.to_owned()), ..Changes::default() };
        asked.refuses(Field::Description, ActionRequest::Configure(changes)).await;
    }
}

async fn numbers(asked: &mut Asked) {
    let both = |limits: Limits| {
        let Limits { cpu, memory, pids } = limits.clone();
        let changes = Changes { cpu, memory, pids, ..Changes::default() };
        [create(OciSpec { limits, ..alpine() }), ActionRequest::Configure(changes)]
    };
    let none = Limits::default();
    for memory in [0, 1, 4095, (4 << 20) - 1, 1 << 63, u64::MAX] {
        for request in both(Limits { memory: Some(memory), ..none.clone() }) {
            asked.refuses(Field::Memory, request).await;
        }
    }
    for cpu in [0, Cpus::MOST.0 + 1, u32::MAX] {
        for request in both(Limits { cpu: Some(Cpus(cpu)), ..none.clone() }) {
            asked.refuses(Field::Cpu, request).await;
        }
    }
    for pids in [0, (4 << 20) + 1, u64::MAX] {
        for request in both(Limits { pids: Some(pids), ..none.clone() }) {
            asked.refuses(Field::Pids, request).await;
        }
    }
    for timeout_seconds in [0, LONGEST_SHUTDOWN_SECONDS + 1, u32::MAX] {
        asked.refuses(Field::Timeout, ActionRequest::Shutdown { timeout_seconds }).await;
        asked.refuses(Field::Timeout, ActionRequest::Reboot { timeout_seconds }).await;
    }
    for timeout_seconds in [0, LONGEST_EXEC_SECONDS + 1, u32::MAX] {
        let command = vec!["true".to_owned()];
        asked.refuses(Field::Timeout, ActionRequest::Exec { command, timeout_seconds }).await;
    }
}

async fn words(asked: &mut Asked) {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let commands = [
        owned(&[""]),
        owned(&["", "x"]),
        owned(&["sh", "a\0b"]),
        owned(&["\0"]),
        vec!["x".repeat(128 * 1024)],
        vec!["x".to_owned(); 1001],
        vec!["x".repeat(100_000); 11],
    ];
    for command in commands {
        asked.refuses(Field::Command, create(OciSpec { command: command.clone(), ..alpine() })).await;
        asked.refuses(Field::Command, ActionRequest::Exec { command, timeout_seconds: 5 }).await;
    }
    asked.refuses(Field::Command, ActionRequest::Exec { command: vec![], timeout_seconds: 5 }).await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for env in [
        vec![pair("A", "1"), pair("A", "2")],
        vec![pair("A", "\0")],
        vec![pair("A=B", "1")],
        vec![pair("1A", "1")],
        vec![pair("A B", "1")],
        vec![pair("A", &"x".repeat(128 * 1024))],
        (0..1001).map(|i| pair(&format!("A{i}"), "")).collect(),
    ] {
        asked.refuses(Field::Env, create(OciSpec { env, ..alpine() })).await;
    }
    let twice = BindMount { source: "/etc".into(), target: "/mnt".into(), read_only: true };
    asked.refuses(Field::Mount, create(OciSpec { mounts: vec![twice.clone(), twice], ..alpine() })).await;
    asked.refuses(Field::Mount, create(mount("/no/such/source", "/mnt"))).await;
    let copy = CloneSpec {
        name: name("copy"),
        vmid: None,
        linked: false,
        snapshot: None,
        storage: None,
        node: None,
    };
    for request in [
        ActionRequest::Clone(copy),
        ActionRequest::MakeTemplate,
        ActionRequest::Reset,
        ActionRequest::Hibernate,
        ActionRequest::Unlock,
        ActionRequest::Snapshot { name: None, description: String::new(), memory: false },
        ActionRequest::Rollback { snapshot: "x".into() },
        ActionRequest::DeleteSnapshot { snapshot: "x".into() },
        ActionRequest::Resize { disk: "rootfs".into(), size: u64::MAX },
        ActionRequest::Migrate { node: "\0".into() },
        ActionRequest::Backup { storage: None, mode: BackupMode::Stop },
    ] {
        let error = asked.plan("web1", request).await;
        assert!(matches!(&error, Error::Unsupported { reason, .. } if reason.len() > 20), "{error:?}");
    }
}
