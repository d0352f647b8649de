//! What is ended is over at once, in whatever goes on: event streams, exports, commands in guests.

use std::time::{Duration, Instant};

use app::{
    auth::Caller,
    backend::{HostRunner, Registry},
    domain::{
        access::{BuiltIn, Holder, Scope},
        action::ActionRequest,
        guest::GuestId,
        operation::OperationState,
    },
    service::{
        AppState,
        access::{self, GrantForm},
        actions::{self, Ask, Target},
        sessions, users,
    },
    store::{Store, UserChange},
};
use axum::body::BodyDataStream;
use futures::StreamExt as _;

use super::{
    caller,
    common::{Host, PASSWORD},
};

/// How soon it is over.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A test that waits longer has failed; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Another process with the same database, such as the command line.
async fn another_process(host: &Host) -> AppState {
    let store = Store::open(&host.dir.path().join("paddock.db")).await.unwrap();
    AppState::new(store, Registry::new(Vec::new()), std::sync::Arc::new(HostRunner), "testhost")
}

/// How long the stream goes on from now; whatever it still says is let by.
async fn time_to_end(stream: &mut BodyDataStream) -> Duration {
    let begun = Instant::now();
    let end = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
    begun.elapsed()
}

/// The stream's next words, which are there within [`PATIENCE`].
async fn next(stream: &mut BodyDataStream) -> String {
    let piece = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap();
    String::from_utf8(piece.unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn an_event_stream_ends_with_its_session_however_that_ends() {
    let host = Host::start().await;
    let root = Caller::command_line("root");
    let mut admin = host.admin().await;
    for way in ["ended", "disabled", "password", "removed"] {
        for is_other in [false, true] {
            let name = format!("vera-{way}-{is_other}");
            let vera = host.person(&name, BuiltIn::Viewer).await;
            let mut stream = vera.body("/events").await;
            assert!(next(&mut stream).await.contains("event: reset"));
            let state = if is_other { another_process(&host).await } else { host.state.clone() };
            match way {
                "ended" => {
                    sessions::end_all_of_user(&state, &root, &name).await.unwrap();
                }
                "disabled" => {
                    let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
                    users::change(&state, &root, &name, change).await.unwrap();
                }
                "password" => {
                    users::reset_password(&state, &root, &name).await.unwrap();
                }
                _ => users::remove(&state, &root, &name).await.unwrap(),
            }
            let took = time_to_end(&mut stream).await;
            assert!(took < AT_ONCE, "{way}, by another process: {is_other}: {took:?}");
        }
    }
    assert_eq!(admin.get("/guests").await.status, http::StatusCode::OK);
}

#[tokio::test]
async fn a_log_out_and_a_new_password_end_the_streams_of_their_sessions_alone() {
    let host = Host::start().await;
    let (mut here, there) = (host.admin().await, host.admin().await);
    let (mut own_stream, mut other_stream) = (here.body("/events").await, there.body("/events").await);
    next(&mut own_stream).await;
    next(&mut other_stream).await;
    let fields = [("current", PASSWORD), ("new", "another password"), ("repeat", "another password")];
    here.post("/account/password", "/api/account/password", &fields).await;
    let took = time_to_end(&mut other_stream).await;
    assert!(took < AT_ONCE, "{took:?}");
    host.state.news.ring();
    assert!(next(&mut own_stream).await.contains("event: news"), "the session it was changed in goes on");
    here.post("/guests", "/api/account/log_out", &[]).await;
    let took = time_to_end(&mut own_stream).await;
    assert!(took < AT_ONCE, "{took:?}");
}

#[tokio::test]
async fn an_event_stream_tells_of_other_rights_and_an_export_ends_with_them() {
    let host = Host::start().await;
    let root = Caller::command_line("root");
    for is_other in [false, true] {
        let name = format!("vera-{is_other}");
        let vera = host.person(&name, BuiltIn::Viewer).await;
        let mut stream = vera.body("/events").await;
        next(&mut stream).await;
        let mut export = vera.body("/history/export?format=jsonl").await;
        let state = if is_other { another_process(&host).await } else { host.state.clone() };
        let holder = Holder::User(name);
        let scope = Scope::Everything.to_string();
        let form = GrantForm { holder, role: "operator", scope: &scope, expires_ms: None };
        access::add_grant(&state, &root, &form).await.unwrap();
        let begun = Instant::now();
        assert!(next(&mut stream).await.contains("event: reset"));
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        tokio::time::sleep(AT_ONCE).await;
        assert!(export.next().await.unwrap().is_err(), "it ends without the mark of a whole one");
    }
}

#[tokio::test]
async fn an_export_ends_with_its_session() {
    let host = Host::start().await;
    let root = Caller::command_line("root");
    let vera = host.person("vera", BuiltIn::Viewer).await;
    let mut export = vera.body("/history/export?format=jsonl").await;
    let other = another_process(&host).await;
    sessions::end_all_of_user(&other, &root, "vera").await.unwrap();
    // Whoever takes its pieces slowly gets none any more after that.
    tokio::time::sleep(AT_ONCE).await;
    assert!(export.next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_command_in_a_guest_ends_with_the_session_that_began_it_and_with_the_right_to_it() {
    let host = Host::start().await;
    let root = Caller::command_line("root");
    let mut admin = host.admin().await;
    let bundle = host.bundle("b", "while :; do sleep 1; done").display().to_string();
    let id = format!("long-{}", std::process::id());
    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    admin.succeed(&format!("crun/{id}"), "start").await;
    let guest = GuestId::parse("crun", &id).unwrap();
    for way in ["session", "session-elsewhere", "grant"] {
        let name = format!("olga-{way}");
        let olga = host.person(&name, BuiltIn::Administrator).await;
        let caller = caller(&host, &olga, &name).await;
        let command = ["/bin/busybox", "sleep", "300"].map(str::to_owned).to_vec();
        let ask =
            Ask::new(Target::Guest(guest.clone()), ActionRequest::Exec { command, timeout_seconds: 600 });
        let operation = actions::begin(&host.state, &caller, ask).await.unwrap();
        let running = async || {
            let page = host.state.store.operation(operation).await.unwrap().unwrap();
            page.summary.state
        };
        let deadline = Instant::now() + PATIENCE;
        while running().await != OperationState::Running {
            assert!(Instant::now() < deadline, "it does not begin");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Long enough that what is seen at once would have been seen.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(running().await, OperationState::Running);
        let begun = Instant::now();
        match way {
            "session" => {
                sessions::end_all_of_user(&host.state, &root, &name).await.unwrap();
            }
            "session-elsewhere" => {
                let other = another_process(&host).await;
                sessions::end_all_of_user(&other, &root, &name).await.unwrap();
            }
            _ => {
                let grants = access::grants(&host.state, &root).await.unwrap();
                let own = grants.iter().find(|grant| grant.holder == Holder::User(name.clone())).unwrap();
                access::remove_grant(&host.state, &root, own.id).await.unwrap();
            }
        }
        tokio::time::timeout(PATIENCE, host.state.supervisor.wait(operation)).await.unwrap();
        let took = begun.elapsed();
        let page = host.state.store.operation(operation).await.unwrap().unwrap();
        assert_eq!(page.summary.state, OperationState::Cancelled, "{way}");
        let why = page.summary.failure.unwrap();
        assert!(why.contains(if way == "grant" { "may run nothing" } else { "session" }), "{why}");
        assert!(took < AT_ONCE, "{way}: {took:?}");
    }
}
