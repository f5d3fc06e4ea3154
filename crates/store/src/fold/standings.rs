//! Where each URL stands, sixteen bytes a URL.
//!
//! A fold looks up every URL of the log in no order, and each look into a table of a hundred
//! megabytes waits for memory. So the table is many small ones, and what the log says of their
//! URLs is gathered until there is enough of it that a small table, once it is in the processor's
//! cache, is worth having there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crawl_model::{FilterReason, Fingerprint, Verdict};

/// Small tables.
const SHARDS: usize = 256;
/// Bits of a fingerprint that say in which one it is: a table's own index uses the lowest and the
/// highest.
const SHARD_SHIFT: u32 = 40;
/// What is gathered for each, at most.
const GATHERED: usize = 2048;

/// A host, as a number that the sums by host give it; 0 where hosts do not matter.
pub(super) type HostNumber = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Queued(HostNumber),
    /// With the number of the settle.
    Settled(Verdict, u64),
    /// Filtered where it was found.
    Filtered(FilterReason, HostNumber),
    /// Filtered after it had been admitted.
    Expelled(FilterReason, HostNumber),
}

impl Standing {
    pub(super) fn was_admitted(self) -> bool {
        match self {
            Self::Queued(_) | Self::Settled(..) | Self::Expelled(..) => true,
            Self::Filtered(..) => false,
        }
    }

    /// Where a URL that stands here stands after what the log says of it next.
    fn then(self, told: Told) -> Self {
        let Told { standing, renews } = told;
        match (self, standing) {
            (_, Self::Settled(..)) => standing,
            (Self::Queued(host), Self::Expelled(reason, _)) => Self::Expelled(reason, host),
            // Not known: on a shorter path, or under other limits, it may come in.
            (Self::Filtered(..) | Self::Expelled(..), Self::Queued(_)) => standing,
            (Self::Settled(..), Self::Queued(_)) if renews => standing,
            _ => self,
        }
    }
}

/// What one event of the log says of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) standing: Standing,
    /// Whether it is asked for again though it has settled.
    pub(super) renews: bool,
}

/// A [`Standing`], and perhaps that it [renews](Told::renews), in eight bytes: kind, verdict or
/// reason, and settle or host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed(u64);

const QUEUED: u64 = 0;
const SETTLED: u64 = 1;
const FILTERED: u64 = 2;
const EXPELLED: u64 = 3;
const RENEWS: u64 = 1 << 2;
const INDEX_SHIFT: u32 = 8;
const NUMBER_SHIFT: u32 = 16;

/// Settle numbers are smaller than this: with a hundred million a day, for seven thousand years.
pub(super) const MOST_SETTLES: u64 = 1 << (u64::BITS - NUMBER_SHIFT);

impl Packed {
    fn new(told: Told) -> Self {
        let (kind, index, number) = match told.standing {
            Standing::Queued(host) => (QUEUED, 0, u64::from(host)),
            Standing::Settled(verdict, n) => (SETTLED, verdict as u8, n % MOST_SETTLES),
            Standing::Filtered(reason, host) => (FILTERED, reason as u8, u64::from(host)),
            Standing::Expelled(reason, host) => (EXPELLED, reason as u8, u64::from(host)),
        };
        let renews = if told.renews { RENEWS } else { 0 };
        Self(kind | renews | u64::from(index) << INDEX_SHIFT | number << NUMBER_SHIFT)
    }

    #[inline]
    fn told(self) -> Told {
        let number = self.0 >> NUMBER_SHIFT;
        let [_, index, ..] = self.0.to_le_bytes();
        let host = || u32::try_from(number).expect("it was one");
        let reason = || FilterReason::from_index(index).expect("it was one");
        let standing = match self.0 & EXPELLED {
            QUEUED => Standing::Queued(host()),
            SETTLED => {
                let verdict = Verdict::from_index(index).expect("it was one");
                Standing::Settled(verdict, number)
            }
            FILTERED => Standing::Filtered(reason(), host()),
            _ => Standing::Expelled(reason(), host()),
        };
        Told { standing, renews: self.0 & RENEWS != 0 }
    }
}

/// Fingerprints are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[derive(Debug, Default)]
struct Shard {
    standings: HashMap<Fingerprint, Packed, BuildHasherDefault<AsIs>>,
    gathered: Vec<(Fingerprint, Packed)>,
}

/// All URLs of the log, or of a part of it.
#[derive(Debug)]
pub(super) struct Standings {
    shards: Vec<Shard>,
    most_gathered: usize,
}

