//! The history: what a filter finds is what it asks for, however it is found.
#![cfg_attr(feature = "ssr", expect(clippy::unwrap_used, reason = "what cannot be set up has failed"))]
#![cfg(feature = "ssr")]

use app::{
    domain::{
        action::GuestAction,
        guest::{BackendKind, GuestId},
        history::{ActionFilter, Cursor, EndFilter, HistoryFilter, HistoryQuery, UserFilter, Within},
        operation::{OperationState, OperationSummary, Origin},
    },
    store::Store,
};
use proptest::{
    prelude::*,
    sample::{Index, select, subsequence},
    test_runner::{Config, TestRunner},
};

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
    (dir, store)
}

/// As it stands in the database.
#[derive(Debug, Clone)]
struct Row {
    origin: &'static str,
    guest: Option<(&'static str, &'static str)>,
    node: Option<&'static str>,
    title: Option<&'static str>,
    action: &'static str,
    actor: Option<&'static str>,
    state: &'static str,
    failure: Option<&'static str>,
    started_ms: i64,
}

async fn insert(store: &Store, rows: &[Row]) {
    let mut transaction = store.pool().begin().await.unwrap();
    for row in rows {
        let (backend, guest) = row.guest.unzip();
        let is_live = ["planned", "running"].contains(&row.state);
        sqlx::query(
            "INSERT INTO operations (origin, backend, guest, node, title, action, actor, state, plan, started_ms,
                                     finished_ms, failure)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, '{\"steps\":[]}', ?, ?, ?)",
        )
        .bind(row.origin)
        .bind(backend)
        .bind(guest)
        .bind(row.node)
        .bind(row.title)
        .bind(row.action)
        .bind(row.actor)
        .bind(row.state)
        .bind(row.started_ms)
        .bind((!is_live).then_some(row.started_ms + 7))
        .bind(row.failure)
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let guests = [
        Some(("lxc", "web1")),
        Some(("lxc", "Web2")),
        Some(("crun", "web1")),
        Some(("proxmox-lxc", "101")),
        Some(("proxmox-vm", "102")),
        None,
    ];
    let failures = [
        "lxc-start ended with 1: no such bridge vmbr9.",
        "It took longer than 60 s.",
        "The “Größe” of 100 % is \"too\" much_",
        "OUT OF SPACE",
    ];
    let row = (
        select(guests.to_vec()),
        prop::option::of(select(&["pve1", "pve2"][..])),
        prop::option::of(select(&["shop", "Büro", "web1", "BÜRO"][..])),
        select(&["start", "shutdown", "make-template", "task:vncproxy", "observed:running"][..]),
        prop::option::of(select(&["anna", "Ben", "root@pam"][..])),
        select(&["succeeded", "succeeded", "failed", "timed-out", "cancelled", "interrupted"][..]),
        select(failures.to_vec()),
        0_i64..600,
    );
    let row = row.prop_map(|(guest, node, title, action, actor, state, failure, started_ms)| Row {
        origin: match action {
            "observed:running" => "observed",
            "task:vncproxy" => "task",
            _ if actor == Some("root@pam") => "task",
            _ => "paddock",
        },
        guest,
        node,
        title: title.filter(|_| guest.is_some()),
        action,
        actor,
        state,
        failure: (state != "succeeded").then_some(failure),
        started_ms,
    });
    prop::collection::vec(row, 700..900)
}

