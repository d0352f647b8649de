//! Log in, log out, one's own password, and who may not come in.

mod common;

use app::service::accounts::FirstStart;
use common::{Host, PASSWORD};
use http::{StatusCode, header::SET_COOKIE};

#[tokio::test]
async fn a_person_who_is_not_logged_in_is_sent_to_log_in_and_back() {
    let host = Host::start().await;
    let mut browser = host.browser();
    let reply = browser.get("/guests/lxc/web1?x=1").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.location.as_deref(), Some("/login?next=/guests/lxc/web1%3Fx%3D1"));
    let page = browser.get("/login?next=/guests/lxc/web1%3Fx%3D1").await;
    assert!(page.body.contains(r#"value="/guests/lxc/web1?x=1""#), "the way back is kept in the form");
    let fields = [("username", "admin"), ("password", PASSWORD), ("next", "/history")];
    let reply = browser.post("/login", "/api/account/log_in", &fields).await;
    assert_eq!((reply.status, reply.location.as_deref()), (StatusCode::FOUND, Some("/history")));
    assert_eq!(browser.get("/history").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_log_in_never_leads_off_the_site() {
    let host = Host::start().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let fields = [("username", "admin"), ("password", PASSWORD), ("next", next)];
        let reply = host.browser().post("/login", "/api/account/log_in", &fields).await;
        assert_eq!(reply.location.as_deref(), Some("/"), "{next}");
    }
}

#[tokio::test]
async fn whichever_part_was_wrong_the_answer_is_the_same() {
    let host = Host::start().await;
    let mut answers = Vec::new();
    for (username, password) in
        [("admin", "wrong"), ("nobody", PASSWORD), ("", ""), ("admin", &"x".repeat(5000))]
    {
        let mut browser = host.browser();
        let reply = browser.log_in(username, password).await;
        let location = reply.location.unwrap();
        assert!(!location.contains(password) || password.is_empty(), "the password is in no address");
        let page = browser.get(&location).await;
        assert!(page.body.contains("User name or password is wrong."), "{}", page.body);
        assert_eq!(browser.get("/guests").await.status, StatusCode::SEE_OTHER);
        browser.json = true;
        let reply = browser.log_in(username, password).await;
        answers.push((reply.status, reply.body));
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn every_function_refuses_strangers() {
    let host = Host::start().await;
    let mut stranger = host.browser();
    stranger.json = true;
    for path in [
        "/api/guests/list",
        "/api/guests/get?backend=lxc&name=a",
        "/api/guests/preview?backend=lxc&name=a&action=start",
        "/api/guests/choices",
        "/api/operations/list",
        "/api/operations/of-guest?backend=lxc&name=a",
        "/api/operations/get?id=1",
        "/api/account/frame",
    ] {
        let reply = stranger.get(path).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}: {}", reply.body);
    }
    assert_eq!(stranger.try_act("lxc/a", "start").await.status, StatusCode::UNAUTHORIZED);
    let fields = [("form[backend]", "lxc"), ("form[name]", "a")];
    assert_eq!(stranger.post("/", "/api/guests/create", &fields).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        stranger.post("/", "/api/operations/cancel", &[("id", "1")]).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(stranger.get("/events").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_gets_a_new_id_at_log_in_and_is_worth_nothing_after_log_out() {
    let host = Host::start().await;
    let mut browser = host.browser();
    browser.cookie = Some("paddock=AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    browser.log_in("admin", PASSWORD).await;
    let cookie = browser.cookie.clone().unwrap();
    assert_ne!(cookie, "paddock=AAAAAAAAAAAAAAAAAAAAAA");
    let mut thief = host.browser();
    thief.cookie = Some(cookie);
    assert_eq!(thief.get("/guests").await.status, StatusCode::OK);
    let reply = browser.post("/guests", "/api/account/log_out", &[]).await;
    assert_eq!(reply.location.as_deref(), Some("/login"));
    assert_eq!(thief.get("/guests").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_request_that_was_under_way_at_log_in_takes_the_new_session_from_nobody() {
    let host = Host::start().await;
    let mut browser = host.admin().await;
    let old = browser.cookie.clone();
    let fields = [("current", PASSWORD), ("new", "another password"), ("repeat", "another password")];
    browser.post("/account/password", "/api/account/password", &fields).await;
    assert_ne!(browser.cookie, old);
    let mut late = host.browser();
    late.cookie = old;
    for path in ["/favicon.svg", "/guests", "/events", "/login"] {
        let reply = late.get(path).await;
        assert_eq!(
            reply.headers.get(SET_COOKIE),
            None,
            "{path}: it would be the new session's cookie that is dropped"
        );
    }
    let reply = browser.post("/guests", "/api/account/log_out", &[]).await;
    let taken = reply.headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(taken.starts_with("paddock=;") && taken.contains("Max-Age=0"), "{taken}");
}

#[tokio::test]
async fn the_one_time_password_opens_nothing_but_its_own_replacement() {
    let (host, first) = Host::with_password(None).await;
    let FirstStart::OneTime(password) = first else { panic!("{first:?}") };
    let mut browser = host.browser();
    let reply = browser.log_in("admin", &password).await;
    assert_eq!(reply.location.as_deref(), Some("/account/password"));
    assert_eq!(browser.get("/guests").await.location.as_deref(), Some("/account/password"));
    browser.json = true;
    assert_eq!(browser.get("/api/guests/list").await.status, StatusCode::FORBIDDEN);
    browser.json = false;
    assert_eq!(browser.get("/account/password").await.status, StatusCode::OK);
    let fields = [("current", password.as_str()), ("new", PASSWORD), ("repeat", PASSWORD)];
    let reply = browser.post("/account/password", "/api/account/password", &fields).await;
    assert_eq!(reply.location.as_deref(), Some("/"));
    assert_eq!(browser.get("/guests").await.status, StatusCode::OK);
    assert!(host.browser().log_in("admin", &password).await.location.unwrap().contains("__err"));
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let host = Host::start().await;
    let (mut here, mut elsewhere) = (host.admin().await, host.admin().await);
    let fields = [("current", PASSWORD), ("new", "another password"), ("repeat", "another password")];
    let reply = here.post("/account/password", "/api/account/password", &fields).await;
    assert_eq!(reply.location.as_deref(), Some("/"));
    assert_eq!(here.get("/guests").await.status, StatusCode::OK);
    assert_eq!(elsewhere.get("/guests").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_bad_new_password_changes_nothing_and_says_which_field() {
    let host = Host::start().await;
    let mut browser = host.admin().await;
    for (current, new, repeat, message) in [
        (PASSWORD, "short", "short", "at least 10"),
        (PASSWORD, "another password", "another passwort", "differ"),
        ("not mine at all", "another password", "another password", "not your current password"),
        (PASSWORD, PASSWORD, PASSWORD, "is the old one"),
    ] {
        let fields = [("current", current), ("new", new), ("repeat", repeat)];
        let reply = browser.post("/account/password", "/api/account/password", &fields).await;
        let page = browser.get(&reply.location.unwrap()).await;
        assert!(page.body.contains(message), "{message}: {}", page.body);
    }
    host.admin().await;
}

#[tokio::test]
async fn a_page_of_another_site_can_change_nothing() {
    let host = Host::start().await;
    let mut browser = host.admin().await;
    browser.origin = Some("http://evil.example");
    let reply = browser.post("/guests", "/api/account/log_out", &[]).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    browser.origin = Some("http://paddock.test");
    assert_eq!(browser.get("/guests").await.status, StatusCode::OK);
    assert_eq!(browser.post("/guests", "/api/account/log_out", &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn pages_carry_a_strict_policy_and_are_kept_by_no_cache() {
    let host = Host::start().await;
    let reply = host.admin().await.get("/guests").await;
    let header = |name: &str| reply.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default();
    let policy = header("content-security-policy");
    assert!(policy.contains("script-src 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    for script in reply.body.split("<script").skip(1) {
        assert!(
            script.split('>').next().unwrap().contains(nonce),
            "a script without the nonce: {script:.100}"
        );
    }
    assert!(!reply.body.contains(" style=\""), "no style attributes, as the policy drops them");
}
