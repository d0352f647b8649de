//! Limits, tags and descriptions, in force at once and kept for the next start.

use std::{fs, path::Path, time::Instant};

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::{
            GuestDetail,
            GuestStatus::{Created, Paused, Running, Stopped},
        },
        name::GuestName,
        plan::StepResult,
        spec::{Changes, Cpus},
    },
};
use serde_json::{Value, json};

use super::{OBEDIENT, STUBBORN, crun::World, not_ready};

const MIB: u64 = 1024 * 1024;

fn limits(memory: u64, cpu: u32, pids: u64) -> Changes {
    Changes { memory: Some(memory), cpu: Some(Cpus(cpu)), pids: Some(pids), ..Changes::default() }
}

async fn detail(world: &World, name: &GuestName) -> GuestDetail {
    world.driver.inspect(name).await.unwrap().unwrap()
}

fn fact<'a>(detail: &'a GuestDetail, label: &str) -> Option<&'a str> {
    detail.facts.iter().find(|(found, _)| found == label).map(|(_, value)| value.as_str())
}

fn config(bundle: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(bundle).join("config.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn limits_are_in_force_at_once_and_at_every_start_to_come() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    let before = detail(&world, &name).await;
    assert_eq!((before.memory_limit, before.cpu_limit), (None, None));

    let begun = Instant::now();
    world.act_ok(&name, ActionRequest::Configure(limits(64 * MIB, 1500, 40))).await;
    println!("configure: {:?}", begun.elapsed());
    let is_limited = |detail: &GuestDetail| {
        assert_eq!((detail.memory_limit, detail.cpu_limit), (Some(64 * MIB), Some(Cpus(1500))));
        assert_eq!(fact(detail, "Process limit"), Some("40"));
        assert_eq!(detail.pending, []);
    };
    is_limited(&detail(&world, &name).await);

    // The smallest share needs a longer period, and back again.
    for cpu in [1, 9, 2000] {
        let changes = Changes { cpu: Some(Cpus(cpu)), ..Changes::default() };
        world.act_ok(&name, ActionRequest::Configure(changes)).await;
        assert_eq!(detail(&world, &name).await.cpu_limit, Some(Cpus(cpu)));
    }
    world.act_ok(&name, ActionRequest::Configure(limits(64 * MIB, 1500, 40))).await;

    world.act_ok(&name, ActionRequest::Reboot { timeout_seconds: 20 }).await;
    assert_eq!(world.agreed(&name).await, Running);
    is_limited(&detail(&world, &name).await);
}

#[tokio::test]
async fn a_paused_or_waiting_container_is_limited_at_once_too() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create(&name, &bundle).await;
    world.act_ok(&name, ActionRequest::Configure(limits(48 * MIB, 500, 30))).await;
    assert_eq!(world.agreed(&name).await, Created);
    let found = detail(&world, &name).await;
    assert_eq!((found.memory_limit, found.cpu_limit), (Some(48 * MIB), Some(Cpus(500))));
    world.act_ok(&name, ActionRequest::Start).await;
    world.act_ok(&name, ActionRequest::Pause).await;
    world.act_ok(&name, ActionRequest::Configure(limits(56 * MIB, 600, 31))).await;
    assert_eq!(world.agreed(&name).await, Paused);
    let found = detail(&world, &name).await;
    assert_eq!((found.memory_limit, found.cpu_limit), (Some(56 * MIB), Some(Cpus(600))));
    assert_eq!(fact(&found, "Process limit"), Some("31"));
}

#[tokio::test]
async fn a_stopped_container_has_its_limits_from_its_next_start_on() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    world.act_ok(&name, ActionRequest::Stop).await;
    let (end, told) = world.act(&name, ActionRequest::Configure(limits(32 * MIB, 250, 20))).await;
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(told.outcomes.len(), 1, "only the file is changed");
    assert_eq!(told.outcomes[0].result, StepResult::Edited);
    let found = detail(&world, &name).await;
    assert_eq!((found.guest.status, found.memory_limit), (Stopped, Some(32 * MIB)));
    world.act_ok(&name, ActionRequest::Start).await;
    let found = detail(&world, &name).await;
    assert_eq!((found.memory_limit, found.cpu_limit), (Some(32 * MIB), Some(Cpus(250))));
    assert_eq!(fact(&found, "Process limit"), Some("20"));
}

#[tokio::test]
async fn swap_is_limited_beside_memory() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    let swap = Changes { swap: Some(16 * MIB), ..Changes::default() };
    let refused = world.plan(&name, &ActionRequest::Configure(swap.clone())).await;
    assert!(matches!(refused, Err(Error::Invalid { field: Field::Swap, .. })), "{refused:?}");
    let memory = |bytes| Changes { memory: Some(bytes), ..Changes::default() };
    world.act_ok(&name, ActionRequest::Configure(memory(64 * MIB))).await;
    world.act_ok(&name, ActionRequest::Configure(swap)).await;
    assert_eq!(config(&bundle)["linux"]["resources"]["memory"], json!({"limit": 64 * MIB, "swap": 80 * MIB}));
    // Up and down: the kernel takes neither of the two alone past the other, and the swap stays what it was.
    for bytes in [128 * MIB, 32 * MIB] {
        world.act_ok(&name, ActionRequest::Configure(memory(bytes))).await;
        let found = detail(&world, &name).await;
        assert_eq!(found.memory_limit, Some(bytes));
        assert_eq!(fact(&found, "Swap limit"), Some(format!("{} bytes", 16 * MIB).as_str()));
    }
    world.act_ok(&name, ActionRequest::Reboot { timeout_seconds: 20 }).await;
    assert_eq!(detail(&world, &name).await.memory_limit, Some(32 * MIB));
}

