//! What crun does that nobody would think of.

use std::{fs, time::Duration};

use app::{
    backend::{Backend as _, Error},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus::{Running, Stopped, Unknown},
        name::GuestName,
    },
};
use serde_json::json;

use super::{
    STUBBORN,
    crun::{World, create},
    is_alive, kill, not_ready,
};

#[tokio::test]
async fn one_id_under_two_state_directories_is_refused() {
    let world = World::new();
    let other = world.other_root();
    let name = world.name("web1");
    world.create_and_start(&name, &world.bundle("b", STUBBORN)).await;
    let why = not_ready(other.plan(&name, &create(&other.bundle("b", STUBBORN))).await);
    assert!(why.contains(&format!("/{name}")) && why.contains("Choose another name"), "{why}");
}

#[tokio::test]
async fn one_control_group_for_two_containers_is_refused() {
    let world = World::new();
    let group = format!("/{}", world.name("group"));
    let own =
        |path: String| move |config: &mut serde_json::Value| config["linux"]["cgroupsPath"] = json!(path);
    let first = world.name("first");
    world.create_and_start(&first, &world.bundle_with("first", own(group.clone()))).await;
    assert_eq!(world.agreed(&first).await, Running);
    for (word, path) in [("same", group.clone()), ("inside", format!("{group}/in"))] {
        let bundle = world.bundle_with(word, own(path));
        let why = not_ready(world.plan(&world.name(word), &create(&bundle)).await);
        assert!(why.contains(first.as_str()) && why.contains("cgroupsPath"), "{why}");
    }
    let root = world.bundle_with("root", own("/".to_owned()));
    let refused = world.plan(&world.name("root"), &create(&root)).await;
    assert!(matches!(&refused, Err(Error::Invalid { field: Field::Bundle, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_delete_that_would_kill_another_container_is_refused() {
    let world = World::new();
    let other = world.other_root();
    let name = world.name("web1");
    world.create_and_start(&name, &world.bundle("b", STUBBORN)).await;
    // Made behind Paddock's back: the same id under another state directory.
    let bundle = other.bundle("b", STUBBORN);
    other.crun_ok(&["create", "--bundle", &bundle, name.as_str()]);
    other.crun_ok(&["start", name.as_str()]);
    other.crun_ok(&["kill", name.as_str(), "KILL"]);
    other.reached(&name, Stopped).await;
    for request in [ActionRequest::Delete { purge: false }, ActionRequest::Start] {
        let why = not_ready(other.plan(&name, &request).await);
        assert!(why.contains("crun would kill that") && why.contains(&world.pid(&name).to_string()), "{why}");
    }
    assert_eq!(world.status(&name).await, Some(Running));
    // What is refused is true: this is what crun does.
    other.crun_ok(&["delete", name.as_str()]);
    world.reached(&name, Stopped).await;
}

#[tokio::test]
async fn what_outlives_a_container_without_a_pid_namespace_goes_with_its_delete() {
    let world = World::new();
    let bundle = world.bundle_with("b", |config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.retain(|namespace| namespace["type"] != "pid");
        config["process"]["args"] = json!(["sh", "-c", "sleep 600 & echo $! > /left; wait"]);
    });
    let name = world.name("web1");
    world.create_and_start(&name, &bundle).await;
    let left = world.written(&bundle, "left").await.parse().unwrap();
    world.act_ok(&name, ActionRequest::Stop).await;
    assert!(is_alive(left));
    let plan = world.plan(&name, &ActionRequest::Delete { purge: false }).await.unwrap();
    assert!(plan.loses.iter().any(|lost| lost.contains(&left.to_string())), "{:?}", plan.loses);
    world.act_ok(&name, ActionRequest::Delete { purge: false }).await;
    assert!(!is_alive(left));
}

#[tokio::test]
async fn a_garbled_state_file_hides_no_other_container_and_loses_no_running_one() {
    let world = World::new();
    let bundle = world.bundle("b", STUBBORN);
    let (good, bad) = (world.name("good"), world.name("bad"));
    world.create_and_start(&good, &bundle).await;
    world.create_and_start(&bad, &bundle).await;
    let pid = world.pid(&bad);
    let file = world.root().join(bad.as_str()).join("status");
    let real = fs::read_to_string(&file).unwrap();
    fs::write(&file, "{ nope").unwrap();
    assert!(!world.crun(&["list", "-f", "json"]).status.success(), "crun itself lists nothing any more");

    assert_eq!(world.status(&good).await, Some(Running));
    let guests = world.driver.list().await.unwrap();
    let guest = guests.iter().find(|guest| guest.id.name == bad).unwrap();
    assert_eq!((guests.len(), guest.status), (2, Unknown));
    assert!(guest.note.is_some());
    for request in [ActionRequest::Stop, ActionRequest::Delete { purge: false }] {
        let why = not_ready(world.plan(&bad, &request).await);
        assert!(why.contains(&format!("`kill -KILL {pid}`")), "{why}");
    }
    kill(pid);
    while is_alive(pid) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.act_ok(&bad, ActionRequest::Delete { purge: false }).await;
    assert_eq!(world.agreed(&good).await, Running);
    assert!(real.contains(&pid.to_string()));
}

#[tokio::test]
async fn hostile_names_of_others_are_left_out_and_reach_no_tool() {
    let world = World::new();
    let bundle = world.bundle("b", STUBBORN);
    let good = world.name("good");
    world.create_and_start(&good, &bundle).await;
    let hostile = [format!("{good} x"), format!("{good}ü"), format!("-{good}")];
    for name in &hostile {
        world.crun_ok(&["create", "--bundle", &bundle, "--", name]);
    }
    let listed = world.crun_ok(&["list", "-q"]);
    assert!(hostile.iter().all(|name| listed.lines().any(|line| line == name)), "{listed}");
    let guests = world.driver.list().await.unwrap();
    assert_eq!(guests.iter().map(|guest| &guest.id.name).collect::<Vec<_>>(), [&good]);
    assert!(hostile.iter().all(|name| GuestName::found(name).is_err()));
}

#[tokio::test]
async fn a_signal_that_does_not_exist_is_not_taken_for_sent() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    assert!(
        world.crun(&["kill", name.as_str(), "NOPE"]).status.success(),
        "the lie that the driver does not believe"
    );
    assert_eq!(world.agreed(&name).await, Running);
}
