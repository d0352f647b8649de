//! BEGUN: the task of a call whose answer nobody heard.
//!
//! Paddock was killed between asking and noting the answer. The node has the task all the same, and tells whose it is,
//! what it is about, what it does and when it began.

use crate::{
    backend::{Error, OpenCall},
    domain::{
        action::GuestAction,
        plan::{ApiCall, Method},
        task::Task,
    },
};

use super::{check, cluster::Cluster, num::Rows, place::node_path, tasks, wire::guest::TaskRow};

/// Most of a guest's tasks that are looked through.
const LOOKED_AT: &str = "500";

/// The tasks that this call may have begun, oldest first: they are `user`'s or the person's, about what the call is about on the guest
/// with this VMID, of a kind that the call begins, and started in the time given.
pub async fn by(cluster: &Cluster, user: &str, vmid: u32, open: OpenCall<'_>) -> Result<Vec<Task>, Error> {
    let Some((node, work)) = meant(open.call) else { return Ok(Vec::new()) };
    let (vmid, since) = (vmid.to_string(), (open.from_ms.max(0) / 1000).to_string());
    let narrowed = match work {
        Work::OnGuest(_) => ("vmid", vmid.as_str()),
        Work::Download => ("typefilter", DOWNLOAD),
    };
    let query = [("source", "all"), narrowed, ("since", &*since), ("limit", LOOKED_AT)];
    let Rows(rows) = cluster.client.get::<Rows<TaskRow>>(&node_path(node, "/tasks"), &query).await?;
    let is_meant = |task: &Task| {
        let is_its = match work {
            Work::OnGuest(action) => task.id == vmid && does(task, action),
            Work::Download => task.kind == DOWNLOAD,
        };
        let is_theirs = task.user == user || open.person == Some(task.user.as_str());
        is_its && is_theirs && (open.from_ms..=open.until_ms).contains(&task.started_ms)
    };
    let mut tasks: Vec<Task> = rows.iter().filter_map(tasks::row).filter(is_meant).collect();
    tasks.sort_by_key(|task| task.started_ms);
    Ok(tasks)
}

/// What the task of a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    OnGuest(GuestAction),
    /// Of a container's template; the task does not say of which.
    Download,
}

/// Proxmox's word for it.
const DOWNLOAD: &str = "download";

/// The node that the call is about, and what its task does; `None` for a call that begins no task.
fn meant(call: &ApiCall) -> Option<(&str, Work)> {
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let &["nodes", node, room, ref rest @ ..] = segments.as_slice() else { return None };
    check::node(node).ok()?;
    let work = match (call.method, room, rest) {
        (Method::Post, "aplinfo", []) => Work::Download,
        (Method::Post, "vzdump", []) => Work::OnGuest(GuestAction::Backup),
        (_, "lxc" | "qemu", rest) => Work::OnGuest(of_guest(call, room, rest)?),
        _ => return None,
    };
    Some((node, work))
}

fn does(task: &Task, action: GuestAction) -> bool {
    use GuestAction::{Hibernate, Migrate, Pause, Shutdown, Start, Stop};
    match (task.kind.as_str(), action) {
        // Of a guest that the HA manager looks after, that is asked to do it.
        ("hastart", Start) | ("hastop" | "hashutdown", Stop | Shutdown) | ("hamigrate", Migrate) => true,
        // Not every Proxmox VE has a word of its own for a suspension that is kept in memory.
        ("qmsuspend" | "qmpause", Pause | Hibernate) => true,
        _ => task.action() == Some(action),
    }
}

fn of_guest(call: &ApiCall, room: &str, rest: &[&str]) -> Option<GuestAction> {
    Some(match (call.method, rest) {
        (Method::Post, []) => GuestAction::Create,
        (Method::Delete, [_]) => GuestAction::Delete,
        (Method::Post, [_, "status", word]) => match *word {
            "start" => GuestAction::Start,
            "shutdown" => GuestAction::Shutdown,
            "stop" => GuestAction::Stop,
            "reboot" => GuestAction::Reboot,
            "reset" => GuestAction::Reset,
            "resume" => GuestAction::Resume,
            "suspend" if room == "qemu" && call.param("todisk").is_some() => GuestAction::Hibernate,
            "suspend" => GuestAction::Pause,
            _ => return None,
        },
        (Method::Post, [_, "clone"]) => GuestAction::Clone,
        (Method::Post, [_, "template"]) => GuestAction::MakeTemplate,
        (Method::Post, [_, "snapshot"]) => GuestAction::Snapshot,
        (Method::Post, [_, "snapshot", _, "rollback"]) => GuestAction::Rollback,
        (Method::Delete, [_, "snapshot", _]) => GuestAction::DeleteSnapshot,
        (Method::Post, [_, "config"]) => GuestAction::Configure,
        (Method::Put, [_, "resize"]) => GuestAction::Resize,
        (Method::Post, [_, "migrate"]) => GuestAction::Migrate,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::proxmox::place::Place,
        domain::{
            guest::BackendKind,
            plan::{Answer, Param},
        },
    };

    fn call(method: Method, path: &str) -> ApiCall {
        ApiCall { method, path: path.to_owned(), params: Vec::new(), answer: Answer::Task, timeout_ms: 1 }
    }

    #[test]
    fn a_call_tells_its_node_and_what_its_task_does() {
        for kind in [BackendKind::ProxmoxLxc, BackendKind::ProxmoxVm] {
            let place = Place { kind, node: "pve-1".to_owned(), vmid: 101 };
            for (method, path, action) in [
                (Method::Post, place.guests_path(), GuestAction::Create),
                (Method::Post, place.path("/status/start"), GuestAction::Start),
                (Method::Post, place.path("/status/suspend"), GuestAction::Pause),
                (Method::Post, place.path("/clone"), GuestAction::Clone),
                (Method::Post, place.path("/snapshot"), GuestAction::Snapshot),
                (Method::Post, place.path("/snapshot/a/rollback"), GuestAction::Rollback),
                (Method::Delete, place.path("/snapshot/a"), GuestAction::DeleteSnapshot),
                (Method::Delete, place.path(""), GuestAction::Delete),
                (Method::Put, place.path("/resize"), GuestAction::Resize),
                (Method::Post, place.node_path("/vzdump"), GuestAction::Backup),
            ] {
                assert_eq!(meant(&call(method, &path)), Some(("pve-1", Work::OnGuest(action))), "{path}");
            }
        }
        for path in
            ["/nodes/a/lxc/1/status/explode", "/nodes/a/storage", "/cluster/x", "/nodes/..%2f/lxc", ""]
        {
            assert_eq!(meant(&call(Method::Post, path)), None, "{path}");
        }
    }

    #[test]
    fn a_suspend_to_disk_is_a_hibernation() {
        let suspend = call(Method::Post, "/nodes/a/qemu/200/status/suspend");
        assert_eq!(meant(&suspend), Some(("a", Work::OnGuest(GuestAction::Pause))));
        let params = vec![("todisk".to_owned(), Param::Text("1".to_owned()))];
        let hibernate = ApiCall { params, ..suspend };
        assert_eq!(meant(&hibernate), Some(("a", Work::OnGuest(GuestAction::Hibernate))));
    }

    #[test]
    fn a_download_is_about_no_guest() {
        let download = call(Method::Post, "/nodes/a/aplinfo");
        assert_eq!(meant(&download), Some(("a", Work::Download)));
    }
}
