//! Which proxy, and what it is asked for.

use super::*;
use crate::Secret;

fn proxies(change: impl FnOnce(&mut FetchConfig)) -> Proxies {
    let url = |scheme: &str| Secret::from(format!("{scheme}://joe:p%40w@127.0.0.1:8888"));
    let named = [("h", "http"), ("s", "socks5"), ("r", "SOCKS5h")];
    let proxies = named.map(|(name, scheme)| (name.to_owned(), url(scheme))).into();
    let mut config = FetchConfig { proxies, ..FetchConfig::default() };
    config.resolve.insert("mapped.test".into(), "1.1.1.1:81".into());
    config.resolve.insert("inside.test".into(), "10.0.0.1".into());
    change(&mut config);
    Proxies::new(&config).unwrap()
}

#[track_caller]
fn check(url: &str, allow_private: bool, expected: &str) {
    let proxies = proxies(|config| config.allow_private_addresses = allow_private);
    let url = CanonicalUrl::parse(url).unwrap();
    let shown = match proxies.target(&url) {
        Ok(target) => target.to_string(),
        Err(failure) => format!("{:?}", failure.kind),
    };
    assert_eq!(shown, expected, "{url}");
}

#[test]
fn a_proxy_is_asked_for_names_but_for_no_private_address() {
    check("https://a.test/", false, "a.test:443");
    check("https://a.test:8443/", false, "a.test:8443");
    check("https://1.1.1.1/", false, "1.1.1.1:443");
    check("https://[2606:4700::1111]/", false, "[2606:4700::1111]:443");
    check("http://mapped.test/", false, "1.1.1.1:81");
    for url in [
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://169.254.169.254/",
        "http://inside.test/",
        "http://localhost/",
        "http://localhost./",
        "http://a.localhost/",
    ] {
        check(url, false, "PrivateAddress");
    }
    check("http://127.0.0.1/", true, "127.0.0.1:80");
    check("http://localhost/", true, "localhost:80");
}

#[test]
fn only_an_http_proxy_takes_whole_requests_and_only_for_http() {
    let proxies = proxies(|_| {});
    for (name, url, expected) in [
        ("h", "http://a.test/", true),
        ("h", "https://a.test/", false),
        ("h", "http://mapped.test/", false),
        ("s", "http://a.test/", false),
        ("r", "http://a.test/", false),
    ] {
        let proxy = proxies.all.iter().find(|proxy| *proxy.name == *name).unwrap();
        let url = CanonicalUrl::parse(url).unwrap();
        assert_eq!(proxies.forwards(proxy, &url), expected, "{name} {url}");
        assert_eq!(proxy.login, Some((b"joe".to_vec(), b"p@w".to_vec())));
        assert!(!format!("{:?}", proxy.url).contains("joe"));
    }
}

#[test]
fn proxies_take_turns() {
    let rotation = proxies(|_| {}).rotation(&["h", "r", "s"].into_iter().collect()).unwrap();
    let turns: Vec<Vec<usize>> = (0..4).map(|_| rotation.turn()).collect();
    assert_eq!(turns[0].len(), 3);
    assert_eq!(turns[1], [&turns[0][1..], &turns[0][..1]].concat());
    assert_eq!(turns[3], turns[0]);
}
