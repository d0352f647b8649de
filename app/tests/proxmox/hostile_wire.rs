//! Answers of everything a driver reads, one value after the other made wrong, to drivers that remember: they are read
//! or a typed error, and nothing of them stands unchecked in a path, a parameter, a name or an address.

use std::{fs, path::PathBuf, time::Duration};

use app::{
    backend::{
        Backend, Error,
        proxmox::{Client, ProxmoxDriver, Upid},
    },
    domain::{
        action::ActionRequest,
        guest::{BackendKind, Guest},
        name::GuestName,
        plan::{Plan, Work},
        spec::{
            BackupMode, Changes, ContainerSpec, CreateRequest, CreateSpec, ProxmoxNetwork, VmSource, VmSpec,
        },
        task::Task,
    },
};
use serde_json::{Value, json};

use crate::lab::{KINDS, LXC, Lab, VM, name, own};

/// Each value's place in turn is taken by so many of the wrong ones, others each time.
const WRONG_EACH: usize = 3;
const UPID: &str = "UPID:pve1:00001E41:00078B2B:6B035014:vzstart:101:alice@pve!dash:";

fn wrong() -> Vec<Value> {
    let huge: Value = serde_json::from_str("1e308").unwrap();
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(u64::MAX),
        huge,
        json!(""),
        json!(".."),
        json!("../../access/users"),
        json!("a,mp=/etc;b?c#d&e"),
        json!("<script>alert(1)</script>"),
        json!("\u{1b}[2J\u{0}\r\u{202e}x"),
        json!("9".repeat(400)),
        json!([]),
        json!([[["x"]], null]),
        json!({"a": {"b": []}}),
    ]
}

fn captured(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pve-9.1").join(file);
    let text = fs::read_to_string(path.with_extension("json"))
        .unwrap()
        .replace("\"vm\"", "\"pve1\"")
        .replace("UPID:vm:", "UPID:pve1:");
    let data = serde_json::from_str::<Value>(&text).unwrap()["body"]["data"].clone();
    match data.as_array().is_some_and(Vec::is_empty) {
        // The lab had no appliance index.
        true => {
            json!([{"template": "alpine.tar.xz", "type": "lxc", "headline": "Alpine", "version": "3", "package": "a"}])
        }
        false => data,
    }
}

/// Every place in it, lists by their first two rows.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(rows) => rows.iter().take(2).enumerate().map(|(i, row)| (i.to_string(), row)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(value, &place, found);
        found.push(place);
    }
}

