//! URLs by the URL Standard, section by section: what `crawl url normalize` says of them.

mod agreement;
mod hosts;
mod standard;

use encoding_rs::Encoding;

use crate::links::resolve::Resolver;
use crate::plumbing::normalize;

const BASE: &str = "http://joe@h.test:81/a/b/c?q#f";

/// Cases of input, base and URL; the key is the URL.
#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    for &(input, base, expected) in cases {
        check_key(input, Some(base).filter(|base| !base.is_empty()), expected, expected);
    }
}

#[track_caller]
fn check_key(input: &str, base: Option<&str>, url: &str, key: &str) {
    let line = normalize(input, base);
    assert_eq!(line.input, input);
    assert_eq!(line.error, None, "{input:?} against {base:?}");
    assert_eq!(line.url.as_deref(), Some(url), "{input:?} against {base:?}");
    assert_eq!(line.key.as_deref(), Some(key), "{input:?} against {base:?}");
}

/// Cases of input and base that give no web URL, with a word of the error.
#[track_caller]
fn refuse(word: &str, cases: &[(&str, &str)]) {
    for &(input, base) in cases {
        let line = normalize(input, Some(base).filter(|base| !base.is_empty()));
        assert_eq!((line.url, line.key), (None, None), "{input:?} against {base:?}");
        let error = line.error.unwrap();
        assert!(error.contains(word), "{input:?} against {base:?}: {error}");
    }
}

#[test]
fn junk_around_and_breaks_inside_are_dropped() {
    check(&[
        ("  http://h/a  ", "", "http://h/a"),
        ("\0\u{1f} http://h/a\u{1}", "", "http://h/a"),
        ("\t\nhttp://h/a\r\n", "", "http://h/a"),
        ("ht\ntp:\t//h\r/a\tb", "", "http://h/ab"),
        ("http://h\t.test:8\n0\r81/", "", "http://h.test:8081/"),
        ("http://h/a/.\n./b", "", "http://h/b"),
        ("http://h/a/%\t2e/b", "", "http://h/a/b"),
        ("http://h/?a\nb#c", "", "http://h/?ab"),
        ("/\t/g", BASE, "http://g/"),
        (" \n ", BASE, "http://joe@h.test:81/a/b/c?q"),
        ("\u{b}x\u{b}y\u{c}", BASE, "http://joe@h.test:81/a/b/x%0By"),
        // Only C0 controls and the space are junk.
        ("\u{a0}x\u{3000}", BASE, "http://joe@h.test:81/a/b/%C2%A0x%E3%80%80"),
        ("\u{7f}", BASE, "http://joe@h.test:81/a/b/%7F"),
    ]);
}

#[test]
fn schemes_are_read_without_case_and_only_web_ones_count() {
    check(&[
        ("HTTP://h/", "", "http://h/"),
        ("hTTpS://h/", "", "https://h/"),
        ("http:h", "", "http://h/"),
        ("https:/h/x", "", "https://h/x"),
        ("http:///h/x", "", "http://h/x"),
        ("https:\\\\h\\x", "", "https://h/x"),
        ("http:/\\/\\h", "", "http://h/"),
        // No scheme, so relative.
        ("1http://x", BASE, "http://joe@h.test:81/a/b/1http://x"),
        ("h ttp://x", BASE, "http://joe@h.test:81/a/b/h%20ttp://x"),
        ("://x", BASE, "http://joe@h.test:81/a/b/://x"),
        ("./a:b", BASE, "http://joe@h.test:81/a/b/a:b"),
        ("?http://x", BASE, "http://joe@h.test:81/a/b/c?http://x"),
        ("http", BASE, "http://joe@h.test:81/a/b/http"),
    ]);
    refuse(
        "scheme `",
        &[
            ("ftp://h/", ""),
            ("ws://h/", ""),
            ("wss://h/", BASE),
            ("mailto:a@b", BASE),
            (" JavaScript:alert(1)", BASE),
            ("data:text/html,<p>", ""),
            ("file:///etc/passwd", BASE),
            ("about:blank", ""),
            ("h.test:80/x", BASE),
            ("x+y-z.1:", ""),
            ("blob:http://h/1", ""),
            ("view-source:http://h/", ""),
        ],
    );
    refuse("without a base", &[("", ""), ("/x", ""), ("//h/", ""), ("h.test", ""), ("#x", "")]);
}

