//! Items as XML 1.0 (fifth edition).
//!
//! A field is an element; one with an object has an element per field of it, one with a list an
//! element `value` per value. A field whose name is no name in XML has it in the attribute `name`.
//! What no XML can hold (control characters) becomes U+FFFD.

use serde_json::{Map, Value};

/// Appends `<item>..</item>` and a line break.
pub(super) fn item(fields: &Map<String, Value>, out: &mut String) {
    out.push_str("<item>");
    members(fields, out);
    out.push_str("</item>\n");
}

fn members(fields: &Map<String, Value>, out: &mut String) {
    for (name, value) in fields {
        element(name, value, out);
    }
}

/// serde_json reads nothing that is nested deeper than 128, so neither does this.
fn element(name: &str, value: &Value, out: &mut String) {
    let tag = tag_of(name);
    out.push('<');
    out.push_str(&tag);
    if tag != name {
        out.push_str(" name=\"");
        escape(name, out);
        out.push('"');
    }
    if value.is_null() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    match value {
        Value::Null => {}
        Value::String(text) => escape(text, out),
        Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
        Value::Array(list) => list.iter().for_each(|value| element("value", value, out)),
        Value::Object(fields) => members(fields, out),
    }
    out.push_str("</");
    out.push_str(&tag);
    out.push('>');
}

/// A field's name as an element's: letters, digits, `_`, `-` and `.`, a letter or `_` first. A
/// colon would be a namespace, and names that begin with `xml` are reserved (section 2.3).
fn tag_of(name: &str) -> String {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_letter = |c: char| matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{3001}'..='\u{D7FF}');
    let keep = |c: char| if is_inner(c) || is_letter(c) { c } else { '_' };
    let mut tag: String = name.chars().map(keep).collect();
    let begins_well =
        tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || is_letter(c));
    let is_reserved = tag.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    if !begins_well || is_reserved {
        tag.insert(0, '_');
    }
    tag
}

/// Text and attribute values alike. What parsers would change (section 2.11, 3.3.3) is written as
/// a reference.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            // Section 2.2: what a document may have.
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: Value, expected: &str) {
        let mut out = String::new();
        item(value.as_object().unwrap(), &mut out);
        assert_eq!(out, format!("<item>{expected}</item>\n"));
    }

    #[test]
    fn fields_are_elements_and_what_is_in_them_too() {
        check(json!({"a": "x", "n": 1.5, "no": null}), "<a>x</a><n>1.5</n><no/>");
        check(json!({"l": [1, {"b": true}]}), "<l><value>1</value><value><b>true</b></value></l>");
    }

    #[test]
    fn names_that_xml_has_not_stand_in_an_attribute() {
        check(json!({"2nd \"x\"": 1}), "<_2nd__x_ name=\"2nd &quot;x&quot;\">1</_2nd__x_>");
        check(
            json!({"xmlns": 1, "": 2, "größe": 3}),
            "<_xmlns name=\"xmlns\">1</_xmlns><_ name=\"\">2</_><größe>3</größe>",
        );
    }

    #[test]
    fn nothing_in_a_text_is_markup_and_nothing_is_normalised() {
        check(json!({"a": "<&>\r\n\u{0}"}), "<a>&lt;&amp;&gt;&#13;&#10;\u{FFFD}</a>");
    }
}
