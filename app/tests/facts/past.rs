//! Who had which right when: what the ledger tells is what the tables say, whatever was done.

use std::{collections::BTreeMap, path::Path};

use app::{
    auth::Caller,
    backend::now_ms,
    domain::{
        access::{Access, BuiltIn, Grant, Holder, Recorded, Role, Scope, SinceWhy},
        guest::GuestId,
    },
    service::{
        Error, access,
        access_past::{self, PastQuery},
        users,
    },
    store::{AccessRecord, By, EntryKind, Fact, NewGrant, NewUser, Pace, Store, UserChange},
};
use proptest::prelude::*;

use super::Paddock;

/// One thing that is done, with numbers that stand for names.
#[derive(Debug, Clone)]
enum Deed {
    AddUser(u8, Option<BuiltIn>),
    ChangeUser(u8, Option<bool>, Option<Option<i64>>),
    RemoveUser(u8),
    AddGroup(u8),
    RemoveGroup(u8),
    Member(u8, u8, bool),
    SaveRole(u8, u8),
    RemoveRole(u8),
    /// To a user or a group, of a built-in role or another, somewhere, perhaps for a time.
    Give(bool, u8, u8, u8, Option<i64>),
    TakeBack(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let of = 0..4_u8;
    let end = prop::option::of(0..5_000_i64);
    let built_in = prop::option::of(prop::sample::select(&BuiltIn::ALL[..]));
    prop_oneof![
        3 => (of.clone(), built_in).prop_map(|(user, role)| Deed::AddUser(user, role)),
        2 => (of.clone(), any::<Option<bool>>(), prop::option::of(end.clone()))
            .prop_map(|(user, disabled, end)| Deed::ChangeUser(user, disabled, end)),
        1 => of.clone().prop_map(Deed::RemoveUser),
        2 => of.clone().prop_map(Deed::AddGroup),
        1 => of.clone().prop_map(Deed::RemoveGroup),
        4 => (of.clone(), of.clone(), prop::bool::weighted(0.7)).prop_map(|(g, u, is)| Deed::Member(g, u, is)),
        3 => (of.clone(), 1..4_u8).prop_map(|(role, bits)| Deed::SaveRole(role, bits)),
        1 => of.clone().prop_map(Deed::RemoveRole),
        6 => (any::<bool>(), of.clone(), 0..8_u8, of, end).prop_map(|(is, to, role, on, end)| Deed::Give(is, to, role, on, end)),
        2 => (1..20_i64).prop_map(Deed::TakeBack),
    ]
}

/// In either case, as names are typed.
fn user(n: u8, is_loud: bool) -> String {
    let name = format!("user{n}");
    if is_loud { name.to_uppercase() } else { name }
}

fn role(n: u8) -> app::domain::access::RoleName {
    match BuiltIn::ALL.get(usize::from(n)) {
        Some(built_in) => built_in.name(),
        None => format!("own-{}", n % 4).parse().unwrap(),
    }
}

async fn does(store: &Store, deed: &Deed, at_ms: i64) {
    let by = By { actor: Some("root (cli)"), address: None, at_ms };
    match deed {
        Deed::AddUser(n, role) => {
            let new = NewUser::local(&user(*n, false), "$hash".to_owned(), *role);
            store.add_user(&new, by).await.map(drop)
        }
        Deed::ChangeUser(n, is_disabled, expires_ms) => {
            let change =
                UserChange { is_disabled: *is_disabled, expires_ms: *expires_ms, ..UserChange::default() };
            store.change_user(&user(*n, true), change, by).await.map(drop)
        }
        Deed::RemoveUser(n) => store.remove_user(&user(*n, true), by).await.map(drop),
        Deed::AddGroup(n) => store.add_group(&format!("group{n}"), by).await.map(drop),
        Deed::RemoveGroup(n) => store.remove_group(&format!("GROUP{n}"), by).await.map(drop),
        Deed::Member(group, n, is_in) => {
            store.set_member(&format!("Group{group}"), &user(*n, true), *is_in, by).await.map(drop)
        }
        Deed::SaveRole(n, bits) => {
            let list = [(1, "see"), (2, "power")].into_iter().filter(|(bit, _)| bits & bit != 0);
            let privileges = list.map(|(_, word)| word).collect::<Vec<_>>().join(",").parse().unwrap();
            let role = Role { name: role(n + 4), privileges };
            match store.add_role(&role, by).await.unwrap() {
                app::store::Changed::Done => Ok(()),
                _ => store.change_role(&role, by).await.map(drop),
            }
        }
        Deed::RemoveRole(n) => store.remove_role(&role(n + 4), by).await.map(drop),
        Deed::Give(is_user, to, which, on, expires_ms) => {
            let holder = match is_user {
                true => Holder::User(user(*to, true)),
                false => Holder::Group(format!("GROUP{to}")),
            };
            let scopes = ["everything", "tag:lab", "backend:lxc", "guest:lxc/web1"];
            let scope: Scope = scopes[usize::from(*on)].parse().unwrap();
            let role = role(*which);
            let grant = NewGrant { holder: &holder, role: &role, scope: &scope, expires_ms: *expires_ms };
            store.add_grant(grant, by).await.map(drop)
        }
        Deed::TakeBack(id) => store.remove_grant(app::domain::access::GrantId(*id), by).await.map(drop),
    }
    .unwrap();
}

async fn opened(dir: &Path) -> Store {
    let store = Store::open(&dir.join("paddock.db")).await.unwrap();
    // Nobody pulls the plug on a test, and this one writes much.
    sqlx::query("PRAGMA synchronous = OFF").execute(store.pool()).await.unwrap();
    // So that the last administrator is in nobody's way.
    let admin = NewUser::local("admin", "$hash".to_owned(), Some(BuiltIn::Administrator));
    store.add_user(&admin, By::default()).await.unwrap();
    store
}

fn replayed(record: &AccessRecord) -> Access {
    record.before.clone().replayed(&record.changes).sorted()
}

async fn agrees(store: &Store) -> AccessRecord {
    let record = store.access_record().await.unwrap();
    assert_eq!(record.unreadable, [0; 0]);
    assert_eq!(replayed(&record), record.now.clone().sorted());
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_replayed_up_to_now_is_what_the_tables_say(deeds in prop::collection::vec(deed(), 1..60)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = opened(dir.path()).await;
            // What it was after each of them.
            let mut were = BTreeMap::new();
            for (n, deed) in (1..).zip(&deeds) {
                does(&store, deed, n * 1000).await;
                were.insert(n * 1000, store.access_record().await.unwrap().now.sorted());
            }
            let record = agrees(&store).await;
            for (at_ms, was) in &were {
                let by_then = record.changes.iter().filter(|it| it.at_ms <= *at_ms);
                assert_eq!(record.before.clone().replayed(by_then).sorted(), *was, "at {at_ms}");
            }
            // For each of them the rights are those that the tables' own query tells.
            let groups = store.groups().await.unwrap();
            let (roles, grants) = (store.own_roles().await.unwrap(), store.grants().await.unwrap());
            for user in store.users().await.unwrap() {
                let rights = store.rights_of(user.id).await.unwrap();
                let same = app::domain::access::Rights::of(&user.username, &grants, &groups, &roles);
                assert_eq!(same, rights, "{}", user.username);
                let held = record.now.held(2_500);
                let held = held.iter().filter(|it| it.user == user.username).count();
                let now = rights.list.iter().filter(|it| it.expires_ms.is_none_or(|end| end > 2_500)).count();
                assert_eq!(held, now);
            }
        });
    }
}