fn filters() -> impl Strategy<Value = HistoryFilter> {
    let actions = [
        ActionFilter::Action(GuestAction::Start),
        ActionFilter::Action(GuestAction::MakeTemplate),
        ActionFilter::Action(GuestAction::Migrate),
        ActionFilter::AnyTask,
        ActionFilter::Task("vncproxy".into()),
        ActionFilter::Observed,
    ];
    let users = [UserFilter::Named("anna".into()), UserFilter::Named("root@pam".into()), UserFilter::Unknown];
    let texts = [
        "w",
        "WEB",
        "1",
        "shut DOWN",
        "shutdown",
        "template",
        "pve2",
        "ann",
        "büro",
        "größe",
        "vmbr",
        "\"too\"",
        "%",
        "_",
        "00 %",
        "longer than",
        "out of",
        "no such thing",
        "e",
        "zq",
        "*",
        "NEAR(a b)",
        "root@",
    ];
    (
        prop::option::weighted(0.3, select(&["web1", "101", "shop", "nobody"][..])),
        prop::option::weighted(0.3, select(BackendKind::ALL.to_vec())),
        prop::option::weighted(0.3, select(users.to_vec())),
        prop::option::weighted(0.3, select(actions.to_vec())),
        prop::option::weighted(
            0.3,
            select(vec![
                EndFilter::One("failed"),
                EndFilter::One("succeeded"),
                EndFilter::Group("bad", &["failed", "timed-out", "interrupted"]),
            ]),
        ),
        prop::option::weighted(0.2, 0_i64..600),
        prop::option::weighted(0.2, 0_i64..600),
        prop::option::weighted(0.5, select(texts.to_vec())),
        prop::option::weighted(0.3, withins()),
    )
        .prop_map(|(guest, backend, user, action, results, from_ms, to_ms, text, within)| {
            HistoryFilter {
                within,
                guest: guest.map(str::to_owned),
                backend,
                user,
                action,
                results,
                from_ms,
                to_ms,
                text: text.map(str::to_owned),
                after: None,
            }
        })
}

/// What a person may see: some backends whole, some guests.
fn withins() -> impl Strategy<Value = Within> {
    let guests = ["lxc/web1", "proxmox-vm/101", "crun/shop", "lxc/nobody"].map(|text| {
        let (backend, name) = text.split_once('/').unwrap();
        GuestId::parse(backend, name).unwrap()
    });
    (subsequence(BackendKind::ALL.to_vec(), 0..=2), subsequence(guests.to_vec(), 0..=4))
        .prop_map(|(backends, guests)| Within { backends, guests })
}

/// What the filter means, said without any database.
fn is_wanted(filter: &HistoryFilter, row: &Row) -> bool {
    let HistoryFilter { guest, backend, user, action, results, from_ms, to_ms, text, after: _, within } =
        filter;
    let name = row.guest.map(|(_, name)| name);
    let text_in = |text: &String| {
        let label = row.action.parse().map_or("", GuestAction::label);
        let places = [name, row.title, row.actor, row.failure, row.node, Some(row.action), Some(label)];
        let text = text.to_lowercase();
        places.into_iter().flatten().any(|place| place.to_lowercase().contains(&text))
    };
    let is_within = |within: &Within| {
        row.guest.is_some_and(|(backend, name)| {
            within.backends.iter().any(|kind| kind.as_str() == backend)
                || within.guests.iter().any(|id| (id.backend.as_str(), id.name.as_str()) == (backend, name))
        })
    };
    within.as_ref().is_none_or(is_within)
        && guest.as_deref().is_none_or(|wanted| name == Some(wanted) || row.title == Some(wanted))
        && backend.is_none_or(|wanted| row.guest.is_some_and(|(backend, _)| backend == wanted.as_str()))
        && user.as_ref().is_none_or(|wanted| match wanted {
            UserFilter::Named(name) => row.actor == Some(name.as_str()),
            UserFilter::Unknown => row.actor.is_none(),
        })
        && action.as_ref().is_none_or(|wanted| match wanted {
            ActionFilter::Action(action) => row.action == action.as_str(),
            ActionFilter::AnyTask => row.origin == "task",
            ActionFilter::Task(kind) => row.action == format!("task:{kind}"),
            ActionFilter::Observed => row.origin == "observed",
        })
        && results.is_none_or(|wanted| wanted.states().contains(&row.state))
        && from_ms.is_none_or(|from| row.started_ms >= from)
        && to_ms.is_none_or(|to| row.started_ms < to)
        && text.as_ref().is_none_or(text_in)
}

fn place(operation: &OperationSummary) -> Cursor {
    Cursor { started_ms: operation.started_ms, id: operation.id.0 }
}

