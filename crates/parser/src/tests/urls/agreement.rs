//! Property tests: the fast parser and the standard's own give one answer, and spelling a URL
//! again changes nothing.

use crawl_model::{CanonicalUrl, Fingerprinter, WebUrl};
use encoding_rs::{Encoding, UTF_8};
use proptest::prelude::*;

use super::standard;
use crate::links::resolve::Resolver;
use crate::plumbing::normalize;

/// Pieces that mean something to a URL parser somewhere; joined at random.
const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "//",
    "\\",
    "?",
    "#",
    ":",
    "@",
    ".",
    "..",
    "/.",
    "/..",
    "../",
    "./",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "%",
    "%2",
    "%zz",
    "%00",
    "%41",
    "%32%65",
    "%c3%a9",
    "%7e",
    "http:",
    "https:",
    "HTTP:",
    "http://",
    "https://h",
    "mailto:",
    "file:",
    "h",
    "h.test",
    "H",
    "xn--",
    "xn--nxasmq6b",
    "é",
    "ß",
    "本",
    "\u{ad}",
    "\u{200d}",
    "\u{fdd0}",
    "1",
    "127.1",
    "0x7f",
    "08",
    "256",
    "[::1]",
    "[",
    "]",
    "::",
    ":80",
    ":443",
    ":8080",
    ":99999",
    ":0",
    "a",
    "b",
    "C:",
    "c|",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\x1f",
    "\x7f",
    "'",
    "\"",
    "<",
    ">",
    "`",
    "^",
    "|",
    "{",
    "}",
    "~",
    "!",
    "$",
    "&",
    "=",
    "+",
    ",",
    ";",
    "-",
    "--",
    "_",
    "*",
    "(",
    "joe",
    "joe:pw@",
    "index.html",
    "?q=1&r=2",
    "?é",
    "#top",
    "a b",
    "\u{10ffff}",
];

const BASES: &[&str] = &[
    "http://h",
    "http://h/a/b/c?q#f",
    "https://h:8443/a/",
    "https://joe:pw@h.test/x/y",
    "http://127.0.0.1//a//b",
    "http://[::1]/?x/y",
    "http://h/..;/a%2F/b",
    "https://xn--nxasmq6b/",
    "http://h:443/C:/d",
];

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..10).prop_map(|pieces| pieces.concat())
}

/// References as pages have them.
fn usual() -> impl Strategy<Value = String> {
    let segments = "[a-zA-Z0-9._~!$&()*+,;=:@-]{0,8}(/[a-zA-Z0-9._%-]{0,8}){0,4}";
    let tail = "([?][a-z0-9=&%'/?]{0,12})?(#[a-z0-9?/]{0,6})?";
    prop_oneof![
        segments.prop_map(String::from),
        "(/|\\./|\\.\\./|\\.\\./\\.\\./)?[a-z0-9.-]{0,8}(/[a-z0-9.]{0,5}){0,3}",
        "(https?:)?//(h|h\\.test|[a-z0-9.-]{1,12})(:[0-9]{0,5})?(/[a-zA-Z0-9._~-]{0,8}){0,4}",
        Just(String::new()),
    ]
    .prop_flat_map(move |start| tail.prop_map(move |tail| format!("{start}{tail}")))
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![3 => hostile(), 3 => usual(), 1 => any::<String>()]
}

fn base() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(BASES).prop_map(str::to_owned), 1 => hostile()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_parser_is_the_one_of_the_standard(href in reference(), base in base()) {
        let theirs_base = standard::parse(&base, None);
        let theirs = standard::parse(&href, theirs_base.as_ref()).map(|url| url.serialize());
        let ours_base = WebUrl::parse(&base, None);
        prop_assert_eq!(ours_base.is_ok(), theirs_base.is_some());
        let ours = WebUrl::parse(&href, ours_base.as_ref().ok().map(WebUrl::view));
        let ours = ours.ok().map(|url| {
            (url.without_fragment().to_owned(), url.as_str().to_owned())
        });
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn the_resolver_is_that_parser(href in reference(), base in base(), latin in any::<bool>()) {
        let encoding = if latin && href.is_ascii() { Encoding::for_label(b"latin1") } else { None };
        let Some(record) = standard::parse(&base, None) else { return Ok(()) };
        let theirs = standard::parse(&href, Some(&record)).map(|url| url.serialize());
        let resolver = Resolver::parse(&base, encoding.unwrap_or(UTF_8)).unwrap();
        let (url, whole) = theirs.unzip();
        prop_assert_eq!(resolver.link(&href).map(|url| url.as_str().to_owned()), url);
        let text = resolver.resolve_text(&href).filter(|url| url.starts_with("http"));
        prop_assert_eq!(text, whole);
    }

    #[test]
    fn the_parts_of_a_url_are_those_of_its_text(href in reference(), base in base()) {
        let base = CanonicalUrl::parse(&base);
        let url = match &base {
            Ok(base) => base.join(&href),
            Err(_) => CanonicalUrl::parse(&href),
        };
        let Ok(url) = url else { return Ok(()) };
        let parsed = url.to_url(); // which would panic if the text were not canonical
        prop_assert_eq!(parsed.as_str(), url.as_str());
        prop_assert_eq!(parsed.host_str(), Some(url.host_str()));
        prop_assert_eq!(parsed.path(), url.path());
        prop_assert_eq!(parsed.port_or_known_default(), Some(url.port()));
        let again = CanonicalUrl::parse(url.as_str()).unwrap();
        prop_assert_eq!(again.host_str(), url.host_str());
        prop_assert_eq!(again.path_and_query(), url.path_and_query());
        prop_assert_eq!(again, url);
    }

    #[test]
    fn spelling_a_url_again_changes_nothing(href in reference(), base in base()) {
        let Some(url) = normalize(&href, Some(&base)).url else { return Ok(()) };
        let line = normalize(&url, None);
        let key = line.key.unwrap();
        prop_assert_eq!(line.url.as_ref(), Some(&url));
        prop_assert_eq!(normalize(&url, Some("https://other/x")).url, Some(url.clone()));
        let of_key = normalize(&key, None);
        prop_assert_eq!(of_key.url.as_ref(), Some(&key));
        prop_assert_eq!(of_key.key.as_ref(), Some(&key));
        if let (Ok(url), Ok(key)) = (CanonicalUrl::parse(&url), CanonicalUrl::parse(&key)) {
            let prints = Fingerprinter::new([7; 16]);
            prop_assert_eq!(prints.get(&url), prints.get(&key));
        }
    }

    #[test]
    fn no_text_makes_it_panic(href in any::<String>(), base in reference()) {
        let line = normalize(&href, Some(&base));
        prop_assert_eq!(line.url.is_none(), line.error.is_some());
        prop_assert_eq!(line.url.is_none(), line.key.is_none());
        for label in ["utf-8", "shift_jis", "iso-2022-jp", "gb18030"] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            if let Ok(resolver) = Resolver::parse(&base, encoding) {
                let texts = [&href, &format!("?{href}")].map(|href| resolver.resolve_text(href));
                prop_assert!(texts.iter().flatten().all(|text| text.is_ascii()));
            }
        }
    }
}