#[tokio::test]
async fn what_goes_into_an_archive_leaves_behind_what_it_came_to() {
    let dir = tempfile::tempdir().unwrap();
    let store = opened(dir.path()).await;
    let deeds = [
        Deed::AddUser(1, Some(BuiltIn::Viewer)),
        Deed::AddGroup(1),
        Deed::Member(1, 1, true),
        Deed::SaveRole(0, 3),
        Deed::Give(false, 1, 4, 1, Some(9_000)),
    ];
    for (n, deed) in (1..).zip(&deeds) {
        does(&store, deed, n * 1000).await;
    }
    let before = agrees(&store).await;
    assert_eq!(before.since.unwrap().why, SinceWhy::Beginning);
    let into = dir.path().join("archive");
    for round in 1..3 {
        store
            .archive_in_parts(i64::MAX, &into, By { at_ms: now_ms(), ..By::default() }, Pace::Full, 3)
            .await
            .unwrap();
        let after = agrees(&store).await;
        assert_eq!(after.since.unwrap().why, SinceWhy::Archived);
        assert!(after.changes.is_empty(), "they are in the files");
        does(&store, &Deed::AddUser(round + 1, None), 100_000).await;
        let recorded: Vec<Recorded> = agrees(&store).await.changes;
        assert_eq!(recorded.len(), 1);
    }
    assert_eq!(store.prove(Pace::Full).await.unwrap().report.damages, []);
    let grants: Vec<Grant> = store.access_record().await.unwrap().before.grants;
    assert_eq!(grants.len(), 3, "with when and by whom they were given: {grants:?}");
    assert_eq!(grants[2].created_ms, 5_000);
}

