//! What the RFC, the wild and an opponent ask, in tables; and a naive oracle.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::pattern::Pattern;
use crate::{MAX_BYTES, Robots, Rules, product_token};

/// Checks `rules` (lines under one `User-agent: *`) against `path`.
#[track_caller]
fn check(rules: &str, path: &str, allowed: bool) {
    let rules = rules.replace("; ", "\n");
    let robots = Robots::parse(format!("User-agent: *\n{rules}\n").as_bytes());
    assert_eq!(robots.rules("bot").allows(path), allowed, "{rules:?} on {path:?}");
}

#[track_caller]
fn check_file(file: &str, agent: &str, path: &str, allowed: bool) {
    assert_eq!(Robots::parse(file.as_bytes()).rules(agent).allows(path), allowed, "{agent} {path}");
}

#[test]
fn the_longest_pattern_wins_and_allow_wins_ties() {
    check("Allow: /p; Disallow: /", "/page", true);
    check("Allow: /page; Disallow: /*.htm", "/page.htm", false);
    check("Allow: /page; Disallow: /*.ph", "/page.php5", true);
    check("Disallow: /folder; Allow: /folder", "/folder/page", true);
    check("Allow: /$; Disallow: /", "/", true);
    check("Allow: /$; Disallow: /", "/page.htm", false);
    // RFC 9309, section 5.2.
    check("Allow: /example/page/; Disallow: /example/page/disallowed.gif", "/example/page/", true);
    let gif = "/example/page/disallowed.gif";
    check("Allow: /example/page/; Disallow: /example/page/disallowed.gif", gif, false);
}

#[test]
fn what_no_pattern_matches_is_allowed() {
    check("Disallow: /x", "/y", true);
    check("Disallow:", "/y", true);
    check("Disallow:; Allow:; Disallow: /y", "/y", false);
    check("Disallow: fish", "/fish", true);
    check("Disallow: $", "/", true);
}

#[test]
fn robots_txt_itself_is_always_allowed() {
    check("Disallow: /", "/robots.txt", true);
    check("Disallow: /", "/robots.txts", false);
    assert!(Rules::disallow_all().allows("/robots.txt"));
    assert!(!Rules::disallow_all().allows("/"));
    assert!(Rules::allow_all().allows("/"));
}

#[test]
fn patterns_are_prefixes_with_wildcards_and_an_anchor() {
    for (pattern, path, matched) in [
        ("/fish", "/fish.html", true),
        ("/fish", "/Fish.asp", false),
        ("/fish*", "/fish/salmon.html", true),
        ("/fish/", "/fish", false),
        ("/fish/", "/fish/?id=anything", true),
        ("/*.php", "/folder/filename.php?parameters", true),
        ("/*.php", "/windows.PHP", false),
        ("/*.php$", "/filename.php", true),
        ("/*.php$", "/filename.php?parameters", false),
        ("/*.php$", "/a.php.php", true),
        ("/fish*.php", "/fishheads/catfish.php?x", true),
        ("*", "/anything", true),
        ("*/b", "/a/b", true),
        ("/a**b", "/axb", true),
        ("/a*$", "/abc", true),
        ("/ab*b$", "/ab", false),
        ("/a$b", "/a$bc", true),
        ("/a$b", "/ab", false),
        ("/a$$", "/a$", true),
        ("/a$$", "/a$b", false),
    ] {
        check(&format!("Disallow: {pattern}"), path, !matched);
    }
}

