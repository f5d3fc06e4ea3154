//! The set against a plain map, through everything that moves entries from place to place.

mod damage;

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::AtomicBool;

use crawl_model::Verdict;
use proptest::prelude::*;
use tempfile::TempDir;

use super::frozen::Written;
use super::*;

/// What may happen to the set.
#[derive(Debug, Clone)]
enum Step {
    Learn(u64, Option<FilterReason>, u32, bool),
    Set(u64, Standing),
    Freeze,
    Write,
    Install,
    Merge,
    /// A kill, and an open from the last checkpoint: what was written to the log is folded anew.
    Reopen,
}

fn print() -> impl Strategy<Value = u64> {
    let spread = |n: u64| Fingerprint(n).number(1);
    prop_oneof![4 => (0_u64..300).prop_map(spread), 1 => 0_u64..40, 1 => Just(u64::MAX)]
}

fn reason() -> impl Strategy<Value = FilterReason> {
    prop::sample::select(FilterReason::ALL)
}

/// As it is kept: of all but one reason the depth says nothing.
fn refused(reason: FilterReason, depth: u32) -> Standing {
    Standing::Filtered(reason, if reason == FilterReason::TooDeep { depth } else { 0 })
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        prop::sample::select(Verdict::ALL).prop_map(Standing::Ended),
        Just(Standing::Queued),
        (reason(), 0_u32..40).prop_map(|(reason, depth)| refused(reason, depth)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let learn = (print(), prop::option::of(reason()), 0_u32..40, any::<bool>());
    prop_oneof![
        60 => learn.prop_map(|(print, why, depth, again)| Step::Learn(print, why, depth, again)),
        30 => (print(), standing()).prop_map(|(print, standing)| Step::Set(print, standing)),
        4 => Just(Step::Freeze),
        4 => Just(Step::Write),
        4 => Just(Step::Install),
        2 => Just(Step::Merge),
        1 => Just(Step::Reopen),
    ]
}

/// A set, the map it should be, and what a checkpoint would hold.
struct Pair {
    dir: TempDir,
    seen: Seen,
    model: HashMap<u64, Standing>,
    frozen: Option<Frozen>,
    written: Option<Written>,
    /// Since the last freeze, and since the one before it.
    log: Vec<(u64, Standing)>,
    frozen_log: Vec<(u64, Standing)>,
}

impl Pair {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let seen = Seen::open(dir.path(), &[]).unwrap();
        Self {
            dir,
            seen,
            model: HashMap::new(),
            frozen: None,
            written: None,
            log: Vec::new(),
            frozen_log: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Learn(print, filtered, depth, renews) => {
                let new = filtered.map_or(Standing::Queued, |why| refused(why, depth));
                let expected = Learnt::from(self.model.get(&print).copied(), new, renews);
                assert_eq!(self.seen.learn(Fingerprint(print), filtered, depth, renews), expected);
                if expected != Learnt::Nothing {
                    self.model.insert(print, new);
                    self.log.push((print, new));
                }
            }
            Step::Set(print, standing) => {
                self.seen.set(Fingerprint(print), standing);
                self.model.insert(print, standing);
                self.log.push((print, standing));
            }
            Step::Freeze => {
                let had = self.frozen.is_some() || self.written.is_some();
                let is_young = self.seen.n_young() > 0;
                let frozen = self.seen.freeze();
                assert_eq!(frozen.is_some(), is_young && !had);
                if frozen.is_some() {
                    self.frozen = frozen;
                    self.frozen_log = std::mem::take(&mut self.log);
                    assert_eq!(self.seen.n_young(), 0);
                }
            }
            Step::Write => {
                if let Some(frozen) = self.frozen.take() {
                    self.written = Some(frozen.write(self.dir.path()).unwrap());
                }
            }
            Step::Install => {
                if let Some(written) = self.written.take() {
                    let before = self.seen.run_names();
                    self.seen.install(written);
                    self.frozen_log.clear();
                    assert_eq!(self.seen.run_names()[..before.len()], before);
                }
            }
            Step::Merge => self.merge(),
            Step::Reopen => self.reopen(),
        }
    }

    fn merge(&mut self) {
        if let Some(old) = self.seen.merge_once().unwrap() {
            assert!(old.len() > 1);
            let names = self.seen.run_names();
            for path in old {
                assert!(names.iter().all(|name| !path.ends_with(name)));
                fs::remove_file(path).unwrap();
            }
        }
    }

    fn reopen(&mut self) {
        (self.frozen, self.written) = (None, None);
        let names = self.seen.run_names();
        self.seen = Seen::open(self.dir.path(), &names).unwrap();
        assert_eq!(fs::read_dir(self.dir.path()).unwrap().count(), names.len());
        let log = std::mem::take(&mut self.frozen_log).into_iter().chain(self.log.drain(..));
        self.log = log.collect();
        for &(print, standing) in &self.log {
            self.seen.set(Fingerprint(print), standing);
        }
    }

    fn check(&self) {
        let asked: Vec<_> = (0..310).map(|n| Fingerprint(n).number(1)).chain(0..50).collect();
        let asked: Vec<_> = asked.into_iter().chain([u64::MAX]).map(Fingerprint).collect();
        let expected: Vec<_> =
            asked.iter().map(|print| self.model.get(&print.0).copied()).collect();
        let mut many = vec![Some(Standing::Ended(Verdict::Ok))];
        for _ in 0..2 {
            self.seen.get_many(&asked, &mut many);
            assert_eq!(many, expected);
            let one_by_one: Vec<_> = asked.iter().map(|&print| self.seen.get(print)).collect();
            assert_eq!(one_by_one, expected);
        }
        assert!(!self.seen.is_faulty() && self.seen.fault().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_a_map_whatever_moves(steps in prop::collection::vec(step(), 1..500)) {
        let mut pair = Pair::new();
        for (n, step) in steps.into_iter().enumerate() {
            let moves = !matches!(step, Step::Learn(..) | Step::Set(..));
            pair.take(step);
            if moves || n % 64 == 0 {
                pair.check();
            }
        }
        pair.check();
    }
}

fn spread(n: u64) -> Fingerprint {
    Fingerprint(Fingerprint(n).number(1))
}

/// Freezes, writes, installs.
fn spill(seen: &Seen, folder: &Path) {
    let frozen = seen.freeze().unwrap();
    seen.install(frozen.write(folder).unwrap());
}

#[test]
fn a_set_in_memory_never_freezes() {
    let seen = Seen::default();
    assert_eq!(seen.learn(spread(1), None, 0, false), Learnt::New);
    assert!(seen.freeze().is_none());
    assert!(seen.merge_once().unwrap().is_none());
    assert!(seen.run_names().is_empty());
}

#[test]
fn readers_never_miss_what_is_known_while_it_moves() {
    const STEP: u64 = 3000;
    const STEPS: u64 = 24;
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    let (told, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (seen, told, is_over) = (&seen, &told, &is_over);
            scope.spawn(move || {
                let mut n = reader;
                let mut many = Vec::new();
                while !is_over.load(Ordering::Acquire) {
                    n += 7;
                    let known = told.load(Ordering::Acquire);
                    // Below `known` all are ended; from the next step on nobody was heard of.
                    let of = |n: u64| if n < known { n } else { 1 << 40 | n };
                    if known > 0 {
                        let asked: Vec<_> =
                            (n..n + 40).map(|n| spread(of(n * 31 % (2 * known)))).collect();
                        seen.get_many(&asked, &mut many);
                        for (&print, &got) in asked.iter().zip(&many) {
                            let is_known = (n..n + 40)
                                .map(|n| n * 31 % (2 * known))
                                .any(|n| n < known && spread(n) == print);
                            assert_eq!(got, is_known.then_some(Standing::Ended(Verdict::Ok)));
                        }
                        assert_eq!(seen.get(spread(n % known)), Some(Standing::Ended(Verdict::Ok)));
                        assert_eq!(seen.get(spread(1 << 40 | n)), None);
                    }
                }
            });
        }
        // One that writes and merges, as the crawl's background thread does.
        let (send, frozen) = std::sync::mpsc::sync_channel::<Frozen>(1);
        let (seen, folder) = (&seen, dir.path());
        let background = scope.spawn(move || {
            for frozen in frozen {
                seen.install(frozen.write(folder).unwrap());
                for path in seen.merge_once().unwrap().into_iter().flatten() {
                    fs::remove_file(path).unwrap();
                }
            }
        });
        for step in 0..STEPS {
            for n in step * STEP..(step + 1) * STEP {
                assert_eq!(seen.learn(spread(n), None, 0, false), Learnt::New);
            }
            // Half of them while the queued standing is still in memory.
            seen.freeze().into_iter().for_each(|frozen| send.send(frozen).unwrap());
            for n in step * STEP..(step + 1) * STEP {
                seen.set(spread(n), Standing::Ended(Verdict::Ok));
            }
            told.store((step + 1) * STEP, Ordering::Release);
            seen.freeze().into_iter().for_each(|frozen| send.send(frozen).unwrap());
        }
        drop(send);
        background.join().unwrap();
        is_over.store(true, Ordering::Release);
    });
    assert!(!seen.is_faulty());
    assert!(seen.run_names().len() <= 5);
}

