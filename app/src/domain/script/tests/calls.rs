//! API calls, with `curl` a function that says how it was called.

use super::*;

#[test]
fn a_call_is_made_with_all_its_parameters() {
    let secret = Param::Secret("pass-word".into());
    let params = [("a b", text("@x=1&y")), ("password", secret), ("n", text("two\nlines"))];
    let script = shell(&plan(vec![step("Set", call(Method::Put, "/nodes/p/lxc/1", &params, Answer::Plain))]));
    let bench = Bench::new();
    let ended = bench.run(&format!("SECRET_pass_word='$(s) \"'\n{SAYING_CURL}"), &script, "");
    assert!(ended.status.success(), "{}", stderr(&ended));
    let wanted = [
        "--fail-with-body",
        "--silent",
        "--show-error",
        "--request",
        "PUT",
        "--max-time",
        "30",
        "--cacert",
        "/ca file",
        "--header",
        "Authorization: PVEAPIToken=root@pam!t=u u",
        "--data-urlencode",
        "a%20b=@x=1&y",
        "--data-urlencode",
        "password=$(s) \"",
        "--data-urlencode",
        "n=two\nlines",
        "https://pve1:8006/api2/json/nodes/p/lxc/1",
    ];
    assert_eq!(words(&ended.stdout), wanted);
    let ended = bench.run(SAYING_CURL, &script, "");
    assert!(!ended.status.success() && ended.stdout.is_empty(), "a secret that is not set ends it at once");
    assert!(stderr(&ended).contains("SECRET_pass_word"));
}

#[test]
fn parameters_go_where_the_client_puts_them() {
    let line = |method, params: &[_]| {
        shell(&plan(vec![step("", call(method, "/version", params, Answer::Plain))]))
            .lines()
            .last()
            .unwrap()
            .to_owned()
    };
    let one = [("x", text("1"))];
    assert!(line(Method::Get, &one).contains(" --get --data-urlencode x=1 "));
    assert!(
        line(Method::Delete, &one).contains("--request DELETE ")
            && line(Method::Delete, &one).contains(" --get ")
    );
    assert!(line(Method::Post, &[]).contains(" --data '' "));
    assert!(!line(Method::Post, &one).contains(" --get "));
}

#[test]
fn a_task_is_followed_to_its_end() {
    const PATH: &str = "/nodes/pve1/qemu/101/status/start";
    let script = shell(&plan(vec![step("Start", call(Method::Post, PATH, &[], Answer::Task))]));
    let upid = "UPID:pve1:0001:0002:0003:qmstart:101:root@pam!t:";
    let bench = Bench::new();
    let running = r#"{"data":{"status":"running"}}"#;
    for (begun, looks, is_success) in [
        (
            format!(r#"{{"data":"{upid}"}}"#),
            vec![running, r#"{"data":{"exitstatus":"OK","status":"stopped"}}"#],
            true,
        ),
        (
            format!(r#"{{"data":"{upid}"}}"#),
            vec![r#"{"data":{"exitstatus":"WARNINGS: 1","status":"stopped"}}"#],
            true,
        ),
        (
            format!(r#"{{"data":"{upid}"}}"#),
            vec![running, "", r#"{"data":{"status":"stopped","exitstatus":"no \"exitstatus\":\"OK\""}}"#],
            false,
        ),
        // For ever: the 30 s of the plan are 31 looks.
        (format!(r#"{{"data":"{upid}"}}"#), vec![running; 31], false),
        (r#"{"data":"OK"}"#.to_owned(), vec![], true),
        (r#"{"data":null}"#.to_owned(), vec![], true),
        (r#"{"data":{"x":1}}"#.to_owned(), vec![], false),
    ] {
        for (number, answer) in [begun.as_str()].iter().chain(&looks).enumerate() {
            fs::write(bench.dir().join(format!("answer{number}")), answer).unwrap();
        }
        fs::write(bench.dir().join("asked"), "").unwrap();
        // An empty answer is one that did not come.
        let before = format!(
            "D={}\nsleep() {{ :; }}\ncurl() {{ for url do :; done; n=$(wc -l <$D/asked); echo \"$url\" >>$D/asked
            cat $D/answer$((n)); [ -s $D/answer$((n)) ]; }}\n",
            bench.dir().display()
        );
        let ended = bench.run(&before, &script, "");
        assert_eq!(ended.status.success(), is_success, "{looks:?}: {}", stderr(&ended));
        let asked = fs::read_to_string(bench.dir().join("asked")).unwrap();
        let mut wanted = format!("https://pve1:8006/api2/json{PATH}\n");
        for _ in &looks {
            wanted += &format!("https://pve1:8006/api2/json/nodes/pve1/tasks/{upid}/status\n");
        }
        assert_eq!(asked, wanted);
    }
    // A refusal's body has null for its data, too.
    let ended = bench.run("curl() { echo '{\"data\":null}'; return 22; }\n", &script, "");
    assert!(!ended.status.success());
}

#[test]
fn a_process_in_a_vm_is_asked_about() {
    let work =
        call(Method::Post, "/nodes/p/qemu/1/agent/exec", &[("command", text("ls"))], Answer::GuestProcess);
    let script = shell(&plan(vec![step("Run", work)]));
    assert!(script.contains("GET /nodes/p/qemu/1/agent/exec-status"), "{script}");
    let bench = Bench::new();
    assert!(bench.run("curl() { :; }\n", &script, "y\n").status.success());
    assert!(!bench.run("curl() { :; }\n", &script, "n\n").status.success());
    assert!(!bench.run("curl() { return 22; }\n", &script, "y\n").status.success());
}

#[test]
fn no_two_secrets_share_a_variable() {
    let names = ["a-b", "a_b", "a b", "a-b", "ü"];
    let params = names.map(|name| (name, Param::Secret(name.into())));
    let script = shell(&plan(vec![step("", call(Method::Post, "/version", &params, Answer::Plain))]));
    let before = format!("SECRET_a_b=1 SECRET_a_b_=2 SECRET_a_b__=3 SECRET__=4\n{SAYING_CURL}");
    let ended = Bench::new().run(&before, &script, "");
    let said = words(&ended.stdout);
    let values: Vec<_> = said.iter().filter_map(|word| word.split_once('=')?.1.parse::<u8>().ok()).collect();
    assert_eq!(values, [1, 2, 3, 1, 4], "{script}");
    for name in names {
        assert!(script.contains(&format!("the secret “{name}”")), "{script}");
    }
}
