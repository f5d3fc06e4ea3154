//! Matches normal patterns on a normal path, in linear time, and tells quickly what cannot match.
//!
//! Most files have a handful of rules, and any way of matching would do. The sketches and places
//! are for files of tens of thousands, and for those an opponent writes.

use memchr::memmem;

/// A normal path, prepared for being matched.
#[derive(Debug)]
pub(crate) struct Path<'a> {
    bytes: &'a [u8],
    places: Option<Places>,
}

/// Longest path for which [`Places`] are noted: 128 KB of them.
const MAX_PLACED: usize = 4096;

impl<'a> Path<'a> {
    /// Prepared for few patterns.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, places: None }
    }

    /// Prepared for many patterns.
    pub(crate) fn with_places(bytes: &'a [u8]) -> Self {
        Self { bytes, places: (bytes.len() <= MAX_PLACED).then(|| Places::of(bytes)) }
    }

    /// Whether the tail of a pattern, which is what follows its first literal, matches what follows
    /// the first `from` bytes. A tail is empty or begins with `*`.
    ///
    /// Each literal is taken at its first occurrence: whatever a later one could match, the rest
    /// after the first can match too. So nothing is ever tried twice, and the time is linear in
    /// both.
    pub(crate) fn tail_matches(&self, tail: &[u8], anchored: bool, from: usize) -> bool {
        let Some(mut literals) = tail.strip_prefix(b"*") else {
            return !anchored || from == self.bytes.len();
        };
        let Some(room) = self.before_last(literals, anchored) else { return false };
        let mut from = from;
        loop {
            let end = match literals {
                [_, b'*', ..] => Some(1),
                _ => memchr::memchr(b'*', literals),
            };
            let Some(end) = end else { break };
            let literal = &literals[..end];
            match self.find(literal, from) {
                Some(at) if at + literal.len() <= room => from = at + literal.len(),
                _ => return false,
            }
            literals = &literals[end + 1..];
        }
        if anchored { from <= room } else { self.find(literals, from).is_some() }
    }

    /// How much of the path the literals before the last one may take at most; `None` if the last
    /// one is not where it must be.
    fn before_last(&self, literals: &[u8], anchored: bool) -> Option<usize> {
        let star = memchr::memrchr(b'*', literals);
        let last = star.map_or(literals, |star| &literals[star + 1..]);
        match last {
            _ if anchored => Some(self.bytes.strip_suffix(last)?.len()),
            [byte] => memchr::memrchr(*byte, self.bytes),
            _ => Some(self.bytes.len()),
        }
    }

    /// Where `literal` first stands at `from` or later.
    fn find(&self, literal: &[u8], from: usize) -> Option<usize> {
        let text = &self.bytes[from..];
        match (literal, &self.places) {
            ([], _) => Some(from),
            ([byte], Some(places)) => places.next(*byte, from),
            ([byte], None) => Some(from + memchr::memchr(*byte, text)?),
            _ => Some(from + memmem::find(text, literal)?),
        }
    }
}

/// Where each byte stands in a path, a bit a place. Finding the next one costs as much whether it
/// is near or not, which a processor that guesses branches likes.
#[derive(Debug)]
struct Places {
    n_words: usize,
    /// `n_words` for each byte.
    bits: Vec<u64>,
}

impl Places {
    fn of(path: &[u8]) -> Self {
        let n_words = path.len() / 64 + 1;
        let mut bits = vec![0; 256 * n_words];
        for (at, byte) in path.iter().enumerate() {
            bits[usize::from(*byte) * n_words + at / 64] |= 1 << (at % 64);
        }
        Self { n_words, bits }
    }

    fn next(&self, byte: u8, from: usize) -> Option<usize> {
        let row = &self.bits[usize::from(byte) * self.n_words..][..self.n_words];
        let first = from / 64;
        let here = row[first] >> (from % 64);
        if here != 0 {
            return Some(from + here.trailing_zeros() as usize);
        }
        let (at, word) = row.iter().enumerate().skip(first + 1).find(|(_, word)| **word != 0)?;
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

/// A sketch of the bytes and the pairs of bytes in a text: what a text has, the sketch of any text
/// around it has, too. Tells most patterns that cannot match a path without looking at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sketch([u64; 4]);

impl Sketch {
    /// The sketch of a path or a literal.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut sketch = Self::default();
        sketch.add(text);
        sketch
    }

    /// The sketch of all literals of a pattern or of its tail.
    pub(crate) fn of_literals(pattern: &[u8]) -> Self {
        let mut sketch = Self::default();
        pattern.split(|byte| *byte == b'*').for_each(|literal| sketch.add(literal));
        sketch
    }

    fn add(&mut self, text: &[u8]) {
        for byte in text {
            self.0[0] |= 1 << (byte & 63);
        }
        for pair in text.windows(2) {
            let mixed = (u32::from(pair[0]) << 8 | u32::from(pair[1])).wrapping_mul(0x9E37_79B1);
            // The top byte is the best mixed one; three words of it are left for pairs.
            let bit = (mixed >> 24) as usize % 192;
            self.0[1 + bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether all of `part` is in here.
    pub(crate) fn covers(&self, part: &Self) -> bool {
        self.0.iter().zip(&part.0).all(|(all, part)| part & !all == 0)
    }
}
