//! Which items are whole at a settle, and what became of the files that they ask for: from the
//! description, not from the readers.
//!
//! An item that asks for files is whole at the settle of the last of them; one that asks for none,
//! at its page's. A file that redirected leads to another (`l`), and who waits for a file stands
//! under it (`w`).

use std::collections::HashSet;

use crawl_model::{AskedFile, Request, Verdict};
use serde_json::{Map, Value, json};

use super::super::bytes::be_u64;
use super::super::finding::Finding;
use super::super::fold::Slice;
use super::super::pages::{Broken, Record, page_key};
use super::super::parts::{Gathered, Parts, pieces};
use super::super::told::Told;

/// Redirects that are followed from file to file.
const MOST_HOPS: usize = 32;

/// An item, and the page that it is of.
pub(super) struct Whole {
    pub(super) json: Vec<u8>,
    /// What became of its files, a row each; empty if it asks for none.
    pub(super) files: Vec<Value>,
    pub(super) url: String,
}

/// The items that are whole at settle `n`, which is of `print`, and at none before.
pub(super) fn at(tree: &sled::Db, n: u64, print: u64) -> Result<Vec<Whole>, Broken> {
    let mut all = Vec::new();
    let Some(record) = record(tree, print)?.filter(|record| record.n == n) else { return Ok(all) };
    of_page(tree, n, print, &record, &mut all)?;
    if Request::file_kind_of(&record.label).is_none() {
        return Ok(all);
    }
    let (mut files, mut next, mut seen) = (vec![print], 0, HashSet::new());
    while let Some(&file) = files.get(next) {
        next += 1;
        for entry in tree.scan_prefix(key(b'w', file)) {
            let (key, _) = entry?;
            let Some(page) = be_u64(&key, 9).filter(|page| seen.insert(*page)) else { continue };
            match self::record(tree, page)? {
                Some(record) if Request::file_kind_of(&record.label).is_some() => files.push(page),
                Some(record) => of_page(tree, n, page, &record, &mut all)?,
                None => {}
            }
        }
    }
    Ok(all)
}

fn of_page(
    tree: &sled::Db,
    n: u64,
    print: u64,
    record: &Record,
    all: &mut Vec<Whole>,
) -> Result<(), Broken> {
    if record.n_items == 0 || (record.n_files == 0 && record.n != n) {
        return Ok(());
    }
    let items = gathered(tree, b'I', print)?;
    let asked = gathered(tree, b'a', print)?;
    let asked = pieces(&asked).unwrap_or_default();
    // The first one says what they are.
    for (at, json) in pieces(&items).unwrap_or_default().into_iter().skip(1).enumerate() {
        let asked = asked.get(at).filter(|list| !list.is_empty());
        let asked = asked.and_then(|list| serde_json::from_slice::<Vec<AskedFile>>(list).ok());
        let mut last = Some(record.n);
        let mut files = Vec::new();
        for file in asked.unwrap_or_default() {
            let (settle, row) = fate(tree, &file)?;
            last = last.zip(settle).map(|(a, b)| a.max(b));
            files.push(row);
        }
        if last == Some(n) {
            all.push(Whole { json: json.to_vec(), files, url: record.url.to_string() });
        }
    }
    Ok(())
}

/// The settle at which a file had ended, `None` if it has not, and what an item says of it.
fn fate(tree: &sled::Db, file: &AskedFile) -> Result<(Option<u64>, Value), Broken> {
    let mut row = json!({"url": file.url.without_credentials().as_str()});
    if !file.field.is_empty() {
        row["field"] = (*file.field).into();
    }
    if let Some(reason) = file.kept_out {
        row["verdict"] = "filtered".into();
        row["error"] = reason.name().into();
        return Ok((Some(0), row));
    }
    let (mut settle, mut print) = (0, file.print.0);
    let mut last = None;
    for _ in 0..MOST_HOPS {
        let Some(json) = tree.get(page_key(print))? else {
            row["verdict"] = "queued".into();
            return Ok((None, row));
        };
        let Ok(record) = serde_json::from_slice::<Map<String, Value>>(&json) else { break };
        settle = settle.max(record.get("n").and_then(Value::as_u64).unwrap_or(0));
        let is_redirect = record.get("verdict") == Some(&json!(Verdict::Redirected));
        last = Some(record);
        let lead = if is_redirect { tree.get(key(b'l', print))? } else { None };
        match lead.and_then(|value| be_u64(&value, 0)) {
            Some(next) => print = next,
            None => break,
        }
    }
    if let Some(record) = last {
        ended(&record, &mut row);
    }
    Ok((Some(settle), row))
}

/// What the record of a file that has ended says of it.
fn ended(record: &Map<String, Value>, row: &mut Value) {
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(value) = value {
            row[name] = value.clone();
        }
    };
    put("verdict", record.get("verdict"));
    let Some(file) = record.get("file") else {
        if let Some(lost) = record.get("body_lost") {
            put("verdict", Some(&"lost".into()));
            put("error", Some(lost));
            return;
        }
        put("status", record.get("status"));
        put("error", record.get("error"));
        return;
    };
    let nothing = Value::from("");
    put("bytes", record.get("bytes"));
    put("type", Some(file.get("type").unwrap_or(&nothing)));
    for name in ["path", "sha256", "width", "height"] {
        put(name, file.get(name));
    }
}

fn record(tree: &sled::Db, print: u64) -> Result<Option<Record>, sled::Error> {
    let json = tree.get(page_key(print))?;
    Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
}

fn key(tag: u8, print: u64) -> [u8; 9] {
    let mut key = page_key(print);
    key[0] = tag;
    key
}

fn gathered(tree: &sled::Db, tag: u8, print: u64) -> Result<Gathered, Broken> {
    let mut parts = Parts::new(tree, tag, "", Slice { first: print, last: print });
    let mut deaf = |_: &Finding| {};
    Ok(parts.take(print, &mut Told::new(&mut deaf))?.unwrap_or_default())
}
