use super::*;
use crate::{domain::history::HistoryQuery, store::Store};

/// So little that every search stops.
const LITTLE: Effort = Effort { budget: 1, least: 7 };
const ENDLESS: Effort = Effort { budget: i64::MAX, least: 1 };

/// Many operations of which few are alike in two ways. Ids and times go together, or against each other.
async fn filled(is_backwards: bool) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 3000)
         INSERT INTO operations (origin, backend, guest, action, actor, state, failure, plan, started_ms, finished_ms)
         SELECT 'paddock', 'lxc', 'web' || (id % 23), 'start', 'user' || (id % 11), iif(id % 3, 'succeeded', 'failed'),
                iif(id % 3, NULL, 'no bridge ' || (id % 4)), '{}', iif(?, 2200 - id / 2, 600 + id / 2), 3000
         FROM n",
    )
    .bind(is_backwards)
    .execute(store.pool())
    .await
    .unwrap();
    (dir, store)
}

fn asked(query: &str) -> HistoryFilter {
    HistoryQuery::from_pairs(form_urlencoded::parse(query.as_bytes())).read(5000).unwrap()
}

async fn all(store: &Store, filter: &HistoryFilter, effort: Effort) -> (Vec<Cursor>, usize) {
    let (mut filter, mut places, mut stops) = (filter.clone(), Vec::new(), 0);
    loop {
        let found = find(&mut store.pool.acquire().await.unwrap(), &filter, 2, effort).await.unwrap();
        let last = found.places.last().copied();
        places.extend(found.places);
        stops += usize::from(found.stopped.is_some());
        match found.stopped.or(last) {
            Some(place) => {
                assert!(filter.after.is_none_or(|after| place < after), "a search gets on");
                filter.after = Some(place);
            }
            None => return (places, stops),
        }
    }
}

#[tokio::test]
async fn a_search_that_stops_and_goes_on_finds_the_same_in_the_end() {
    for is_backwards in [false, true] {
        let (_dir, store) = filled(is_backwards).await;
        let mut stopped = 0;
        for query in [
            "guest=web3&user=user1",
            "guest=web3&user=user1&result=failed",
            "text=web3&user=user1",
            "text=eb&user=user1&result=failed",
            "text=bridge+2&user=user1&guest=web5",
            "text=e+2&user=user3",
            "text=3&guest=web6",
            "text=user4&guest=web2",
            "text=start&guest=web2&result=failed",
            "text=qq&user=user1",
            "user=user1&result=failed&guest=web4&from=1970-01-01T00:00:01",
        ] {
            let filter = asked(query);
            let (whole, stops) = all(&store, &filter, ENDLESS).await;
            assert_eq!(stops, 0, "{query}");
            let (parts, stops) = all(&store, &filter, LITTLE).await;
            assert_eq!(whole, parts, "{query}");
            assert!(whole.is_sorted_by(|a, b| a > b), "{query}");
            stopped += stops;
        }
        assert!(stopped > 20, "it stopped {stopped} times");
    }
}
