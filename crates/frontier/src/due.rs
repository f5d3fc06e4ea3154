//! Whose turn it is: the hosts that have work and room, by due time.
//!
//! A heap of sixteen bytes a host, beside a list that says where in the heap each stands, so that
//! one can be moved in the time that it takes to put it in. Eight ways to go at each step instead of
//! two: what is compared lies side by side, and a heap of a million hosts is seven steps deep.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::backend::HostKey;
use crate::chunks::Chunks;

/// An instant in six bytes, to the microsecond below. It tells eight years from the start of the
/// process; what is beyond is told as the last of them, and what is a year before as the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp([u8; 6]);

/// Before all that a stamp can tell.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| {
    let now = crate::clock::now();
    now.checked_sub(YEAR).unwrap_or(now)
});

const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const LAST: u64 = (1 << 48) - 1;

impl Stamp {
    /// No instant; before all others.
    pub(crate) const NEVER: Self = Self([0; 6]);
    /// Before all instants that a clock tells.
    pub(crate) const FIRST: Self = Self([0, 0, 0, 0, 0, 1]);

    fn micros(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    fn of_micros(micros: u64) -> Self {
        let [_, _, a, b, c, d, e, f] = micros.min(LAST).to_be_bytes();
        Self([a, b, c, d, e, f])
    }

    /// The instant.
    pub(crate) fn get(self) -> Option<Instant> {
        (self != Self::NEVER).then(|| *ORIGIN + Duration::from_micros(self.micros()))
    }
}

impl From<Instant> for Stamp {
    fn from(at: Instant) -> Self {
        let micros = at.saturating_duration_since(*ORIGIN).as_micros();
        Self::of_micros(u64::try_from(micros).unwrap_or(LAST).max(1))
    }
}

impl From<Option<Instant>> for Stamp {
    fn from(at: Option<Instant>) -> Self {
        at.map_or(Self::NEVER, Self::from)
    }
}

/// An instant in two bytes, to the hour below. It tells six years from the start of the process;
/// what is beyond is told as the last of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hours(u16);

const HOUR_SECS: u64 = 60 * 60;

impl Hours {
    pub(crate) const LAST: Self = Self(u16::MAX);

    pub(crate) fn until(at: Instant) -> Self {
        let hours = at.saturating_duration_since(*ORIGIN).as_secs() / HOUR_SECS;
        u16::try_from(hours).map_or(Self::LAST, Self)
    }

    /// Whether it is later than an instant for certain.
    pub(crate) fn is_after(self, at: Instant) -> bool {
        self > Self::until(at)
    }
}

/// Hosts by due time. Equal due times take turns.
#[derive(Debug, Default)]
pub(crate) struct DueHosts {
    heap: Chunks<Entry>,
    /// By host: where in the heap it stands, from 1; 0: nowhere.
    places: Chunks<u32>,
    turn: u64,
}

/// Due time, turn and host, the more significant first: 48, 48 and 32 bits. (Turns last for ninety
/// years at a hundred thousand a second.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u128);

/// Ways to go down from one entry.
const WAYS: usize = 8;

impl Entry {
    fn host(self) -> HostKey {
        HostKey(u32::try_from(self.0 & u128::from(u32::MAX)).unwrap_or(u32::MAX))
    }

    fn due(self) -> Stamp {
        Stamp::of_micros(u64::try_from(self.0 >> 80).unwrap_or(LAST))
    }
}

impl DueHosts {
    /// When the host is due, if it is among them.
    pub(crate) fn of(&self, host: HostKey) -> Option<Stamp> {
        self.place(host).map(|place| self.heap[place].due())
    }

    /// Makes the host due at `due`, behind those that are at the same time.
    pub(crate) fn insert(&mut self, host: HostKey, due: Stamp) {
        self.turn = (self.turn + 1) & LAST;
        let key = u128::from(due.micros()) << 80 | u128::from(self.turn) << 32;
        let entry = Entry(key | u128::from(host.0));
        let place = self.place(host).unwrap_or_else(|| {
            self.heap.push(entry);
            self.heap.len() - 1
        });
        self.settle(place, entry);
    }

