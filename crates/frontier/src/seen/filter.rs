//! A filter over one run: says of ninety-nine in a hundred strangers that they are not there.
//!
//! A blocked Bloom filter (Putze, Sanders and Singler, 2007): all bits of a key lie in one cache
//! line, one in each of its eight words. Ten bits a key. The line is chosen by the high bits of
//! the key, so a filter is filled from a sorted run from front to back.

const BITS_PER_KEY: u64 = 10;
const LINE_BITS: u64 = 512;

/// One cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line([u64; 8]);

/// The filter.
#[derive(Debug)]
pub(super) struct Filter {
    lines: Vec<Line>,
}

impl Filter {
    /// Makes one that is right for this many keys.
    pub(super) fn new(n_keys: u64) -> Self {
        let n_lines = (n_keys.saturating_mul(BITS_PER_KEY) / LINE_BITS + 1) as usize;
        Self { lines: vec![Line::default(); n_lines] }
    }

    #[cfg(test)]
    pub(super) fn ram_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    pub(super) fn add(&mut self, key: u64) {
        let n = self.line(key);
        let line = &mut self.lines[n];
        for (word, bit) in line.0.iter_mut().zip(bits(key)) {
            *word |= bit;
        }
    }

    /// `false`: the key was not added.
    pub(super) fn may_hold(&self, key: u64) -> bool {
        let line = &self.lines[self.line(key)];
        let lacks =
            line.0.iter().zip(bits(key)).fold(0, |lacks, (word, bit)| lacks | (!word & bit));
        lacks == 0
    }

    fn line(&self, key: u64) -> usize {
        ((u128::from(key) * self.lines.len() as u128) >> 64) as usize
    }
}

/// One bit for each word of a line, from the key's low bits: the high ones chose the line.
fn bits(key: u64) -> [u64; 8] {
    let hash = key.wrapping_mul(0x9fb2_1c65_1e98_df25);
    std::array::from_fn(|n| 1 << ((hash >> (58 - 6 * n)) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(n: u64) -> u64 {
        crawl_model::Fingerprint(n).number(0)
    }

    #[test]
    fn all_that_was_added_may_be_there_and_little_else() {
        let mut filter = Filter::new(100_000);
        (0..100_000).for_each(|n| filter.add(spread(n)));
        assert!((0..100_000).all(|n| filter.may_hold(spread(n))));
        let wrong = (100_000..200_000).filter(|&n| filter.may_hold(spread(n))).count();
        assert!(wrong < 2000, "{wrong} of 100000");
        assert!(filter.ram_bytes() < 130_000);
    }
}