#[test]
fn any_spelling_of_a_path_gives_the_same_answer() {
    for (pattern, path, matched) in [
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%E3%83%84", "/foo/bar/ツ", true),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", true),
        ("/foo/bar/baz", "/foo/bar/%62%61%7a", true),
        ("/~joe", "/%7Ejoe", true),
        ("/a%3cd.html", "/a%3Cd.html", true),
        ("/a<d", "/a%3Cd", true),
        ("/a b", "/a%20b", true),
        ("/a|b", "/a%7cb", true),
        ("/100%", "/100%25", true),
        ("/a%2Fb", "/a/b", false),
        ("/a/b", "/a%2Fb", false),
        ("/a%2fb", "/a%2Fb.html", true),
        ("/star-%2A.html", "/star-*.html", true),
        ("/star-%2a.html", "/star-%2A.html", true),
        ("/star-%2A.html", "/star-x.html", false),
        ("/cost-%24", "/cost-$5", true),
        ("/cost-%24", "/cost-5", false),
        ("/s?q=", "/s?q=1", true),
        ("/s?q=", "/s%3Fq=1", false),
        ("/a", "a#b", true),
    ] {
        check(&format!("Disallow: {pattern}"), path, !matched);
    }
}

#[test]
fn specificity_counts_octets_in_one_spelling() {
    let octets = |text| Pattern::new(text).unwrap().octets;
    assert_eq!(octets("/%7Ea"), 3);
    assert_eq!(octets("/ツ"), 10);
    assert_eq!(octets("/a$b*c$"), 7);
    assert_eq!(octets("**/a***"), 7);
    assert_eq!(Pattern::new("**/a***b*").unwrap().text, b"*/a*b*");
}

#[test]
fn agents_are_compared_whole_and_in_any_case() {
    let file = "User-agent: FooBot/1.2 (x)\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n";
    check_file(file, "foobot", "/a", false);
    check_file(file, "FOOBOT", "/b", true);
    check_file(file, "foo", "/b", false);
    check_file(file, "foobot-news", "/b", false);
    check_file(file, "foobot-news", "/a", true);
    check_file(file, "*", "/b", false);
    check_file(file, "", "/b", false);
    check_file(file, "FooBot/9 (+https://example.org)", "/a", false);
    check_file("User-agent: a\nDisallow: /", "b", "/", true);
    check_file("User-agent: *bot\nDisallow: /", "b", "/", true);
    check_file("User-agent: * # all\nDisallow: /", "b", "/", false);
}

#[test]
fn tokens_end_at_the_first_foreign_character() {
    for (text, token) in [
        ("Bot/1.0", "Bot"),
        ("my-bot_2.0 x", "my-bot_2.0"),
        ("*", "*"),
        ("* x", "*"),
        ("*x", ""),
        ("", ""),
        ("/1", ""),
        ("bö", "b"),
    ] {
        assert_eq!(product_token(text), token, "{text:?}");
    }
}

#[test]
fn the_groups_of_an_agent_are_merged() {
    let file = "User-agent: a\nDisallow: /1\nUser-agent: b\nDisallow: /2\n\
                User-agent: a\nUser-agent: c\nDisallow: /3\nAllow: /1/x\n";
    for (agent, path, allowed) in [
        ("a", "/1", false),
        ("a", "/2", true),
        ("a", "/3", false),
        ("a", "/1/x", true),
        ("b", "/3", true),
        ("c", "/3", false),
        ("c", "/1", true),
    ] {
        check_file(file, agent, path, allowed);
    }
}

#[test]
fn a_group_without_rules_allows_all_to_its_agent() {
    let file = "User-agent: *\nDisallow: /\nUser-agent: a\nCrawl-delay: 2\n";
    check_file(file, "a", "/x", true);
    check_file(file, "b", "/x", false);
    assert_eq!(Robots::parse(file.as_bytes()).rules("a").crawl_delay(), Some(2.0));
    assert_eq!(Robots::parse(file.as_bytes()).rules("b").crawl_delay(), None);
}

#[test]
fn only_rules_end_a_run_of_user_agents() {
    let file = "User-agent: a\nSitemap: /s\nCrawl-delay: 1\nfoo: bar\n\nbroken\n\
                User-agent: b\nDisallow: /x\nCrawl-delay: 3\nSitemap: /t\nDisallow: /y\n";
    for agent in ["a", "b"] {
        check_file(file, agent, "/x", false);
        check_file(file, agent, "/y", false);
        assert_eq!(Robots::parse(file.as_bytes()).rules(agent).crawl_delay(), Some(3.0));
    }
}

