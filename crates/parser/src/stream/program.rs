//! All selectors of a table as one program over bits.
//!
//! Each compound of each complex selector has a bit, those of one selector side by side in one
//! word. "The selector has matched up to this compound, at this element" is that bit; shifted by
//! one it says that the next compound may match, at the elements that the combinator names. So an
//! element costs a few operations per 64 compounds, whatever they are, and only bits that are
//! still set after looking at its name are compared for real.

use super::compound::{Compound, Test};
use super::selector::{Complex, Next};

/// Selectors, compiled. Each leads to a sink, which several may share.
#[derive(Default)]
pub(super) struct Program {
    pub(super) masks: Vec<Masks>,
    pub(super) names: Filter,
    pub(super) classes: Filter,
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
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Masks {
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
}

/// A compound, and where it leads to if it is the last of its selector.
pub(super) struct Position {
    pub(super) compound: Compound,
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
        if self.masks.is_empty() || self.free as usize + len > MAX_COMPOUNDS {
            self.masks.push(Masks::default());
            self.free = 0;
            // Bits that were too few stay unused.
            while self.positions.len() < (self.masks.len() - 1) * 64 {
                self.positions.push(Position { compound: Compound(Vec::new()), sink });
            }
        }
        let first = 1_u64 << self.free;
        let masks = self.word();
        *(if complex.is_scoped { &mut masks.scope } else { &mut masks.start }) |= first;
        for (compound, next) in complex.compounds {
            self.place(compound, next, sink, 1_u64 << self.free);
            self.free += 1;
        }
    }

    fn word(&mut self) -> &mut Masks {
        self.masks.last_mut().expect("a word was added above")
    }

    fn place(&mut self, compound: Compound, next: Next, sink: usize, bit: u64) {
        let masks = self.word();
        match next {
            Next::End => masks.last |= bit,
            Next::Descendant => masks.descendant |= bit,
            Next::Child => masks.child |= bit,
            Next::Sibling => masks.sibling |= bit,
            Next::LaterSibling => masks.later |= bit,
        }
        let word = self.masks.len() - 1;
        if next == Next::End {
            self.sinks[sink].push((word, bit));
        }
        let name = compound.0.iter().find_map(|test| match test {
            Test::Type(name) => Some(name.text()),
            _ => None,
        });
        let class = compound.0.iter().find_map(|test| match test {
            Test::Class(class) => Some(&**class),
            _ => None,
        });
        self.names.add(name, word, bit);
        self.classes.add(class, word, bit);
        let counts = |of_type| {
            compound
                .has(&|test: &Test| matches!(test, Test::Nth { of_type: t, .. } if *t == of_type))
        };
        self.counts_children |= counts(false);
        self.counts_types |= counts(true);
        self.positions.push(Position { compound, sink });
    }

    pub(super) fn n_words(&self) -> usize {
        self.masks.len()
    }

    /// The compound of a bit.
    pub(super) fn position(&self, word: usize, bit: u32) -> &Position {
        &self.positions[word * 64 + bit as usize]
    }

    /// The bits at which a sink's selectors end.
    pub(super) fn ends(&self, sink: usize) -> &[Bit] {
        &self.sinks[sink]
    }
}

/// Tells from a word, without comparing it, which compounds surely do not have it.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Per word of the program: by slot, the compounds whose key has it, and those without key.
    words: Vec<[u64; SLOTS]>,
    /// Per word: compounds with a key.
    keyed: Vec<u64>,
}

const SLOTS: usize = 64;

impl Filter {
    fn add(&mut self, key: Option<&str>, word: usize, bit: u64) {
        if self.words.len() <= word {
            self.words.resize(word + 1, [0; SLOTS]);
            self.keyed.resize(word + 1, 0);
        }
        match key {
            Some(key) => {
                self.words[word][slot(key)] |= bit;
                self.keyed[word] |= bit;
            }
            None => self.words[word].iter_mut().for_each(|slot| *slot |= bit),
        }
    }

    /// The compounds with a key of this slot, and those without key.
    pub(super) fn at(&self, word: usize, slot: usize) -> u64 {
        self.words[word][slot % SLOTS]
    }

    /// The compounds with a key.
    pub(super) fn keyed(&self, word: usize) -> u64 {
        self.keyed[word]
    }
}

/// A word's slot, the same in lower and upper case.
pub(super) fn slot(word: &str) -> usize {
    let bytes = word.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return 0 };
    let (first, last) = (usize::from(first | 0x20), usize::from(last | 0x20));
    (first.wrapping_mul(5) ^ last.wrapping_mul(11) ^ bytes.len().wrapping_mul(17)) % SLOTS
}
