//! The dashboard, the nodes and the command palette, on real LXC.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use app::{
    api::dashboard::{ConcernKind, Dashboard, Hit, HitKind, NodesPage},
    domain::{access::BuiltIn, guest::BackendKind, operation::OperationState},
    service,
};
use common::{Browser, Host};
use http::StatusCode;

async fn with_guests(names: &[&str]) -> (Host, Browser) {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    for name in names {
        let fields = [
            ("form[backend]", "lxc"),
            ("form[source]", "template"),
            ("form[template]", "busybox"),
            ("form[name]", name),
        ];
        admin.create(&fields).await;
    }
    (host, admin)
}

async fn dashboard(browser: &Browser) -> Dashboard {
    let reply = browser.wasm().get("/api/dashboard/get").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

async fn find(browser: &Browser, text: &str) -> Vec<Hit> {
    let reply = browser
        .wasm()
        .get(&format!("/api/palette/find?text={}", text.replace(' ', "%20").replace('#', "%23")))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

#[tokio::test]
async fn a_failure_needs_attention_until_something_good_follows_it() {
    let (host, mut admin) = with_guests(&["web1", "db1"]).await;
    let calm = dashboard(&admin).await;
    assert_eq!(calm.concerns, []);
    assert_eq!((calm.counts.total, calm.counts.by_backend), (2, vec![(BackendKind::Lxc, 2)]));
    assert_eq!(calm.recent.len(), 2, "both were made");
    assert!(admin.get("/").await.body.contains("Nothing needs attention"));

    let config = host.lxc_path().join("web1/config");
    let good = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, good.replace("lxc.rootfs.path = dir:", "lxc.rootfs.path = dir:/no-such"))
        .unwrap();
    let id = admin.act("lxc/web1", "start").await;
    let failed = admin.ended(id).await;
    assert_eq!(failed.operation.summary.state, OperationState::Failed);

    let concerns = dashboard(&admin).await.concerns;
    let [concern] = concerns.as_slice() else { panic!("{concerns:?}") };
    assert_eq!(concern.kind, ConcernKind::Failed);
    assert_eq!(concern.title, "web1: start failed, asked by admin");
    assert_eq!(concern.href.as_deref(), Some(format!("/history/{id}").as_str()));
    assert_eq!(concern.since_ms, failed.operation.summary.finished_ms);
    let page = admin.get("/").await.body;
    assert!(page.contains("Needs attention") && page.contains("web1: start failed"), "{page}");

    std::fs::write(&config, good).unwrap();
    admin.succeed("lxc/web1", "start").await;
    assert_eq!(dashboard(&admin).await.concerns, []);
}

#[tokio::test]
async fn the_dashboard_and_the_palette_hold_what_one_may_see_and_nothing_else() {
    let (host, mut admin) = with_guests(&["web1", "secret1"]).await;
    let mut viewer = host.person("vera", BuiltIn::Viewer).await;
    let mut nobody = host.browser();
    let hash = app::auth::password::hash(common::PASSWORD).unwrap();
    let user = app::store::NewUser::local("nora", hash, None);
    assert!(host.state.store.add_user(&user, app::store::By::default()).await.unwrap());
    nobody.log_in("nora", common::PASSWORD).await;

    let none = dashboard(&nobody).await;
    assert_eq!((none.counts.total, none.recent.len(), none.nodes.len()), (0, 0, 0));
    assert!(nobody.get("/").await.body.contains("You may do nothing here yet"));
    assert_eq!(nobody.wasm().get("/api/nodes/list").await.status, StatusCode::FORBIDDEN);
    for text in ["", "web1", "secret", "stop secret1", "#1"] {
        for hit in find(&nobody, text).await {
            assert_eq!(hit.kind, HitKind::Page, "{text}: {hit:?}");
            assert!(!hit.href.starts_with("/access") && hit.href != "/nodes", "{text}: {hit:?}");
        }
    }
    // A viewer finds guests, and nothing that would be refused.
    let hits = find(&viewer, "web1").await;
    assert_eq!(hits[0].href, "/guests/lxc/web1");
    assert!(find(&viewer, "start web1").await.iter().all(|hit| hit.kind != HitKind::Action));
    assert_eq!(dashboard(&viewer).await.counts.total, 2);
    assert_eq!(viewer.get("/").await.status, StatusCode::OK);

    // An administrator is led to the plan, and the plan alone.
    let hits = find(&admin, "start web").await;
    assert_eq!(
        (hits[0].title.as_str(), hits[0].href.as_str()),
        ("Start web1", "/guests/lxc/web1/plan/start")
    );
    assert_eq!(admin.get(&hits[0].href).await.status, StatusCode::OK);
    assert_eq!(host.lxc_info("web1"), "STOPPED");
    assert!(find(&admin, "stop web1").await.iter().all(|hit| hit.title != "Stop web1"), "it does not run");
    let made = admin.wasm().get("/api/operations/list").await.body;
    assert!(made.contains("secret1"));
    assert_eq!(find(&admin, "#1").await[0].href, "/history/1");
}

#[tokio::test]
async fn nodes_are_told_from_memory_with_their_guests() {
    let (host, mut admin) = with_guests(&["web1"]).await;
    let nodes = |text: String| -> NodesPage { serde_json::from_str(&text).unwrap() };
    let unread = nodes(admin.wasm().get("/api/nodes/list").await.body);
    assert_eq!(unread.nodes, []);
    assert!(admin.get("/nodes").await.body.contains("No node is known yet"));

    service::nodes::refresh(&host.state).await;
    let read = nodes(admin.wasm().get("/api/nodes/list").await.body);
    let [node] = read.nodes.as_slice() else { panic!("{read:?}") };
    assert_eq!(node.backends, [BackendKind::Lxc, BackendKind::Crun]);
    assert_eq!(node.counts.total, 1);
    assert!(node.node.memory_total.is_some_and(|total| total > 0));
    let again = nodes(admin.wasm().get("/api/nodes/list").await.body);
    assert_eq!(again.nodes, read.nodes, "looking at it reads nothing anew");
    let page = admin.get(&format!("/nodes/{}", node.node.name)).await;
    assert!(page.status == StatusCode::OK && page.body.contains("Storages"), "{}", page.body);
    assert_eq!(admin.get("/nodes/no-such-node").await.status, StatusCode::NOT_FOUND);
    assert_eq!(dashboard(&admin).await.nodes.len(), 1);
}

#[tokio::test]
async fn the_rail_stays_as_wide_as_one_wants_it() {
    let (_host, mut admin) = with_guests(&[]).await;
    assert!(!admin.get("/").await.body.contains("data-rail"));
    let reply = admin.post("/guests", "/rail", &[("rail", "narrow")]).await;
    assert_eq!((reply.status, reply.location.as_deref()), (StatusCode::SEE_OTHER, Some("/guests")));
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("rail=narrow; "), "{cookie}");
    admin.cookie = admin.cookie.map(|session| format!("{session}; rail=narrow"));
    assert!(admin.get("/").await.body.contains("data-rail=\"narrow\""));
}