#[test]
fn every_filter_finds_what_it_asks_for_page_by_page() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let asks = prop::collection::vec((filters(), 1_usize..4, any::<Index>()), 60);
    let tried = runner.run(&(rows(), asks), |(rows, asks)| {
        runtime.block_on(async {
            let (_dir, store) = store().await;
            insert(&store, &rows).await;
            for (mut filter, limit, start) in asks {
                let mut wanted: Vec<Cursor> = (1..)
                    .zip(&rows)
                    .filter(|(_, row)| is_wanted(&filter, row))
                    .map(|(id, row)| Cursor { started_ms: row.started_ms, id })
                    .collect();
                wanted.sort_unstable_by(|a, b| b.cmp(a));
                // From the beginning, and from some place on.
                for skipped in [0, if wanted.is_empty() { 0 } else { start.index(wanted.len()) }] {
                    filter.after = skipped.checked_sub(1).map(|last| wanted[last]);
                    for page in wanted[skipped..].chunks(limit).take(3) {
                        let found = store.history(&filter, limit).await.unwrap();
                        let found: Vec<Cursor> = found.iter().map(place).collect();
                        prop_assert_eq!(&found, page, "{:?}", filter);
                        filter.after = found.last().copied();
                    }
                }
                if wanted.is_empty() {
                    prop_assert!(store.history(&filter, limit).await.unwrap().is_empty(), "{:?}", filter);
                }
            }
            Ok(())
        })
    });
    tried.unwrap_or_else(|e| panic!("{e}"));
}

const ROW: Row = Row {
    origin: "paddock",
    guest: Some(("lxc", "web1")),
    node: None,
    title: None,
    action: "start",
    actor: Some("anna"),
    state: "succeeded",
    failure: None,
    started_ms: 1000,
};

async fn found(store: &Store, query: &[(&str, &str)]) -> Vec<i64> {
    let filter = HistoryQuery::from_pairs(query.iter().copied()).read(1000).unwrap();
    store.history(&filter, 10).await.unwrap().iter().map(|operation| operation.id.0).collect()
}

#[tokio::test]
async fn what_is_searched_follows_an_operation_from_its_beginning_to_its_archive() {
    let (_dir, store) = store().await;
    insert(&store, &[Row { state: "planned", ..ROW }, Row { guest: Some(("lxc", "db1")), ..ROW }]).await;
    assert_eq!(found(&store, &[("result", "planned")]).await, [1]);
    let run = async |sql: &'static str| sqlx::query(sql).execute(store.pool()).await.map(|_| ());
    run("UPDATE operations SET state = 'running', guest = 'web9', title = 'shop' WHERE id = 1")
        .await
        .unwrap();
    assert!(found(&store, &[("result", "planned")]).await.is_empty());
    assert!(found(&store, &[("guest", "web1")]).await.is_empty());
    assert_eq!(found(&store, &[("guest", "shop"), ("result", "live")]).await, [1]);
    run("UPDATE operations SET state = 'failed', failure = 'No such bridge', finished_ms = 1 WHERE id = 1")
        .await
        .unwrap();
    assert_eq!(found(&store, &[("text", "such BRIDGE")]).await, [1]);
    assert_eq!(found(&store, &[("guest", "lxc/web9"), ("result", "bad"), ("text", "br")]).await, [1]);
    run("INSERT INTO ledger_archives VALUES (1, 1, 1, zeroblob(32), 1, 'f', zeroblob(32), 1)").await.unwrap();
    run("DELETE FROM operations WHERE id = 1").await.unwrap();
    assert!(found(&store, &[("text", "bridge")]).await.is_empty());
    assert_eq!(found(&store, &[]).await, [2]);
    let counts: (i64, i64) =
        sqlx::query_as("SELECT (SELECT sum(n) FROM history_deeds), (SELECT sum(n) FROM history_subjects)")
            .fetch_one(store.pool())
            .await
            .unwrap();
    assert_eq!(counts, (1, 1));
}

#[tokio::test]
async fn a_guest_has_its_own_history_page_by_page() {
    let (_dir, store) = store().await;
    let of = |name, started_ms| Row { guest: Some(("lxc", name)), started_ms, ..ROW };
    insert(&store, &[of("web1", 5), of("web2", 6), of("web1", 9), of("web1", 9), of("web1", 2)]).await;
    let guest = GuestId::parse("lxc", "web1").unwrap();
    let first = store.operations_of(&guest, None, 2).await.unwrap();
    assert_eq!(first.iter().map(|o| o.id.0).collect::<Vec<_>>(), [4, 3]);
    let second = store.operations_of(&guest, Some(place(&first[1])), 2).await.unwrap();
    assert_eq!(second.iter().map(|o| o.id.0).collect::<Vec<_>>(), [1, 5]);
    assert!(store.operations_of(&guest, Some(place(&second[1])), 2).await.unwrap().is_empty());
    assert_eq!((first[0].state, first[0].origin), (OperationState::Succeeded, Origin::Paddock));
}
