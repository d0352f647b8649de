//! Roles, groups and grants: what each change records, and what no change can do.

use app::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{BuiltIn, GrantId, Holder, On, Privilege, Privileges},
        action::{Field, GuestAction, Refusal},
        guest::GuestId,
        operation::{EndState, GuestAfter, Origin},
        plan::Plan,
    },
    service::{
        Error,
        access::{self, GrantForm},
        accounts::{self, caller, log_in},
        users,
    },
    store::{Begun, End, EntryKind, NewOperation, UserChange},
};
use serde_json::{Value, json};

use super::{FIRST, Paddock, SECOND, some};

fn root() -> Caller {
    Caller::command_line("root")
}

fn form<'a>(holder: &Holder, role: &'a str, scope: &'a str) -> GrantForm<'a> {
    GrantForm { holder: holder.clone(), role, scope, expires_ms: None }
}

fn anna() -> Holder {
    Holder::User("anna".to_owned())
}

fn ops() -> Holder {
    Holder::Group("ops".to_owned())
}

/// The field that a refusal is about, and its sentence.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> (Field, String) {
    match result.unwrap_err() {
        Error::Refused(Refusal::Field { field, message }) => (field, message),
        other => panic!("{other:?}"),
    }
}

const LAST: &str = "Nobody would be left who may do everything. Nothing was changed;";

#[tokio::test]
async fn the_last_administrator_cannot_be_removed_in_any_way() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    let disable = UserChange { is_disabled: Some(true), ..UserChange::default() };
    let end = UserChange { expires_ms: Some(Some(now_ms() + 3_600_000)), ..UserChange::default() };
    let is_last = |refusal: (Field, String)| assert!(refusal.1.starts_with(LAST), "{refusal:?}");
    let entries = paddock.entries().await.len();
    is_last(refused(users::remove(state, &root(), "admin").await));
    is_last(refused(users::change(state, &root(), "admin", disable).await));
    is_last(refused(users::change(state, &root(), "admin", end).await));
    is_last(refused(access::remove_grant(state, &root(), GrantId(1)).await));
    assert_eq!(paddock.entries().await.len(), entries + 4, "each refusal is recorded, and nothing else");
    log_in(&paddock.visit(), "admin", FIRST, "").await.unwrap();

    // One who is administrator of a part, for a time, or of an account that ends, is none that could stand in.
    users::add(state, &root(), "anna", None).await.unwrap();
    access::add_grant(state, &root(), &form(&anna(), "administrator", "backend:lxc")).await.unwrap();
    let for_an_hour =
        GrantForm { expires_ms: Some(now_ms() + 3_600_000), ..form(&anna(), "administrator", "everything") };
    access::add_grant(state, &root(), &for_an_hour).await.unwrap();
    is_last(refused(users::remove(state, &root(), "admin").await));

    // One by way of a group can, and then the group holds them.
    access::add_group(state, &root(), "ops").await.unwrap();
    access::set_member(state, &root(), "ops", "anna", true).await.unwrap();
    access::add_grant(state, &root(), &form(&ops(), "administrator", "everything")).await.unwrap();
    users::remove(state, &root(), "admin").await.unwrap();
    is_last(refused(access::set_member(state, &root(), "ops", "anna", false).await));
    is_last(refused(access::remove_group(state, &root(), "ops").await));
}