    /// Takes the host out; whether it was there.
    pub(crate) fn remove(&mut self, host: HostKey) -> bool {
        let Some(place) = self.place(host) else { return false };
        self.places[host.0 as usize] = 0;
        if let Some(last) = self.heap.pop()
            && place < self.heap.len()
        {
            self.settle(place, last);
        }
        true
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn first(&self) -> Option<(Instant, HostKey)> {
        let first = self.heap.get(0)?;
        Some((first.due().get().unwrap_or(*ORIGIN), first.host()))
    }

    fn place(&self, host: HostKey) -> Option<usize> {
        (*self.places.get(host.0 as usize)? as usize).checked_sub(1)
    }

    /// Finds the place for `entry`, where that at `place` may be overwritten.
    fn settle(&mut self, mut place: usize, entry: Entry) {
        while let Some(below) = place.checked_sub(1) {
            let parent = below / WAYS;
            if self.heap[parent] <= entry {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        loop {
            let first = place * WAYS + 1;
            let children = first..(first + WAYS).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child]) else { break };
            if self.heap[least] >= entry {
                break;
            }
            self.put(place, self.heap[least]);
            place = least;
        }
        self.put(place, entry);
    }

    fn put(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        let host = entry.host().0 as usize;
        while self.places.len() <= host {
            self.places.push(0);
        }
        // There are fewer hosts than a u32 counts.
        self.places[host] = u32::try_from(place + 1).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stamp_is_an_instant_to_the_microsecond() {
        let now = crate::clock::now();
        let stamp = Stamp::from(now);
        let back = stamp.get().unwrap();
        assert!(back <= now && now - back < Duration::from_micros(1));
        assert_eq!(Stamp::from(back), stamp);
        assert!(Stamp::NEVER < Stamp::from(*ORIGIN) && Stamp::NEVER.get().is_none());
        assert!(Stamp::from(now + 7 * YEAR) > Stamp::from(now + 7 * YEAR - Duration::from_secs(1)));
        assert_eq!(Stamp::from(now + 20 * YEAR), Stamp::of_micros(LAST));
        assert_eq!(Stamp::from(None), Stamp::NEVER);
    }

    #[test]
    fn hosts_come_by_due_time_and_equals_take_turns() {
        let now = Stamp::from(crate::clock::now()).get().unwrap();
        let later = now + Duration::from_secs(1);
        let mut hosts = DueHosts::default();
        hosts.insert(HostKey(1), now.into());
        hosts.insert(HostKey(2), now.into());
        hosts.insert(HostKey(0), later.into());
        assert_eq!(hosts.first(), Some((now, HostKey(1))));
        assert!(hosts.remove(HostKey(1)) && !hosts.remove(HostKey(1)));
        hosts.insert(HostKey(1), now.into());
        assert_eq!(hosts.first(), Some((now, HostKey(2))));
        assert_eq!(hosts.of(HostKey(0)), Some(later.into()));
        assert_eq!((hosts.of(HostKey(3)), size_of::<Entry>()), (None, 16));
    }

    proptest! {
        #[test]
        fn it_does_what_a_sorted_set_does(
            steps in prop::collection::vec((0u32..300, prop::option::weighted(0.7, 0u64..40)), 0..900),
        ) {
            let mut hosts = DueHosts::default();
            let mut model: BTreeSet<(u64, usize, u32)> = BTreeSet::new();
            for (turn, (host, due)) in steps.into_iter().enumerate() {
                let was_there = model.iter().any(|&(.., other)| other == host);
                model.retain(|&(.., other)| other != host);
                match due {
                    Some(due) => {
                        hosts.insert(HostKey(host), Stamp::of_micros(due + 1));
                        model.insert((due + 1, turn, host));
                    }
                    None => prop_assert_eq!(hosts.remove(HostKey(host)), was_there),
                }
                let first = model.first().map(|&(.., host)| HostKey(host));
                prop_assert_eq!(hosts.first().map(|(_, host)| host), first);
                for &(due, _, host) in &model {
                    prop_assert_eq!(hosts.of(HostKey(host)), Some(Stamp::of_micros(due)));
                }
            }
        }
    }
}
