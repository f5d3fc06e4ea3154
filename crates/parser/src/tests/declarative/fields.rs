//! Where fields stand, and what is made of them.

use crawl_spider::{Value, json};
use proptest::prelude::*;

use super::{config, run, run_on, wrong};
use crate::{ConfigSpider, TestPage, page_from_body, page_from_html};

const URL: &str = "http://shop.test/page-1.html";

fn html(body: &str) -> TestPage {
    page_from_html(URL, &format!("<!DOCTYPE html><title> The  Shop </title>{body}")).unwrap()
}

/// The one item of a page.
#[track_caller]
fn item(text: &str, page: &TestPage) -> Value {
    let items = run(text, page).0;
    assert_eq!(items.len(), 1, "{items:?}");
    items.into_iter().next().unwrap()
}

/// The items of a page that is not HTML.
#[track_caller]
fn items_of(text: &str, media_type: &str, body: &str) -> Vec<Value> {
    let spider = ConfigSpider::new(config(text)).unwrap();
    run_on(&spider, &page_from_body(URL, media_type, body).unwrap()).0
}

#[track_caller]
fn field(field: &str, body: &str, expected: &Value) {
    let text = format!("[[items]]\nfields.always = 'title'\nfields.x = {field}");
    assert_eq!(&item(&text, &html(body))["x"], expected, "{field}");
}

#[test]
fn steps_come_in_their_order() {
    let body = "<p class=a>  Rock &amp; Roll (new)*</p><p class=b>x, y ,,z</p><p class=b>q</p>\
                <i data-x='{\"a\": [1, {\"b\": \"c\"}], \"n\": null}'></i>\
                <script id=s>var data = {\"k\": [\"v\", \"w\"]};</script>";
    for (spec, expected) in [
        (
            "{ css = '.a', replace = [['\\s*\\(.*?\\)', '']], strip = '*', upper = true }",
            json!("ROCK & ROLL"),
        ),
        ("{ css = '.a', regex = '(\\w+) \\(', lower = true }", json!("roll")),
        (
            "{ css = '.a', replace = [['(\\w+) & (\\w+)', '$2 & $1'], ['Roll', 'R']] }",
            json!("R & Rock (new)*"),
        ),
        ("{ css = '.b', split = ',' }", json!(["x", "y", "z"])),
        ("{ css = '.b', all = true, split = ',' }", json!(["x", "y", "z", "q"])),
        ("{ css = '.b', all = true, split = ',', join = '|' }", json!("x|y|z|q")),
        ("{ css = '.b', all = true, join = ' + ' }", json!("x, y ,,z + q")),
        ("{ css = '.none', all = true, join = ' ' }", Value::Null),
        ("{ css = '.none', split = ',' }", json!([])),
        ("{ css = '.none', all = true, default = ['d'] }", json!(["d"])),
        ("{ css = 'i', attr = 'data-x', json = '$.a[1].b', upper = true }", json!("C")),
        ("{ css = 'i', attr = 'data-x', json = '$.a[0]' }", json!(1)),
        ("{ css = 'i', attr = 'data-x', json = '$.n' }", Value::Null),
        ("{ css = 'i', attr = 'data-x', type = 'json' }", json!({"a": [1, {"b": "c"}], "n": null})),
        ("{ css = '#s', regex = 'data = (.*);', json = '$.k[*]', all = true }", json!(["v", "w"])),
        (
            "{ css = '#s', regex = 'data = (.*);', json = '$.k', all = true, join = '/' }",
            json!("v/w"),
        ),
        ("{ css = '.a', json = '$.k' }", Value::Null),
        ("{ css = '.a', html = true, regex = '^<p' }", json!("<p")),
        ("{ const = { a = 1 } }", json!({"a": 1})),
        ("{ const = 'é' , upper = true }", json!("É")),
        ("{ meta = 'none', default = 7 }", json!(7)),
    ] {
        field(spec, body, &expected);
    }
}

