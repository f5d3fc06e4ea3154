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

/// Most cells of a table of [`Places`], of two bytes each: paths of some two thousand bytes.
const MAX_PLACED: usize = 128 * 1024;

impl<'a> Path<'a> {
    /// Prepared for few patterns.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, places: None }
    }

    /// Prepared for many patterns.
    pub(crate) fn with_places(bytes: &'a [u8]) -> Self {
        Self { bytes, places: Places::of(bytes) }
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
            if let Some(places) = &self.places {
                match places.pass_bytes(literals, from, room) {
                    Some(passed) => (from, literals) = passed,
                    None => return false,
                }
            }
            let Some(end) = memchr::memchr(b'*', literals) else { break };
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

/// Where each byte of a path stands next, from each place. Every step of a match needs the one
/// before it, so a step must be one look-up, and the table small enough to stay in the nearest cache.
#[derive(Debug)]
struct Places {
    /// The column of each byte; 0 for those that the path does not have.
    columns: [u8; 256],
    /// A row is `1 << shift` columns wide.
    shift: u32,
    /// A row for each place and for the end.
    next: Vec<u16>,
}

impl Places {
    /// In the table: it does not come again.
    const NONE: u16 = u16::MAX;

    /// `None` if the table would be too large.
    fn of(path: &[u8]) -> Option<Self> {
        let mut columns = [0; 256];
        let mut n_columns = 1_u8;
        for byte in path {
            let column = &mut columns[usize::from(*byte)];
            if *column == 0 {
                *column = n_columns;
                n_columns = n_columns.checked_add(1)?;
            }
        }
        let shift = u32::from(n_columns).next_power_of_two().trailing_zeros();
        let width = 1 << shift;
        if (path.len() + 1) * width > MAX_PLACED {
            return None;
        }
        let mut next = vec![Self::NONE; (path.len() + 1) * width];
        for (at, byte) in path.iter().enumerate().rev() {
            let (row, rows_after) = next[at * width..].split_at_mut(width);
            row.copy_from_slice(&rows_after[..width]);
            // Places are fewer than the table has cells, and those fit.
            row[usize::from(columns[usize::from(*byte)])] = at as u16;
        }
        Some(Self { columns, shift, next })
    }

    /// Passes the literals of one byte that `literals` begin with: the place behind them, and what
    /// is left. `None` if one of them is not there.
    fn pass_bytes<'a>(
        &self,
        mut literals: &'a [u8],
        mut from: usize,
        room: usize,
    ) -> Option<(usize, &'a [u8])> {
        while let [byte, b'*', rest @ ..] = literals {
            let column = usize::from(self.columns[usize::from(*byte)]);
            // Beyond all room if it is `NONE`.
            from = usize::from(self.next[(from << self.shift) + column]) + 1;
            if from > room {
                return None;
            }
            literals = rest;
        }
        Some((from, literals))
    }

    fn next(&self, byte: u8, from: usize) -> Option<usize> {
        let column = usize::from(self.columns[usize::from(byte)]);
        let at = self.next[(from << self.shift) + column];
        (at != Self::NONE).then_some(usize::from(at))
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
