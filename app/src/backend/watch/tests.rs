use std::{process::Command, time::Duration};

use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(5);
/// Of a silence that is to be told from a sound: whatever was done before it had been done.
const QUIET: Duration = Duration::from_millis(100);

fn only(root: &Path) -> Sources {
    Sources { root: root.to_owned(), ..Sources::default() }
}

async fn hears(watcher: &mut Watcher) -> bool {
    timeout(SOON, watcher.changed()).await.is_ok_and(|heard| heard.is_ok())
}

async fn is_quiet(watcher: &mut Watcher) -> bool {
    timeout(QUIET, watcher.changed()).await.is_err()
}

#[tokio::test]
async fn each_kind_of_source_is_heard_once_and_then_it_is_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let (inner, file) = (dir.path().join("inner"), dir.path().join("inner/state"));
    fs::create_dir(&inner).unwrap();
    fs::write(&file, "0").unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let sources = Sources {
        directories: [inner.clone(), dir.path().join("none")].into(),
        files: [file.clone()].into(),
        processes: vec![child.id(), u32::MAX],
        ..only(dir.path())
    };
    let mut watcher = Watcher::new().unwrap();
    assert!(watcher.follow(&sources).unwrap());
    assert!(!watcher.follow(&sources).unwrap(), "nothing is new");
    assert!(is_quiet(&mut watcher).await);
    type Change<'a> = Box<dyn FnMut() + 'a>;
    let changes: [Change<'_>; 5] = [
        Box::new(|| fs::write(dir.path().join("made"), "x").unwrap()),
        Box::new(|| fs::rename(dir.path().join("made"), dir.path().join("inner/moved")).unwrap()),
        Box::new(|| fs::write(&file, "1").unwrap()),
        Box::new(|| fs::remove_file(inner.join("moved")).unwrap()),
        Box::new(|| child.kill().unwrap()),
    ];
    for (i, mut change) in changes.into_iter().enumerate() {
        change();
        assert!(hears(&mut watcher).await, "change {i}");
        assert!(is_quiet(&mut watcher).await, "change {i} is told once");
    }
    child.wait().unwrap();
}

#[tokio::test]
async fn of_a_directory_that_others_use_only_the_named_entries_are_heard() {
    let dir = tempfile::tempdir().unwrap();
    let (root, shared) = (dir.path().join("root"), dir.path().join("shared"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&shared).unwrap();
    let entries = ["lxc.payload.web".to_owned(), "lxc.payload.db-2".to_owned()].into();
    let sources = Sources { shared: [shared.clone()].into(), entries, ..only(&root) };
    let mut watcher = Watcher::new().unwrap();
    assert!(watcher.follow(&sources).unwrap());
    for other in
        ["system.slice", "lxc.monitor.web", "lxc.payload.web2", "lxc.payload.db", "lxc.payload.web-x"]
    {
        fs::create_dir(shared.join(other)).unwrap();
        assert!(is_quiet(&mut watcher).await, "{other}");
    }
    for ours in ["lxc.payload.web", "lxc.payload.web-1", "lxc.payload.db-2", "lxc.payload.db-2-1"] {
        fs::create_dir(shared.join(ours)).unwrap();
        assert!(hears(&mut watcher).await, "{ours}");
    }
    fs::remove_dir_all(&shared).unwrap();
    assert!(hears(&mut watcher).await, "its own end");
}

#[tokio::test]
async fn a_directory_that_is_made_anew_is_heard_again_and_one_that_is_gone_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let mut watcher = Watcher::new().unwrap();
    let absent = |watcher: &mut Watcher| watcher.follow(&only(&root)).unwrap_err().kind();
    assert_eq!(absent(&mut watcher), io::ErrorKind::NotFound);
    for round in 0..3 {
        fs::create_dir(&root).unwrap();
        assert!(watcher.follow(&only(&root)).unwrap(), "round {round}");
        fs::write(root.join("made"), "x").unwrap();
        assert!(hears(&mut watcher).await, "round {round}");
        fs::remove_dir_all(&root).unwrap();
        assert!(hears(&mut watcher).await, "round {round}");
        assert_eq!(absent(&mut watcher), io::ErrorKind::NotFound);
    }
    // Another directory under the same name, while the first lives on elsewhere.
    fs::create_dir(&root).unwrap();
    assert!(watcher.follow(&only(&root)).unwrap());
    fs::rename(&root, dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&root).unwrap();
    assert!(hears(&mut watcher).await);
    assert!(watcher.follow(&only(&root)).unwrap(), "it is another");
    assert!(is_quiet(&mut watcher).await);
    fs::write(dir.path().join("elsewhere/x"), "x").unwrap();
    assert!(is_quiet(&mut watcher).await, "the first one is nobody's affair any more");
    fs::write(root.join("x"), "x").unwrap();
    assert!(hears(&mut watcher).await);
}

