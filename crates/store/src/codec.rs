//! The settle log as bytes.
//!
//! A page brings fifty links, so the log is most of what a crawl writes. Many events go into one
//! block; a URL is written as what differs from the one before it, a referrer mostly as one bit.
//! Settle numbers are not written at all: they have no gaps, and the block's key has the first.
//!
//! A block stands by itself: what "the one before" means begins anew with each.

use crawl_model::{
    CanonicalUrl, Event, FetchOptions, FilterReason, Fingerprint, Found, Host, Method, Request,
    Verdict,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::StoreError;

/// A block is closed when it is longer than this, in bytes; one event may go beyond.
const BLOCK_BYTES: usize = 3 * 1024;

const KIND: u8 = 0b11;
const FOUND: u8 = 0;
const SETTLED: u8 = 1;
const RETRIED: u8 = 2;
const FILTERED: u8 = 3;

// Flags of `FOUND`.
const IS_FILTERED: u8 = 1 << 2;
const SAME_LABEL: u8 = 1 << 3;
const SAME_REFERRER: u8 = 1 << 4;
const NEW_REFERRER: u8 = 1 << 5;
const HAS_PRIORITY: u8 = 1 << 6;
const HAS_EXTENSION: u8 = 1 << 7;

// Flags of `SETTLED` and `RETRIED`.
const HAS_REST: u8 = 1 << 2;
const NEW_HOST: u8 = 1 << 3;

/// One event, borrowed from its block: enough for a fold, without parsing a URL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raw<'a> {
    Found(RawFound<'a>),
    Settled { n: u64, ending: RawEnding<'a>, verdict: Verdict },
    Retried { ending: RawEnding<'a>, attempt: u32 },
    Filtered { print: Fingerprint, reason: FilterReason },
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawFound<'a> {
    pub(crate) print: Fingerprint,
    pub(crate) filtered: Option<FilterReason>,
    pub(crate) url: &'a str,
    pub(crate) depth: u32,
    label: &'a str,
    priority: i32,
    referrer: Option<&'a str>,
    extension: Option<&'a [u8]>,
}

/// What few requests have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Extension {
    #[serde(skip_serializing_if = "is_get")]
    method: Method,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    body: Vec<u8>,
    #[serde(skip_serializing_if = "str::is_empty")]
    errback: Arc<str>,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    meta: serde_json::Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<CanonicalUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Box<FetchOptions>>,
}

fn is_get(method: &Method) -> bool {
    *method == Method::Get
}

/// What "as before" refers to.
#[derive(Debug, Default)]
struct Context {
    url: Vec<u8>,
    label: Vec<u8>,
    referrer: Vec<u8>,
    host: Vec<u8>,
    at_ms: u64,
}

/// Packs events into blocks.
#[derive(Debug)]
pub(crate) struct Packer {
    next_n: u64,
    blocks: Vec<(u64, Vec<u8>)>,
    block: Vec<u8>,
    block_n: u64,
    context: Context,
}

impl Packer {
    /// `next_n` is the number of the next settle.
    pub(crate) fn new(next_n: u64) -> Self {
        Self {
            next_n,
            blocks: Vec::new(),
            block: Vec::new(),
            block_n: next_n,
            context: Context::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.block.is_empty()
    }

    /// Number of the last settle that was packed.
    pub(crate) fn last_n(&self) -> u64 {
        self.next_n - 1
    }

    /// The blocks, each with the number of its first settle.
    pub(crate) fn finish(mut self) -> Vec<(u64, Vec<u8>)> {
        self.seal();
        self.blocks
    }

    fn seal(&mut self) {
        if !self.block.is_empty() {
            self.blocks.push((self.block_n, std::mem::take(&mut self.block)));
        }
        self.block_n = self.next_n;
        self.context = Context::default();
    }

    fn make_room(&mut self) {
        if self.block.len() > BLOCK_BYTES {
            self.seal();
        }
    }

    /// Packs a settle and returns its number.
    pub(crate) fn settled(&mut self, ending: RawEnding<'_>, verdict: Verdict) -> u64 {
        self.make_room();
        self.ending(SETTLED, ending);
        self.block.push(verdict as u8);
        self.next_n += 1;
        self.next_n - 1
    }

    pub(crate) fn retried(&mut self, ending: RawEnding<'_>, attempt: u32) {
        self.make_room();
        self.ending(RETRIED, ending);
        put_number(&mut self.block, u64::from(attempt));
    }

    pub(crate) fn filtered(&mut self, print: Fingerprint, reason: FilterReason) {
        self.make_room();
        self.block.push(FILTERED);
        self.block.extend_from_slice(&print.0.to_le_bytes());
        self.block.push(reason as u8);
    }

    pub(crate) fn found(&mut self, found: &Found) {
        self.make_room();
        let request = &found.request;
        let extension = extension_of(request);
        let referrer = request.referrer.as_ref().map(|url| url.as_str().as_bytes());
        let mut tag = FOUND;
        let mut mark = |flag: u8, when: bool| tag |= if when { flag } else { 0 };
        mark(IS_FILTERED, found.filtered.is_some());
        mark(SAME_LABEL, request.label.as_bytes() == self.context.label);
        match referrer {
            Some(text) if text == self.context.referrer => mark(SAME_REFERRER, true),
            Some(_) => mark(NEW_REFERRER, true),
            None => {}
        }
        mark(HAS_PRIORITY, request.priority != 0);
        mark(HAS_EXTENSION, extension.is_some());

        let out = &mut self.block;
        out.push(tag);
        out.extend_from_slice(&found.print.0.to_le_bytes());
        out.extend(found.filtered.map(|reason| reason as u8));
        put_number(out, u64::from(request.depth));
        put_difference(out, &mut self.context.url, request.url.as_str().as_bytes());
        if tag & SAME_LABEL == 0 {
            put_new(out, &mut self.context.label, request.label.as_bytes());
        }
        if let Some(text) = referrer.filter(|_| tag & NEW_REFERRER != 0) {
            put_new(out, &mut self.context.referrer, text);
        }
        if request.priority != 0 {
            put_number(out, zigzag(i64::from(request.priority)));
        }
        if let Some(json) = extension {
            put_number(out, json.len() as u64);
            out.extend_from_slice(&json);
        }
    }

    fn ending(&mut self, kind: u8, ending: RawEnding<'_>) {
        let RawEnding { print, host, at_ms, rest_until_ms } = ending;
        let is_new = host.as_bytes() != self.context.host;
        let rest = if rest_until_ms == 0 { 0 } else { HAS_REST };
        self.block.push(kind | rest | if is_new { NEW_HOST } else { 0 });
        self.block.extend_from_slice(&print.0.to_le_bytes());
        if is_new {
            put_new(&mut self.block, &mut self.context.host, host.as_bytes());
        }
        let step = at_ms.wrapping_sub(self.context.at_ms) as i64;
        self.context.at_ms = at_ms;
        put_number(&mut self.block, zigzag(step));
        if rest_until_ms != 0 {
            put_number(&mut self.block, rest_until_ms);
        }
    }
}

/// The rare parts of a request as JSON; `None` if it has none.
fn extension_of(request: &Request) -> Option<Vec<u8>> {
    let is_plain = request.method == Method::Get
        && request.headers.is_empty()
        && request.body.is_empty()
        && request.errback.is_empty()
        && request.meta.is_null()
        && request.chain.is_empty()
        && request.options.is_none();
    if is_plain {
        return None;
    }
    let extension = Extension {
        method: request.method,
        headers: request.headers.clone(),
        body: request.body.clone(),
        errback: request.errback.clone(),
        meta: request.meta.clone(),
        chain: request.chain.clone(),
        options: request.options.clone(),
    };
    Some(serde_json::to_vec(&extension).expect("strings, numbers and JSON values serialise"))
}

/// One block, read event by event.
#[derive(Debug)]
pub(crate) struct Block<B> {
    bytes: B,
    at: usize,
    next_n: u64,
    context: Context,
}

impl<B: AsRef<[u8]>> Block<B> {
    /// `next_n` is the number in the block's key.
    pub(crate) fn new(next_n: u64, bytes: B) -> Self {
        Self { bytes, at: 0, next_n, context: Context::default() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.bytes.as_ref().len()
    }

    /// The next event; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Raw<'_>>, StoreError> {
        if self.is_done() {
            return Ok(None);
        }
        let mut rest = Take(&self.bytes.as_ref()[self.at..]);
        let before = rest.0.len();
        let context = &mut self.context;
        let read = read(&mut rest, context, &mut self.next_n);
        self.at += before - rest.0.len();
        read.map(Some).ok_or_else(|| StoreError::corrupt(format!("log block at {}", self.next_n)))
    }
}

/// `None` if the bytes make no sense.
fn read<'a>(rest: &mut Take<'a>, context: &'a mut Context, next_n: &mut u64) -> Option<Raw<'a>> {
    let tag = rest.byte()?;
    let print = Fingerprint(u64::from_le_bytes(*rest.bytes(8)?.first_chunk()?));
    match tag & KIND {
        FOUND => read_found(tag, print, rest, context).map(Raw::Found),
        SETTLED => {
            let ending = read_ending(tag, print, rest, context)?;
            let verdict = Verdict::from_index(rest.byte()?)?;
            let n = *next_n;
            *next_n = n.checked_add(1)?;
            Some(Raw::Settled { n, ending, verdict })
        }
        RETRIED => {
            let ending = read_ending(tag, print, rest, context)?;
            let attempt = u32::try_from(rest.number()?).ok()?;
            Some(Raw::Retried { ending, attempt })
        }
        _ => Some(Raw::Filtered { print, reason: FilterReason::from_index(rest.byte()?)? }),
    }
}

fn read_found<'a>(
    tag: u8,
    print: Fingerprint,
    rest: &mut Take<'a>,
    context: &'a mut Context,
) -> Option<RawFound<'a>> {
    let filtered = match tag & IS_FILTERED {
        0 => None,
        _ => Some(FilterReason::from_index(rest.byte()?)?),
    };
    let depth = u32::try_from(rest.number()?).ok()?;
    let shared = rest.length()?;
    let differs = rest.text()?;
    if shared > context.url.len() {
        return None;
    }
    context.url.truncate(shared);
    context.url.extend_from_slice(differs);
    if tag & SAME_LABEL == 0 {
        replace(&mut context.label, rest.text()?);
    }
    if tag & NEW_REFERRER != 0 {
        replace(&mut context.referrer, rest.text()?);
    }
    let priority = match tag & HAS_PRIORITY {
        0 => 0,
        _ => i32::try_from(unzigzag(rest.number()?)).ok()?,
    };
    let extension = match tag & HAS_EXTENSION {
        0 => None,
        _ => Some(rest.text()?),
    };
    let has_referrer = tag & (SAME_REFERRER | NEW_REFERRER) != 0;
    Some(RawFound {
        print,
        filtered,
        depth,
        url: std::str::from_utf8(&context.url).ok()?,
        label: std::str::from_utf8(&context.label).ok()?,
        referrer: match has_referrer {
            true => Some(std::str::from_utf8(&context.referrer).ok()?),
            false => None,
        },
        priority,
        extension,
    })
}

fn read_ending<'a>(
    tag: u8,
    print: Fingerprint,
    rest: &mut Take<'_>,
    context: &'a mut Context,
) -> Option<RawEnding<'a>> {
    if tag & NEW_HOST != 0 {
        replace(&mut context.host, rest.text()?);
    }
    let step = unzigzag(rest.number()?);
    context.at_ms = context.at_ms.wrapping_add(step as u64);
    let rest_until_ms = if tag & HAS_REST == 0 { 0 } else { rest.number()? };
    let host = std::str::from_utf8(&context.host).ok()?;
    Some(RawEnding { print, host, at_ms: context.at_ms, rest_until_ms })
}

