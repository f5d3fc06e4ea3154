//! The services of a page, served to a plugin.

#![allow(unsafe_code, reason = "the host's side of the boundary; each block says why")]

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crawl_model::{CanonicalUrl, UrlError};
use crawl_spider::abi::layout::{
    Answer, Ask, BORROWED, FAILED, MADE, MISUSE, MOST_JOINED, NO_NODE, OK, PANIC, Service, Slice,
};
use crawl_spider::abi::wire::{
    CsvBatch, KnownUrl, LinkBook, Reader, UrlBook, Wire, frame, frame_found, frame_list,
};
use crawl_spider::{CsvDialect, CsvRows, ItemQuery, NodeId, PageServices, SelectorError, Step};

use crate::library::bytes;
use crate::rows::{Matched, Selections, Unselected};

/// One page, for the length of one callback.
pub(crate) struct Host<'a> {
    services: &'a dyn PageServices,
    wants: &'a [ItemQuery],
    matched: Vec<OnceCell<Option<Matched<'a>>>>,
    selections: Selections<'a>,
    joined: RefCell<Vec<CanonicalUrl>>,
    csvs: RefCell<Vec<Option<CsvRows<'a>>>>,
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

/// What the plugin asked for that there is not.
struct Misuse;

impl<'a> Host<'a> {
    pub(crate) fn new(services: &'a dyn PageServices, wants: &'a [ItemQuery]) -> Self {
        let matched = wants.iter().map(|_| OnceCell::new()).collect();
        let (joined, csvs, panic) = Default::default();
        let selections = Selections::new(services);
        Self { services, wants, matched, selections, joined, csvs, panic }
    }

