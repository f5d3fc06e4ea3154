//! Harvests as bytes.
//!
//! Nearly all URLs that a callback follows came from the page: from its list of links, or from
//! resolving a reference. Both ends have these, so that a number stands for such a URL, and
//! nothing is parsed a second time; links that are followed one after the other, as all of a page
//! are, are their first number and how many. [`UrlBook`] is what a side knows of them; without one
//! (in a child process, say) each URL is written out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, FileAsk, FileKind, Item, ItemKind, Kinds};

use super::bytes::{Reader, Wire, WireError, put_bytes, put_uint, wire_enum, wire_struct};
use super::json;
use super::links::LinkBook;
use crate::follow::{Extras, Follow};
use crate::target::Target;
use crate::{Harvested, LogLevel, LogLine};

/// A URL that both ends know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownUrl {
    /// The page's link of this number.
    Link(u32),
    /// What resolving the reference of this number gave.
    Joined(u32),
}

/// What a side knows of a page's URLs.
pub trait UrlBook {
    /// The number of a URL, if it is known; asked for one URL after the other, in the order of the
    /// harvest.
    fn number(&mut self, url: &CanonicalUrl) -> Option<KnownUrl>;

    /// Whether these are the page's links, so that one of them is known by its number in them.
    /// Default: they are not.
    fn has(&self, links: &Arc<LinkBook>) -> bool {
        let _ = links;
        false
    }

    /// What resolving the reference of this number gave.
    fn joined(&self, number: u32) -> Option<&CanonicalUrl>;

    /// The page's links. Default: none.
    fn links(&self) -> Option<&Arc<LinkBook>> {
        None
    }
}

/// Knows nothing.
impl UrlBook for () {
    fn number(&mut self, _: &CanonicalUrl) -> Option<KnownUrl> {
        None
    }

    fn joined(&self, _: u32) -> Option<&CanonicalUrl> {
        None
    }
}

const WRITTEN: u8 = 0;
const LINK: u8 = 1;
const JOINED: u8 = 2;
/// Links of the page, one behind the other.
const RUN: u8 = 3;

impl Harvested {
    /// Its bytes, URLs written out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_with(&mut (), &mut out);
        out
    }

    /// Reads what [`encode`](Self::encode) wrote. Nothing is taken on trust: items are JSON, URLs
    /// are parsed.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are no harvest.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        Self::decode_with(&(), bytes)
    }

    /// Appends its bytes, URLs of the book as their numbers.
    pub fn encode_with(&self, book: &mut impl UrlBook, out: &mut Vec<u8>) {
        let Self { items, kinds, files, follows, logs, stats, stop } = self;
        let n_bytes = items.iter().map(|item| item.json.len() + 4).sum::<usize>();
        out.reserve(n_bytes + 8 * follows.len() + 64);
        put_items(out, items);
        put_kinds(out, items, kinds);
        put_files(out, files);
        put_follows(out, follows, book);
        logs.put(out);
        put_uint(out, stats.len() as u64);
        for (name, n) in stats {
            put_bytes(out, name.as_bytes());
            n.put(out);
        }
        stop.put(out);
    }

    /// Reads what [`encode_with`](Self::encode_with) wrote with the same book.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are no harvest, or name a URL that is not in the book.
    pub fn decode_with(book: &impl UrlBook, bytes: &[u8]) -> Result<Self, WireError> {
        let from = &mut Reader::new(bytes);
        let mut items = get_items(from)?;
        let kinds = get_kinds(from, &mut items)?;
        let files = get_files(from, items.len())?;
        let follows = get_follows(from, book)?;
        let logs = from.get()?;
        let stats = BTreeMap::from_iter(from.get::<Vec<(String, i64)>>()?);
        let stop = from.get()?;
        from.end()?;
        Ok(Self { items, kinds, files, follows, logs, stats, stop })
    }
}

/// The items' lengths, and their texts one behind the other.
fn put_items(out: &mut Vec<u8>, items: &[Item]) {
    put_uint(out, items.len() as u64);
    items.iter().for_each(|item| put_uint(out, item.json.len() as u64));
    items.iter().for_each(|item| out.extend_from_slice(item.json.as_bytes()));
}

fn get_items(from: &mut Reader<'_>) -> Result<Vec<Item>, WireError> {
    let count = from.count()?;
    let mut lengths = from.clone();
    let mut n_bytes = 0_usize;
    for _ in 0..count {
        n_bytes = n_bytes.checked_add(from.get()?).ok_or(WireError::Short)?;
    }
    // All of them as one, so that they are checked at once.
    let mut texts = std::str::from_utf8(from.take(n_bytes)?).map_err(|_| WireError::Utf8)?;
    let mut items = Vec::with_capacity(count.min(256));
    for _ in 0..count {
        let (text, rest) = texts.split_at_checked(lengths.get()?).ok_or(WireError::Utf8)?;
        json::check(text).map_err(WireError::Json)?;
        items.push(Item::plain(text));
        texts = rest;
    }
    Ok(items)
}