/// Makes owned events of raw ones; remembers the texts that come again and again.
#[derive(Debug, Default)]
pub(crate) struct Thaw {
    label: Option<Arc<str>>,
    referrer: Option<CanonicalUrl>,
    host: Option<Host>,
}

impl Thaw {
    pub(crate) fn event(&mut self, raw: Raw<'_>) -> Result<Event, StoreError> {
        Ok(match raw {
            Raw::Found(found) => Event::Found(Box::new(Found {
                print: found.print,
                filtered: found.filtered,
                request: self.request(&found).ok_or_else(|| {
                    StoreError::corrupt(format!("request {:?} in the log", found.print))
                })?,
            })),
            Raw::Settled { n, ending, verdict } => {
                let RawEnding { print, host, at_ms, rest_until_ms } = ending;
                let host = self.host(host);
                Event::Settled { n, print, host, verdict, at_ms, rest_until_ms }
            }
            Raw::Retried { ending, attempt } => {
                let RawEnding { print, host, at_ms, rest_until_ms } = ending;
                let host = self.host(host);
                Event::Retried { print, host, attempt, at_ms, rest_until_ms }
            }
            Raw::Filtered { print, reason } => Event::Filtered { print, reason },
        })
    }

    fn host(&mut self, name: &str) -> Host {
        match &self.host {
            Some(host) if host.as_str() == name => host.clone(),
            _ => self.host.insert(Host::new(name)).clone(),
        }
    }

