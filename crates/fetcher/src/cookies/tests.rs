//! Storage and retrieval, case by case.

use super::jar::{JAR_COOKIES, SHELF_COOKIES};
use super::*;

const NOW: u64 = 1_700_000_000_000;

fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

fn take(cookies: &Cookies, from: &str, fields: &[&str]) -> Vec<CookieChange> {
    cookies.take(None, &url(from), fields.iter().map(|field| field.as_bytes()), NOW)
}

fn sent(cookies: &Cookies, to: &str) -> String {
    String::from_utf8(cookies.field(None, &url(to), NOW)).unwrap()
}

/// What goes to `to` after `from` set these.
#[track_caller]
fn check(from: &str, fields: &[&str], to: &str, expected: &str) {
    let cookies = Cookies::new(CookieMode::On);
    take(&cookies, from, fields);
    assert_eq!(sent(&cookies, to), expected, "{fields:?} from {from} to {to}");
}

#[test]
fn a_cookie_without_a_domain_is_for_its_host_alone() {
    check("http://a.test/", &["k=v"], "http://a.test/x", "k=v");
    check("http://a.test/", &["k=v"], "http://a.test:8080/", "k=v");
    check("http://a.test/", &["k=v"], "https://a.test/", "k=v");
    check("http://a.test/", &["k=v"], "http://b.a.test/", "");
    check("http://b.a.test/", &["k=v"], "http://a.test/", "");
    check("http://a.test./", &["k=v"], "http://a.test/", "k=v");
    check("http://127.0.0.1/", &["k=v"], "http://127.0.0.1:81/", "k=v");
    check("http://[::1]/", &["k=v"], "http://[::1]/", "k=v");
    check("http://localhost/", &["k=v"], "http://localhost/", "k=v");
}

#[test]
fn a_cookie_with_a_domain_is_for_all_below_it() {
    for domain in ["a.test", ".a.test", "A.TEST"] {
        let field = format!("k=v; Domain={domain}");
        check("http://b.a.test/", &[&field], "http://c.a.test/", "k=v");
        check("http://b.a.test/", &[&field], "http://a.test/", "k=v");
        check("http://a.test/", &[&field], "http://x.y.a.test/", "k=v");
        check("http://a.test/", &[&field], "http://xa.test/", "");
    }
}

#[test]
fn nobody_sets_a_cookie_for_others() {
    check("http://a.test/", &["k=v; Domain=b.test"], "http://b.test/", "");
    check("http://a.test/", &["k=v; Domain=b.a.test"], "http://b.a.test/", "");
    check("http://ba.test/", &["k=v; Domain=a.test"], "http://a.test/", "");
    check("http://a.test/", &["k=v; Domain=test"], "http://b.test/", "");
    check("http://a.co.uk/", &["k=v; Domain=co.uk"], "http://b.co.uk/", "");
    check("http://joe.github.io/", &["k=v; Domain=github.io"], "http://jim.github.io/", "");
    check("http://a.test/", &["k=v; Domain=a.test.."], "http://a.test/", "");
    check("http://10.0.0.1/", &["k=v; Domain=0.0.1"], "http://9.0.0.1/", "");
    check("http://10.0.0.1/", &["k=v; Domain=0.1"], "http://10.0.0.1/", "");
}

#[test]
fn a_public_suffix_may_speak_for_itself() {
    check("http://github.io/", &["k=v; Domain=github.io"], "http://github.io/", "k=v");
    check("http://github.io/", &["k=v; Domain=github.io"], "http://joe.github.io/", "");
    check("http://10.0.0.1/", &["k=v; Domain=10.0.0.1"], "http://10.0.0.1/", "k=v");
}

#[test]
fn a_path_limits_where_a_cookie_goes() {
    check("http://a.test/x/y", &["k=v"], "http://a.test/x/z?q", "k=v");
    check("http://a.test/x/y", &["k=v"], "http://a.test/x", "k=v");
    check("http://a.test/x/y", &["k=v"], "http://a.test/xy", "");
    check("http://a.test/x/y", &["k=v; Path=/"], "http://a.test/", "k=v");
    check("http://a.test/x?/y", &["k=v"], "http://a.test/z", "k=v");
    check("http://a.test/", &["k=v; Path=/admin"], "http://a.test/admin/x", "k=v");
    check("http://a.test/", &["k=v; Path=/admin"], "http://a.test/", "");
}

