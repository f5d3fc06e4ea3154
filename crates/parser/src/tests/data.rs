//! JSON queries, rows of CSV, regular expressions.

use crawl_spider::SpiderError;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::data::csv::{Dialect, Rows, delimiter};
use crate::data::{json, pattern};
use crate::{TestPage, page_from_body};

fn page(content_type: &str, body: impl AsRef<[u8]>) -> TestPage {
    page_from_body("http://h/", content_type, body).unwrap()
}

#[track_caller]
fn query(path: &str, expected: Value) {
    let value = json!({
        "shop": {"name": "Tea & Co", "open": true},
        "items": [
            {"id": 1, "name": "Assam", "price": 8.5, "tags": ["black", "india"]},
            {"id": 2, "name": "Sencha", "price": 12, "tags": ["green"]},
            {"id": 3, "name": "Mate", "price": null}
        ]
    });
    let found = json::query(&value, path).unwrap();
    assert_eq!(json!(found), expected, "{path}");
}

fn dialect(delimiter: u8, has_names: bool) -> Dialect {
    let names = (!has_names).then(std::sync::Arc::default);
    Dialect { delimiter, quote: b'"', names }
}

#[test]
fn json_paths_find_values_in_document_order() {
    query("$.shop.name", json!(["Tea & Co"]));
    query("$['shop']['open']", json!([true]));
    query("$.items[*].id", json!([1, 2, 3]));
    query("$.items[-1].name", json!(["Mate"]));
    query("$.items[0:2].id", json!([1, 2]));
    query("$.items[::-1].id", json!([3, 2, 1]));
    query("$..name", json!(["Tea & Co", "Assam", "Sencha", "Mate"]));
    query("$.items[?@.price > 10].name", json!(["Sencha"]));
    query("$.items[?@.tags].id", json!([1, 2]));
    query("$.items[?!@.tags].id", json!([3]));
    query("$.items[?@.price == null].id", json!([3]));
    query("$.items[?length(@.tags) == 2 || @.id == 3].id", json!([1, 3]));
    query("$.items[?count(@.tags[*]) == 1].id", json!([2]));
    query("$.items[?match(@.name, 'S.*')].id", json!([2]));
    query("$.items[?search(@.name, 'a')].id", json!([1, 2, 3]));
    query("$.items[?value(@..id) == 2].name", json!(["Sencha"]));
    query("$.items[0,2]['id','name']", json!([1, "Assam", 3, "Mate"]));
    query("$.nothing", json!([]));
    query("$.shop.*", json!(["Tea & Co", true]));
}

#[test]
fn wrong_json_paths_say_what_is_wrong() {
    let value = Value::Null;
    let deep = format!("$[?{}@.a{}]", "(".repeat(1000), ")".repeat(1000));
    let nested = format!("$[?@{}", "[?@.b||@".repeat(1000));
    let long = format!("$.{}", "a".repeat(5000));
    for path in ["", "a", "$.", "$[", "$[?@.a", "$..", " $", "$[?nope(@)]", &deep, &nested, &long] {
        let error = json::query(&value, path).unwrap_err().to_string();
        assert!(error.contains("is not a JSONPath: ") && !error.contains('\n'), "{error}");
    }
    // Brackets and quotes in strings do not count.
    assert!(json::query(&value, "$['[[[[[[[[((((\\'[[[[[[']").is_ok());
}

