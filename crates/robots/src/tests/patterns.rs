//! Which rule wins, and what a pattern matches (RFC 9309, sections 2.2.2 and 2.2.3).

use super::{check, check_match};
use crate::Rules;
use crate::pattern::Pattern;

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
fn specificity_counts_octets_in_one_spelling() {
    let octets = |text| Pattern::new(text).unwrap().octets;
    assert_eq!(octets("/%7Ea"), 3);
    assert_eq!(octets("/ツ"), 10);
    assert_eq!(octets("/a$b*c$"), 7);
    assert_eq!(octets("**/a***"), 7);
    assert_eq!(Pattern::new("**/a***b*").unwrap().text, b"*/a*b*");
}

#[test]
fn a_wildcard_is_any_run_of_octets() {
    for (pattern, path, matched) in [
        ("/a*", "/a", true),
        ("/a*", "/b", false),
        ("/*", "/", true),
        ("/*a", "/a", true),
        ("/*a", "/b", false),
        ("/*/", "/a/", true),
        ("/*/", "/a", false),
        ("/*/", "//", true),
        ("/a*b*c", "/abc", true),
        ("/a*b*c", "/a-b-c-d", true),
        ("/a*b*c", "/acb", false),
        ("/a*b*c", "/ab", false),
        ("/a*a", "/a", false),
        ("/a*a", "/aa", true),
        ("/*?", "/a?b", true),
        ("/*?", "/a", false),
        ("/*?*id=", "/p?x=1&id=2", true),
        ("/*?*id=", "/id=?", false),
        ("*a", "/ba", true),
        ("*a", "/b", false),
        ("**", "/", true),
        ("/ab*abc", "/ababc", true),
        ("/ab*abc", "/abab", false),
        ("*/*/*/", "/a/b/", true),
        ("*/*/*/", "/a/b", false),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn an_anchor_is_the_last_character_or_none() {
    for (pattern, path, matched) in [
        ("/a$", "/a", true),
        ("/a$", "/a?", false),
        ("/a$", "/ab", false),
        ("/a$", "/a#b", true),
        ("/a*$", "/a", true),
        ("/*a$", "/aba", true),
        ("/*a$", "/ab", false),
        ("/*ab*ab$", "/ab", false),
        ("/*ab*ab$", "/abab", true),
        ("/*ab*ab$", "/ab-ab-ab", true),
        ("*$", "/anything", true),
        ("$", "/", false),
        ("$", "/$", false),
        ("$*", "/$", false),
        ("/$", "/", true),
        ("/$", "/$", false),
        ("/$*", "/$a", true),
        ("/$*", "/a", false),
        ("/a$/b", "/a$/b/c", true),
        ("/a$/b", "/a", false),
        ("/a%24", "/a", false),
        ("/a%24", "/a$/b", true),
        ("/a%24$", "/a$", true),
        ("/a%24$", "/a$b", false),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn of_many_rules_the_most_specific_is_found() {
    for (rules, path, allowed) in [
        ("Disallow: /; Allow: /a; Disallow: /a/b; Allow: /a/b/c", "/", false),
        ("Disallow: /; Allow: /a; Disallow: /a/b; Allow: /a/b/c", "/a", true),
        ("Disallow: /; Allow: /a; Disallow: /a/b; Allow: /a/b/c", "/a/b", false),
        ("Disallow: /; Allow: /a; Disallow: /a/b; Allow: /a/b/c", "/a/b/c/d", true),
        ("Allow: /a/b/c; Disallow: /a/b; Allow: /a; Disallow: /", "/a/b/x", false),
        ("Allow: /a*c; Disallow: /abc", "/abc", true),
        ("Disallow: /a*c; Allow: /abc", "/abc", true),
        ("Disallow: /a**c; Allow: /abc", "/abc", false),
        ("Disallow: /*; Allow: /a", "/a", true),
        ("Disallow: /a*; Allow: /a", "/a", false),
        ("Disallow: /a$; Allow: /a", "/a", false),
        ("Disallow: /a$; Allow: /a", "/ab", true),
        ("Allow: /x; Disallow: /*/y", "/x/y", false),
        ("Allow: /x/z; Disallow: /*/y", "/x/z/y", true),
        ("Disallow: *; Allow: /", "/a", true),
        ("Disallow: /é; Allow: /*", "/é", false),
        ("Disallow: /%61%62; Allow: /abc", "/abc", true),
        ("Disallow: /%61%62%63; Allow: /abc", "/abc", true),
        ("Disallow: /b; Allow: /a", "/c", true),
        ("Disallow: /a; Disallow: /a; Allow: /a", "/a", true),
    ] {
        check(rules, path, allowed);
    }
}
