//! The event stream: what it tells, and how it goes on after a break.
#![expect(clippy::unwrap_used, reason = "what cannot be read has failed")]

mod common;

use std::time::Duration;

use app::{
    auth::Caller,
    domain::{
        access::{BuiltIn, Holder},
        action::ActionRequest,
        event::{GuestsChanged, OperationsChanged},
        guest::{GuestId, GuestStatus},
        operation::OperationState,
    },
    service::{
        access::{self, GrantForm},
        actions::{self, Ask, Target},
    },
};
use axum::body::BodyDataStream;
use common::{Browser, Host};
use futures::StreamExt as _;

/// A test that waits longer has failed; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Something that is to be told has been told by then.
const QUIET: Duration = Duration::from_millis(400);

/// An open stream, read event by event.
struct Ear {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    kind: String,
    data: String,
    id: Option<String>,
}

impl Ear {
    async fn open(browser: &Browser, path: &str) -> Self {
        Self { body: browser.body(path).await, text: String::new() }
    }

    async fn next(&mut self) -> Heard {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    found.map(str::to_owned)
                };
                let (kind, data, id) = (field("event"), field("data"), field("id"));
                self.text = rest.to_owned();
                // As a browser: what has no data is told to nobody.
                match (kind, data) {
                    (Some(kind), Some(data)) => return Heard { kind, data, id },
                    _ => continue,
                }
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await.unwrap();
            self.text += std::str::from_utf8(&piece.unwrap().unwrap()).unwrap();
        }
    }

    async fn quiet(&mut self) {
        if let Ok(heard) = tokio::time::timeout(QUIET, self.next()).await {
            panic!("there was nothing to tell: {heard:?}");
        }
    }

    /// Until that guest has that state, or is gone; the id of the event that tells it and the last one told.
    async fn until(&mut self, name: &str, status: Option<GuestStatus>) -> String {
        let mut at = None;
        let mut is_told = false;
        loop {
            let heard = self.next().await;
            at = heard.id.or(at);
            if heard.kind == "guests" {
                let changed: GuestsChanged = serde_json::from_str(&heard.data).unwrap();
                let put = changed.put.iter().find(|row| row.guest.id.name.as_str() == name);
                let gone = changed.gone.iter().any(|id| id.name.as_str() == name);
                is_told |= match status {
                    Some(status) => put.is_some_and(|row| row.guest.status == status),
                    None => gone,
                };
            }
            if let (true, Some(at)) = (is_told, &at) {
                return at.clone();
            }
        }
    }
}

/// Where that person's pages are now.
async fn at(browser: &mut Browser) -> String {
    browser.json = true;
    let reply = browser.get("/api/account/frame").await;
    browser.json = false;
    let frame: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    frame["at"].as_str().unwrap().to_owned()
}

fn busybox(name: &str) -> [(&str, &str); 4] {
    [
        ("form[backend]", "lxc"),
        ("form[name]", name),
        ("form[source]", "template"),
        ("form[template]", "busybox"),
    ]
}

#[tokio::test]
async fn a_page_that_is_up_to_date_is_told_nothing_and_then_each_change_as_it_comes() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let at = at(&mut admin).await;
    let mut ear = Ear::open(&admin, &format!("/events?since={at}")).await;
    ear.quiet().await;
    admin.create(&busybox("web1")).await;
    ear.until("web1", Some(GuestStatus::Stopped)).await;
    admin.succeed("lxc/web1", "start").await;
    ear.until("web1", Some(GuestStatus::Running)).await;
    admin.succeed("lxc/web1", "stop").await;
    admin.succeed("lxc/web1", "delete").await;
    ear.until("web1", None).await;
}

