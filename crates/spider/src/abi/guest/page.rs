//! A page whose services are the host's.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, UrlError};
use serde_json::Value;

use super::line::{Line, Reply};
use super::rows::{self, GuestRows};
use super::urls::GuestBook;
use crate::abi::layout::{MOST_JOINED, Service};
use crate::abi::wire::{CsvBatch, LinkBook, frame};
use crate::{
    Article, CsvDialect, CsvRow, CsvRows, Entry, Evaluated, FormParts, ItemQuery, MatchedRows,
    Metadata, NodeId, PageServices, QueryError, SelectedRows, SelectorError, SpiderError, Step,
    StructuredData, Table,
};

/// The services of a page, each asked of the host; what is owned here is fetched once and kept.
pub(super) struct GuestPage<'h> {
    line: Line<'h>,
    wants: &'h [ItemQuery],
    matched: Vec<OnceCell<Option<GuestRows<'h>>>>,
    links: OnceCell<Arc<LinkBook>>,
    joined: RefCell<Vec<CanonicalUrl>>,
    found: Found,
    forms: OnceCell<Vec<FormParts>>,
    entries: OnceCell<Vec<Entry>>,
    metadata: OnceCell<Metadata>,
    structured: OnceCell<StructuredData>,
    article: OnceCell<Option<Article>>,
}

/// What JSONPaths found, one behind the other: values must stay where they are while the page is
/// read, and a callback asks for few different ones.
#[derive(Default)]
struct Found(OnceCell<Box<FoundValues>>);

struct FoundValues {
    path: String,
    values: Vec<Value>,
    next: Found,
}

impl<'h> GuestPage<'h> {
    pub(super) fn new(line: Line<'h>, wants: &'h [ItemQuery]) -> Self {
        Self {
            line,
            wants,
            matched: wants.iter().map(|_| OnceCell::new()).collect(),
            links: OnceCell::new(),
            joined: RefCell::default(),
            found: Found::default(),
            forms: OnceCell::new(),
            entries: OnceCell::new(),
            metadata: OnceCell::new(),
            structured: OnceCell::new(),
            article: OnceCell::new(),
        }
    }

    /// Lets `with` have the URLs that the host knows by number.
    pub(super) fn with_book<R>(&self, with: impl FnOnce(&mut GuestBook<'_>) -> R) -> R {
        with(&mut GuestBook::new(self.links.get(), &self.joined.borrow()))
    }
}

impl PageServices for GuestPage<'_> {
    fn select(&self, css: &str, root: Option<NodeId>) -> Result<Vec<NodeId>, SelectorError> {
        let answer = self.line.ask(Service::Select).text(css).at(root).made();
        answer.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn first(&self, css: &str, root: Option<NodeId>) -> Result<Option<NodeId>, SelectorError> {
        let id = self.line.ask(Service::First).text(css).at(root).found()?;
        Ok(id.and_then(|id| u32::try_from(id).ok()).map(NodeId))
    }

    fn first_text(
        &self,
        css: &str,
        root: Option<NodeId>,
    ) -> Result<Option<Cow<'_, str>>, SelectorError> {
        Ok(match self.line.ask(Service::FirstText).text(css).at(root).found_text()? {
            Reply::Nothing => None,
            Reply::Borrowed(text) => Some(Cow::Borrowed(text)),
            Reply::Made(bytes) => Some(Cow::Owned(super::line::into_text(bytes))),
        })
    }

    fn first_attr(
        &self,
        css: &str,
        root: Option<NodeId>,
        name: &str,
    ) -> Result<Option<&str>, SelectorError> {
        let ask = self.line.ask(Service::FirstAttr).text(css).more(name.as_bytes()).at(root);
        Ok(match ask.found_text()? {
            Reply::Borrowed(text) => Some(text),
            Reply::Nothing | Reply::Made(_) => None,
        })
    }

    fn xpath(&self, expr: &str, root: Option<NodeId>) -> Result<Evaluated, SelectorError> {
        let answer = self.line.ask(Service::XPath).text(expr).at(root).made();
        answer.unwrap_or_else(|| Ok(Evaluated::Nodes(Vec::new())))
    }

    fn matched(&self, query: &ItemQuery) -> Option<&dyn MatchedRows> {
        let at = self.wants.iter().position(|wanted| wanted == query)?;
        let rows =
            self.matched.get(at)?.get_or_init(|| GuestRows::ask(self.line, at, query.fields.len()));
        rows.as_ref().map(|rows| rows as &dyn MatchedRows)
    }