/// Of each of the first items how many files it asks for, and these.
fn put_files(out: &mut Vec<u8>, files: &[Vec<FileAsk>]) {
    put_uint(out, files.len() as u64);
    for files in files {
        put_uint(out, files.len() as u64);
        for FileAsk { url, field, kind } in files {
            out.push(u8::from(*kind == FileKind::Image));
            put_bytes(out, url.as_str().as_bytes());
            put_bytes(out, field.as_bytes());
        }
    }
}

fn get_files(from: &mut Reader<'_>, n_items: usize) -> Result<Vec<Vec<FileAsk>>, WireError> {
    let count = from.count()?;
    if count > n_items {
        return Err(WireError::Wrong("number of lists of files"));
    }
    let mut all = Vec::with_capacity(count.min(256));
    for _ in 0..count {
        let n_files = from.count()?;
        let mut files = Vec::with_capacity(n_files.min(256));
        for _ in 0..n_files {
            let kind = match from.byte()? {
                0 => FileKind::File,
                1 => FileKind::Image,
                _ => return Err(WireError::Wrong("kind of file")),
            };
            let url = CanonicalUrl::parse(from.text()?)?;
            files.push(FileAsk { url, field: from.text()?.into(), kind });
        }
        all.push(files);
    }
    Ok(all)
}

wire_struct! { ItemKind { name, version, key, space } }

/// The kinds; then those of the items, in runs: how many are of which.
fn put_kinds(out: &mut Vec<u8>, items: &[Item], kinds: &Kinds) {
    put_uint(out, kinds.all().len() as u64);
    if kinds.all().is_empty() {
        return;
    }
    kinds.all().iter().for_each(|kind| kind.put(out));
    for run in items.chunk_by(|a, b| a.kind == b.kind) {
        put_uint(out, run.len() as u64);
        put_uint(out, run[0].kind.into());
    }
}

fn get_kinds(from: &mut Reader<'_>, items: &mut [Item]) -> Result<Kinds, WireError> {
    let mut kinds = Kinds::default();
    for _ in 0..from.count()? {
        let kind = Arc::new(from.get::<ItemKind>()?);
        kinds.number(|_| false, || kind);
    }
    let mut rest = items;
    while !rest.is_empty() && !kinds.all().is_empty() {
        let (n, number) = (from.get::<usize>()?, from.get::<u16>()?);
        let is_known = number == Kinds::NONE || kinds.get(number).is_some();
        if n == 0 || n > rest.len() || !is_known {
            return Err(WireError::Wrong("kind of items"));
        }
        let (run, behind) = rest.split_at_mut(n);
        run.iter_mut().for_each(|item| item.kind = number);
        rest = behind;
    }
    Ok(kinds)
}

fn put_follows(out: &mut Vec<u8>, follows: &[Follow], book: &mut impl UrlBook) {
    put_uint(out, follows.len() as u64);
    let (mut follows, mut next) = (follows, 0);
    while let Some((first, behind)) = follows.split_first() {
        match run(follows, next, book) {
            Some((at, n)) if n > 1 => {
                out.push(RUN);
                at.put(out);
                n.put(out);
                put_settings(out, first);
                (follows, next) = (&follows[n..], at.saturating_add(n as u32));
            }
            _ => {
                put_follow(out, first, book);
                follows = behind;
            }
        }
    }
}

/// The number of the first link of a run, not less than `next`, and how many of `follows` belong
/// to it: links of the page, each the next one, with the same set on them.
fn run(follows: &[Follow], next: u32, book: &impl UrlBook) -> Option<(u32, usize)> {
    let first = follows.first()?;
    let Target::Link(links, at) = &first.url else { return None };
    if *at < next || !first.is_light() || !book.has(links) {
        return None;
    }
    let marks = links.nofollows(*at);
    let all = (*at..).zip(marks).zip(follows);
    let run = all.take_while(|&((number, nofollow), follow)| {
        let is_next = matches!(&follow.url, Target::Link(own, at)
            if *at == number && Arc::ptr_eq(own, links));
        is_next && follow.nofollow == nofollow && follow.is_set_as(first)
    });
    Some((*at, run.count()))
}