#[tokio::test]
async fn an_operation_is_told_from_its_beginning_to_its_end_and_its_guests_row_with_it() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let at = at(&mut admin).await;
    let mut ear = Ear::open(&admin, &format!("/events?since={at}")).await;
    let created = admin.create(&busybox("web1")).await;
    let id = created.operation.summary.id;
    let (mut states, mut rows) = (Vec::new(), Vec::new());
    while states.last() != Some(&OperationState::Succeeded) || rows.last() != Some(&OperationState::Succeeded)
    {
        let heard = ear.next().await;
        match heard.kind.as_str() {
            "operations" => {
                let changed: OperationsChanged = serde_json::from_str(&heard.data).unwrap();
                states.extend(changed.operations.iter().filter(|it| it.id == id).map(|it| it.state));
            }
            "guests" => {
                let changed: GuestsChanged = serde_json::from_str(&heard.data).unwrap();
                let last = changed.put.into_iter().filter_map(|row| row.last);
                rows.extend(last.filter(|last| last.id == id).map(|last| last.state));
            }
            other => panic!("{other}"),
        }
    }
    assert!(states[..states.len() - 1].iter().all(|state| state.is_live()), "{states:?}");
}

#[tokio::test]
async fn after_a_break_it_goes_on_where_it_was_whichever_way_it_is_told_where() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let before = at(&mut admin).await;
    let mut ear = Ear::open(&admin, &format!("/events?since={before}")).await;
    admin.create(&busybox("web1")).await;
    let at_stop = ear.until("web1", Some(GuestStatus::Stopped)).await;
    drop(ear);
    admin.create(&busybox("web2")).await;

    let mut ear = Ear::open(&admin, &format!("/events?since={at_stop}")).await;
    loop {
        let heard = ear.next().await;
        if heard.kind == "guests" {
            let changed: GuestsChanged = serde_json::from_str(&heard.data).unwrap();
            if changed.put.iter().any(|row| row.guest.id.name.as_str() == "web2") {
                break;
            }
        }
    }
    admin.headers = vec![("last-event-id", before.clone())];
    // The browser's own header counts more than the address, which is as old as the page.
    let mut ear = Ear::open(&admin, "/events?since=nonsense").await;
    ear.until("web1", Some(GuestStatus::Stopped)).await;
    admin.headers.clear();

    for nowhere in ["", "?since=", "?since=1-2-3-4", "?since=%FF", &format!("?since=1{before}")] {
        let mut ear = Ear::open(&admin, &format!("/events{nowhere}")).await;
        assert_eq!(ear.next().await.kind, "reset", "{nowhere}");
    }
}

#[tokio::test]
async fn whoever_sees_a_part_is_told_of_that_part_alone() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let root = Caller::command_line("root");
    let mut lena = host.person("lena", BuiltIn::Viewer).await;
    let grants = access::grants(&host.state, &root).await.unwrap();
    for grant in grants.iter().filter(|grant| grant.holder == Holder::User("lena".to_owned())) {
        access::remove_grant(&host.state, &root, grant.id).await.unwrap();
    }
    let form = GrantForm {
        holder: Holder::User("lena".to_owned()),
        role: "viewer",
        scope: "guest:lxc/hers",
        expires_ms: None,
    };
    access::add_grant(&host.state, &root, &form).await.unwrap();
    let at = at(&mut lena).await;
    let mut ear = Ear::open(&lena, &format!("/events?since={at}")).await;
    admin.create(&busybox("other")).await;
    admin.succeed("lxc/other", "delete").await;
    ear.quiet().await;
    admin.create(&busybox("hers")).await;
    ear.until("hers", Some(GuestStatus::Stopped)).await;

    // What she may no longer see, she is told to read anew; nothing is told of it any more.
    let form = GrantForm {
        holder: Holder::User("lena".to_owned()),
        role: "viewer",
        scope: "guest:lxc/nothing",
        expires_ms: None,
    };
    access::add_grant(&host.state, &root, &form).await.unwrap();
    let mut kinds = Vec::new();
    while kinds.last().map(String::as_str) != Some("reset") {
        kinds.push(ear.next().await.kind);
    }
}

