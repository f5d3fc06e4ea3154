//! Tables of an SQLite file.
//!
//! Columns have no type, so each value is stored as what it is: text, number, true and false as 1
//! and 0, lists and objects as JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexSet;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use serde_json::{Map, Value};

use super::table::{
    Begin, Columns, Database, Found, Table, check_columns, column_of, list, on_conflict, quoted,
    read_back, stored,
};
use crate::FeedError;

/// How long another process may keep the file: when it is opened ..
const BUSY_AT_OPEN: Duration = Duration::from_secs(5);
/// .. and later, before the feed does other things and tries again.
const BUSY: Duration = Duration::from_millis(250);
/// SQLite has no limit for names; this one keeps them legible.
const MAX_NAME_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    connection: Option<Connection>,
    columns: Columns,
}

impl Sqlite {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: None, columns: Columns::default() }
    }

    fn connect(&self, busy: Duration) -> Result<Connection, FeedError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = fs::create_dir_all(folder);
            made.map_err(FeedError::file("create the folder of", &self.path))?;
        }
        let open = || {
            let connection = Connection::open(&self.path)?;
            connection.busy_timeout(busy)?;
            Ok(connection)
        };
        open().map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> FeedError {
        let name = self.path.display().to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                FeedError::Unreachable { name, source: error.into() }
            }
            Some(ErrorCode::DiskFull) => {
                FeedError::file("write", &self.path)(std::io::ErrorKind::StorageFull.into())
            }
            _ => FeedError::Refused { name, source: error.into() },
        }
    }
}

impl Database for Sqlite {
    fn begin(&mut self, table: &Table, fresh: bool) -> Result<Option<u64>, FeedError> {
        let mut connection = self.connect(BUSY_AT_OPEN)?;
        let error = |error| self.error(error);
        let transaction = begun(&mut connection).map_err(error)?;
        let found = find(&transaction, table).map_err(error)?;
        let begin = table.begin(&found, fresh)?;
        let ready = || {
            if begin == Begin::Cleared {
                transaction.execute_batch(&format!("DROP TABLE {}", quoted(&table.name)))?;
            }
            let all = columns_of(&transaction, table)?;
            let columns = Columns::new(all.clone(), table, &found.ours);
            let columns = add(&transaction, table, &all, columns)?;
            make_key(&transaction, table)?;
            if let Begin::Anew | Begin::Cleared = begin {
                put_cursor(&transaction, table, 0, &columns)?;
            }
            transaction.commit()?;
            Ok(columns)
        };
        let columns = ready().map_err(error)?;
        connection.busy_timeout(BUSY).map_err(error)?;
        self.columns = columns;
        self.connection = Some(connection);
        Ok(begin.after())
    }

    fn write(
        &mut self,
        table: &Table,
        rows: &[Map<String, Value>],
        n: u64,
    ) -> Result<(), FeedError> {
        // After an error it is made anew: nobody knows how the old one stands.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(BUSY)?,
        };
        let columns = self.columns.with(rows, column);
        check_columns(table, &columns)?;
        let written = || {
            let transaction = begun(&mut connection)?;
            let columns = add(&transaction, table, &self.columns.all, columns)?;
            insert(&transaction, table, &columns, rows)?;
            put_cursor(&transaction, table, n, &columns)?;
            transaction.commit()?;
            Ok(columns)
        };
        self.columns = written().map_err(|error| self.error(error))?;
        self.connection = Some(connection);
        Ok(())
    }
}

