//! Items, matched by a key, or by page and place.

use std::ops::ControlFlow;

use crawl_model::Fingerprint;
use serde_json::{Map, Value, json};

use super::side::{Row, Rows, Side, cannot_sort, hash};
use super::{Tally, differences};
use crate::StoreError;
use crate::sort::Sorter;

type Show<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

/// An item with what tells it from others.
struct Item {
    url: String,
    index: u32,
    /// Values of the key's fields; `None`: it has none, and is matched by page and place.
    key: Option<Vec<Value>>,
    value: Value,
}

impl Item {
    fn is(&self, other: &Self) -> bool {
        match (&self.key, &other.key) {
            (Some(key), Some(other)) => key == other,
            (None, None) => (&self.url, self.index) == (&other.url, other.index),
            _ => false,
        }
    }

    fn row(&self, change: &str) -> Value {
        let mut row =
            json!({"kind": "item", "change": change, "url": self.url, "index": self.index});
        if let Some(key) = &self.key {
            row["key"] = key.clone().into();
        }
        row
    }
}

pub(super) fn diff(
    sides: &[Side<'_>; 2],
    key: &[String],
    tally: &mut Tally,
    show: Show<'_>,
) -> Result<ControlFlow<()>, StoreError> {
    let [mut old, mut new] = [rows(&sides[0], key)?, rows(&sides[1], key)?];
    let mut shelves = [Shelf::default(), Shelf::default()];
    while let Some(next) = old.hash().into_iter().chain(new.hash()).min() {
        let [old_shelf, new_shelf] = &mut shelves;
        let before = old_shelf.items(&sides[0], key, old.take(next)?)?;
        let now = new_shelf.items(&sides[1], key, new.take(next)?)?;
        if group(before, now, tally, show).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn rows(side: &Side<'_>, key: &[String]) -> Result<Rows, StoreError> {
    let mut sorter = Sorter::new();
    for page in side.reader.pages()? {
        let (print, record) = page?;
        if record.n_items == 0 {
            continue;
        }
        if key.is_empty() {
            // A page's items stand together; which is which is told by place.
            let row = Row { hash: hash(record.url.as_str()), n: record.n, print, index: u32::MAX };
            sorter.push(row.encode()).map_err(cannot_sort)?;
            continue;
        }
        for (index, value) in (0..).zip(side.items(print)?) {
            let hash = match key_of(&value, key) {
                Some(values) => hash(&Value::Array(values).to_string()),
                None => hash(&format!("{} {index}", record.url)),
            };
            let row = Row { hash, n: record.n, print, index };
            sorter.push(row.encode()).map_err(cannot_sort)?;
        }
    }
    Rows::of(sorter)
}

/// The items of the page that was looked at last: neighbours often lie on one.
#[derive(Default)]
struct Shelf(Option<(Fingerprint, String, Vec<Value>)>);

impl Shelf {
    fn items(
        &mut self,
        side: &Side<'_>,
        key: &[String],
        rows: Vec<Row>,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for row in rows {
            if self.0.as_ref().is_none_or(|(print, ..)| *print != row.print) {
                let url = side.record(row.print)?.url.as_str().to_owned();
                self.0 = Some((row.print, url, side.items(row.print)?));
            }
            let Some((_, url, values)) = &self.0 else { continue };
            let all = (0..).zip(values);
            let wanted = all.filter(|(index, _)| row.index == u32::MAX || *index == row.index);
            items.extend(wanted.map(|(index, value)| Item {
                url: url.clone(),
                index,
                key: if key.is_empty() { None } else { key_of(value, key) },
                value: value.clone(),
            }));
        }
        Ok(items)
    }
}

fn group(old: Vec<Item>, mut new: Vec<Item>, tally: &mut Tally, show: Show<'_>) -> ControlFlow<()> {
    for before in old {
        let at = new.iter().position(|now| before.is(now));
        let Some(now) = at.map(|at| new.remove(at)) else {
            tally.removed += 1;
            let mut row = before.row("removed");
            row["item"] = before.value;
            show(row)?;
            continue;
        };
        if before.value == now.value {
            tally.same += 1;
            continue;
        }
        tally.changed += 1;
        let mut row = before.row("changed");
        row["fields"] = Value::Object(differences(&fields(before.value), &fields(now.value)));
        show(row)?;
    }
    for now in new {
        tally.added += 1;
        let mut row = now.row("added");
        row["item"] = now.value;
        show(row)?;
    }
    ControlFlow::Continue(())
}

/// What is no object is one value without a name.
fn fields(item: Value) -> Map<String, Value> {
    match item {
        Value::Object(fields) => fields,
        other => Map::from_iter([(String::new(), other)]),
    }
}

/// The values of a key's fields; `None` if none of them is filled.
fn key_of(item: &Value, key: &[String]) -> Option<Vec<Value>> {
    let values: Vec<Value> = key.iter().map(|name| field(item, name)).collect();
    values.iter().any(|value| !value.is_null()).then_some(values)
}

/// A field by its name, or by its path with dots.
fn field(item: &Value, name: &str) -> Value {
    if let Some(value) = item.get(name) {
        return value.clone();
    }
    let found = name.split('.').try_fold(item, |value, part| value.get(part));
    found.cloned().unwrap_or_default()
}
