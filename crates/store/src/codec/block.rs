//! Blocks to events.

use std::fmt;

use crawl_model::{FilterReason, Fingerprint, Fingerprinter, Verdict};

use super::bytes::unzigzag;
use super::columns::{
    Columns, DIGITS, FACTS, HEADS, NUMBERS, ORIGINS, PATHS, TEXTS, TYPES, Unpress,
};
use super::{
    Context, FOUND, Facts, HAS_EXTENSION, HAS_PRINT, HAS_PRIORITY, HAS_REST, IS_FILTERED, IS_RARE,
    KIND, NEW_DEPTH, NEW_HOST, NEW_LABEL, NEW_ORIGIN, NEW_REFERRER, NO_REFERRER, RENEWS, RETRIED,
    Raw, RawEnding, RawFound, RawSettle, SETTLED, replace,
};

/// One block, read event by event; the next block takes its place and its memory.
pub(crate) struct Block {
    prints: Fingerprinter,
    columns: Columns,
    press: Unpress,
    next_n: u64,
    context: Context,
    url: Vec<u8>,
}

impl Block {
    /// Over at once, until one is [opened](Self::open). `prints` makes the crawl's fingerprints.
    pub(crate) fn new(prints: Fingerprinter) -> Self {
        Self {
            prints,
            columns: Columns::default(),
            press: Unpress::default(),
            next_n: 0,
            context: Context::default(),
            url: Vec::new(),
        }
    }

    /// Begins a block. `next_n` is the number that its first settle has, or would have. `None` if
    /// the bytes make no sense.
    pub(crate) fn open(&mut self, next_n: u64, sealed: &[u8]) -> Option<()> {
        self.next_n = next_n;
        self.context.clear();
        self.columns.open(&mut self.press, sealed, &[FACTS, TYPES])
    }

    /// Like [`open`](Self::open), for [`has_settle`](Self::has_settle) and
    /// [`settle`](Self::settle) only.
    pub(crate) fn open_settles(&mut self, next_n: u64, sealed: &[u8]) -> Option<()> {
        self.next_n = next_n;
        self.context.clear();
        self.columns.open(&mut self.press, sealed, &[ORIGINS, PATHS, DIGITS])
    }

    pub(crate) fn is_done(&self) -> bool {
        self.columns.is_done()
    }

    /// The next event of one that is not done; `None` if the bytes make no sense.
    pub(crate) fn next(&mut self) -> Option<Raw<'_>> {
        let tag = self.columns.byte(HEADS)?;
        let raw = match tag & KIND {
            FOUND => self.found(tag).map(Raw::Found)?,
            SETTLED => {
                let verdict = Verdict::from_index(self.columns.byte(HEADS)?)?;
                let n = self.next_n;
                self.next_n = n.checked_add(1)?;
                Raw::Settled { n, ending: self.ending(tag)?, verdict }
            }
            RETRIED => {
                let attempt = u32::try_from(self.columns.number(NUMBERS)?).ok()?;
                Raw::Retried { ending: self.ending(tag)?, attempt }
            }
            _ => {
                let reason = FilterReason::from_index(self.columns.byte(HEADS)?)?;
                Raw::Filtered { print: Fingerprint(self.columns.print()?), reason }
            }
        };
        Some(raw)
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
        let number = self.columns.number(FACTS)?;
        let status = u16::try_from(number >> 1).ok()?;
        if number & 1 != 0 {
            replace(&mut self.context.content_type, self.columns.text(TYPES)?);
        }
        let bytes = self.columns.number(FACTS)?;
        let n_items = u32::try_from(self.columns.number(FACTS)?).ok()?;
        let elapsed_ms = self.columns.number(FACTS)?;
        let Raw::Settled { n, ending, verdict } = self.next()? else { return None };
        let RawEnding { print, at_ms, rest_until_ms, .. } = ending;
        let ending = RawEnding { print, host: text(&self.context.host)?, at_ms, rest_until_ms };
        let content_type = text(&self.context.content_type)?;
        let facts = Facts { status, bytes, n_items, elapsed_ms, content_type };
        Some(RawSettle { n, ending, verdict, facts })
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
        if tag & NEW_ORIGIN != 0 {
            self.context.origin.clear();
            self.columns.url(ORIGINS, &mut self.context.origin)?;
        }
        replace(&mut self.url, &self.context.origin);
        self.columns.url(PATHS, &mut self.url)?;
        if tag & NEW_REFERRER != 0 || rare & NO_REFERRER != 0 {
            self.context.referrer.clear();
        }
        if tag & NEW_REFERRER != 0 {
            self.columns.url(ORIGINS, &mut self.context.referrer)?;
        }
        if tag & NEW_DEPTH != 0 {
            self.context.depth = u32::try_from(self.columns.number(NUMBERS)?).ok()?;
        }
        if tag & NEW_LABEL != 0 {
            replace(&mut self.context.label, self.columns.text(TEXTS)?);
        }
        let priority = match rare & HAS_PRIORITY {
            0 => 0,
            _ => i32::try_from(unzigzag(self.columns.number(NUMBERS)?)).ok()?,
        };
        let extension = match rare & HAS_EXTENSION {
            0 => None,
            _ => Some(self.columns.text(TEXTS)?),
        };
        let url = text(&self.url)?;
        Some(RawFound {
            print: stored.map_or_else(|| self.prints.canonical(url), Fingerprint),
            filtered,
            renews: rare & RENEWS != 0,
            url,
            path_start: self.context.origin.len(),
            depth: self.context.depth,
            label: text(&self.context.label)?,
            priority,
            referrer: match self.context.referrer.is_empty() {
                true => None,
                false => Some(text(&self.context.referrer)?),
            },
            extension,
        })
    }

    fn ending(&mut self, tag: u8) -> Option<RawEnding<'_>> {
        let print = Fingerprint(self.columns.print()?);
        let context = &mut self.context;
        if tag & NEW_HOST != 0 {
            replace(&mut context.host, self.columns.text(TEXTS)?);
        }
        let step = unzigzag(self.columns.number(NUMBERS)?);
        context.at_ms = context.at_ms.wrapping_add(step as u64);
        let rest_until_ms = if tag & HAS_REST == 0 { 0 } else { self.columns.number(NUMBERS)? };
        Some(RawEnding { print, host: text(&context.host)?, at_ms: context.at_ms, rest_until_ms })
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("next_n", &self.next_n).finish_non_exhaustive()
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