#[tokio::test]
async fn each_change_is_recorded_with_what_it_was() {
    let paddock = Paddock::with_admin().await;
    let (state, actor) = (&paddock.state, some("root (cli)"));
    users::add(state, &root(), "anna", None).await.unwrap();
    access::add_role(state, &root(), "night", "see,power".parse().unwrap()).await.unwrap();
    access::change_role(state, &root(), "night", "see".parse().unwrap()).await.unwrap();
    access::add_group(state, &root(), "ops").await.unwrap();
    access::set_member(state, &root(), "ops", "ANNA", true).await.unwrap();
    access::add_grant(state, &root(), &form(&ops(), "night", "tag:lab")).await.unwrap();
    access::remove_grant(state, &root(), GrantId(2)).await.unwrap();
    access::remove_role(state, &root(), "night").await.unwrap();
    access::remove_group(state, &root(), "ops").await.unwrap();
    users::remove(state, &root(), "anna").await.unwrap();
    let grant = json!({ "grant": 2, "role": "night", "scope": "tag:lab", "expires_ms": null });
    let changed = json!({ "privileges": "see", "before": "see,power" });
    for (kind, subject, detail) in [
        (EntryKind::RoleAdded, "role:night", json!({ "privileges": "see,power" })),
        (EntryKind::RoleChanged, "role:night", changed),
        (EntryKind::RoleRemoved, "role:night", json!({})),
        (EntryKind::GroupAdded, "group:ops", json!({})),
        (EntryKind::GroupChanged, "group:ops", json!({ "user": "anna", "member": true })),
        (EntryKind::GroupRemoved, "group:ops", json!({})),
        (EntryKind::GrantRemoved, "group:ops", grant),
        (EntryKind::UserRemoved, "user:anna", json!({})),
    ] {
        assert_eq!(paddock.only(kind).await, (actor.clone(), None, some(subject), detail), "{kind:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_told_at_its_field() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    let none = Privileges::NONE;
    let see: Privileges = "see".parse().unwrap();
    assert_eq!(refused(access::add_role(state, &root(), "Night shift", see).await).0, Field::Role);
    assert_eq!(refused(access::add_role(state, &root(), "empty", none).await).0, Field::Role);
    let (field, sentence) = refused(access::change_role(state, &root(), "viewer", Privileges::ALL).await);
    assert_eq!((field, sentence.contains("built in")), (Field::Role, true));
    let (_, sentence) = refused(access::change_role(state, &root(), "night", see).await);
    assert_eq!(sentence, "There is no role night. Nothing was changed.");
    assert_eq!(refused(access::add_group(state, &root(), "a b").await).0, Field::Group);
    let admin = Holder::User("admin".to_owned());
    let add = async |form: GrantForm<'_>| refused(access::add_grant(state, &root(), &form).await);
    assert_eq!(add(form(&admin, "viewer", "everywhere")).await.0, Field::Scope);
    assert_eq!(add(form(&admin, "no such", "everything")).await.0, Field::Role);
    assert_eq!(add(form(&admin, "nosuch", "everything")).await.0, Field::Holder);
    assert_eq!(add(form(&anna(), "viewer", "everything")).await.0, Field::Holder);
    let (field, sentence) = add(form(&admin, "administrator", "everything")).await;
    assert_eq!(field, Field::Holder);
    assert!(sentence.starts_with("There is a grant of administrator on everything"), "{sentence}");
    let over = GrantForm { expires_ms: Some(1), ..form(&admin, "viewer", "everything") };
    assert_eq!(add(over).await.0, Field::Expires);
    // A role that somebody has stays.
    access::add_role(state, &root(), "night", see).await.unwrap();
    access::add_grant(state, &root(), &form(&admin, "night", "tag:lab")).await.unwrap();
    let (_, sentence) = refused(access::remove_role(state, &root(), "night").await);
    assert!(sentence.contains("still granted"), "{sentence}");
}

#[tokio::test]
async fn a_change_is_in_force_with_the_next_request() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    let password = users::add(state, &root(), "anna", Some(BuiltIn::Viewer)).await.unwrap();
    let visit = paddock.visit();
    log_in(&visit, "anna", &password, "").await.unwrap();
    let may = async |privilege| {
        let caller = caller(&visit).await.unwrap().unwrap();
        policy::decide(&caller, privilege, On::Everything).is_ok()
    };
    assert!(may(Privilege::See).await && !may(Privilege::Power).await);
    access::add_group(state, &root(), "ops").await.unwrap();
    access::add_grant(state, &root(), &form(&ops(), "operator", "everything")).await.unwrap();
    access::set_member(state, &root(), "ops", "anna", true).await.unwrap();
    assert!(may(Privilege::Power).await);
    let rights = access::rights(state, &root(), "anna").await.unwrap();
    let by_group = rights.decide(Privilege::Power, On::Everything, now_ms()).unwrap();
    assert_eq!(by_group.group.as_deref(), Some("ops"), "it is told through what one has it");
    access::set_member(state, &root(), "ops", "anna", false).await.unwrap();
    assert!(!may(Privilege::Power).await);
    users::change(state, &root(), "anna", UserChange { is_disabled: Some(true), ..UserChange::default() })
        .await
        .unwrap();
    assert_eq!(caller(&visit).await.unwrap(), None);
    let failure = log_in(&paddock.visit(), "anna", &password, "").await.unwrap_err();
    assert_eq!(failure.to_string(), "the account is disabled or over");
    let failure = log_in(&paddock.visit(), "anna", SECOND, "").await.unwrap_err();
    assert_eq!(failure.to_string(), "user name or password is wrong", "a stranger learns nothing of it");
    assert_eq!(paddock.of(EntryKind::LogInFailed).await.len(), 2);
}

#[tokio::test]
async fn nobody_changes_rights_without_the_privilege_and_each_try_is_recorded() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    for role in [BuiltIn::Operator, BuiltIn::Auditor, BuiltIn::Viewer] {
        let name = role.as_str();
        let password = users::add(state, &root(), name, Some(role)).await.unwrap();
        let visit = paddock.visit();
        log_in(&visit, name, &password, "").await.unwrap();
        let caller = accounts::caller(&visit).await.unwrap().unwrap();
        let own = Holder::User(name.to_owned());
        let see: Privileges = "see".parse().unwrap();
        let before = paddock.of(EntryKind::ActionDenied).await.len();
        let denied = |result: Result<(), Error>| {
            let is_denied =
                matches!(result, Err(Error::Refused(Refusal::Denied { privilege: Privilege::Users, .. })));
            assert!(is_denied, "{name}: {result:?}");
        };
        denied(access::add_grant(state, &caller, &form(&own, "administrator", "everything")).await);
        denied(access::remove_grant(state, &caller, GrantId(1)).await);
        denied(access::add_role(state, &caller, "own", see).await);
        denied(access::change_role(state, &caller, "own", see).await);
        denied(access::remove_role(state, &caller, "own").await);
        denied(access::add_group(state, &caller, "own").await);
        denied(access::remove_group(state, &caller, "own").await);
        denied(access::set_member(state, &caller, "own", name, true).await);
        denied(users::add(state, &caller, "ben", None).await.map(|_| ()));
        denied(users::reset_password(state, &caller, "admin").await.map(|_| ()));
        denied(users::change(state, &caller, "admin", UserChange::default()).await);
        denied(users::remove(state, &caller, "admin").await);
        let denials = paddock.of(EntryKind::ActionDenied).await;
        assert_eq!(denials.len() - before, 12, "{name}");
        let detail: Value = serde_json::from_str(&denials[before].detail).unwrap();
        assert_eq!((&detail["action"], &detail["kind"]), (&json!("add-grant"), &json!("denied")));
        // To read is for auditors, and one's own for everybody.
        let reads = access::grants(state, &caller).await.is_ok();
        assert_eq!(reads, role == BuiltIn::Auditor, "{name}");
        assert_eq!(access::rights(state, &caller, "admin").await.is_ok(), role == BuiltIn::Auditor, "{name}");
        access::rights(state, &caller, name).await.unwrap();
    }
}

