//! A program at work: what has matched so far at the elements that are open.

use super::compound::Seen;
use super::element::Element;
use super::program::{Program, slot};

/// The open elements, the document itself first, each with a [`Bits`] per word of the program.
#[derive(Debug)]
pub(super) struct Run {
    open: Vec<Bits>,
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
    /// Begins in front of the document.
    pub(super) fn new(program: &Program) -> Self {
        Self { open: vec![Bits::default(); program.n_words()] }
    }

    /// Begins inside of an item, with the first compounds of selectors that begin with `:scope`.
    pub(super) fn inside<E: Element>(program: &Program, item: &Seen<'_, E>) -> Self {
        let words = 0..program.n_words();
        let open = words.map(|word| {
            let scope = program.masks[word].scope;
            let own = verify(program, word, scope, item) & !program.masks[word].last;
            Bits { own, above: own, ..Bits::default() }
        });
        Self { open: open.collect() }
    }

    /// An element opens. Of the selectors that end in a bit of `wanted` and match, the sinks are
    /// added to `hits`, each once.
    #[inline]
    pub(super) fn open<E: Element>(
        &mut self,
        program: &Program,
        slot: usize,
        seen: &Seen<'_, E>,
        wanted: &[u64],
        hits: &mut Vec<usize>,
    ) {
        let outer = self.open.len() - program.n_words();
        for (word, masks) in program.masks.iter().enumerate() {
            let up = self.open[outer + word];
            let next = (up.above & masks.descendant)
                | (up.own & masks.child)
                | (up.previous & masks.sibling)
                | (up.before & masks.later);
            let may = (masks.start | next << 1)
                & (!masks.last | wanted[word])
                & program.names.at(word, slot);
            let mut own = 0;
            if may != 0 {
                own = verify(program, word, may, seen);
                if own & masks.last != 0 {
                    hit(program, word, own & masks.last, hits);
                    own &= !masks.last;
                }
            }
            self.open.push(Bits { own, above: up.above | own, previous: 0, before: 0 });
        }
    }

    /// The innermost element closes.
    #[inline]
    pub(super) fn close(&mut self, program: &Program) {
        let n = program.n_words();
        let Some(inner) = self.open.len().checked_sub(n).filter(|&inner| inner >= n) else {
            return;
        };
        for word in 0..n {
            let own = self.open[inner + word].own;
            let outer = &mut self.open[inner - n + word];
            outer.previous = own;
            outer.before |= own;
        }
        self.open.truncate(inner);
    }
}

/// Which of the compounds `may` the element passes.
fn verify<E: Element>(program: &Program, word: usize, mut may: u64, seen: &Seen<'_, E>) -> u64 {
    let keyed = program.classes.keyed(word);
    if may & keyed != 0 {
        let by_class = |mask, class| mask | program.classes.at(word, slot(class));
        may &= seen.classes().fold(!keyed, by_class);
    }
    let mut passed = 0;
    while may != 0 {
        let bit = may.trailing_zeros();
        may &= may - 1;
        if program.position(word, bit).compound.matches(seen) {
            passed |= 1 << bit;
        }
    }
    passed
}

fn hit(program: &Program, word: usize, mut ends: u64, hits: &mut Vec<usize>) {
    while ends != 0 {
        let sink = program.position(word, ends.trailing_zeros()).sink;
        ends &= ends - 1;
        if !hits.contains(&sink) {
            hits.push(sink);
        }
    }
}
