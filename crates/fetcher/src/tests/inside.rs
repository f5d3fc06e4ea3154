//! Nothing inside of our own network is fetched, whatever way a page has to name it (server-side
//! request forgery). One table, one row per form; that names are judged anew at each lookup
//! stands with the other tests of names.

use super::names::Says::Is;
use super::names::asking;
use super::*;

/// How a page can write an address that is not public.
const FORMS: &[(&str, &[&str])] = &[
    ("this machine", &["127.0.0.1", "127.255.255.254", "0.0.0.0", "[::1]", "[::]"]),
    ("private networks", &["10.1.2.3", "172.16.0.1", "192.168.1.1", "[fd00::1]"]),
    ("link-local, with the metadata service of clouds", &["169.254.169.254", "[fe80::1]"]),
    ("shared address space", &["100.64.0.1"]),
    ("one number", &["2130706433", "0", "2852039166"]),
    ("fewer parts than four", &["127.1", "127.0.1", "10.66051"]),
    ("octal parts", &["0177.0.0.1", "017700000001", "012.1.2.3"]),
    ("hexadecimal parts", &["0x7f.0.0.1", "0x7f000001", "0xA9.0xFE.0xA9.0xFE"]),
    ("forms mixed", &["0x7f.1", "0300.0250.0x1.1"]),
    ("escapes", &["%31%32%37.0.0.1", "127%2E0%2E0%2E1"]),
    ("wide letters", &["\u{ff11}\u{ff12}\u{ff17}.0.0.1", "127\u{3002}0\u{3002}0\u{3002}1"]),
    ("a dot at the end", &["127.0.0.1.", "localhost."]),
    ("IPv4 mapped into IPv6", &["[::ffff:127.0.0.1]", "[::ffff:a00:1]", "[::FFFF:A9FE:A9FE]"]),
    ("IPv4 compatible", &["[::127.0.0.1]", "[::a00:1]"]),
    ("IPv4 translated", &["[::ffff:0:7f00:1]"]),
    ("NAT64", &["[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]"]),
    ("6to4", &["[2002:7f00:1::]", "[2002:a00:1::1]"]),
    ("IPv6 written out", &["[0:0:0:0:0:0:0:1]", "[0000::0001]"]),
    ("the name of this machine", &["localhost", "LOCALHOST", "a.localhost"]),
    ("credentials before it", &["example.org@127.0.0.1", "example.org:80@[::1]"]),
];

/// No URL at all: nothing is fetched either.
const NO_URLS: &[(&str, &[&str])] = &[
    ("zones of IPv6", &["[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1%251]"]),
    ("brackets around what is no IPv6", &["[127.0.0.1]", "[localhost]", "[::1", "::1]"]),
    ("numbers that are no address", &["127.0.0.256", "0x100000000", "1.2.3.4.5", "127.0.0.09"]),
];

#[track_caller]
fn check_refused(answer: Answer, form: &str) {
    assert_eq!(answer.sent_at, None, "{form}");
    let failure = failure(answer);
    assert_eq!(failure.kind, FailureKind::PrivateAddress, "{form}: {failure}");
    let line = "set `fetch.allow-private-addresses = true`";
    assert!(failure.detail.contains(line), "{form}: {failure}");
}

fn default_fetcher() -> Fetcher {
    Fetcher::new(FetchConfig::default()).unwrap()
}

#[tokio::test]
async fn every_form_of_an_address_is_refused_by_default() {
    let fetcher = default_fetcher();
    for (form, hosts) in FORMS {
        for host in *hosts {
            for url in [format!("http://{host}:9/"), format!("https://{host}/")] {
                check_refused(fetch(&fetcher, &url).await, &format!("{form}: {url}"));
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_host_is_no_url() {
    for (form, hosts) in NO_URLS {
        for host in *hosts {
            let url = format!("http://{host}/");
            assert!(CanonicalUrl::parse(&url).is_err(), "{form}: {url}");
        }
    }
}

#[tokio::test]
async fn names_that_lead_inside_are_refused() {
    let (config, _) = asking(|_, _| Is(&[[10, 0, 0, 1], [169, 254, 169, 254]])).await;
    let answer = fetch(&Fetcher::new(config).unwrap(), "http://inside.example/").await;
    check_refused(answer, "an answer of DNS");
}

#[tokio::test]
async fn a_redirect_that_leads_inside_is_refused() {
    for target in ["http://169.254.169.254/latest/", "//127.0.0.1/", "http://2130706433/"] {
        let redirect = response("302 Found", &format!("Location: {target}\r\n"), "");
        let response = ok(fetch_from(send(redirect), |_| {}).await);
        let from = CanonicalUrl::parse("http://a.test/").unwrap();
        let target = from.join(response.header("location").unwrap()).unwrap();
        let answer = fetch_ticket(&default_fetcher(), &ticket(Request::get(target))).await;
        check_refused(answer, "the target of a redirect");
    }
}

#[tokio::test]
async fn a_mapped_host_is_exempt_from_nothing() {
    for to in ["127.0.0.1", "[::1]:80", "::ffff:10.0.0.1"] {
        let resolve = [("a.test".to_owned(), to.to_owned())].into();
        let fetcher = Fetcher::new(FetchConfig { resolve, ..FetchConfig::default() }).unwrap();
        check_refused(fetch(&fetcher, "http://a.test/").await, "an entry of fetch.resolve");
    }
}

#[tokio::test]
async fn one_line_allows_it() {
    let server = Server::once(page("inside")).await;
    let allowed = FetchConfig { allow_private_addresses: true, ..FetchConfig::default() };
    let url = format!("http://127.1:{}/", server.address.port());
    assert_eq!(ok(fetch(&Fetcher::new(allowed).unwrap(), &url).await).body, "inside");
}