/// Takes the right to write at once: a transaction that only reads first may be refused it later.
fn begun(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn find(transaction: &Transaction<'_>, table: &Table) -> rusqlite::Result<Found> {
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS crawl_feeds \
         (name TEXT PRIMARY KEY, crawl TEXT NOT NULL, n INTEGER NOT NULL, columns TEXT NOT NULL)",
    )?;
    let cursor = "SELECT crawl, n, columns FROM crawl_feeds WHERE name = ?1";
    let cursor = transaction.query_row(cursor, [&table.name], |row| {
        Ok(((row.get(0)?, read_back(row.get(1)?)), row.get(2)?))
    });
    let (cursor, ours) = cursor.optional()?.unzip();
    let is_there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?1)";
    let is_there = transaction.query_row(is_there, [&table.name], |_| Ok(())).optional()?.is_some();
    let rows = format!("SELECT 1 FROM {} LIMIT 1", quoted(&table.name));
    let has_rows = is_there && transaction.query_row(&rows, [], |_| Ok(())).optional()?.is_some();
    Ok(Found { cursor, ours: ours.unwrap_or_default(), has_rows })
}

fn columns_of(transaction: &Transaction<'_>, table: &Table) -> rusqlite::Result<IndexSet<String>> {
    let mut statement = transaction.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([&table.name], |row| row.get(0))?.collect()
}

fn column(field: &str, columns: &IndexSet<String>) -> String {
    column_of(field, columns, MAX_NAME_BYTES, |a, b| a.eq_ignore_ascii_case(b))
}

/// Makes the columns that the table has not, with the first of them the table, and its key.
fn add(
    transaction: &Transaction<'_>,
    table: &Table,
    there: &IndexSet<String>,
    mut columns: Columns,
) -> rusqlite::Result<Columns> {
    let name = quoted(&table.name);
    columns.all.extend(columns.ours.iter().cloned());
    let new: Vec<&String> = columns.all.iter().filter(|column| !there.contains(*column)).collect();
    if new.is_empty() {
        return Ok(columns);
    }
    if there.is_empty() {
        transaction.execute_batch(&format!("CREATE TABLE {name} ({})", list(new)))?;
    } else {
        for column in new {
            let sql = format!("ALTER TABLE {name} ADD COLUMN {}", quoted(column));
            transaction.execute_batch(&sql)?;
        }
    }
    Ok(columns)
}

/// Without such an index no row could take the place of another.
fn make_key(transaction: &Transaction<'_>, table: &Table) -> rusqlite::Result<()> {
    if table.key.is_empty() {
        return Ok(());
    }
    let index = quoted(&format!("{}_crawl_key", table.name));
    let (name, key) = (quoted(&table.name), list(&table.key));
    transaction
        .execute_batch(&format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {name} ({key})"))
}

fn insert(
    transaction: &Transaction<'_>,
    table: &Table,
    columns: &Columns,
    rows: &[Map<String, Value>],
) -> rusqlite::Result<()> {
    let Columns { all, ours } = columns;
    if rows.is_empty() {
        return Ok(());
    }
    let marks = vec!["?"; ours.len()].join(", ");
    let mut statement = transaction.prepare(&format!(
        "INSERT INTO {} ({}) VALUES ({marks}){}",
        quoted(&table.name),
        list(ours),
        on_conflict(&table.key, ours)
    ))?;
    for row in rows {
        let mut cells = vec![Cell::Null; ours.len()];
        for (field, value) in row {
            if let Some(at) = ours.get_index_of(&column(field, all)) {
                cells[at] = cell(value);
            }
        }
        statement.execute(rusqlite::params_from_iter(cells))?;
    }
    Ok(())
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(is) => Cell::Integer((*is).into()),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Cell::Integer(integer),
            // Greater integers would lose digits.
            (None, Some(real)) if number.is_f64() => Cell::Real(real),
            (None, _) => Cell::Text(number.to_string()),
        },
        Value::Array(_) | Value::Object(_) => Cell::Text(value.to_string()),
    }
}

fn put_cursor(
    transaction: &Transaction<'_>,
    table: &Table,
    n: u64,
    columns: &Columns,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO crawl_feeds (name, crawl, n, columns) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (name) DO UPDATE \
               SET crawl = excluded.crawl, n = excluded.n, columns = excluded.columns";
    let values = rusqlite::params![table.name, table.crawl, stored(n), columns.ours_json()];
    transaction.execute(sql, values).map(drop)
}
