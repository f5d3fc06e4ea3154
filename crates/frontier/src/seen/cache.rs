//! What the runs said lately: the links that every page repeats cost no look at the disk.
//!
//! Direct-mapped, one word an entry: what of the fingerprint the place does not tell (44 bits),
//! the generation (12), the code and one (8; 0: empty).
//!
//! Entries hold for one generation: from one run's becoming live to the next's. What changes in
//! between lies in memory, where it is looked for first, so nothing here has to be taken back.
//! Whoever asks must read the generation after having looked in memory, and before taking the
//! list of runs, or all three under one lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const PLACE_BITS: u32 = 20;
const GENERATION_BITS: u32 = 12;
const CODE_BITS: u32 = 8;

/// The cache: nothing until it is first written to, eight megabytes from then on.
#[derive(Debug, Default)]
pub(super) struct Cache {
    slots: OnceLock<Box<[AtomicU64]>>,
    generation: AtomicU64,
}

impl Cache {
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Forgets all entries, and returns the new generation. Only one thread may do it.
    pub(super) fn begin_generation(&self) -> u64 {
        let next = self.generation() + 1;
        // Long before the number comes round again.
        if next.is_multiple_of(1 << (GENERATION_BITS - 1)) {
            let slots = self.slots.get().map_or(&[][..], |slots| slots);
            slots.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
        }
        self.generation.store(next, Ordering::Release);
        next
    }

    pub(super) fn get(&self, key: u64, generation: u64) -> Option<u32> {
        let word = self.slots.get()?[place(key)].load(Ordering::Relaxed);
        let code = (word as u8).checked_sub(1)?;
        (word == pack(key, generation, code)).then_some(u32::from(code))
    }

    pub(super) fn put(&self, key: u64, generation: u64, code: u32) {
        let Some(code) = u8::try_from(code).ok().filter(|&code| code < u8::MAX) else { return };
        let make = || (0..1 << PLACE_BITS).map(|_| AtomicU64::new(0)).collect();
        let slots = self.slots.get_or_init(make);
        slots[place(key)].store(pack(key, generation, code), Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn ram_bytes(&self) -> usize {
        self.slots.get().map_or(0, |slots| size_of_val(&**slots))
    }
}

fn place(key: u64) -> usize {
    (key % (1 << PLACE_BITS)) as usize
}

fn pack(key: u64, generation: u64, code: u8) -> u64 {
    let generation = generation % (1 << GENERATION_BITS);
    (key >> PLACE_BITS << PLACE_BITS) | (generation << CODE_BITS) | (u64::from(code) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_for_its_key_and_generation() {
        let cache = Cache::default();
        let key = 0xfedc_ba98_7654_3210;
        assert_eq!((cache.get(key, 0), cache.ram_bytes()), (None, 0));
        for code in [0, 1, 254] {
            cache.put(key, 7, code);
            assert_eq!(cache.get(key, 7), Some(code));
        }
        cache.put(key, 7, 255);
        assert_eq!(cache.get(key, 7), Some(254), "does not fit");
        assert_eq!(cache.get(key, 8), None);
        assert_eq!(cache.get(key ^ 1 << 20, 7), None);
        assert_eq!(cache.get(key ^ 1 << 63, 7), None);
        assert_eq!(cache.get(key ^ 1, 7), None);
    }

    #[test]
    fn an_entry_is_gone_when_its_generation_comes_round_again() {
        let cache = Cache::default();
        cache.put(5, cache.generation(), 1);
        for n in 1..=1 << GENERATION_BITS {
            assert_eq!(cache.begin_generation(), n);
        }
        assert_eq!(cache.get(5, cache.generation()), None);
    }
}
