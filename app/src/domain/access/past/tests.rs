use super::*;

fn recorded(seq: i64, change: Change) -> Recorded {
    Recorded { seq, at_ms: seq * 1000, actor: Some("admin".to_owned()), address: None, change }
}

fn name(text: &str) -> String {
    text.to_owned()
}

fn role(text: &str) -> RoleName {
    text.parse().unwrap()
}

fn given(grant: i64, holder: Holder, role_name: &str, scope: &str, expires_ms: Option<i64>) -> Change {
    let (grant, scope) = (GrantId(grant), scope.parse().unwrap());
    Change::Given { holder, grant, role: role(role_name), scope, expires_ms }
}

/// Anna has a role of her own and one by the group ops, which was recorded as somebody typed it.
fn story() -> Vec<Recorded> {
    let changes = [
        Change::UserAdded { user: name("Anna"), realm: name("local") },
        Change::UserAdded { user: name("ben@pve"), realm: name("pve") },
        Change::GroupAdded { group: name("ops") },
        Change::Member { group: name("ops"), user: name("Anna"), is_in: true },
        Change::RoleAdded { role: role("night"), privileges: "see".parse().unwrap() },
        given(1, Holder::User(name("ANNA")), "viewer", "everything", None),
        given(2, Holder::Group(name("OPS")), "night", "tag:lab", Some(20_000)),
        Change::RoleChanged { role: role("night"), privileges: "see,power".parse().unwrap() },
    ];
    (1..).zip(changes).map(|(seq, change)| recorded(seq, change)).collect()
}

fn told(access: &Access, at_ms: i64) -> Vec<String> {
    let line = |it: Held| {
        let by = it.group.map(|group| format!(" by {group}")).unwrap_or_default();
        let idle = it.idle.map(|idle| format!(", {}", idle.words())).unwrap_or_default();
        format!("{}: {} ({}) on {}{by}{idle}", it.user, it.role, it.privileges, it.scope)
    };
    access.held(at_ms).into_iter().map(line).collect()
}

#[test]
fn who_held_what_is_as_it_was_at_that_moment() {
    let story = story();
    let before = Access::default().replayed(&story[..7]);
    let viewer = "Anna: viewer (see,history) on everything";
    assert_eq!(told(&before, 7000), [viewer, "Anna: night (see) on tag:lab by ops"]);
    let mut access = before.replayed(&story[7..]);
    assert_eq!(told(&access, 8000), [viewer, "Anna: night (see,power) on tag:lab by ops"]);
    assert_eq!(told(&access, 20_000), [viewer], "it is over in the millisecond that it names");
    access.apply(&recorded(
        9,
        Change::UserChanged { user: name("anna"), disabled: Some(true), end: None, factor: None },
    ));
    assert_eq!(told(&access, 20_000), ["Anna: viewer (see,history) on everything, account disabled"]);
    let end = Some(End::At(30_000));
    access.apply(&recorded(
        10,
        Change::UserChanged { user: name("anna"), disabled: Some(false), end, factor: Some(true) },
    ));
    assert_eq!(told(&access, 29_999), [viewer]);
    assert_eq!(told(&access, 30_000), ["Anna: viewer (see,history) on everything, account over"]);
}

#[test]
fn what_goes_takes_its_grants_along() {
    let mut access = Access::default().replayed(&story());
    access.apply(&recorded(9, Change::GroupRemoved { group: name("ops") }));
    assert_eq!(access.grants.len(), 1);
    access.apply(&recorded(10, Change::UserRemoved { user: name("anna") }));
    assert!(access.grants.is_empty() && access.users.len() == 1);
    // Another of that name begins with nothing.
    access.apply(&recorded(11, Change::UserAdded { user: name("anna"), realm: name("local") }));
    assert_eq!(told(&access, 11_000), [""; 0]);
}

#[test]
fn a_change_concerns_whoever_it_gives_or_takes_something() {
    let story = story();
    let seen = |user: &str| {
        let mut access = Access::default();
        let mut seqs = Vec::new();
        for it in &story {
            if access.concerns(&it.change, user) {
                seqs.push(it.seq);
            }
            access.apply(it);
        }
        seqs
    };
    assert_eq!(seen("anna"), [1, 4, 6, 7, 8]);
    assert_eq!(seen("ben@pve"), [2]);
    let access = Access::default().replayed(&story);
    assert!(access.concerns(&Change::GroupRemoved { group: name("ops") }, "anna"));
    assert!(!access.concerns(&Change::GroupRemoved { group: name("ops") }, "ben@pve"));
}

#[test]
fn the_ledgers_text_of_all_that_is_known_stays_as_it_is() {
    let access = Access::default().replayed(&story()[..7]);
    let text = serde_json::to_string(&access).unwrap();
    let before = r#"{"users":[{"name":"Anna","realm":"local","is_disabled":false,"expires_ms":null},{"name":"ben@pve","realm":"pve","is_disabled":false,"expires_ms":null}],"groups":[{"name":"ops","members":["Anna"]}],"roles":[{"name":"night","privileges":["see"]}],"grants":[{"id":1,"holder":{"user":"Anna"},"role":"viewer","scope":"everything","expires_ms":null,"created_ms":6000,"created_by":"admin"},{"id":2,"holder":{"group":"ops"},"role":"night","scope":"tag:lab","expires_ms":20000,"created_ms":7000,"created_by":"admin"}]}"#;
    assert_eq!(text, before, "ledgers are read that have the old one");
    assert_eq!(serde_json::from_str::<Access>(before).unwrap(), access);
}

#[test]
fn differences_are_named() {
    let ours = Access::default().replayed(&story());
    let mut theirs = ours.clone();
    assert!(ours.differences(&theirs).is_empty());
    theirs.grants[0].role = BuiltIn::Administrator.name();
    theirs.grants.remove(1);
    theirs.users[1].is_disabled = true;
    theirs.groups.push(Group { name: name("new"), members: Vec::new() });
    let found = ours.differences(&theirs);
    assert_eq!(
        found,
        ["user ben@pve is another", "group new is there besides", "grant 1 is another", "grant 2 is gone"]
    );
}

#[test]
fn a_change_is_told_in_words() {
    let changed =
        |disabled, end, factor| Change::UserChanged { user: name("anna"), disabled, end, factor }.words();
    assert_eq!(changed(Some(true), None, None), "changed the account of anna: disabled it");
    let all = changed(Some(false), Some(End::At(86_400_000)), Some(true));
    assert_eq!(
        all,
        "changed the account of anna: enabled it, let it go on until 1970-01-01, required a second factor"
    );
    let ops = || Holder::Group(name("ops"));
    assert_eq!(
        given(1, ops(), "night", "tag:lab", None).words(),
        "gave the group ops the role night on tag:lab"
    );
    let back = |with_guest| {
        let (role, scope) = (role("night"), "tag:lab".parse().unwrap());
        Change::TakenBack { holder: ops(), grant: GrantId(1), role, scope, with_guest }.words()
    };
    assert_eq!(back(false), "took the role night on tag:lab back from the group ops");
    assert_eq!(back(true), "deleted the guest, so that the role night on tag:lab of the group ops is over");
}
