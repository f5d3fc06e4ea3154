//! What a page says in machine-readable form, told in a few lines.

use crawl_spider::{Page, Value};

/// Most lines.
const MAX_LINES: usize = 8;
/// Most properties that are named of a kind.
const MAX_NAMES: usize = 12;

/// The kinds of things in JSON-LD and microdata, each with its properties:
/// `JSON-LD: Product (name, offers)`.
pub(super) fn kinds(page: &Page<'_>) -> Vec<String> {
    let data = page.structured();
    let json_ld = data.json_ld_objects().take(1000).filter_map(|object| {
        let kind = first_text(object.get("@type")?)?;
        let names = object.as_object()?.keys().filter(|key| !key.starts_with('@'));
        Some(line("JSON-LD", kind, names))
    });
    let microdata = data.microdata.iter().take(1000).filter_map(|item| {
        let kind = first_text(item.get("type")?)?;
        Some(line("microdata", kind, item.get("properties")?.as_object()?.keys()))
    });
    let mut lines: Vec<String> = Vec::new();
    for line in json_ld.chain(microdata) {
        if lines.len() < MAX_LINES && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::Array(list) => list.first()?.as_str(),
        value => value.as_str(),
    }
}

fn line<'a>(form: &str, kind: &str, names: impl Iterator<Item = &'a String>) -> String {
    let kind = kind.rsplit(['/', '#']).next().unwrap_or(kind);
    let clean = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':'))
            .take(40)
            .collect()
    };
    let names: Vec<String> = names.take(MAX_NAMES).map(|name| clean(name)).collect();
    format!("{form}: {} ({})", clean(kind), names.join(", "))
}
