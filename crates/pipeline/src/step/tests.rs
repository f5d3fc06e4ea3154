//! Each step by the table: what goes in, what comes out, what is dropped and why.

use crawl_spider::{CanonicalUrl, Request};
use serde_json::json;

use super::*;

/// What a step written as TOML makes of an item of a page labelled `book`; a reason if it drops
/// it.
fn run(toml: &str, item: Value) -> Result<Value, String> {
    let config: StepConfig = toml::from_str(toml).unwrap();
    let step = Step::new(&config, "pipeline[0]").unwrap();
    let mut request = Request::get(CanonicalUrl::parse("http://h/p").unwrap());
    request.label = "book".into();
    let mut item = item;
    match step.process(&mut item, &PageInfo::new(&request, Some(200))) {
        Ok(_) => Ok(item),
        Err(dropped) => Err(dropped.reason().to_owned()),
    }
}

#[track_caller]
fn check(toml: &str, item: Value, expected: Result<Value, &str>) {
    assert_eq!(run(toml, item), expected.map_err(str::to_owned), "{toml}");
}

#[track_caller]
fn refused(toml: &str, key: &str, part: &str) {
    let config: StepConfig = toml::from_str(toml).unwrap();
    let error = Step::new(&config, "pipeline[0]").unwrap_err();
    assert!(error.key == key && error.problem.contains(part), "{error}");
}

#[test]
fn require_wants_fields_that_say_something() {
    let toml = "require = ['title', 'by.name']";
    let whole = json!({"title": "A", "by": {"name": "B"}});
    check(toml, whole.clone(), Ok(whole));
    check(toml, json!({"title": "", "by": {"name": "B"}}), Err("no title"));
    check(toml, json!({"title": "A", "by": {"name": null}}), Err("no by.name"));
    check(toml, json!(3), Err("no title"));
}

#[test]
fn types_are_checked_where_a_field_is_there() {
    let toml = "types = { t = 'text', n = 'number', i = 'integer', l = 'list', o = 'object', \
                b = 'boolean' }";
    let whole = json!({"t": "", "n": 1.5, "i": 2.0, "l": [], "o": {}, "b": false});
    check(toml, whole.clone(), Ok(whole));
    check(toml, json!({"t": null}), Ok(json!({"t": null})));
    check(toml, json!({"n": "1"}), Err("n is no number"));
    check(toml, json!({"i": 1.5}), Err("i is no integer"));
    check(toml, json!({"b": 0}), Err("b is no boolean"));
}

#[test]
fn fields_are_renamed_all_at_once() {
    let item = json!({"a": 1, "b": 2, "o": {"x": 3, "y": 4}});
    let expected = json!({"o": {"y": 4}, "b": 1, "a": 2, "x": 3});
    check("rename = { a = 'b', b = 'a', 'o.x' = 'x', none = 'z' }", item, Ok(expected));
}

#[test]
fn fields_are_dropped_and_kept() {
    let item = json!({"a": 1, "b": 2, "o": {"x": 3, "y": 4}});
    check("drop-fields = ['a', 'o.x', 'z']", item.clone(), Ok(json!({"b": 2, "o": {"y": 4}})));
    check("keep-fields = ['a', 'z']", item, Ok(json!({"a": 1})));
}

#[test]
fn constants_and_computed_fields_are_set_in_order() {
    check(
        "set = { shop = 'S', price = 1, at = 2024-01-02 }",
        json!({"price": 9}),
        Ok(json!({"price": 1, "shop": "S", "at": "2024-01-02"})),
    );
    check(
        "compute = { total = '= {p} * {n}', text = '{total} for {n}, {@url}', no = '= {x}' }",
        json!({"p": 1.25, "n": 2}),
        Ok(json!({"p": 1.25, "n": 2, "total": 2.5, "text": "2.5 for 2, http://h/p", "no": null})),
    );
    check("set = { a = 1 }", json!([1]), Err("is no object, so it has no fields"));
}

