//! The second factor of an account of Proxmox.

use app::domain::access::BuiltIn;
use http::StatusCode;
use serde_json::json;

use crate::world::{ANNA, PASSWORD, World, is_sent_to_log_in, said};

#[tokio::test]
async fn the_second_factor_is_asked_for_on_a_page_of_its_own() {
    let world = World::with_anna(BuiltIn::Operator).await;
    world.fake.set("factors", json!({ ANNA: {"totp": ["123456"], "recovery": ["0a1b-2c3d-4e5f-6071"]} }));
    for code in ["123 456", "0a1b-2c3d-4e5f-6071"] {
        let mut browser = world.host.browser();
        let fields = [("username", ANNA), ("password", PASSWORD), ("next", "/history")];
        let reply = browser.post("/login", "/api/account/log_in", &fields).await;
        assert_eq!(reply.location.as_deref(), Some("/login/factor"), "{reply:?}");
        assert!(is_sent_to_log_in(&browser.get("/guests").await), "the password alone is not enough");
        assert!(browser.get("/login/factor").await.body.contains("one-time-code"));
        let reply = browser.post("/login/factor", "/api/account/factor", &[("code", "654321")]).await;
        assert!(said(&mut browser, &reply).await.contains("That code is wrong"));
        let before = browser.cookie.clone();
        let mut other = world.host.browser();
        let reply = other.post("/login/factor", "/api/account/factor", &[("code", code)]).await;
        assert!(said(&mut other, &reply).await.contains("begin again"), "it is this browser's alone");
        let reply = browser.post("/login/factor", "/api/account/factor", &[("code", code)]).await;
        assert_eq!(reply.location.as_deref(), Some("/history"), "{reply:?}");
        assert_ne!(browser.cookie, before, "another session");
        assert_eq!(browser.get("/history").await.status, StatusCode::OK);
        let replayed = browser.wasm().post("/login/factor", "/api/account/factor", &[("code", code)]).await;
        assert!(replayed.body.contains("factor-over"), "{replayed:?}");
    }
    let mut browser = world.host.browser();
    browser.log_in(ANNA, PASSWORD).await;
    let asked = world.fake.count("POST", "/access/ticket");
    for _ in 0..8 {
        browser.post("/login/factor", "/api/account/factor", &[("code", "000000")]).await;
    }
    assert_eq!(world.fake.count("POST", "/access/ticket") - asked, 5, "Proxmox is asked a few times only");
    world.fake.set("factors", json!({ ANNA: {"webauthn": {}} }));
    let reply = browser.log_in(ANNA, PASSWORD).await;
    assert!(said(&mut browser, &reply).await.contains("neither a code nor a recovery code"));
}
