//! The form of a new guest: its steps without JavaScript, and what is agreed to.

mod common;

use app::{
    api::guests::CreatePreview,
    domain::{access::BuiltIn, operation::OperationState},
};
use common::{Browser, Host, commands};
use http::StatusCode;

async fn preview(browser: &mut Browser, query: &str) -> CreatePreview {
    let mut client = Browser { json: true, ..browser.clone() };
    let reply = client.get(&format!("/api/guests/preview-create?{query}")).await;
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"))
}

#[tokio::test]
async fn the_steps_lead_from_the_form_to_the_plan_to_the_guest() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let form = admin.get("/guests/new").await;
    assert!(form.body.contains("action=\"/guests/new/plan\""), "{}", form.body);
    assert!(form.body.contains("value=\"busybox\" selected"), "a usual choice is made: {}", form.body);

    let query = "backend=lxc&name=web1&source=template&template=busybox&memory=64M&bridge=none&start=true";
    let check = admin.get(&format!("/guests/new/plan?{query}")).await;
    assert_eq!(check.status, StatusCode::OK);
    for wanted in ["lxc-create", "lxc-start", "What will run", "name=\"form[memory]\" value=\"64M\""] {
        assert!(check.body.contains(wanted), "{wanted}: {}", check.body);
    }
    assert_eq!(std::fs::read_dir(host.lxc_path()).unwrap().count(), 0, "to look makes nothing");
    let in_form = query.split('&').map(|pair| pair.replacen('=', "]=", 1)).map(|pair| format!("form[{pair}"));
    let agreed = preview(&mut admin, &in_form.collect::<Vec<_>>().join("&")).await;
    let hash = agreed.hash.unwrap();
    assert!(check.body.contains(&hash), "the page agrees to the same plan");

    let fields: Vec<(String, &str)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (format!("form[{name}]"), value))
        .collect();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    fields.push(("plan", "another"));
    let reply = admin.post(&format!("/guests/new/plan?{query}"), "/api/guests/create", &fields).await;
    assert!(reply.location.unwrap().contains("__err"), "another plan than the one agreed to is not run");
    fields.pop();
    fields.push(("plan", &hash));
    let reply = admin.post(&format!("/guests/new/plan?{query}"), "/api/guests/create", &fields).await;
    let to = reply.location.unwrap();
    let done = admin.ended(to.strip_prefix("/history/").unwrap().parse().unwrap()).await;
    assert_eq!(done.operation.summary.state, OperationState::Succeeded, "{done:#?}");
    assert!(commands(&done).iter().any(|command| command.starts_with("lxc-start")), "{:?}", commands(&done));
    assert_eq!(host.lxc_info("web1"), "RUNNING");
}

#[tokio::test]
async fn a_backends_own_fields_are_shown_and_what_was_typed_for_another_goes_along() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let bundle = host.bundle("b", "sleep 1").display().to_string();
    let page = admin.get("/guests/new?backend=crun&name=job1&arguments=-x%0A-y&source=bundle").await;
    for wanted in ["OCI bundle", "Image layout", "Share the host", &bundle, "value=\"job1\""] {
        assert!(page.body.contains(wanted), "{wanted}: {}", page.body);
    }
    assert!(!page.body.contains("<textarea id=\"arguments\""), "{}", page.body);
    assert!(page.body.contains("type=\"hidden\" name=\"arguments\""), "{}", page.body);
    let check = admin.get("/guests/new/plan?backend=crun&name=job1&source=bundle&bundle=relative").await;
    assert!(check.body.contains("This cannot be done now"), "{}", check.body);
    assert!(
        check.body.contains("/guests/new?backend=crun"),
        "and back, with all that was typed: {}",
        check.body
    );
}

#[tokio::test]
async fn a_password_comes_back_in_no_address() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let fields = [
        ("form[backend]", "proxmox-lxc"),
        ("form[name]", "-"),
        ("form[password]", "hunter22"),
        ("password", "hunter22"),
    ];
    let reply = admin.post("/guests/new", "/api/guests/create", &fields).await;
    let to = reply.location.unwrap();
    assert!(to.contains("__err"), "{to}");
    // What goes back is in Base64; the page it leads to shows what was in it.
    let page = admin.get(&to).await;
    assert!(!to.contains("hunter22") && !page.body.contains("hunter22"), "{}", page.body);
    let mut client = Browser { json: true, ..admin.clone() };
    let reply = client.post("/guests/new", "/api/guests/create", &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!reply.body.contains("hunter22"), "{}", reply.body);
    assert!(!host.ledger().await.join("\n").contains("hunter22"));
}

#[tokio::test]
async fn who_may_not_create_learns_nothing_of_what_lies_on_the_host() {
    let host = Host::start().await;
    let bundle = host.bundle("private", "sleep 1").display().to_string();
    let mut vera = host.person("vera", BuiltIn::Viewer).await;
    let page = vera.get("/guests/new?backend=crun").await;
    assert!(page.body.contains("You lack the privilege"), "{}", page.body);
    assert!(!page.body.contains(&bundle), "{}", page.body);
    let check = vera.get("/guests/new/plan?backend=crun&name=job1&bundle=/b").await;
    assert!(check.body.contains("You lack the privilege"), "{}", check.body);
}