#[tokio::test]
async fn grants_on_a_guest_end_with_it() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    for scope in ["guest:lxc/web1", "guest:lxc/web2", "backend:lxc"] {
        let admin = Holder::User("admin".to_owned());
        access::add_grant(state, &root(), &form(&admin, "viewer", scope)).await.unwrap();
    }
    // Whatever ends otherwise takes nothing back, nor does a deletion that fails.
    for (action, end) in [
        (GuestAction::Stop, EndState::Succeeded),
        (GuestAction::Delete, EndState::Failed),
        (GuestAction::Delete, EndState::Succeeded),
    ] {
        let guest = GuestId::parse("lxc", "web1").unwrap();
        assert_eq!(access::grants(state, &root()).await.unwrap().len(), 4);
        done(&paddock, &guest, action, end).await;
    }
    let left: Vec<String> =
        access::grants(state, &root()).await.unwrap().iter().map(|grant| grant.scope.to_string()).collect();
    assert_eq!(left, ["everything", "guest:lxc/web2", "backend:lxc"]);
    let detail = json!({
        "grant": 2, "role": "viewer", "scope": "guest:lxc/web1", "expires_ms": null, "why": "guest-deleted"
    });
    assert_eq!(
        paddock.only(EntryKind::GrantRemoved).await,
        (some("anna"), None, some("user:admin"), detail),
        "the deletion is whose it was"
    );
}

/// Brings that action on the guest to this end, by Anna.
async fn done(paddock: &Paddock, guest: &GuestId, action: GuestAction, end: EndState) {
    let (store, plan) = (&paddock.state.store, Plan::default());
    let new = NewOperation {
        origin: Origin::Paddock,
        parent: None,
        children: None,
        guest: Some(guest),
        node: None,
        title: None,
        action: action.into(),
        actor: Some("anna"),
        address: None,
        request: None,
        plan: &plan,
        started_ms: 1,
        owner: None,
    };
    let Begun::Planned(id) = store.begin_operation(&new).await.unwrap() else { panic!("{action}") };
    let end = End {
        state: end,
        failure: None,
        failure_kind: None,
        guest_after: GuestAfter::NotRead,
        finished_ms: 2,
    };
    store.finish_operation(id, &end).await.unwrap();
}

/// Deletes the guest.
pub async fn deleted(paddock: &Paddock, guest: &GuestId) {
    done(paddock, guest, GuestAction::Delete, EndState::Succeeded).await;
}
