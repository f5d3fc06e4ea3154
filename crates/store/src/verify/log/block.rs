//! A frame's payload: ten columns, each as its length, its length as stored, and its bytes,
//! compressed (zstd, RFC 8878) if that made them fewer.

use std::fmt;

use crawl_model::{FilterReason, Fingerprinter, Verdict};
use serde::de::IgnoredAny;
use zstd::bulk::Decompressor;

use crate::verify::bytes::{Bytes, fnv};

const N_COLUMNS: usize = 10;
const HEADS: usize = 0;
const NUMBERS: usize = 1;
const ORIGINS: usize = 2;
const PATHS: usize = 3;
const DIGITS: usize = 4;
const TEXTS: usize = 5;
const PRINTS: usize = 6;
const FACTS: usize = 7;
const TYPES: usize = 8;
const TOLD: usize = 9;

/// Longest column that is believed, in bytes.
const MOST: usize = 1 << 30;

/// What happened, as the log tells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::verify) enum Event<'a> {
    Found { print: u64, filtered: Option<FilterReason>, renews: bool, url: &'a str },
    Settled { n: u64, print: u64, verdict: Verdict, facts: u16 },
    Retried { print: u64 },
    Filtered { print: u64, reason: FilterReason },
}

/// One frame, read event by event.
pub(in crate::verify) struct Block {
    prints: Fingerprinter,
    zstd: Option<Decompressor<'static>>,
    columns: [Vec<u8>; N_COLUMNS],
    at: [usize; N_COLUMNS],
    next_n: u64,
    origin: Vec<u8>,
    referrer: Vec<u8>,
    content_type: Vec<u8>,
    url: Vec<u8>,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("next_n", &self.next_n).finish_non_exhaustive()
    }
}

impl Block {
    pub(in crate::verify) fn new(prints: Fingerprinter) -> Self {
        Self {
            prints,
            zstd: Decompressor::new().ok(),
            columns: Default::default(),
            at: [0; N_COLUMNS],
            next_n: 0,
            origin: Vec::new(),
            referrer: Vec::new(),
            content_type: Vec::new(),
            url: Vec::new(),
        }
    }

    /// Takes up a payload, of which the first settle has number `next_n`.
    pub(in crate::verify) fn open(&mut self, next_n: u64, payload: &[u8]) -> Option<()> {
        self.next_n = next_n;
        self.at = [0; N_COLUMNS];
        self.origin.clear();
        self.referrer.clear();
        self.content_type.clear();
        let mut rest = Bytes(payload);
        for column in &mut self.columns {
            let len = usize::try_from(rest.number()?).ok().filter(|len| *len <= MOST)?;
            let stored = rest.piece()?;
            if stored.len() == len {
                stored.clone_into(column);
            } else {
                *column = self.zstd.as_mut()?.decompress(stored, len).ok()?;
            }
            if column.len() != len {
                return None;
            }
        }
        rest.is_empty().then_some(())
    }

    pub(in crate::verify) fn is_done(&self) -> bool {
        self.at[HEADS] == self.columns[HEADS].len()
    }

    /// Whether nothing is left over in any column.
    pub(in crate::verify) fn is_used_up(&self) -> bool {
        self.at.iter().zip(&self.columns).all(|(at, column)| *at == column.len())
    }