#[test]
fn items_are_dropped_and_kept_by_conditions() {
    let toml = "drop-if = { stock = 0, price = { greater = 10 } }";
    check(toml, json!({"stock": 0, "price": 11}), Err("stock = 0 and price > 10"));
    check(toml, json!({"stock": 0, "price": 9}), Ok(json!({"stock": 0, "price": 9})));
    let toml = "keep-if = { title = { matches = '^A' }, price = { less = 5 } }";
    check(toml, json!({"title": "A", "price": 4}), Ok(json!({"title": "A", "price": 4})));
    check(toml, json!({"title": "A", "price": 5}), Err("not: price < 5"));
    check(toml, json!({}), Err("not: title ~ ^A"));
}

#[test]
fn a_schema_drops_what_does_not_fit() {
    let toml = "[validate]\nrequired = ['a']\nproperties.a.type = 'integer'";
    check(toml, json!({"a": 1}), Ok(json!({"a": 1})));
    check(toml, json!({"a": "x"}), Err("a: is no integer"));
}

#[test]
fn a_step_is_only_for_the_items_it_names() {
    check("require = ['x']\nonly = ['author', '']", json!({}), Ok(json!({})));
    check("require = ['x']\nonly = ['author', 'book']", json!({}), Err("no x"));
    check("require = ['x']\nwhen = { kind = 'a' }", json!({"kind": "b"}), Ok(json!({"kind": "b"})));
    check("require = ['x']\nwhen = { kind = 'a' }", json!({"kind": "a"}), Err("no x"));
}

#[test]
fn a_key_is_made_of_all_its_fields_and_of_none_that_are_empty() {
    let config: StepConfig = toml::from_str("dedup = ['a', 'o.b']").unwrap();
    let step = Step::new(&config, "pipeline[0]").unwrap();
    let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
    let key = |mut item: Value| match step.process(&mut item, &PageInfo::new(&request, None)) {
        Ok(Done::Keyed(key)) => Some(key),
        _ => None,
    };
    assert_eq!(key(json!({"a": 1, "o": {"b": "x"}})).unwrap(), "1\n\"x\"");
    assert_ne!(key(json!({"a": "1", "o": {"b": "x"}})), key(json!({"a": 1, "o": {"b": "x"}})));
    assert_eq!(key(json!({"a": "1"})).unwrap(), "\"1\"\nnull");
    assert_eq!(key(json!({"a": "", "o": {}})), None);
}

#[test]
fn spaces_of_keys_differ_by_fields_labels_and_name() {
    let space = |toml: &str| {
        let step = Step::new(&toml::from_str(toml).unwrap(), "pipeline[0]").unwrap();
        step.dedup().unwrap().0.to_owned()
    };
    let spaces = [
        space("dedup = ['a', 'b']"),
        space("dedup = ['a']\nonly = ['b']"),
        space("dedup = ['a']\nname = 'b'"),
        space("dedup = ['a']"),
    ];
    let distinct: std::collections::BTreeSet<_> = spaces.iter().collect();
    assert_eq!(distinct.len(), spaces.len(), "{spaces:?}");
    assert_eq!(space("dedup = ['a']\nwhen = { a = 1 }"), spaces[3]);
}

#[test]
fn a_table_is_one_step() {
    refused("name = 'x'", "pipeline[0]", "says nothing to do");
    refused("set = {}\nrequire = ['a']", "pipeline[0].set", "(require, set)");
    refused("require = []", "pipeline[0].require", "names no field");
    refused("drop-if = {}", "pipeline[0].drop-if", "no condition");
    refused("dedup = ['a', '.']", "pipeline[0].dedup[1]", "is no name of a field");
    refused("compute = { a = '{' }", "pipeline[0].compute.a", "without its `}`");
    refused("rename = { 'a.' = 'b' }", "pipeline[0].rename.a.", "is no name");
}
