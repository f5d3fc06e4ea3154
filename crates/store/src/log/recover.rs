//! What an open finds of the log.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use crawl_model::LogPosition;

use super::append::sync_dir;
use super::path_of;
use super::segment::Header;
use crate::{StoreError, crash};

/// Checks that every file up to the committed place is there and as long as it was; returns the
/// number that the first settle of each has, or would have. Changes nothing.
pub(super) fn check(dir: &Path, committed: LogPosition) -> Result<Vec<u64>, StoreError> {
    let mut firsts = Vec::new();
    let mut before = 0;
    for number in 1..=committed.segment {
        let path = path_of(dir, number);
        let (file, header) = Header::read(&path, number)?;
        if number > 1 && header.before != before {
            let path = path_of(dir, number - 1);
            return Err(StoreError::LogShort { path, expected: header.before, found: before });
        }
        if firsts.last().is_some_and(|last| header.next_n < *last) {
            return Err(StoreError::log_damaged(&path, 0, "its settle numbers go back"));
        }
        before = file.metadata().map_err(StoreError::file("read", &path))?.len();
        firsts.push(header.next_n);
    }
    if before < committed.offset {
        let path = path_of(dir, committed.segment);
        return Err(StoreError::LogShort { path, expected: committed.offset, found: before });
    }
    Ok(firsts)
}

/// Cuts off what no commit speaks of: the end of the last file, and files after it. Tells what
/// was there, for people.
pub(crate) fn recover(dir: &Path, committed: LogPosition) -> Result<Vec<String>, StoreError> {
    crash::point("log-checked");
    let mut notes = Vec::new();
    if committed.segment > 0 {
        notes.extend(cut(&path_of(dir, committed.segment), committed.offset)?);
    }
    let mut surplus = beyond(dir, committed.segment)?;
    surplus.sort_unstable();
    for number in &surplus {
        let path = path_of(dir, *number);
        fs::remove_file(&path).map_err(StoreError::file("remove", &path))?;
        crash::point("log-surplus-removed");
        let name = name_of(&path);
        notes.push(format!("no commit speaks of `log/{name}`: it was removed"));
    }
    if !surplus.is_empty() {
        sync_dir(dir)?;
    }
    crash::point("log-recovered");
    Ok(notes)
}

fn cut(path: &Path, len: u64) -> Result<Option<String>, StoreError> {
    let opened = OpenOptions::new().write(true).open(path);
    let file = opened.map_err(StoreError::file("open", path))?;
    let found = file.metadata().map_err(StoreError::file("read", path))?.len();
    if found <= len {
        return Ok(None);
    }
    let cut = file.set_len(len).and_then(|()| file.sync_all());
    cut.map_err(StoreError::file("cut", path))?;
    crash::point("log-cut");
    let (name, n) = (name_of(path), found - len);
    Ok(Some(format!("cut {n} bytes of a commit that did not end off `log/{name}`")))
}

/// The numbers of the files after file `last`. Others' files are left alone.
fn beyond(dir: &Path, last: u32) -> Result<Vec<u32>, StoreError> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::file("read the folder", dir))?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(StoreError::file("read the folder", dir))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
        numbers.extend(number.filter(|n| *n > last && path_of(dir, *n).ends_with(&name)));
    }
    Ok(numbers)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