#[test]
fn pages_answer_json_paths() {
    let test = page("application/json", br#"{"a":[{"b":1},{"b":2}]}"#);
    assert_eq!(test.page().json_path("$.a[*].b").unwrap(), [&json!(1), &json!(2)]);
    assert!(matches!(test.page().json_path("$["), Err(SpiderError::Query(_))));
    assert!(test.page().links().is_empty());
    let broken = page("application/json", b"{\"a\":");
    assert!(matches!(broken.page().json_path("$"), Err(SpiderError::Json(_))));
    // What nests deeper than 128 levels is refused, not followed.
    let deep = page("application/json", "[".repeat(1_000_000));
    let error = deep.page().json_path("$..*").unwrap_err().chain();
    assert!(error.contains("recursion limit"), "{error}");
    let fine = page("application/json", format!("{}{}", "[".repeat(127), "]".repeat(127)));
    assert_eq!(fine.page().json_path("$..*").unwrap().len(), 126);
}

#[track_caller]
fn rows(text: &str, expected: Value) {
    let rows = Rows::new(text, dialect(delimiter(text), true));
    let rows: Vec<Value> = rows.map(|row| serde_json::to_value(row.unwrap()).unwrap()).collect();
    assert_eq!(Value::Array(rows), expected, "{text:?}");
}

#[test]
fn rows_have_the_names_of_the_first() {
    rows("a,b\n1,2\n3,4\n", json!([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]));
    rows("a,b\r\n1,2", json!([{"a": "1", "b": "2"}]));
    rows("a\tb\n1\t2,5", json!([{"a": "1", "b": "2,5"}]));
    rows("a;b\n1,5;2,5\n3,5;4,5", json!([{"a": "1,5", "b": "2,5"}, {"a": "3,5", "b": "4,5"}]));
    rows("a|b\n1|2", json!([{"a": "1", "b": "2"}]));
    rows("a\n1\n\n2", json!([{"a": "1"}, {"a": "2"}]));
    rows("a,b\n\"x, \"\"y\"\"\nz\",2", json!([{"a": "x, \"y\"\nz", "b": "2"}]));
    rows("a,b\n1\n1,2,3", json!([{"a": "1"}, {"a": "1", "b": "2", "column_3": "3"}]));
    rows("a,a,,b\n1,2,3,4", json!([{"a": "1", "a_2": "2", "column_3": "3", "b": "4"}]));
    rows("a,a_2,a\n1,2,3", json!([{"a": "1", "a_2": "2", "a_3": "3"}]));
    rows("a,b\n5\" pipe,\"open\n1,2", json!([{"a": "5\" pipe", "b": "open\n1,2"}]));
    rows("é,中\nü,文", json!([{"é": "ü", "中": "文"}]));
    rows("", json!([]));
    rows("a,b", json!([]));
}

#[test]
fn the_delimiter_is_the_one_that_fits_most_rows() {
    for (text, expected) in [
        ("a,b;c\n1,2;3\n4,5", b','),
        ("\"a;b;c\",d\n\"1;2\",3", b','),
        ("a;b,c\n1;2\n3;4\n5;6", b';'),
        ("a b c\n1 2 3", b','),
        ("one\ttwo, three\n1\t2", b'\t'),
        ("a|b\n1,2|3\n4|5", b'|'),
        ("x\n1,2,3", b','),
    ] {
        assert_eq!(char::from(delimiter(text)), char::from(expected), "{text:?}");
    }
}

#[test]
fn pages_give_rows() {
    let test = page("text/csv; charset=iso-8859-1", b"name,price\ncaf\xe9,2\n");
    let rows: Vec<_> = test.page().csv().map(Result::unwrap).collect();
    assert_eq!(
        (rows[0].get("name"), rows[0].at(1), rows[0].get("x")),
        (Some("café"), Some("2"), None)
    );
    let test = page("text/tab-separated-values", "a,b,c\td\n1\t2");
    assert_eq!(test.page().csv().next().unwrap().unwrap().get("a,b,c"), Some("1"));
    let test = page("text/csv; header=absent", "1,2\n3,4");
    let rows: Vec<_> = test.page().csv().map(Result::unwrap).collect();
    assert_eq!(json!(rows[1]), json!({"column_1": "3", "column_2": "4"}));
}

#[test]
fn a_row_of_a_million_columns_is_an_error() {
    let text = format!("a,b\n1,2\n{}\n3,4", ",".repeat(1_000_000));
    let rows: Vec<_> = Rows::new(&text, dialect(b',', true)).collect();
    assert_eq!(rows.len(), 2);
    let error = rows[1].as_ref().unwrap_err().to_string();
    assert_eq!(error, "row 3 of the CSV has more than 16384 columns");
    let names = ",".repeat(16_383);
    let mut rows = Rows::new(&names, dialect(b',', false));
    assert_eq!(rows.next().unwrap().unwrap().len(), 16_384);
}

#[track_caller]
fn find(pattern: &str, text: &str, expected: &[&str]) {
    assert_eq!(pattern::find(pattern, text, usize::MAX).unwrap(), expected, "{pattern}");
}

#[test]
fn patterns_give_groups_or_whole_matches() {
    find(r"\d+", "a 1 b 22", &["1", "22"]);
    find(r"(\d)-(\w)", "1-a 2-b", &["1", "a", "2", "b"]);
    find(r"(\d)(x)?", "1x 2", &["1", "x", "2", ""]);
    find(r"(?:\d)(\w)", "1a", &["a"]);
    find(r"(\w)=(?P<extract>\d)", "a=1 b=2", &["1", "2"]);
    find(r"é+", "éé", &["éé"]);
    find(r"x", "", &[]);
    assert_eq!(pattern::find(r"(\d)(\d)", "1234", 1).unwrap(), ["1", "2"]);
    for wrong in ["(", "[a", r"(?=x)", r"\1", "(?:a{1000}){1000}"] {
        let error = pattern::find(wrong, "", 1).unwrap_err().to_string();
        assert!(error.contains("` is not a regular expression: "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn nodes_are_searched_for_patterns() {
    let test = page("text/html", "<p>Price: <b>12</b>.50 EUR</p><p>Price: 3.00 USD</p><p>none</p>");
    let page = test.page();
    let nodes = page.css("p").unwrap();
    assert_eq!(nodes.re(r"[\d.]+").unwrap(), ["12.50", "3.00"]);
    assert_eq!(nodes.re(r"([\d.]+) (\w+)").unwrap(), ["12.50", "EUR", "3.00", "USD"]);
    assert_eq!(nodes.re_first(r"\d+ (\w+)").unwrap().as_deref(), Some("EUR"));
    assert_eq!(nodes.last().unwrap().re_first(r"\d").unwrap(), None);
    assert_eq!(nodes.first().unwrap().re(r"\d+").unwrap(), ["12", "50"]);
    assert!(matches!(nodes.re("("), Err(SpiderError::Query(_))));
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-c,;\t|\"\r\n\u{e9}]{0,80}") {
        for has_names in [false, true] {
            let rows = Rows::new(&text, dialect(delimiter(&text), has_names));
            for row in rows {
                let row = row.unwrap();
                prop_assert_eq!(row.iter().count(), row.len());
            }
        }
    }

    #[test]
    fn no_query_panics(path in "\\$([.\\[\\]?@()'\"a*:,!=<>&|0-9-]|length|match){0,20}") {
        let _ = json::query(&json!({"a": [1, {"a": 2}]}), &path);
        let _ = pattern::find(&path, "a1a", 2);
    }
}
