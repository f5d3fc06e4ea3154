//! Rows of the document tree, and what may be known of their fields before they are asked for.
//!
//! A host selects a field when a spider reads it. A plugin's page would cross the boundary for each
//! of these, so it gets the values of many rows in one call, and asks for what is not among them.

use std::rc::Rc;

use crate::{ItemQuery, NodeId, PageServices, SelectorError};

/// The rows of a query in the document tree, as [`PageServices::selected`] gives them.
#[doc(hidden)]
#[derive(Clone)]
pub struct SelectedRows<'a> {
    /// The elements, in document order; `None` is the page.
    pub(crate) nodes: Vec<Option<NodeId>>,
    /// What their fields gave, if that comes with them.
    firsts: Option<Rc<dyn FirstValues + 'a>>,
}

/// What the first matches of fields gave in the tree, as a plugin gets it from its host: many
/// values in one call.
#[doc(hidden)]
pub trait FirstValues {
    /// What the first match of a field of a row gave, as it stands in the document.
    fn first(&self, row: usize, field: usize) -> First<'_>;
}

/// What is known of a field's first match.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First<'a> {
    /// It gave this.
    Value(&'a str),
    /// It has no such attribute.
    NoAttribute,
    /// There is no match.
    NoMatch,
    /// Nothing is known: it has to be asked for.
    Unknown,
}

impl<'a> SelectedRows<'a> {
    /// The rows of a query as `services` selects them, without values.
    pub(crate) fn select(
        services: &(impl PageServices + ?Sized),
        query: &ItemQuery,
    ) -> Result<Self, SelectorError> {
        let css = query.select.as_deref();
        let nodes = css.map(|css| services.select(css, None)).transpose()?;
        Ok(Self::new(nodes, None))
    }

    /// Rows in these elements, or in the page.
    pub(crate) fn new(
        nodes: Option<Vec<NodeId>>,
        firsts: Option<Rc<dyn FirstValues + 'a>>,
    ) -> Self {
        let nodes = match nodes {
            Some(nodes) => nodes.into_iter().map(Some).collect(),
            None => vec![None],
        };
        Self { nodes, firsts }
    }

    /// What is known of the first match of a field of a row.
    pub(crate) fn known(&self, row: usize, field: usize) -> First<'_> {
        self.firsts.as_ref().map_or(First::Unknown, |firsts| firsts.first(row, field))
    }
}
