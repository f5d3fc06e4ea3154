//! Events to blocks.

use crawl_model::{FilterReason, Fingerprint, Fingerprinter, Found, Request, Verdict};

use super::bytes::{put_number, put_text, zigzag};
use super::columns::{Columns, FACTS, HEADS, NUMBERS, PRINTS, Press, TEXTS, TOLD, TYPES};
use super::thaw::extension_of;
use super::{
    Context, FILTERED, FOUND, Facts, HAS_EXTENSION, HAS_PRINT, HAS_PRIORITY, HAS_REST, IS_FILTERED,
    IS_RARE, NEW_DEPTH, NEW_HOST, NEW_LABEL, NEW_ORIGIN, NEW_REFERRER, NO_REFERRER, RENEWS,
    RETRIED, RawEnding, SETTLED, replace, urls,
};

/// A block is closed when it is longer than this before it is compressed, in bytes; one event may
/// go beyond.
const BLOCK_BYTES: usize = 48 * 1024;

/// A finished block.
#[derive(Debug, PartialEq)]
pub(crate) struct Sealed {
    /// The number that the first settle in it has, or would have.
    pub(crate) next_n: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Packs events into blocks.
#[derive(Debug)]
pub(crate) struct Packer {
    prints: Fingerprinter,
    next_n: u64,
    blocks: Vec<Sealed>,
    block: Columns,
    /// Number of the first settle in the open block.
    block_n: u64,
    context: Context,
    press: Press,
}

impl Packer {
    /// `next_n` is the number of the next settle; `prints` makes the crawl's fingerprints.
    pub(crate) fn new(prints: Fingerprinter, next_n: u64) -> Self {
        Self {
            prints,
            next_n,
            blocks: Vec::new(),
            block: Columns::default(),
            block_n: next_n,
            context: Context::default(),
            press: Press::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.block.len() == 0
    }

    /// Number of the last settle that was packed.
    pub(crate) fn last_n(&self) -> u64 {
        self.next_n - 1
    }

    /// The blocks so far; what comes next begins another one.
    pub(crate) fn take(&mut self) -> Vec<Sealed> {
        self.seal();
        std::mem::take(&mut self.blocks)
    }

    fn seal(&mut self) {
        if self.block.len() > 0 {
            let mut bytes = Vec::new();
            self.block.seal(&mut self.press, &mut bytes);
            self.blocks.push(Sealed { next_n: self.block_n, bytes });
            self.block.clear();
        }
        self.block_n = self.next_n;
        self.context.clear();
    }

    fn make_room(&mut self) {
        if self.block.len() > BLOCK_BYTES {
            self.seal();
        }
    }

    /// Packs a settle and returns its number.
    pub(crate) fn settled(
        &mut self,
        ending: RawEnding<'_>,
        verdict: Verdict,
        facts: Facts<'_>,
    ) -> u64 {
        self.make_room();
        self.ending(SETTLED, ending);
        self.facts(facts);
        self.block.bytes[HEADS].push(verdict as u8);
        self.next_n += 1;
        self.next_n - 1
    }

    pub(crate) fn retried(&mut self, ending: RawEnding<'_>, attempt: u32) {
        self.make_room();
        put_number(&mut self.block.bytes[NUMBERS], u64::from(attempt));
        self.ending(RETRIED, ending);
    }

    pub(crate) fn filtered(&mut self, print: Fingerprint, reason: FilterReason) {
        self.make_room();
        self.block.bytes[HEADS].extend([FILTERED, reason as u8]);
        self.print(print);
    }

    pub(crate) fn found(&mut self, found: &Found) {
        self.make_room();
        let request = &found.request;
        let extension = extension_of(request);
        let (url, [.., path_start]) = request.url.parts();
        let (origin, path) = url.as_bytes().split_at(path_start as usize);
        let referrer = request.referrer.as_ref().map_or("", |url| url.as_str()).as_bytes();
        let is_new_referrer = referrer != self.context.referrer;

        let mut rare = 0;
        let mut mark = |flag: u8, when: bool| rare |= if when { flag } else { 0 };
        mark(HAS_PRINT, extension.is_some() || self.prints.get(&request.url) != found.print);
        mark(NO_REFERRER, is_new_referrer && referrer.is_empty());
        mark(HAS_PRIORITY, request.priority != 0);
        mark(HAS_EXTENSION, extension.is_some());
        mark(RENEWS, found.renews);

        let mut tag = FOUND;
        let mut mark = |flag: u8, when: bool| tag |= if when { flag } else { 0 };
        mark(IS_FILTERED, found.filtered.is_some());
        mark(NEW_ORIGIN, origin != self.context.origin);
        mark(NEW_DEPTH, request.depth != self.context.depth);
        mark(NEW_LABEL, request.label.as_bytes() != self.context.label);
        mark(NEW_REFERRER, is_new_referrer && !referrer.is_empty());
        mark(IS_RARE, rare != 0);

        let heads = &mut self.block.bytes[HEADS];
        heads.push(tag);
        if rare != 0 {
            heads.push(rare);
        }
        heads.extend(found.filtered.map(|reason| reason as u8));
        if rare & HAS_PRINT != 0 {
            self.print(found.print);
        }
        self.url(tag & NEW_ORIGIN != 0, origin, path);
        if tag & NEW_REFERRER != 0 {
            self.referrer(request);
        }
        if is_new_referrer {
            replace(&mut self.context.referrer, referrer);
        }
        self.extras(request, extension);
    }

    fn url(&mut self, is_new_origin: bool, origin: &[u8], path: &[u8]) {
        let [_, _, origins, paths, digits, ..] = &mut self.block.bytes;
        if is_new_origin {
            urls::put(origin, origins, digits);
            replace(&mut self.context.origin, origin);
        }
        urls::put(path, paths, digits);
    }

    fn referrer(&mut self, request: &Request) {
        let Some(url) = &request.referrer else { return };
        let [_, _, origins, _, digits, ..] = &mut self.block.bytes;
        urls::put(url.as_str().as_bytes(), origins, digits);
    }

    /// Depth, label, priority and what few have, as far as they are there and new.
    fn extras(&mut self, request: &Request, extension: Option<Vec<u8>>) {
        let (context, bytes) = (&mut self.context, &mut self.block.bytes);
        if request.depth != context.depth {
            put_number(&mut bytes[NUMBERS], u64::from(request.depth));
            context.depth = request.depth;
        }
        if request.label.as_bytes() != context.label {
            put_text(&mut bytes[TEXTS], request.label.as_bytes());
            replace(&mut context.label, request.label.as_bytes());
        }
        if request.priority != 0 {
            put_number(&mut bytes[NUMBERS], zigzag(i64::from(request.priority)));
        }
        if let Some(json) = extension {
            put_text(&mut bytes[TEXTS], &json);
        }
    }

    fn ending(&mut self, kind: u8, ending: RawEnding<'_>) {
        let RawEnding { print, host, at_ms, rest_until_ms } = ending;
        let is_new = host.as_bytes() != self.context.host;
        let rest = if rest_until_ms == 0 { 0 } else { HAS_REST };
        self.print(print);
        let (context, bytes) = (&mut self.context, &mut self.block.bytes);
        bytes[HEADS].push(kind | rest | if is_new { NEW_HOST } else { 0 });
        if is_new {
            put_text(&mut bytes[TEXTS], host.as_bytes());
            replace(&mut context.host, host.as_bytes());
        }
        let step = at_ms.wrapping_sub(context.at_ms) as i64;
        context.at_ms = at_ms;
        put_number(&mut bytes[NUMBERS], zigzag(step));
        if rest_until_ms != 0 {
            put_number(&mut bytes[NUMBERS], rest_until_ms);
        }
    }

    fn facts(&mut self, facts: Facts<'_>) {
        let (context, bytes) = (&mut self.context, &mut self.block.bytes);
        let content_type = facts.content_type.as_bytes();
        let is_new = content_type != context.content_type;
        if is_new {
            put_text(&mut bytes[TYPES], content_type);
            replace(&mut context.content_type, content_type);
        }
        let first = u64::from(facts.status) << 1 | u64::from(is_new);
        for number in [first, facts.bytes, u64::from(facts.n_items), facts.elapsed_ms] {
            put_number(&mut bytes[FACTS], number);
        }
        for text in facts.texts.unwrap_or_default().all() {
            put_text(&mut bytes[TOLD], text.as_bytes());
        }
    }

    fn print(&mut self, print: Fingerprint) {
        self.block.bytes[PRINTS].extend_from_slice(&print.0.to_le_bytes());
    }
}