#[test]
fn types_are_made_of_texts_and_of_json() {
    let json = r#"{"n": 1.0, "s": "12 kg", "t": true, "d": 1715965200, "u": "/b", "e": "", "l": [1, "2"]}"#;
    for (spec, expected) in [
        ("{ json = '$.n', type = 'integer' }", json!(1)),
        ("{ json = '$.s', type = 'integer' }", json!(12)),
        ("{ json = '$.s', type = 'number' }", json!(12)),
        ("{ json = '$.n' }", json!(1.0)),
        ("{ json = '$.n', type = 'text' }", json!("1.0")),
        ("{ json = '$.t' }", json!(true)),
        ("{ json = '$.t', type = 'bool' }", json!(true)),
        ("{ json = '$.s', type = 'bool' }", Value::Null),
        ("{ json = '$.d', type = 'date' }", json!("2024-05-17T17:00:00Z")),
        ("{ json = '$.u', type = 'url' }", json!("http://shop.test/b")),
        ("{ json = '$.e' }", Value::Null),
        ("{ json = '$.e', type = 'url' }", Value::Null),
        ("{ json = '$.l' }", json!([1, "2"])),
        ("{ json = '$.l[*]', all = true, type = 'number' }", json!([1, 2])),
        ("{ json = '$.l', all = true, join = '-' }", json!("1-2")),
        ("{ json = '$..x', all = true }", json!([])),
    ] {
        let text = format!("[[items]]\nfields.a = '$.n'\nfields.x = {spec}");
        let items = items_of(&text, "application/json", json);
        assert_eq!(items[0]["x"], expected, "{spec}");
    }
    let body = "<b>yes</b><i>3.5 km</i><time>5/6/2024</time><u>17 May 2024</u><a href='/x y'>x</a>";
    for (spec, expected) in [
        ("{ css = 'b', type = 'bool' }", json!(true)),
        ("{ css = 'i', type = 'integer' }", Value::Null),
        ("{ css = 'i', type = 'number' }", json!(3.5)),
        ("{ css = 'time', type = 'date' }", Value::Null),
        ("{ css = 'time', type = 'date', format = '%d/%m/%Y' }", json!("2024-06-05")),
        ("{ css = 'u', type = 'date' }", json!("2024-05-17")),
        ("{ css = 'a', attr = 'href', type = 'url' }", json!("http://shop.test/x%20y")),
    ] {
        field(spec, body, &expected);
    }
}

#[test]
fn xpath_gives_nodes_and_values() {
    let body = "<div class=r><p id=1>a<b>b</b></p><p>c</p><a href=/x>y</a></div>";
    for (spec, expected) in [
        ("'//p'", json!("ab")),
        ("'//p/@id'", json!("1")),
        ("'//p/text()'", json!("a")),
        ("{ xpath = '//p', all = true }", json!(["ab", "c"])),
        ("{ xpath = 'count(//p)' }", json!(2)),
        ("{ xpath = 'count(//p) > 1' }", json!(true)),
        ("{ xpath = 'string(//none)' }", Value::Null),
        ("{ xpath = 'number(//p)' }", Value::Null),
        ("{ xpath = '//p[2]', html = true }", json!("<p>c</p>")),
        ("'(//p)[2]'", json!("c")),
    ] {
        field(spec, body, &expected);
    }
    let text = "[[items]]\nselect = '//div/p'\nfields.t = './/text()'\nfields.c = 'b'";
    let items = run(text, &html(body)).0;
    assert_eq!((items.len(), &items[0]["c"], &items[1]["t"]), (2, &json!("b"), &json!("c")));
}

#[test]
fn pages_have_properties() {
    let body = "<html lang=en><meta name=description content='About it'>\
                <meta property='og:title' content='T'><link rel=canonical href='/c'>\
                <script type='application/ld+json'>{\"@type\": \"Book\", \"name\": \"N\"}</script>";
    for (name, expected) in [
        ("url", json!(URL)),
        ("title", json!("The Shop")),
        ("status", json!(200)),
        ("depth", json!(0)),
        ("referrer", Value::Null),
        ("label", Value::Null),
        ("description", json!("About it")),
        ("canonical", json!("http://shop.test/c")),
        ("published", Value::Null),
        ("open-graph", json!({"og:title": "T"})),
        ("json-ld", json!([{"@type": "Book", "name": "N"}])),
        ("microdata", Value::Null),
    ] {
        field(&format!("{{ page = '{name}' }}"), body, &expected);
    }
    let name = "{ page = 'json-ld', json = \"$[?@['@type'] == 'Book'].name\" }";
    field(name, body, &json!("N"));
    let text = "[[items]]\nfields.t = { page = 'fetched', type = 'date' }";
    assert!(item(text, &html(body))["t"].as_str().unwrap().ends_with('Z'));
    // What is always there does not make an item of a page without anything else.
    let text = "[[items]]\nfields.status = { page = 'status' }\nfields.x = '.none'";
    assert!(run(text, &html(body)).0.is_empty());
    // But where nothing else is asked for, it does.
    let text = "[[items]]\nfields.status = { page = 'status' }";
    assert_eq!(item(text, &html(body)), json!({"status": 200, "url": URL}));
}

