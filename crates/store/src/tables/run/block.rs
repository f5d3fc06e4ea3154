//! A few neighbouring entries of a run as bytes.
//!
//! Layout: CRC-32 of the rest (4 bytes), number of entries less one (1), bytes of a distance (1),
//! bits of a value (1), first key (8); then the distance of each key from the first, then the
//! values, packed. All of one block are as wide as its widest, so the one asked for is found
//! without unpacking those before it: six bytes each among a hundred million keys.

/// Most entries in a block.
pub(super) const MOST: usize = 64;
pub(super) const HEAD: usize = 15;
const MOST_BYTES: usize = HEAD + MOST * (8 + 4);
/// Numbers are read eight bytes at a time, so the last need something behind them.
const SLACK: usize = 8;

/// Appends a block; `entries` are not empty, not more than [`MOST`], and ascend.
pub(super) fn put(out: &mut Vec<u8>, entries: &[(u64, u32)]) {
    let first = entries[0].0;
    let most = entries[entries.len() - 1].0 - first;
    let width = (8 - most.leading_zeros() as usize / 8).min(8);
    let bits = value_bits(entries.iter().fold(0, |all, &(_, value)| all | value));
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&[(entries.len() - 1) as u8, width as u8, bits]);
    out.extend_from_slice(&first.to_le_bytes());
    for &(key, _) in entries {
        out.extend_from_slice(&(key - first).to_le_bytes()[..width]);
    }
    put_values(out, entries, bits);
    let sum = crc32fast::hash(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&sum.to_le_bytes());
}

/// The narrowest of the widths that divide a byte, or that a byte divides.
fn value_bits(value: u32) -> u8 {
    match u32::BITS - value.leading_zeros() {
        bits @ 0..=2 => bits as u8,
        3..=4 => 4,
        5..=8 => 8,
        9..=16 => 16,
        _ => 32,
    }
}

fn put_values(out: &mut Vec<u8>, entries: &[(u64, u32)], bits: u8) {
    let (mut word, mut filled) = (0_u64, 0);
    for &(_, value) in entries {
        word |= u64::from(value) << filled;
        filled += bits;
        if filled >= 32 {
            out.extend_from_slice(&(word as u32).to_le_bytes());
            word >>= 32;
            filled -= 32;
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..usize::from(filled.div_ceil(8))]);
}

/// What a block says of itself.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    n: usize,
    width: usize,
    bits: usize,
    first: u64,
}

impl Head {
    /// `None` if it makes no sense.
    fn read(bytes: &[u8]) -> Option<Self> {
        let n = usize::from(bytes[4]) + 1;
        let (width, bits) = (usize::from(bytes[5]), usize::from(bytes[6]));
        let makes_sense = n <= MOST && width <= 8 && matches!(bits, 0..=2 | 4 | 8 | 16 | 32);
        makes_sense.then(|| Self { n, width, bits, first: number_at(bytes, 7) })
    }

    fn values(&self) -> usize {
        HEAD + self.n * self.width
    }

    fn length(&self) -> usize {
        self.values() + (self.n * self.bits).div_ceil(8)
    }
}

/// One block in memory.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: [u8; MOST_BYTES + SLACK],
    length: usize,
    head: Head,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: [0; MOST_BYTES + SLACK], length: 0, head: Head::default() }
    }
}

impl Buffer {
    /// Room for a block of this length; `None` if no block is that long.
    pub(super) fn make_room(&mut self, length: usize) -> Option<&mut [u8]> {
        self.length = length;
        self.bytes[..MOST_BYTES].get_mut(..length)
    }

    /// The length that the first bytes say the block has.
    pub(super) fn length_told(&self) -> Option<usize> {
        Head::read(&self.bytes).map(|head| head.length())
    }

    /// Checks what was read into the room; nothing else may be asked before.
    pub(super) fn check(&mut self) -> Result<(), &'static str> {
        let head = Head::read(&self.bytes).filter(|head| head.length() == self.length);
        self.head = head.ok_or("the head of a block makes no sense")?;
        let sum = crc32fast::hash(&self.bytes[4..self.length]);
        if self.bytes[..4] == sum.to_le_bytes() { Ok(()) } else { Err("a checksum is wrong") }
    }

    pub(super) fn first(&self) -> u64 {
        self.head.first
    }

    pub(super) fn find(&self, key: u64) -> Option<u32> {
        let distance = key.checked_sub(self.head.first)?;
        let mask = mask(8 * self.head.width);
        let at = |n: usize| number_at(&self.bytes, HEAD + n * self.head.width) & mask;
        let (mut low, mut n) = (0, self.head.n);
        while n > 1 {
            let half = n / 2;
            low = if at(low + half) <= distance { low + half } else { low };
            n -= half;
        }
        (at(low) == distance).then(|| self.value(low))
    }

    fn value(&self, n: usize) -> u32 {
        let bit = n * self.head.bits;
        let word = number_at(&self.bytes, self.head.values() + bit / 8) >> (bit % 8);
        (word & mask(self.head.bits)) as u32
    }

    /// Replaces what is in both by the block's entries; `false` if its keys do not ascend.
    pub(super) fn unpack(&self, keys: &mut Vec<u64>, values: &mut Vec<u32>) -> bool {
        let (mask, width) = (mask(8 * self.head.width), self.head.width);
        let distances = (0..self.head.n).map(|n| number_at(&self.bytes, HEAD + n * width) & mask);
        keys.clear();
        keys.extend(distances.map(|distance| self.head.first.wrapping_add(distance)));
        values.clear();
        values.extend((0..self.head.n).map(|n| self.value(n)));
        keys[0] == self.head.first && keys.windows(2).all(|pair| pair[0] < pair[1])
    }
}

fn mask(bits: usize) -> u64 {
    if bits == 0 { 0 } else { u64::MAX >> (64 - bits) }
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