impl Standings {
    /// For very many URLs: nothing can be asked before the [end](Self::finish).
    pub(super) fn of_all() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), most_gathered: GATHERED }
    }

    /// For some, of which may be asked at any time.
    pub(super) fn of_some() -> Self {
        Self { most_gathered: 1, ..Self::of_all() }
    }

    /// Takes what the log says next of a URL. `left` is told of each settle that counts no longer.
    pub(super) fn tell(&mut self, print: Fingerprint, told: Told, left: &mut impl FnMut(u64)) {
        let shard = &mut self.shards[shard_of(print)];
        shard.gathered.push((print, Packed::new(told)));
        if shard.gathered.len() >= self.most_gathered {
            shard.settle(left);
        }
    }

    /// To be called before anything is asked of [all](Self::of_all).
    pub(super) fn finish(&mut self, left: &mut impl FnMut(u64)) {
        for shard in &mut self.shards {
            shard.settle(left);
            shard.gathered = Vec::new();
        }
    }

    pub(super) fn get(&self, print: Fingerprint) -> Option<Standing> {
        let packed = self.shards[shard_of(print)].standings.get(&print)?;
        Some(packed.told().standing)
    }

    pub(super) fn remove(&mut self, print: Fingerprint) {
        self.shards[shard_of(print)].standings.remove(&print);
    }

    /// In no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Fingerprint, Standing)> {
        let all = self.shards.iter().flat_map(|shard| &shard.standings);
        all.map(|(print, packed)| (*print, packed.told().standing))
    }
}

impl Shard {
    fn settle(&mut self, left: &mut impl FnMut(u64)) {
        for (print, packed) in self.gathered.drain(..) {
            let mut old = match self.standings.entry(print) {
                Entry::Occupied(old) => old,
                Entry::Vacant(none) => {
                    none.insert(packed);
                    continue;
                }
            };
            let before = old.get().told().standing;
            let standing = before.then(packed.told());
            match before {
                Standing::Settled(_, n) if standing != before => left(n),
                _ => {}
            }
            old.insert(Packed::new(Told { standing, renews: false }));
        }
    }
}

fn shard_of(print: Fingerprint) -> usize {
    usize::try_from(print.0 >> SHARD_SHIFT).unwrap_or(0) % SHARDS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn tell(standings: &mut Standings, nth: u64, left: &mut Vec<u64>) {
        // A few thousand URLs, each told of several times, in one order.
        let print = Fingerprint((nth % 5_000).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let standing = match nth.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 61 {
            0..=2 => Standing::Queued(7),
            3 => Standing::Filtered(FilterReason::TooDeep, 7),
            4 => Standing::Expelled(FilterReason::OffDomain, 0),
            _ => Standing::Settled(Verdict::HttpError, nth),
        };
        let told = Told { standing, renews: nth.is_multiple_of(3) };
        standings.tell(print, told, &mut |n| left.push(n));
    }

    #[test]
    fn what_is_gathered_first_comes_to_the_same() {
        let (mut all, mut some) = (Standings::of_all(), Standings::of_some());
        let (mut left_of_all, mut left_of_some) = (Vec::new(), Vec::new());
        for nth in 0..1_000_000 {
            tell(&mut all, nth, &mut left_of_all);
            tell(&mut some, nth, &mut left_of_some);
        }
        all.finish(&mut |n| left_of_all.push(n));
        let by_print = |standings: &Standings| standings.iter().collect::<BTreeMap<_, _>>();
        assert_eq!(by_print(&all), by_print(&some));
        assert_eq!(all.iter().count(), 5_000);
        left_of_all.sort_unstable();
        left_of_some.sort_unstable();
        assert!(!left_of_some.is_empty() && left_of_all == left_of_some);
    }

    #[test]
    fn every_standing_is_packed_and_comes_back() {
        let hosts = [0, 1, HostNumber::MAX];
        let reasons = FilterReason::ALL.iter().flat_map(|reason| {
            hosts.into_iter().flat_map(|host| {
                [Standing::Filtered(*reason, host), Standing::Expelled(*reason, host)]
            })
        });
        let verdicts = Verdict::ALL
            .iter()
            .flat_map(|verdict| [1, MOST_SETTLES - 1].map(|n| Standing::Settled(*verdict, n)));
        for standing in hosts.map(Standing::Queued).into_iter().chain(reasons).chain(verdicts) {
            for renews in [false, true] {
                let told = Told { standing, renews };
                assert_eq!(Packed::new(told).told(), told);
            }
        }
    }
}
