//! How lines are written, and what is made of careless ones (RFC 9309, section 2.2).

use super::{check, check_file};
use crate::{MAX_BYTES, Robots};

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
fn a_line_is_read_or_left_out_whole() {
    for (line, is_read) in [
        ("dISALLOW:/x", true),
        ("\tDisallow\t:\t/x\t", true),
        ("Disallow /x#y", true),
        ("Disallow\t/x", true),
        ("disallaw /x", true),
        ("site-map: /x", false),
        ("Disallow /x /y", false),
        ("Disallow/x", false),
        ("Disallow = /x", false),
        ("Disallow; /x", false),
        ("- Disallow: /x", false),
        ("Disallow:: /x", false),
        ("Dis-allow: /x", false),
        ("Disallows: /x", false),
        ("# Disallow: /x", false),
        ("Dis#allow: /x", false),
        ("Disallow: #/x", false),
        ("<p>Disallow: /x</p>", false),
        ("Disallow: x", false),
        ("Disallow: http://h/x", false),
    ] {
        check(line, "/x", !is_read);
    }
}

#[test]
fn blanks_within_a_value_belong_to_it() {
    check("Disallow: /a b", "/a%20b", false);
    check("Disallow: /a b", "/a", true);
    check("Disallow: /a  # b", "/a", false);
    check("Disallow: /a\u{a0}", "/a", true);
    check("Disallow: /a\u{a0}", "/a%C2%A0", false);
}

#[test]
fn a_byte_order_mark_is_one_only_at_the_beginning() {
    check_file("\u{feff}User-agent: *\nDisallow: /x", "a", "/x", false);
    check_file("\u{feff}\u{feff}User-agent: *\nDisallow: /x", "a", "/x", true);
    check_file("User-agent: *\n\u{feff}Disallow: /x", "a", "/x", true);
}

#[test]
fn lines_may_end_in_any_mixture() {
    for (file, path, allowed) in [
        ("User-agent: *\rDisallow: /x\r\nAllow: /x/y\n\rDisallow: /z", "/x", false),
        ("User-agent: *\rDisallow: /x\r\nAllow: /x/y\n\rDisallow: /z", "/x/y", true),
        ("User-agent: *\rDisallow: /x\r\nAllow: /x/y\n\rDisallow: /z", "/z", false),
        ("User-agent: *\r\r\r\nDisallow: /x", "/x", false),
        ("User-agent: *\u{2028}Disallow: /x", "/x", true),
        ("User-agent: *\u{b}\nDisallow: /x\u{c}", "/x", false),
    ] {
        check_file(file, "a", path, allowed);
    }
}

#[test]
fn invalid_utf8_in_a_name_leaves_the_group_before_it_open() {
    let robots = Robots::parse(b"User-agent: a\nDisallow: /1\nUser-agent: \xff\nDisallow: /2\n");
    assert!(!robots.rules("a").allows("/1") && !robots.rules("a").allows("/2"));
    let robots = Robots::parse(b"\xff\nUser-agent: a\n\xc3\nDisallow: /\xe9\nDisallow: /2");
    assert!(!robots.rules("a").allows("/2") && robots.rules("a").allows("/%E9"));
}