#[test]
fn references_are_resolved_against_their_base() {
    check(&[
        ("", BASE, "http://joe@h.test:81/a/b/c?q"),
        ("#x", BASE, "http://joe@h.test:81/a/b/c?q"),
        ("?", BASE, "http://joe@h.test:81/a/b/c?"),
        ("?x#y", BASE, "http://joe@h.test:81/a/b/c?x"),
        ("x", BASE, "http://joe@h.test:81/a/b/x"),
        ("x/", BASE, "http://joe@h.test:81/a/b/x/"),
        (".", BASE, "http://joe@h.test:81/a/b/"),
        ("./", BASE, "http://joe@h.test:81/a/b/"),
        ("..", BASE, "http://joe@h.test:81/a/"),
        ("../x?y", BASE, "http://joe@h.test:81/a/x?y"),
        ("../..", BASE, "http://joe@h.test:81/"),
        ("../../../../x", BASE, "http://joe@h.test:81/x"),
        ("./.././x/./y/../z", BASE, "http://joe@h.test:81/a/x/z"),
        ("..//x", BASE, "http://joe@h.test:81/a//x"),
        (".//x", BASE, "http://joe@h.test:81/a/b//x"),
        ("..x/...", BASE, "http://joe@h.test:81/a/b/..x/..."),
        ("/", BASE, "http://joe@h.test:81/"),
        ("/x/../y", BASE, "http://joe@h.test:81/y"),
        ("\\x\\..\\y", BASE, "http://joe@h.test:81/y"),
        ("..\\x", BASE, "http://joe@h.test:81/a/x"),
        ("/../?x", BASE, "http://joe@h.test:81/?x"),
        ("x", "http://h", "http://h/x"),
        ("?x", "https://h", "https://h/?x"),
        ("../x", "http://h/a//", "http://h/a/x"),
        ("x", "http://h/?a/b", "http://h/x"),
        ("x", "http://h/a#/b/", "http://h/x"),
        ("x?y", "http://h/a;p=1/b", "http://h/a;p=1/x?y"),
        // The same scheme without slashes is relative, another one is not.
        ("http:x", "http://h/a/b", "http://h/a/x"),
        ("HTTP:", "http://h/a/b?q", "http://h/a/b?q"),
        ("http:?x", "http://h/a/b", "http://h/a/b?x"),
        ("http:/x", "http://h/a/b", "http://h/x"),
        ("http:\\x", "http://h/a/b", "http://h/x"),
        ("http:../x", "http://h/a/b", "http://h/x"),
        ("https:x", "http://h/a/b", "https://x/"),
        ("https:/x/y", "http://h/a/b", "https://x/y"),
    ]);
    refuse("empty host", &[("https:", "http://h/a"), ("http:", ""), ("https:?x", "http://h/")]);
}

