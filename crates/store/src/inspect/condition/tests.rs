//! Conditions, whether they hold, and what is said of those that make no sense.

use serde_json::json;

use super::*;

#[track_caller]
fn check(row: &Value, cases: &[(&str, bool)]) {
    for (text, expected) in cases {
        assert_eq!(text.parse::<Condition>().unwrap().matches(row), *expected, "{text}");
    }
}

#[test]
fn fields_are_compared_as_numbers_or_as_texts() {
    let row = json!({"status": 404, "verdict": "http-error", "bytes": 900, "price": "12.50",
        "url": "http://u:p@shop.test:81/a?b", "n": 7, "gone": null, "new": false, "tags": ["a"]});
    check(
        &row,
        &[
            ("status=404", true),
            ("status=404.0", true),
            ("status=4xx and status!=5xx", true),
            ("status = 200 or bytes < 1000", true),
            ("bytes<=900 and bytes>=900 and not bytes>900", true),
            ("price>9 and price<100", true),
            ("verdict~error", true),
            ("verdict!~error", false),
            ("verdict>a", true),
            ("host=shop.test", true),
            ("host~shop and (n=8 or n=7)", true),
            ("not host~shop", false),
            ("none=1", false),
            ("none!=1", true),
            ("none", false),
            ("gone or new", false),
            ("tags and tags.0=a", true),
            ("n", true),
            ("'status'=\"404\"", true),
        ],
    );
}

#[test]
fn fields_are_found_in_objects_and_lists() {
    let row =
        json!({"a": {"b": [1, "two"]}, "x.y": true, "t": "long text", "and": 1, "q": "a\"b)"});
    check(
        &row,
        &[
            ("a.b.0=1", true),
            ("a.b.1~w", true),
            ("a.b.2=1", false),
            ("x.y=true", true),
            ("t~'g t'", true),
            ("t=long", false),
            ("and=1 and and=1", true),
            ("q='a\"b)'", true),
            (r#"q="a\"b)""#, true),
            ("t=\"long text\"and n or(x.y)", true),
        ],
    );
}

#[test]
fn what_is_not_known_yet_leaves_it_open_only_if_it_matters() {
    struct Some404;
    impl Row for Some404 {
        fn field(&self, name: &str) -> Field<'_> {
            if name == "status" { Field::Number(404.0) } else { Field::Unknown }
        }
    }
    for (text, expected) in [
        ("status=404", Some(true)),
        ("status=200 and title~x", Some(false)),
        ("status=404 and title~x", None),
        ("status=404 or title", Some(true)),
        ("not title", None),
        ("not (status=404 or title)", Some(false)),
    ] {
        assert_eq!(text.parse::<Condition>().unwrap().judge(&Some404), expected, "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_shown_where() {
    for (text, expected) in [
        ("", "a field's name"),
        ("=x", "a field's name"),
        ("a=1 and", "a field's name"),
        ("a=1 or or b", "a field's name"),
        ("a=", "a value"),
        ("(a=1", "`)`"),
        ("a='b", "a closing '"),
        ("t=long text", "`and`, `or` or the end"),
        ("a=1)", "`and`, `or` or the end"),
    ] {
        let error = text.parse::<Condition>().unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!("not ".repeat(1000).parse::<Condition>().unwrap_err().contains("within"));
    assert!(format!("{}a", "(".repeat(100_000)).parse::<Condition>().is_err());
}

#[test]
fn the_host_of_a_url_is_found() {
    for (url, host) in [
        ("http://h/", "h"),
        ("http://u:p@h:8/x?y@z", "h"),
        ("https://[::1]:4/", "[::1]"),
        ("http://h?x", "h"),
    ] {
        assert_eq!(host_of(url), Some(host));
    }
    assert_eq!(host_of("nothing"), None);
}

#[test]
fn a_condition_tells_between_which_numbers_it_can_hold() {
    let (least, most) = (f64::NEG_INFINITY, f64::INFINITY);
    for (text, expected) in [
        ("n>7", (7.0, most)),
        ("n>=7 and n<9 and host~x", (7.0, 9.0)),
        ("n=3 or n=5", (3.0, 5.0)),
        ("n=3 or host~x", (least, most)),
        ("not n<7", (least, most)),
        ("n<4 and (n>1 or n=0)", (0.0, 4.0)),
        ("bytes>7", (least, most)),
        ("n=4xx", (least, most)),
    ] {
        assert_eq!(text.parse::<Condition>().unwrap().range("n"), expected, "{text}");
    }
}
