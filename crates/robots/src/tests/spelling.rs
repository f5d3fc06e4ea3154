//! One path has many spellings (RFC 9309, section 2.2.2).

use super::{check, check_match};

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
fn what_means_something_else_stays_apart() {
    for (pattern, path, matched) in [
        ("/%3F", "/?", false),
        ("/?", "/%3f", false),
        ("/%3f", "/%3F", true),
        ("/%23", "/%23x", true),
        ("/%26", "/&", false),
        ("/&", "/&", true),
        ("/%3D", "/=", false),
        ("/%2B", "/+", false),
        ("/+", "/%20", false),
        ("/%252F", "/%2F", false),
        ("/%2561", "/a", false),
        ("/%2561", "/%61", false),
        ("/%2561", "/%2561", true),
        ("/%25", "/%", true),
        ("/%2", "/%2", true),
        ("/%2", "/%252", true),
        ("/%zz", "/%25zz", true),
        ("/%2a", "/*", true),
        ("/%2a", "/a", false),
        ("/*%2a$", "/a*", true),
        ("/A", "/a", false),
        ("/%41", "/A", true),
        ("/%41", "/a", false),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn characters_that_are_not_legal_are_taken_as_escaped() {
    for (pattern, path, matched) in [
        ("/a\"b", "/a%22b", true),
        ("/a%22b", "/a\"b", true),
        ("/a>b", "/a%3eb", true),
        ("/a\\b", "/a%5Cb", true),
        ("/a^b", "/a%5eb", true),
        ("/a`b", "/a%60b", true),
        ("/{a}", "/%7Ba%7D", true),
        ("/a\tb", "/a%09b", true),
        ("/\u{7f}x", "/%7Fx", true),
        ("/é", "/%C3%A9", true),
        ("/%c3%a9", "/é", true),
        ("/é", "/%E9", false),
        ("/é", "/e\u{301}", false),
        ("/\u{1F41F}", "/%F0%9F%90%9F", true),
        ("/%F0%9f", "/\u{1F41F}", true),
        ("/%FF", "/%ff", true),
        ("/-._~", "/%2D%2E%5F%7E", true),
        ("/!'()", "/!'()", true),
        ("/a:b@c;d,e=f", "/a:b@c;d,e=f", true),
    ] {
        check_match(pattern, path, matched);
    }
}

#[test]
fn a_fragment_is_no_part_of_what_is_asked() {
    for (pattern, path, matched) in [
        ("/a$", "/a#", true),
        ("/*b", "/a#b", false),
        ("/*b", "/a?x#b", false),
        ("/*b", "/a%23b", true),
        ("/a?", "/a#?", false),
        ("/$", "#x", true),
        ("/$", "", true),
        ("/?a", "?a", true),
    ] {
        check_match(pattern, path, matched);
    }
    check("Disallow: /", "/robots.txt#x", true);
    check("Disallow: /", "/%72obots.txt", true);
    check("Disallow: /", "/robots.txt?x", false);
    check("Disallow: /", "/Robots.txt", false);
    check("Disallow: /", "/a/robots.txt", false);
}
