//! Blocks to events.

use std::fmt;

use crawl_model::{FilterReason, Fingerprint, Fingerprinter, Verdict};

use super::bytes::unzigzag;
use super::columns::{
    Columns, DIGITS, FACTS, HEADS, NUMBERS, ORIGINS, PATHS, TEXTS, TOLD, TYPES, Unpress,
};
use super::{
    FOUND, Facts, HAS_EXTENSION, HAS_PRINT, HAS_PRIORITY, HAS_REST, IS_FILTERED, IS_RARE, KIND,
    NEW_DEPTH, NEW_HOST, NEW_LABEL, NEW_ORIGIN, NEW_REFERRER, NO_REFERRER, RENEWS, RETRIED, Raw,
    RawEnding, RawFound, RawSettle, SETTLED, Texts, replace,
};

/// One block, read event by event; the next block takes its place and its memory.
pub(crate) struct Block {
    prints: Fingerprinter,
    columns: Columns,
    press: Unpress,
    next_n: u64,
    reads: Reads,
    before: Before,
    url: Vec<u8>,
}

/// What "as before" refers to; texts are checked when they change.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) origin: Vec<u8>,
    pub(super) depth: u32,
    pub(super) label: String,
    /// Empty if there is none.
    pub(super) referrer: String,
    host: String,
    at_ms: u64,
    content_type: String,
    /// Those of the settle that came last, if they are read.
    texts: [String; 4],
}

impl Before {
    fn clear(&mut self) {
        let Self { origin, depth, label, referrer, host, at_ms, content_type, texts: _ } = self;
        origin.clear();
        [label, referrer, host, content_type].into_iter().for_each(String::clear);
        (*depth, *at_ms) = (0, 0);
    }
}

/// What of a block is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Events: [`next`](Block::next).
    Events,
    /// Events, and of each settle [what is known of its page](Block::facts).
    EventsAndFacts,
    /// Only the settles: [`has_settle`](Block::has_settle) and [`settle`](Block::settle).
    Settles,
    /// The same, with the texts of their pages.
    SettlesAndTexts,
}

impl Block {
    /// Over at once, until one is [opened](Self::open). `prints` makes the crawl's fingerprints.
    pub(crate) fn new(prints: Fingerprinter) -> Self {
        Self {
            prints,
            columns: Columns::default(),
            press: Unpress::default(),
            next_n: 0,
            reads: Reads::Events,
            before: Before::default(),
            url: Vec::new(),
        }
    }

    /// Begins a block. `next_n` is the number that its first settle has, or would have. `None` if
    /// the bytes make no sense.
    pub(crate) fn open(&mut self, next_n: u64, sealed: &[u8], reads: Reads) -> Option<()> {
        (self.next_n, self.reads) = (next_n, reads);
        self.before.clear();
        let without: &[usize] = match reads {
            Reads::Events => &[FACTS, TYPES, TOLD],
            Reads::EventsAndFacts => &[TOLD],
            Reads::Settles => &[ORIGINS, PATHS, DIGITS, TOLD],
            Reads::SettlesAndTexts => &[ORIGINS, PATHS, DIGITS],
        };
        self.columns.open(&mut self.press, sealed, without)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.columns.is_done()
    }

