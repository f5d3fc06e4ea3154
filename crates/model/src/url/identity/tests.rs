//! What tells one URL from another, rule by rule, and that a key of a key is that key.

use proptest::prelude::*;

use super::*;
use crate::CanonicalUrl;

fn rules(change: impl FnOnce(&mut IdentityConfig)) -> KeyRules {
    let mut config = IdentityConfig::default();
    change(&mut config);
    KeyRules::new(&config).unwrap()
}

#[track_caller]
fn check_under(rules: &KeyRules, text: &str, expected: &str) {
    assert_eq!(rules.key(text), expected);
    assert_eq!(rules.key(expected), expected, "the key of a key is that key");
    let mut pieces = String::new();
    rules.key_pieces(text, |piece| pieces.push_str(piece));
    assert_eq!(pieces, expected);
}

#[track_caller]
fn check(text: &str, expected: &str) {
    check_under(&rules(|_| ()), text, expected);
}

#[test]
fn what_follows_visitors_is_no_part_of_the_key() {
    check("http://h/a?utm_source=x&id=7&fbclid=y", "http://h/a?id=7");
    check("http://h/a?UTM_ID=1", "http://h/a");
    check("http://h/a?utm%5Fsource=x&b=%7e", "http://h/a?b=~");
    check("http://h/a?id=utm_source&gclidx=1", "http://h/a?id=utm_source&gclidx=1");
    check("http://h/utm_source=1", "http://h/utm_source=1");
}

#[test]
fn a_query_from_which_nothing_goes_stays_as_it_is() {
    for text in ["http://h/?", "http://h/a?&&b=2&a=1&", "http://h/?a", "http://h/a/?=&="] {
        check(text, text);
    }
    check("http://h/?&gclid=1&&a=1&", "http://h/?a=1");
    check("http://h/?gclid=1&", "http://h/");
}

#[test]
fn session_ids_are_no_part_of_the_key_and_what_only_looks_so_stays() {
    let id = "a1b2c3d4e5f6a7b8c9d0e1f2a3";
    check(&format!("http://h/a?PHPSESSID={id}&x=1"), "http://h/a?x=1");
    check(&format!("http://h/a?sid={id}"), "http://h/a");
    check("http://h/a?sid=17", "http://h/a?sid=17");
    check("http://h/?s=internationalisation", "http://h/?s=internationalisation");
    check("http://h/?session=2024-autumn-conference", "http://h/?session=2024-autumn-conference");
    check("http://h/a?ASPSESSIONIDQQGGGNCG=x", "http://h/a");
    check("http://h/a/b;jsessionid=0A1B.node1?x=1", "http://h/a/b?x=1");
    check("http://h/a;v=1;jsessionid=2;w=3/b", "http://h/a;v=1;w=3/b");
    check("http://h/..;jsessionid=1/b", "http://h/..;jsessionid=1/b");
    check("http://h/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "http://h/a.aspx");
    check("http://h/a/(A(x)S(y)F(z))/b", "http://h/a/b");
    check("http://h/(lit3py55t21z5v55vlm25s55)/a", "http://h/a");
    check("http://h/a/(S(x));jsessionid=1", "http://h/a/");
    for text in
        ["http://h/wiki/Rust_(language)", "http://h/(S)/a", "http://h/(S())/a", "http://h/a;b=1"]
    {
        check(text, text);
    }
}

#[test]
fn what_is_switched_off_counts() {
    let literal = KeyRules::new(&IdentityConfig::literal()).unwrap();
    for text in ["http://h/a/?utm_id=1&PHPSESSID=2", "http://h/(S(x))/a;jsessionid=1"] {
        check_under(&literal, text, text);
    }
}

#[test]
fn order_and_the_last_slash_count_unless_the_crawl_says_otherwise() {
    check("http://h/a/?b=1&a=2", "http://h/a/?b=1&a=2");
    let sorted = rules(|config| config.sort_query = true);
    check_under(&sorted, "http://h/?b=1&a=2&B&a=1&", "http://h/?B&a=2&a=1&b=1");
    let slashed = rules(|config| config.trailing_slash = true);
    check_under(&slashed, "http://h/a//?b/", "http://h/a?b/");
    check_under(&slashed, "http://h/", "http://h/");
    check_under(&slashed, "http://h//?", "http://h/?");
    check_under(&slashed, "http://h/a/;jsessionid=1", "http://h/a");
}

#[test]
fn what_is_no_name_is_refused() {
    for bad in ["", "*", "a=b", "a&b", "*a", "a*b", "a b", "é"] {
        let config =
            IdentityConfig { ignore_parameters: vec![bad.into()], ..IdentityConfig::default() };
        assert_eq!(KeyRules::new(&config).unwrap_err(), NoParameter(bad.into()));
    }
}

/// Texts in which the rules find much to do.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("/"),
        Just("?"),
        Just("&"),
        Just("="),
        Just(";"),
        Just("("),
        Just(")"),
        Just("S("),
        Just("jsessionid"),
        Just(";jsessionid=1"),
        Just("/(S(x))"),
        Just("utm_id"),
        Just("gclid=1"),
        Just("sid=a1b2c3d4e5f6a7b8c9d0e1"),
        Just("%"),
        Just("%5f"),
        Just("%41"),
        Just(".."),
        Just("a"),
        Just("b=1"),
        Just("%2f"),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_key_of_a_key_is_that_key(tail in text(), sort_query: bool, trailing_slash: bool) {
        let rules = rules(|c| (c.sort_query, c.trailing_slash) = (sort_query, trailing_slash));
        let Ok(url) = CanonicalUrl::parse(&format!("http://h/{tail}")) else { return Ok(()) };
        let key = rules.key(url.as_str()).into_owned();
        prop_assert_eq!(&*rules.key(&key), &*key);
        let mut pieces = String::new();
        rules.key_pieces(url.as_str(), |piece| pieces.push_str(piece));
        prop_assert_eq!(&pieces, &key);
        // It is a URL, and a canonical one.
        let reparsed = CanonicalUrl::parse(&key).unwrap();
        prop_assert_eq!(reparsed.as_str(), &*key);
        prop_assert_eq!(reparsed.host_str(), url.host_str());
    }

    /// Two URLs of one key are equal when what is ignored is taken out of both.
    #[test]
    fn what_is_ignored_makes_no_difference_wherever_it_stands(
        pairs in prop::collection::vec("[a-c]=[0-9]", 0..4),
        noise in prop::sample::select(vec!["utm_x=1", "fbclid", "PHPSESSID=q", "%67clid=2"]),
        at in 0usize..5,
    ) {
        let rules = rules(|_| ());
        let mut noisy = pairs.clone();
        noisy.insert(at.min(noisy.len()), noise.to_owned());
        let url = |pairs: &[String]| match pairs.is_empty() {
            true => "http://h/p".to_owned(),
            false => format!("http://h/p?{}", pairs.join("&")),
        };
        prop_assert_eq!(rules.key(&url(&noisy)).into_owned(), url(&pairs));
    }
}
