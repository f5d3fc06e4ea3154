//! What a spider asks of a page, answered.

use std::borrow::Cow;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, UrlError};
use crawl_spider::abi::wire::LinkBook;
use crawl_spider::{
    Article, CsvDialect, CsvRows, Entry, Evaluated, Fate, FormParts, ItemQuery, MatchedRows,
    Metadata, NodeId, PageServices, QueryError, SelectorError, SpiderError, Step, StructuredData,
    Table,
};
use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use super::Document;
use crate::css::compiled;
use crate::data::{csv, json, pattern};
use crate::plumbing::entries;
use crate::view;
use crate::xpath;

impl PageServices for Document<'_> {
    fn select(&self, css: &str, root: Option<NodeId>) -> Result<Vec<NodeId>, SelectorError> {
        let selector = compiled(css)?;
        Ok(selector.select(self.dom(), root))
    }

    fn xpath(&self, expr: &str, root: Option<NodeId>) -> Result<Evaluated, SelectorError> {
        let (expr, dom) = (xpath::compiled(expr)?, self.dom());
        expr.evaluate(dom, root.unwrap_or(dom.document()))
    }

    fn matched(&self, query: &ItemQuery) -> Option<&dyn MatchedRows> {
        let table = self.table.as_deref()?;
        let matches = self.matched(table).get(table.find(query)?)?.as_ref()?;
        Some(matches)
    }

    fn text_content(&self, node: NodeId) -> Cow<'_, str> {
        self.dom().text_content(node)
    }

    fn attr(&self, node: NodeId, name: &str) -> Option<&str> {
        self.dom().attr(node, name)
    }

    fn html(&self, node: NodeId) -> String {
        self.dom().outer(node)
    }

    fn tag(&self, node: NodeId) -> &str {
        self.dom().name(node)
    }

    fn link_book(&self) -> &Arc<LinkBook> {
        &self.whole().0.links
    }

    fn link_targets(&self) -> &Arc<LinkBook> {
        &self.skimmed().0.links
    }

    fn decoded(&self) -> &str {
        &self.text
    }

    fn join(&self, href: &str) -> Result<CanonicalUrl, UrlError> {
        self.skimmed().1.join(href)
    }

    fn fate(&self, url: &CanonicalUrl) -> Fate {
        self.judge.as_ref().map_or(Fate::New, |judge| judge.fate(url))
    }

    fn title(&self) -> &str {
        &self.skimmed().0.title
    }

    fn json_path(&self, path: &str) -> Result<Vec<&Value>, SpiderError> {
        match self.json.get_or_init(|| serde_json::from_str(&self.text).ok()) {
            Some(value) => Ok(json::query(value, path)?),
            // Errors cannot be kept, so it is made again.
            None => Err(serde_json::from_str::<Value>(&self.text)
                .map_or_else(SpiderError::Json, |_| {
                    SpiderError::other("the JSON is read differently each time")
                })),
        }
    }

    fn csv(&self) -> CsvRows<'_> {
        self.csv_as(&CsvDialect::default())
    }

    fn csv_as(&self, dialect: &CsvDialect) -> CsvRows<'_> {
        let is_tabbed = self.declared.essence() == Some("text/tab-separated-values");
        let has_names = !self.declared.has_no_header();
        let dialect = csv::Dialect::new(dialect, is_tabbed, has_names, &self.text);
        CsvRows::new(csv::Rows::new(&self.text, dialect))
    }

    fn matching(&self, pattern: &str, texts: &[&str]) -> Result<Vec<bool>, QueryError> {
        pattern::matching(pattern, texts)
    }

    fn entries(&self) -> &[Entry] {
        self.entries.get_or_init(|| entries(&self.text, self.is_cut, &self.url))
    }

    fn find(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, QueryError> {
        pattern::find(pattern, text, most)
    }

    fn step(&self, node: NodeId, step: Step) -> Option<NodeId> {
        view::step(self.dom(), node, step)
    }

    fn attrs(&self, node: NodeId) -> Vec<(&str, &str)> {
        view::attrs(self.dom(), node)
    }

    fn forms(&self) -> &[FormParts] {
        self.view.forms.get_or_init(|| {
            view::forms::forms(self.dom(), &self.url, self.encoding, &|href| self.join(href))
        })
    }

    fn encode<'t>(&self, text: &'t str, charset: &str) -> Cow<'t, [u8]> {
        let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(UTF_8);
        encoding.encode(text).0
    }

    fn metadata(&self) -> &Metadata {
        self.view.metadata.get_or_init(|| {
            let (scan, resolver) = self.whole();
            let link = |href: &str| resolver.link(href);
            if scan.is_streamed {
                view::metadata::of_stream(&self.text, &scan.head, &link)
            } else {
                view::metadata::of_tree(self.dom(), &link)
            }
        })
    }

    fn structured(&self) -> &StructuredData {
        self.view.structured.get_or_init(|| {
            let url = self.url.as_str();
            view::structured::structured(self.dom(), url, &|href| self.absolute(href))
        })
    }

    fn table(&self, node: NodeId) -> Option<Table> {
        view::table::table(self.dom(), node)
    }

    fn markdown(&self, node: Option<NodeId>) -> String {
        let node = node.unwrap_or(self.dom().document());
        view::markdown(self.dom(), node, &|href| self.absolute(href))
    }

    fn fetched_ms(&self) -> u64 {
        self.fetched_ms
    }

    fn article(&self) -> Option<&Article> {
        let read = || {
            let join = |href: &str| self.absolute(href);
            view::article::article(self.dom(), self.url.as_str(), &join)
        };
        self.view.article.get_or_init(read).as_ref()
    }
}