#[tokio::test]
async fn a_limit_below_what_is_used_is_refused_and_nothing_is_written() {
    let world = World::new();
    let (name, bundle) = (
        world.name("web1"),
        world.bundle(
            "b",
            "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready > /ready; while :; do sleep 1; done",
        ),
    );
    for tool in ["head", "tr"] {
        std::os::unix::fs::symlink("busybox", Path::new(&bundle).join("rootfs/bin").join(tool)).unwrap();
    }
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    let before = config(&bundle);
    let changes = Changes { memory: Some(8 * MIB), ..Changes::default() };
    let (end, _) = world.act(&name, ActionRequest::Configure(changes)).await;
    assert!(matches!(end, ExecutionEnd::Failed(Error::Invalid { field: Field::Memory, .. })), "{end:?}");
    assert_eq!(config(&bundle), before);
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn tags_and_description_are_kept_in_the_bundle() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    let notes = |tags: &[&str], description: &str| {
        ActionRequest::Configure(Changes {
            tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
            description: Some(description.to_owned()),
            ..Changes::default()
        })
    };
    let (end, told) = world.act(&name, notes(&["web", "db"], "The shop's \"front\"\n2nd line")).await;
    assert_eq!((end, told.outcomes.len()), (ExecutionEnd::Done, 1), "nothing is put into force");
    for guest in
        [world.driver.list().await.unwrap().remove(0), world.driver.guest(&name).await.unwrap().unwrap()]
    {
        assert_eq!(guest.tags, ["db", "web"]);
    }
    let found = detail(&world, &name).await;
    assert_eq!(
        (found.guest.tags.as_slice(), found.pending.as_slice()),
        (&["db".to_owned(), "web".to_owned()][..], &[][..])
    );
    assert_eq!(fact(&found, "Description"), Some("The shop's \"front\"\n2nd line"));
    world.act_ok(&name, ActionRequest::Reboot { timeout_seconds: 20 }).await;
    assert_eq!(detail(&world, &name).await.guest.tags, ["db", "web"], "they outlive it");
    world.act_ok(&name, notes(&[], "")).await;
    let found = detail(&world, &name).await;
    assert_eq!((found.guest.tags.len(), fact(&found, "Description")), (0, None));
    assert_eq!(config(&bundle)["annotations"].as_object().map(serde_json::Map::len), Some(0));
}

#[tokio::test]
async fn a_change_keeps_the_rest_of_the_file_and_one_made_meanwhile() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    let before = config(&bundle);
    let request = ActionRequest::Configure(Changes { pids: Some(33), ..Changes::default() });
    let plan = world.plan(&name, &request).await.unwrap();
    // Somebody edits the file between plan and execution.
    let mut edited = before.clone();
    edited["hostname"] = json!("edited");
    fs::write(Path::new(&bundle).join("config.json"), edited.to_string()).unwrap();
    let (end, _) = world.execute(&name, &plan, Default::default()).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::NotEdited { .. })), "{end:?}");
    assert_eq!(config(&bundle), edited);
    world.act_ok(&name, request).await;
    let mut wanted = edited;
    wanted["linux"]["resources"]["pids"] = json!({"limit": 33});
    assert_eq!(config(&bundle), wanted);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&config(&bundle)), keys(&before), "in the order that it had");
}

#[tokio::test]
async fn what_somebody_wrote_into_the_bundle_is_shown_as_pending() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    assert_eq!(detail(&world, &name).await.pending, []);
    let mut text = config(&bundle);
    text["linux"]["resources"]["memory"] = json!({ "limit": 32 * MIB });
    text["process"]["args"] = json!(["sleep", "5"]);
    fs::write(Path::new(&bundle).join("config.json"), text.to_string()).unwrap();
    let pending = detail(&world, &name).await.pending;
    let pending: Vec<_> = pending.iter().map(|it| (it.label.as_str(), it.next.as_deref())).collect();
    assert_eq!(pending, [("Memory limit", Some("33554432 bytes")), ("Command", Some("sleep 5"))]);
}

#[tokio::test]
async fn a_bundle_of_two_containers_is_not_changed_for_one() {
    let world = World::new();
    let bundle = world.bundle("b", OBEDIENT);
    let (first, second) = (world.name("first"), world.name("second"));
    world.create(&first, &bundle).await;
    world.create(&second, &format!("{bundle}/")).await;
    let request = ActionRequest::Configure(limits(32 * MIB, 500, 10));
    let why = not_ready(world.plan(&first, &request).await);
    assert!(why.contains(second.as_str()), "{why}");
    world.act_ok(&second, ActionRequest::Delete { purge: false }).await;
    world.act_ok(&first, request).await;
}
