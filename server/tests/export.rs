//! The history as a file.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use std::time::Duration;

use app::domain::access::Role;
use common::{Host, PASSWORD};
use http::{StatusCode, header};

/// As many as several pieces hold, a few of them with the same time.
const OPERATIONS: i64 = 1700;

async fn fill(host: &Host) {
    sqlx::query(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
         INSERT INTO operations (origin, backend, guest, action, actor, state, plan, started_ms, finished_ms, failure)
         SELECT 'paddock', 'lxc', 'web' || (id % 3), 'start', 'anna', iif(id % 5, 'succeeded', 'failed'), '{}',
                1700000000000 + id / 4, 1700000000000 + id, iif(id % 5, NULL, '=cmd|' || id)
         FROM n",
    )
    .bind(OPERATIONS)
    .execute(host.state.store.pool())
    .await
    .unwrap();
}

/// Returns once no connection is in use; a connection is given back a moment after its last use.
async fn all_idle(pool: &sqlx::SqlitePool) {
    let all = async {
        while pool.num_idle() < pool.size() as usize {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
}

#[tokio::test]
async fn an_export_is_exactly_what_is_filtered_newest_first() {
    let host = Host::start().await;
    fill(&host).await;
    let mut viewer = host.person("vera", Role::Viewer).await;
    let reply = viewer.get("/history/export?format=jsonl&text=&guest=").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/jsonl; charset=utf-8");
    let name = reply.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(
        name.starts_with("attachment; filename=\"paddock-testhost-") && name.ends_with("Z.jsonl\""),
        "{name}"
    );
    let ids = |body: &str| -> Vec<i64> {
        let id =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64().unwrap();
        body.lines().map(id).collect()
    };
    assert_eq!(ids(&reply.body), (1..=OPERATIONS).rev().collect::<Vec<_>>());
    let some = viewer.get("/history/export?format=jsonl&guest=lxc%2Fweb1&result=failed").await;
    let wanted: Vec<i64> = (1..=OPERATIONS).rev().filter(|id| id % 3 == 1 && id % 5 == 0).collect();
    assert_eq!(ids(&some.body), wanted);
    let reply = viewer.get("/history/export?guest=lxc%2Fweb1&result=failed&format=csv").await;
    let mut lines = reply.body.lines();
    assert!(lines.next().unwrap().starts_with("id,origin,parent,backend,guest,"), "{}", reply.body);
    assert_eq!(lines.clone().count(), wanted.len());
    let first = lines.next().unwrap();
    assert!(first.contains(&format!(",'=cmd|{},", wanted[0])), "{first}");
    let none = viewer.get("/history/export?format=csv&guest=nobody").await;
    assert_eq!((none.status, none.body.lines().count()), (StatusCode::OK, 1));
    let none = viewer.get("/history/export?format=jsonl&guest=nobody").await;
    assert_eq!((none.status, none.body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn an_export_that_makes_no_sense_is_refused_field_by_field() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    for (query, sentences) in [
        ("", vec!["format: "]),
        ("format=xml", vec!["format: "]),
        ("format=csv&format=jsonl", vec!["format: "]),
        (
            "format=csv&result=eaten&from=tomorrow",
            vec!["result: There is no result", "from: This is no time"],
        ),
        ("format=csv&colour=red", vec!["The history has no filter"]),
        ("format=csv&guest=a&guest=b", vec!["guest: guest is given more than once"]),
        ("format=csv&after=7", vec!["after: "]),
    ] {
        let reply = admin.get(&format!("/history/export?{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {}", reply.body);
        assert_eq!(reply.body.lines().count(), sentences.len(), "{query}: {}", reply.body);
        for sentence in sentences {
            assert!(reply.body.contains(sentence), "{query}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn strangers_are_sent_to_log_in_and_back_to_the_export() {
    let host = Host::start().await;
    let mut stranger = host.browser();
    let reply = stranger.get("/history/export?format=csv&guest=web1").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.location.unwrap(), "/login?next=/history/export%3Fformat%3Dcsv%26guest%3Dweb1");
    stranger.log_in("admin", PASSWORD).await;
    assert_eq!(stranger.get("/history/export?format=csv&guest=web1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_slow_client_holds_nothing_open_and_one_that_hangs_up_ends_the_reading() {
    use futures::StreamExt as _;
    let host = Host::start().await;
    fill(&host).await;
    let admin = host.admin().await;
    let pool = host.state.store.pool();
    let mut body = admin.body("/history/export?format=jsonl").await;
    let first = body.next().await.unwrap().unwrap();
    assert!(first.len() < 1024 * 1024, "one piece of several: {}", first.len());
    // What is not asked for is not read: no connection is busy, and no snapshot keeps the log from being folded in.
    all_idle(pool).await;
    let folded: (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await.unwrap();
    assert_eq!(folded, (0, 0, 0), "nobody is in the way");
    // It goes on where it was.
    fill(&host).await;
    let mut lines = String::from_utf8(first.to_vec()).unwrap().lines().count();
    let second = body.next().await.unwrap().unwrap();
    lines += String::from_utf8(second.to_vec()).unwrap().lines().count();
    assert!(lines < OPERATIONS as usize);
    drop(body);
    all_idle(pool).await;
    // Another goes to its end.
    let mut body = admin.body("/history/export?format=jsonl&to=2023-11-14").await;
    let mut all = Vec::new();
    while let Some(piece) = body.next().await {
        all.extend(piece.unwrap());
    }
    assert_eq!(String::from_utf8(all).unwrap().lines().count(), 2 * OPERATIONS as usize);
}

#[tokio::test]
async fn a_server_that_shuts_down_cuts_an_export_so_that_it_shows() {
    use futures::StreamExt as _;
    let host = Host::start().await;
    fill(&host).await;
    let admin = host.admin().await;
    let mut body = admin.body("/history/export?format=csv").await;
    assert!(body.next().await.unwrap().is_ok());
    host.closing.cancel();
    assert!(body.next().await.unwrap().is_err());
}
