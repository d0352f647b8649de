//! Somebody with an account of their own at Proxmox: what they do is theirs there, and denied as Proxmox denies it.

use app::{
    backend::{
        Backend as _, Error, ExecutionEnd, Person, Realms,
        proxmox::{Client, Entry},
    },
    domain::{
        action::ActionRequest,
        guest::{BackendKind, GuestStatus},
        secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::{
    fakepve::FakePve,
    lab::{KINDS, LXC, Lab, own},
};

const ANNA: &str = "anna@pve";
const PASSWORD: &str = "anna's own password";

/// Both guests in this state, on this host's node, and what Anna may do with each guest.
fn lab(status: &str, privileges: &[&str]) -> Lab {
    let lab = Lab::with(status, |config| config.local_node = Some("pve1".to_owned()));
    lab.fake.set("users", json!({ ANNA: PASSWORD }));
    for kind in KINDS {
        let mut arguments = vec![json!(ANNA), json!(format!("/vms/{}", own(kind)))];
        arguments.extend(privileges.iter().map(|privilege| json!(privilege)));
        lab.fake.call("grant", Value::Array(arguments));
    }
    lab
}

fn realms(fake: &FakePve) -> Realms {
    Realms::new(Client::new(&fake.config()).unwrap())
}

async fn anna(fake: &FakePve) -> Person {
    match realms(fake).log_in(ANNA, &Secret::new(PASSWORD)).await.unwrap() {
        Entry::In(person) => person,
        other => panic!("not in: {other:?}"),
    }
}

/// Plans and runs as Anna.
async fn act(lab: &Lab, kind: BackendKind, request: ActionRequest) -> Result<ExecutionEnd, Error> {
    let driver = lab.driver(kind).acting_as(&anna(&lab.fake).await).unwrap();
    let secrets = request.secrets();
    let plan = driver.plan(&crate::lab::name(own(kind)), &request).await?;
    Ok(lab.run_by(driver.as_ref(), own(kind), &plan, &secrets).await.end)
}

fn exec() -> ActionRequest {
    ActionRequest::Exec { command: vec!["true".to_owned()], timeout_seconds: 10 }
}

#[tokio::test]
async fn a_task_that_a_person_began_is_theirs_and_what_they_may_not_is_denied_to_them() {
    let lab = lab("stopped", &["VM.Audit", "VM.PowerMgmt"]);
    for kind in KINDS {
        assert_eq!(act(&lab, kind, ActionRequest::Start).await.unwrap(), ExecutionEnd::Done);
        assert_eq!(lab.status(kind, own(kind)).await, Some(GuestStatus::Running));
        let users = lab.fake.get("tasklog");
        let users: Vec<&str> =
            users.as_array().unwrap().iter().map(|task| task["user"].as_str().unwrap()).collect();
        assert!(!users.is_empty() && users.iter().all(|user| *user == ANNA), "{users:?}");
        let resize = ActionRequest::Delete { purge: false };
        lab.fake.set_guest(own(kind), "status", json!("stopped"));
        let ExecutionEnd::Failed(error) = act(&lab, kind, resize).await.unwrap() else {
            panic!("it may delete")
        };
        assert!(matches!(&error, Error::Denied { account: Some(who), .. } if who == ANNA), "{error:?}");
        assert!(error.to_string().contains("to anna@pve: VM.Allocate"), "{error}");
        assert!(lab.has(own(kind)));
    }
}

#[tokio::test]
async fn what_a_tool_of_the_node_does_is_asked_of_proxmox_before() {
    let without = lab("running", &["VM.Audit", "VM.PowerMgmt"]);
    let error = act(&without, LXC, exec()).await.unwrap_err();
    let denied = "denies this to anna@pve: VM.Console on /vms/101 is missing";
    assert!(error.to_string().contains(denied), "{error}");
    assert_eq!(act(&lab("running", &["VM.Audit", "VM.Console"]), LXC, exec()).await, Ok(ExecutionEnd::Done));
    // Proxmox has no privilege for this one.
    let every = lab("stopped", &["VM.Audit", "VM.Console", "VM.PowerMgmt", "VM.Config.Options"]);
    every.fake.set_guest(own(LXC), "lock", json!("backup"));
    let error = act(&every, LXC, ActionRequest::Unlock).await.unwrap_err();
    assert!(error.to_string().contains("only root@pam may do it"), "{error}");
    assert!(matches!(every.act(LXC, own(LXC), ActionRequest::Unlock).await, ExecutionEnd::Done));
}

#[tokio::test]
async fn nobody_is_let_in_with_a_wrong_password_or_a_name_that_is_none() {
    let fake = FakePve::start();
    fake.set("users", json!({ ANNA: PASSWORD }));
    let realms = realms(&fake);
    for (user, password) in [
        (ANNA, "wrong"),
        (ANNA, ""),
        (ANNA, &"x".repeat(5000)),
        ("bert@pve", PASSWORD),
        ("anna@pam", PASSWORD),
        ("anna", PASSWORD),
        ("anna@pve!token", PASSWORD),
        ("an na@pve", PASSWORD),
        ("anna\n@pve", PASSWORD),
        ("@pve", PASSWORD),
    ] {
        let entry = realms.log_in(user, &Secret::new(password)).await.unwrap();
        assert!(matches!(entry, Entry::Wrong), "{user} {entry:?}");
    }
    assert_eq!(realms.list().await.unwrap(), ["pam", "pve"]);
}

#[tokio::test]
async fn a_log_in_is_sent_once_and_somebody_else_is_not_let_in_for_it() {
    let fake = FakePve::start();
    fake.set("users", json!({ ANNA: PASSWORD }));
    let realms = realms(&fake);
    let password = Secret::new(PASSWORD);
    fake.spoil("POST", "/access/ticket", "drop", 1, json!({}));
    realms.log_in(ANNA, &password).await.unwrap_err();
    assert_eq!(fake.count("POST", "/access/ticket"), 1, "a wrong one would count twice");
    for user in ["root@pam", "anna@pam", "annika@pve", "anna", "anna@pve; x"] {
        let body = json!({"data": {"ticket": "PVE:x", "CSRFPreventionToken": "1:x", "username": user}});
        fake.spoil("POST", "/access/ticket", "raw", 1, json!({ "body": body.to_string() }));
        let error = realms.log_in(ANNA, &password).await.unwrap_err();
        assert!(matches!(error, Error::Garbled { .. }), "{user}: {error}");
        assert!(!error.to_string().contains("PVE:x"));
    }
    fake.spoil("POST", "/access/ticket", "raw", 1, json!({"status": 595, "reason": "No route to host"}));
    assert!(matches!(realms.log_in(ANNA, &password).await, Err(Error::Unavailable { .. })));
}

#[tokio::test]
async fn a_ticket_is_renewed_for_itself_and_over_once_proxmox_takes_it_no_more() {
    let lab = lab("stopped", &["VM.Audit", "VM.PowerMgmt"]);
    let person = anna(&lab.fake).await;
    person.renew(std::time::Duration::from_secs(3600)).await.unwrap();
    assert_eq!(lab.fake.count("POST", "/access/ticket"), 1, "it is new");
    person.renew(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(lab.fake.count("POST", "/access/ticket"), 2);
    assert!(person.holds("/vms/101", "VM.PowerMgmt").await.unwrap());
    assert!(!person.holds("/vms/102", "VM.PowerMgmt").await.unwrap());
    // Proxmox is away for a moment: the ticket is good all the same.
    lab.fake.spoil("POST", "/access/ticket", "raw", 3, json!({"status": 503, "reason": "busy"}));
    person.renew(std::time::Duration::ZERO).await.unwrap();
    assert!(!person.is_over());
    lab.fake.call("expire_tickets", json!([]));
    let error = person.holds("/vms/101", "VM.PowerMgmt").await.unwrap_err();
    assert!(error.to_string().contains("The log-in of anna@pve at Proxmox is over"), "{error}");
    assert!(person.is_over());
    let asked = lab.fake.count("POST", "/access/ticket");
    person.renew(std::time::Duration::ZERO).await.unwrap_err();
    assert_eq!(lab.fake.count("POST", "/access/ticket"), asked, "there is nothing left to ask with");
}
