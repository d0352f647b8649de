//! A guest's tabs and forms: what is asked for by them, on real LXC and real crun.

mod common;

use app::{
    api::guests::{GuestPage, Preview, SnapshotList},
    domain::{
        access::BuiltIn,
        action::{GuestAction, Refusal},
        guest::Snapshot,
        operation::OperationState,
    },
};
use common::{Browser, Host, browser::Reply, commands};
use http::StatusCode;

const TABS: [&str; 5] = ["", "/timeline", "/configuration", "/snapshots", "/exec"];

async fn lxc(host: &Host, name: &str) -> Browser {
    let mut admin = host.admin().await;
    let source = [("form[backend]", "lxc"), ("form[source]", "template"), ("form[template]", "busybox")];
    admin.create(&[&source[..], &[("form[name]", name)]].concat()).await;
    admin
}

/// As the plan page's form does without JavaScript.
async fn run(browser: &mut Browser, guest: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
    let (backend, name) = guest.split_once('/').unwrap();
    let who = [("backend", backend), ("name", name), ("action", action)];
    browser
        .post(&format!("/guests/{guest}/plan/{action}"), "/api/guests/act", &[&who[..], fields].concat())
        .await
}

async fn preview(browser: &mut Browser, guest: &str, action: &str, query: &str) -> Preview {
    let (backend, name) = guest.split_once('/').unwrap();
    let mut client = Browser { json: true, ..browser.clone() };
    let path = format!("/api/guests/preview?backend={backend}&name={name}&action={action}&{query}");
    let reply = client.get(&path).await;
    let preview: Option<Preview> = serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"));
    preview.unwrap()
}

/// The operation that the person was taken to, once it has ended.
async fn ended(browser: &mut Browser, reply: &Reply) -> app::api::operations::OperationPage {
    let to = reply.location.clone().unwrap_or_else(|| panic!("{reply:?}"));
    let id = to.strip_prefix("/history/").unwrap_or_else(|| panic!("{to}"));
    browser.ended(id.parse().unwrap()).await
}

#[tokio::test]
async fn every_tab_has_an_address_and_an_unknown_one_is_a_404_page() {
    let host = Host::start().await;
    let mut admin = lxc(&host, "web1").await;
    for tab in TABS {
        let page = admin.get(&format!("/guests/lxc/web1{tab}")).await;
        assert_eq!(page.status, StatusCode::OK, "{tab}");
        assert_eq!(page.body.matches("aria-current=\"page\"").count(), 3, "{tab}: rail, crumb and tab");
        assert_eq!(
            admin.get(&format!("/guests/lxc/nobody{tab}")).await.status,
            StatusCode::NOT_FOUND,
            "{tab}"
        );
    }
    assert_eq!(admin.get("/guests/lxc/web1/secrets").await.status, StatusCode::NOT_FOUND);
    let timeline = admin.get("/guests/lxc/web1/timeline").await;
    assert!(timeline.body.contains("Create") && timeline.body.contains("Today"), "{}", timeline.body);
    let wrong = admin.get("/guests/lxc/web1/timeline?after=x").await;
    assert!(wrong.body.contains("cannot be found"), "{}", wrong.body);
}

#[tokio::test]
async fn a_tab_that_a_right_forbids_says_which_and_leads_nowhere() {
    let host = Host::start().await;
    lxc(&host, "web1").await;
    let mut vera = host.person("vera", BuiltIn::Viewer).await;
    let page = vera.get("/guests/lxc/web1").await;
    for tab in ["configuration", "exec"] {
        assert!(!page.body.contains(&format!("href=\"/guests/lxc/web1/{tab}\"")), "{tab}");
        assert!(page.body.contains(&format!("tip-tab-{tab}")), "{tab}");
        let asked = vera.get(&format!("/guests/lxc/web1/{tab}")).await;
        assert!(asked.body.contains("You lack the privilege"), "{tab}: {}", asked.body);
        assert!(!asked.body.contains("<form class=\"form"), "{tab}");
    }
}

