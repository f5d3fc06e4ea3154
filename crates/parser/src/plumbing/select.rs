//! `crawl select`: what a selector finds in a document, one line per match.

use std::rc::Rc;

use crawl_spider::{Evaluated, NodeId, SelectorError};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::text_of;
use crate::css::{Selector, compiled};
use crate::decode::Decoded;
use crate::decode::kind::Kind;
use crate::dom::{Dom, Flavour};
use crate::links::resolve::Resolver;
use crate::markup::scan::crowds;
use crate::view;
use crate::xpath::{self, XPath};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A CSS selector, also with `::text` and `::attr(name)`.
    Css(String),
    /// An XPath 1.0 expression.
    XPath(String),
}

impl Query {
    /// Checks a query without a document.
    ///
    /// # Errors
    /// [`SelectorError`] if it does not parse.
    pub fn check(&self) -> Result<(), SelectorError> {
        Compiled::new(self).map(drop)
    }
}

/// What is shown of an element. Texts, attributes and plain values are shown as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Output {
    /// The element as HTML or XML, itself included.
    #[default]
    Html,
    /// Its `textContent`.
    Text,
    /// An attribute; null if the element does not have it.
    Attr(String),
    /// Its content as Markdown, with absolute links.
    Markdown,
}

/// One match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelectLine {
    /// What is shown of it; numbers and booleans of XPath stay what they are.
    pub value: Value,
    /// The element's name; `None` if the match is no element.
    pub tag: Option<String>,
}

/// What a query has found, still in its document.
pub struct Selected {
    dom: Dom,
    /// What Markdown makes links absolute with.
    resolver: Option<Resolver>,
    found: Found,
    output: Output,
}

/// The answer of either language.
enum Found {
    /// In document order.
    Nodes(Vec<NodeId>),
    /// What an XPath expression comes to that selects nothing.
    Plain(Value),
}

/// Reads a document and lists what `query` finds in it, in document order.
///
/// # Errors
/// [`SelectorError`] if the query does not parse.
pub fn select(
    body: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
    query: &Query,
    output: Output,
) -> Result<Vec<SelectLine>, SelectorError> {
    Ok(selected(body, content_type, base, query, output)?.lines().collect())
}

/// As [`select`], but makes the lines one by one: as HTML, matches inside matches can be far
/// larger together than the document is.
///
/// # Errors
/// [`SelectorError`] if the query does not parse.
pub fn selected(
    body: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
    query: &Query,
    output: Output,
) -> Result<Selected, SelectorError> {
    // A bad query is known before a large document is read.
    let query = Compiled::new(query)?;
    let (dom, resolver) = tree(body, content_type, base);
    let found = query.find(&dom)?;
    Ok(Selected { dom, resolver, found, output })
}

/// A query that parses.
enum Compiled {
    Css(Rc<Selector>),
    XPath(Rc<XPath>),
}

impl Compiled {
    fn new(query: &Query) -> Result<Self, SelectorError> {
        match query {
            Query::Css(css) => compiled(css).map(Self::Css),
            Query::XPath(expr) => xpath::compiled(expr).map(Self::XPath),
        }
    }

    fn find(&self, dom: &Dom) -> Result<Found, SelectorError> {
        let expr = match self {
            Self::Css(selector) => return Ok(Found::Nodes(selector.select(dom, None))),
            Self::XPath(expr) => expr,
        };
        Ok(match expr.evaluate(dom, dom.document())? {
            Evaluated::Nodes(nodes) => Found::Nodes(nodes),
            Evaluated::Number(number) => Found::Plain(json_number(number)),
            Evaluated::Text(text) => Found::Plain(text.into()),
            Evaluated::Bool(flag) => Found::Plain(flag.into()),
        })
    }
}

/// Whole numbers without a fraction, as XPath itself writes them; what JSON has no number for
/// (not-a-number, infinities) is null.
fn json_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Decodes and reads a document as the page of a spider does.
fn tree(body: &[u8], content_type: Option<&str>, base: Option<&Url>) -> (Dom, Option<Resolver>) {
    let (kind, Decoded { text, encoding }) = text_of(body, content_type);
    let mut resolver = base.map(|base| Resolver::new(base.clone(), encoding));
    if kind == Kind::Xml {
        return (Dom::xml(&text), resolver);
    }
    let dom = Dom::html(&text, &crowds(&text));
    if let Some(resolver) = &mut resolver {
        let is_base = |node: &NodeId| dom.name(*node) == "base";
        let bases = dom.descendants(dom.document()).filter(is_base);
        let _ = bases.filter_map(|node| dom.attr(node, "href")).any(|href| resolver.rebase(href));
    }
    (dom, resolver)
}

