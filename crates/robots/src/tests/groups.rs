//! Who is spoken to (RFC 9309, sections 2.1 and 2.2.1).

use super::check_file;
use crate::{Robots, product_token};

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
fn a_delay_before_a_later_name_of_its_group_is_said_to_that_one_too() {
    let delay = |file: &str, agent| Robots::parse(file.as_bytes()).rules(agent).crawl_delay();
    let file = "User-agent: a\nCrawl-delay: 1\nUser-agent: b\nDisallow: /x\nUser-agent: c\n";
    assert_eq!(
        (delay(file, "a"), delay(file, "b"), delay(file, "c")),
        (Some(1.0), Some(1.0), None)
    );
    check_file(file, "a", "/x", false);
    let parted = "User-agent: a\nCrawl-delay: 1\nDisallow:\nUser-agent: b\nDisallow: /x\n";
    assert_eq!((delay(parted, "a"), delay(parted, "b")), (Some(1.0), None));
}

#[test]
fn what_ends_a_run_of_names_and_what_does_not() {
    for (between, ends) in [
        ("Disallow: /y", true),
        ("Allow: /y", true),
        ("Disallow:", true),
        ("allow :", true),
        ("disalow /y", true),
        ("Disallow: # nothing", true),
        ("", false),
        ("# Disallow: /y", false),
        ("Sitemap: http://h/s", false),
        ("Crawl-delay: 3", false),
        ("Host: h", false),
        ("Noindex: /y", false),
        ("Disallowed: /y", false),
        ("Disallow", false),
        ("Disallow /y and /z", false),
        ("User-agent", false),
        (": /y", false),
        ("Dis allow: /y", false),
    ] {
        let file = format!("User-agent: a\n{between}\nUser-agent: b\nDisallow: /x\n");
        check_file(&file, "a", "/x", ends);
        check_file(&file, "b", "/x", false);
    }
}

#[test]
fn an_agent_is_found_by_its_whole_token() {
    for (line, agent, is_named) in [
        ("a", "A", true),
        ("A", "a", true),
        ("a/2.0", "a", true),
        ("a (compatible)", "a", true),
        ("a, b", "a", true),
        ("a, b", "b", false),
        ("a b", "b", false),
        ("a-b", "a", false),
        ("a", "a-b", false),
        ("a_b.c-1", "A_B.C-1", true),
        ("a*", "a", true),
        ("a*", "ab", false),
        ("bot", "mybot", false),
        ("/a", "a", false),
        ("\"a\"", "a", false),
        ("", "a", false),
        ("7", "7", true),
    ] {
        // Whoever is not named falls under `*`, which allows.
        check_file(&format!("User-agent: {line}\nDisallow: /\n"), agent, "/x", !is_named);
    }
}

#[test]
fn without_a_group_of_its_own_an_agent_is_ruled_by_the_star() {
    let file = "User-agent: *\nDisallow: /1\nUser-agent: a\nDisallow: /2\n\
                User-agent: b\nUser-agent: *\nDisallow: /3\n";
    for (agent, path, allowed) in [
        ("x", "/1", false),
        ("x", "/2", true),
        ("x", "/3", false),
        ("*", "/1", false),
        ("*", "/3", false),
        ("a", "/1", true),
        ("a", "/2", false),
        ("a", "/3", true),
        ("b", "/1", true),
        ("b", "/3", false),
    ] {
        check_file(file, agent, path, allowed);
    }
    check_file("User-agent: a\nDisallow: /\n", "*", "/", true);
    check_file("User-agent: * x\nDisallow: /\n", "b", "/", false);
    check_file("User-agent:\nDisallow: /\n", "b", "/", true);
    check_file("User-agent: *\nDisallow: /\nUser-agent:\nAllow: /\n", "b", "/", false);
}