#[test]
fn secure_cookies_come_and_go_by_https_only() {
    check("https://a.test/", &["k=v; Secure"], "https://a.test/", "k=v");
    check("https://a.test/", &["k=v; Secure"], "http://a.test/", "");
    check("http://a.test/", &["k=v; Secure"], "https://a.test/", "");
    check("https://a.test/", &["k=v"], "http://a.test/", "k=v");
}

#[test]
fn http_cannot_hide_a_cookie_that_came_by_https() {
    let cookies = Cookies::new(CookieMode::On);
    take(&cookies, "https://a.test/", &["k=good; Secure; Path=/x"]);
    for field in ["k=bad; Path=/x", "k=bad; Path=/x/y", "k=bad; Domain=a.test; Path=/x"] {
        assert!(take(&cookies, "http://a.test/", &[field]).is_empty(), "{field}");
    }
    assert_eq!(take(&cookies, "http://a.test/", &["k=other; Path=/"]).len(), 1);
    assert_eq!(sent(&cookies, "https://a.test/x/y"), "k=good; k=other");
    assert_eq!(take(&cookies, "https://a.test/", &["k=new; Path=/x"]).len(), 1);
}

#[test]
fn a_name_with_a_prefix_must_keep_its_promise() {
    let (https, http) = ("https://a.test/", "http://a.test/");
    check(https, &["__Secure-k=v; Secure"], https, "__Secure-k=v");
    check(https, &["__Secure-k=v"], https, "");
    check(http, &["__Secure-k=v"], http, "");
    check(https, &["__Host-k=v; Secure; Path=/"], https, "__Host-k=v");
    check(https, &["__host-k=v; Secure; Path=/"], https, "__host-k=v");
    check(https, &["__Host-k=v; Secure"], https, "");
    check(https, &["__Host-k=v; Path=/"], https, "");
    check(https, &["__Host-k=v; Secure; Path=/; Domain=a.test"], https, "");
    check(https, &["__Host-k=v; Secure; Path=/x"], "https://a.test/x", "");
    check(https, &["__SECURE-k=v"], https, "");
    check(https, &["=__Host-k=v; Secure; Path=/"], https, "");
    check(https, &["__Secure-k; Secure"], https, "");
}

#[test]
fn longer_paths_go_first_and_then_older_cookies() {
    let cookies = Cookies::new(CookieMode::On);
    take(
        &cookies,
        "http://a.test/",
        &["b=1; Path=/", "a=2; Path=/", "c=3; Path=/x/y", "d=4; Path=/x"],
    );
    assert_eq!(sent(&cookies, "http://a.test/x/y"), "c=3; d=4; b=1; a=2");
    take(&cookies, "http://a.test/", &["b=5; Path=/", "=nameless; Path=/"]);
    assert_eq!(sent(&cookies, "http://a.test/"), "b=5; a=2; nameless");
}

