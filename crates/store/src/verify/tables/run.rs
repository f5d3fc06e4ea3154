//! A run of known fingerprints: `crawl\0r1`, blocks, a foot of 28 bytes (`crawl\0re`, number of
//! entries, number of blocks, CRC-32 of these).
//!
//! A block: CRC-32 of the rest, number of entries less one (1 byte), bytes of a distance (1), bits
//! of a value (1), first key (8); distances from the first key; values, packed from the low bit
//! on. All little endian.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crawl_model::{FilterReason, Verdict};

use super::Fault;
use crate::verify::bytes::{le_u32, le_u64};
use crate::verify::finding::Kind;

const MAGIC: &[u8] = b"crawl\0r1";
const FOOT_MAGIC: &[u8] = b"crawl\0re";
const FOOT: u64 = 28;
const HEAD: usize = 15;

// What a value means.
const VERDICTS: u32 = 62;
const REASONS: u32 = 40;
const ENDED: u32 = 2;
const FILTERED: u32 = ENDED + 2 * VERDICTS;
const TOO_DEEP: u32 = FILTERED + 2 * REASONS;

/// Where a print stands by a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Queued,
    Ended(Verdict),
    Filtered(FilterReason),
}

impl Standing {
    fn of(value: u32) -> Option<Self> {
        let index = |base: u32, room: u32| u8::try_from((value - base) % room).ok();
        match value {
            0 | 1 => Some(Self::Queued),
            ENDED..FILTERED => Verdict::from_index(index(ENDED, VERDICTS)?).map(Self::Ended),
            FILTERED..TOO_DEEP => {
                FilterReason::from_index(index(FILTERED, REASONS)?).map(Self::Filtered)
            }
            TOO_DEEP.. => Some(Self::Filtered(FilterReason::TooDeep)),
        }
    }
}

/// One run, read from its beginning to its end.
pub(super) struct Run {
    name: String,
    file: BufReader<File>,
    at: u64,
    end: u64,
    entries: Vec<(u64, u32)>,
    next: usize,
}

impl Run {
    /// Reads all of it once, to check it, and begins anew.
    pub(super) fn check(path: &Path, name: &str) -> Result<Self, Fault> {
        let mut run = Self::open(path, name)?;
        let foot = run.foot(path)?;
        let (mut n_entries, mut n_blocks, mut last) = (0, 0, None);
        while let Some((key, _)) = run.peek() {
            if run.next == 0 {
                n_blocks += 1;
            }
            if last.is_some_and(|last| last >= key) {
                return Err(run.damaged("its keys are not in order"));
            }
            last = Some(key);
            n_entries += 1;
            run.advance()?;
        }
        if (n_entries, n_blocks) != foot {
            return Err(run.damaged("it has not as many entries as it says"));
        }
        Self::open(path, name)
    }

    fn open(path: &Path, name: &str) -> Result<Self, Fault> {
        let fault = |kind: Kind, what: String| Fault::new(kind, name, 0, what);
        let file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => fault(Kind::MissingRun, "it is not there".to_owned()),
            _ => fault(Kind::RunDamaged, e.to_string()),
        })?;
        let unreadable = |e: std::io::Error| fault(Kind::RunDamaged, e.to_string());
        let len = file.metadata().map_err(unreadable)?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut magic = [0; 8];
        file.read_exact(&mut magic).map_err(unreadable)?;
        let end = len.checked_sub(FOOT).filter(|end| *end >= 8 && magic == *MAGIC);
        let end = end.ok_or_else(|| fault(Kind::RunDamaged, "it is no run".to_owned()))?;
        let (name, entries) = (name.to_owned(), Vec::new());
        let mut run = Self { name, file, at: 8, end, entries, next: 0 };
        run.fill()?;
        Ok(run)
    }

    /// Numbers of entries and blocks, as its foot says.
    fn foot(&self, path: &Path) -> Result<(u64, u64), Fault> {
        let mut foot = [0; FOOT as usize];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.end))?;
            file.read_exact(&mut foot)
        });
        read.map_err(|e| self.damaged(&e.to_string()))?;
        let is_whole =
            foot.starts_with(FOOT_MAGIC) && le_u32(&foot, 24) == Some(crc32fast::hash(&foot[..24]));
        match (is_whole, le_u64(&foot, 8), le_u64(&foot, 16)) {
            (true, Some(entries), Some(blocks)) => Ok((entries, blocks)),
            _ => Err(self.damaged("its foot is not what was written")),
        }
    }

    /// The next entry, which stays the next.
    pub(super) fn peek(&self) -> Option<(u64, Standing)> {
        let &(key, value) = self.entries.get(self.next)?;
        // Checked when the block was read.
        Some((key, Standing::of(value)?))
    }

    pub(super) fn advance(&mut self) -> Result<(), Fault> {
        self.next += 1;
        if self.next >= self.entries.len() { self.fill() } else { Ok(()) }
    }

    fn fill(&mut self) -> Result<(), Fault> {
        self.next = 0;
        self.entries.clear();
        if self.at >= self.end {
            return Ok(());
        }
        let mut bytes = vec![0; HEAD];
        self.file.read_exact(&mut bytes).map_err(|e| self.damaged(&e.to_string()))?;
        let (n, width, bits) =
            (usize::from(bytes[4]) + 1, usize::from(bytes[5]), usize::from(bytes[6]));
        if width > 8 || !matches!(bits, 0 | 1 | 2 | 4 | 8 | 16 | 32) || n > 64 {
            return Err(self.damaged("the head of a block makes no sense"));
        }
        let len = HEAD + n * width + (n * bits).div_ceil(8);
        bytes.resize(len, 0);
        self.file.read_exact(&mut bytes[HEAD..]).map_err(|e| self.damaged(&e.to_string()))?;
        if le_u32(&bytes, 0) != Some(crc32fast::hash(&bytes[4..]))
            || self.at + len as u64 > self.end
        {
            return Err(self.damaged("a block is not what was written"));
        }
        let first = le_u64(&bytes, 7).unwrap_or(0);
        let values = &bytes[HEAD + n * width..];
        for nth in 0..n {
            let distance = &bytes[HEAD + nth * width..HEAD + (nth + 1) * width];
            let distance = distance.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            let bit = |at: usize| u32::from(values[at / 8] >> (at % 8) & 1);
            let value = (0..bits).fold(0, |sum, i| sum | bit(nth * bits + i) << i);
            if Standing::of(value).is_none() {
                return Err(self.damaged("an entry makes no sense"));
            }
            self.entries.push((first.wrapping_add(distance), value));
        }
        self.at += len as u64;
        Ok(())
    }

    fn damaged(&self, what: &str) -> Fault {
        Fault::new(Kind::RunDamaged, &self.name, self.at, what)
    }
}
