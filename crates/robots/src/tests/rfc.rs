//! Cases by the sections of RFC 9309.

use super::{check, check_file, check_match};
use crate::Robots;

/// Section 2.1 and 5.1: groups of one, of two, and of none but a name.
const SIMPLE: &str = "User-agent: *\nDisallow: *.gif$\nDisallow: /drafts/\nAllow: /papers/\n\n\
    User-agent: onebot\nDisallow:/\nAllow:/drafts/open.html\nAllow:/drafts/open.gif\n\n\
    User-agent: twobot\nUser-agent: threebot\nDisallow: /drafts/open.html\n\n\
    User-agent: freebot\n\n# the end of it\n";

#[test]
fn section_2_1_each_group_speaks_to_its_own() {
    for (agent, path, allowed) in [
        ("anybot", "/", true),
        ("anybot", "/a.gif", false),
        ("anybot", "/a.gif?x", true),
        ("anybot", "/drafts/", false),
        ("anybot", "/drafts", true),
        ("anybot", "/papers/1", true),
        ("anybot", "/papers/1.gif", true),
        ("anybot", "/1.gif", false),
        ("onebot", "/", false),
        ("onebot", "/papers/1", false),
        ("onebot", "/drafts/open.html", true),
        ("onebot", "/drafts/open.gif", true),
        ("onebot", "/drafts/open", false),
        ("twobot", "/drafts/open.html", false),
        ("threebot", "/drafts/open.html", false),
        ("threebot", "/drafts/open.gif", true),
        ("twobot", "/a.gif", true),
        ("freebot", "/drafts/", true),
        ("freebot", "/a.gif", true),
    ] {
        check_file(SIMPLE, agent, path, allowed);
    }
}

#[test]
fn section_2_2_1_groups_of_one_agent_are_one() {
    let file = "user-agent: OneBot\ndisallow: /a\ndisallow: /b\n\n\
                user-agent: TwoBot\ndisallow: /d\n\nuser-agent: onebot\ndisallow: /c\n";
    for (agent, path, allowed) in [
        ("OneBot", "/a", false),
        ("OneBot", "/b", false),
        ("ONEBOT", "/c", false),
        ("onebot", "/d", true),
        ("twobot", "/a", true),
        ("twobot", "/d", false),
        ("otherbot", "/a", true),
        ("otherbot", "/d", true),
    ] {
        check_file(file, agent, path, allowed);
    }
}

#[test]
fn section_2_2_2_the_match_begins_with_the_first_octet_and_minds_case() {
    for (pattern, path, matched) in [
        ("/foo", "/foo", true),
        ("/foo", "/foobar", true),
        ("/foo", "/bar/foo", false),
        ("/foo", "/Foo", false),
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz", true),
        ("/foo/bar?baz=quz", "/foo/bar?baz=quzz", true),
        ("/foo/bar?baz=quz", "/foo/bar", false),
        ("/foo/bar?baz=http://foo.bar", "/foo/bar?baz=http://foo.bar", true),
        ("/foo/bar?baz=http%3A%2F%2Ffoo.bar", "/foo/bar?baz=http%3a%2f%2ffoo.bar", true),
        ("/foo/bar/\u{30C4}", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", true),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn section_2_2_2_the_most_octets_win_and_allow_wins_equals() {
    for (rules, path, allowed) in [
        ("Allow: /a/b/; Disallow: /a/b/c.gif", "/a/b/", true),
        ("Allow: /a/b/; Disallow: /a/b/c.gif", "/a/b/c.gif", false),
        ("Allow: /a/b/; Disallow: /a/b/c.gif", "/a/b/d.gif", true),
        ("Disallow: /a; Allow: /a", "/a", true),
        ("Allow: /a; Disallow: /a", "/a", true),
        ("Disallow: /a", "/b", true),
        ("Disallow:", "/b", true),
        ("Allow:; Disallow: /", "/b", false),
        ("Disallow: /", "/robots.txt", true),
        ("Disallow: /robots.txt", "/robots.txt", true),
    ] {
        check(rules, path, allowed);
    }
}

#[test]
fn section_2_2_3_special_characters() {
    for (pattern, path, matched) in [
        ("/this/path/exactly$", "/this/path/exactly", true),
        ("/this/path/exactly$", "/this/path/exactly/", false),
        ("/this/*/exactly", "/this/other/exactly", true),
        ("/this/*/exactly", "/this/a/b/exactly/c", true),
        ("/this/*/exactly", "/this/exactly", false),
        ("/x # to the end", "/x", true),
        ("/with-a-%2A.html", "/with-a-*.html", true),
        ("/with-a-%2A.html", "/with-a-b.html", false),
        ("/foo-%24", "/foo-$", true),
        ("/foo-%24", "/foo-", false),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn section_2_2_4_other_records_are_no_part_of_a_group() {
    let file = "User-agent: a\nSitemap: http://h/1\nDisallow: /x\nSitemap: http://h/2\n\
                Disallow: /y\nUser-agent: b\nSitemap: http://h/3\nDisallow: /z\n";
    check_file(file, "a", "/x", false);
    check_file(file, "a", "/y", false);
    check_file(file, "a", "/z", true);
    check_file(file, "b", "/z", false);
    let robots = Robots::parse(file.as_bytes());
    assert_eq!(robots.sitemaps(), ["http://h/1", "http://h/2", "http://h/3"]);
}
