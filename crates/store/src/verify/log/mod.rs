//! The settle log, frame by frame, up to the committed place.
//!
//! A file: `crawl\0l1`, number (4 bytes), first settle number (8), length of the file before (8),
//! CRC-32 of these. A frame: length of its payload (4), CRC-32 (4), first settle number (8), kind
//! (1), payload; the sum is over length, number, kind and payload. All little endian.

mod block;

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::PathBuf;

use crawl_model::{Fingerprinter, LogPosition};

use super::bytes::{le_u32, le_u64};
use super::finding::{Finding, Kind};

pub(super) use block::{Block, Event, facts};

const MAGIC: &[u8] = b"crawl\0l1";
const HEADER: usize = 32;
const HEAD: usize = 17;
const COLUMNS: u8 = 1;
/// Longest payload that is believed, in bytes: a block holds 48 KiB and one event.
const MOST: u32 = 1 << 30;

/// What a walk over the log shows.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A frame begins here.
    Frame(LogPosition),
    /// An event of it.
    Event(Event<'a>),
    /// The frame has ended here.
    End(LogPosition),
}

/// The log of one crawl.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) dir: PathBuf,
    pub(super) prints: Fingerprinter,
    /// How far it is committed.
    pub(super) end: LogPosition,
}

/// Name of a file from the crawl's folder on.
pub(super) fn name_of(segment: u32) -> String {
    format!("log/{segment:010}.log")
}

impl Log {
    /// Shows all that is committed; what stops the walk is the finding.
    pub(super) fn walk(&self, mut show: impl FnMut(Step<'_>)) -> Result<(), Box<Finding>> {
        let mut block = Block::new(self.prints.clone());
        let mut n = 0;
        let mut before = 0;
        for segment in 1..=self.end.segment {
            let end = if segment == self.end.segment { Some(self.end.offset) } else { None };
            before = self.file(segment, before, end, &mut n, &mut block, &mut show)?;
        }
        if n == self.end.n {
            return Ok(());
        }
        let what = format!("{n} settles are in it, and {} were committed", self.end.n);
        Err(Box::new(Finding::new(Kind::LogNumbers, what).in_file("log")))
    }

    /// One file; returns its length.
    fn file(
        &self,
        segment: u32,
        before: u64,
        end: Option<u64>,
        n: &mut u64,
        block: &mut Block,
        show: &mut impl FnMut(Step<'_>),
    ) -> Result<u64, Box<Finding>> {
        let name = name_of(segment);
        let find = |kind, at: u64, what: String| {
            Box::new(Finding::new(kind, what).in_file(name.as_str()).at(at))
        };
        let unreadable = |at: u64, e: io::Error| find(Kind::LogDamaged, at, e.to_string());
        let file = match File::open(self.dir.join(format!("{segment:010}.log"))) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let what = format!("{} files were committed", self.end.segment);
                return Err(Box::new(Finding::new(Kind::MissingLogFile, what).in_file(name)));
            }
            opened => opened.map_err(|e| unreadable(0, e))?,
        };
        let found = file.metadata().map_err(|e| unreadable(0, e))?.len();
        let len = end.unwrap_or(found);
        if found < len {
            let what = format!("it ends here, and {len} bytes of it were committed");
            return Err(find(Kind::LogShort, found, what));
        }
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|e| unreadable(0, e))?;
        check_header(&header, segment, *n + 1, before)
            .map_err(|what| find(Kind::LogDamaged, 0, what))?;
        let mut at = HEADER as u64;
        let mut payload = Vec::new();
        while at < len {
            let damaged = |what: &str| find(Kind::LogDamaged, at, what.to_owned());
            let head = read_head(&mut file, len - at, *n + 1, &mut payload).map_err(damaged)?;
            show(Step::Frame(LogPosition { segment, offset: at, n: *n }));
            block.open(head, &payload).ok_or_else(|| damaged("its columns make no sense"))?;
            while !block.is_done() {
                let event = block.next();
                let event = event.ok_or_else(|| damaged("an event in it makes no sense"))?;
                if let Event::Settled { n: number, .. } = event {
                    *n = number;
                }
                show(Step::Event(event));
            }
            if !block.is_used_up() {
                return Err(damaged("it holds more than its events"));
            }
            at += (HEAD + payload.len()) as u64;
            show(Step::End(LogPosition { segment, offset: at, n: *n }));
        }
        Ok(len)
    }
}

fn check_header(header: &[u8], segment: u32, next_n: u64, before: u64) -> Result<(), String> {
    let sum = le_u32(header, 28);
    if !header.starts_with(MAGIC) || sum != Some(crc32fast::hash(&header[..28])) {
        return Err("its header is not what was written".to_owned());
    }
    let told = (le_u32(header, 8), le_u64(header, 12), le_u64(header, 20));
    if told == (Some(segment), Some(next_n), Some(before)) {
        return Ok(());
    }
    Err(format!(
        "its header is that of another place: {told:?} for {:?}",
        (segment, next_n, before)
    ))
}

/// Reads a frame into `payload`; returns its first settle number.
fn read_head(
    file: &mut impl Read,
    left: u64,
    next_n: u64,
    payload: &mut Vec<u8>,
) -> Result<u64, &'static str> {
    let mut head = [0; HEAD];
    let cut = "a frame begins that does not end before the committed place";
    if left < HEAD as u64 {
        return Err(cut);
    }
    file.read_exact(&mut head).map_err(|_| "it cannot be read")?;
    let len = le_u32(&head, 0).filter(|len| *len <= MOST && HEAD as u64 + u64::from(*len) <= left);
    let len = len.ok_or(cut)?;
    payload.clear();
    payload.resize(len as usize, 0);
    file.read_exact(payload).map_err(|_| "it cannot be read")?;
    let mut sum = crc32fast::Hasher::new();
    for piece in [&head[..4], &head[8..], payload] {
        sum.update(piece);
    }
    if le_u32(&head, 4) != Some(sum.finalize()) || head[16] != COLUMNS {
        return Err("a frame is not what was written");
    }
    match le_u64(&head, 8) {
        Some(first) if first == next_n => Ok(first),
        _ => Err("a frame begins with another settle number than the one before ended with"),
    }
}
