//! The pages' pointers into the body files, and the files against them.
//!
//! The pointers are sorted by where they lead, so each file is read once from end to end. What is
//! read is any WARC of version 1.0 or 1.1 (ISO 28500), one record a member, by gzip or zstd.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::bytes::{fnv, numbers};
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::pages::{Broken, Record, page_key};
use super::pointers::{HAS_STATUS, IS_ORIGINAL, IS_TRUNCATED, OPEN, Pointers, ROW, Row};
use super::record::{RecordKind, Seen, without_credentials};
use super::revisits::Revisits;
use super::told::Told;
use super::warc;
use crate::sort::Sorted;

/// Checks all body files.
pub(super) fn check(
    root: &Path,
    tree: &sled::Db,
    pointers: Pointers,
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    let dir = root.join("bodies");
    let committed = committed(tree, told)?;
    let on_disk = on_disk(&dir)?;
    let Pointers { names, rows } = pointers;
    let numbers: BTreeMap<u32, String> = names.iter().map(|(name, n)| (*n, name.clone())).collect();
    let mut check = Check { dir: &dir, tree, told, revisits: Revisits::new() };
    let mut rows = rows.sorted()?;
    let mut pointed_at = BTreeSet::new();
    while let Some(row) = rows.peek() {
        let file = Row::decode(row).file;
        let Some(name) = numbers.get(&file) else { break };
        pointed_at.insert(name.clone());
        let state = State { committed: committed.get(name).copied(), disk: on_disk.get(name) };
        check.file(name, state, Some((file, &mut rows)))?;
    }
    let others: BTreeSet<&String> = committed.keys().chain(on_disk.keys()).collect();
    for name in others.into_iter().filter(|name| !pointed_at.contains(*name)) {
        let state = State { committed: committed.get(name).copied(), disk: on_disk.get(name) };
        check.file(name, state, None)?;
    }
    check.revisits.resolve(check.told)
}

/// What the database and the folder say of a file.
struct State<'a> {
    committed: Option<u64>,
    /// Its name in the folder, and its length.
    disk: Option<&'a (String, u64)>,
}

struct Check<'a, 't> {
    dir: &'a Path,
    tree: &'a sled::Db,
    told: &'a mut Told<'t>,
    revisits: Revisits,
}

type Rows<'a> = Option<(u32, &'a mut Sorted<ROW>)>;

impl Check<'_, '_> {
    fn file(&mut self, name: &str, state: State<'_>, mut rows: Rows<'_>) -> Result<(), Broken> {
        let place = format!("bodies/{name}");
        let Some((real_name, found)) = state.disk else {
            let n = self.lose_all(&mut rows, u64::MAX)?;
            let what = format!("it is not there; {n} pages point into it");
            self.told.tell(Finding::new(Kind::MissingBodySegment, what).in_file(place));
            self.told.fixes.put(format!("Mwarc/{name}"), None);
            return Ok(());
        };
        let Some(committed) = state.committed else {
            return self.unknown(name, real_name, *found, rows);
        };
        if *found > committed {
            let what = format!("{} bytes of a commit that did not end", found - committed);
            self.told
                .tell(Finding::new(Kind::UncommittedBodies, what).in_file(&place).at(committed));
        }
        let len = committed.min(*found);
        let end = self.walk(name, real_name, len, &mut rows)?;
        // Whoever points behind the end points to nothing.
        let n = self.lose_all(&mut rows, u64::MAX)?;
        if *found < committed {
            let what = format!(
                "it ends here, and {committed} bytes were committed; {n} pages point behind that"
            );
            self.told.tell(Finding::new(Kind::BodySegmentShort, what).in_file(place).at(*found));
            self.told.fixes.put(format!("Mwarc/{name}"), Some(encode(&[end])));
        }
        Ok(())
    }

