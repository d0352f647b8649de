//! What a list costs.

use std::time::{Duration, Instant};

use app::backend::Backend as _;
use serde_json::{Value, json};

use crate::lab::{CT, LXC, Lab, VM, name};

/// The median of five.
async fn median<F: Future>(mut work: impl FnMut() -> F) -> Duration {
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        work().await;
        times.push(begun.elapsed());
    }
    times.sort();
    times[2]
}

/// The fake makes its answer of 1,000 guests for much longer than the driver reads it; so that what is the driver's
/// own can be seen beside it.
#[tokio::test]
async fn a_list_of_a_thousand_guests_costs_little_more_than_the_bare_answer() {
    let lab = Lab::running();
    for vmid in 1000..1500 {
        lab.fake.call("add_ct", json!({"vmid": vmid, "name": format!("ct{vmid}"), "status": "running"}));
        lab.fake
            .call("add_vm", json!({"vmid": vmid + 1000, "name": format!("vm{vmid}"), "status": "running"}));
    }
    let client = lab.fake.client();
    let bare =
        median(|| async { client.get::<Value>("/cluster/resources", &[("type", "vm")]).await.unwrap() })
            .await;
    let mut times = Vec::new();
    for _ in 0..5 {
        // The list is kept for a while, but not over one that was read alone: each is to be one that asks.
        lab.driver(LXC).guest(&name(CT)).await.unwrap();
        let begun = Instant::now();
        assert_eq!(lab.driver(LXC).list().await.unwrap().len(), 501);
        times.push(begun.elapsed());
    }
    times.sort();
    let list = times[2];
    let begun = Instant::now();
    assert_eq!(lab.driver(VM).list().await.unwrap().len(), 501);
    let second = begun.elapsed();
    println!(
        "1,002 guests: bare GET {bare:?}, list() {list:?}, the other kind's list() right after {second:?}"
    );
    assert!(list < bare * 2 + Duration::from_millis(50), "list() {list:?}, bare {bare:?}");
}

#[tokio::test]
async fn two_drivers_that_are_read_in_turns_ask_as_often_as_one() {
    let lab = Lab::running();
    let asked = || lab.fake.count("GET", "/cluster/resources");
    lab.driver(LXC).list().await.unwrap();
    let before = asked();
    // At the worst distance: each in the middle between two readings of the other.
    for kind in [VM, LXC, VM] {
        tokio::time::sleep(lab.driver(kind).list_interval() / 2).await;
        lab.driver(kind).list().await.unwrap();
    }
    assert_eq!(asked() - before, 1);
}