#[tokio::test]
async fn what_is_followed_no_more_is_not_heard_and_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new().unwrap();
    for round in 0..200 {
        let inner = dir.path().join(format!("c{round}"));
        fs::create_dir(&inner).unwrap();
        // Two ways to one place are one watch.
        let way = dir.path().join(format!("way{round}"));
        std::os::unix::fs::symlink(&inner, &way).unwrap();
        let directories = [inner.clone(), way.clone()].into();
        assert!(watcher.follow(&Sources { directories, ..only(dir.path()) }).unwrap());
        let directories = [way].into();
        assert!(!watcher.follow(&Sources { directories, ..only(dir.path()) }).unwrap());
        while !is_quiet_now(&mut watcher) {}
        fs::write(inner.join("x"), "x").unwrap();
        assert!(hears(&mut watcher).await, "the other way is still followed");
    }
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    watcher.follow(&Sources { processes: vec![child.id()], ..only(dir.path()) }).unwrap();
    watcher.follow(&only(dir.path())).unwrap();
    while !is_quiet_now(&mut watcher) {}
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_quiet(&mut watcher).await);
    assert_eq!((watcher.watches.len(), watcher.processes.len()), (1, 0));
    let info = format!("/proc/self/fdinfo/{}", std::os::fd::AsRawFd::as_raw_fd(&watcher.inotify));
    let held = fs::read_to_string(info).unwrap();
    assert_eq!(held.lines().filter(|line| line.starts_with("inotify")).count(), 1, "{held}");
}

fn is_quiet_now(watcher: &mut Watcher) -> bool {
    !watcher.heard().unwrap()
}

#[tokio::test]
async fn after_more_events_than_the_kernel_keeps_everything_is_followed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::new().unwrap();
    watcher.follow(&only(dir.path())).unwrap();
    let most: usize =
        fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::write(&a, "").unwrap();
    for _ in 0..=most / 4 {
        fs::rename(&a, &b).unwrap();
        fs::rename(&b, &a).unwrap();
    }
    let mut overflown = false;
    for _ in 0..100 {
        if watcher.watches.is_empty() {
            overflown = true;
            break;
        }
        watcher.heard().unwrap();
    }
    assert!(overflown);
    assert!(watcher.follow(&only(dir.path())).unwrap());
    fs::write(dir.path().join("c"), "").unwrap();
    assert!(hears(&mut watcher).await);
}

/// Run by the test below once more, where the kernel allows three watches.
const ROOM: &str = "/proc/sys/user/max_inotify_watches";
const INSIDE: &str = "PADDOCK_TEST_WITHOUT_ROOM";

#[tokio::test]
async fn where_the_kernel_has_no_room_for_watches_it_is_an_error_until_there_is() {
    if std::env::var_os(INSIDE).is_none() {
        let narrow = format!("echo 3 > {ROOM} && exec \"$@\"");
        let name =
            "backend::watch::tests::where_the_kernel_has_no_room_for_watches_it_is_an_error_until_there_is";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", &narrow, "sh"]);
        let output =
            command.arg(std::env::current_exe().unwrap()).args(["--exact", name]).env(INSIDE, "1").output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let directories: BTreeSet<PathBuf> = (0..5).map(|i| dir.path().join(format!("c{i}"))).collect();
    directories.iter().for_each(|directory| fs::create_dir(directory).unwrap());
    let sources = Sources { directories, ..only(dir.path()) };
    let mut watcher = Watcher::new().unwrap();
    assert_eq!(watcher.follow(&sources).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(watcher.watches.len(), 3);
    drop(watcher);
    fs::write(ROOM, "100").unwrap();
    let mut watcher = Watcher::new().unwrap();
    assert!(watcher.follow(&sources).unwrap());
    fs::write(dir.path().join("c4/x"), "x").unwrap();
    assert!(hears(&mut watcher).await);
}
