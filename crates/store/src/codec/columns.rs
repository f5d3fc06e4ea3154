//! A block's bytes, sorted by what they are.
//!
//! Flags among flags and paths among paths compress to half of what they do side by side: each
//! column is compressed by itself (zstd, level 1), unless it is the smaller as it is. Fingerprints
//! are random, so nobody tries.

use std::fmt;

use zstd::bulk::{Compressor, Decompressor};

use super::bytes::{Take, put_number};
use super::urls;

/// Tags, verdicts, reasons.
pub(super) const HEADS: usize = 0;
/// Numbers of all kinds.
pub(super) const NUMBERS: usize = 1;
/// URLs up to the path.
pub(super) const ORIGINS: usize = 2;
/// URLs from the path on.
pub(super) const PATHS: usize = 3;
/// The digits of both.
pub(super) const DIGITS: usize = 4;
/// Labels, hosts, and what few requests have.
pub(super) const TEXTS: usize = 5;
/// Fingerprints.
pub(super) const PRINTS: usize = 6;
/// What is known of settled pages, four numbers each.
pub(super) const FACTS: usize = 7;
/// Their media types.
pub(super) const TYPES: usize = 8;
/// Their URLs, titles, labels and errors.
pub(super) const TOLD: usize = 9;
const N_COLUMNS: usize = 10;

const LEVEL: i32 = 1;
/// Columns below this many bytes are not worth a frame.
const WORTH_TRYING: usize = 32;
/// Most bytes of a column: damage that got past the checksum shall not take all memory.
const MAX_BYTES: usize = 1 << 30;

/// The columns of one block, while it is written or read.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) bytes: [Vec<u8>; N_COLUMNS],
    /// How far each has been read.
    at: [usize; N_COLUMNS],
}

impl Columns {
    pub(super) fn len(&self) -> usize {
        self.bytes.iter().map(Vec::len).sum()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.iter_mut().for_each(Vec::clear);
        self.at = [0; N_COLUMNS];
    }

    /// Appends all columns to `out`, each as its length, its length there, and its bytes.
    pub(super) fn seal(&self, press: &mut Press, out: &mut Vec<u8>) {
        for (column, bytes) in self.bytes.iter().enumerate() {
            put_number(out, bytes.len() as u64);
            let is_worth_trying = column != PRINTS && bytes.len() >= WORTH_TRYING;
            let smaller = if is_worth_trying { press.smaller(bytes) } else { None };
            let stored = smaller.unwrap_or(bytes);
            put_number(out, stored.len() as u64);
            out.extend_from_slice(stored);
        }
    }

    /// Reads what [`seal`](Self::seal) wrote, the columns in `without` left out; `None` if it makes
    /// no sense.
    pub(super) fn open(
        &mut self,
        press: &mut Unpress,
        sealed: &[u8],
        without: &[usize],
    ) -> Option<()> {
        self.clear();
        let mut rest = Take(sealed);
        for (column, bytes) in self.bytes.iter_mut().enumerate() {
            let len = rest.length().filter(|len| *len <= MAX_BYTES)?;
            let stored = rest.text()?;
            if without.contains(&column) {
                continue;
            }
            if stored.len() == len {
                bytes.extend_from_slice(stored);
            } else {
                press.expand(stored, len, bytes)?;
            }
        }
        rest.0.is_empty().then_some(())
    }

    pub(super) fn is_done(&self) -> bool {
        self.at[HEADS] >= self.bytes[HEADS].len()
    }

    fn rest(&self, column: usize) -> &[u8] {
        &self.bytes[column][self.at[column]..]
    }

    /// Notes how much of a column is left.
    fn left(&mut self, column: usize, rest: usize) {
        self.at[column] = self.bytes[column].len() - rest;
    }

    /// Appends the next text of `column`, origins or paths, to `out`.
    pub(super) fn url(&mut self, column: usize, out: &mut Vec<u8>) -> Option<()> {
        let (mut letters, mut digits) = (self.rest(column), self.rest(DIGITS));
        urls::take(&mut letters, &mut digits, out)?;
        let left = (letters.len(), digits.len());
        self.left(column, left.0);
        self.left(DIGITS, left.1);
        Some(())
    }

    /// The next head, which stays the next.
    pub(super) fn peek_head(&self) -> Option<&u8> {
        self.bytes[HEADS].get(self.at[HEADS])
    }

    pub(super) fn byte(&mut self, column: usize) -> Option<u8> {
        let byte = *self.bytes[column].get(self.at[column])?;
        self.at[column] += 1;
        Some(byte)
    }

    /// The next number of `column`.
    pub(super) fn number(&mut self, column: usize) -> Option<u64> {
        let mut rest = Take(self.rest(column));
        let number = rest.number()?;
        let left = rest.0.len();
        self.left(column, left);
        Some(number)
    }

    pub(super) fn print(&mut self) -> Option<u64> {
        let print = *self.rest(PRINTS).first_chunk()?;
        self.at[PRINTS] += size_of::<u64>();
        Some(u64::from_le_bytes(print))
    }

    /// The next text of `column`.
    pub(super) fn text(&mut self, column: usize) -> Option<&[u8]> {
        let mut rest = Take(self.rest(column));
        let len = rest.text()?.len();
        let left = rest.0.len();
        self.left(column, left);
        let end = self.at[column];
        Some(&self.bytes[column][end - len..end])
    }
}

/// Compresses; kept from block to block.
pub(super) struct Press {
    zstd: Compressor<'static>,
    buffer: Vec<u8>,
}

impl Press {
    pub(super) fn new() -> Self {
        let zstd = Compressor::new(LEVEL).expect("zstd knows its own level");
        Self { zstd, buffer: Vec::new() }
    }

    /// The bytes in less room; `None` if they take as much or more. Should zstd fail, they are
    /// stored as they are.
    fn smaller(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        self.zstd.compress_to_buffer(bytes, &mut self.buffer).ok()?;
        (self.buffer.len() < bytes.len()).then_some(&*self.buffer)
    }
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Press")
    }
}

/// Expands what [`Press`] made; made itself when it is first needed.
#[derive(Default)]
pub(super) struct Unpress(Option<Decompressor<'static>>);

impl Unpress {
    /// Appends to `out`, which is empty, `len` bytes; `None` if there are fewer or more.
    fn expand(&mut self, stored: &[u8], len: usize, out: &mut Vec<u8>) -> Option<()> {
        let zstd = match &mut self.0 {
            Some(zstd) => zstd,
            none => none.insert(Decompressor::new().ok()?),
        };
        out.reserve_exact(len);
        let written = zstd.decompress_to_buffer(stored, out).ok()?;
        (written == len && out.len() == len).then_some(())
    }
}

impl fmt::Debug for Unpress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unpress")
    }
}
