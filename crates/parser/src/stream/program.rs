//! All selectors of a table as one program over bits.
//!
//! Each compound of each complex selector has a bit, those of one selector side by side in one
//! word. "The selector has matched up to this compound, at this element" is that bit; shifted by
//! one it says that the next compound may match, at the elements that the combinator names. So an
//! element costs a few operations per 64 compounds, whatever they are, and only bits that are
//! still set after looking at its name are compared for real.

use super::compound::{Compound, Test};
use super::selector::{Complex, Next};
use super::sieve::Classes;

/// Selectors, compiled. Each leads to a sink, which several may share.
#[derive(Default)]
pub(super) struct Program {
    pub(super) words: Vec<Word>,
    /// The classes that compounds want.
    pub(super) classes: Classes,
    /// The bits at which each sink's selectors end.
    sinks: Vec<Vec<Bit>>,
    positions: Vec<Position>,
    /// First free bit of the last word.
    free: u32,
    /// Whether places among siblings of the same name have to be counted.
    pub(super) counts_types: bool,
    /// Whether places among siblings have to be counted.
    pub(super) counts_children: bool,
}

/// Longest selector: one word of bits.
pub(super) const MAX_COMPOUNDS: usize = 64;

/// One bit: word and mask.
type Bit = (usize, u64);

/// What the bits of one word are for.
pub(super) struct Word {
    /// First compounds, which may match anywhere.
    pub(super) start: u64,
    /// First compounds that are the item itself.
    pub(super) scope: u64,
    /// Last compounds.
    pub(super) last: u64,
    /// Compounds with a combinator of this kind behind them.
    pub(super) descendant: u64,
    pub(super) child: u64,
    pub(super) sibling: u64,
    pub(super) later: u64,
    /// By slot of an element's name: compounds that may match it.
    pub(super) names: [u64; SLOTS],
    /// By compound: the slots of names that it may match, as bits.
    pub(super) slots: [u64; MAX_COMPOUNDS],
    /// Compounds that want a class.
    pub(super) classy: u64,
    /// Of those, the ones that may match an element of any name.
    pub(super) classy_alone: u64,
    /// By slot of a class: compounds that may want it.
    pub(super) classes: [u64; SLOTS],
}

impl Default for Word {
    fn default() -> Self {
        Self {
            start: 0,
            scope: 0,
            last: 0,
            descendant: 0,
            child: 0,
            sibling: 0,
            later: 0,
            names: [0; SLOTS],
            slots: [0; MAX_COMPOUNDS],
            classy: 0,
            classy_alone: 0,
            classes: [0; SLOTS],
        }
    }
}

impl Word {
    /// The slots of the names that these compounds may match, as bits.
    #[inline]
    pub(super) fn slots(&self, mut compounds: u64) -> u64 {
        let mut slots = 0;
        while compounds != 0 {
            slots |= self.slots[compounds.trailing_zeros() as usize % MAX_COMPOUNDS];
            compounds &= compounds - 1;
        }
        slots
    }
}

/// A compound, and where it leads to if it is the last of its selector.
pub(super) struct Position {
    pub(super) compound: Compound,
    /// Its class in [`Program::classes`], of several the first.
    pub(super) class: Option<usize>,
    pub(super) sink: usize,
}

impl Program {
    /// Adds a sink; its number.
    pub(super) fn sink(&mut self) -> usize {
        self.sinks.push(Vec::new());
        self.sinks.len() - 1
    }

    /// Adds a selector that leads to `sink`. It has at most [`MAX_COMPOUNDS`].
    pub(super) fn add(&mut self, complex: Complex, sink: usize) {
        let len = complex.compounds.len();
        if self.words.is_empty() || self.free as usize + len > MAX_COMPOUNDS {
            // Bits that were too few stay unused.
            while self.positions.len() < self.words.len() * MAX_COMPOUNDS {
                self.positions.push(Position { compound: Compound(Vec::new()), class: None, sink });
            }
            self.words.push(Word::default());
            self.free = 0;
        }
        let first = 1_u64 << self.free;
        let word = self.word();
        *(if complex.is_scoped { &mut word.scope } else { &mut word.start }) |= first;
        for (compound, next) in complex.compounds {
            self.place(compound, next, sink, 1_u64 << self.free);
            self.free += 1;
        }
    }

    fn word(&mut self) -> &mut Word {
        self.words.last_mut().expect("a word is added before its first bit")
    }

    fn place(&mut self, compound: Compound, next: Next, sink: usize, bit: u64) {
        let word = self.word();
        match next {
            Next::End => word.last |= bit,
            Next::Descendant => word.descendant |= bit,
            Next::Child => word.child |= bit,
            Next::Sibling => word.sibling |= bit,
            Next::LaterSibling => word.later |= bit,
        }
        let name = compound.0.iter().find_map(|test| match test {
            Test::Type(name) => Some(name.text()),
            _ => None,
        });
        let slots = name.map_or(u64::MAX, |name| 1 << slot(name));
        word.slots[bit.trailing_zeros() as usize % MAX_COMPOUNDS] = slots;
        for (slot, names) in word.names.iter_mut().enumerate() {
            *names |= if slots >> slot & 1 == 1 { bit } else { 0 };
        }
        let class = compound.0.iter().find_map(|test| match test {
            Test::Class(class) => Some(&**class),
            _ => None,
        });
        if let Some(class) = class {
            word.classy |= bit;
            word.classy_alone |= if name.is_none() { bit } else { 0 };
            word.classes[slot(class)] |= bit;
        }
        let class = class.map(|class| self.classes.number(class));
        if next == Next::End {
            self.sinks[sink].push((self.words.len() - 1, bit));
        }
        let counts = |by_type| {
            let is_it =
                |test: &Test| matches!(test, Test::Nth { of_type, .. } if *of_type == by_type);
            compound.has(&is_it)
        };
        self.counts_children |= counts(false);
        self.counts_types |= counts(true);
        self.positions.push(Position { compound, class, sink });
    }

    /// The compound of a bit.
    pub(super) fn position(&self, word: usize, bit: u32) -> &Position {
        &self.positions[word * MAX_COMPOUNDS + bit as usize]
    }

    /// The bits at which a sink's selectors end.
    pub(super) fn ends(&self, sink: usize) -> &[Bit] {
        &self.sinks[sink]
    }
}

/// Slots of names and of classes: as many as a word has bits.
pub(super) const SLOTS: usize = 64;

/// A slot below [`SLOTS`] for a name or class, the same in lower and upper case: words of
/// different slots differ.
#[inline]
pub(super) const fn slot(word: &str) -> usize {
    let bytes = word.as_bytes();
    let ([first, ..], [.., last]) = (bytes, bytes) else { return 0 };
    let (first, last) = ((*first | 0x20) as usize, (*last | 0x20) as usize);
    (first.wrapping_mul(5) ^ last.wrapping_mul(11) ^ bytes.len().wrapping_mul(17)) % SLOTS
}