    /// The next event; `None` if it makes no sense.
    pub(in crate::verify) fn next(&mut self) -> Option<Event<'_>> {
        let tag = self.head()?;
        match tag & 3 {
            0 => self.found(tag),
            1 => {
                let verdict = Verdict::from_index(self.head()?)?;
                let n = self.next_n;
                self.next_n = n.checked_add(1)?;
                let (print, facts) = (self.ending(tag)?, self.facts()?);
                Some(Event::Settled { n, print, verdict, facts })
            }
            2 => {
                self.number()?; // the attempt
                Some(Event::Retried { print: self.ending(tag)? })
            }
            _ => {
                let reason = FilterReason::from_index(self.head()?)?;
                Some(Event::Filtered { print: self.print()?, reason })
            }
        }
    }

    fn found(&mut self, tag: u8) -> Option<Event<'_>> {
        let [is_filtered, is_new_origin, is_new_depth, is_new_label, is_new_referrer, is_rare] =
            [4, 8, 16, 32, 64, 128].map(|flag: u8| tag & flag != 0);
        let rare = if is_rare { self.head()? } else { 0 };
        if rare >> 5 != 0 {
            return None;
        }
        let [is_told, no_referrer, has_priority, has_extension, renews] =
            [1, 2, 4, 8, 16].map(|flag: u8| rare & flag != 0);
        let filtered = match is_filtered {
            true => Some(FilterReason::from_index(self.head()?)?),
            false => None,
        };
        let told = if is_told { Some(self.print()?) } else { None };
        if is_new_origin {
            self.origin = self.letters(ORIGINS, Vec::new())?;
        }
        let room = std::mem::take(&mut self.url);
        let path = self.letters(PATHS, room)?;
        if is_new_referrer {
            self.referrer = self.letters(ORIGINS, Vec::new())?;
        } else if no_referrer {
            self.referrer.clear();
        }
        if is_new_depth {
            u32::try_from(self.number()?).ok()?;
        }
        if is_new_label {
            let label = self.text()?;
            std::str::from_utf8(&self.columns[TEXTS][label]).ok()?;
        }
        if has_priority {
            self.number()?;
        }
        if has_extension {
            let json = self.text()?;
            serde_json::from_slice::<IgnoredAny>(&self.columns[TEXTS][json]).ok()?;
        }
        self.url = path;
        let origin_len = self.origin.len();
        self.url.splice(..0, self.origin.iter().copied());
        if origin_len == 0 || std::str::from_utf8(&self.referrer).is_err() {
            return None;
        }
        let url = std::str::from_utf8(&self.url).ok()?;
        let print = told.unwrap_or_else(|| self.prints.canonical(url).0);
        Some(Event::Found { print, filtered, renews, url })
    }

    /// What is known of the page: [`facts`] of it.
    fn facts(&mut self) -> Option<u16> {
        let first = self.number_of(FACTS)?;
        if first & 1 != 0 {
            let new = self.text_of(TYPES)?;
            self.content_type = self.columns[TYPES][new].to_vec();
        }
        let [bytes, n_items, elapsed_ms] =
            [self.number_of(FACTS)?, self.number_of(FACTS)?, self.number_of(FACTS)?];
        let mut texts = [""; 5];
        let mut places = [0..0, 0..0, 0..0, 0..0];
        for place in &mut places {
            *place = self.text_of(TOLD)?;
        }
        texts[0] = std::str::from_utf8(&self.content_type).ok()?;
        for (text, place) in texts[1..].iter_mut().zip(places) {
            *text = std::str::from_utf8(&self.columns[TOLD][place]).ok()?;
        }
        Some(facts([first >> 1, bytes, n_items, elapsed_ms], texts))
    }

    /// What every end of a try has; returns its print.
    fn ending(&mut self, tag: u8) -> Option<u64> {
        let print = self.print()?;
        if tag & 8 != 0 {
            let host = self.text()?;
            std::str::from_utf8(&self.columns[TEXTS][host]).ok()?;
        }
        self.number()?; // the time since the one before
        if tag & 4 != 0 {
            self.number()?; // until when the host rests
        }
        Some(print)
    }

    fn head(&mut self) -> Option<u8> {
        let byte = *self.columns[HEADS].get(self.at[HEADS])?;
        self.at[HEADS] += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.number_of(NUMBERS)
    }

    fn number_of(&mut self, column: usize) -> Option<u64> {
        let mut rest = Bytes(&self.columns[column][self.at[column]..]);
        let number = rest.number()?;
        self.at[column] = self.columns[column].len() - rest.0.len();
        Some(number)
    }

    fn print(&mut self) -> Option<u64> {
        let bytes = self.columns[PRINTS].get(self.at[PRINTS]..)?.first_chunk()?;
        self.at[PRINTS] += 8;
        Some(u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<std::ops::Range<usize>> {
        self.text_of(TEXTS)
    }

    /// Where the next text of a column stands in it.
    fn text_of(&mut self, column: usize) -> Option<std::ops::Range<usize>> {
        let bytes = &self.columns[column];
        let mut rest = Bytes(&bytes[self.at[column]..]);
        let len = rest.piece()?.len();
        let end = bytes.len() - rest.0.len();
        self.at[column] = end;
        Some(end - len..end)
    }

    /// A URL's letters, up to a line feed; 0x81 to 0xfe stand for so many digits of their own
    /// column, 0xff for the byte behind it.
    fn letters(&mut self, column: usize, mut out: Vec<u8>) -> Option<Vec<u8>> {
        out.clear();
        loop {
            let byte = *self.columns[column].get(self.at[column])?;
            self.at[column] += 1;
            match byte {
                b'\n' => return Some(out),
                0xff => {
                    out.push(*self.columns[column].get(self.at[column])?);
                    self.at[column] += 1;
                }
                0x80.. => {
                    let (start, n) = (self.at[DIGITS], usize::from(byte - 0x80));
                    out.extend_from_slice(self.columns[DIGITS].get(start..start + n)?);
                    self.at[DIGITS] = start + n;
                }
                plain => out.push(plain),
            }
        }
    }
}

/// Twelve bits that tell facts of a page from most others: status (0 if there is none), bytes, items,
/// elapsed milliseconds; media type, URL, title, label and error.
pub(in crate::verify) fn facts(numbers: [u64; 4], texts: [&str; 5]) -> u16 {
    let numbers = numbers.map(u64::to_be_bytes);
    let texts = texts.iter().flat_map(|text| text.as_bytes().iter().chain(&[0xff]));
    let hash = fnv(numbers.as_flattened().iter().chain(texts));
    (hash % 4093) as u16
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, Fingerprint, Found, Request};
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{Facts, Packer, RawEnding};

    fn prints() -> Fingerprinter {
        Fingerprinter::new([3; 16])
    }

    /// A block as the writer makes it, with something of every kind.
    fn sealed() -> (u64, Vec<u8>) {
        let mut packer = Packer::new(prints(), 8);
        for n in 0..40_u32 {
            let url = CanonicalUrl::parse(&format!("http://h{}/a/{n}/b?c={n}0", n / 10)).unwrap();
            let mut request = Request::get(url);
            request.depth = n / 7;
            request.priority = if n % 5 == 0 { -3 } else { 0 };
            request.label = if n % 3 == 0 { "book".into() } else { "".into() };
            let from = CanonicalUrl::parse(&format!("http://from/{}", n / 4)).unwrap();
            request.referrer = (n % 8 != 7).then_some(from);
            if n % 6 == 0 {
                request.meta = serde_json::json!({ "n": n });
            }
            let print = prints().request(&request);
            let filtered = (n % 9 == 4).then_some(FilterReason::TooDeep);
            packer.found(&Found { print, request, filtered, renews: n % 11 == 1 });
            let rest_until_ms = if n % 4 == 0 { 5 } else { 0 };
            let ending = RawEnding { print, host: "h", at_ms: u64::from(n), rest_until_ms };
            match n % 4 {
                0 => {
                    let facts = Facts { status: 200, bytes: 5, ..Facts::default() };
                    packer.settled(ending, Verdict::Ok, facts);
                }
                1 => packer.retried(ending, n),
                2 => packer.filtered(Fingerprint(u64::from(n)), FilterReason::Robots),
                _ => {}
            }
        }
        let block = packer.take().remove(0);
        (block.next_n, block.bytes)
    }

    /// All events as text; `None` if the block makes no sense.
    fn read(next_n: u64, bytes: &[u8]) -> Option<Vec<String>> {
        let mut block = Block::new(prints());
        block.open(next_n, bytes)?;
        let mut events = Vec::new();
        while !block.is_done() {
            events.push(format!("{:?}", block.next()?));
        }
        block.is_used_up().then_some(events)
    }

    #[test]
    fn what_the_writer_packs_is_what_is_read() {
        let (next_n, bytes) = sealed();
        let events = read(next_n, &bytes).unwrap();
        assert_eq!(events.len(), 70);
        let url = CanonicalUrl::parse("http://h3/a/33/b?c=330").unwrap();
        let print = prints().get(&url).0;
        let found = Event::Found { print, filtered: None, renews: false, url: url.as_str() };
        assert!(events.contains(&format!("{found:?}")), "{events:#?}");
        let settles: Vec<_> = events.iter().filter(|event| event.starts_with("Settled")).collect();
        assert!(settles.len() == 10 && settles[9].contains("n: 17"), "{settles:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn nothing_panics(at in any::<prop::sample::Index>(), byte: u8, noise: Vec<u8>) {
            let (next_n, mut bytes) = sealed();
            let place = at.index(bytes.len());
            bytes[place] = byte;
            let _ = read(next_n, &bytes);
            let _ = read(next_n, &bytes[..place]);
            let _ = read(next_n, &noise);
        }
    }
}
