//! A program at work: what has matched so far at the elements that are open.

use super::compound::Seen;
use super::element::Element;
use super::program::{Program, SLOTS, Word, slot};

/// What has matched so far: a lane per word of the program.
#[derive(Debug)]
pub(super) struct Run {
    lanes: Vec<Lane>,
}

/// One word of each open element.
#[derive(Debug)]
struct Lane {
    /// That of the innermost element; of the document, if none is open.
    inner: Bits,
    /// Those around it, the document's first.
    outer: Vec<Bits>,
    /// Compounds that lead to something: all but the last ones of selectors that need not be
    /// looked for.
    wanted: u64,
    /// Compounds that the innermost element may match, going by its name.
    may: u64,
}

/// One word of an open element.
#[derive(Debug, Default, Clone, Copy)]
struct Bits {
    /// Compounds that matched here.
    own: u64,
    /// Those that matched here or at an ancestor.
    above: u64,
    /// Those that matched at the last child that has closed.
    previous: u64,
    /// Those that matched at any child that has closed.
    before: u64,
}

impl Run {
    /// Begins in front of the document; no sink is wanted.
    pub(super) fn new(program: &Program) -> Self {
        let lane = |word: &Word| Lane {
            inner: Bits::default(),
            outer: Vec::with_capacity(32),
            wanted: !word.last,
            may: 0,
        };
        Self { lanes: program.words.iter().map(lane).collect() }
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
    }

    /// An element opens; its name's slot says whether it may match anything, which is then to
    /// be found out by [`settle`](Self::settle).
    #[inline]
    pub(super) fn open(&mut self, program: &Program, slot: usize) -> bool {
        let mut any = 0;
        for (lane, word) in self.lanes.iter_mut().zip(&program.words) {
            let up = lane.inner;
            let next = (up.above & word.descendant)
                | (up.own & word.child)
                | (up.previous & word.sibling)
                | (up.before & word.later);
            lane.may = (word.start | next << 1) & lane.wanted & word.names[slot % SLOTS];
            any |= lane.may;
            lane.outer.push(up);
            lane.inner = Bits { own: 0, above: up.above, previous: 0, before: 0 };
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
    #[inline]
    pub(super) fn close(&mut self) {
        for lane in &mut self.lanes {
            let own = lane.inner.own;
            if let Some(mut outer) = lane.outer.pop() {
                outer.previous = own;
                outer.before |= own;
                lane.inner = outer;
            }
        }
    }
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