    fn request(&mut self, found: &RawFound<'_>) -> Option<Request> {
        let mut request = Request::get(CanonicalUrl::parse(found.url).ok()?);
        request.depth = found.depth;
        request.priority = found.priority;
        request.label = match &self.label {
            Some(label) if **label == *found.label => label.clone(),
            _ => self.label.insert(found.label.into()).clone(),
        };
        request.referrer = match (found.referrer, &self.referrer) {
            (None, _) => None,
            (Some(text), Some(url)) if url.as_str() == text => Some(url.clone()),
            (Some(text), _) => Some(self.referrer.insert(CanonicalUrl::parse(text).ok()?).clone()),
        };
        if let Some(json) = found.extension {
            let extension: Extension = serde_json::from_slice(json).ok()?;
            request.method = extension.method;
            request.headers = extension.headers;
            request.body = extension.body;
            request.errback = extension.errback;
            request.meta = extension.meta;
            request.chain = extension.chain;
            request.options = extension.options;
        }
        Some(request)
    }
}

fn replace(old: &mut Vec<u8>, new: &[u8]) {
    old.clear();
    old.extend_from_slice(new);
}

/// Unsigned LEB128: seven bits a byte, the low ones first.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_new(out: &mut Vec<u8>, last: &mut Vec<u8>, text: &[u8]) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text);
    replace(last, text);
}

fn put_difference(out: &mut Vec<u8>, last: &mut Vec<u8>, text: &[u8]) {
    let shared = last.iter().zip(text).take_while(|(a, b)| a == b).count();
    put_number(out, shared as u64);
    put_number(out, (text.len() - shared) as u64);
    out.extend_from_slice(&text[shared..]);
    last.truncate(shared);
    last.extend_from_slice(&text[shared..]);
}

/// Small numbers of either sign become small numbers without one.
fn zigzag(number: i64) -> u64 {
    (number.wrapping_shl(1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Bytes yet to be read.
#[derive(Debug)]
pub struct Take<'a>(pub &'a [u8]);

impl<'a> Take<'a> {
    /// One byte; `None` at the end, as for all of these.
    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// So many bytes.
    pub fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number without sign.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A number of either sign.
    pub fn signed(&mut self) -> Option<i64> {
        self.number().map(unzigzag)
    }

    /// A length, and as many bytes.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.bytes(length)
    }
}

#[cfg(test)]
mod tests;