#[test]
fn any_number_of_slashes_leads_to_the_host() {
    check(&[
        ("//g", BASE, "http://g/"),
        ("//g/x", "https://h/", "https://g/x"),
        ("///g/x", BASE, "http://g/x"),
        ("////////g", BASE, "http://g/"),
        ("\\\\g", BASE, "http://g/"),
        ("/\\g", BASE, "http://g/"),
        ("\\/\\g/x", BASE, "http://g/x"),
        ("http:\\\\g", BASE, "http://g/"),
        ("http:////g", BASE, "http://g/"),
        ("//g?x", BASE, "http://g/?x"),
        ("//g#x", BASE, "http://g/"),
        ("//g\\x", BASE, "http://g/x"),
        // The base's own authority, and one that only begins with it.
        ("//h.test/x", "http://h.test/", "http://h.test/x"),
        ("//h.test", "http://h.test/a", "http://h.test/"),
        ("//h.tests", "http://h.test/a", "http://h.tests/"),
        ("//h.test:80/", "http://h.test/a", "http://h.test/"),
        ("//h.test:8080/", "http://h.test:80/a", "http://h.test:8080/"),
        ("https://h.test", "http://h.test/a", "https://h.test/"),
        ("//h.test@g", "http://h.test/a", "http://h.test@g/"),
    ]);
    refuse(
        "empty host",
        &[("//", BASE), ("///", BASE), ("//?x", BASE), ("http://#", ""), ("http:/", "")],
    );
}

#[test]
fn credentials_are_escaped_and_kept() {
    check(&[
        ("http://joe@h/", "", "http://joe@h/"),
        ("http://joe:pw@h/", "", "http://joe:pw@h/"),
        ("http://joe:@h/", "", "http://joe@h/"),
        ("http://:pw@h/", "", "http://:pw@h/"),
        ("http://@h/", "", "http://h/"),
        ("http://:@h/", "", "http://h/"),
        ("http://a:b:c@h/", "", "http://a:b%3Ac@h/"),
        ("http://a@b@h/", "", "http://a%40b@h/"),
        ("http://a:b@c:d@h/", "", "http://a:b%40c%3Ad@h/"),
        ("http://@@h/", "", "http://%40@h/"),
        ("http://é ;=[]^|'$,@h/", "", "http://%C3%A9%20%3B%3D%5B%5D%5E%7C'$,@h/"),
        ("http://`{}\"<>@h", "", "http://%60%7B%7D%22%3C%3E@h/"),
        ("http://a%zz@h/", "", "http://a%zz@h/"),
        ("http://h/@x", "", "http://h/@x"),
        ("http://h?a@b", "", "http://h/?a@b"),
    ]);
    refuse(
        "empty host",
        &[("http://joe@", ""), ("http://joe@/x", ""), ("http://@?x", ""), ("http://a:b@:80", "")],
    );
}

#[test]
fn paths_lose_their_dots_and_escape_what_they_must() {
    check(&[
        ("http://h/a/./b/../c", "", "http://h/a/c"),
        ("http://h/a/..", "", "http://h/"),
        ("http://h/a/.", "", "http://h/a/"),
        ("http://h/..", "", "http://h/"),
        ("http://h/../../a", "", "http://h/a"),
        ("http://h/a//../b", "", "http://h/a/b"),
        ("http://h//..//b", "", "http://h//b"),
        ("http://h//", "", "http://h//"),
        ("http://h/a/%2e%2E/b/%2E./c/.%2e/%2e", "", "http://h/"),
        ("http://h/.../a./..b", "", "http://h/.../a./..b"),
        ("http://h/a/..;/b", "", "http://h/a/..;/b"),
        // Drive letters mean nothing here.
        ("http://h/C:/../x", "", "http://h/x"),
        ("../../..", "http://h/C:/a/b", "http://h/"),
        ("/c|/..", "http://h/", "http://h/"),
        ("http://h/ \"<>`#", "", "http://h/%20%22%3C%3E%60"),
        ("http://h/a^b{c}", "", "http://h/a%5Eb%7Bc%7D"),
        ("http://h/|[]'!$&()*+,;=:@~_-", "", "http://h/|[]'!$&()*+,;=:@~_-"),
        ("http://h/%", "", "http://h/%"),
        ("http://h/%zz%4", "", "http://h/%zz%4"),
        ("http://h/é本\u{10ffff}", "", "http://h/%C3%A9%E6%9C%AC%F4%8F%BF%BF"),
        ("http://h/\0\u{1f}\u{7f}x", "", "http://h/%00%1F%7Fx"),
        ("http://h\\a\\b", "", "http://h/a/b"),
        ("http://h/a\\..\\b", "", "http://h/b"),
        ("http://h/%5C..%5Cb", "", "http://h/%5C..%5Cb"),
        ("http://h/%2F../b", "", "http://h/%2F../b"),
        ("http://h/%252e%252e/b", "", "http://h/%252e%252e/b"),
    ]);
    check_key("http://h/a%2E%2e/..x/", None, "http://h/a%2E%2e/..x/", "http://h/a../..x/");
}

