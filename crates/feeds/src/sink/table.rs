//! Items as rows of a database.
//!
//! Rows and cursor are one transaction, so they stand or fall together: a feed is exact whatever
//! dies, and the database alone says how far it has got (in the table `crawl_feeds`). What the
//! store is told is for people.
//!
//! A field is a column, added when it first comes; which one follows from its name and the table
//! alone, so that the next run finds it again.

use std::path::Path;

use indexmap::IndexSet;
use serde_json::{Map, Value};

use super::{Crawl, Position, Sink, Start};
use crate::row::Row;
use crate::{FeedConfig, FeedError};

/// Rows, and bytes of them, that are gathered for one transaction.
const MOST_ROWS: usize = 1000;
const MOST_BYTES: usize = 1 << 20;

/// A table and what a feed does to it.
#[derive(Debug)]
pub(super) struct Table {
    /// The feed, for people.
    pub(super) feed: String,
    pub(super) name: String,
    /// Columns by which it has each item once.
    pub(super) key: Vec<String>,
    /// Columns that it has from the beginning: those chosen, and the key.
    pub(super) first: Vec<String>,
    /// Which crawl the rows are of.
    pub(super) crawl: String,
}

/// What is found in a database of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Crawl and settle number of who wrote it last.
    pub(super) cursor: Option<(String, u64)>,
    /// The columns that feeds have written to, as JSON.
    pub(super) ours: String,
    /// Whether there are rows.
    pub(super) has_rows: bool,
}

/// The columns of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) all: IndexSet<String>,
    /// Those that feeds write to; others are not touched.
    pub(super) ours: IndexSet<String>,
}

impl Columns {
    pub(super) fn new(all: IndexSet<String>, table: &Table, ours: &str) -> Self {
        let known: Vec<String> = serde_json::from_str(ours).unwrap_or_default();
        let known = known.into_iter().filter(|column| all.contains(column));
        let ours = table.first.iter().cloned().chain(known).collect();
        Self { all, ours }
    }

    /// With the columns that these rows need; `name` says which a field has.
    pub(super) fn with(
        &self,
        rows: &[Map<String, Value>],
        name: impl Fn(&str, &IndexSet<String>) -> String,
    ) -> Self {
        let mut grown = self.clone();
        for field in rows.iter().flat_map(Map::keys) {
            let column = name(field, &grown.all);
            if !grown.all.contains(&column) {
                grown.all.insert(column.clone());
            }
            if !grown.ours.contains(&column) {
                grown.ours.insert(column);
            }
        }
        grown
    }

    /// [`ours`](Self::ours) as it is kept.
    pub(super) fn ours_json(&self) -> String {
        Value::from_iter(self.ours.iter().map(String::as_str)).to_string()
    }
}

/// How a feed begins with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// Behind this settle number.
    After(u64),
    /// With the first item; rows stay.
    Anew,
    /// With the first item; rows go.
    Cleared,
}

impl Begin {
    /// The settle number to go on behind; `None` to begin with the first item.
    pub(super) fn after(self) -> Option<u64> {
        match self {
            Self::After(n) => Some(n),
            Self::Anew | Self::Cleared => None,
        }
    }
}