#[tokio::test]
async fn a_grant_that_runs_out_is_noticed_without_any_sign() {
    let host = Host::start().await;
    let root = Caller::command_line("root");
    let mut lena = host.person("lena", BuiltIn::Viewer).await;
    let form = GrantForm {
        holder: Holder::User("lena".to_owned()),
        role: "operator",
        scope: "everything",
        expires_ms: Some(app::backend::now_ms() + 1500),
    };
    access::add_grant(&host.state, &root, &form).await.unwrap();
    let at = at(&mut lena).await;
    let mut ear = Ear::open(&lena, &format!("/events?since={at}")).await;
    let begun = std::time::Instant::now();
    assert_eq!(ear.next().await.kind, "reset");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn whoever_does_not_read_for_a_while_is_told_the_end_of_it_and_not_each_step() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let at = at(&mut admin).await;
    let mut ear = Ear::open(&admin, &format!("/events?since={at}")).await;
    admin.create(&busybox("web1")).await;
    for _ in 0..3 {
        admin.succeed("lxc/web1", "start").await;
        admin.succeed("lxc/web1", "stop").await;
    }
    let mut told = 0;
    loop {
        let heard = ear.next().await;
        if heard.kind == "guests" {
            told += 1;
            let changed: GuestsChanged = serde_json::from_str(&heard.data).unwrap();
            let row = changed.put.iter().find(|row| row.guest.id.name.as_str() == "web1").unwrap();
            let last = row.last.as_ref().unwrap();
            if last.state == OperationState::Succeeded && row.guest.status == GuestStatus::Stopped {
                break;
            }
        }
    }
    assert!(told <= 2, "seven operations came to {told} events");
}

#[tokio::test]
async fn what_an_operation_says_is_told_while_it_says_it_and_its_end_ends_the_stream() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let bundle = host.bundle("b", "while :; do sleep 1; done");
    let heard = bundle.join("rootfs/heard");
    let bundle = bundle.display().to_string();
    let id = format!("talker-{}", std::process::id());
    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    admin.succeed(&format!("crun/{id}"), "start").await;
    // It ends only once somebody has heard its first word.
    let script = "echo one; while [ ! -e /heard ]; do /bin/busybox sleep 0.1; done; echo two";
    let command = ["/bin/busybox", "sh", "-c", script].map(str::to_owned).to_vec();
    let exec = |command| ActionRequest::Exec { command, timeout_seconds: 60 };
    let guest = GuestId::parse("crun", &id).unwrap();
    let root = Caller::command_line("root");
    let ask = Ask::new(Target::Guest(guest.clone()), exec(command));
    let operation = actions::begin(&host.state, &root, ask).await.unwrap();

    let path = format!("/events/operations/{operation}");
    let mut ear = Ear::open(&admin, &path).await;
    let mut last = String::new();
    while !last.contains("one") {
        let heard = ear.next().await;
        last = if heard.kind == "output" { heard.data } else { last };
    }
    assert!(!last.contains("two"));
    std::fs::write(heard, "").unwrap();
    let (mut said, mut kinds) = (String::new(), Vec::new());
    while kinds.last().map(String::as_str) != Some("ended") {
        let heard = ear.next().await;
        if heard.kind == "output" {
            said += &heard.data;
        }
        kinds.push(heard.kind);
    }
    assert!(said.contains("two") && !said.contains("one"), "each piece once: {said}");
    assert!(kinds.iter().any(|kind| kind == "changed"), "{kinds:?}");
    assert!(ear.body.next().await.is_none(), "there is nothing more to wait for");

    // Whoever comes later is told all of it, or what is left; whoever may not see it, that there is none.
    let whole = admin.get(&path).await.body;
    assert!(whole.contains("one") && whole.contains("two") && whole.contains("event: ended"), "{whole}");
    let page = host.state.store.operation(operation).await.unwrap().unwrap();
    let rest = admin.get(&format!("{path}?after={}&steps=1", page.output_end)).await.body;
    assert!(!rest.contains("event: output") && rest.contains("event: ended"), "{rest}");
    for nowhere in ["/events/operations/987654", "/events/operations/x"] {
        assert_eq!(admin.get(nowhere).await.status, http::StatusCode::NOT_FOUND);
    }
}