#[test]
fn rules_before_any_user_agent_are_ignored() {
    let file = "Disallow: /\nCrawl-delay: 9\nUser-agent: a\nDisallow: /x\n";
    check_file(file, "a", "/y", true);
    assert_eq!(Robots::parse(file.as_bytes()).rules("a").crawl_delay(), None);
}

#[test]
fn careless_spelling_is_forgiven() {
    for line in [
        "disallow: /x",
        "DISALLOW\t:\t/x",
        "  Disallow:/x  ",
        "Disallow /x",
        "dissallow: /x",
        "dissalow: /x",
        "Disalow /x",
        "diasllow: /x",
        "disallaw: /x",
        "Disallow: /x # why",
        "Disallow: /x#why",
        "\u{c}Disallow: /x\0",
    ] {
        check(line, "/x", false);
    }
    check("Disallow /wiki/Special:Search", "/wiki/Special:Search", false);
    check("Disallow is / what we do", "/", true);
    check("Disallowed: /x", "/x", true);
    check("# Disallow: /x", "/x", true);
    for agent in ["useragent: a", "User Agent: a", "user agent a", "USER-AGENT a", "useragent a"] {
        check_file(&format!("{agent}\nDisallow: /x\n"), "a", "/x", false);
    }
}

#[test]
fn every_line_end_and_a_byte_order_mark_are_taken() {
    for end in ["\n", "\r", "\r\n"] {
        let file = ["\u{feff}User-agent: *", "Disallow: /x", "", "Allow: /x/y", ""].join(end);
        check_file(&file, "a", "/x", false);
        check_file(&file, "a", "/x/y", true);
    }
}

#[test]
fn invalid_utf8_spoils_only_its_own_line() {
    let robots = Robots::parse(
        b"User-agent: *\nDisallow: /\xff\nDisallow: /a\nDisallow: /b # caf\xe9\n\xfe\xfe\nAllow: /a/b",
    );
    let rules = robots.rules("x");
    assert!(rules.allows("/%FF") && rules.allows("/a/b"));
    assert!(!rules.allows("/a") && !rules.allows("/b"));
}

#[test]
fn a_crawl_delay_is_a_number_or_nothing() {
    for (text, delay) in [
        ("10", Some(10.0)),
        ("0.5", Some(0.5)),
        (" 2 # s", Some(2.0)),
        ("0", Some(0.0)),
        ("-0", Some(0.0)),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("ten", None),
        ("10s", None),
        ("", None),
        ("5\nCrawl-delay: x\nCrawl-delay: 3", Some(5.0)),
    ] {
        let file = format!("User-agent: *\nCrawl-delay: {text}\n");
        let found = Robots::parse(file.as_bytes()).rules("a").crawl_delay();
        assert_eq!(found, delay, "{text:?}");
        assert!(found.is_none_or(f64::is_sign_positive));
    }
}

#[test]
fn sitemaps_come_in_order_without_repeats() {
    let robots = Robots::parse(
        b"Sitemap: http://h/b\nUser-agent: a\nsite-map: http://h/a\nSITEMAP http://h/c\n\
          Sitemap: http://h/b\nSitemap:\n",
    );
    assert_eq!(robots.sitemaps(), ["http://h/b", "http://h/a", "http://h/c"]);
}

#[test]
fn anything_is_a_robots_txt() {
    for bytes in
        [&b""[..], b"<!DOCTYPE html>", b"\0\xff\n:\n::\n", b"User-agent", b"*", b"\xEF\xBB"]
    {
        let rules = Robots::parse(bytes).rules("a");
        assert!(rules.allows("/") && rules.allows("") && rules.allows("%"));
    }
}

