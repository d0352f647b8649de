use super::*;

fn of_file(list: &str) -> Vec<String> {
    let settings = Desk::new().load(format!("[server]\ntrusted_proxies = {list}\n")).unwrap();
    settings.server.trusted_proxies.iter().map(ToString::to_string).collect()
}

#[test]
fn proxies_are_addresses_and_networks() {
    assert!(defaults().server.trusted_proxies.is_empty(), "nobody is trusted unless it is said");
    assert_eq!(of_file("[]"), [""; 0]);
    assert_eq!(
        of_file("['127.0.0.1', '10.1.0.0/16', '::1', 'fd00::/8', '::ffff:192.0.2.1']"),
        ["127.0.0.1/32", "10.1.0.0/16", "::1/128", "fd00::/8", "192.0.2.1/32"]
    );
    let by_variable = |text: &str| {
        Desk::new().variable("PADDOCK_TRUSTED_PROXIES", text).load("").unwrap().server.trusted_proxies
    };
    assert_eq!(by_variable("127.0.0.1, 10.1.0.0/16"), by_variable("['127.0.0.1', '10.1.0.0/16']"));
    assert_eq!(by_variable("[]"), []);
}

#[test]
fn a_proxy_that_could_be_anybody_or_is_misspelt_is_refused() {
    let desk = Desk::new();
    for wrong in
        ["0.0.0.0/0", "::/0", "10.0.0.5/8", "10.0.0.0/33", "10.0.0", "localhost", "127.0.0.1:80", "*", ""]
    {
        let text = format!("[server]\ntrusted_proxies = [\n  \"127.0.0.1\",\n  \"{wrong}\",\n]\n");
        desk.refuses(&text, 4, "server.trusted_proxies (number 2)", "It must be an address such as");
    }
    desk.refuses(
        "[server]\ntrusted_proxies = \"127.0.0.1\"\n",
        2,
        "server.trusted_proxies",
        "a list such as",
    );
    desk.refuses(
        "[server]\ntrusted_proxies = [1]\n",
        2,
        "server.trusted_proxies (number 1)",
        "is the number 1",
    );
    desk.refuses(
        "[server]\ntrusted_proxies = [{ a = 1 }]\n",
        2,
        "server.trusted_proxies (number 1)",
        "is a table",
    );
    let error = Desk::new().variable("PADDOCK_TRUSTED_PROXIES", "127.0.0.1, x").error("");
    assert!(
        error.starts_with("variable PADDOCK_TRUSTED_PROXIES: server.trusted_proxies (number 2) is \"x\"."),
        "{error}"
    );
}
