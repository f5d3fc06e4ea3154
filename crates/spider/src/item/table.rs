//! What a derived item says of itself: where it stands, and each of its fields.

use std::sync::{Arc, OnceLock};

use crawl_model::ItemKind;

use crate::process::Processor;
use crate::{FieldQuery, ItemQuery};

/// A derived item, as its macro writes it down.
#[derive(Debug)]
pub struct Table {
    /// The name of its type.
    pub name: &'static str,
    /// Where it stands on a page.
    pub select: Select,
    /// Its fields that are found by a selector.
    pub fields: &'static [Field],
    /// Whether rows of a query have all of its fields: no XPath, no nested items, nothing raw.
    pub is_rows: bool,
    /// Which fields it has: a number, or a hash over their names and types.
    pub version: &'static str,
    /// The fields that tell one such item from another, by the names they have in JSON.
    pub key: &'static [&'static str],
    /// Made of the rest when it is first asked for.
    pub made: Made,
}

/// What is made of a table.
#[derive(Debug, Default)]
pub struct Made {
    query: OnceLock<ItemQuery>,
    kind: OnceLock<Arc<ItemKind>>,
}

impl Made {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { query: OnceLock::new(), kind: OnceLock::new() }
    }
}

/// Where the items of a page stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The page is the item.
    Page,
    /// One for each match of a CSS selector.
    Css(&'static str),
    /// One for each node of an XPath expression.
    XPath(&'static str),
}

/// A field that is found by a selector.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub source: Source,
    /// What is taken there.
    pub taken: Taken,
    /// Whether all matches are wanted; otherwise the first.
    pub all: bool,
    /// What is done with the texts, in order.
    pub processors: &'static [Processor],
}

/// Where a field stands, within its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the item's own element.
    Own,
    /// Where a CSS selector finds it.
    Css(&'static str),
    /// Where an XPath expression finds it.
    XPath(&'static str),
}

/// What is taken of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Its text as people read it.
    Text,
    /// Its text as it stands in the document.
    Raw,
    /// Its HTML.
    Html,
    /// The value of an attribute, trimmed.
    Attr(&'static str),
}

impl Table {
    /// The kind of its items.
    pub(crate) fn kind(&self) -> &Arc<ItemKind> {
        self.made.kind.get_or_init(|| {
            let key = self.key.iter().map(|&name| name.into()).collect();
            let (name, version) = (self.name.into(), self.version.into());
            Arc::new(ItemKind { name, version, key, space: "".into() })
        })
    }

    /// The query whose rows have all of its fields; one that asks for nothing if there is none.
    pub(crate) fn query(&self) -> &ItemQuery {
        self.made.query.get_or_init(|| {
            let select = match self.select {
                Select::Css(css) => Some(css.to_owned()),
                Select::Page | Select::XPath(_) => None,
            };
            if !self.is_rows {
                return ItemQuery::page();
            }
            ItemQuery { select, fields: self.fields.iter().map(Field::query).collect() }
        })
    }
}

impl Field {
    fn query(&self) -> FieldQuery {
        let css = match self.source {
            Source::Css(css) => css,
            Source::Own | Source::XPath(_) => "",
        };
        let query = match self.taken {
            Taken::Text | Taken::Raw => FieldQuery::text(css),
            Taken::Html => FieldQuery::html(css),
            Taken::Attr(name) => FieldQuery::attr(css, name),
        };
        FieldQuery { all: self.all, ..query }
    }

    /// For messages: what finds it, and what it takes.
    pub(crate) fn place(&self) -> String {
        let place = match self.source {
            Source::Own => "the element itself".to_owned(),
            Source::Css(text) | Source::XPath(text) => format!("`{text}`"),
        };
        match self.taken {
            Taken::Attr(name) => format!("{place}, attribute `{name}`"),
            Taken::Html => format!("{place}, as HTML"),
            Taken::Text | Taken::Raw => place,
        }
    }
}