fn mutations(data: &Value) -> Vec<String> {
    let whole = json!({"data": data}).to_string();
    let mut bodies: Vec<String> =
        (0..16).map(|cut| whole[..whole.floor_char_boundary(whole.len() * cut / 16)].to_owned()).collect();
    let mut spoil = |data: Value| bodies.push(json!({"data": data}).to_string());
    let wrong = wrong();
    wrong.iter().for_each(|value| spoil(value.clone()));
    let mut found = Vec::new();
    places(data, "", &mut found);
    found.truncate(60);
    for (index, place) in found.iter().enumerate() {
        for step in 0..WRONG_EACH {
            let mut data = data.clone();
            *data.pointer_mut(place).unwrap() = wrong[(index * WRONG_EACH + step) % wrong.len()].clone();
            spoil(data);
        }
        let (parent, key) = place.rsplit_once('/').unwrap();
        let mut data = data.clone();
        if let Some(map) = data.pointer_mut(parent).and_then(Value::as_object_mut) {
            map.remove(key);
            spoil(data);
        }
    }
    if let Some(rows) = data.as_array() {
        // Where the first that fits is taken, none of the others may stand in for it.
        for key in ["storage", "node", "iface"] {
            let all = rows.iter().map(|row| {
                let mut row = row.clone();
                if row.get(key).is_some() {
                    row[key] = json!("a,mp=/etc;b?c#d&e");
                }
                row
            });
            spoil(all.collect());
        }
        spoil(rows.iter().chain(rows).cloned().collect());
    }
    bodies
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn check_error(error: &Error) {
    let said = error.to_string();
    assert!(!said.is_empty() && said.len() < 20_000 && is_plain(&said), "{said:?}");
}

fn check_guest(guest: &Guest) {
    let vmid: u32 = guest.id.name.as_str().parse().unwrap();
    assert!((100..=999_999_999).contains(&vmid), "{guest:?}");
    assert!(GuestName::found(guest.id.name.as_str()).is_ok());
    let node = guest.node.as_deref().unwrap();
    assert!(!node.is_empty() && node.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{guest:?}");
    let texts = [&guest.title, &guest.note, &guest.lock].into_iter().flatten().chain(&guest.tags);
    assert!(texts.into_iter().all(|text| is_plain(text)), "{guest:?}");
    assert!(guest.addresses.iter().all(|text| text.parse::<std::net::IpAddr>().is_ok()), "{guest:?}");
}

fn check_task(task: &Task) {
    let upid: Upid = task.upid.parse().unwrap();
    assert_eq!((upid.node(), upid.kind(), upid.user()), (&*task.node, &*task.kind, &*task.user));
    assert!([&task.upid, &task.id, &task.user].into_iter().all(|text| is_plain(text)), "{task:?}");
    // Until 2106.
    let times = 0..=i64::from(u32::MAX) * 1000;
    assert!(times.contains(&task.started_ms), "{task:?}");
    if let Some(end) = &task.end {
        assert!(end.at_ms.is_none_or(|at| at >= task.started_ms && times.contains(&at)), "{task:?}");
        assert!(end.result.words().is_none_or(|words| is_plain(words) && words.len() <= 8000), "{task:?}");
    }
}

fn check_plan(plan: &Plan) {
    assert!(plan.loses.iter().chain(&plan.notes).all(|text| is_plain(text)), "{:?}", plan.loses);
    for step in &plan.steps {
        assert!(is_plain(&step.title), "{:?}", step.title);
        match &step.work {
            Work::Api(call) => {
                let rest = call.path.strip_prefix('/').unwrap();
                for part in rest.split('/') {
                    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b);
                    assert!(
                        !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_safe),
                        "{call}"
                    );
                }
                for key in ["storage", "rootfs", "scsi0", "ostemplate"] {
                    let text = call.param(key).map(ToString::to_string).unwrap_or_default();
                    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._:/,=".contains(c);
                    assert!(
                        text.chars().all(is_safe) && !text.contains("mp=") && !text.contains(".."),
                        "{call}"
                    );
                }
            }
            Work::Command(command) => {
                let words = command.argv.words();
                assert!(
                    ["pct", "qm"].contains(&words[0].as_str()) && words[2].parse::<u32>().is_ok(),
                    "{words:?}"
                );
            }
            Work::WaitFor { .. } | Work::Edit(_) => {}
        }
    }
}

fn create(kind: BackendKind, template: &str) -> CreateRequest {
    let networks = vec![ProxmoxNetwork { bridge: "vmbr0".into(), ..ProxmoxNetwork::default() }];
    let spec = if kind == VM {
        CreateSpec::ProxmoxVm(VmSpec { networks, ..VmSpec::of(VmSource::Empty) })
    } else {
        CreateSpec::ProxmoxLxc(ContainerSpec { networks, ..ContainerSpec::of(template) })
    };
    CreateRequest::of("web9".parse().unwrap(), spec)
}

/// All that reads the answer at this path.
async fn ask(driver: &ProxmoxDriver, kind: BackendKind, what: &str) {
    let id = name(own(kind));
    let told = |error: Error| check_error(&error);
    let plan = async |id: &GuestName, asked: ActionRequest| match driver.plan(id, &asked).await {
        Ok(plan) => check_plan(&plan),
        Err(error) => check_error(&error),
    };
    let new = async |template| plan(&name(300), ActionRequest::Create(create(kind, template))).await;
    match what {
        "/cluster/resources" => {
            driver.list().await.map_or_else(told, |all| all.iter().for_each(check_guest));
            driver.meters(&[], Duration::ZERO).await.map_or_else(told, |_| ());
            driver.guest(&id).await.map_or_else(told, |guest| guest.iter().for_each(check_guest));
            plan(&id, ActionRequest::Stop).await;
        }
        "/status/current" | "/config" | "/pending" | "/interfaces" | "/network-get-interfaces" => {
            driver.inspect(&id).await.map_or_else(told, |detail| {
                detail.iter().for_each(|detail| check_guest(&detail.guest));
            });
            if what == "/config" {
                plan(&id, ActionRequest::Delete { purge: true }).await;
                let changes = Changes {
                    memory: Some(1 << 30),
                    cpu: Some(app::domain::spec::Cpus(4000)),
                    ..Changes::default()
                };
                plan(&id, ActionRequest::Configure(changes)).await;
                let disk = if kind == VM { "scsi0" } else { "rootfs" };
                plan(&id, ActionRequest::Resize { disk: disk.into(), size: 1 << 40 }).await;
            }
        }
        "/snapshot" => {
            drop(driver.snapshots(&id).await.map_err(told));
            plan(&id, ActionRequest::Rollback { snapshot: "s1".into() }).await;
            plan(&id, ActionRequest::MakeTemplate).await;
        }
        "/feature" => {
            let asked = ActionRequest::Snapshot {
                name: Some("s9".into()),
                description: String::new(),
                memory: false,
            };
            plan(&id, asked).await;
        }
        "/cluster/tasks" => {
            driver.tasks(0).await.map_or_else(told, |all| all.iter().for_each(check_task));
        }
        "/status" => driver.task(UPID).await.map_or_else(told, |task| task.iter().for_each(check_task)),
        "/log" => match driver.task_log(UPID, 10_000).await {
            Ok((log, _)) => assert!(log.len() <= 10_000 && is_plain(&log), "{log:?}"),
            Err(error) => check_error(&error),
        },
        "/tasks" => {
            driver.tasks(0).await.map_or_else(told, |all| all.iter().for_each(check_task));
            plan(&id, ActionRequest::Resume).await;
            plan(&id, ActionRequest::Unlock).await;
        }
        "/nextid" => match driver.new_id(&create(kind, "local:vztmpl/a.tar.gz")).await {
            Ok(id) => assert!((100..=999_999_999).contains(&id.as_str().parse::<u32>().unwrap())),
            Err(error) => check_error(&error),
        },
        "/version" => drop(driver.probe().await),
        "/aplinfo" | "/content" => {
            drop(driver.images().await.map_err(told));
            new("alpine.tar.xz").await;
        }
        _ => {
            drop(driver.nodes().await.map_err(told));
            new("alpine.tar.xz").await;
            if what == "/nodes" {
                plan(&id, ActionRequest::Migrate { node: "pve2".into() }).await;
            }
            if what == "/storage" {
                plan(&id, ActionRequest::Backup { storage: None, mode: BackupMode::Snapshot }).await;
            }
        }
    }
}

