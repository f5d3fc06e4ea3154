//! Mends what can be mended: takes away what leads nowhere, and makes anew what is made of
//! something else. Nothing that is good is lost, and nothing that was lost is made up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crawl_model::ItemKeys;
use serde_json::Value;

use super::bytes::{be_u64, numbers};
use super::files::{journal_head, manifest_line};
use super::finding::Finding;
use super::fold::Slice;
use super::items::{self, Keyed, Kinds, ROW, Shelf};
use super::pages::{Record, page_key};
use super::parts::Parts;
use super::told::{Fixes, Told};
use crate::archive::mend;
use crate::database::Database;
use crate::seal::Batch;
use crate::{StoreError, crash};

/// Changes in one batch.
const BATCH: usize = 1000;

/// Mends; says what was done, and whether there was more to do than is remembered.
pub(super) fn repair(
    root: &Path,
    tree: &sled::Db,
    fixes: Fixes,
) -> Result<(Vec<String>, bool), StoreError> {
    let db = Database::of(tree.clone());
    let mut done = Vec::new();
    let is_more = fixes.is_more;
    // First: what is fetched again would else be taken for them.
    for path in &fixes.bad_files {
        match fs::remove_file(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            removed => removed.map_err(StoreError::file("remove", path))?,
        }
        done.push(format!("{} was removed: it is not what was written", path.display()));
    }
    // Before what says which pages had them: a repair that is killed is done once more.
    if !fixes.lost_files.is_empty() {
        let n = unpoint(tree, &db, fixes.lost_files, "file")?;
        done.push(format!(
            "{n} URLs of items' files have lost their file: their records say why (`body_lost`), \
             and the next run fetches them again"
        ));
    }
    if !fixes.values.is_empty() {
        let n = fixes.values.len();
        // A value may be noted by two findings; a key is there once.
        for chunk in fixes.values.into_iter().collect::<Vec<_>>().chunks(BATCH) {
            let mut batch = Batch::default();
            for (key, value) in chunk {
                match value {
                    Some(value) => batch.insert(&**key, &**value),
                    None => batch.remove(&**key),
                }
            }
            db.commit(batch)?;
        }
        done.push(format!("{n} values of the database were removed or counted anew"));
    }
    if !fixes.bodies.is_empty() {
        let n = unpoint(tree, &db, fixes.bodies, "body")?;
        done.push(format!("{n} pages have lost their bodies; their records say why (`body_lost`)"));
    }
    if fixes.item_keys {
        let n = rebuild_item_keys(tree, &db, &fixes.unread)?;
        done.push(format!("the index of item keys was made anew, with {n} keys"));
    }
    if fixes.seal {
        db.seal_anew()?;
        done.push("the seal was made anew over what is there".to_owned());
    }
    let last = tree.get("Mtotals").map_err(StoreError::database("read"))?;
    let last = last.and_then(|value| numbers(&value)?.first().copied()).unwrap_or(0);
    if fixes.manifest {
        write(&root.join("manifest"), manifest_line(last).as_bytes())?;
        done.push("the manifest was written anew".to_owned());
    }
    if fixes.journal {
        let epoch = tree.get("Mepoch").map_err(StoreError::database("read"))?;
        let epoch = epoch.and_then(|value| numbers(&value)?.first().copied()).unwrap_or(0);
        write(&root.join("open"), &journal_head(epoch))?;
        done.push("the slot journal was begun anew".to_owned());
    }
    if fixes.runs {
        done.push(rewrite_runs(root, tree, &db)?);
    }
    if fixes.tables {
        let path = root.join("frontier");
        // The checkpoint first: it names the others.
        for removed in [fs::remove_file(path.join("checkpoint")), fs::remove_dir_all(&path)] {
            match removed {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::file("remove", &path)(e));
                }
                _ => {}
            }
        }
        done.push("the frontier's tables were removed; the next run makes them anew".to_owned());
    }
    for path in fixes.files {
        match fs::remove_file(&path) {
            // With the tables, say.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            removed => removed.map_err(StoreError::file("remove", &path))?,
        }
        done.push(format!("{} was removed: nothing speaks of it", path.display()));
    }
    for (path, len) in fixes.cuts {
        let file = OpenOptions::new().write(true).open(&path);
        let cut = file.and_then(|file| file.set_len(len));
        cut.map_err(StoreError::file("cut", &path))?;
        done.push(format!("{} was cut to {len} bytes", path.display()));
    }
    // Last: it makes files, and what nothing speaks of is gone by now.
    if !fixes.harms.is_empty() {
        done.extend(mend(root, &db, fixes.harms)?);
    }
    Ok((done, is_more))
}

/// Marks a folder as a crawl's again.
pub(super) fn mark(root: &Path) -> Result<String, StoreError> {
    let path = root.join("lock");
    let line = format!("crawl-store {:<10}\n", 0);
    fs::write(&path, line).map_err(StoreError::file("write", &path))?;
    Ok("the file `lock` says again that this is a crawl's folder".to_owned())
}