#[tokio::test]
async fn a_ledger_that_does_not_tell_who_had_what_notes_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("paddock.db");
    let store = opened(dir.path()).await;
    store.close().await;
    // As an older Paddock left it: nothing was told of what there was at the beginning.
    let store = Store::open(&path).await.unwrap();
    sqlx::raw_sql(
        "DROP TRIGGER ledger_is_not_changed;
         UPDATE ledger SET detail = json_remove(detail, '$.accounts_before') WHERE seq = 1;",
    )
    .execute(store.pool())
    .await
    .unwrap();
    assert_eq!(store.access_record().await.unwrap().since, None);
    store.close().await;
    for _ in 0..2 {
        let store = Store::open(&path).await.unwrap();
        // As the server does at its start.
        store.note_access().await.unwrap();
        let record = agrees(&store).await;
        assert_eq!(record.since.unwrap().why, SinceWhy::Noted);
        assert_eq!((record.before.users.len(), record.changes.len()), (1, 0));
        let filter =
            app::store::LedgerFilter { kind: Some(EntryKind::AccessNoted), limit: 9, ..Default::default() };
        assert_eq!(store.ledger_page(&filter).await.unwrap().len(), 1, "once");
        store.close().await;
    }
}

#[tokio::test]
async fn a_grant_that_ended_with_its_guest_is_told_and_so_is_one_that_nobody_recorded() {
    let paddock = Paddock::with_admin().await;
    let (state, root) = (&paddock.state, Caller::command_line("root"));
    users::add(state, &root, "anna", None).await.unwrap();
    for scope in ["guest:lxc/web1", "tag:lab"] {
        let holder = Holder::User("ANNA".to_owned());
        let form = access::GrantForm { holder, role: "viewer", scope, expires_ms: None };
        access::add_grant(state, &root, &form).await.unwrap();
    }
    super::access::deleted(&paddock, &GuestId::parse("lxc", "web1").unwrap()).await;
    let ask = async |user: &str| {
        let query = PastQuery { user: user.to_owned(), ..PastQuery::default() };
        access_past::page(state, &root, &query).await.unwrap()
    };
    let page = ask("anna").await;
    assert_eq!(page.differences, [""; 0]);
    let words: Vec<String> = page.changes.iter().map(|it| it.change.words()).collect();
    assert_eq!(
        words,
        [
            "deleted the guest, so that the role viewer on guest:lxc/web1 of anna is over",
            "gave anna the role viewer on tag:lab",
            "gave anna the role viewer on guest:lxc/web1",
            "added the user anna",
        ]
    );
    assert_eq!(page.held.len(), 1);
    // What somebody puts into the table by hand is not told as if it had been given.
    sqlx::query("INSERT INTO grants (user_id, role, scope, created_ms) SELECT id, 'administrator', 'everything', 1 FROM users WHERE username = 'anna'")
        .execute(state.store.pool())
        .await
        .unwrap();
    let page = ask("anna").await;
    assert_eq!((page.held.len(), page.differences), (1, vec!["grant 4 is there besides".to_owned()]));
    // An entry that is not understood is named.
    state.store.record(Fact::new(EntryKind::GrantAdded, By::default()).on("user:anna")).await.unwrap();
    let entries = paddock.entries().await;
    assert_eq!(ask("").await.unreadable, [entries.last().unwrap().seq]);
}

#[tokio::test]
async fn whoever_may_not_read_rights_is_not_told_who_had_which() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    for (name, role, may) in [("ada", BuiltIn::Auditor, true), ("vera", BuiltIn::Viewer, false)] {
        let root = Caller::command_line("root");
        let password = users::add(state, &root, name, Some(role)).await.unwrap();
        let visit = paddock.visit();
        app::service::accounts::log_in(&visit, name, &password, "").await.unwrap();
        let caller = app::service::accounts::caller(&visit).await.unwrap().unwrap();
        let page = access_past::page(state, &caller, &PastQuery::default()).await;
        assert_eq!(page.is_ok(), may, "{name}");
        assert!(may || matches!(page, Err(Error::Refused(_))));
    }
}
