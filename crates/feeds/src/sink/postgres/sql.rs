//! What is asked of PostgreSQL.

use indexmap::{IndexMap, IndexSet};
use postgres::Transaction;
use serde_json::{Map, Value};

use super::MAX_NAME_BYTES;
use crate::sink::table::{
    Columns, Found, Table, column_of, list, on_conflict, quoted, read_back, stored,
};

/// What is there of a table; also whether a feed made it.
pub(super) fn find(
    transaction: &mut Transaction<'_>,
    table: &Table,
) -> Result<(Found, bool), postgres::Error> {
    transaction.batch_execute(
        "CREATE TABLE IF NOT EXISTS crawl_feeds (name text PRIMARY KEY, crawl text NOT NULL, \
         n bigint NOT NULL, columns text NOT NULL, made boolean NOT NULL)",
    )?;
    let sql = "SELECT crawl, n, columns, made FROM crawl_feeds WHERE name = $1 FOR UPDATE";
    let row = transaction.query_opt(sql, &[&table.name])?;
    let cursor = row.as_ref().map(|row| (row.get(0), read_back(row.get(1))));
    let name = quoted(&table.name);
    let is_there = "SELECT to_regclass($1) IS NOT NULL";
    let is_there: bool = transaction.query_one(is_there, &[&name])?.get(0);
    let has_rows = is_there && {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {name})");
        transaction.query_one(&sql, &[])?.get(0)
    };
    let is_made = is_there && row.as_ref().is_some_and(|row| row.get(3));
    let ours = row.map(|row| row.get(2)).unwrap_or_default();
    Ok((Found { cursor, ours, has_rows }, is_made))
}

/// The table's columns in order, each with its type.
pub(super) fn types_of(
    transaction: &mut Transaction<'_>,
    table: &Table,
) -> Result<IndexMap<String, String>, postgres::Error> {
    let sql = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
               WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let rows = transaction.query(sql, &[&quoted(&table.name)])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Makes the index that `ON CONFLICT` needs, unless there is one.
pub(super) fn make_key(
    transaction: &mut Transaction<'_>,
    table: &Table,
) -> Result<(), postgres::Error> {
    if table.key.is_empty() {
        return Ok(());
    }
    let name = quoted(&table.name);
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass($1) \
               AND i.indisunique AND i.indpred IS NULL AND i.indnatts = cardinality($2::text[]) \
               AND (SELECT array_agg(a.attname::text) FROM pg_attribute a \
                    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) <@ $2::text[])";
    let has: bool = transaction.query_one(sql, &[&name, &table.key])?.get(0);
    if has {
        return Ok(());
    }
    let index = format!("{}_crawl_key", table.name);
    let index = column_of(&index, &IndexSet::new(), MAX_NAME_BYTES, |a, b| a == b);
    let (index, key) = (quoted(&index), list(&table.key));
    transaction.batch_execute(&format!("CREATE UNIQUE INDEX {index} ON {name} ({key})"))
}

/// Of several rows with one key the last counts; a row without a key is one by itself.
pub(super) fn insert(
    transaction: &mut Transaction<'_>,
    table: &Table,
    columns: &Columns,
    rows: &[Map<String, Value>],
) -> Result<(), postgres::Error> {
    let json = Value::from_iter(rows.iter().cloned()).to_string();
    let of_row = |column: &String| format!("r.{}", quoted(column));
    let values = columns.ours.iter().map(of_row).collect::<Vec<_>>().join(", ");
    let key: Vec<String> = table.key.iter().map(of_row).collect();
    let (distinct, order) = match key.is_empty() {
        true => (String::new(), "e.at".to_owned()),
        false => {
            let nulls: Vec<_> = key.iter().map(|column| format!("{column} IS NULL")).collect();
            let by = format!("{}, CASE WHEN {} THEN e.at END", key.join(", "), nulls.join(" OR "));
            (format!("DISTINCT ON ({by}) "), format!("{by}, e.at DESC"))
        }
    };
    let sql = format!(
        "INSERT INTO {name} ({columns}) SELECT {distinct}{values} \
         FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS e (item, at), \
         LATERAL jsonb_populate_record(NULL::{name}, e.item) AS r ORDER BY {order}{on_conflict}",
        name = quoted(&table.name),
        columns = list(&columns.ours),
        on_conflict = on_conflict(&table.key, &columns.ours),
    );
    transaction.execute(&sql, &[&json]).map(drop)
}

pub(super) fn put_cursor(
    transaction: &mut Transaction<'_>,
    table: &Table,
    n: u64,
    columns: &Columns,
    is_made: bool,
) -> Result<(), postgres::Error> {
    let sql = "INSERT INTO crawl_feeds (name, crawl, n, columns, made) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (name) DO UPDATE SET crawl = excluded.crawl, n = excluded.n, \
               columns = excluded.columns, made = excluded.made";
    let (n, ours) = (stored(n), columns.ours_json());
    transaction.execute(sql, &[&table.name, &table.crawl, &n, &ours, &is_made]).map(drop)
}
