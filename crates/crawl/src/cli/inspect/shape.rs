//! Rows sorted, grouped or counted, on their way from the store to the screen.
//!
//! A running crawl only reads; this is done by who asks.

use std::collections::HashMap;
use std::io;

use crawl::store::inspect::field_of;
use serde_json::{Map, Value, json};

use super::args::ShapeArgs;
use super::sort::Sorter;

/// Most groups; each takes some hundred bytes.
const MOST_GROUPS: usize = 1_000_000;

/// What happens to each row.
pub(super) enum Shape {
    /// It is shown as it comes.
    AsItIs,
    Count(u64),
    Sort(Sorter),
    Group(Groups),
}

impl Shape {
    pub(super) fn new(args: &ShapeArgs) -> Self {
        if args.count {
            return Self::Count(0);
        }
        if !args.group_by.is_empty() {
            return Self::Group(Groups::new(args));
        }
        match args.sort.is_empty() {
            true => Self::AsItIs,
            false => Self::Sort(Sorter::new(&args.sort, args.limit)),
        }
    }

    /// Takes a row; gives it back if it is to be shown now.
    pub(super) fn push(&mut self, row: Value) -> io::Result<Option<Value>> {
        match self {
            Self::AsItIs => return Ok(Some(row)),
            Self::Count(n) => *n += 1,
            Self::Sort(sorter) => sorter.push(row)?,
            Self::Group(groups) => groups.push(&row)?,
        }
        Ok(None)
    }

    /// Hands over what was held back.
    pub(super) fn finish(self, mut show: impl FnMut(Value) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::AsItIs => Ok(()),
            Self::Count(n) => show(json!({ "count": n })),
            Self::Sort(sorter) => sorter.finish(show),
            Self::Group(groups) => groups.finish(&mut show),
        }
    }
}

/// Rows that have some fields alike, as one.
pub(super) struct Groups {
    by: Vec<String>,
    sum: Vec<String>,
    sort: Vec<String>,
    limit: Option<u64>,
    groups: HashMap<String, Group>,
}

#[derive(Default)]
struct Group {
    count: u64,
    sums: Vec<f64>,
}

impl Groups {
    fn new(args: &ShapeArgs) -> Self {
        let sort = match args.sort.is_empty() {
            true => vec!["-count".to_owned()],
            false => args.sort.clone(),
        };
        let (by, sum, limit) = (args.group_by.clone(), args.sum.clone(), args.limit);
        Self { by, sum, sort, limit, groups: HashMap::new() }
    }

    fn push(&mut self, row: &Value) -> io::Result<()> {
        let key: Vec<_> = self.by.iter().map(|name| field_of(row, name)).collect();
        let key = serde_json::to_string(&key)?;
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key) {
            let what = format!(
                "more than {MOST_GROUPS} groups: group by something that fewer rows differ in"
            );
            return Err(io::Error::other(what));
        }
        let group = self.groups.entry(key).or_default();
        group.count += 1;
        group.sums.resize(self.sum.len(), 0.0);
        for (name, sum) in self.sum.iter().zip(&mut group.sums) {
            *sum += field_of(row, name).as_ref().map_or(0.0, number);
        }
        Ok(())
    }

    fn finish(self, show: &mut dyn FnMut(Value) -> io::Result<()>) -> io::Result<()> {
        let mut sorter = Sorter::new(&self.sort, self.limit);
        for (key, group) in self.groups {
            let values: Vec<Value> = serde_json::from_str(&key)?;
            let mut row: Map<_, _> = self.by.iter().cloned().zip(values).collect();
            row.insert("count".to_owned(), group.count.into());
            for (name, sum) in self.sum.iter().zip(group.sums) {
                row.insert(format!("sum_{name}"), whole(sum));
            }
            sorter.push(row.into())?;
        }
        sorter.finish(show)
    }
}

/// A number, or a text that is one.
fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.trim().parse().unwrap_or(0.0),
        value => value.as_f64().unwrap_or(0.0),
    }
}

/// A sum without a fraction is shown without one.
fn whole(sum: f64) -> Value {
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    if sum.fract() == 0.0 && sum.abs() < EXACT { (sum as i64).into() } else { sum.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(args: ShapeArgs, rows: &[Value]) -> Vec<Value> {
        let mut shape = Shape::new(&args);
        let mut shown = Vec::new();
        for row in rows {
            shown.extend(shape.push(row.clone()).unwrap());
        }
        let show = |row| {
            shown.push(row);
            Ok(())
        };
        shape.finish(show).unwrap();
        shown
    }

    fn args(sort: &[&str], group_by: &[&str], sum: &[&str]) -> ShapeArgs {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (sort, group_by, sum) = (owned(sort), owned(group_by), owned(sum));
        ShapeArgs { sort, limit: None, count: false, group_by, sum }
    }

    #[test]
    fn groups_have_their_number_and_sums_and_the_greatest_comes_first() {
        let rows = [
            json!({"url": "http://a/1", "status": 200, "bytes": 5}),
            json!({"url": "http://b/1", "status": 200, "bytes": 1}),
            json!({"url": "http://a/2", "status": 200, "bytes": "2.5"}),
            json!({"url": "http://a/3"}),
        ];
        assert_eq!(
            shaped(args(&[], &["host"], &["bytes"]), &rows),
            [
                json!({"host": "a", "count": 3, "sum_bytes": 7.5}),
                json!({"host": "b", "count": 1, "sum_bytes": 1})
            ]
        );
        let by_status = ShapeArgs { limit: Some(1), ..args(&["status"], &["status"], &[]) };
        assert_eq!(shaped(by_status, &rows), [json!({"status": 200, "count": 3})]);
        let counted = ShapeArgs { count: true, ..args(&[], &[], &[]) };
        assert_eq!(shaped(counted, &rows), [json!({"count": 4})]);
        assert_eq!(shaped(args(&[], &[], &[]), &rows), rows);
    }
}