#[tokio::test]
async fn what_the_configuration_form_changes_is_shown_before_and_stands_in_the_file_after() {
    let host = Host::start().await;
    let mut admin = lxc(&host, "web1").await;
    let form = admin.get("/guests/lxc/web1/configuration").await;
    assert!(form.body.contains("action=\"/guests/lxc/web1/plan/configure\""), "{}", form.body);

    let query = "memory=64M&cpu=&pids=&tags=lab,%20db&start-at-boot=false";
    let page = admin.get(&format!("/guests/lxc/web1/plan/configure?{query}")).await;
    assert!(page.body.contains("lxc.group = db"), "{}", page.body);
    assert!(page.body.contains("name=\"fields[memory]\" value=\"64M\""), "what was typed goes along");
    assert!(page.body.contains("/guests/lxc/web1/configuration?"), "and goes back");
    let fields = "fields[memory]=64M&fields[tags]=lab,%20db&fields[start-at-boot]=false";
    let hash = preview(&mut admin, "lxc/web1", "configure", fields).await.hash.unwrap();

    let config = host.lxc_path().join("web1/config");
    assert!(!std::fs::read_to_string(&config).unwrap().contains("lxc.group"), "to look changes nothing");
    let typed = [("fields[memory]", "64M"), ("fields[tags]", "lab, db"), ("fields[start-at-boot]", "false")];
    let reply = run(&mut admin, "lxc/web1", "configure", &[&typed[..], &[("plan", &hash)]].concat()).await;
    let done = ended(&mut admin, &reply).await;
    assert_eq!(done.operation.summary.state, OperationState::Succeeded, "{done:#?}");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("67108864") && text.contains("lxc.group = lab"), "{text}");
    let form = admin.get("/guests/lxc/web1/configuration").await;
    assert!(form.body.contains("value=\"64M\"") && form.body.contains("value=\"db, lab\""), "{}", form.body);

    // The same again is no change; another plan than the one agreed to is not run.
    let same = preview(&mut admin, "lxc/web1", "configure", fields).await;
    let said = same.plan.unwrap_err().to_string();
    assert!(said.contains("Nothing is to be changed"), "{said}");
    let typed = [("fields[memory]", "65M"), ("plan", hash.as_str())];
    let reply = run(&mut admin, "lxc/web1", "configure", &typed).await;
    assert!(reply.location.unwrap().contains("__err"));
    assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
}

#[tokio::test]
async fn a_snapshot_is_taken_gone_back_to_and_deleted_by_its_name_alone() {
    let host = Host::start().await;
    let mut admin = lxc(&host, "web1").await;
    let page = admin.get("/guests/lxc/web1/snapshots").await;
    assert!(page.body.contains("There are no snapshots yet"), "{}", page.body);
    let hash = preview(&mut admin, "lxc/web1", "snapshot", "fields[description]=before").await.hash.unwrap();
    let fields = [("fields[description]", "before"), ("plan", hash.as_str())];
    let reply = run(&mut admin, "lxc/web1", "snapshot", &fields).await;
    ended(&mut admin, &reply).await;
    let taken = snapshots(&mut admin).await;
    assert_eq!((taken[0].name.as_str(), taken[0].description.trim()), ("snap0", "before"));

    let file = host.lxc_path().join("web1/rootfs/left-behind");
    std::fs::write(&file, "x").unwrap();
    let plan = admin.get("/guests/lxc/web1/plan/rollback?snapshot=snap0").await;
    assert!(plan.body.contains("Gone for good"), "{}", plan.body);
    assert!(plan.body.contains("Type “snap0” to confirm"), "{}", plan.body);
    for confirm in ["", "web1", "snap1"] {
        let fields = [("fields[snapshot]", "snap0"), ("confirm", confirm)];
        let reply = run(&mut admin, "lxc/web1", "rollback", &fields).await;
        assert!(reply.location.unwrap().contains("__err"), "{confirm:?}");
        assert!(file.exists());
    }
    let agreed = preview(&mut admin, "lxc/web1", "rollback", "fields[snapshot]=snap0").await;
    assert_eq!(agreed.confirm.as_deref(), Some("snap0"));
    let hash = agreed.hash.unwrap();
    let fields = [("fields[snapshot]", "snap0"), ("confirm", "snap0"), ("plan", &hash)];
    let reply = run(&mut admin, "lxc/web1", "rollback", &fields).await;
    let done = ended(&mut admin, &reply).await;
    assert_eq!(done.operation.summary.state, OperationState::Succeeded, "{done:#?}");
    assert!(!file.exists());

    let hash =
        preview(&mut admin, "lxc/web1", "delete-snapshot", "fields[snapshot]=snap0").await.hash.unwrap();
    let fields = [("fields[snapshot]", "snap0"), ("confirm", "snap0"), ("plan", &hash)];
    let reply = run(&mut admin, "lxc/web1", "delete-snapshot", &fields).await;
    ended(&mut admin, &reply).await;
    assert_eq!(snapshots(&mut admin).await, []);
}

