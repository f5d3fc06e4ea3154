//! Where each URL stands by the log: folded once more, a range of fingerprints at a time, so that
//! memory has an end however many there are.

use std::collections::HashMap;

use crawl_model::{FilterReason, Verdict};

use super::log::Event;

/// URLs that are folded at a time, about.
const PER_SLICE: u64 = 1_700_000;

/// A range of fingerprints, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Slice {
    /// As many ranges of the same width as `n_found` URLs need.
    pub(super) fn all(n_found: u64) -> impl Iterator<Item = Self> {
        let n = u128::from(n_found.div_ceil(PER_SLICE).max(1));
        let edge = move |nth: u128| (nth << 64).div_ceil(n);
        (0..n).map(move |nth| {
            let of = |edge: u128| u64::try_from(edge).unwrap_or(u64::MAX);
            Self { first: of(edge(nth)), last: of(edge(nth + 1) - 1) }
        })
    }

    pub(super) fn has(self, print: u64) -> bool {
        (self.first..=self.last).contains(&print)
    }
}

/// Where a URL stands, in eight bytes: what it is, a mark, verdict or reason, twelve bits of
/// facts, settle number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing(u64);

/// The same, spelled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Queued,
    /// How, as which, and [facts](super::log::facts) of its page.
    Settled(Verdict, u64, u16),
    Filtered(FilterReason),
}

const QUEUED: u64 = 0;
const SETTLED: u64 = 1;
const FILTERED: u64 = 2;
const KIND: u64 = 3;
/// It was met again where it has to be.
const MARK: u64 = 4;

impl Standing {
    fn new(state: State) -> Self {
        Self(match state {
            State::Queued => QUEUED,
            State::Settled(verdict, n, facts) => {
                SETTLED | (verdict as u64) << 8 | u64::from(facts & 0xfff) << 16 | n << 28
            }
            State::Filtered(reason) => FILTERED | (reason as u64) << 8,
        })
    }

    pub(super) fn state(self) -> State {
        let index = (self.0 >> 8 & 0xff) as usize;
        match self.0 & KIND {
            QUEUED => State::Queued,
            SETTLED => {
                State::Settled(Verdict::ALL[index], self.0 >> 28, (self.0 >> 16 & 0xfff) as u16)
            }
            _ => State::Filtered(FilterReason::ALL[index]),
        }
    }

    pub(super) fn mark(&mut self) {
        self.0 |= MARK;
    }

    /// Whether it was marked; it is not any more.
    pub(super) fn take_mark(&mut self) -> bool {
        let was = self.0 & MARK != 0;
        self.0 &= !MARK;
        was
    }
}

/// How many URLs stand where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) discovered: u64,
    pub(super) queued: u64,
    pub(super) settled: Vec<u64>,
    pub(super) filtered: Vec<u64>,
    pub(super) retries: u64,
}

impl Default for Sums {
    fn default() -> Self {
        let (settled, filtered) = (vec![0; Verdict::ALL.len()], vec![0; FilterReason::ALL.len()]);
        Self { discovered: 0, queued: 0, settled, filtered, retries: 0 }
    }
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.discovered += other.discovered;
        self.queued += other.queued;
        self.retries += other.retries;
        let pairs = self.settled.iter_mut().zip(&other.settled);
        pairs.chain(self.filtered.iter_mut().zip(&other.filtered)).for_each(|(a, b)| *a += b);
    }

    /// Whether every URL stands somewhere: the conservation law.
    pub(super) fn is_conserved(&self) -> bool {
        let ended = self.settled.iter().chain(&self.filtered).sum::<u64>();
        self.discovered == self.queued + ended
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Queued => &mut self.queued,
            State::Settled(verdict, ..) => &mut self.settled[verdict as usize],
            State::Filtered(reason) => &mut self.filtered[reason as usize],
        }
    }
}

/// The fold over one range.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) slice: Slice,
    pub(super) standings: HashMap<u64, Standing>,
    /// Number and print of each settle, in order.
    pub(super) settles: Vec<(u64, u64)>,
    pub(super) sums: Sums,
}

impl Fold {
    pub(super) fn new(slice: Slice) -> Self {
        let (standings, settles, sums) = (HashMap::new(), Vec::new(), Sums::default());
        Self { slice, standings, settles, sums }
    }

