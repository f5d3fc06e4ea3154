//! Whatever is written, the verdict is the oracle's; and laws that hold for any input.

use proptest::prelude::*;
use proptest::sample::select;

use super::oracle::{self, Oracle};
use crate::Robots;

/// A line of a robots.txt, often right, with its ending.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let rule = (select(RULES), sign(), pattern());
    let agent = (select(AGENT_FIELDS), sign(), select(AGENTS).prop_map(str::to_owned));
    let other = (select(OTHERS), sign(), select(VALUES).prop_map(str::to_owned));
    let said = prop_oneof![6 => rule, 3 => agent, 1 => other]
        .prop_map(|(field, sign, value)| format!("{field}{sign}{value}").into_bytes());
    let junk = select(JUNK).prop_map(<[u8]>::to_vec);
    let tail = select(&["", "", "", " ", "\t", " # x", "#\u{e9}"][..]);
    let end = select(&["\n", "\n", "\r\n", "\r", "\n\n"][..]);
    (prop_oneof![9 => said, 1 => junk], tail, end)
        .prop_map(|(said, tail, end)| [&said, tail.as_bytes(), end.as_bytes()].concat())
}

const RULES: &[&str] = &[
    "Disallow",
    "Disallow",
    "Disallow",
    "Allow",
    "Allow",
    "dissallow",
    "DISALOW",
    "disallaw",
    "diasllow",
    "dissalow",
    "disallowed",
    " Allow",
    "Al low",
];
const AGENT_FIELDS: &[&str] =
    &["User-agent", "User-agent", "USERAGENT", "User Agent", "Users-agent"];
const AGENTS: &[&str] =
    &["a", "A/1", "b", "ab", "a.b", "*", "*", "* x", "*a", "", "a, b", "\u{e9}"];
const OTHERS: &[&str] = &["Crawl-delay", "crawl-delay", "Sitemap", "site-map", "Host", ""];
const VALUES: &[&str] =
    &["1", "2.5", "-1", "1e400", "x", "", "/s", "http://h/s", ".5", "+3", "NaN", "inf"];
const JUNK: &[&[u8]] = &[
    b"",
    b"\xff",
    b"Disallow: /\xe9",
    b"User-agent: \xff",
    b"Disallow: /a # \xff",
    b"\xEF\xBB\xBF",
    b"Disallow",
    b"User-agent",
    b"Disallow /a /b",
    b"#",
    b":",
    b"\0Allow:\0/a\0",
    b"<html>",
];

fn sign() -> impl Strategy<Value = &'static str> {
    select(&[":", ": ", ": ", ": ", " : ", "\t:\t", " ", "\t", "", "::"][..])
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = select(
        &[
            "a",
            "a",
            "b",
            "b",
            "/",
            "*",
            "*",
            "$",
            "%61",
            "%2f",
            "%2F",
            "%2A",
            "%24",
            "%",
            "%4",
            "?",
            "\u{e9}",
            "%C3%a9",
            "~",
            "%7e",
            "|",
            "%7C",
            " ",
            "robots.txt",
        ][..],
    );
    let body = prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat());
    (select(&["/", "/", "/", "/", "*", ""][..]), body, select(&["", "", "$"][..]))
        .prop_map(|(first, body, last)| format!("{first}{body}{last}"))
}

fn path() -> impl Strategy<Value = String> {
    let piece = select(
        &[
            "a",
            "a",
            "b",
            "b",
            "/",
            "*",
            "$",
            "%61",
            "%2f",
            "/a",
            "/b",
            "%2a",
            "%24",
            "%",
            "%5",
            "?",
            "\u{e9}",
            "%c3%A9",
            "~",
            "|",
            "#",
            "robots.txt",
        ][..],
    );
    (select(&["/", "/", "/", ""][..]), prop::collection::vec(piece, 0..9))
        .prop_map(|(first, pieces)| format!("{first}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_verdict_is_that_of_the_oracle(
        bom in select(&["", "", "", "\u{feff}"][..]),
        lines in prop::collection::vec(line(), 0..14),
        paths in prop::collection::vec(path(), 1..6),
    ) {
        let file = [bom.as_bytes(), &lines.concat()].concat();
        let robots = Robots::parse(&file);
        for agent in ["a", "B", "*", "ab", "other"] {
            let (rules, oracle) = (robots.rules(agent), Oracle::new(&file, agent));
            prop_assert_eq!(rules.crawl_delay(), oracle.delay, "{}", agent);
            for path in &paths {
                prop_assert_eq!(rules.allows(path), oracle.allows(path), "{} {}", agent, path);
            }
        }
        prop_assert_eq!(robots.sitemaps(), oracle::sitemaps(&file));
    }

    #[test]
    fn of_many_rules_of_one_group_the_oracle_finds_the_same(
        rules in prop::collection::vec((any::<bool>(), pattern()), 60..140),
        paths in prop::collection::vec(path(), 1..12),
    ) {
        let mut file = String::from("User-agent: *\n");
        for (allow, pattern) in &rules {
            file += &format!("{}: {pattern}\n", if *allow { "Allow" } else { "Disallow" });
        }
        let rules = Robots::parse(file.as_bytes()).rules("x");
        let oracle = Oracle::new(file.as_bytes(), "x");
        for path in &paths {
            prop_assert_eq!(rules.allows(path), oracle.allows(path), "{}", path);
        }
    }

    #[test]
    fn one_pattern_matches_as_the_oracle_says(pattern in "/[ab*/]{0,10}[$]?", path in "/[ab/]{0,14}") {
        let file = format!("User-agent: *\nDisallow: {pattern}\n");
        let allowed = Robots::parse(file.as_bytes()).rules("x").allows(&path);
        prop_assert_eq!(allowed, Oracle::new(file.as_bytes(), "x").allows(&path));
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_path_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), path in ".*") {
        let robots = Robots::parse(&bytes);
        let _ = robots.rules("x").allows(&path);
    }

    #[test]
    fn no_text_of_fields_panics(
        lines in "((user-agent|allow|disallow|crawl-delay|sitemap)[ :]{0,2}[^\n]{0,9}\n){0,9}",
        path in ".*",
    ) {
        let robots = Robots::parse(lines.as_bytes());
        let _ = (robots.rules("*").allows(&path), robots.rules("*").crawl_delay());
    }

    #[test]
    fn escaping_a_path_changes_nothing(path in "/[ab*$%é/]{0,8}", pattern in "/[ab*é/]{0,4}[$]?") {
        let escaped: String = path
            .bytes()
            .map(|b| if b == b'/' { "/".to_owned() } else { format!("%{b:02x}") })
            .collect();
        // A `%` that happens to begin an escape already is one; leave those out.
        prop_assume!(!path.contains("%a") && !path.contains("%b"));
        let file = format!("User-agent: *\nDisallow: {pattern}\n");
        let rules = Robots::parse(file.as_bytes()).rules("x");
        prop_assert_eq!(rules.allows(&path), rules.allows(&escaped));
    }
}