/// A settle number as a database has it, which knows no greater ones; and back.
pub(super) fn stored(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn read_back(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

impl Table {
    /// Rows that no feed wrote are never removed, and rows of another crawl only by a fresh start
    /// of the feed that wrote them.
    pub(super) fn begin(&self, found: &Found, fresh: bool) -> Result<Begin, FeedError> {
        match &found.cursor {
            Some((crawl, n)) if *crawl == self.crawl && !fresh => Ok(Begin::After(*n)),
            _ if !self.key.is_empty() || !found.has_rows => Ok(Begin::Anew),
            Some(_) if fresh => Ok(Begin::Cleared),
            _ => Err(FeedError::TableNotOurs { name: self.feed.clone(), table: self.name.clone() }),
        }
    }
}

/// A database, which need not be there at any moment.
pub(super) trait Database: Send + std::fmt::Debug {
    /// Makes ready for a table; returns the settle number to go on behind, `None` to begin with the
    /// first item.
    fn begin(&mut self, table: &Table, fresh: bool) -> Result<Option<u64>, FeedError>;

    /// Writes rows and the cursor in one transaction.
    fn write(
        &mut self,
        table: &Table,
        rows: &[Map<String, Value>],
        n: u64,
    ) -> Result<(), FeedError>;
}

#[derive(Debug)]
struct Rows<D> {
    database: D,
    table: Table,
    rows: Vec<Map<String, Value>>,
    n_bytes: usize,
}

/// Opens a table of `database`.
pub(super) fn open(
    mut database: impl Database + 'static,
    config: &FeedConfig,
    columns: Option<Vec<String>>,
    crawl: &Crawl,
) -> Result<(Box<dyn Sink>, Start), FeedError> {
    let first: IndexSet<String> =
        config.key.iter().cloned().chain(columns.unwrap_or_default()).collect();
    let table = Table {
        feed: config.name(),
        name: config.table().to_owned(),
        key: config.key.clone(),
        first: first.into_iter().collect(),
        crawl: crawl.id.clone(),
    };
    let found = database.begin(&table, crawl.fresh)?;
    let is_over = crawl.cursor.is_none() || crawl.fresh;
    let mut notes = Vec::new();
    if found.is_none() && !is_over {
        notes.push(format!("feed {} is not in its database: written anew", config.name()));
    }
    let rows = Rows { database, table, rows: Vec::new(), n_bytes: 0 };
    Ok((Box::new(rows), Start { n: found.unwrap_or(0), is_over, notes }))
}

impl<D: Database> Sink for Rows<D> {
    fn put(&mut self, row: Row) -> Result<(), FeedError> {
        self.n_bytes += row.json().len();
        let fields = row.into_fields();
        // Nothing is no row.
        if !fields.is_empty() {
            self.rows.push(fields);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FeedError> {
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= MOST_ROWS || self.n_bytes >= MOST_BYTES
    }

    fn commit(&mut self, n: u64) -> Result<Position, FeedError> {
        self.database.write(&self.table, &self.rows, n)?;
        self.rows.clear();
        self.n_bytes = 0;
        Ok(Position { n, ..Position::default() })
    }
}

/// The column of a field, of at most `max_bytes`; `is_same` says which names the database takes for
/// one.
pub(super) fn column_of(
    field: &str,
    columns: &IndexSet<String>,
    max_bytes: usize,
    is_same: impl Fn(&str, &str) -> bool,
) -> String {
    let mut name = field.replace('\0', "\u{FFFD}");
    if name.is_empty() {
        "_".clone_into(&mut name);
    }
    if name.len() > max_bytes {
        // Cut names could be those of other fields.
        let mark = format!("_{:08x}", crc32fast::hash(field.as_bytes()));
        let most = max_bytes.saturating_sub(mark.len());
        let end = (0..=most).rev().find(|&end| name.is_char_boundary(end));
        name.truncate(end.unwrap_or(0));
        name.push_str(&mark);
    }
    let is_taken =
        |name: &str| !columns.contains(name) && columns.iter().any(|column| is_same(column, name));
    if !is_taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or(name)
}

/// A name between quotes, as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names between quotes, with commas.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// What is done with a row whose key is there: nothing is said if there is no key.
pub(super) fn on_conflict(key: &[String], columns: &IndexSet<String>) -> String {
    if key.is_empty() {
        return String::new();
    }
    let others = columns.iter().filter(|column| !key.contains(column)).map(|column| quoted(column));
    let sets: Vec<_> = others.map(|column| format!("{column} = excluded.{column}")).collect();
    let action = match sets.is_empty() {
        true => "NOTHING".to_owned(),
        false => format!("UPDATE SET {}", sets.join(", ")),
    };
    format!(" ON CONFLICT ({}) DO {action}", list(key))
}

/// No table has more columns than [`MAX_COLUMNS`](crate::text::MAX_COLUMNS).
pub(super) fn check_columns(table: &Table, columns: &Columns) -> Result<(), FeedError> {
    let n = columns.all.len();
    if n <= crate::text::MAX_COLUMNS {
        return Ok(());
    }
    Err(FeedError::Columns { path: Path::new(&table.feed).to_owned(), n })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(key: &[&str]) -> Table {
        Table {
            feed: "f".into(),
            name: "items".into(),
            key: key.iter().map(|&key| key.to_owned()).collect(),
            first: vec![],
            crawl: "mine".into(),
        }
    }

    #[test]
    fn rows_of_others_are_left_alone() {
        let of = |crawl: &str| Some((crawl.to_owned(), 7));
        let begin = |key: &[&str], cursor, has_rows, fresh| {
            let found = Found { cursor, has_rows, ours: String::new() };
            table(key).begin(&found, fresh).ok()
        };
        assert_eq!(begin(&[], of("mine"), true, false), Some(Begin::After(7)));
        assert_eq!(begin(&[], None, false, false), Some(Begin::Anew));
        assert_eq!(begin(&[], None, true, false), None);
        assert_eq!(begin(&[], None, true, true), None);
        assert_eq!(begin(&[], of("old"), true, false), None);
        assert_eq!(begin(&[], of("old"), true, true), Some(Begin::Cleared));
        assert_eq!(begin(&["id"], of("old"), true, true), Some(Begin::Anew));
        assert_eq!(begin(&["id"], None, true, false), Some(Begin::Anew));
    }

    #[test]
    fn each_field_has_a_column_of_its_own() {
        let columns: IndexSet<String> = ["Title".to_owned()].into();
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        assert_eq!(column_of("Title", &columns, 63, same), "Title");
        assert_eq!(column_of("title", &columns, 63, same), "title_2");
        assert_eq!(column_of("title", &columns, 63, |a, b| a == b), "title");
        assert_eq!(column_of("", &columns, 63, same), "_");
        let (long, other) = ("ä".repeat(40), "ä".repeat(41));
        let [long, other] = [&long, &other].map(|name| column_of(name, &columns, 63, same));
        assert!(long.len() <= 63 && long != other, "{long} {other}");
    }
}
