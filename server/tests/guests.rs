//! Guests through the pages, on real LXC and real crun.

mod common;

use std::{fs, time::Duration};

use app::{
    api::operations::HistoryPage,
    domain::{access::BuiltIn, operation::OperationState},
};
use common::{Host, commands};
use http::StatusCode;

const BUSYBOX: [(&str, &str); 3] =
    [("form[backend]", "lxc"), ("form[source]", "template"), ("form[template]", "busybox")];

fn busybox(name: &str) -> Vec<(&str, &str)> {
    [BUSYBOX.as_slice(), &[("form[name]", name)]].concat()
}

#[tokio::test]
async fn an_lxc_container_lives_its_whole_life_and_lxc_info_agrees() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let path = host.lxc_path().display().to_string();

    let created = admin.create(&busybox("web1")).await;
    let conf = host.dir.path().join("lxc.conf").display().to_string();
    assert_eq!(commands(&created), [format!("lxc-create -P {path} -n web1 -t busybox -f {conf}")]);
    assert_eq!(host.lxc_info("web1"), "STOPPED");

    admin.succeed("lxc/web1", "start").await;
    assert_eq!(host.lxc_info("web1"), "RUNNING");
    assert_eq!(admin.try_act("lxc/web1", "start").await.status, StatusCode::CONFLICT);
    assert_eq!(admin.try_act("lxc/web1", "delete").await.status, StatusCode::CONFLICT);

    let ended = admin.succeed("lxc/web1", "shutdown").await;
    assert!(commands(&ended)[0].ends_with("-n web1 --nokill -t 5"), "{:?}", commands(&ended));
    assert_eq!(host.lxc_info("web1"), "STOPPED");

    admin.succeed("lxc/web1", "start").await;
    admin.succeed("lxc/web1", "stop").await;
    assert_eq!(host.lxc_info("web1"), "STOPPED");

    admin.succeed("lxc/web1", "delete").await;
    assert_eq!(host.lxc_info("web1"), "");
    assert!(!host.lxc_path().join("web1").exists());
    assert_eq!(admin.get("/guests/lxc/web1").await.status, StatusCode::NOT_FOUND);

    let page = admin.get("/history").await;
    for action in ["Create", "Start", "Shut down", "Stop", "Delete"] {
        assert!(page.body.contains(action), "the history lacks {action}");
    }
}

#[tokio::test]
async fn a_crun_container_lives_its_whole_life_and_crun_state_agrees() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let bundle =
        host.bundle("b", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done").display().to_string();
    let id = format!("life-{}", std::process::id());
    let guest = format!("crun/{id}");

    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    assert_eq!(host.crun_state(&id)["status"], "created");
    admin.succeed(&guest, "start").await;
    assert_eq!(host.crun_state(&id)["status"], "running");
    admin.succeed(&guest, "shutdown").await;
    assert_eq!(host.crun_state(&id)["status"], "stopped");
    admin.succeed(&guest, "start").await;
    assert_eq!(host.crun_state(&id)["status"], "running");
    admin.succeed(&guest, "stop").await;
    assert_eq!(host.crun_state(&id)["status"], "stopped");
    admin.succeed(&guest, "delete").await;
    assert!(host.crun_state(&id).is_null());
    assert!(fs::exists(&bundle).unwrap(), "the bundle stays");
}

#[tokio::test]
async fn hostile_names_reach_no_tool_and_the_form_comes_back_as_typed() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let long = "x".repeat(300);
    for (name, message) in [
        ("", "Enter a name."),
        ("../x", "starts with a letter"),
        ("a b", "cannot contain a blank"),
        ("-n", "starts with a letter"),
        (".hidden", "starts with a letter"),
        ("ü", "starts with a letter"),
        (&long, "300 characters; 63 is the most"),
        ("a\nb", "cannot contain a line break"),
        ("<script>", "starts with a letter"),
        ("a\"><script>alert(1)</script>", "cannot contain"),
    ] {
        let mut fields = busybox(name);
        fields.push(("form[arguments]", "--busybox-path\n/bin/busybox & <b>"));
        let reply = admin.post("/guests/new", "/api/guests/create", &fields).await;
        let location = reply.location.unwrap();
        assert!(location.starts_with("/guests/new?"), "{name:?}: {location}");
        let page = admin.get(&location).await;
        assert!(page.body.contains(message), "{name:?}: {}", page.body);
        assert!(page.body.contains("/bin/busybox &amp; &lt;b"), "{name:?}: the other values are kept");
        assert!(!page.body.contains("<script>alert"), "{name:?}");
        admin.json = true;
        let reply = admin.post("/guests/new", "/api/guests/create", &fields).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
        admin.json = false;
    }
    assert_eq!(fs::read_dir(host.lxc_path()).unwrap().count(), 0);
    assert!(!host.dir.path().join("x").exists());
    admin.json = true;
    let history: HistoryPage = serde_json::from_str(&admin.get("/api/operations/list").await.body).unwrap();
    assert!(history.operations.is_empty());
}

