//! The pages' pointers into the body files, and the files against them.
//!
//! The pointers are sorted by where they lead, so each file is read once from end to end. What is
//! read is any WARC of version 1.0 or 1.1 (ISO 28500), one record a member, by gzip or zstd.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::Path;

use super::compare::{differs, problems};
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::listed;
use super::pages::{Broken, Record, page_key};
use super::pointers::{IS_ORIGINAL, Pointers, ROW, Row};
use super::record::{RecordKind, Seen};
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
    let committed = listed::committed(tree, told)?;
    let on_disk = listed::on_disk(&dir)?;
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
    let real_name = |name: &str| on_disk.get(name).map(|(real_name, _)| dir.join(real_name));
    check.revisits.resolve(&real_name, check.told)
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
                Some(Err(what)) => match self.damaged(name, &mut file, start, len, &what, rows)? {
                    Some(seen) => seen,
                    None => {
                        first = false;
                        continue;
                    }
                },
            };
            self.told.sums.records += 1;
            end = file.at();
            if first {
                (info, first) = (seen.id.clone(), false);
                if seen.kind != RecordKind::Info {
                    let what = "its first record is no `warcinfo`";
                    self.told.tell(Finding::new(Kind::BodySegmentDamaged, what).in_file(&place));
                    // Written anew it has one.
                    self.told.fixes.harm(name);
                }
            }
            for problem in problems(&seen, info.as_deref()) {
                let (kind, what) = problem;
                self.told.tell(Finding::new(kind, what).in_file(&place).at(start));
            }
            match seen.is_sound() {
                true => self.revisits.note(&seen, name, start..end)?,
                false => self.cut_out(name, start..end),
            }
            let n = self.meet(rows, &place, start..end, &seen)?;
            n_dead += u64::from(n == 0 && seen.kind.is_answer());
        }
        if n_dead > 0 {
            let what = format!("no page points to {n_dead} of its records");
            self.told.tell(Finding::new(Kind::DeadRecords, what).in_file(&place));
        }
        Ok(end)
    }

    /// Tells of a member that cannot be read, and goes on behind it; gives the record if only its
    /// header of gzip is another.
    fn damaged(
        &mut self,
        name: &str,
        file: &mut warc::Reader,
        start: u64,
        len: u64,
        what: &str,
        rows: &mut Rows<'_>,
    ) -> Result<Option<Seen>, Broken> {
        let place = format!("bodies/{name}");
        let finding = Finding::new(Kind::BodySegmentDamaged, what);
        self.told.tell(finding.in_file(&place).at(start));
        if let Some(seen) = file.with_plain_header(start)? {
            if let Some(harm) = self.told.fixes.harm(name) {
                harm.headers.push(start);
            }
            return Ok(Some(seen));
        }
        let told_end = self.lose_damaged(rows, &place, start, what)?;
        let known = next_offset(rows).unwrap_or(len).min(len);
        let next = match told_end.filter(|end| (start + 1..=known).contains(end)) {
            Some(end) => end,
            None => file.find(start, known)?,
        };
        self.cut_out(name, start..next);
        file.go_to(next)?;
        Ok(None)
    }

    /// Has a repair write the file without these bytes.
    fn cut_out(&mut self, name: &str, bytes: Range<u64>) {
        if let Some(harm) = self.told.fixes.harm(name) {
            harm.gone.push(bytes);
        }
    }

    /// Takes the pointers to a record that is damaged; returns where it ends by what they say.
    fn lose_damaged(
        &mut self,
        rows: &mut Rows<'_>,
        place: &str,
        start: u64,
        what: &str,
    ) -> Result<Option<u64>, Broken> {
        let mut end = None;
        while let Some(row) = take_if(rows, |row| row.offset == start)? {
            end = end.or(start.checked_add(row.len));
            let what =
                format!("{}its record in {place} at byte {start} is damaged: {what}", of(&row));
            self.tell_of(Kind::MissingBody, &row, what)?;
        }
        Ok(end)
    }

    /// Takes the pointers to places before `offset`, where nothing begins; returns how many.
    fn lose_all(&mut self, rows: &mut Rows<'_>, offset: u64) -> Result<u64, Broken> {
        let mut n = 0;
        while let Some(row) = take_if(rows, |row| row.offset < offset)? {
            n += 1;
            let what = format!(
                "{}its body should be in bodies/{} at byte {}, where no record begins",
                of(&row),
                self.name_of_file(row),
                row.offset
            );
            self.tell_of(Kind::MissingBody, &row, what)?;
        }
        Ok(n)
    }

    fn name_of_file(&self, row: Row) -> String {
        let pointer = self.record(row.print).and_then(|record| record.body);
        let pointer = match row.flags & IS_ORIGINAL {
            0 => pointer,
            _ => pointer.and_then(|pointer| pointer.of.map(|of| *of)),
        };
        pointer.map_or_else(|| format!("file {}", row.file), |pointer| pointer.file)
    }

    /// Compares a record with the pointers that lead to it; returns how many do.
    fn meet(
        &mut self,
        rows: &mut Rows<'_>,
        place: &str,
        at: Range<u64>,
        seen: &Seen,
    ) -> Result<u64, Broken> {
        let mut n = 0;
        let start = at.start;
        while let Some(row) = take_if(rows, |row| row.offset == start)? {
            n += 1;
            let fault = match at.end - start != row.len {
                true => Some(format!("its record has {} bytes, not {}", at.end - start, row.len)),
                false => differs(&row, seen),
            };
            let is_told = fault.is_none();
            let bad = || seen.wrong_digests.iter().chain(&seen.faults).next().cloned();
            let Some(what) = fault.or_else(bad) else { continue };
            let what = format!("{}{place} at byte {start}: {what}", of(&row));
            match is_told {
                true => self.told.fixes.unpoint(row.print, what),
                false => self.tell_of(Kind::BodyDiffers, &row, what)?,
            }
        }
        Ok(n)
    }

    fn tell_of(&mut self, kind: Kind, row: &Row, what: String) -> Result<(), Broken> {
        let finding = Finding::new(kind, &*what);
        let url = self.record(row.print).map(|record| record.url);
        self.told.tell(match url {
            Some(url) => finding.of(url),
            None => finding,
        });
        self.told.fixes.unpoint(row.print, what);
        Ok(())
    }

    fn record(&self, print: u64) -> Option<Record> {
        let key = page_key(print);
        let json = self.tree.get(key).ok()??;
        serde_json::from_slice(&json).ok()
    }
}

/// Whose record it is.
fn of(row: &Row) -> &'static str {
    match row.flags & IS_ORIGINAL {
        0 => "",
        _ => "it has the same body as another page, and ",
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