#[test]
fn queries_escape_less_and_fragments_go() {
    check(&[
        ("http://h?", "", "http://h/?"),
        ("http://h?#", "", "http://h/?"),
        ("http://h/?a?b/../c", "", "http://h/?a?b/../c"),
        ("http://h/?\\\\`^{|}[]", "", "http://h/?\\\\`^{|}[]"),
        ("http://h/? \"'<>", "", "http://h/?%20%22%27%3C%3E"),
        ("http://h/?é=本", "", "http://h/?%C3%A9=%E6%9C%AC"),
        ("http://h/?\u{7f}\u{1}x", "", "http://h/?%7F%01x"),
        ("http://h/?a=b&c+d%zz", "", "http://h/?a=b&c+d%zz"),
        ("http://h/#a?b", "", "http://h/"),
        ("http://h#a#b", "", "http://h/"),
        ("http://h/a#/../b", "", "http://h/a"),
    ]);
}

#[test]
fn fragments_are_kept_where_links_are_shown() {
    let resolver = Resolver::parse("http://h/a?q", encoding_rs::UTF_8).unwrap();
    for (href, expected) in [
        ("#", "http://h/a?q#"),
        ("#x y", "http://h/a?q#x%20y"),
        ("#\"<>`'{}^|\\?#é", "http://h/a?q#%22%3C%3E%60'{}^|\\?#%C3%A9"),
        ("#\0\n\u{7f}z", "http://h/a?q#%00%7Fz"),
        ("b#%41", "http://h/b#%41"),
    ] {
        assert_eq!(resolver.resolve_text(href).as_deref(), Some(expected), "{href:?}");
    }
}

#[test]
fn a_base_may_be_any_absolute_url() {
    check(&[
        ("http://h/x", "file:///a/b", "http://h/x"),
        ("http:h", "file:///a/b", "http://h/"),
        ("http:h", "ftp://g/", "http://h/"),
        ("https://h", "mailto:a@b", "https://h/"),
        ("http://h", "data:,x", "http://h/"),
        ("x", " HTTP://H:80/a/../b\t", "http://h/x"),
        ("x", "http:h", "http://h/x"),
        ("x", "http:///h/a/", "http://h/a/x"),
    ]);
    refuse("scheme `file`", &[("x", "file:///a/b"), ("//h/x", "file:///a/b")]);
    refuse("scheme `ws`", &[("//h/x", "ws://g/")]);
    refuse("scheme `mailto`", &[("#x", "mailto:a@b")]);
    refuse("not a URL", &[("x", "mailto:a@b"), ("//h/", "data:,x"), ("", "about:blank")]);
    // Even if the input would do without: the standard parses the base first.
    refuse(
        "base: ",
        &[("http://h/", "x"), ("http://h/", "http://"), ("x", "//h/"), ("x", "ws://[")],
    );
}