#[tokio::test]
async fn an_unknown_guest_operation_or_page_is_a_404_page() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    for path in [
        "/guests/lxc/nobody",
        "/guests/xen/web1",
        "/guests/lxc/..%2Fx",
        "/guests/lxc/nobody/plan/delete",
        "/history/999",
        "/history/abc",
        "/nowhere",
    ] {
        let reply = admin.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.body.contains("<html"), "{path} is a page");
    }
    admin.json = true;
    assert_eq!(admin.try_act("lxc/nobody", "start").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn of_two_people_who_press_start_one_gets_the_operation_and_one_the_reason() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    admin.create(&busybox("web1")).await;
    for _ in 0..5 {
        let (mut anna, mut ben) = (admin.clone(), admin.clone());
        let (a, b) = tokio::join!(anna.try_act("lxc/web1", "start"), ben.try_act("lxc/web1", "start"));
        let mut statuses = [a.status, b.status];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT], "{} / {}", a.body, b.body);
        let begun = if a.status == StatusCode::OK { a } else { b };
        let page = admin.ended(begun.body.trim().parse().unwrap()).await;
        assert_eq!(page.operation.summary.state, OperationState::Succeeded, "{page:#?}");
        admin.succeed("lxc/web1", "stop").await;
    }
    admin.json = true;
    let history: HistoryPage =
        serde_json::from_str(&admin.get("/api/operations/list?query[text]=web1").await.body).unwrap();
    assert_eq!(history.operations.len(), 11, "one create, five starts and five stops, no refused one");
}

#[tokio::test]
async fn a_delete_without_the_guests_name_is_refused_beside_the_field() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    admin.create(&busybox("web1")).await;
    let page = admin.get("/guests/lxc/web1/plan/delete").await;
    assert!(page.body.contains("lxc-destroy"), "the page shows what will run");
    assert!(page.body.contains("is deleted"), "and what is lost");
    let fields = [("backend", "lxc"), ("name", "web1"), ("action", "delete"), ("confirm", "web2")];
    let reply = admin.post("/guests/lxc/web1/plan/delete", "/api/guests/act", &fields).await;
    let page = admin.get(&reply.location.unwrap()).await;
    // Quotes and apostrophes are escaped in HTML, so the plain part of the message is looked for.
    assert!(page.body.contains("to delete it. Nothing was run."), "{}", page.body);
    assert_eq!(host.lxc_info("web1"), "STOPPED");
}

#[tokio::test]
async fn a_failed_start_is_recorded_with_the_tools_own_words() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    admin.create(&busybox("web1")).await;
    let config = host.lxc_path().join("web1/config");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\nlxc.mount.entry = /nowhere/at/all mnt none bind 0 0\n")).unwrap();
    let id = admin.act("lxc/web1", "start").await;
    let page = admin.ended(id).await;
    assert_eq!(page.operation.summary.state, OperationState::Failed);
    let failure = page.operation.summary.failure.unwrap();
    assert!(failure.contains("/nowhere/at/all"), "{failure}");
    let shown = admin.get(&format!("/history/{id}")).await;
    assert!(shown.body.contains("/nowhere/at/all") && shown.body.contains("exit 1"), "{}", shown.body);
}

#[tokio::test]
async fn a_slow_operation_can_be_cancelled_and_the_guest_runs_on() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let bundle = host.bundle("b", "trap '' TERM; while :; do sleep 1; done").display().to_string();
    let id = format!("stubborn-{}", std::process::id());
    let guest = format!("crun/{id}");
    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    admin.succeed(&guest, "start").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let operation = admin.act(&guest, "shutdown").await;
    let refused = admin.try_act(&guest, "stop").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(refused.body.contains("busy"), "{}", refused.body);
    admin.json = true;
    let text = operation.to_string();
    let reply = admin.post("/", "/api/operations/cancel", &[("id", &text)]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let page = admin.ended(operation).await;
    assert_eq!(page.operation.summary.state, OperationState::Cancelled);
    assert_eq!(host.crun_state(&id)["status"], "running");
    admin.succeed(&guest, "stop").await;
}

#[tokio::test]
async fn what_a_role_may_not_do_is_refused_with_the_missing_privilege() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    admin.create(&busybox("web1")).await;
    let mut viewer = host.person("vera", BuiltIn::Viewer).await;
    let mut operator = host.person("otto", BuiltIn::Operator).await;
    let reply = viewer.try_act("lxc/web1", "start").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.body.contains("power"), "{}", reply.body);
    assert_eq!(operator.try_act("lxc/web1", "delete").await.status, StatusCode::FORBIDDEN);
    operator.succeed("lxc/web1", "start").await;
    viewer.json = true;
    let reply = viewer.post("/guests/new", "/api/guests/create", &busybox("web2")).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    viewer.json = false;
    let page = viewer.get("/guests/lxc/web1").await;
    assert!(!page.body.contains("lxc.rootfs.path"), "a configuration may hold secrets");
    assert_eq!(viewer.get("/guests").await.status, StatusCode::OK);
}

#[tokio::test]
async fn arguments_that_cannot_be_decoded_are_the_callers_mistake() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    admin.json = true;
    let fields = [("backend", "lxc"), ("name", "web1"), ("action", "explode")];
    let reply = admin.post("/guests", "/api/guests/act", &fields).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
    assert_eq!(
        admin.post("/", "/api/operations/cancel", &[("id", "x")]).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_body_larger_than_any_form_is_refused() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let novel = "x".repeat(300 * 1024);
    let fields = [("form[backend]", "lxc"), ("form[name]", "a"), ("form[arguments]", novel.as_str())];
    let reply = admin.post("/guests/new", "/api/guests/create", &fields).await;
    assert!(
        reply.status.is_client_error() || reply.location.is_some_and(|to| to.contains("__err")),
        "{}",
        reply.status
    );
    assert_eq!(fs::read_dir(host.lxc_path()).unwrap().count(), 0);
}
