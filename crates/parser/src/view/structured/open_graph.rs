//! OpenGraph with its structured properties put to what they describe (ogp.me).

use serde_json::{Map, Value, json};

use crate::dom::Dom;

/// The `og:` properties as an object: name to list of values; null if there are none.
pub(super) fn open_graph(dom: &Dom) -> Value {
    let mut graph = Map::new();
    for node in dom.descendants(dom.document()).filter(|node| dom.name(*node) == "meta") {
        let Some(content) = dom.attr(node, "content") else { continue };
        let names = ["property", "name"].into_iter().filter_map(|name| dom.attr(node, name));
        let mut words = names.flat_map(str::split_ascii_whitespace);
        let has_prefix = |word: &&str| word.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("og:"));
        if let Some(word) = words.find(has_prefix) {
            put(&mut graph, &word[3..].to_ascii_lowercase(), content.trim());
        }
    }
    if graph.is_empty() { Value::Null } else { Value::Object(graph) }
}

fn put(graph: &mut Map<String, Value>, name: &str, content: &str) {
    let (root, about) = match name.split_once(':') {
        Some((root, about)) => (root, Some(about)),
        None => (name, None),
    };
    if root.is_empty() {
        return;
    }
    let values = list(graph.entry(root).or_insert_with(|| json!([])));
    let Some(about) = about else {
        values.push(Value::from(content));
        return;
    };
    // It is said of the value before it; `og:image:url` may come without one.
    let last = match values.pop() {
        Some(Value::String(value)) => Map::from_iter([("value".to_owned(), Value::from(value))]),
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    values.push(Value::Object(last));
    let last = values.last_mut().and_then(Value::as_object_mut).expect("it was just put there");
    // `og:image:value` would be mixed up with the value itself.
    let about = if about == "value" { "value:" } else { about };
    list(last.entry(about).or_insert_with(|| json!([]))).push(Value::from(content));
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("only lists are put in")
}