    pub(super) fn apply(&mut self, event: &Event<'_>) {
        match *event {
            Event::Found { print, filtered, renews, .. } if self.slice.has(print) => {
                self.found(print, filtered, renews);
            }
            Event::Settled { n, print, verdict, facts } if self.slice.has(print) => {
                self.settles.push((n, print));
                self.put(print, State::Settled(verdict, n, facts));
            }
            Event::Retried { print } => self.sums.retries += u64::from(self.slice.has(print)),
            Event::Filtered { print, reason } if self.slice.has(print) => {
                let is_over = self.standing(print).is_some_and(|state| state != State::Queued);
                if !is_over {
                    self.put(print, State::Filtered(reason));
                }
            }
            _ => {}
        }
    }

    pub(super) fn standing(&self, print: u64) -> Option<State> {
        self.standings.get(&print).map(|standing| standing.state())
    }

    /// Whether settle `n` was of `print`.
    pub(super) fn has_settled(&self, n: u64, print: u64) -> bool {
        self.settles.binary_search(&(n, print)).is_ok()
    }

    fn found(&mut self, print: u64, filtered: Option<FilterReason>, renews: bool) {
        let new = filtered.map_or(State::Queued, State::Filtered);
        let counts = match self.standing(print) {
            None => true,
            // What had been refused may come in by another way; what has ended, if asked for again.
            Some(State::Filtered(_)) => filtered.is_none(),
            Some(State::Settled(..)) => renews && filtered.is_none(),
            Some(State::Queued) => false,
        };
        if counts {
            self.put(print, new);
        }
    }

    fn put(&mut self, print: u64, state: State) {
        let old = self.standings.insert(print, Standing::new(state));
        match old {
            Some(old) => *self.sums.of(old.state()) -= 1,
            None => self.sums.discovered += 1,
        }
        *self.sums.of(state) += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_every_print_once() {
        for n in [0, 1, 3 * PER_SLICE, 7 * PER_SLICE + 1] {
            let slices: Vec<_> = Slice::all(n).collect();
            assert_eq!(slices.len() as u64, n.div_ceil(PER_SLICE).max(1));
            assert_eq!((slices[0].first, slices[slices.len() - 1].last), (0, u64::MAX));
            assert!(slices.windows(2).all(|pair| pair[0].last + 1 == pair[1].first));
        }
    }

    #[test]
    fn a_standing_survives_its_eight_bytes() {
        for &verdict in Verdict::ALL {
            let mut standing = Standing::new(State::Settled(verdict, 1 << 35, 4092));
            standing.mark();
            assert_eq!(standing.state(), State::Settled(verdict, 1 << 35, 4092));
            assert!(standing.take_mark() && !standing.take_mark());
        }
        for &reason in FilterReason::ALL {
            assert_eq!(Standing::new(State::Filtered(reason)).state(), State::Filtered(reason));
        }
    }

    #[test]
    fn what_ends_stays_ended_unless_it_is_renewed() {
        let mut fold = Fold::new(Slice { first: 0, last: 10 });
        let found =
            |filtered, renews| Event::Found { print: 1, filtered, renews, url: "http://h/" };
        let too_deep = Some(FilterReason::TooDeep);
        for (event, state) in [
            (found(too_deep, false), State::Filtered(FilterReason::TooDeep)),
            (found(None, false), State::Queued),
            (found(too_deep, false), State::Queued),
            (
                Event::Settled { n: 5, print: 1, verdict: Verdict::Ok, facts: 3 },
                State::Settled(Verdict::Ok, 5, 3),
            ),
            (found(None, false), State::Settled(Verdict::Ok, 5, 3)),
            (found(None, true), State::Queued),
            (
                Event::Filtered { print: 1, reason: FilterReason::Robots },
                State::Filtered(FilterReason::Robots),
            ),
        ] {
            fold.apply(&event);
            assert_eq!(fold.standing(1), Some(state), "{event:?}");
            assert!(fold.sums.is_conserved() && fold.sums.discovered == 1);
        }
        fold.apply(&Event::Settled { n: 6, print: 11, verdict: Verdict::Ok, facts: 0 });
        assert!(fold.standing(11).is_none() && fold.has_settled(5, 1) && !fold.has_settled(5, 2));
    }
}
