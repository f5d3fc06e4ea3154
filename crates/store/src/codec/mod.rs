//! The settle log as bytes.
//!
//! A page brings fifty links, so the log is most of what a crawl writes. Many events go into one
//! block; what is as it was with the event before is not written, nor is what can be computed: the
//! fingerprint of a plain request. Settle numbers have no gaps, and the block's record has the
//! first.
//!
//! A block stands by itself: what "the one before" means begins anew with each.

mod bytes;

mod columns;
mod urls;

mod block;
mod pack;
mod thaw;

use crawl_model::{FilterReason, Fingerprint, Verdict};

pub(crate) use block::{Block, Reads};
pub use bytes::{Take, put_number, put_signed, put_text};
pub(crate) use pack::{Packer, Sealed};
pub(crate) use thaw::Thaw;

const KIND: u8 = 0b11;
const FOUND: u8 = 0;
const SETTLED: u8 = 1;
const RETRIED: u8 = 2;
const FILTERED: u8 = 3;

// Flags of `FOUND`.
const IS_FILTERED: u8 = 1 << 2;
const NEW_ORIGIN: u8 = 1 << 3;
const NEW_DEPTH: u8 = 1 << 4;
const NEW_LABEL: u8 = 1 << 5;
const NEW_REFERRER: u8 = 1 << 6;
/// A second byte of flags follows.
const IS_RARE: u8 = 1 << 7;

// Rare flags of `FOUND`.
const HAS_PRINT: u8 = 1;
const NO_REFERRER: u8 = 1 << 1;
const HAS_PRIORITY: u8 = 1 << 2;
const HAS_EXTENSION: u8 = 1 << 3;
const RENEWS: u8 = 1 << 4;

// Flags of `SETTLED` and `RETRIED`.
const HAS_REST: u8 = 1 << 2;
const NEW_HOST: u8 = 1 << 3;

/// One event, borrowed from its block: enough for a fold, without parsing a URL.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Raw<'a> {
    Found(RawFound<'a>),
    Settled { n: u64, ending: RawEnding<'a>, verdict: Verdict },
    Retried { ending: RawEnding<'a>, attempt: u32 },
    Filtered { print: Fingerprint, reason: FilterReason },
}

/// A settle with what is known of its page, borrowed from its block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawSettle<'a> {
    pub(crate) n: u64,
    pub(crate) ending: RawEnding<'a>,
    pub(crate) verdict: Verdict,
    pub(crate) facts: Facts<'a>,
}

/// What people ask for most of a page as it is kept: in the log they can be read a million at a
/// time, without a look into the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts<'a> {
    /// 0 if no response came.
    pub(crate) status: u16,
    /// Of the decoded body.
    pub(crate) bytes: u64,
    pub(crate) n_items: u32,
    pub(crate) elapsed_ms: u64,
    /// Empty if unknown.
    pub(crate) content_type: &'a str,
    /// `None` if they were not read.
    pub(crate) texts: Option<Texts<'a>>,
}

/// The texts that people look for in pages, each empty if there is none. A record costs the database
/// a kilobyte on the disk, and to read a million of them takes half a minute if they are not in
/// memory; here they take some thirty bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Texts<'a> {
    pub(crate) url: &'a str,
    pub(crate) title: &'a str,
    pub(crate) label: &'a str,
    pub(crate) error: &'a str,
}

impl<'a> Texts<'a> {
    /// What they are called in records.
    pub(crate) const NAMES: [&'static str; 4] = ["url", "title", "label", "error"];

    /// They, in the order of their names.
    pub(crate) fn all(&self) -> [&'a str; 4] {
        [self.url, self.title, self.label, self.error]
    }
}

/// What every end of a try has, borrowed from its block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawEnding<'a> {
    pub(crate) print: Fingerprint,
    pub(crate) host: &'a str,
    pub(crate) at_ms: u64,
    pub(crate) rest_until_ms: u64,
}

/// A found URL, borrowed from its block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawFound<'a> {
    pub(crate) print: Fingerprint,
    pub(crate) filtered: Option<FilterReason>,
    pub(crate) renews: bool,
    pub(crate) url: &'a str,
    priority: i32,
    extension: Option<&'a [u8]>,
    /// What the next event may share; small, so that an event is not much to move.
    before: &'a block::Before,
}

impl<'a> RawFound<'a> {
    /// The URL up to its path.
    pub(crate) fn origin(&self) -> &'a str {
        self.url.get(..self.before.origin.len()).unwrap_or(self.url)
    }

    pub(crate) fn depth(&self) -> u32 {
        self.before.depth
    }

    pub(crate) fn referrer(&self) -> Option<&'a str> {
        Some(&*self.before.referrer).filter(|text| !text.is_empty())
    }

    /// Whether its request is more than a plain GET.
    pub(crate) fn has_extension(&self) -> bool {
        self.extension.is_some()
    }
}

/// What "as before" refers to.
#[derive(Debug, Default)]
struct Context {
    origin: Vec<u8>,
    depth: u32,
    label: Vec<u8>,
    /// Empty if there is none.
    referrer: Vec<u8>,
    host: Vec<u8>,
    at_ms: u64,
    content_type: Vec<u8>,
}

impl Context {
    fn clear(&mut self) {
        let Self { origin, depth, label, referrer, host, at_ms, content_type } = self;
        [origin, label, referrer, host, content_type].into_iter().for_each(Vec::clear);
        (*depth, *at_ms) = (0, 0);
    }
}

fn replace(old: &mut Vec<u8>, new: &[u8]) {
    old.clear();
    old.extend_from_slice(new);
}

#[cfg(test)]
mod tests;