    /// The next event of one that is not done; `None` if the bytes make no sense.
    pub(crate) fn next(&mut self) -> Option<Raw<'_>> {
        let tag = self.columns.byte(HEADS)?;
        match tag & KIND {
            FOUND => Some(Raw::Found(self.found(tag)?)),
            SETTLED => {
                let verdict = Verdict::from_index(self.columns.byte(HEADS)?)?;
                let n = self.next_n;
                self.next_n = n.checked_add(1)?;
                Some(Raw::Settled { n, ending: self.ending(tag)?, verdict })
            }
            RETRIED => {
                let attempt = u32::try_from(self.columns.number(NUMBERS)?).ok()?;
                Some(Raw::Retried { ending: self.ending(tag)?, attempt })
            }
            _ => {
                let reason = FilterReason::from_index(self.columns.byte(HEADS)?)?;
                Some(Raw::Filtered { print: Fingerprint(self.columns.print()?), reason })
            }
        }
    }

    /// Passes over what is no settle; whether there is one then. `None` if the bytes make no sense.
    pub(crate) fn has_settle(&mut self) -> Option<bool> {
        while !self.is_done() {
            let tag = *self.columns.peek_head()?;
            match tag & KIND {
                SETTLED => return Some(true),
                FOUND => {
                    self.columns.byte(HEADS)?;
                    self.pass_found(tag)?;
                }
                _ => drop(self.next()?),
            }
        }
        Some(false)
    }

    /// The settle that [is next](Self::has_settle); `None` if the bytes make no sense.
    pub(crate) fn settle(&mut self) -> Option<RawSettle<'_>> {
        let Raw::Settled { n, ending, verdict } = self.next()? else { return None };
        let RawEnding { print, at_ms, rest_until_ms, .. } = ending;
        let Facts { status, bytes, n_items, elapsed_ms, .. } = self.facts()?;
        let texts = self.texts();
        let Before { host, content_type, .. } = &self.before;
        let ending = RawEnding { print, host, at_ms, rest_until_ms };
        let facts = Facts { status, bytes, n_items, elapsed_ms, content_type, texts };
        Some(RawSettle { n, ending, verdict, facts })
    }

    /// What is known of the page of the settle that came last: to be asked of each settle once.
    /// `None` if the bytes make no sense.
    pub(crate) fn facts(&mut self) -> Option<Facts<'_>> {
        let number = self.columns.number(FACTS)?;
        let status = u16::try_from(number >> 1).ok()?;
        if number & 1 != 0 {
            put(&mut self.before.content_type, self.columns.text(TYPES)?)?;
        }
        let bytes = self.columns.number(FACTS)?;
        let n_items = u32::try_from(self.columns.number(FACTS)?).ok()?;
        let elapsed_ms = self.columns.number(FACTS)?;
        if self.reads == Reads::SettlesAndTexts {
            for text in &mut self.before.texts {
                put(text, self.columns.text(TOLD)?)?;
            }
        }
        let content_type = &*self.before.content_type;
        let texts = self.texts();
        Some(Facts { status, bytes, n_items, elapsed_ms, content_type, texts })
    }

    fn texts(&self) -> Option<Texts<'_>> {
        let [url, title, label, error] = &self.before.texts;
        (self.reads == Reads::SettlesAndTexts).then_some(Texts { url, title, label, error })
    }

    fn pass_found(&mut self, tag: u8) -> Option<()> {
        let rare = if tag & IS_RARE == 0 { 0 } else { self.columns.byte(HEADS)? };
        if tag & IS_FILTERED != 0 {
            self.columns.byte(HEADS)?;
        }
        if rare & HAS_PRINT != 0 {
            self.columns.print()?;
        }
        for has_number in [tag & NEW_DEPTH, rare & HAS_PRIORITY] {
            if has_number != 0 {
                self.columns.number(NUMBERS)?;
            }
        }
        for has_text in [tag & NEW_LABEL, rare & HAS_EXTENSION] {
            if has_text != 0 {
                self.columns.text(TEXTS)?;
            }
        }
        Some(())
    }

    fn found(&mut self, tag: u8) -> Option<RawFound<'_>> {
        let rare = if tag & IS_RARE == 0 { 0 } else { self.columns.byte(HEADS)? };
        let filtered = match tag & IS_FILTERED {
            0 => None,
            _ => Some(FilterReason::from_index(self.columns.byte(HEADS)?)?),
        };
        let stored = if rare & HAS_PRINT == 0 { None } else { Some(self.columns.print()?) };
        let before = &mut self.before;
        if tag & NEW_ORIGIN != 0 {
            before.origin.clear();
            self.columns.url(ORIGINS, &mut before.origin)?;
        }
        replace(&mut self.url, &before.origin);
        self.columns.url(PATHS, &mut self.url)?;
        if tag & NEW_REFERRER != 0 {
            let mut referrer = std::mem::take(&mut before.referrer).into_bytes();
            referrer.clear();
            self.columns.url(ORIGINS, &mut referrer)?;
            before.referrer = String::from_utf8(referrer).ok()?;
        } else if rare & NO_REFERRER != 0 {
            before.referrer.clear();
        }
        if tag & NEW_DEPTH != 0 {
            before.depth = u32::try_from(self.columns.number(NUMBERS)?).ok()?;
        }
        if tag & NEW_LABEL != 0 {
            put(&mut before.label, self.columns.text(TEXTS)?)?;
        }
        let priority = match rare & HAS_PRIORITY {
            0 => 0,
            _ => i32::try_from(unzigzag(self.columns.number(NUMBERS)?)).ok()?,
        };
        let extension = match rare & HAS_EXTENSION {
            0 => None,
            _ => Some(self.columns.text(TEXTS)?),
        };
        let url = std::str::from_utf8(&self.url).ok()?;
        Some(RawFound {
            print: stored.map_or_else(|| self.prints.canonical(url), Fingerprint),
            filtered,
            renews: rare & RENEWS != 0,
            url,
            priority,
            extension,
            before: &self.before,
        })
    }

    fn ending(&mut self, tag: u8) -> Option<RawEnding<'_>> {
        let print = Fingerprint(self.columns.print()?);
        let before = &mut self.before;
        if tag & NEW_HOST != 0 {
            put(&mut before.host, self.columns.text(TEXTS)?)?;
        }
        let step = unzigzag(self.columns.number(NUMBERS)?);
        before.at_ms = before.at_ms.wrapping_add(step as u64);
        let rest_until_ms = if tag & HAS_REST == 0 { 0 } else { self.columns.number(NUMBERS)? };
        Some(RawEnding { print, host: &before.host, at_ms: before.at_ms, rest_until_ms })
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("next_n", &self.next_n).finish_non_exhaustive()
    }
}

/// Puts `new` in the place of `old`; `None` if it is no text.
fn put(old: &mut String, new: &[u8]) -> Option<()> {
    old.clear();
    old.push_str(std::str::from_utf8(new).ok()?);
    Some(())
}