#[test]
fn keys_unify_spellings_and_nothing_else() {
    for (input, url, key) in [
        ("http://h/%7Ejoe", "http://h/%7Ejoe", "http://h/~joe"),
        ("http://h/%41%5a%61%7a%30%39%2d%2E%5f%7e", "", "http://h/AZaz09-._~"),
        ("http://h/%c3%a9", "", "http://h/%C3%A9"),
        ("http://h/é%c3%A9", "http://h/%C3%A9%c3%A9", "http://h/%C3%A9%C3%A9"),
        ("http://h/a%2fb%2F", "", "http://h/a%2Fb%2F"),
        ("http://h/%3f%23%5b%5c", "", "http://h/%3F%23%5B%5C"),
        ("http://h/%21%24%2a%3b", "", "http://h/%21%24%2A%3B"),
        ("http://h/?%7e=%2b%26", "", "http://h/?~=%2B%26"),
        ("http://%6aoe:p%3a%77@h/", "", "http://joe:p%3Aw@h/"),
        ("http://h/%2e%2e%2e", "", "http://h/..."),
        ("http://h/%2e%2e;x/", "", "http://h/..;x/"),
        ("http://h/%252e", "", "http://h/%252e"),
        ("http://h/%25%32%65", "", "http://h/%252e"),
        ("http://h/a/%%32%65%2e/b", "", "http://h/a/%%32e./b"),
        ("http://h/a/%2%65/b", "", "http://h/a/%2%65/b"),
        ("http://h/%%7e%7", "", "http://h/%~%7"),
        ("http://h/a#%7e", "http://h/a", "http://h/a"),
    ] {
        let url = if url.is_empty() { input } else { url };
        check_key(input, None, url, key);
        check_key(key, None, key, key);
    }
}

#[test]
fn queries_are_encoded_as_the_document_is() {
    for (label, href, expected) in [
        ("windows-1252", "é?é#é", "http://h/%C3%A9?%E9#%C3%A9"),
        ("windows-1252", "?€'<", "http://h/?%80%27%3C"),
        ("windows-1251", "?мир", "http://h/?%EC%E8%F0"),
        ("windows-1252", "?本x", "http://h/?%26%2326412%3Bx"),
        ("shift_jis", "?本a", "http://h/?%96{a"),
        ("euc-kr", "?한", "http://h/?%C7%D1"),
        ("gb18030", "?\u{10ffff}", "http://h/?%E32%9A5"),
        ("big5", "?中", "http://h/?%A4%A4"),
        // Stateful: one run of Japanese, whatever breaks are dropped from it.
        ("iso-2022-jp", "?日本", "http://h/?%1B$BF|K\\%1B(B"),
        ("iso-2022-jp", "?日\n本", "http://h/?%1B$BF|K\\%1B(B"),
        ("utf-16be", "?é", "http://h/?%C3%A9"),
        ("x-user-defined", "?\u{f7e9}", "http://h/?%E9"),
    ] {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let resolver = Resolver::parse("http://h/", encoding).unwrap();
        assert_eq!(resolver.resolve_text(href).as_deref(), Some(expected), "{label} {href}");
    }
}

#[test]
fn a_line_is_written_with_its_fields_in_order() {
    let json = |line| serde_json::to_string(&line).unwrap();
    assert_eq!(
        json(normalize("http://h/%7e#x", None)),
        r#"{"input":"http://h/%7e#x","url":"http://h/%7e","key":"http://h/~","error":null}"#
    );
    assert_eq!(
        json(normalize("x:y", None)),
        r#"{"input":"x:y","url":null,"key":null,"error":"scheme `x` is not http or https"}"#
    );
}

#[test]
fn monsters_take_linear_time() {
    let size = 100_000;
    for unit in [
        "/", "../", "a/../", "%2e/", "@", ":", "%", "%%32%65", "?", "#", "\t", "é", "[", "\\",
        "é.", "a.", "1.", "xn--a.", "0x",
    ] {
        let monster = unit.repeat(size / unit.len());
        let (path, host) = (format!("http://h/{monster}"), format!("http://h{monster}"));
        for input in [&monster, &path, &host, &format!("?{monster}")] {
            assert_eq!(&normalize(input, Some(BASE)).input, input);
        }
        assert!(normalize("../../x", Some(&path)).url.is_some());
    }
    let long = format!("http://h/{}", "a".repeat(size));
    assert_eq!(normalize(&long, None).url, Some(long));
}
