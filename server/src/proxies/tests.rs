use super::*;

const PROXY: &str = "127.0.0.1";

fn front(https: bool) -> Front {
    let nets = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
    Front::new(&nets, https)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    headers
}

fn reached(https: bool, peer: &str, pairs: &[(&str, &str)]) -> Reached {
    front(https).reached(Some(peer.parse().unwrap()), &headers(pairs))
}

/// The client's address as it is found behind the proxy, with these values of the header.
#[track_caller]
fn is_found(values: &[&str], client: &str) {
    let pairs: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
    let found = reached(false, PROXY, &pairs).address;
    assert_eq!(found, Some(client.parse().unwrap()), "{values:?}");
}

#[test]
fn the_client_is_the_first_from_the_right_that_is_no_proxy() {
    is_found(&[], PROXY);
    is_found(&["203.0.113.7"], "203.0.113.7");
    is_found(&["198.51.100.1, 203.0.113.7"], "203.0.113.7");
    is_found(&["198.51.100.1, 203.0.113.7, 10.1.2.3,10.9.9.9"], "203.0.113.7");
    is_found(&["198.51.100.1", "203.0.113.7", "10.1.2.3"], "203.0.113.7");
    // All of them are proxies: the first is where it began.
    is_found(&["10.0.0.7, 10.0.0.8"], "10.0.0.7");
    is_found(&["127.0.0.1"], "127.0.0.1");
}

#[test]
fn addresses_are_read_in_each_way_that_proxies_write_them() {
    for (text, address) in [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("\t203.0.113.7 ", "203.0.113.7"),
    ] {
        is_found(&[text], address);
    }
    // A proxy that listens on IPv6 and is reached by IPv4 is the one in the settings.
    let found = reached(false, "::ffff:127.0.0.1", &[("x-forwarded-for", "203.0.113.7")]);
    assert_eq!(found.address, Some("203.0.113.7".parse().unwrap()));
    is_found(&["203.0.113.7, ::ffff:10.0.0.1, fd00::1"], "203.0.113.7");
}

#[test]
fn what_is_no_address_ends_the_search_at_the_last_hop_that_is_one() {
    for garbage in [
        "",
        " ",
        "unknown",
        "_hidden",
        "203.0.113.300",
        "203.0.113.7.",
        "[203.0.113.7]",
        "[::1",
        "a b",
        "%00",
        "1",
    ] {
        is_found(&[garbage], PROXY);
        is_found(&[&format!("203.0.113.7, {garbage}, 10.0.0.9")], "10.0.0.9");
        // Left of the client nobody looks.
        is_found(&[&format!("{garbage}, 203.0.113.7")], "203.0.113.7");
    }
    let mut bytes = HeaderMap::new();
    bytes.append(FOR, http::HeaderValue::from_bytes(b"203.0.113.7, \xff").unwrap());
    assert_eq!(
        front(false).reached(Some(PROXY.parse().unwrap()), &bytes).address,
        Some(PROXY.parse().unwrap())
    );
}

#[test]
fn nobody_but_a_proxy_is_believed_anything() {
    let forged = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=203.0.113.7;proto=https;host=evil.example"),
    ];
    for peer in ["127.0.0.2", "192.0.2.1", "::1", "2001:db8::1"] {
        let expected = Reached { address: Some(peer.parse().unwrap()), ..Reached::default() };
        assert_eq!(reached(false, peer, &forged), expected);
    }
    // Whoever comes past the proxies has no TLS, though cookies are for HTTPS alone all the same.
    let past = reached(true, "192.0.2.1", &forged);
    assert_eq!((past.by_https, past.secure_cookies), (false, true));
    // Not even of a proxy the one that proxies do not write.
    let found = reached(false, PROXY, &forged[3..]);
    assert_eq!(found, Reached { address: Some(PROXY.parse().unwrap()), ..Reached::default() });
    assert_eq!(front(false).reached(None, &headers(&forged)), Reached::default());
}

#[test]
fn scheme_and_host_are_those_that_the_nearest_proxy_tells() {
    let told = |https, values: &[&str]| {
        let pairs: Vec<_> = values.iter().map(|value| ("x-forwarded-proto", *value)).collect();
        let found = reached(https, PROXY, &pairs);
        (found.by_https, found.secure_cookies)
    };
    assert_eq!(told(false, &[]), (false, false));
    assert_eq!(told(true, &[]), (true, true), "the settings say so");
    for values in [&["https"][..], &["HTTPS"], &["http, https"], &["http", "https"]] {
        assert_eq!(told(false, values), (true, true), "{values:?}");
    }
    for values in [&["http"][..], &["https, http"], &["https", "http"], &["https,"], &["httpss"], &[""]] {
        assert_eq!(told(false, values), (false, false), "{values:?}");
        assert_eq!(
            told(true, values),
            (false, true),
            "what the settings keep for HTTPS stays so: {values:?}"
        );
    }
    let host = |value| reached(false, PROXY, &[("x-forwarded-host", value)]).host;
    assert_eq!(host("paddock.example").as_deref(), Some("paddock.example"));
    assert_eq!(host("evil.example, paddock.example:8443").as_deref(), Some("paddock.example:8443"));
    assert_eq!(reached(false, PROXY, &[]).host, None);
}
