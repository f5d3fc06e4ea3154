//! Reads fields of a page.

use std::borrow::Cow;
use std::time::SystemTime;

use crawl_spider::{Node, Page, Row, SpiderError, Take, Value, XPathValue, json};
use serde_json::Map;

use crate::data::json;
use crate::spiders::config::PageProperty;
use crate::spiders::date::Date;
use crate::spiders::field::{Field, Fields, NodeTake, Source};
use crate::spiders::luggage::Luggage;
use crate::spiders::make::Raw;
use crate::spiders::object::Object;

/// The page that is read, and what came with it.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) page: Page<'a>,
    pub(crate) luggage: &'a Luggage,
}

/// Where on the page.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// All of it.
    Page,
    /// A match of a query that says what the fields are.
    Row(Row<'a>),
    Node(Node<'a>),
    Json(&'a Value),
}

/// Fields that were read.
#[derive(Debug, Default)]
pub(crate) struct Taken<'f> {
    pub(crate) object: Object<'f>,
    /// Names of those that were not found.
    pub(crate) missed: Vec<&'f str>,
    /// Whether any of those was found that count.
    pub(crate) is_something: bool,
    /// The first one that is required and was not found.
    pub(crate) missing: Option<&'f str>,
}

impl Fields {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if an expression takes too long on this page.
    pub(crate) fn read(&self, cx: Context<'_>, scope: Scope<'_>) -> Result<Taken<'_>, SpiderError> {
        // The page's URL may come on top.
        let object = Object::with_capacity(self.list.len() + 1);
        let mut taken = Taken { object, is_something: !self.is_demanding, ..Taken::default() };
        for (name, field) in &self.list {
            let value = field.read(cx, scope)?;
            match value {
                Some(value) => {
                    taken.is_something |= field.stands_on_page();
                    taken.object.insert(name, value);
                }
                None => {
                    taken.miss(name, field);
                }
            }
        }
        Ok(taken)
    }

    /// What they are if none is found of those that `object` has not, and the first one of them
    /// that is required.
    pub(crate) fn unread(&self, object: &Object<'_>) -> Taken<'_> {
        let mut taken = Taken::default();
        for (name, field) in self.list.iter().filter(|(name, _)| object.get(name).is_none()) {
            taken.miss(name, field);
        }
        taken
    }
}

impl<'f> Taken<'f> {
    /// Notes a field that was not found.
    fn miss(&mut self, name: &'f str, field: &Field) {
        if field.required {
            self.missing.get_or_insert(name);
        }
        self.missed.push(name);
        self.object.insert(name, field.fallback());
    }
}

impl Field {
    /// Reads it; `None` if it is not found.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if an expression takes too long on this page.
    pub(crate) fn read(
        &self,
        cx: Context<'_>,
        scope: Scope<'_>,
    ) -> Result<Option<Value>, SpiderError> {
        if self.fields.list.is_empty() {
            let found = self.find(cx, scope)?;
            return Ok(self.make.make(cx.page, found));
        }
        let mut objects = Vec::new();
        match &self.source {
            Source::Css(query, _) if !self.make.has_path() => {
                let nodes = match scope {
                    Scope::Node(node) => node.css(&query.css)?,
                    _ => cx.page.css(&query.css)?,
                };
                for node in nodes.iter().take(self.limit()) {
                    objects.extend(self.object(cx, Scope::Node(node))?);
                }
            }
            Source::XPath(expr, _) if !self.make.has_path() => {
                let nodes = match scope {
                    Scope::Node(node) => node.xpath(expr)?,
                    _ => cx.page.xpath(expr)?,
                };
                for node in nodes.iter().take(self.limit()) {
                    objects.extend(self.object(cx, Scope::Node(node))?);
                }
            }
            _ => {
                let found = self.find(cx, scope)?;
                for value in self.make.values(found).iter().take(self.limit()) {
                    objects.extend(self.object(cx, Scope::Json(value))?);
                }
            }
        }
        Ok(match self.all {
            true => (!objects.is_empty()).then_some(Value::Array(objects)),
            false => objects.into_iter().next(),
        })
    }

    fn limit(&self) -> usize {
        if self.all { usize::MAX } else { 1 }
    }

    /// One object; `None` if nothing is found of it, or something that is required is not.
    fn object(&self, cx: Context<'_>, scope: Scope<'_>) -> Result<Option<Value>, SpiderError> {
        let taken = self.fields.read(cx, scope)?;
        let is_whole = taken.is_something && taken.missing.is_none();
        Ok(is_whole.then_some(Value::Object(taken.object.into_map())))
    }

    /// What its source finds.
    fn find<'a>(&'a self, cx: Context<'a>, scope: Scope<'a>) -> Result<Vec<Raw<'a>>, SpiderError> {
        Ok(match &self.source {
            Source::Css(query, number) => match (scope, number) {
                (Scope::Row(row), &Some(number)) if query.all => {
                    let texts = row.all(number)?.into_iter().flatten();
                    texts.map(|text| Raw::Text(trimmed(text, &query.take))).collect()
                }
                (Scope::Row(row), &Some(number)) => {
                    let text = row.first(number)?;
                    text.map(|text| Raw::Text(trimmed(text, &query.take))).into_iter().collect()
                }
                (Scope::Row(_) | Scope::Json(_), _) => Vec::new(),
                (Scope::Node(node), _) if query.css.is_empty() => {
                    take(node, &query.take).into_iter().collect()
                }
                (Scope::Page | Scope::Node(_), _) => {
                    let nodes = match scope {
                        Scope::Node(node) => node.css(&query.css)?,
                        _ => cx.page.css(&query.css)?,
                    };
                    let nodes = nodes.iter().take(self.limit());
                    nodes.filter_map(|node| take(node, &query.take)).collect()
                }
            },
            Source::XPath(expr, take) => {
                let value = match scope {
                    Scope::Node(node) => node.evaluate(expr)?,
                    _ => cx.page.evaluate(expr)?,
                };
                self.of_xpath(value, *take)
            }
            Source::Json(path) => match scope {
                Scope::Json(value) => borrowed(json::query(value, path)?, self.limit()),
                _ => match cx.page.json_path(path) {
                    Ok(values) => borrowed(values, self.limit()),
                    // A page that is none has nothing of it.
                    Err(SpiderError::Json(_)) => Vec::new(),
                    Err(error) => return Err(error),
                },
            },
            Source::Meta(name) => {
                let value = cx.luggage.carry.get(name).filter(|value| !value.is_null());
                value.map(|value| Raw::Json(Cow::Borrowed(value))).into_iter().collect()
            }
            Source::Const(value) => vec![Raw::Json(Cow::Borrowed(value))],
            Source::Page(property) => property.of(cx.page).into_iter().collect(),
        })
    }

    fn of_xpath<'a>(&self, value: XPathValue<'a>, take: NodeTake) -> Vec<Raw<'a>> {
        let value = match value {
            XPathValue::Nodes(nodes) => {
                let take = |node: Node<'_>| match (take, node.attr("href")) {
                    (NodeTake::Html, _) => node.html(),
                    (NodeTake::Link, Some(href)) => href.to_owned(),
                    (NodeTake::Link | NodeTake::Text, _) => node.text(),
                };
                let nodes = nodes.iter().take(self.limit());
                return nodes.map(|node| Raw::Text(take(node).into())).collect();
            }
            XPathValue::Text(text) => return vec![Raw::Text(text.into())],
            XPathValue::Number(number) if number.is_nan() => return Vec::new(),
            XPathValue::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                json!(number as i64)
            }
            XPathValue::Number(number) => json!(number),
            XPathValue::Bool(truth) => json!(truth),
        };
        vec![Raw::Json(Cow::Owned(value))]
    }
}

