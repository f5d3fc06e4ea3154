//! A program at work: what has matched so far at the elements that are open.

use std::ops::Range;

use super::compound::Seen;
use super::element::Element;
use super::program::{Program, SLOTS, Word, slot};

/// What has matched so far: a lane per word of the program.
#[derive(Debug)]
pub(super) struct Run {
    lanes: Vec<Lane>,
    /// Which children of the innermost element have to be looked at, by the slots of their names, as
    /// bits: all others match nothing and change nothing.
    calls: u64,
    /// Those of them that have to be even if they are of no class that is asked for alone.
    calls_by_name: u64,
    /// Where in the text no class stands that is asked for alone.
    quiet: Range<usize>,
    /// Whether something has changed since that was found out: then it is all.
    is_stale: bool,
    /// Whether a child that matches nothing changes nothing.
    is_still: bool,
    /// The innermost open elements that were passed over for that: no lane knows of them yet.
    passed: u32,
}

/// One word of each open element.
#[derive(Debug)]
struct Lane {
    /// That of the innermost element; of the document, if none is open.
    inner: Bits,
    /// How many open elements around the innermost one have the same bits as it, directly: where
    /// nothing matches, which is nearly everywhere, nothing is written down.
    alike: u32,
    /// Those around these, the document's first, each with how many had the same bits as it.
    outer: Vec<(Bits, u32)>,
    /// Compounds that lead to something: all but the last ones of selectors that need not be
    /// looked for.
    wanted: u64,
    /// Compounds with a sibling combinator behind them.
    siblings: u64,
    /// Compounds that the next child of the innermost element may match.
    ready: u64,
    /// Compounds that the innermost element may match, going by its name.
    may: u64,
}

impl Lane {
    /// Finds out what the next child may match.
    fn prepare(&mut self, word: &Word) {
        let up = self.inner;
        let next = (up.above & word.descendant)
            | (up.own & word.child)
            | (up.previous & word.sibling)
            | (up.before & word.later);
        self.ready = (word.start | next << 1) & self.wanted;
    }

    /// A child of the innermost element has closed, at which these compounds matched.
    fn note_child(&mut self, own: u64) {
        if self.alike > 0 {
            // It is no longer like those around it.
            self.outer.push((self.inner, self.alike - 1));
            self.alike = 0;
        }
        self.inner.previous = own;
        self.inner.before |= own;
    }
}

/// One word of an open element.
#[derive(Debug, Default, Clone, Copy)]
struct Bits {
    /// Compounds that matched here.
    own: u64,
    /// Those that matched here or at an ancestor.
    above: u64,
    /// Those that matched at the last child that has closed, and lead to siblings.
    previous: u64,
    /// Those that matched at any child that has closed, and lead to siblings.
    before: u64,
}

impl Bits {
    /// Whether an element that matches nothing has the same bits as the one around it.
    #[inline]
    fn are_passed_on(self) -> bool {
        self.own | self.previous | self.before == 0
    }
}

impl Run {
    /// Begins in front of the document; no sink is wanted.
    pub(super) fn new(program: &Program) -> Self {
        let lane = |word: &Word| Lane {
            inner: Bits::default(),
            alike: 0,
            outer: Vec::with_capacity(32),
            wanted: !word.last,
            siblings: word.sibling | word.later,
            ready: 0,
            may: 0,
        };
        let lanes = program.words.iter().map(lane).collect();
        Self {
            lanes,
            calls: u64::MAX,
            calls_by_name: u64::MAX,
            quiet: 0..0,
            is_stale: true,
            is_still: true,
            passed: 0,
        }
    }

    /// Begins inside of an item, with the first compounds of selectors that begin with `:scope`;
    /// all sinks are wanted.
    pub(super) fn inside<E: Element>(program: &Program, item: &Seen<'_, E>) -> Self {
        let mut run = Self::new(program);
        for (number, (word, lane)) in program.words.iter().zip(&mut run.lanes).enumerate() {
            lane.wanted = u64::MAX;
            lane.inner.own = verify(program, number, word.scope, item) & !word.last;
            lane.inner.above = lane.inner.own;
        }
        run
    }

    /// Says whether the selectors of a sink are to be looked for.
    pub(super) fn want(&mut self, program: &Program, sink: usize, is_wanted: bool) {
        for &(number, bit) in program.ends(sink) {
            let wanted = &mut self.lanes[number].wanted;
            *wanted = if is_wanted { *wanted | bit } else { *wanted & !bit };
        }
        self.forget();
    }

    /// Something has changed: what the next child may match is to be found out again.
    #[inline]
    fn forget(&mut self) {
        (self.calls, self.calls_by_name, self.is_stale) = (u64::MAX, u64::MAX, true);
    }

    /// Finds out what the next child may match, which was [forgotten](Self::forget).
    fn prepare(&mut self, program: &Program) {
        (self.is_stale, self.is_still, self.quiet) = (false, true, 0..0);
        for (lane, word) in self.lanes.iter_mut().zip(&program.words) {
            lane.prepare(word);
            self.is_still &= lane.inner.are_passed_on();
        }
        if !self.is_still {
            return; // every child changes something
        }
        (self.calls, self.calls_by_name) = (0, 0);
        for (lane, word) in self.lanes.iter().zip(&program.words) {
            self.calls |= word.slots(lane.ready);
            self.calls_by_name |= word.slots(lane.ready & !word.classy_alone);
        }
    }

