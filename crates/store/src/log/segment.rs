//! The bytes of a segment file: its header, and the heads of its records.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::StoreError;

const MAGIC: &[u8; 8] = b"crawl\0l1";
/// Bytes of a segment's header.
pub(super) const HEADER: usize = 32;
/// Bytes of a record before its payload.
pub(super) const RECORD_HEAD: usize = 17;
/// What the payload is: a block of `codec`, in columns.
const COLUMNS: u8 = 1;

/// What stands at the beginning of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: u32,
    /// The number that the first settle in it has, or would have.
    pub(super) next_n: u64,
    /// Length of the file before it, in bytes; 0 for the first.
    pub(super) before: u64,
}

impl Header {
    pub(super) fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.next_n.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.before.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let header = Self {
            number: u32_at(bytes, 8)?,
            next_n: u64_at(bytes, 12)?,
            before: u64_at(bytes, 20)?,
        };
        (header.encode() == *bytes).then_some(header)
    }

    /// Reads the header of segment `number`.
    pub(super) fn read(path: &Path, number: u32) -> Result<(File, Self), StoreError> {
        let file = match File::open(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Err(StoreError::LogMissing { path: path.to_owned() });
            }
            opened => opened.map_err(StoreError::file("open", path))?,
        };
        let mut bytes = [0; HEADER];
        read_exact_at(&file, path, &mut bytes, 0)?;
        match Self::decode(&bytes) {
            Some(header) if header.number == number => Ok((file, header)),
            Some(header) => {
                let what = format!("it says that it is file {}", header.number);
                Err(StoreError::log_damaged(path, 0, what))
            }
            None => Err(StoreError::log_damaged(path, 0, "its header is not what was written")),
        }
    }
}

/// What stands before a record's payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordHead {
    /// Bytes of the payload.
    pub(super) len: u32,
    sum: u32,
    /// The number that the first settle in it has, or would have.
    pub(super) next_n: u64,
    kind: u8,
}

impl RecordHead {
    /// The head of a payload; `None` if that is longer than a record can be.
    pub(super) fn of(next_n: u64, payload: &[u8]) -> Option<Self> {
        let len = u32::try_from(payload.len()).ok()?;
        let mut head = Self { len, sum: 0, next_n, kind: COLUMNS };
        head.sum = head.checksum(payload);
        Some(head)
    }

    pub(super) fn encode(self) -> [u8; RECORD_HEAD] {
        let mut bytes = [0; RECORD_HEAD];
        bytes[..4].copy_from_slice(&self.len.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sum.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.next_n.to_le_bytes());
        bytes[16] = self.kind;
        bytes
    }

    pub(super) fn decode(bytes: &[u8; RECORD_HEAD]) -> Option<Self> {
        Some(Self {
            len: u32_at(bytes, 0)?,
            sum: u32_at(bytes, 4)?,
            next_n: u64_at(bytes, 8)?,
            kind: bytes[16],
        })
    }

    /// Bytes of the record, this head included.
    pub(super) fn record_len(self) -> u64 {
        RECORD_HEAD as u64 + u64::from(self.len)
    }

    /// Whether the payload is the one that was written.
    pub(super) fn holds(self, payload: &[u8]) -> bool {
        self.kind == COLUMNS && self.sum == self.checksum(payload)
    }

    fn checksum(self, payload: &[u8]) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.len.to_le_bytes());
        sum.update(&self.next_n.to_le_bytes());
        sum.update(&[self.kind]);
        sum.update(payload);
        sum.finalize()
    }
}

/// Reads all of `bytes`; that the file ends before is a loss.
pub(super) fn read_exact_at(
    file: &File,
    path: &Path,
    bytes: &mut [u8],
    offset: u64,
) -> Result<(), StoreError> {
    match file.read_exact_at(bytes, offset) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            let found = file.metadata().map_or(0, |meta| meta.len());
            let expected = offset + bytes.len() as u64;
            Err(StoreError::LogShort { path: path.to_owned(), expected, found })
        }
        read => read.map_err(StoreError::file("read", path)),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
