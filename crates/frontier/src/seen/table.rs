//! Fingerprints in memory: an open table of nine bytes a slot, twelve to fifteen an entry.
//!
//! It grows by a quarter, not to the double: a half-empty table is the dearest thing there is
//! when everything else costs a byte and a half.

use std::collections::BTreeMap;

/// Codes from here on do not fit a slot.
const WIDE: u8 = u8::MAX;
/// Of four slots, three are filled at most.
const LOAD: (usize, usize) = (3, 4);

/// Keys, each with a small code.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// 0: empty. The key 0 has a place of its own.
    keys: Vec<u64>,
    codes: Vec<u8>,
    n: usize,
    zero: Option<u32>,
    /// Codes that do not fit a slot.
    wide: BTreeMap<u64, u32>,
}

impl Table {
    #[cfg(test)]
    pub(super) fn ram_bytes(&self) -> usize {
        self.keys.capacity() * (size_of::<u64>() + 1) + self.wide.len() * 24
    }

    pub(super) fn get(&self, key: u64) -> Option<u32> {
        if key == 0 {
            return self.zero;
        }
        let slot = self.slot(key).ok()?;
        match self.codes[slot] {
            WIDE => self.wide.get(&key).copied(),
            code => Some(u32::from(code)),
        }
    }

    /// Sets the code of a key; `true` if the key is new.
    pub(super) fn set(&mut self, key: u64, code: u32) -> bool {
        if key == 0 {
            return self.zero.replace(code).is_none();
        }
        let narrow = u8::try_from(code).unwrap_or(WIDE);
        if narrow == WIDE {
            self.wide.insert(key, code);
        }
        match self.slot(key) {
            Ok(slot) => {
                self.codes[slot] = narrow;
                false
            }
            Err(mut slot) => {
                if (self.n + 1) * LOAD.1 > self.keys.len() * LOAD.0 {
                    self.grow();
                    slot = self.slot(key).unwrap_or_else(|empty| empty);
                }
                self.keys[slot] = key;
                self.codes[slot] = narrow;
                self.n += 1;
                true
            }
        }
    }

    /// All entries, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let pairs = self.keys.iter().zip(&self.codes).filter(|&(&key, _)| key != 0);
        let pairs = pairs.map(|(&key, &code)| match code {
            WIDE => (key, self.wide.get(&key).copied().unwrap_or(u32::from(WIDE))),
            code => (key, u32::from(code)),
        });
        self.zero.map(|code| (0, code)).into_iter().chain(pairs)
    }

    /// Where the key is, or else where it would be.
    fn slot(&self, key: u64) -> Result<usize, usize> {
        let n = self.keys.len();
        if n == 0 {
            return Err(0);
        }
        // Fingerprints are hashes already, but which of their bits chose this table is not told
        // here.
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = ((u128::from(hash) * n as u128) >> 64) as usize;
        loop {
            match self.keys[slot] {
                found if found == key => return Ok(slot),
                0 => return Err(slot),
                _ => slot = if slot + 1 == n { 0 } else { slot + 1 },
            }
        }
    }

    fn grow(&mut self) {
        let n = (self.keys.len() + self.keys.len() / 4).max(8);
        let keys = std::mem::replace(&mut self.keys, vec![0; n]);
        let codes = std::mem::replace(&mut self.codes, vec![0; n]);
        for (key, code) in keys.into_iter().zip(codes).filter(|&(key, _)| key != 0) {
            let slot = self.slot(key).unwrap_or_else(|empty| empty);
            self.keys[slot] = key;
            self.codes[slot] = code;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn it_is_a_map() {
        let mut table = Table::default();
        let mut model = HashMap::new();
        for n in 0..40_000_u64 {
            let key = n.wrapping_mul(0xd134_2543_de82_ef95) >> (n % 50);
            let code = (n % 700) as u32;
            assert_eq!(table.get(key), model.get(&key).copied());
            assert_eq!(table.set(key, code), model.insert(key, code).is_none());
            assert_eq!(table.get(key), Some(code));
        }
        assert_eq!(table.entries().count(), model.len());
        assert_eq!(table.entries().collect::<HashMap<_, _>>(), model);
    }

    #[test]
    fn an_entry_takes_fifteen_bytes_at_most() {
        let mut table = Table::default();
        for n in 1..100_000_u64 {
            table.set(n.wrapping_mul(0xd134_2543_de82_ef95), 1);
            assert!(n < 100 || table.ram_bytes() <= table.n * 31 / 2);
        }
    }
}