#[tokio::test]
async fn no_answer_of_any_kind_makes_a_driver_panic_or_leaves_it_unchecked() {
    let runs = KINDS.map(|kind| tokio::spawn(of(kind)));
    for run in runs {
        run.await.unwrap();
    }
}

async fn of(kind: BackendKind) {
    let lab = Lab::running();
    lab.fake.set("storages.local.content", json!("iso,vztmpl,backup,import,images,rootdir"));
    if kind == VM {
        lab.fake.set_guest(own(VM), "agent", json!({}));
    }
    let config = lab.fake.config();
    let client = Client::new(&config).unwrap();
    let (id, inside) = if kind == LXC {
        ("lxc-101", ("/interfaces", "lxc-101-interfaces-running".to_owned()))
    } else {
        ("qemu-200", ("/network-get-interfaces", "qemu-200-agent-interfaces-running".to_owned()))
    };
    let answers = [
        ("/cluster/resources", "cluster-resources-running".to_owned()),
        ("/status/current", format!("{id}-status-running")),
        ("/config", format!("{id}-config")),
        ("/pending", format!("{id}-pending")),
        inside,
        ("/snapshot", "lxc-102-snapshot".to_owned()),
        ("/feature", "lxc-101-feature-snapshot".to_owned()),
        ("/tasks", "node-tasks".to_owned()),
        ("/cluster/tasks", "cluster-tasks-after".to_owned()),
        ("/status", "lxc-start.task-status".to_owned()),
        ("/log", "lxc-create.task-log".to_owned()),
        ("/nodes", "nodes".to_owned()),
        ("/pve1/status", "node-status".to_owned()),
        ("/storage", "node-storage".to_owned()),
        ("/content", "storage-local-content".to_owned()),
        ("/network", "node-network".to_owned()),
        ("/aplinfo", "aplinfo".to_owned()),
        ("/nextid", "cluster-nextid".to_owned()),
        ("/version", "version".to_owned()),
    ];
    let mut tried = 0;
    for (path, file) in answers {
        // One that remembers what it was told before, except where a list is kept for a while.
        let mut driver = ProxmoxDriver::new(kind, client.clone(), &config);
        for body in mutations(&captured(&file)) {
            if ["/cluster/resources", "/cluster/tasks", "/tasks"].contains(&path) {
                driver = ProxmoxDriver::new(kind, client.clone(), &config);
            }
            lab.fake.spoil("GET", path, "raw", 1000, json!({"body": body}));
            ask(&driver, kind, path).await;
            tried += 1;
        }
        lab.fake.set("spoilt", json!({}));
    }
    println!("{tried} answers to a {}", kind.label());
    assert!(tried >= 500, "{tried}");
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(lab.fake.count(method, ""), 0, "a {method} was sent");
    }
    assert!(lab.guest(kind, own(kind)).await.is_some(), "all is well again");
}
