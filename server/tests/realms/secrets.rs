//! Where passwords, codes and tickets must not be.

use std::{
    io::Write,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use app::{domain::access::BuiltIn, service::realms};
use serde_json::json;

use crate::world::{ANNA, PASSWORD, World};

/// Everything that this process logs.
static LOGGED: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let logged: Arc<Mutex<Vec<u8>>> = Arc::default();
    let writer = Arc::clone(&logged);
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || Log(Arc::clone(&writer)))
        .init();
    logged
});

struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn password_code_and_ticket_are_in_no_log_no_database_and_no_page() {
    let logged = Arc::clone(&LOGGED);
    let world = World::with_anna(BuiltIn::Operator).await;
    world.fake.set("factors", json!({ ANNA: {"totp": ["918273"]} }));
    let mut browser = world.host.browser();
    browser.log_in(ANNA, "a wrong password of hers").await;
    browser.log_in(ANNA, PASSWORD).await;
    browser.post("/login/factor", "/api/account/factor", &[("code", "564738")]).await;
    browser.post("/login/factor", "/api/account/factor", &[("code", "918273")]).await;
    let page = browser.succeed("proxmox-lxc/101", "start").await;
    realms::renew(&world.host.state, Duration::ZERO).await;
    world.fake.call("expire_tickets", json!([]));
    realms::renew(&world.host.state, Duration::ZERO).await;
    browser.get("/guests").await;
    world.host.state.attempts.close_all(&world.host.state.store).await;

    let tickets = world.fake.get("tickets");
    let halves = world.fake.get("half_tickets");
    let keys = |map: &serde_json::Value| map.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (tickets, halves) = (keys(&tickets), keys(&halves));
    assert_eq!((tickets.len(), halves.len()), (2, 1));
    let mut files = Vec::new();
    for file in std::fs::read_dir(world.host.dir.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            files.extend(std::fs::read(path).unwrap());
        }
    }
    let logged = logged.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("logged in"), "something was logged");
    let page = format!("{page:?}");
    // The marked part of a ticket is random, and enough to tell it by.
    let mark = |ticket: &String| ticket.rsplit(':').next().unwrap().to_owned();
    let secrets = ["a wrong password of hers", PASSWORD, "564738", "918273"].map(str::to_owned);
    for secret in secrets.iter().cloned().chain(tickets.iter().chain(&halves).map(mark)) {
        let is_in = |text: &[u8]| text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_in(&files), "{secret} is in the database");
        assert!(!is_in(&logged), "{secret} is in the log");
        assert!(!page.contains(&secret), "{secret} is in the operation");
    }
}
