//! Where in the log a settle number lies, without reading what comes before it.
//!
//! The headers of the files hold their first numbers, the heads of the records theirs. A file's
//! records are stepped over once, from head to head, and only as far as someone asks; what is kept
//! is a mark every so many bytes, so the next question steps from the nearest one.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crawl_model::LogPosition;

use super::path_of;
use super::segment::{HEADER, Header, RECORD_HEAD, RecordHead};
use crate::StoreError;

/// Bytes between two marks.
const STRIDE: u64 = 128 << 10;

/// What is known of the files, by number.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: Vec<Marks>,
}

/// Records of one file: the number that the first settle in each has or would have, and where it
/// begins.
#[derive(Debug)]
struct Marks {
    marks: Vec<(u64, u64)>,
    /// The head of the first record that has not been stepped over.
    reached: u64,
}

impl Marks {
    fn new(next_n: u64) -> Self {
        Self { marks: vec![(next_n, HEADER as u64)], reached: HEADER as u64 }
    }

    fn first_n(&self) -> u64 {
        self.marks[0].0
    }
}

impl Index {
    /// `firsts`: the number that the first settle in each file has, or would have.
    pub(super) fn new(firsts: Vec<u64>) -> Self {
        Self { files: firsts.into_iter().map(Marks::new).collect() }
    }

    /// The last record before `end` whose first settle is `n` or an earlier one.
    pub(super) fn find(
        &mut self,
        dir: &Path,
        n: u64,
        end: LogPosition,
    ) -> Result<LogPosition, StoreError> {
        let n_files = usize::try_from(end.segment).unwrap_or(usize::MAX);
        while self.files.len() < n_files {
            let number = u32::try_from(self.files.len() + 1).unwrap_or(u32::MAX);
            let (_, header) = Header::read(&path_of(dir, number), number)?;
            self.files.push(Marks::new(header.next_n));
        }
        let files = &mut self.files[..n_files];
        let at = files.partition_point(|marks| marks.first_n() <= n).saturating_sub(1);
        let Some(marks) = files.get_mut(at) else { return Ok(LogPosition::default()) };
        let segment = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let most = if segment == end.segment { end.offset } else { u64::MAX };
        let offset = step(&path_of(dir, segment), marks, n, most)?;
        Ok(LogPosition { segment, offset, n: n.saturating_sub(1) })
    }
}

/// Steps from the nearest mark to the last record whose first settle is not after `n`.
fn step(path: &Path, marks: &mut Marks, n: u64, most: u64) -> Result<u64, StoreError> {
    let nearest = marks.marks.partition_point(|mark| mark.0 <= n).max(1) - 1;
    let (_, start) = marks.marks[nearest];
    let file = File::open(path).map_err(StoreError::file("open", path))?;
    let len = file.metadata().map_err(StoreError::file("read", path))?.len().min(most);
    let mut file = BufReader::with_capacity(4096, file);
    file.seek(SeekFrom::Start(start)).map_err(StoreError::file("read", path))?;
    let (mut at, mut found) = (start, start);
    while at < len {
        let head = read_head(&mut file, path, at, len)?;
        if head.next_n > n {
            break;
        }
        found = at;
        marks.note(head.next_n, at);
        at += head.record_len();
        let past = i64::from(head.len);
        file.seek_relative(past).map_err(StoreError::file("read", path))?;
    }
    Ok(found)
}

impl Marks {
    /// Remembers a record if it is far enough behind the last mark.
    fn note(&mut self, next_n: u64, at: u64) {
        let far = self.marks.last().is_some_and(|(_, last)| at >= last + STRIDE);
        if at > self.reached && far {
            self.marks.push((next_n, at));
        }
        self.reached = self.reached.max(at);
    }
}

fn read_head(
    file: &mut BufReader<File>,
    path: &Path,
    at: u64,
    len: u64,
) -> Result<RecordHead, StoreError> {
    let mut bytes = [0; RECORD_HEAD];
    if at + RECORD_HEAD as u64 > len {
        return Err(StoreError::log_damaged(path, at, "a record begins that cannot end"));
    }
    file.read_exact(&mut bytes).map_err(StoreError::file("read", path))?;
    let head = RecordHead::decode(&bytes).filter(|head| at + head.record_len() <= len);
    head.ok_or_else(|| StoreError::log_damaged(path, at, "a record begins that cannot end"))
}