#[test]
fn of_a_file_too_long_whole_lines_are_read() {
    let mut file = b"User-agent: *\nDisallow: /x\n#".to_vec();
    file.resize(MAX_BYTES - 12, b'-');
    file.extend_from_slice(b"\nDisallow: /only/this\nDisallow: /y\n");
    let rules = Robots::parse(&file).rules("a");
    assert!(!rules.allows("/x") && rules.allows("/z") && rules.allows("/y"));
    file.splice(MAX_BYTES.., *b"\nDisallow: /y\n");
    let rules = Robots::parse(&file).rules("a");
    assert!(!rules.allows("/z"), "the last line within the limit is whole");
    assert!(Robots::parse(&vec![b'x'; MAX_BYTES + 1]).rules("a").allows("/"));
}

#[test]
fn hostile_patterns_take_linear_time() {
    let pattern = format!("/{}x", "a*".repeat(50));
    let path = format!("/{}", "a".repeat(100_000));
    let rules = Robots::parse(format!("User-agent: *\nDisallow: {pattern}").as_bytes()).rules("a");
    let anchored = format!("User-agent: *\nDisallow: {pattern}$");
    let anchored = Robots::parse(anchored.as_bytes()).rules("a");
    let started = Instant::now();
    for _ in 0..20 {
        assert!(rules.allows(&path) && anchored.allows(&path));
    }
    // 2 MB of path at well under 1 GB/s; a quadratic match would take minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_file_full_of_wildcards_is_compiled_in_no_time() {
    let file = format!("User-agent: *\nDisallow: /{}\n", "*".repeat(MAX_BYTES - 40));
    let started = Instant::now();
    assert!(!Robots::parse(file.as_bytes()).rules("a").allows("/x"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Tries every way to spread the wildcards: exponential, and plainly right.
fn oracle(pattern: &[u8], path: &[u8]) -> bool {
    match pattern.split_first() {
        None => true,
        Some((b'$', [])) => path.is_empty(),
        Some((b'*', rest)) => (0..=path.len()).any(|n| oracle(rest, &path[n..])),
        Some((byte, rest)) => path.first() == Some(byte) && oracle(rest, &path[1..]),
    }
}

proptest! {
    #[test]
    fn matching_agrees_with_the_oracle(pattern in "/[ab*/]{0,8}[$]?", path in "/[ab/]{0,10}") {
        let file = format!("User-agent: *\nDisallow: {pattern}\n");
        let allowed = Robots::parse(file.as_bytes()).rules("x").allows(&path);
        prop_assert_eq!(allowed, !oracle(pattern.as_bytes(), path.as_bytes()));
    }

    #[test]
    fn the_verdict_is_that_of_the_longest_match(
        rules in prop::collection::vec((any::<bool>(), "/[ab*]{0,4}[$]?"), 0..6),
        path in "/[ab]{0,6}",
    ) {
        let mut file = String::from("User-agent: *\n");
        for (allow, pattern) in &rules {
            file += &format!("{}: {pattern}\n", if *allow { "Allow" } else { "Disallow" });
        }
        let expected = rules
            .iter()
            .filter(|(_, pattern)| oracle(pattern.as_bytes(), path.as_bytes()))
            .max_by_key(|(allow, pattern)| (pattern.len(), *allow))
            .is_none_or(|(allow, _)| *allow);
        prop_assert_eq!(Robots::parse(file.as_bytes()).rules("x").allows(&path), expected);
    }

    #[test]
    fn no_bytes_and_no_path_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), path in ".*") {
        let robots = Robots::parse(&bytes);
        let _ = robots.rules("x").allows(&path);
    }

    #[test]
    fn no_text_of_fields_panics(lines in "((user-agent|allow|disallow|crawl-delay|sitemap)[ :]{0,2}[^\n]{0,9}\n){0,9}", path in ".*") {
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