fn get_follows(from: &mut Reader<'_>, book: &impl UrlBook) -> Result<Vec<Follow>, WireError> {
    // Not a `count`: a run takes fewer bytes than it has links.
    let count = from.get::<usize>()?;
    let mut follows = Vec::with_capacity(count.min(256));
    let mut next = 0;
    while follows.len() < count {
        match from.byte()? {
            RUN => {
                let (at, n) = (from.get::<usize>()?, from.get::<usize>()?);
                // Each link is in one run at most, so that few bytes do not become many requests.
                let is_fine = at >= next && n <= count - follows.len();
                next = at.checked_add(n).filter(|_| is_fine).ok_or(WireError::Wrong("run"))?;
                let links = book.links().ok_or(WireError::Wrong("run"))?;
                follows.extend(get_run(from, links, at..next)?);
            }
            kind => {
                let target = get_target(kind, from, book)?;
                follows.push(get_follow(from, target)?);
            }
        }
    }
    Ok(follows)
}

/// A run of the links in this range.
fn get_run<'a>(
    from: &mut Reader<'_>,
    links: &'a Arc<LinkBook>,
    range: Range<usize>,
) -> Result<impl Iterator<Item = Follow> + use<'a>, WireError> {
    let wrong = WireError::Wrong("run");
    if range.is_empty() || range.end > links.len() {
        return Err(wrong);
    }
    let at = u32::try_from(range.start).map_err(|_| wrong.clone())?;
    let first = get_follow(from, Target::Link(Arc::clone(links), at))?;
    if !first.is_light() {
        return Err(wrong);
    }
    let marks = links.nofollows(at).take(range.len());
    Ok((at..).zip(marks).map(move |(at, nofollow)| first.to_link(links, at, nofollow)))
}

const LABELLED: u8 = 1;
const META: u8 = 2;
const PRIORITY: u8 = 4;
const NOFOLLOW: u8 = 8;
const IS_LINK: u8 = 16;
const EXTRAS: u8 = 32;
const IS_SEED: u8 = 64;

fn put_follow(out: &mut Vec<u8>, follow: &Follow, book: &mut impl UrlBook) {
    let known = match &follow.url {
        Target::Link(links, at) if book.has(links) => Some(KnownUrl::Link(*at)),
        url => book.number(url.url()),
    };
    match known {
        Some(KnownUrl::Link(number)) => {
            out.push(LINK);
            number.put(out);
        }
        Some(KnownUrl::Joined(number)) => {
            out.push(JOINED);
            number.put(out);
        }
        None => {
            out.push(WRITTEN);
            put_bytes(out, follow.url.url().as_str().as_bytes());
        }
    }
    put_settings(out, follow);
}

/// What is set on a request.
fn put_settings(out: &mut Vec<u8>, follow: &Follow) {
    let Follow { url: _, label, meta, priority, nofollow, is_link, is_seed, extras } = follow;
    let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    out.push(
        bit(label.is_some(), LABELLED)
            | bit(!meta.is_null(), META)
            | bit(*priority != 0, PRIORITY)
            | bit(*nofollow, NOFOLLOW)
            | bit(*is_link, IS_LINK)
            | bit(extras.is_some(), EXTRAS)
            | bit(*is_seed, IS_SEED),
    );
    if let Some(label) = label {
        label.put(out);
    }
    if !meta.is_null() {
        meta.put(out);
    }
    if *priority != 0 {
        priority.put(out);
    }
    if let Some(extras) = extras {
        extras.put(out);
    }
}

fn get_target(kind: u8, from: &mut Reader<'_>, book: &impl UrlBook) -> Result<Target, WireError> {
    let wrong = WireError::Wrong("number of a URL");
    match kind {
        WRITTEN => Ok(Target::Url(CanonicalUrl::parse(from.text()?)?)),
        LINK => {
            let at: u32 = from.get()?;
            let links = book.links().filter(|links| (at as usize) < links.len()).ok_or(wrong)?;
            Ok(Target::Link(Arc::clone(links), at))
        }
        JOINED => Ok(Target::Url(book.joined(from.get()?).ok_or(wrong)?.clone())),
        _ => Err(WireError::Wrong("kind of URL")),
    }
}

/// What is set on a request to `url`.
fn get_follow(from: &mut Reader<'_>, url: Target) -> Result<Follow, WireError> {
    let bits = from.byte()?;
    if bits > LABELLED | META | PRIORITY | NOFOLLOW | IS_LINK | EXTRAS | IS_SEED {
        return Err(WireError::Wrong("kind of request"));
    }
    let has = |bit: u8| bits & bit != 0;
    Ok(Follow {
        url,
        label: if has(LABELLED) { Some(from.get()?) } else { None },
        meta: if has(META) { from.get()? } else { serde_json::Value::Null },
        priority: if has(PRIORITY) { from.get()? } else { 0 },
        nofollow: has(NOFOLLOW),
        is_link: has(IS_LINK),
        is_seed: has(IS_SEED),
        extras: if has(EXTRAS) { Some(Box::new(from.get()?)) } else { None },
    })
}

wire_struct! { Extras { method, headers, body, errback, options } }

wire_struct! { LogLine { level, text } }

wire_enum! { LogLevel, "log level": Debug = 0, Info = 1, Warn = 2, Error = 3 }
