//! Tables of PostgreSQL.
//!
//! Rows go out as one JSON text per statement, and the server makes of them what its columns are
//! (`jsonb_populate_record`). A column that a feed adds is `text`, `numeric`, `boolean` or `jsonb` by
//! its first value, and becomes `text` if another kind comes later; of a table that was there before
//! nothing is changed but that columns are added.
//!
//! The connection may break at any moment, also while a transaction is being committed, when nobody
//! knows whether it was: the next attempt looks at the cursor first.

mod client;
mod sql;

use std::fmt;

use indexmap::{IndexMap, IndexSet};
use postgres::{Client, Transaction};
use serde_json::{Map, Value};

use super::table::{Begin, Columns, Database, Table, check_columns, column_of, quoted};
use crate::{FeedConfig, FeedError};
use sql::{find, insert, make_key, put_cursor, types_of};

/// Longest name; the server cuts longer ones (NAMEDATALEN).
const MAX_NAME_BYTES: usize = 63;

pub(super) struct Postgres {
    /// For people.
    name: String,
    url: String,
    client: Option<Client>,
    columns: Columns,
    /// The type of each column.
    types: IndexMap<String, String>,
    /// Whether the table is one that a feed made.
    is_made: bool,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    /// The client waits when it ends, which no thread of a runtime may do; this may be one.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // It ends one way or another.
            let _ = std::thread::spawn(move || drop(client)).join();
        }
    }
}

impl Postgres {
    pub(super) fn new(url: &str, config: &FeedConfig) -> Result<Self, FeedError> {
        Ok(Self {
            name: config.name(),
            url: url.to_owned(),
            client: None,
            columns: Columns::default(),
            types: IndexMap::new(),
            is_made: false,
        })
    }

    fn connect(&self) -> Result<Client, FeedError> {
        client::connect(&self.url, &self.name)
    }

    /// What is there by now: types and columns.
    fn look(
        &mut self,
        transaction: &mut Transaction<'_>,
        table: &Table,
        ours: &str,
    ) -> Result<(), postgres::Error> {
        self.types = types_of(transaction, table)?;
        let columns = Columns::new(self.types.keys().cloned().collect(), table, ours);
        // Others are made when they have a value, which says what they are.
        let ours = columns.ours.iter().filter(|column| columns.all.contains(*column)).cloned();
        self.columns = Columns { ours: ours.collect(), all: columns.all };
        Ok(())
    }

    /// Makes the table, columns and types fit for `rows`; returns the columns.
    fn fit(
        &self,
        transaction: &mut Transaction<'_>,
        table: &Table,
        columns: Columns,
        rows: &[Map<String, Value>],
    ) -> Result<Columns, postgres::Error> {
        let kinds = kinds_of(rows);
        let name = quoted(&table.name);
        let kind = |column: &String| kinds.get(column.as_str()).copied().unwrap_or(Kind::Text);
        let new: Vec<&String> =
            columns.all.iter().filter(|column| !self.types.contains_key(*column)).collect();
        if self.types.is_empty() && !new.is_empty() {
            let definitions = new.iter().map(|column| definition(column, kind(column)));
            let definitions = definitions.collect::<Vec<_>>().join(", ");
            transaction.batch_execute(&format!("CREATE TABLE {name} ({definitions})"))?;
        } else {
            for column in new {
                let definition = definition(column, kind(column));
                transaction
                    .batch_execute(&format!("ALTER TABLE {name} ADD COLUMN {definition}"))?;
            }
        }
        let is_made = self.is_made || self.types.is_empty();
        for (column, kind) in kinds.iter().filter(|_| is_made) {
            let has = self.types.get(*column).map(String::as_str);
            if matches!((has, kind.sql()), (Some("numeric" | "boolean"), sql) if has != Some(sql)) {
                let column = quoted(column);
                transaction.batch_execute(&format!(
                    "ALTER TABLE {name} ALTER COLUMN {column} TYPE text USING {column}::text"
                ))?;
            }
        }
        Ok(columns)
    }
}

