//! From a stored item to what a feed writes of it.

use std::borrow::Cow;

use crawl_model::PageRecord;
use crawl_store::Provenance;
use crawl_store::inspect::{Condition, value_in};
use serde_json::{Map, Value};

use crate::FeedConfig;
use crate::config::PageField;

/// The field under which items see what is known of their page and of them, unless they have one of
/// that name.
const PAGE: &str = "page";
/// The field of an item that is no object, where fields are needed.
pub(crate) const VALUE: &str = "value";

/// What one item is written as: JSON as it was stored, or fields.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    /// All of an item, as its spider wrote it.
    Whole(String),
    /// What was chosen of it.
    Fields(Map<String, Value>),
}

impl Row {
    /// Its fields in order. An item that is no object is one field, `value`.
    pub(crate) fn into_fields(self) -> Map<String, Value> {
        match self {
            Self::Fields(fields) => fields,
            Self::Whole(json) => fields_of(&json),
        }
    }

    /// It as JSON on one line.
    pub(crate) fn json(&self) -> Cow<'_, str> {
        match self {
            Self::Whole(json) if has_line_break(json) => {
                // Outside strings a line break is mere white space, inside JSON has none.
                Cow::Owned(json.replace(['\n', '\r'], ""))
            }
            Self::Whole(json) => Cow::Borrowed(json),
            Self::Fields(fields) => {
                let text = serde_json::to_string(fields);
                Cow::Owned(text.expect("JSON has text keys and no numbers that are none"))
            }
        }
    }
}

fn has_line_break(text: &str) -> bool {
    // Both are searched for many bytes at a time, which a search for either is not.
    text.as_bytes().contains(&b'\n') || text.as_bytes().contains(&b'\r')
}

fn fields_of(json: &str) -> Map<String, Value> {
    match serde_json::from_str(json) {
        Ok(Value::Object(fields)) => fields,
        Ok(value) => [(VALUE.to_owned(), value)].into_iter().collect(),
        Err(_) => [(VALUE.to_owned(), json.into())].into_iter().collect(),
    }
}

/// Which items a feed writes, and what of them.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Where a field is found, and its name; all fields if empty.
    fields: Vec<(String, String)>,
    with: Vec<PageField>,
    conditions: Vec<Condition>,
}

impl Selection {
    pub(crate) fn of(config: &FeedConfig) -> Self {
        let names = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
        let fields = config.fields.iter().filter_map(|field| field.names().map(names));
        Self {
            fields: fields.collect(),
            with: config.with.clone(),
            conditions: config.conditions.clone(),
        }
    }

    /// The names that every item has, if they are known beforehand.
    pub(crate) fn columns(&self) -> Option<Vec<String>> {
        if self.fields.is_empty() {
            return None;
        }
        let mut columns: Vec<String> = self.fields.iter().map(|(_, to)| to.clone()).collect();
        for field in &self.with {
            if !columns.iter().any(|column| column == field.name()) {
                columns.push(field.name().to_owned());
            }
        }
        Some(columns)
    }

    /// Whether all items are written as they are.
    pub(crate) fn takes_all(&self) -> bool {
        self.fields.is_empty() && self.with.is_empty() && self.conditions.is_empty()
    }

    /// What is written of an item; `None` if it is left out.
    pub(crate) fn row(
        &self,
        json: String,
        page: &PageRecord,
        provenance: &Provenance,
    ) -> Option<Row> {
        if self.takes_all() {
            return Some(Row::Whole(json));
        }
        let mut item = fields_of(&json);
        let sees_page = !item.contains_key(PAGE);
        if sees_page {
            let page = PageField::ALL
                .iter()
                .map(|field| (field.name().to_owned(), field.of(page, provenance)));
            item.insert(PAGE.to_owned(), Value::Object(page.collect()));
        }
        let seen = Value::Object(item);
        if !self.conditions.iter().all(|condition| condition.matches(&seen)) {
            return None;
        }
        if self.fields.is_empty() && self.with.is_empty() {
            return Some(Row::Whole(json));
        }
        let mut row = match self.fields.is_empty() {
            true => {
                let Value::Object(mut item) = seen else { return None };
                if sees_page {
                    item.shift_remove(PAGE);
                }
                item
            }
            false => self.chosen(&seen),
        };
        for field in &self.with {
            if !row.contains_key(field.name()) {
                row.insert(field.name().to_owned(), field.of(page, provenance));
            }
        }
        Some(Row::Fields(row))
    }

