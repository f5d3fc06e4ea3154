//! Where items stand on a page, and what is found there.
//!
//! An item that needs nothing but rows is read from those of its query, which a host that knew of
//! it has matched while the page streamed by; others from nodes.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use super::read::Reader;
use super::table::{Field, Select, Source, Taken};
use super::{ItemError, PageItem};
use crate::{Node, Nodes, Page, Row, SpiderError, XPathValue, process};

/// Where one item stands.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub(super) page: Page<'a>,
    pub(super) place: Place<'a>,
    /// Takes the errors of items that are left out of lists of nested ones; without it they are
    /// those of the item around.
    pub(super) left_out: Option<&'a RefCell<Vec<ItemError>>>,
    /// In how many items it is nested.
    pub(super) depth: u8,
    /// How many more nested items may be looked at.
    pub(super) left: &'a Cell<u32>,
}

/// Items in items in items: each costs stack, and how deep a page nests is its author's.
pub(super) const MAX_DEPTH: u8 = 64;

/// Nested items of a page. If `each` finds those in them, too, they double with each level.
pub(super) const MAX_NESTED: u32 = 100_000;

#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Page,
    Node(Node<'a>),
    Row(Row<'a>),
}

/// Calls `each` for all items of a page.
pub(super) fn read_all<T: PageItem>(
    page: &Page<'_>,
    left_out: Option<&RefCell<Vec<ItemError>>>,
    mut each: impl FnMut(Result<T, ItemError>) -> Result<(), SpiderError>,
) -> Result<(), SpiderError> {
    let (table, left) = (T::table(), Cell::new(MAX_NESTED));
    let mut read = |at: At<'_>| match T::read(&At { left_out, ..at }) {
        Ok(None) => Ok(()),
        Ok(Some(item)) => each(Ok(item)),
        Err(SpiderError::Item(error)) => each(Err(*error)),
        Err(error) => Err(error),
    };
    if table.is_rows {
        let rows = page.rows(table.query())?;
        return rows.iter().try_for_each(|row| read(At::new(page, Place::Row(row), &left)));
    }
    match At::new(page, Place::Page, &left).select(table.select)? {
        None => read(At::new(page, Place::Page, &left)),
        Some(nodes) => {
            nodes.iter().try_for_each(|node| read(At::new(page, Place::Node(node), &left)))
        }
    }
}

/// Reads the item that stands in an element.
pub(super) fn read_node<T: PageItem>(
    page: &Page<'_>,
    node: Node<'_>,
) -> Result<Option<T>, SpiderError> {
    T::read(&At::new(page, Place::Node(node), &Cell::new(MAX_NESTED)))
}

impl<'a> At<'a> {
    fn new<'p: 'a>(page: &Page<'p>, place: Place<'a>, left: &'a Cell<u32>) -> Self {
        Self { page: *page, place, left_out: None, depth: 0, left }
    }

    /// Begins to read an item.
    #[must_use]
    pub fn reader<T: PageItem>(&self) -> Reader<'a> {
        Reader { at: *self, table: T::table(), found: false }
    }

    fn css(&self, css: &str) -> Result<Nodes<'a>, SpiderError> {
        match self.place {
            Place::Node(node) => node.css(css),
            Place::Page | Place::Row(_) => self.page.css(css),
        }
    }

    fn evaluate(&self, expr: &str) -> Result<XPathValue<'a>, SpiderError> {
        match self.place {
            Place::Node(node) => node.evaluate(expr),
            Place::Page | Place::Row(_) => self.page.evaluate(expr),
        }
    }

    /// The nodes that a selector finds; `None` if there is no selector.
    pub(super) fn select(&self, select: Select) -> Result<Option<Nodes<'a>>, SpiderError> {
        Ok(match select {
            Select::Page => None,
            Select::Css(css) => Some(self.css(css)?),
            Select::XPath(expr) => Some(match self.place {
                Place::Node(node) => node.xpath(expr)?,
                Place::Page | Place::Row(_) => self.page.xpath(expr)?,
            }),
        })
    }

    /// What is taken of each match of a field; `None` where there is no such attribute.
    pub(super) fn taken(
        &self,
        field: &Field,
        index: usize,
    ) -> Result<Vec<Option<Cow<'a, str>>>, SpiderError> {
        let limit = if field.all { usize::MAX } else { 1 };
        let nodes = |nodes: Nodes<'a>| {
            nodes.into_iter().take(limit).map(|node| take(node, field.taken)).collect()
        };
        Ok(match (self.place, field.source) {
            (Place::Row(row), _) => row.all(index)?,
            (Place::Node(node), Source::Own) => vec![take(node, field.taken)],
            (Place::Page, Source::Own) => Vec::new(),
            (_, Source::Css(css)) => nodes(self.css(css)?),
            (_, Source::XPath(expr)) => match self.evaluate(expr)? {
                XPathValue::Nodes(found) => nodes(found),
                plain => vec![Some(Cow::Owned(process::collapse(&plain.to_string()).into()))],
            },
        })
    }
}

fn take<'a>(node: Node<'a>, taken: Taken) -> Option<Cow<'a, str>> {
    match taken {
        Taken::Text => Some(Cow::Owned(node.text())),
        Taken::Raw => Some(node.text_content()),
        Taken::Html => Some(Cow::Owned(node.html())),
        Taken::Attr(name) => node.attr(name).map(Cow::Borrowed),
    }
}