impl Database for Postgres {
    fn begin(&mut self, table: &Table, fresh: bool) -> Result<Option<u64>, FeedError> {
        let mut client = self.connect()?;
        let name = self.name.clone();
        let error = |error| client::error(&name, error);
        let mut transaction = client.transaction().map_err(error)?;
        let (found, is_made) = find(&mut transaction, table).map_err(error)?;
        let begin = table.begin(&found, fresh)?;
        if begin == Begin::Cleared {
            let sql = format!("DELETE FROM {}", quoted(&table.name));
            transaction.batch_execute(&sql).map_err(error)?;
        }
        self.is_made = is_made;
        self.look(&mut transaction, table, &found.ours).map_err(error)?;
        if let Begin::Anew | Begin::Cleared = begin {
            put_cursor(&mut transaction, table, 0, &self.columns, is_made).map_err(error)?;
        }
        transaction.commit().map_err(error)?;
        self.client = Some(client);
        Ok(begin.after())
    }

    fn write(
        &mut self,
        table: &Table,
        rows: &[Map<String, Value>],
        n: u64,
    ) -> Result<(), FeedError> {
        let is_again = self.client.is_none();
        let mut client = match self.client.take() {
            Some(client) => client,
            None => self.connect()?,
        };
        let name = self.name.clone();
        let error = |error| client::error(&name, error);
        let mut transaction = client.transaction().map_err(error)?;
        if is_again {
            let (found, is_made) = find(&mut transaction, table).map_err(error)?;
            self.is_made = is_made;
            self.look(&mut transaction, table, &found.ours).map_err(error)?;
            if found.cursor.is_some_and(|(crawl, at)| crawl == table.crawl && at >= n) {
                // The attempt before had worked, and only its answer was lost.
                drop(transaction);
                self.client = Some(client);
                return Ok(());
            }
        }
        let rows = as_columns(rows, &self.columns.all);
        let mut columns = self.columns.with(&rows, |field, _| field.to_owned());
        if !rows.is_empty() {
            // Without them no row could take the place of another.
            for column in &table.key {
                columns.all.insert(column.clone());
                columns.ours.insert(column.clone());
            }
        }
        check_columns(table, &columns)?;
        let is_made = self.is_made || (self.types.is_empty() && !columns.all.is_empty());
        let written = self.fit(&mut transaction, table, columns, &rows).and_then(|columns| {
            if !rows.is_empty() {
                make_key(&mut transaction, table)?;
                insert(&mut transaction, table, &columns, &rows)?;
            }
            put_cursor(&mut transaction, table, n, &columns, is_made)?;
            let types = types_of(&mut transaction, table)?;
            Ok((columns, types))
        });
        let (columns, types) = written.map_err(error)?;
        transaction.commit().map_err(error)?;
        self.client = Some(client);
        (self.columns, self.types, self.is_made) = (columns, types, is_made);
        Ok(())
    }
}

/// What a value is to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Numeric,
    Boolean,
    Json,
}

impl Kind {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(_) => Some(Self::Numeric),
            Value::String(_) => Some(Self::Text),
            Value::Array(_) | Value::Object(_) => Some(Self::Json),
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Numeric => "numeric",
            Self::Boolean => "boolean",
            Self::Json => "jsonb",
        }
    }
}

fn definition(column: &str, kind: Kind) -> String {
    format!("{} {}", quoted(column), kind.sql())
}

/// What the columns of `rows` are; text if their values are of several kinds.
fn kinds_of(rows: &[Map<String, Value>]) -> IndexMap<&str, Kind> {
    let mut kinds: IndexMap<&str, Kind> = IndexMap::new();
    for (column, value) in rows.iter().flatten() {
        if let Some(kind) = Kind::of(value) {
            let known = kinds.entry(column).or_insert(kind);
            if *known != kind {
                *known = Kind::Text;
            }
        }
    }
    kinds
}

/// Rows under the names of their columns, without what is null.
fn as_columns(rows: &[Map<String, Value>], there: &IndexSet<String>) -> Vec<Map<String, Value>> {
    let column = |field: &str| column_of(field, there, MAX_NAME_BYTES, |a, b| a == b);
    let row = |row: &Map<String, Value>| {
        let cells = row.iter().filter(|(_, value)| !value.is_null());
        cells.map(|(field, value)| (column(field), without_nul(value))).collect()
    };
    rows.iter().map(row).collect()
}

/// PostgreSQL has no NUL in texts.
fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "\u{FFFD}").into(),
        Value::Array(list) => list.iter().map(without_nul).collect(),
        Value::Object(fields) => {
            let clean = |(name, value): (&String, &Value)| {
                (name.replace('\0', "\u{FFFD}"), without_nul(value))
            };
            Value::Object(fields.iter().map(clean).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
