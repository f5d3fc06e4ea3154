//! Harvests as bytes.
//!
//! Nearly all URLs that a callback follows came from the page: from its list of links, or from
//! resolving a reference. Both ends have these, so that a number stands for such a URL, and
//! nothing is parsed a second time. [`UrlBook`] is what a side knows of them; without one (in a
//! child process, say) each URL is written out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Item};

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

    /// The URL of a number.
    fn url(&self, known: KnownUrl) -> Option<&CanonicalUrl>;
}

/// Knows nothing.
impl UrlBook for () {
    fn number(&mut self, _: &CanonicalUrl) -> Option<KnownUrl> {
        None
    }

    fn url(&self, _: KnownUrl) -> Option<&CanonicalUrl> {
        None
    }
}

const WRITTEN: u8 = 0;
const LINK: u8 = 1;
const JOINED: u8 = 2;

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
        let Self { items, follows, logs, stats, stop } = self;
        let n_bytes = items.iter().map(|item| item.0.len() + 4).sum::<usize>();
        out.reserve(n_bytes + 8 * follows.len() + 64);
        put_uint(out, items.len() as u64);
        items.iter().for_each(|item| put_bytes(out, item.0.as_bytes()));
        put_uint(out, follows.len() as u64);
        follows.iter().for_each(|follow| put_follow(out, follow, book));
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
        let count = from.count()?;
        let mut items = Vec::with_capacity(count.min(256));
        for _ in 0..count {
            items.push(get_item(from)?);
        }
        let count = from.count()?;
        let mut follows = Vec::with_capacity(count.min(256));
        for _ in 0..count {
            follows.push(get_follow(from, book)?);
        }
        let logs = from.get()?;
        let stats = BTreeMap::from_iter(from.get::<Vec<(String, i64)>>()?);
        let stop = from.get()?;
        from.end()?;
        Ok(Self { items, follows, logs, stats, stop })
    }
}

fn get_item(from: &mut Reader<'_>) -> Result<Item, WireError> {
    let text = from.text()?;
    json::check(text).map_err(WireError::Json)?;
    Ok(Item(text.into()))
}

const LABELLED: u8 = 1;
const META: u8 = 2;
const PRIORITY: u8 = 4;
const NOFOLLOW: u8 = 8;
const IS_LINK: u8 = 16;
const EXTRAS: u8 = 32;
const IS_SEED: u8 = 64;

fn put_follow(out: &mut Vec<u8>, follow: &Follow, book: &mut impl UrlBook) {
    let Follow { url, label, meta, priority, nofollow, is_link, is_seed, extras } = follow;
    let known = match url {
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
            put_bytes(out, url.url().as_str().as_bytes());
        }
    }
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

fn get_follow(from: &mut Reader<'_>, book: &impl UrlBook) -> Result<Follow, WireError> {
    let known = |known| book.url(known).cloned().ok_or(WireError::Wrong("number of a URL"));
    let url = match from.byte()? {
        WRITTEN => CanonicalUrl::parse(from.text()?)?,
        LINK => known(KnownUrl::Link(from.get()?))?,
        JOINED => known(KnownUrl::Joined(from.get()?))?,
        _ => return Err(WireError::Wrong("kind of URL")),
    };
    let bits = from.byte()?;
    if bits > LABELLED | META | PRIORITY | NOFOLLOW | IS_LINK | EXTRAS | IS_SEED {
        return Err(WireError::Wrong("kind of request"));
    }
    let has = |bit: u8| bits & bit != 0;
    Ok(Follow {
        url: Target::Url(url),
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