/// Takes the pointers out of pages that have lost what `field` names, their body or their file. Files
/// are noted as to be fetched again.
fn unpoint(
    tree: &sled::Db,
    db: &Database,
    pages: BTreeMap<u64, String>,
    field: &str,
) -> Result<usize, StoreError> {
    let pages: Vec<_> = pages.into_iter().collect();
    for pages in pages.chunks(BATCH) {
        let mut batch = Batch::default();
        for (print, why) in pages {
            let key = page_key(*print);
            let json = tree.get(key).map_err(StoreError::database("read"))?;
            let record = json.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
            if let Some(Value::Object(mut record)) = record {
                record.shift_remove(field);
                record.insert("body_lost".to_owned(), why.as_str().into());
                batch.insert(&key, Value::Object(record).to_string().into_bytes());
                if field == "file" {
                    batch.insert([b"L", &print.to_be_bytes()[..]].concat(), &[][..]);
                }
            }
        }
        db.commit(batch)?;
        crash::point("mend-unpointed");
    }
    Ok(pages.len())
}

/// Makes the index of the pages' lists. Of two pages with one key that one may have, the first has
/// it. What there is of `unread` pages stays.
fn rebuild_item_keys(
    tree: &sled::Db,
    db: &Database,
    unread: &BTreeSet<u64>,
) -> Result<u64, StoreError> {
    let stays = |print: Option<u64>| print.is_some_and(|print| unread.contains(&print));
    for entry in tree.scan_prefix(b"K") {
        let (key, _) = entry.map_err(StoreError::database("read"))?;
        if !stays(be_u64(&key, 17)) {
            tree.remove(key).map_err(StoreError::database("write to"))?;
        }
    }
    let identity = tree.get("Midentity").map_err(StoreError::database("read"))?;
    let identity = identity.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    let secret = identity.and_then(|identity| {
        serde_json::from_value::<[u8; 16]>(identity.get("secret")?.clone()).ok()
    });
    let (mut n, mut last, keys) = (0, None, ItemKeys::new(secret.unwrap_or_default()));
    for entry in tree.scan_prefix(b"k") {
        let (key, _) = entry.map_err(StoreError::database("read"))?;
        let Some(print) = be_u64(&key, 1).filter(|print| last != Some(*print)) else { continue };
        last = Some(print);
        if stays(last) {
            continue;
        }
        let rows = rows_of(tree, print, keys).map_err(StoreError::database("read"))?;
        let mut batch = Batch::default();
        for row in rows {
            let places = [b"K", &row[..16]].concat();
            let is_taken = tree.scan_prefix(places).next().is_some();
            if !is_taken || be_u64(&row, 24) != Some(0) {
                batch.insert([b"K", &row[..24]].concat(), Keyed::value_of(&row));
                n += 1;
            }
        }
        db.commit(batch)?;
    }
    Ok(n)
}

/// What the index has to say of the keys of a page; nothing if its lists are damaged, which has
/// been told.
fn rows_of(tree: &sled::Db, print: u64, keys: ItemKeys) -> Result<Vec<[u8; ROW]>, sled::Error> {
    let mut deaf = |_: &Finding| {};
    let mut told = Told::new(&mut deaf);
    let slice = Slice { first: print, last: print };
    let mut of = |tag| Parts::new(tree, tag, "parts", slice).take(print, &mut told);
    let (items, listed) = (of(b'I')?.unwrap_or_default(), of(b'k')?.unwrap_or_default());
    let record = tree.get(page_key(print))?;
    let record = record.and_then(|json| serde_json::from_slice::<Record>(&json).ok());
    let fetched_ms = record.map_or(0, |record| record.fetched_ms);
    let shelf = Shelf::read(&items, fetched_ms).unwrap_or_default();
    let all = items::keyed(&listed, &shelf, keys, &Kinds::default()).unwrap_or_default();
    Ok(all.iter().map(|keyed| keyed.row(print)).collect())
}

/// The file of the database, or the other way round: whichever tells of more runs is right.
fn rewrite_runs(root: &Path, tree: &sled::Db, db: &Database) -> Result<String, StoreError> {
    let mut stored = Vec::new();
    for entry in tree.scan_prefix(b"Mrun/") {
        let (_, json) = entry.map_err(StoreError::database("read"))?;
        stored.extend(serde_json::from_slice::<Value>(&json));
    }
    let path = root.join("runs");
    let file = fs::read(&path).ok();
    let file = file.and_then(|json| serde_json::from_slice::<Vec<Value>>(&json).ok());
    if let Some(runs) = file.filter(|runs| runs.len() > stored.len()) {
        let mut batch = Batch::default();
        for run in &runs {
            let number = run["number"].as_u64().unwrap_or(0);
            batch.insert(format!("Mrun/{number:020}").as_bytes(), run.to_string().into_bytes());
        }
        db.commit(batch)?;
        return Ok("ended runs were taken over from the file `runs`".to_owned());
    }
    write(&path, Value::Array(stored).to_string().as_bytes())?;
    Ok("the file `runs` was written anew".to_owned())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(StoreError::file("write", path))
}