    /// The panic of a service, if one panicked.
    pub(crate) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.panic.take()
    }

    /// The URLs that the plugin may name by their numbers.
    pub(crate) fn into_book(self) -> HostBook<'a> {
        HostBook { services: self.services, joined: self.joined.into_inner() }
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, Misuse> {
        let service = Service::from_number(ask.service).ok_or(Misuse)?;
        let node = (ask.node != NO_NODE).then_some(NodeId(ask.node));
        let at = || node.ok_or(Misuse);
        let nth = |n: usize| usize::try_from(ask.numbers[n]).map_err(|_| Misuse);
        let first = || nth(0);
        let services = self.services;
        Ok(match service {
            Service::Select => made(ask, &services.select(text(ask)?, node)),
            Service::First => match services.first(text(ask)?, node) {
                Ok(found) => found.map_or(Answer::EMPTY, |node| number(node.0 as usize)),
                Err(error) => failed(ask, &error),
            },
            Service::FirstText => match services.first_text(text(ask)?, node) {
                Ok(None) => Answer::EMPTY,
                Ok(Some(Cow::Borrowed(text))) => borrowed(text),
                Ok(Some(Cow::Owned(text))) => put(ask, text.as_bytes()),
                Err(error) => failed(ask, &error),
            },
            Service::FirstAttr => match services.first_attr(text(ask)?, node, more(ask)?) {
                Ok(found) => optional(found),
                Err(error) => failed(ask, &error),
            },
            Service::XPath => made(ask, &services.xpath(text(ask)?, node)),
            Service::Rows => match self.rows(first()?) {
                Some(matched) => lent(matched.rows.n_rows(), &matched.firsts),
                None => Answer::EMPTY,
            },
            Service::Selected => match self.selections.select(frame_of(ask)) {
                Ok((query, nodes)) => {
                    let _ = made(ask, &nodes);
                    number(query)
                }
                Err(Unselected::TooMany) => Answer::EMPTY,
                Err(Unselected::Selector(error)) => failed(ask, &error),
                Err(Unselected::Nonsense) => return Err(Misuse),
            },
            Service::Firsts => {
                let firsts = self.selections.firsts(first()?, nth(1)?, |firsts| lent(0, firsts));
                firsts.ok_or(Misuse)?
            }
            Service::Matches => {
                let (row, field) = (nth(1)?, nth(2)?);
                number(self.rows(first()?).ok_or(Misuse)?.rows.n_matches(row, field))
            }
            Service::Value => {
                let (row, field) = (nth(1)?, nth(2)?);
                let rows = self.rows(first()?).ok_or(Misuse)?;
                optional(rows.rows.value(row, field, nth(3)?))
            }
            Service::Text => match services.text_content(at()?) {
                Cow::Borrowed(text) => borrowed(text),
                Cow::Owned(text) => put(ask, text.as_bytes()),
            },
            Service::Attr => optional(services.attr(at()?, text(ask)?)),
            Service::Html => put(ask, services.html(at()?).as_bytes()),
            Service::Tag => borrowed(services.tag(at()?)),
            Service::Links => put(ask, &services.link_book().frame()),
            Service::Decoded => borrowed(services.decoded()),
            Service::Join => made(ask, &self.join(text(ask)?)),
            Service::Title => borrowed(services.title()),
            Service::JsonPath => put(ask, &frame_found(services.json_path(text(ask)?))),
            Service::Csv => {
                let mut csvs = self.csvs.borrow_mut();
                csvs.push(Some(services.csv()));
                number(csvs.len() - 1)
            }
            Service::CsvNext => {
                let mut csvs = self.csvs.borrow_mut();
                match csvs.get_mut(first()?).ok_or(Misuse)? {
                    Some(rows) => made(ask, &CsvBatch::take(rows)),
                    None => return Err(Misuse),
                }
            }
            Service::CsvClose => {
                let mut csvs = self.csvs.borrow_mut();
                *csvs.get_mut(first()?).ok_or(Misuse)? = None;
                while csvs.pop_if(|rows| rows.is_none()).is_some() {}
                Answer::EMPTY
            }
            Service::CsvAs => {
                let dialect: CsvDialect = whole(ask)?;
                let mut csvs = self.csvs.borrow_mut();
                csvs.push(Some(services.csv_as(&dialect)));
                number(csvs.len() - 1)
            }
            Service::Find => made(ask, &services.find(text(ask)?, more(ask)?, first()?)),
            Service::Matching => {
                let texts: Vec<String> = whole(ask)?;
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                made(ask, &services.matching(text(ask)?, &texts))
            }
            Service::Entries => put(ask, &frame_list(services.entries())),
            Service::Step => {
                let step = match first()? {
                    0 => Step::Parent,
                    1 => Step::FirstChild,
                    2 => Step::Next,
                    3 => Step::Prev,
                    _ => return Err(Misuse),
                };
                services.step(at()?, step).map_or(Answer::EMPTY, |node| number(node.0 as usize))
            }
            Service::Attrs => {
                for (name, value) in services.attrs(at()?) {
                    put(ask, name.as_bytes());
                    put(ask, value.as_bytes());
                }
                Answer { kind: MADE, ..Answer::EMPTY }
            }
            Service::Forms => put(ask, &frame_list(services.forms())),
            Service::Encode => match services.encode(text(ask)?, more(ask)?) {
                Cow::Borrowed(_) => Answer::EMPTY,
                Cow::Owned(bytes) => put(ask, &bytes),
            },
            Service::Metadata => made(ask, services.metadata()),
            Service::Structured => made(ask, services.structured()),
            Service::Table => {
                services.table(at()?).map_or(Answer::EMPTY, |table| made(ask, &table))
            }
            Service::Markdown => put(ask, services.markdown(node).as_bytes()),
            Service::Article => services.article().map_or(Answer::EMPTY, |read| made(ask, read)),
        })
    }

    fn rows(&self, query: usize) -> Option<&Matched<'a>> {
        let matched = || Matched::of(self.services, &self.wants[query]);
        self.matched.get(query)?.get_or_init(matched).as_ref()
    }

    fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        let url = self.services.join(href)?;
        let mut joined = self.joined.borrow_mut();
        if joined.len() < MOST_JOINED {
            joined.push(url.clone());
        }
        Ok(url)
    }
}