impl Selected {
    /// A line per match, in document order.
    pub fn lines(&self) -> impl Iterator<Item = SelectLine> + '_ {
        let (nodes, plain) = match &self.found {
            Found::Nodes(nodes) => (&nodes[..], None),
            Found::Plain(value) => (&[][..], Some(value)),
        };
        let plain = plain.map(|value| SelectLine { value: value.clone(), tag: None });
        nodes.iter().map(|&node| self.line(node)).chain(plain)
    }

    fn line(&self, node: NodeId) -> SelectLine {
        let dom = &self.dom;
        if !dom.is_element(node) {
            return SelectLine { value: dom.text_content(node).into(), tag: None };
        }
        let value = match &self.output {
            Output::Html => dom.outer(node).into(),
            Output::Markdown => view::markdown(dom, node, &|href| match &self.resolver {
                Some(resolver) => resolver.resolve_text(href),
                None => Some(href.to_owned()),
            })
            .into(),
            Output::Text => dom.text_content(node).into(),
            Output::Attr(name) => dom.attr(node, &self.attribute_name(node, name)).into(),
        };
        SelectLine { value, tag: Some(dom.name(node).to_owned()) }
    }

    /// Names of attributes match in any case on HTML elements only.
    fn attribute_name(&self, node: NodeId, name: &str) -> String {
        let is_html = self.dom.flavour() == Flavour::Html
            && *self.dom.namespace(node) == html5ever::ns!(html);
        if is_html { name.to_ascii_lowercase() } else { name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<ul><li id=a class=x>1 &lt; <b>2</b></li><li ID=c>3</li></ul>\
                        <svg viewBox='0 0 1 1'></svg>";

    #[track_caller]
    fn check(css: &str, output: Output, expected: &[&str]) {
        let query = Query::Css(css.to_owned());
        let lines = select(PAGE.as_bytes(), Some("Text/HTML"), None, &query, output).unwrap();
        let lines: Vec<_> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        assert_eq!(lines, expected, "{css}");
    }

    #[test]
    fn elements_are_shown_as_asked() {
        let attr = |name: &str| Output::Attr(name.to_owned());
        let html = r#"{"value":"<li id=\"a\" class=\"x\">1 &lt; <b>2</b></li>","tag":"li"}"#;
        check("li.x", Output::default(), &[html]);
        check(
            "li",
            Output::Text,
            &[r#"{"value":"1 < 2","tag":"li"}"#, r#"{"value":"3","tag":"li"}"#],
        );
        check("li", attr("ID"), &[r#"{"value":"a","tag":"li"}"#, r#"{"value":"c","tag":"li"}"#]);
        check(
            "b, .x",
            attr("class"),
            &[r#"{"value":"x","tag":"li"}"#, r#"{"value":null,"tag":"b"}"#],
        );
        check("svg", attr("viewBox"), &[r#"{"value":"0 0 1 1","tag":"svg"}"#]);
        check("svg", attr("viewbox"), &[r#"{"value":null,"tag":"svg"}"#]);
        check("nothing", Output::Html, &[]);
    }

    #[test]
    fn texts_and_attributes_are_their_own_value_and_have_no_tag() {
        for output in [Output::Html, Output::Text, Output::Attr("id".to_owned())] {
            check(
                "li.x ::text",
                output.clone(),
                &[r#"{"value":"1 < ","tag":null}"#, r#"{"value":"2","tag":null}"#],
            );
            check(
                "li::attr(id)",
                output,
                &[r#"{"value":"a","tag":null}"#, r#"{"value":"c","tag":null}"#],
            );
        }
    }

    #[test]
    fn an_invalid_selector_is_an_error() {
        let query = Query::Css("li:foo".to_owned());
        let error = select(b"", None, None, &query, Output::Html).unwrap_err().to_string();
        assert_eq!(
            error,
            "`li:foo` is not a CSS selector: the pseudo-class `:foo` is not known, at character 3"
        );
    }

    #[test]
    fn the_encoding_is_found_as_for_a_spider() {
        let body = b"<meta charset=iso-8859-2><p>\xe8</p>";
        let query = Query::Css("p::text".to_owned());
        let lines = select(body, None, None, &query, Output::Text).unwrap();
        assert_eq!(lines[0].value, "č");
    }
}