fn borrowed(values: Vec<&Value>, limit: usize) -> Vec<Raw<'_>> {
    values.into_iter().take(limit).map(|value| Raw::Json(Cow::Borrowed(value))).collect()
}

/// The values of attributes are trimmed, as texts are.
fn trimmed<'a>(text: Cow<'a, str>, take: &Take) -> Cow<'a, str> {
    match (take, text) {
        (Take::Attr(_), Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
        (Take::Attr(_), Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
        (_, text) => text,
    }
}

fn take<'a>(node: Node<'a>, take: &Take) -> Option<Raw<'a>> {
    let text = match take {
        Take::Attr(name) => Cow::Borrowed(node.attr(name)?.trim()),
        Take::Html => Cow::Owned(node.html()),
        _ => Cow::Owned(node.text()),
    };
    Some(Raw::Text(text))
}

impl PageProperty {
    fn of(self, page: Page<'_>) -> Option<Raw<'_>> {
        let text = |text: &str| Some(Raw::Text(text.to_owned().into()));
        let value = |value: Value| Some(Raw::Json(Cow::Owned(value)));
        let head = || page.metadata();
        match self {
            Self::Url => text(page.url().without_credentials().as_str()),
            Self::Title => text(page.title()),
            Self::Status => value(json!(page.status())),
            Self::Depth => value(json!(page.depth())),
            Self::Referrer => {
                text(page.request().referrer.as_ref()?.without_credentials().as_str())
            }
            Self::Label => text(page.label()),
            Self::Fetched => {
                let since = page.fetched_at().duration_since(SystemTime::UNIX_EPOCH).ok()?;
                text(&Date::of_epoch(since.as_secs_f64())?.iso())
            }
            Self::Text => Some(Raw::Text(page.text().into())),
            Self::Description => text(head().description.as_deref()?),
            Self::Canonical => text(head().canonical.as_ref()?.as_str()),
            Self::Language => text(head().language.as_deref()?),
            Self::Published => text(head().published.as_deref()?),
            Self::JsonLd => list(page.json_ld()),
            Self::Microdata => list(page.microdata()),
            Self::OpenGraph => {
                let names = head().open_graph.iter();
                let object: Map<String, Value> = names
                    .filter_map(|(name, values)| {
                        Some((name.to_owned(), values.first()?.as_str().into()))
                    })
                    .collect();
                (!object.is_empty()).then(|| Raw::Json(Cow::Owned(object.into())))
            }
            Self::MainText => text(&page.main_text()?.text),
            Self::Markdown => text(page.markdown().trim()),
        }
    }
}

fn list(values: &[Value]) -> Option<Raw<'_>> {
    (!values.is_empty()).then(|| Raw::Json(Cow::Owned(Value::Array(values.to_vec()))))
}