/// Answers a question; see [`Host::answer`].
pub(crate) unsafe extern "C" fn serve(
    host: *const c_void,
    ask: *const Ask,
    to: *mut Answer,
) -> u32 {
    if host.is_null() || ask.is_null() || to.is_null() {
        return MISUSE;
    }
    // SAFETY: the pointer to the host is that of the call, which has not returned, and it is used
    // by the thread of the call alone (a page cannot be sent to another one); the others are the
    // plugin's for this question.
    let (host, ask) = unsafe { (&*host.cast::<Host<'_>>(), &*ask) };
    match catch_unwind(AssertUnwindSafe(|| host.answer(ask))) {
        Ok(Ok(answer)) => {
            // SAFETY: as above.
            unsafe { *to = answer };
            OK
        }
        Ok(Err(Misuse)) => MISUSE,
        Err(panic) => {
            host.panic.set(Some(panic));
            PANIC
        }
    }
}

fn text(ask: &Ask) -> Result<&str, Misuse> {
    utf8(&ask.text)
}

fn more(ask: &Ask) -> Result<&str, Misuse> {
    utf8(&ask.more)
}

fn utf8(slice: &Slice) -> Result<&str, Misuse> {
    // SAFETY: the plugin keeps what it asks with until it has the answer.
    let bytes = unsafe { bytes(slice) };
    if is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|_| Misuse)
}

/// As the standard library's, but soon done with short texts: selectors and names, which are asked
/// with some hundred times a page.
fn is_ascii(bytes: &[u8]) -> bool {
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks();
    words.iter().all(|word| u64::from_le_bytes(*word) & TOPS == 0) && rest.iter().all(u8::is_ascii)
}

/// The second text, where it is a frame.
fn frame_of(ask: &Ask) -> &[u8] {
    // SAFETY: as above.
    unsafe { bytes(&ask.more) }
}

/// What the second text is a frame of.
fn whole<T: Wire>(ask: &Ask) -> Result<T, Misuse> {
    Reader::new(frame_of(ask)).whole().map_err(|_| Misuse)
}

fn number(number: usize) -> Answer {
    Answer { kind: BORROWED, number: number as u64, slice: Slice::EMPTY }
}

/// A number and a table, which must stay as it is until the callback returns.
fn lent(number: usize, table: &[Slice]) -> Answer {
    let slice = Slice { first: table.as_ptr().cast(), len: table.len() };
    Answer { kind: BORROWED, number: number as u64, slice }
}

fn borrowed(text: &str) -> Answer {
    Answer { kind: BORROWED, number: 0, slice: Slice::of(text.as_bytes()) }
}

fn optional(text: Option<&str>) -> Answer {
    text.map_or(Answer::EMPTY, borrowed)
}

fn put(ask: &Ask, bytes: &[u8]) -> Answer {
    // SAFETY: the sink is the plugin's for this question; it copies before it returns, or, for
    // attributes, keeps the place of what stays until the callback returns.
    unsafe { (ask.answer.put)(ask.answer.to, Slice::of(bytes)) };
    Answer { kind: MADE, ..Answer::EMPTY }
}

fn made(ask: &Ask, value: &impl Wire) -> Answer {
    put(ask, &frame(value))
}

fn failed(ask: &Ask, error: &SelectorError) -> Answer {
    Answer { kind: FAILED, ..made(ask, error) }
}

/// A page's URLs by their numbers.
pub(crate) struct HostBook<'a> {
    services: &'a dyn PageServices,
    joined: Vec<CanonicalUrl>,
}

impl UrlBook for HostBook<'_> {
    fn number(&mut self, _: &CanonicalUrl) -> Option<KnownUrl> {
        None
    }

    fn joined(&self, number: u32) -> Option<&CanonicalUrl> {
        self.joined.get(number as usize)
    }

    fn links(&self) -> Option<&Arc<LinkBook>> {
        Some(self.services.link_book())
    }
}

#[cfg(test)]
mod tests;
