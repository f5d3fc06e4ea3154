//! A body and what is read from it, each thing once and only when it is asked for.
//!
//! Links, title, metadata and what the spider said it wants come from one streaming pass; the tree
//! is built when that pass could not tell, or when a selector asks for it.

mod habit;
mod opener;
mod passes;
mod services;
mod test_page;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{CanonicalUrl, Look, Response};
use crawl_spider::{Entry, Fate, Link, LinkKind};
use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::sniff::sniff;
use crate::decode::{Decoded, Legacy, decode_with};
use crate::dom::Dom;
use crate::links::Scan;
use crate::links::directives::{Directives, is_agent_of};
use crate::links::kinds::{Kinds, LinkSource};
use crate::links::memo::Recall;
use crate::links::refresh::refresh;
use crate::links::resolve::Resolver;
use crate::markup::simhash;
use crate::reader::{Body, ReadOut, Readers};
use crate::stream::{Matches, Table};
use crate::view::View;
use crate::view::markdown::plain;
use crate::xml::{gunzip, kind_of_unzipped};

pub(crate) use habit::Habit;
pub use opener::PageOpener;
pub use test_page::{TestPage, page_from_body, page_from_html};

/// How documents are read, besides what they say themselves.
#[derive(Default)]
pub(crate) struct Reading<'a> {
    /// Whether undeclared encodings are guessed.
    pub(crate) detect_encoding: bool,
    /// What counts as a link.
    pub(crate) kinds: Kinds,
    /// What the spider wants of each page, to be matched in the pass for the links.
    pub(crate) table: Option<Arc<Table>>,
    /// What it asks besides, mostly; `None` if that is not known.
    pub(crate) habit: Option<Arc<Habit>>,
    /// The program's own readers.
    pub(crate) readers: Option<&'a Readers>,
    /// Tells what would become of a link; `None`: all are new.
    pub(crate) judge: Option<Judge>,
    /// Tells which references lead to known URLs; `None`: that is not remembered.
    pub(crate) recall: Option<Recall>,
}

/// What is known and what is in scope, as seen from one page.
#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) view: Arc<dyn crawl_model::View>,
    /// Link distance of what is found on the page.
    pub(crate) depth: u32,
}

impl Judge {
    fn fate(&self, url: &CanonicalUrl) -> Fate {
        match self.view.look(self.view.fingerprint(url.as_str()), url, self.depth) {
            Look::Known => Fate::Known,
            Look::Admit => Fate::New,
            Look::Filter(_) => Fate::Refused,
        }
    }
}

/// One document: the host's side of a [`Page`](crawl_spider::Page).
pub(crate) struct Document<'a> {
    url: CanonicalUrl,
    kind: Kind,
    text: Cow<'a, str>,
    /// Whether something of the text is missing at its end.
    is_cut: bool,
    encoding: &'static Encoding,
    declared: Declared,
    reader_error: Option<String>,
    kinds: Kinds,
    /// The values of `Link` fields, if they are wanted.
    link_fields: Vec<String>,
    table: Option<Arc<Table>>,
    habit: Option<Arc<Habit>>,
    /// Whether it is read whole at once.
    is_whole: bool,
    /// Whether more was asked than where its links lead.
    is_asked_whole: Cell<bool>,
    scanned: OnceCell<(Scan, Resolver)>,
    skimmed: OnceCell<Option<(Scan, Resolver)>>,
    matched: OnceCell<Vec<Option<Matches>>>,
    json: OnceCell<Option<Value>>,
    entries: OnceCell<Vec<Entry>>,
    dom: OnceCell<Dom>,
    view: View,
    judge: Option<Judge>,
    recall: Option<Recall>,
    /// When it was fetched, in milliseconds since the Unix epoch; 0: not known.
    fetched_ms: u64,
}

impl<'a> Document<'a> {
    /// Decodes a response's body, or gives it to the reader of its media type. One that is not
    /// text has an empty text.
    pub(crate) fn open(url: &CanonicalUrl, response: &'a Response, reading: &Reading<'_>) -> Self {
        let declared = Declared::of_response(response);
        let (body, is_cut) = match gunzip(&response.body) {
            Some(unzipped) => (Cow::Owned(unzipped.bytes), unzipped.is_cut),
            None => (Cow::Borrowed(&response.body[..]), false),
        };
        let is_cut = is_cut || response.truncated.is_some();
        let bytes = &body[..];
        let kind = match body {
            Cow::Borrowed(_) => Kind::judge(bytes, &declared),
            // The media type is that of the compressed file.
            Cow::Owned(_) => kind_of_unzipped(bytes, &declared),
        };
        let legacy = match reading.detect_encoding {
            true => Legacy::Guess { host: url.host_str() },
            false => Legacy::Western,
        };
        let media_type = sniff(bytes, &declared);
        if let Some(reader) = reading.readers.and_then(|readers| readers.find(media_type)) {
            let body = Body { url, media_type, bytes, declared: &declared, kind, legacy };
            let read = reader.read(&body).map_err(|error| error.to_string());
            return Self::read(url, declared, read);
        }
        let decoded = match (kind, &body) {
            (Kind::Binary, _) => Decoded { text: Cow::Borrowed(""), encoding: UTF_8 },
            (_, Cow::Borrowed(bytes)) => decode_with(bytes, &declared, kind, legacy),
            (_, Cow::Owned(bytes)) => decode_with(bytes, &declared, kind, legacy).into_owned(),
        };
        let mut document = Self::new(url, kind, decoded, declared);
        document.is_cut = is_cut;
        document.kinds = reading.kinds;
        document.table = reading.table.clone();
        document.habit = reading.habit.clone();
        document.is_whole = reading.habit.as_ref().is_some_and(|habit| habit.begin());
        document.judge = reading.judge.clone();
        document.recall = reading.recall.clone();
        if reading.kinds.has(LinkSource::Header) {
            document.link_fields = link_fields(response);
        }
        document
    }

