//! Writes a body file anew without what is damaged in it.
//!
//! The records that are good are copied byte by byte into a new file, which has its final name and is
//! on the disk before a page is pointed there; the damaged file goes last. A kill at any moment leaves
//! each pointer where it leads to its record, and the next repair goes on. Records that no page points
//! to stay, too: a repair judges what is damaged, not what is old (that is `compact`'s).

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::ops::Range;
use std::path::Path;

use super::files::{archive_files, close_all, number_of};
use super::live::{AllLive, Live, place};
use super::mover::Mover;
use crate::database::Database;
use crate::seal::Batch;
use crate::store::random;
use crate::warc::{Ids, Warc};
use crate::{StoreError, crash};

/// Blocks of known bodies in one batch.
const BATCH: usize = 256;

/// What is wrong with a body file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Harm {
    /// Bytes that are to go, in any order.
    pub(crate) gone: Vec<Range<u64>>,
    /// Members of which only the header of gzip is another: it says nothing, and is made anew.
    pub(crate) headers: Vec<u64>,
}

/// Writes the files anew; says what was done, for people.
pub(crate) fn mend(
    root: &Path,
    db: &Database,
    mut harms: BTreeMap<String, Harm>,
) -> Result<Vec<String>, StoreError> {
    forget_known(db)?;
    // Others are none of ours, and no page is pointed into them.
    harms.retain(|name, _| number_of(name).is_some());
    let dir = root.join("bodies");
    let mut names: Vec<String> = harms.keys().cloned().collect();
    names.sort_by(|a, b| place(a).cmp(&place(b)));
    close_all(&dir, &names)?;
    let committed = db.segments()?;
    let there = archive_files(root)?.into_iter().map(|(name, _)| name);
    let newest = there.chain(committed.keys().cloned()).filter_map(|name| number_of(&name)).max();
    let ids = Ids::new(random()?);
    let mut mover = Mover::new(db, &ids, &dir, newest.unwrap_or(0));
    // A record that cannot be read points nowhere.
    let pages = db.pages().filter(|page| !matches!(page, Err(StoreError::Corrupt { .. })));
    let mut all = AllLive::of(root, pages)?;
    let mut done = Vec::new();
    for name in &names {
        let live = all.of_file(name)?;
        let path = dir.join(name);
        let found = path.metadata().map_err(StoreError::file("read", &path))?.len();
        let len = committed.get(name).copied().unwrap_or(found).min(found);
        let Harm { gone, mut headers } = harms.remove(name).unwrap_or_default();
        headers.sort_unstable();
        if headers.is_empty() && !gone.is_empty() && gone.iter().all(|gone| gone.start >= len) {
            done.push(cut(&path, name, len)?);
            continue;
        }
        let (kept, lost) = rest(&path, gone, len);
        let into = write_anew(&mut mover, name, &live, &kept, &headers)?;
        done.push(said(name, into.as_deref(), &lost, headers.len()));
    }
    Ok(done)
}

fn write_anew(
    mover: &mut Mover<'_>,
    name: &str,
    live: &[Live],
    kept: &[Range<u64>],
    headers: &[u64],
) -> Result<Option<String>, StoreError> {
    let mut begin = 0;
    if !kept.is_empty() {
        begin = mover.copy(name, kept, headers)?;
        mover.end()?;
        crash::point("mend-copied");
    }
    mover.point(live, kept, begin, "mend-batch")?;
    mover.disown(name)?;
    crash::point("mend-pointed");
    mover.remove(name)?;
    crash::point("mend-removed");
    Ok((!kept.is_empty()).then(|| mover.last_name().to_owned()))
}

/// What is left of the first `len` bytes of a file, its own first record aside, and what is not.
fn rest(path: &Path, mut gone: Vec<Range<u64>>, len: u64) -> (Vec<Range<u64>>, Vec<Range<u64>>) {
    gone.sort_by_key(|gone| gone.start);
    let first = Warc::open(path).ok().and_then(|mut warc| {
        let is_info = warc.next()?.is_ok_and(|head| head.kind() == "warcinfo");
        warc.finish().ok()?.filter(|_| is_info)
    });
    let (mut kept, mut lost): (Vec<Range<u64>>, Vec<Range<u64>>) = (Vec::new(), Vec::new());
    let mut at = first.unwrap_or(0);
    for gone in gone.into_iter().filter(|gone| gone.start < len) {
        if at < gone.start {
            kept.push(at..gone.start);
        }
        let end = gone.end.min(len);
        match lost.last_mut() {
            Some(last) if last.end >= gone.start => last.end = last.end.max(end),
            _ => lost.push(gone.start..end),
        }
        at = at.max(end);
    }
    if at < len {
        kept.push(at..len);
    }
    (kept, lost)
}

/// Forgets which bodies are where: some are not any more.
fn forget_known(db: &Database) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for (i, entry) in db.prefix(&[crate::keys::BODIES]).enumerate() {
        batch.remove(entry?.0);
        if i % BATCH == BATCH - 1 {
            db.commit(std::mem::take(&mut batch))?;
        }
    }
    db.commit(batch)
}

fn cut(path: &Path, name: &str, len: u64) -> Result<String, StoreError> {
    let file = OpenOptions::new().write(true).open(path);
    let cut = file.and_then(|file| file.set_len(len).and_then(|()| file.sync_all()));
    cut.map_err(StoreError::file("cut", path))?;
    Ok(format!("bodies/{name} was cut to {len} bytes: what followed was no whole record"))
}

fn said(name: &str, into: Option<&str>, lost: &[Range<u64>], n_headers: usize) -> String {
    let bytes: u64 = lost.iter().map(|lost| lost.end - lost.start).sum();
    let mut said = match into {
        Some(into) => format!("bodies/{name} was written anew as bodies/{into}"),
        None => return format!("bodies/{name} was removed: no record of it could be read"),
    };
    if !lost.is_empty() {
        said.push_str(&format!(", without {bytes} bytes at {} damaged places", lost.len()));
    }
    if n_headers > 0 {
        said.push_str(&format!(", with {n_headers} headers of gzip made anew"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_all_that_is_not_to_go() {
        let none = Path::new("/nowhere");
        let ranges = |of: &[(u64, u64)]| of.iter().map(|(a, b)| *a..*b).collect::<Vec<_>>();
        let check = |gone: &[(u64, u64)], kept: &[(u64, u64)], lost: &[(u64, u64)]| {
            assert_eq!(rest(none, ranges(gone), 100), (ranges(kept), ranges(lost)), "{gone:?}");
        };
        check(&[], &[(0, 100)], &[]);
        check(&[(20, 30), (10, 20)], &[(0, 10), (30, 100)], &[(10, 30)]);
        check(&[(0, 10), (90, 120), (110, 115)], &[(10, 90)], &[(0, 10), (90, 100)]);
        check(&[(0, 100)], &[], &[(0, 100)]);
    }
}