#[test]
fn objects_nest() {
    let body = "<div class=book><h3>One</h3><ul><li><b>A</b><i>1</i><li><b>B</b><i>2</i><li></ul>\
                <p class=pub><u>P</u></div>";
    let text = "[[items]]\nselect = '.book'\n[items.fields]\ntitle = 'h3'\n\
                authors = { css = 'li', all = true, fields = { name = 'b', n = { css = 'i', type = 'number' } } }\n\
                publisher = { xpath = './/p', fields = { name = 'u', none = '.none' } }\n\
                nothing = { css = 'h4', fields = { x = 'b' } }\n\
                nothings = { css = 'h4', all = true, fields = { x = 'b' } }\n\
                strict = { css = 'li', all = true, fields = { n = { css = 'i', regex = '2', required = true } } }";
    let item = item(text, &html(body));
    assert_eq!(item["authors"], json!([{"name": "A", "n": 1}, {"name": "B", "n": 2}]));
    assert_eq!(item["publisher"], json!({"name": "P", "none": null}));
    assert_eq!((&item["nothing"], &item["nothings"]), (&Value::Null, &json!([])));
    assert_eq!(item["strict"], json!([{"n": "2"}]));
    let json =
        r#"{"books": [{"t": "One", "by": [{"name": "A"}, {"name": "B"}]}, {"t": "Two"}, {}]}"#;
    let text = "[[items]]\nselect = '$.books[*]'\n[items.fields]\ntitle = '$.t'\n\
                by = { json = '$.by[*]', all = true, fields = { name = '$.name' } }\n\
                first = { json = '$.by[0]', fields = { name = '$.name' } }";
    let items = items_of(text, "application/json", json);
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["by"], json!([{"name": "A"}, {"name": "B"}]));
    assert_eq!((&items[0]["first"]["name"], &items[1]["first"]), (&json!("A"), &Value::Null));
}

#[test]
fn json_within_a_page_is_a_source_of_items() {
    let body =
        "<script id=d>let data = [{\"q\": \"a\"}, {\"q\": \"b\", \"n\": 2}];\nother();</script>";
    let text = "[[items]]\nsource = { css = '#d', regex = 'data = (.*?);' }\nselect = '$[*]'\n\
                [items.fields]\nq = '$.q'\nn = { json = '$.n', default = 0 }";
    let items = run(text, &html(body)).0;
    assert_eq!(items[1], json!({"q": "b", "n": 2, "url": URL}));
    assert_eq!((items.len(), &items[0]["n"]), (2, &json!(0)));
    assert!(run(text, &html("<p>")).0.is_empty());
    // On a page that is no JSON, items in JSON are none, and no error.
    let text = "[[items]]\nselect = '$[*]'\nfields.q = '$.q'";
    assert!(run(text, &html(body)).0.is_empty());
    assert_eq!(items_of(text, "application/json", "[{\"q\": 1}]").len(), 1);
}