    /// A file of which no commit speaks.
    fn unknown(
        &mut self,
        name: &str,
        real_name: &str,
        found: u64,
        mut rows: Rows<'_>,
    ) -> Result<(), Broken> {
        let place = format!("bodies/{name}");
        if rows.is_none() {
            let what = "no commit speaks of it, and no page points into it";
            self.told.tell(Finding::new(Kind::Leftover, what).in_file(place));
            // Named like one of the writer's, which would remove it, too.
            let digits = name.split('.').next().unwrap_or_default();
            if digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                self.told.fixes.files.push(self.dir.join(real_name));
            }
            return Ok(());
        }
        let what = "pages point into it, and the database has no length of it";
        self.told.tell(Finding::new(Kind::BodySegmentUnknown, what).in_file(place));
        let end = self.walk(name, real_name, found, &mut rows)?;
        self.lose_all(&mut rows, u64::MAX)?;
        self.told.fixes.put(format!("Mwarc/{name}"), Some(encode(&[end])));
        Ok(())
    }

    /// Reads `len` bytes of a file, record by record; returns where the last whole one ends.
    fn walk(
        &mut self,
        name: &str,
        real_name: &str,
        len: u64,
        rows: &mut Rows<'_>,
    ) -> Result<u64, Broken> {
        let place = format!("bodies/{name}");
        let mut file = warc::Reader::open(&self.dir.join(real_name), name, len)?;
        let (mut info, mut n_dead, mut end, mut first) = (None, 0_u64, 0, true);
        loop {
            let start = file.at();
            self.lose_all(rows, start)?;
            let seen = match file.next() {
                None => break,
                Some(Ok(seen)) => seen,
                Some(Err(what)) => {
                    let kind = Kind::BodySegmentDamaged;
                    self.told.tell(Finding::new(kind, what).in_file(&place).at(start));
                    self.lose_all(rows, start + 1)?;
                    first = false;
                    let Some(next) = next_offset(rows).filter(|next| *next < len) else { break };
                    file.go_to(next)?;
                    continue;
                }
            };
            self.told.sums.records += 1;
            end = file.at();
            if first {
                (info, first) = (seen.id.clone(), false);
                if seen.kind != RecordKind::Info {
                    let what = "its first record is no `warcinfo`";
                    self.told.tell(Finding::new(Kind::BodySegmentDamaged, what).in_file(&place));
                }
            }
            for problem in problems(&seen, info.as_deref()) {
                let (kind, what) = problem;
                self.told.tell(Finding::new(kind, what).in_file(&place).at(start));
            }
            self.revisits.note(&seen, &place, start)?;
            let is_bad = seen.is_digest_wrong();
            let n = self.meet(rows, &place, start, end, &seen, is_bad)?;
            n_dead += u64::from(n == 0 && seen.kind.is_answer());
        }
        if n_dead > 0 {
            let what = format!("no page points to {n_dead} of its records");
            self.told.tell(Finding::new(Kind::DeadRecords, what).in_file(&place));
        }
        Ok(end)
    }

    /// Takes the pointers to places before `offset`, where nothing begins; returns how many.
    fn lose_all(&mut self, rows: &mut Rows<'_>, offset: u64) -> Result<u64, Broken> {
        let mut n = 0;
        while let Some(row) = take_if(rows, |row| row.offset < offset)? {
            n += 1;
            let what = format!(
                "its body should be in bodies/{} at byte {}, where no record begins",
                self.name_of_file(row),
                row.offset
            );
            self.tell_of(Kind::MissingBody, &row, what)?;
        }
        Ok(n)
    }

    fn name_of_file(&self, row: Row) -> String {
        let pointer = self.record(row.print).and_then(|record| record.body);
        pointer.map_or_else(|| format!("file {}", row.file), |pointer| pointer.file)
    }

    /// Compares a record with the pointers that lead to it; returns how many do.
    fn meet(
        &mut self,
        rows: &mut Rows<'_>,
        place: &str,
        start: u64,
        end: u64,
        seen: &Seen,
        is_bad: bool,
    ) -> Result<u64, Broken> {
        let mut n = 0;
        while let Some(row) = take_if(rows, |row| row.offset == start)? {
            n += 1;
            let fault = match end - start != row.len {
                true => Some(format!("its record has {} bytes, not {}", end - start, row.len)),
                false => differs(&row, seen),
            };
            match fault {
                Some(what) => {
                    let what = format!("{place} at byte {start}: {what}");
                    self.tell_of(Kind::BodyDiffers, &row, what)?;
                }
                None if is_bad => self.told.fixes.unpoint(row.print),
                None => {}
            }
        }
        Ok(n)
    }

    fn tell_of(&mut self, kind: Kind, row: &Row, what: String) -> Result<(), Broken> {
        let finding = Finding::new(kind, what);
        let url = self.record(row.print).map(|record| record.url);
        self.told.tell(match url {
            Some(url) => finding.of(url),
            None => finding,
        });
        self.told.fixes.unpoint(row.print);
        Ok(())
    }

    fn record(&self, print: u64) -> Option<Record> {
        let key = page_key(print);
        let json = self.tree.get(key).ok()??;
        serde_json::from_slice(&json).ok()
    }
}