#[test]
fn a_merge_that_is_stopped_changes_nothing_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    for n in 0..3 {
        seen.set(spread(n), Standing::Ended(Verdict::Ok));
        spill(&seen, dir.path());
    }
    let names = seen.run_names();
    seen.stop_merging();
    assert!(seen.merge_once().unwrap().is_none());
    assert_eq!((seen.run_names(), fs::read_dir(dir.path()).unwrap().count()), (names, 3));
    assert_eq!(seen.get(spread(2)), Some(Standing::Ended(Verdict::Ok)));
}

#[test]
fn what_a_run_says_is_forgotten_when_a_newer_one_overrules_it() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    let print = spread(1);
    for depth in (1..20).rev() {
        let deep = Standing::Filtered(FilterReason::TooDeep, depth);
        assert_ne!(seen.learn(print, Some(FilterReason::TooDeep), depth, false), Learnt::Nothing);
        spill(&seen, dir.path());
        for _ in 0..3 {
            assert_eq!(seen.get(print), Some(deep), "the second from the cache");
        }
    }
}

#[test]
fn a_print_on_disk_takes_less_than_two_bytes_of_memory() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Seen::open(dir.path(), &[]).unwrap();
    (0..50_000).for_each(|n| seen.set(spread(n), Standing::Ended(Verdict::Ok)));
    assert!(seen.ram_bytes() < 50_000 * 16, "{} while they are young", seen.ram_bytes());
    spill(&seen, dir.path());
    assert!(seen.ram_bytes() < 50_000 * 2, "{}", seen.ram_bytes());
}