    /// An element opens, its name in this slot. Whether that is enough to know that it matches nothing
    /// and changes nothing; if not, its classes may be ([`passes_by_class`](Self::passes_by_class)), or
    /// it is to be [opened](Self::open).
    #[inline(always)] // for that is mostly so
    pub(super) fn passes_by_name(&mut self, slot: usize) -> bool {
        let passes = !is_in(slot, self.calls);
        self.passed += u32::from(passes);
        passes
    }

    /// The same, going by the classes that may stand at `attrs`, where its attributes are. `next` finds
    /// where a class may stand from there on.
    #[inline(always)]
    pub(super) fn passes_by_class(
        &mut self,
        program: &Program,
        slot: usize,
        attrs: &Range<usize>,
        next: impl FnMut(usize) -> usize,
    ) -> bool {
        let is_known = attrs.start >= self.quiet.start && attrs.end <= self.quiet.end;
        let passes = match is_known && !self.is_stale {
            true => !is_in(slot, self.calls_by_name),
            false => self.passes_closely(program, slot, attrs, next),
        };
        self.passed += u32::from(passes);
        passes
    }

    #[inline(never)]
    fn passes_closely(
        &mut self,
        program: &Program,
        slot: usize,
        attrs: &Range<usize>,
        mut next: impl FnMut(usize) -> usize,
    ) -> bool {
        if self.is_stale {
            self.prepare(program);
        }
        if is_in(slot, self.calls_by_name) {
            return false;
        }
        self.quiet = attrs.start..usize::MAX;
        for (number, (lane, word)) in self.lanes.iter().zip(&program.words).enumerate() {
            let mut classy = lane.ready & word.classy_alone;
            while classy != 0 {
                if let Some(class) = program.position(number, classy.trailing_zeros()).class {
                    self.quiet.end = self.quiet.end.min(next(class));
                }
                classy &= classy - 1;
            }
        }
        attrs.end <= self.quiet.end
    }

    /// An element opens; its name's slot says whether it may match anything, which is then to
    /// be found out by [`settle`](Self::settle). `may_have` is asked whether it may be of a class.
    pub(super) fn open(
        &mut self,
        program: &Program,
        slot: usize,
        mut may_have: impl FnMut(usize) -> bool,
    ) -> bool {
        if self.is_stale {
            self.prepare(program);
        }
        let (mut any, passed) = (0, std::mem::take(&mut self.passed));
        for (number, (lane, word)) in self.lanes.iter_mut().zip(&program.words).enumerate() {
            lane.alike += passed;
            lane.may = lane.ready & word.names[slot % SLOTS];
            let mut classy = lane.may & word.classy;
            while classy != 0 {
                let bit = classy.trailing_zeros();
                classy &= classy - 1;
                if program.position(number, bit).class.is_some_and(|class| !may_have(class)) {
                    lane.may &= !(1 << bit);
                }
            }
            any |= lane.may;
            let up = lane.inner;
            if lane.may == 0 && up.are_passed_on() {
                lane.alike += 1;
            } else {
                lane.outer.push((up, std::mem::take(&mut lane.alike)));
                lane.inner = Bits { own: 0, above: up.above, previous: 0, before: 0 };
            }
        }
        if any != 0 || !self.is_still {
            self.forget();
        }
        any != 0
    }

    /// Finds out what the element that opened last does match. Of the selectors that end at it,
    /// the sinks are added to `hits`, each once.
    pub(super) fn settle<E: Element>(
        &mut self,
        program: &Program,
        seen: &Seen<'_, E>,
        hits: &mut Vec<usize>,
    ) {
        for (number, (lane, word)) in self.lanes.iter_mut().zip(&program.words).enumerate() {
            if lane.may == 0 {
                continue;
            }
            let own = verify(program, number, lane.may, seen);
            if own != 0 {
                hit(program, number, own & word.last, hits);
                lane.inner.own = own & !word.last;
                lane.inner.above |= lane.inner.own;
            }
        }
    }

    /// The innermost element closes.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        match self.passed {
            0 => self.close_seen(),
            _ => self.passed -= 1,
        }
    }

    /// The innermost element closes, which was not passed over.
    fn close_seen(&mut self) {
        let mut has_changed = false;
        for lane in &mut self.lanes {
            if lane.alike > 0 {
                lane.alike -= 1;
                continue;
            }
            has_changed = true;
            let own = lane.inner.own & lane.siblings;
            if let Some((outer, alike)) = lane.outer.pop() {
                (lane.inner, lane.alike) = (outer, alike);
                if own | outer.previous != 0 {
                    lane.note_child(own);
                }
            }
        }
        if has_changed {
            self.forget();
        }
    }
}

/// Whether a slot is one of these.
#[inline(always)]
fn is_in(slot: usize, slots: u64) -> bool {
    slots >> (slot % SLOTS) & 1 == 1
}

/// Which of the compounds `may` of a word the element matches.
fn verify<E: Element>(program: &Program, number: usize, mut may: u64, seen: &Seen<'_, E>) -> u64 {
    let word = &program.words[number];
    // Of a single one its classes are compared at once.
    if (may & word.classy).count_ones() > 1 {
        let mut classes = !word.classy;
        seen.classes().for_each(|class| classes |= word.classes[slot(class)]);
        may &= classes;
    }
    let mut matched = 0;
    while may != 0 {
        let bit = may.trailing_zeros();
        may &= may - 1;
        if program.position(number, bit).compound.matches(seen) {
            matched |= 1 << bit;
        }
    }
    matched
}

fn hit(program: &Program, number: usize, mut ends: u64, hits: &mut Vec<usize>) {
    while ends != 0 {
        let sink = program.position(number, ends.trailing_zeros()).sink;
        ends &= ends - 1;
        if !hits.contains(&sink) {
            hits.push(sink);
        }
    }
}