fn next_offset(rows: &Rows<'_>) -> Option<u64> {
    let (file, rows) = rows.as_ref()?;
    rows.peek().map(Row::decode).filter(|row| row.file == *file).map(|row| row.offset)
}

fn take_if(rows: &mut Rows<'_>, wanted: impl Fn(&Row) -> bool) -> io::Result<Option<Row>> {
    let Some((file, rows)) = rows else { return Ok(None) };
    let row = rows.peek().map(Row::decode);
    let row = row.filter(|row| row.file == *file && wanted(row));
    if row.is_some() {
        rows.next()?;
    }
    Ok(row)
}

/// What is wrong with a record, whoever points to it.
fn problems(seen: &Seen, info: Option<&str>) -> Vec<(Kind, String)> {
    let mut problems: Vec<_> =
        seen.faults.iter().map(|what| (Kind::BodySegmentDamaged, what.clone())).collect();
    problems.extend(seen.wrong_digests.iter().map(|what| (Kind::DigestMismatch, what.clone())));
    if let (Some(told), Some(info)) = (seen.info_id.as_deref(), info)
        && told != info
    {
        let what = format!("it says that {told} describes it, and the file begins with {info}");
        problems.push((Kind::BodySegmentDamaged, what));
    }
    problems
}

/// How a record differs from what the page that points to it says.
fn differs(row: &Row, seen: &Seen) -> Option<String> {
    if !seen.kind.is_answer() {
        return Some("it points to a record that is no answer".to_owned());
    }
    let is_original = row.flags & IS_ORIGINAL != 0;
    let is_revisit = seen.kind == RecordKind::Revisit;
    if is_original && is_revisit {
        return Some("the record that should have its body has none itself".to_owned());
    }
    let uri = seen.uri.as_deref().unwrap_or_default();
    if !is_original && fnv(without_credentials(uri).as_bytes()) != row.url {
        return Some(format!("its record is of {uri}"));
    }
    if !is_original && seen.date.is_none_or(|date| !date.is(row.fetched_ms)) {
        return Some("its record is of another time".to_owned());
    }
    if !is_original && !is_revisit && row.flags & HAS_STATUS != 0 && seen.status != Some(row.status)
    {
        return Some(format!("its record has the status {:?}, not {}", seen.status, row.status));
    }
    if is_revisit {
        return None;
    }
    if !is_original && seen.is_truncated != (row.flags & IS_TRUNCATED != 0) {
        return Some("only one of record and page says that the body was cut".to_owned());
    }
    let is_other = seen.payload_len != row.bytes || seen.digest.is_some_and(|of| of != row.digest);
    is_other.then(|| format!("its record has another body, of {} bytes", seen.payload_len))
}

/// Lengths by name, as the database has them.
fn committed(tree: &sled::Db, told: &mut Told<'_>) -> Result<BTreeMap<String, u64>, Broken> {
    let mut lengths = BTreeMap::new();
    for entry in tree.scan_prefix(b"Mwarc/") {
        let (key, value) = entry?;
        let name = std::str::from_utf8(&key[6..]).ok();
        match (name, numbers(&value).as_deref()) {
            (Some(name), Some([len, ..])) => {
                lengths.insert(name.trim_end_matches(OPEN).to_owned(), *len);
            }
            _ => told.unreadable(&key, "the length of a body file"),
        }
    }
    Ok(lengths)
}

/// Name in the folder and length by name without `.open`.
fn on_disk(dir: &Path) -> io::Result<BTreeMap<String, (String, u64)>> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.trim_end_matches(OPEN).to_owned();
        if plain.contains(".warc") && entry.file_type()?.is_file() {
            files.insert(plain, (name, entry.metadata()?.len()));
        }
    }
    Ok(files)
}
