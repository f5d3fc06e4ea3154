//! Reads the log, from its beginning or from any place.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Event, LogPosition};

use super::segment::{HEADER, Header, RECORD_HEAD, RecordHead, read_exact_at};
use super::{LogFiles, path_of};
use crate::StoreError;
use crate::codec::{Block, Facts, Raw, RawSettle, Reads, Thaw};

/// Bytes that are read at a time, a record's payload aside.
const READ_BYTES: usize = 128 << 10;

/// The log, event by event, without parsing what the caller does not ask for.
#[derive(Debug)]
pub(crate) struct Log {
    files: Arc<LogFiles>,
    /// Where the next record begins.
    next: LogPosition,
    end: LogPosition,
    segment: Option<Segment>,
    block: Block,
    reads: Reads,
    /// Where the block's record begins.
    block_at: u64,
}

/// A file that is read, and a piece of it.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    /// Bytes of it that are committed.
    len: u64,
    piece: Vec<u8>,
    piece_at: u64,
}

impl Log {
    /// All that is committed now.
    pub(crate) fn all(files: &Arc<LogFiles>) -> Self {
        Self::between(files, LogPosition::default(), files.committed())
    }

    /// Only the settles, from the record on in which settle `n` lies, or would lie. For
    /// [`next_settle`](Self::next_settle).
    pub(crate) fn settles_from(files: &Arc<LogFiles>, n: u64) -> Result<Self, StoreError> {
        let end = files.committed();
        let log = Self::between(files, files.find(n, end)?, end);
        Ok(Self { reads: Reads::Settles, ..log })
    }

    /// Of a log of settles: with the texts of their pages.
    pub(crate) fn with_texts(self) -> Self {
        Self { reads: Reads::SettlesAndTexts, ..self }
    }

    /// All that is committed now, with the [facts](Self::facts) of settles.
    pub(crate) fn with_facts(files: &Arc<LogFiles>) -> Self {
        Self { reads: Reads::EventsAndFacts, ..Self::all(files) }
    }

    /// From a place on that a commit has told.
    pub(crate) fn after(files: &Arc<LogFiles>, place: LogPosition) -> Result<Self, StoreError> {
        let end = files.committed();
        if (place.segment, place.offset) > (end.segment, end.offset) {
            let path = path_of(&files.dir, place.segment);
            let found = if place.segment == end.segment { end.offset } else { 0 };
            return Err(StoreError::LogShort { path, expected: place.offset, found });
        }
        Ok(Self::between(files, place, end))
    }

    fn between(files: &Arc<LogFiles>, start: LogPosition, end: LogPosition) -> Self {
        let next = match start.segment {
            0 => LogPosition { segment: 1, offset: HEADER as u64, n: 0 },
            _ => start,
        };
        let (files, block) = (files.clone(), Block::new(files.prints.clone()));
        Self { files, next, end, segment: None, block, reads: Reads::Events, block_at: 0 }
    }

    /// The next event; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Raw<'_>>, StoreError> {
        if !self.has_next()? {
            return Ok(None);
        }
        match self.block.next() {
            Some(event) => Ok(Some(event)),
            None => Err(senseless(&self.files, self.next.segment, self.block_at, "events")),
        }
    }

    /// What is known of the page of the settle that came last: to be asked of each settle once.
    /// Only of a log [with facts](Self::with_facts).
    pub(crate) fn facts(&mut self) -> Result<Facts<'_>, StoreError> {
        let (files, segment, at) = (&self.files, self.next.segment, self.block_at);
        self.block.facts().ok_or_else(|| senseless(files, segment, at, "facts"))
    }

    /// Like [`next`](Self::next), with the event made to stand by itself.
    pub(crate) fn next_event(&mut self, thaw: &mut Thaw) -> Result<Option<Event>, StoreError> {
        if !self.has_next()? {
            return Ok(None);
        }
        let (files, segment, at) = (&self.files, self.next.segment, self.block_at);
        let event = self.block.next().and_then(|raw| thaw.event(raw));
        event.ok_or_else(|| senseless(files, segment, at, "events")).map(Some)
    }

    fn has_next(&mut self) -> Result<bool, StoreError> {
        while self.block.is_done() {
            if !self.open_record()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next settle; `None` at the end.
    pub(crate) fn next_settle(&mut self) -> Result<Option<RawSettle<'_>>, StoreError> {
        loop {
            match self.block.has_settle() {
                Some(true) => break,
                Some(false) if self.open_record()? => {}
                Some(false) => return Ok(None),
                None => {
                    let (files, segment) = (&self.files, self.next.segment);
                    return Err(senseless(files, segment, self.block_at, "events"));
                }
            }
        }
        let (files, segment, at) = (&self.files, self.next.segment, self.block_at);
        match self.block.settle() {
            Some(settle) => Ok(Some(settle)),
            None => Err(senseless(files, segment, at, "events")),
        }
    }

    /// Takes up the next record; false at the end of the log.
    fn open_record(&mut self) -> Result<bool, StoreError> {
        loop {
            if self.next.segment > self.end.segment {
                return Ok(false);
            }
            let segment = match &mut self.segment {
                Some(segment) => segment,
                none => none.insert(Segment::open(&self.files, self.next.segment, self.end)?),
            };
            if self.next.offset < segment.len {
                break;
            }
            if self.next.offset > segment.len {
                let (path, found) = (segment.path.clone(), segment.len);
                return Err(StoreError::LogShort { path, expected: self.next.offset, found });
            }
            if self.next.segment == self.end.segment {
                return Ok(false);
            }
            self.segment = None;
            self.next.segment += 1;
            self.next.offset = HEADER as u64;
        }
        let Some(segment) = &mut self.segment else { return Ok(false) };
        let at = self.next.offset;
        let (head, payload) = segment.record(at)?;
        let opened = self.block.open(head.next_n, payload, self.reads);
        opened.ok_or_else(|| segment.damaged(at, "its columns make no sense"))?;
        self.block_at = at;
        self.next.offset += head.record_len();
        Ok(true)
    }
}