#[test]
fn a_cookie_ends_when_its_time_is_over_or_its_server_says_so() {
    let cookies = Cookies::new(CookieMode::On);
    let at = url("http://a.test/");
    take(&cookies, "http://a.test/", &["k=v; Max-Age=10", "s=session"]);
    assert_eq!(cookies.field(None, &at, NOW + 9_999), b"k=v; s=session");
    assert_eq!(cookies.field(None, &at, NOW + 10_000), b"s=session");
    let gone = take(&cookies, "http://a.test/", &["s=; Max-Age=0", "never=1; Max-Age=0"]);
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].cookie, None);
    assert_eq!(sent(&cookies, "http://a.test/"), "k=v");
    take(&cookies, "http://a.test/", &["k=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert_eq!(sent(&cookies, "http://a.test/"), "");
}

#[test]
fn only_what_changes_is_told() {
    let cookies = Cookies::new(CookieMode::On);
    let from = url("http://a.test/x");
    let set =
        |field: &str, now| cookies.take(None, &from, [field.as_bytes()].into_iter(), now).len();
    assert_eq!(set("k=v; Max-Age=1600", NOW), 1);
    assert_eq!(set("k=v; Max-Age=1600", NOW), 0);
    // Prolonged a little at a time, it is told again when a sixteenth is reached.
    assert_eq!(set("k=v; Max-Age=1600", NOW + 60_000), 0);
    assert_eq!(set("k=v; Max-Age=1600", NOW + 120_000), 1);
    assert_eq!(set("k=w; Max-Age=1600", NOW + 120_000), 1);
    assert_eq!(set("k=w", NOW + 120_000), 1);
    assert_eq!(set("k=w; HttpOnly", NOW + 120_000), 1);
    assert_eq!(set("k=w; HttpOnly", NOW + 120_000), 0);
    assert_eq!(set("no cookie\u{1}", NOW), 0);
}

#[test]
fn jars_know_nothing_of_each_other_and_none_is_none() {
    let cookies = Cookies::new(CookieMode::On);
    let at = url("http://a.test/");
    for (jar, field) in [(None, "k=default"), (Some("one"), "k=1"), (Some(""), "k=none")] {
        let changes = cookies.take(jar, &at, [field.as_bytes()].into_iter(), NOW);
        assert_eq!(changes.len(), usize::from(jar != Some("")), "{jar:?}");
    }
    assert_eq!(cookies.field(None, &at, NOW), b"k=default");
    assert_eq!(cookies.field(Some("one"), &at, NOW), b"k=1");
    assert_eq!(cookies.field(Some("two"), &at, NOW), b"");
    assert_eq!(cookies.field(Some(""), &at, NOW), b"");
    cookies.switch(false);
    assert_eq!(cookies.field(None, &at, NOW), b"");
    assert!(take(&cookies, "http://a.test/", &["k=off"]).is_empty());
    assert_eq!(Cookies::new(CookieMode::Off).field(None, &at, NOW), b"");
}

#[test]
fn what_was_told_restores_the_jars() {
    let cookies = Cookies::new(CookieMode::On);
    let at = url("https://a.test/x");
    let mut kept: HashMap<Box<str>, Option<Box<str>>> = HashMap::new();
    for (jar, fields) in [
        (None, &["b=1; Path=/", "a=2; Path=/; Max-Age=60; Secure", "gone=3"][..]),
        (None, &["gone=; Max-Age=0", "soon=4; Max-Age=1"]),
        (Some("j"), &["a=5; Domain=a.test", "\u{e9}=6"]),
    ] {
        let fields = fields.iter().map(|field| field.as_bytes());
        kept.extend(cookies.take(jar, &at, fields, NOW).into_iter().map(|c| (c.key, c.cookie)));
    }
    let stored = kept.into_iter().filter(|(_, cookie)| cookie.is_some());
    let stored: Vec<_> = stored.map(|(key, cookie)| CookieChange { key, cookie }).collect();
    let again = Cookies::new(CookieMode::On);
    let broken = CookieChange { key: "x".into(), cookie: Some("{}".into()) };
    assert_eq!(again.restore(stored.into_iter().chain([broken]), NOW + 2_000), 1);
    for (jar, to) in
        [(None, "https://a.test/x"), (None, "http://a.test/"), (Some("j"), "https://b.a.test/")]
    {
        assert_eq!(
            again.field(jar, &url(to), NOW + 2_000),
            cookies.field(jar, &url(to), NOW + 2_000)
        );
    }
    // What ended meanwhile is told with the next change, so that the store forgets it.
    let changes = again.take(None, &at, [&b"new=7"[..]].into_iter(), NOW + 2_000);
    assert!(changes.iter().any(|c| c.cookie.is_none() && c.key.contains("soon")), "{changes:?}");
}

#[test]
fn a_server_cannot_fill_its_shelf() {
    let cookies = Cookies::new(CookieMode::On);
    let mut last = Vec::new();
    for i in 0..SHELF_COOKIES + 20 {
        let now = NOW + i as u64;
        let field = format!("k{i}=v; Domain=a.test");
        let from = url(&format!("http://h{i}.a.test/"));
        last = cookies.take(None, &from, [field.as_bytes()].into_iter(), now);
        // The first one stays in use.
        cookies.field(None, &url("http://a.test/"), now);
        take(&cookies, "http://b.test/", &["other=1"]);
    }
    assert_eq!(last.iter().filter(|change| change.cookie.is_none()).count(), 1);
    assert_eq!(cookies.default.len(), SHELF_COOKIES + 1);
    let large = "x".repeat(4000);
    for i in 0..100 {
        take(&cookies, "http://a.test/", &[&format!("large{i}={large}")]);
    }
    assert!(sent(&cookies, "http://a.test/").len() <= 64 * 1024);
    assert_eq!(sent(&cookies, "http://b.test/"), "other=1");
}

#[test]
fn what_is_used_outlasts_what_is_not() {
    let cookies = Cookies::new(CookieMode::On);
    let set = |i: usize, now| {
        let from = url(&format!("http://h{i}.test/"));
        cookies.take(None, &from, [&b"k=v"[..]].into_iter(), now)
    };
    for i in 0..JAR_COOKIES {
        assert_eq!(set(i, NOW + i as u64).len(), 1);
    }
    cookies.field(None, &url("http://h0.test/"), NOW + 10_000);
    let changes = set(JAR_COOKIES, NOW + 10_001);
    assert_eq!(changes.len(), 1 + JAR_COOKIES / 100);
    assert_eq!(cookies.default.len(), JAR_COOKIES + 1 - JAR_COOKIES / 100);
    assert!(!cookies.field(None, &url("http://h0.test/"), NOW + 10_002).is_empty());
    assert!(cookies.field(None, &url("http://h1.test/"), NOW + 10_002).is_empty());
}

#[test]
fn jars_are_bounded_in_number_and_bytes() {
    let cookies = Cookies::new(CookieMode::On);
    let at = url("http://a.test/");
    let mut n_gone = 0;
    for i in 0..JARS + 5 {
        let field = [&b"k=v"[..]].into_iter();
        let changes = cookies.take(Some(&format!("j{i}")), &at, field, NOW + i as u64);
        n_gone += changes.iter().filter(|change| change.cookie.is_none()).count();
    }
    let n_jars = cookies.named.read().unwrap().len();
    assert!(n_jars <= JARS && n_jars + n_gone == JARS + 5, "{n_jars} and {n_gone}");
    assert_eq!(cookies.field(Some("j0"), &at, NOW), b"");
    let large = format!("k={}", "x".repeat(4000));
    for jar in 0..100 {
        for host in 0..200 {
            let at = url(&format!("http://h{host}.test/"));
            let fields = [large.as_bytes()].into_iter();
            cookies.take(Some(&format!("big{jar}")), &at, fields, NOW + 20_000 + jar);
        }
    }
    let n_bytes: usize = cookies.named.read().unwrap().values().map(|jar| jar.n_bytes()).sum();
    assert!(n_bytes <= ALL_BYTES, "{n_bytes}");
    assert!(!cookies.field(Some("big99"), &url("http://h0.test/"), NOW).is_empty());
    assert!(cookies.field(Some("big0"), &url("http://h0.test/"), NOW).is_empty());
}

#[test]
fn no_field_whatever_it_holds_breaks_a_jar() {
    const WORDS: [&[u8]; 24] = [
        b"a",
        b"=",
        b";",
        b" ",
        b"\t",
        b",",
        b"Domain",
        b"a.test",
        b".",
        b"Path",
        b"/",
        b"\xff",
        b"Max-Age",
        b"-",
        b"99999999999999999999",
        b"Expires",
        b"31 Dec 9999 23:59:59",
        b"Secure",
        b"__Host-",
        b"\"",
        b"\0",
        b"0",
        b":",
        b"Feb",
    ];
    let cookies = Cookies::new(CookieMode::On);
    let (mut seed, mut told) = (7u64, HashMap::new());
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for i in 0..20_000 {
        let field: Vec<u8> =
            (0..random(14)).flat_map(|_| WORDS[random(WORDS.len())]).copied().collect();
        let from = url(["http://a.test/x/", "https://b.a.test/", "http://[::1]/"][random(3)]);
        let changes = cookies.take(None, &from, [&field[..]].into_iter(), NOW + i);
        told.extend(changes.into_iter().map(|change| (change.key, change.cookie)));
    }
    told.retain(|_, cookie| cookie.is_some());
    assert!(told.len() >= 50 && told.len() <= 3 * SHELF_COOKIES, "{}", told.len());
    let stored = told.into_iter().map(|(key, cookie)| CookieChange { key, cookie });
    let again = Cookies::new(CookieMode::On);
    assert_eq!(again.restore(stored, NOW + 20_000), 0);
    for to in ["http://a.test/x/", "https://b.a.test/", "http://[::1]/"] {
        let (was, is) = (
            cookies.field(None, &url(to), NOW + 20_000),
            again.field(None, &url(to), NOW + 20_000),
        );
        assert_eq!(was, is, "{to}");
    }
}