    fn selected(&self, query: &ItemQuery) -> Result<SelectedRows<'_>, SelectorError> {
        match rows::select(self.line, query)? {
            Some(selected) => Ok(selected),
            None => SelectedRows::select(self, query),
        }
    }

    fn text_content(&self, node: NodeId) -> Cow<'_, str> {
        match self.line.ask(Service::Text).at(Some(node)).reply() {
            Reply::Nothing => Cow::Borrowed(""),
            Reply::Borrowed(text) => Cow::Borrowed(text),
            Reply::Made(bytes) => Cow::Owned(super::line::into_text(bytes)),
        }
    }

    fn attr(&self, node: NodeId, name: &str) -> Option<&str> {
        self.line.ask(Service::Attr).at(Some(node)).text(name).borrowed_text()
    }

    fn html(&self, node: NodeId) -> String {
        self.line.ask(Service::Html).at(Some(node)).made_text()
    }

    fn tag(&self, node: NodeId) -> &str {
        self.line.ask(Service::Tag).at(Some(node)).borrowed_text().unwrap_or_default()
    }

    fn link_book(&self) -> &Arc<LinkBook> {
        self.links.get_or_init(|| {
            Arc::new(match self.line.ask(Service::Links).reply() {
                // The frames of both sides are of one form, or the host would not have called.
                Reply::Made(frame) => {
                    LinkBook::read(&frame).expect("the host writes links as they are read")
                }
                Reply::Nothing | Reply::Borrowed(_) => LinkBook::default(),
            })
        })
    }

    fn decoded(&self) -> &str {
        self.line.ask(Service::Decoded).borrowed_text().unwrap_or_default()
    }

    fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        let answer = self.line.ask(Service::Join).text(href).made();
        let url: CanonicalUrl =
            answer.unwrap_or_else(|| Err(UrlError::Invalid("it was not resolved".to_owned())))?;
        let mut joined = self.joined.borrow_mut();
        if joined.len() < MOST_JOINED {
            joined.push(url.clone());
        }
        Ok(url)
    }

    fn title(&self) -> &str {
        self.line.ask(Service::Title).borrowed_text().unwrap_or_default()
    }

    fn json_path(&self, path: &str) -> Result<Vec<&Value>, SpiderError> {
        let mut found = &self.found;
        while let Some(known) = found.0.get() {
            if known.path == path {
                return Ok(known.values.iter().collect());
            }
            found = &known.next;
        }
        let answer = self.line.ask(Service::JsonPath).text(path).made::<Result<_, SpiderError>>();
        let values = answer.unwrap_or_else(|| Ok(Vec::new()))?;
        let known = FoundValues { path: path.to_owned(), values, next: Found::default() };
        Ok(found.0.get_or_init(|| Box::new(known)).values.iter().collect())
    }

    fn csv(&self) -> CsvRows<'_> {
        GuestCsv::rows(self.line, self.line.ask(Service::Csv).number())
    }

    fn csv_as(&self, dialect: &CsvDialect) -> CsvRows<'_> {
        let id = self.line.ask(Service::CsvAs).more(&frame(dialect)).number();
        GuestCsv::rows(self.line, id)
    }

    fn find(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, QueryError> {
        let ask = self.line.ask(Service::Find).text(pattern).more(text.as_bytes());
        ask.numbers([most, 0, 0, 0]).made().unwrap_or_else(|| Ok(Vec::new()))
    }

    fn matching(&self, pattern: &str, texts: &[&str]) -> Result<Vec<bool>, QueryError> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let texts = frame(&texts);
        let answer = self.line.ask(Service::Matching).text(pattern).more(&texts).made();
        answer.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn entries(&self) -> &[Entry] {
        self.entries.get_or_init(|| self.line.ask(Service::Entries).made().unwrap_or_default())
    }

    fn step(&self, node: NodeId, step: Step) -> Option<NodeId> {
        let ask = self.line.ask(Service::Step).at(Some(node));
        let id = ask.numbers([step as usize, 0, 0, 0]).number()?;
        u32::try_from(id).ok().map(NodeId)
    }

    fn attrs(&self, node: NodeId) -> Vec<(&str, &str)> {
        let texts = self.line.ask(Service::Attrs).at(Some(node)).borrowed_texts();
        texts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }

    fn forms(&self) -> &[FormParts] {
        self.forms.get_or_init(|| self.line.ask(Service::Forms).made().unwrap_or_default())
    }

    fn encode<'t>(&self, text: &'t str, charset: &str) -> Cow<'t, [u8]> {
        match self.line.ask(Service::Encode).text(text).more(charset.as_bytes()).reply() {
            Reply::Made(bytes) => Cow::Owned(bytes),
            Reply::Nothing | Reply::Borrowed(_) => Cow::Borrowed(text.as_bytes()),
        }
    }

    fn metadata(&self) -> &Metadata {
        self.metadata.get_or_init(|| self.line.ask(Service::Metadata).made().unwrap_or_default())
    }

    fn structured(&self) -> &StructuredData {
        let ask = || self.line.ask(Service::Structured).made().unwrap_or_default();
        self.structured.get_or_init(ask)
    }

    fn table(&self, node: NodeId) -> Option<Table> {
        self.line.ask(Service::Table).at(Some(node)).made()
    }

    fn markdown(&self, node: Option<NodeId>) -> String {
        self.line.ask(Service::Markdown).at(node).made_text()
    }

    fn article(&self) -> Option<&Article> {
        self.article.get_or_init(|| self.line.ask(Service::Article).made()).as_ref()
    }
}

/// The rows of a CSV document, fetched some hundred at a time.
struct GuestCsv<'h> {
    line: Line<'h>,
    id: usize,
    rows: VecDeque<Result<CsvRow, SpiderError>>,
    is_read: bool,
}

impl<'h> GuestCsv<'h> {
    /// The rows of the CSV of this number; none without one.
    fn rows(line: Line<'h>, id: Option<usize>) -> CsvRows<'h> {
        match id {
            Some(id) => CsvRows::new(Self { line, id, rows: VecDeque::new(), is_read: false }),
            None => CsvRows::new(std::iter::empty()),
        }
    }
}

impl Iterator for GuestCsv<'_> {
    type Item = Result<CsvRow, SpiderError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rows.is_empty() && !self.is_read {
            let ask = self.line.ask(Service::CsvNext).numbers([self.id, 0, 0, 0]);
            let batch: Option<CsvBatch> = ask.made();
            self.is_read = batch.as_ref().is_none_or(|batch| batch.is_last);
            self.rows.extend(batch.into_iter().flat_map(CsvBatch::into_rows));
        }
        self.rows.pop_front()
    }
}

impl Drop for GuestCsv<'_> {
    fn drop(&mut self) {
        let _ = self.line.ask(Service::CsvClose).numbers([self.id, 0, 0, 0]).number();
    }
}