impl Segment {
    fn open(files: &LogFiles, number: u32, end: LogPosition) -> Result<Self, StoreError> {
        let path = path_of(&files.dir, number);
        let (file, _) = Header::read(&path, number)?;
        let len = match number == end.segment {
            true => end.offset,
            false => file.metadata().map_err(StoreError::file("read", &path))?.len(),
        };
        Ok(Self { path, file, len, piece: Vec::new(), piece_at: 0 })
    }

    /// The record at `at`, whole and as it was written.
    fn record(&mut self, at: u64) -> Result<(RecordHead, &[u8]), StoreError> {
        let cannot_end = "a record begins that cannot end";
        if self.len - at < RECORD_HEAD as u64 {
            return Err(self.damaged(at, cannot_end));
        }
        let bytes = self.bytes(at, RECORD_HEAD)?;
        let head = bytes.first_chunk().and_then(RecordHead::decode);
        let head = head.filter(|head| at + head.record_len() <= self.len);
        let head = head.ok_or_else(|| self.damaged(at, cannot_end))?;
        let len = usize::try_from(head.record_len());
        let len = len.map_err(|_| self.damaged(at, cannot_end))?;
        let sound = head.holds(&self.bytes(at, len)?[RECORD_HEAD..]);
        if !sound {
            return Err(self.damaged(at, "a record is not what was written"));
        }
        Ok((head, &self.bytes(at, len)?[RECORD_HEAD..]))
    }

    /// `len` bytes from `at` on, which the file has.
    fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], StoreError> {
        let has = |piece: &[u8], piece_at: u64| {
            let start = usize::try_from(at.checked_sub(piece_at)?).ok()?;
            (start.checked_add(len)? <= piece.len()).then_some(start)
        };
        let start = match has(&self.piece, self.piece_at) {
            Some(start) => start,
            None => {
                let left = usize::try_from(self.len - at).unwrap_or(usize::MAX);
                self.piece.resize(left.min(len.max(READ_BYTES)), 0);
                self.piece_at = at;
                read_exact_at(&self.file, &self.path, &mut self.piece, at)?;
                0
            }
        };
        Ok(&self.piece[start..start + len])
    }

    fn damaged(&self, at: u64, what: &str) -> StoreError {
        StoreError::log_damaged(&self.path, at, what)
    }
}

/// What got past the checksum and is still not what it should be.
fn senseless(files: &LogFiles, segment: u32, at: u64, what: &str) -> StoreError {
    let path = path_of(&files.dir, segment);
    StoreError::log_damaged(&path, at, format!("the {what} in a record make no sense"))
}

/// The settle log in order: see [`Store::events`](crate::Store::events).
#[derive(Debug)]
pub struct Events {
    log: Log,
    thaw: Thaw,
    is_over: bool,
}

impl Events {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, thaw: Thaw::default(), is_over: false }
    }
}

impl Iterator for Events {
    type Item = Result<Event, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.log.next_event(&mut self.thaw);
        last_or(step, &mut self.is_over)
    }
}

/// Makes an iterator's answer of a step; after the end or an error there is nothing more, for
/// behind a damaged block nothing can be trusted to be in step.
pub(crate) fn last_or<T>(
    step: Result<Option<T>, StoreError>,
    is_over: &mut bool,
) -> Option<Result<T, StoreError>> {
    *is_over = !matches!(step, Ok(Some(_)));
    step.transpose()
}