    /// What tells whether its text is nearly another's; `None` if it has too little text.
    pub(crate) fn simhash(&self) -> Option<u64> {
        match self.kind {
            Kind::Html => simhash::of_html(&self.text),
            _ => simhash::of_text(&self.text),
        }
    }

    /// What a reader made of a body.
    fn read(url: &CanonicalUrl, declared: Declared, read: Result<ReadOut, String>) -> Self {
        let (ReadOut { text, links }, error) = match read {
            Ok(read) => (read, None),
            Err(error) => (ReadOut::default(), Some(error)),
        };
        let decoded = Decoded { text: Cow::Owned(text), encoding: UTF_8 };
        let resolver = Resolver::of(url, UTF_8);
        let link = |href: &String| {
            let (text, rel) = (Box::default(), Box::default());
            let (nofollow, kind) = (false, LinkKind::Reader);
            Some(Link { url: resolver.link(href)?, text, rel, nofollow, kind })
        };
        let links = Vec::from_iter(links.iter().filter_map(link));
        let scan = Scan { links: Arc::new(links.into()), ..Scan::default() };
        let document = Self::new(url, Kind::Text, decoded, declared);
        Self { scanned: OnceCell::from((scan, resolver)), reader_error: error, ..document }
    }

    fn new(url: &CanonicalUrl, kind: Kind, decoded: Decoded<'a>, declared: Declared) -> Self {
        Self {
            url: url.clone(),
            kind,
            text: decoded.text,
            is_cut: false,
            encoding: decoded.encoding,
            declared,
            reader_error: None,
            kinds: Kinds::default(),
            link_fields: Vec::new(),
            table: None,
            habit: None,
            is_whole: false,
            is_asked_whole: Cell::new(false),
            scanned: OnceCell::new(),
            skimmed: OnceCell::new(),
            matched: OnceCell::new(),
            json: OnceCell::new(),
            entries: OnceCell::new(),
            dom: OnceCell::new(),
            view: View::default(),
            judge: None,
            recall: None,
            fetched_ms: 0,
        }
    }

    /// Sets when it was fetched.
    pub(crate) fn at(mut self, fetched_ms: u64) -> Self {
        self.fetched_ms = fetched_ms;
        self
    }

    /// Lets go of the response.
    fn into_owned(self) -> Document<'static> {
        let text = self.text.into_owned();
        let decoded = Decoded { text: Cow::Owned(text), encoding: self.encoding };
        Document {
            reader_error: self.reader_error,
            is_cut: self.is_cut,
            kinds: self.kinds,
            link_fields: self.link_fields,
            table: self.table,
            scanned: self.scanned,
            skimmed: self.skimmed,
            ..Document::new(&self.url, self.kind, decoded, self.declared)
        }
    }

    /// Why the program's own reader could not read it.
    pub(crate) fn reader_error(&self) -> Option<&str> {
        self.reader_error.as_deref()
    }

    /// What the page asks of the crawler `agent`, in its head and its response's.
    pub(crate) fn directives(&self, response: &Response, agent: &str) -> Directives {
        let fields = response.headers.iter().filter(|(name, _)| &**name == "x-robots-tag");
        let mut all = Directives::of_fields(fields.map(|(_, value)| value), agent);
        for (name, directives) in &self.skimmed().0.robots {
            if is_agent_of(name, agent) {
                all.add(*directives);
            }
        }
        all
    }

    /// Where the page sends its readers within `max`: by a `Refresh` field, which goes first, or
    /// by a meta tag. `None` if it does not, or to itself.
    pub(crate) fn refresh(&self, response: &Response, max: Duration) -> Option<CanonicalUrl> {
        let of_field = || {
            let found = refresh(response.header("refresh")?)?;
            Some((found.delay, self.url.join(found.target).ok()?))
        };
        let (delay, target) = of_field().or_else(|| self.skimmed().0.refresh.clone())?;
        (delay <= max && target.key() != self.url.key()).then_some(target)
    }

    fn absolute(&self, href: &str) -> Option<String> {
        self.skimmed().1.resolve_text(href)
    }

    /// Whether it is HTML.
    pub(crate) fn is_html(&self) -> bool {
        self.kind == Kind::Html
    }

    /// What it says as text, a blank line between paragraphs.
    pub(crate) fn plain_text(&self) -> String {
        let dom = self.dom();
        plain(dom, dom.document())
    }
}

/// The values of `Link` fields (RFC 8288, section 3).
fn link_fields(response: &Response) -> Vec<String> {
    let fields = response.headers.iter().filter(|(name, _)| &**name == "link");
    fields.filter_map(|(_, value)| String::from_utf8(value.to_vec()).ok()).collect()
}

#[cfg(test)]
impl Document<'_> {
    /// Whether a tree was needed.
    pub(crate) fn has_dom(&self) -> bool {
        self.dom.get().is_some()
    }

    /// The metadata as the tree has it, which is built for this.
    pub(crate) fn metadata_of_tree(&self) -> crawl_spider::Metadata {
        let resolver = &self.scanned().1;
        crate::view::metadata::of_tree(self.dom(), &|href| resolver.link(href))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_built_only_for_selectors() {
        let test = page_from_html("http://h/", "<title>T</title><a href=1>x</a>").unwrap();
        let page = test.page();
        assert_eq!((page.title(), page.links().len(), page.text().len()), ("T", 1, 31));
        assert!(page.join("x").is_ok() && page.css("p:").is_err());
        assert!(!test.document.has_dom());
        assert_eq!(page.text_of("a").unwrap().as_deref(), Some("x"));
        assert!(test.document.has_dom());
    }
}