    fn chosen(&self, item: &Value) -> Map<String, Value> {
        let found =
            |(from, to): &(String, String)| Some((to.clone(), value_in(item, from)?.clone()));
        self.fields.iter().filter_map(found).collect()
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, Verdict};

    use super::*;
    use crate::FieldChoice;

    fn page() -> PageRecord {
        let url = CanonicalUrl::parse("http://joe:pw@h/a").unwrap();
        PageRecord { label: "book".into(), n: 7, ..PageRecord::new(url, Verdict::Ok) }
    }

    fn provenance() -> Provenance {
        Provenance { kind: "Book".into(), first_ms: 1_700_000_000_123, ..Provenance::default() }
    }

    #[track_caller]
    fn check(config: FeedConfig, item: &str, expected: Option<&str>) {
        let row = Selection::of(&config).row(item.to_owned(), &page(), &provenance());
        assert_eq!(row.map(|row| row.json().into_owned()).as_deref(), expected);
    }

    #[test]
    fn fields_are_chosen_ordered_renamed_and_found_within_others() {
        let fields = ["b.c=d", "a", "page.url", "none"].map(FieldChoice::parse).into();
        check(
            FeedConfig { fields, ..FeedConfig::default() },
            r#"{"a": 1.50, "b": {"c": [2]}}"#,
            Some(r#"{"d":[2],"a":1.5,"page.url":"http://h/a"}"#),
        );
    }

    #[test]
    fn the_page_stands_behind_the_items_own_fields() {
        let with = vec![PageField::Url, PageField::N];
        check(
            FeedConfig { with, ..FeedConfig::default() },
            r#"{"url":"mine"}"#,
            Some(r#"{"url":"mine","n":7}"#),
        );
    }

    #[test]
    fn what_is_known_of_the_item_is_written_if_it_is_asked_for() {
        let with = vec![PageField::Kind, PageField::FirstSeen, PageField::Changed];
        check(
            FeedConfig { with, ..FeedConfig::default() },
            r#"{"kind":"mine"}"#,
            Some(r#"{"kind":"mine","first_seen":"2023-11-14T22:13:20.123Z","changed":null}"#),
        );
        let fields = ["page.kind=is", "a"].map(FieldChoice::parse).into();
        check(
            FeedConfig { fields, ..FeedConfig::default() },
            r#"{"a":1}"#,
            Some(r#"{"is":"Book","a":1}"#),
        );
        let conditions = vec!["page.first_seen<2024 and page.kind=Book".parse().unwrap()];
        let config = FeedConfig { conditions, ..FeedConfig::default() };
        check(config, "[1]", Some("[1]"));
    }

    #[test]
    fn conditions_see_item_and_page() {
        let config = |text: &str| FeedConfig {
            conditions: vec![text.parse().unwrap()],
            ..FeedConfig::default()
        };
        let item = "{\"a\":\n1.50}";
        check(config("a~1"), item, Some("{\"a\":1.50}"));
        check(config("page.label=book"), item, Some("{\"a\":1.50}"));
        check(config("page.label=list"), item, None);
        check(
            config("page.label=list"),
            r#"{"page":{"label":"list"}}"#,
            Some(r#"{"page":{"label":"list"}}"#),
        );
    }

    #[test]
    fn an_item_that_is_no_object_is_a_value() {
        for (json, value) in [("[1]", serde_json::json!([1])), ("odd", "odd".into())] {
            assert_eq!(Row::Whole(json.into()).into_fields()["value"], value);
        }
    }
}