#[test]
fn mistakes_in_fields_are_told_with_their_key() {
    let at = |spec: &str, key: &str, expected: &str| {
        let text = format!("[[items]]\nselect = 'p'\nfields.x = {spec}");
        wrong(&text, &format!("spider.items[0].fields.x{key}: {expected}"));
    };
    at("{ css = 'a', xpath = '//a' }", "", "has both `css` and `xpath`; choose one");
    at("{ page = 'url', meta = 'a' }", "", "has both `meta` and `page`");
    at("{ page = 'url', html = true }", "", "has `html`, which elements have, and `page`");
    at("{ xpath = '//a[' }", ".xpath", "`//a[` is not an XPath expression: ");
    at("'//a['", ".xpath", "`//a[` is not an XPath expression: ");
    at("{ json = '$.' }", ".json", "`$.` is not a JSONPath: ");
    at("{ xpath = '//a', attr = 'b' }", "", "has both `xpath` and `attr`");
    at("{ css = 'a', lower = true, upper = true }", "", "has both `lower` and `upper`");
    at("{ css = 'a', replace = [['(', '']] }", ".replace[0]", "`(` is not a regular expression");
    at("{ css = 'a', join = ',' }", ".join", "joins a list, and there is none");
    at("{ css = 'a', split = '' }", ".split", "is empty");
    at("{ css = 'a', format = '%Y' }", ".format", "is for dates");
    at("{ css = 'a', type = 'date', format = '%Q' }", ".format", "`%Q` `%Q` is not known");
    at("{ css = 'a', type = 'url', fields = { y = 'b' } }", "", "has `fields`, so nothing is made");
    at("{ css = 'a', fields = { 'y z' = 'b[' } }", ".fields.\"y z\"", "`b[` is not a CSS");
    at("{ fields = { y = 'b' } }", "", "has `fields`, but nothing that says where");
    at("{ const = 1, fields = { y = 'b' } }", "", "has `fields`, so nothing is made of the match");
    at(
        "{ page = 'url', fields = { y = 'b' } }",
        "",
        "has `fields`, but what is found is no element",
    );
    let json = |spec: &str, expected: &str| {
        let text = format!("[[items]]\nselect = '$[*]'\nfields.x = {spec}");
        wrong(&text, &format!("spider.items[0].fields.x: {expected}"));
    };
    json("'a'", "is taken from an element, but the item is JSON");
    json("{ all = true }", "needs `json`, `meta`, `const` or `page`");
    wrong("[[items]]\nselect = ''\nfields.x = 'a'", "spider.items[0].select: is empty");
    wrong(
        "[[items]]\nselect = '$['\nfields.x = '$'",
        "spider.items[0].select: `$[` is not a JSONPath",
    );
    wrong(
        "[[items]]\nsource = 'p'\nselect = 'a'\nfields.x = '$'",
        "spider.items[0].select: is no JSONPath",
    );
    wrong(
        "[[items]]\nsource = { css = 'p', type = 'date' }\nfields.x = '$'",
        "spider.items[0].source: is JSON",
    );
}

/// Markup with classes that selectors below ask for.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<div class=a>",
        "<div class='a b'>",
        "</div>",
        "<p class=b>x 1,5",
        "<p>y",
        "<i class=c n=7>z</i>",
        "<ul><li class=a>1<li>2</ul>",
        "<a href=/q class=c>q</a>",
        "<table><tr><td class=b>t",
        "</table>",
        " ",
        "<b class=b></b>",
        "<span n='2024-01-02'>s</span>",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn any_field() -> impl Strategy<Value = String> {
    let css = prop::sample::select(vec![
        ".a",
        ".b",
        ".c",
        "p",
        "li:first-child",
        "div > p",
        ":scope > i",
        "p:last-child",
    ]);
    let take = prop::sample::select(vec![
        "",
        ", attr = 'n'",
        ", html = true",
        ", attr = 'href', type = 'url'",
    ]);
    let make =
        prop::sample::select(vec!["", ", regex = '[0-9]+'", ", strip = 'x'", ", split = ','"]);
    (css, take, make, any::<bool>()).prop_map(|(css, take, make, all)| {
        format!("{{ css = '{css}'{take}{make}{} }}", if all { ", all = true" } else { "" })
    })
}

proptest! {
    #[test]
    fn items_are_the_same_whether_they_are_matched_while_streaming_or_selected(
        body in markup(),
        fields in prop::collection::vec(any_field(), 1..4),
        select in prop::sample::select(vec!["", "select = '.a'", "select = 'div'", "select = 'li, p'"]),
        detail in any::<bool>(),
    ) {
        let fields: Vec<_> =
            fields.iter().enumerate().map(|(n, field)| format!("fields.f{n} = {field}")).collect();
        let fields = fields.join("\n").replace(":scope >", if select.is_empty() { "body >" } else { ":scope >" });
        let detail = if detail { "\ndetail = { follow = 'a', fields = { x = 'p' } }" } else { "" };
        let text = format!("[[items]]\n{select}\n{fields}{detail}");
        let spider = ConfigSpider::new(config(&text)).unwrap();
        let page = || page_from_html(URL, &format!("<!DOCTYPE html>{body}")).unwrap();
        prop_assert_eq!(run_on(&spider, &page()), run_on(&spider, &page().with_spider(&spider)), "{}", text);
    }
}