async fn snapshots(browser: &mut Browser) -> Vec<Snapshot> {
    let mut client = Browser { json: true, ..browser.clone() };
    let reply = client.get("/api/guests/snapshots?backend=lxc&name=web1").await;
    serde_json::from_str::<Option<SnapshotList>>(&reply.body).unwrap().unwrap().snapshots
}

#[tokio::test]
async fn a_command_is_handed_over_word_by_word_and_its_operation_is_where_one_is_taken() {
    let host = Host::start().await;
    let mut admin = lxc(&host, "web1").await;
    admin.succeed("lxc/web1", "start").await;
    let line = "sh -c 'echo \"$1\"; echo oops >&2; exit 3' - 'two  words; $HOME'";
    let fields = [("fields[command]", line), ("fields[timeout]", "30")];
    let reply = run(&mut admin, "lxc/web1", "exec", &fields).await;
    let done = ended(&mut admin, &reply).await;
    let said: String = done.operation.output.iter().map(|chunk| chunk.text.as_str()).collect();
    assert!(said.contains("two  words; $HOME\n") && said.contains("oops"), "{said}");
    assert!(commands(&done)[0].ends_with("- 'two  words; $HOME'"), "{:?}", commands(&done));
    let page = admin.get(&format!("/guests/lxc/web1/exec?operation={}", done.operation.summary.id)).await;
    assert!(page.body.contains("oops") && page.body.contains("exit 3"), "{}", page.body);

    // With a script the person stays, and is told the operation's number.
    admin.json = true;
    let reply = run(&mut admin, "lxc/web1", "exec", &[("fields[command]", "true")]).await;
    assert_eq!((reply.status, reply.location), (StatusCode::OK, None), "{}", reply.body);
    let reply = run(&mut admin, "lxc/web1", "exec", &[("fields[command]", "echo 'a")]).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.body);
}

#[tokio::test]
async fn what_a_backend_lacks_is_said_on_the_tab_and_not_offered_in_the_menu() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let bundle = host.bundle("b", "sleep 1000").display().to_string();
    let id = format!("tabs-{}", std::process::id());
    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    let page = admin.get(&format!("/guests/crun/{id}/snapshots")).await;
    assert!(page.body.contains("crun keeps no earlier states"), "{}", page.body);
    assert!(!page.body.contains("/do/clone"), "{}", page.body);
    let lxc = lxc(&host, "web1").await.get("/guests/lxc/web1").await;
    assert!(lxc.body.contains("/guests/lxc/web1/do/clone"), "{}", lxc.body);
    admin.json = true;
    let reply = admin.get(&format!("/api/guests/get?backend=crun&name={id}")).await;
    let page: Option<GuestPage> = serde_json::from_str(&reply.body).unwrap();
    let refusal = page.unwrap().refusal(GuestAction::Clone).cloned();
    assert!(matches!(refusal, Some(Refusal::Unsupported { .. })), "{refusal:?}");
}

#[tokio::test]
async fn a_clone_is_asked_for_by_its_form() {
    let host = Host::start().await;
    let mut admin = lxc(&host, "web1").await;
    let form = admin.get("/guests/lxc/web1/do/clone?name=web%202").await;
    assert!(form.body.contains("value=\"web 2\""), "what was typed stays: {}", form.body);
    let plan = admin.get("/guests/lxc/web1/plan/clone?name=web%202").await;
    assert!(plan.body.contains("cannot contain a blank"), "{}", plan.body);
    let hash = preview(&mut admin, "lxc/web1", "clone", "fields[name]=web2").await.hash.unwrap();
    let reply = run(&mut admin, "lxc/web1", "clone", &[("fields[name]", "web2"), ("plan", &hash)]).await;
    let done = ended(&mut admin, &reply).await;
    assert_eq!(done.operation.summary.state, OperationState::Succeeded, "{done:#?}");
    assert_eq!(host.lxc_info("web2"), "STOPPED");
    assert_eq!(admin.get("/guests/lxc/web1/do/explode").await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/guests/lxc/nobody/do/clone").await.status, StatusCode::NOT_FOUND);
}
