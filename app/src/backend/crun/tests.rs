use std::{fs, sync::Mutex};

use super::{parse::tests::captured, *};
use crate::{
    backend::RunContext,
    domain::{
        action::Field,
        guest::GuestStatus,
        spec::{CreateRequest, CreateSpec},
    },
};

mod hostile;

/// Answers as crun 1.8.1 did, and notes what it was asked.
#[derive(Default)]
struct FakeCrun {
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Runner for FakeCrun {
    async fn run(&self, command: &Command, _context: &RunContext) -> CommandOutput {
        let asked = command.argv.to_string();
        let case = if asked.contains("--version") { "version" } else { "list-empty-json" };
        self.asked.lock().unwrap().push(asked);
        captured(case).1
    }
}

/// A driver with one container, whose process is long gone, and one whose state file is garbled.
fn driver(dir: &std::path::Path) -> (CrunDriver, Arc<FakeCrun>) {
    let root = dir.join("run");
    let status = include_str!("../../../tests/fixtures/crun-1.8.1/status-file.json");
    // A pid past the highest that a kernel hands out.
    let status = status.replace("15993", "4194999");
    for (name, text) in [("web1", status.as_str()), ("bad", "{")] {
        fs::create_dir_all(root.join(name)).unwrap();
        fs::write(root.join(name).join("status"), text).unwrap();
    }
    fs::write(root.join("no-directory"), "").unwrap();
    let config = CrunConfig {
        root,
        bundles: Some(dir.join("bundles")),
        images: dir.join("images"),
        log_dir: dir.join("log"),
    };
    let crun = Arc::new(FakeCrun::default());
    (CrunDriver { runner: crun.clone(), ..CrunDriver::new(config) }, crun)
}

fn name(text: &str) -> GuestName {
    GuestName::new(text).unwrap()
}

#[tokio::test]
async fn reading_and_planning_start_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let (driver, crun) = driver(dir.path());
    let mut guests = driver.list().await.unwrap();
    guests.sort_by(|a, b| a.id.cmp(&b.id));
    let seen: Vec<_> = guests.iter().map(|guest| (guest.id.name.as_str(), guest.status)).collect();
    assert_eq!(seen, [("bad", GuestStatus::Unknown), ("web1", GuestStatus::Stopped)]);
    assert_eq!(driver.guest(&name("web1")).await.unwrap().as_ref(), Some(&guests[1]));
    assert_eq!(driver.inspect(&name("bad")).await.unwrap().unwrap().guest, guests[0]);
    assert_eq!(driver.guest(&name("none")).await, Ok(None));
    assert!(driver.plan(&name("web1"), &ActionRequest::Delete { purge: false }).await.is_ok());
    let mut options = CreateOptions::default();
    driver.create_options(&mut options).await;
    assert_eq!(options, CreateOptions::default(), "a missing directory offers nothing");
    assert_eq!(driver.images().await, Ok(vec![]));
    let nodes = driver.nodes().await.unwrap();
    assert!(nodes.len() == 1 && nodes[0].storages.len() == 2 && nodes[0].note.is_none(), "{nodes:?}");
    assert_eq!(*crun.asked.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_probe_asks_for_the_version_and_one_list() {
    let dir = tempfile::tempdir().unwrap();
    let (driver, crun) = driver(dir.path());
    // What the verdict is depends on this host's control groups too.
    driver.probe().await;
    let root = dir.path().join("run");
    assert_eq!(
        *crun.asked.lock().unwrap(),
        ["crun --version".to_owned(), format!("crun --root {} list -f json", root.display())]
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_cruns_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (driver, _) = driver(dir.path());
    for request in [
        ActionRequest::Start,
        ActionRequest::Stop,
        ActionRequest::Delete { purge: false },
        ActionRequest::Shutdown { timeout_seconds: 1 },
    ] {
        let refused = driver.plan(&name("none"), &request).await;
        assert_eq!(refused, Err(Error::NotFound(guest_id(name("none")))));
    }
    let template = CreateSpec::LxcTemplate {
        template: "busybox".into(),
        arguments: vec![],
        limits: crate::domain::spec::Limits::default(),
        network: None,
    };
    let request = ActionRequest::Create(CreateRequest::of(name("none"), template));
    let refused = driver.plan(&name("none"), &request).await;
    assert!(matches!(refused, Err(Error::Invalid { field: Field::Backend, .. })));
}

#[test]
fn every_lack_has_its_reason_and_nothing_that_is_there_is_called_lacking() {
    use GuestAction::{Configure, Create, Delete, Exec, Pause, Reboot, Resume, Shutdown, Start, Stop};
    let dir = tempfile::tempdir().unwrap();
    let (driver, _) = driver(dir.path());
    for action in GuestAction::ALL {
        let is_there = matches!(
            action,
            Create | Start | Shutdown | Stop | Reboot | Pause | Resume | Exec | Configure | Delete
        );
        let lack = driver.lack(action);
        assert_eq!(lack.is_none(), is_there, "{action}");
        assert!(lack.is_none_or(|reason| reason.ends_with('.') && !reason.contains("yet")), "{action}");
    }
}

#[tokio::test]
async fn without_a_directory_for_bundles_none_is_made_from_an_image() {
    let dir = tempfile::tempdir().unwrap();
    let (mut driver, _) = driver(dir.path());
    driver.config.bundles = None;
    let spec = CreateSpec::CrunImage(crate::domain::spec::OciSpec {
        image: crate::domain::spec::OciImage::Registry("alpine".into()),
        command: vec![],
        env: vec![],
        mounts: vec![],
        limits: Default::default(),
        host_network: false,
    });
    let request = ActionRequest::Create(CreateRequest::of(name("new"), spec));
    let refused = driver.plan(&name("new"), &request).await;
    assert!(matches!(refused, Err(Error::NotReady { .. })), "{refused:?}");
    assert!(driver.plan(&name("web1"), &ActionRequest::Delete { purge: true }).await.is_ok());
}
