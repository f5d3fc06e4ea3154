//! Items as types: where their fields stand is written beside them.

mod table;
mod text;

mod at;
mod files;
mod keep;
pub(crate) mod kind;
mod read;

mod error;

pub use error::ItemError;
pub use files::FileUrls;
pub use text::FromText;

use crawl_model::FileAsk;

use crate::{ItemQuery, Node, Page, SpiderError};

/// What the macro's code calls. No part of the API.
#[doc(hidden)]
pub mod rt {
    pub use super::at::At;
    pub use super::files::files;
    pub use super::kind::note;
    pub use super::read::Reader;
    pub use super::table::{Field, Made, Select, Source, Table, Taken};
    pub use super::text::{Answer, Mapped, parse, text};
    pub use crate::process::Processor;
    pub use crawl_model::FileKind;
    pub use serde;
    pub use std::borrow::Cow;
}

/// A type whose values are read off pages. Derived: see [`Item`](macro@crate::Item).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no item",
    label = "this type has no `#[derive(Item)]`",
    note = "`#[derive(Item)]` makes it one"
)]
pub trait PageItem: Sized {
    /// What it says of itself.
    #[doc(hidden)]
    fn table() -> &'static rt::Table;

    /// Reads the item that stands at a place; `None` if there is none.
    #[doc(hidden)]
    fn read(at: &rt::At<'_>) -> Result<Option<Self>, SpiderError>;

    /// The files that its fields marked `file` or `image` name; none by default.
    fn files(&self, _page: &Page<'_>) -> Vec<FileAsk> {
        Vec::new()
    }

    /// What to put into [`Spider::wants`](crate::Spider::wants), so that items are found in the
    /// pass that finds the links, without a document tree. It asks for nothing if the item needs the
    /// tree: for XPath, nested items, `raw`.
    #[must_use]
    fn query() -> ItemQuery {
        Self::table().query().clone()
    }

    /// All items of a page, in document order. An element in which no field is found at all is no
    /// item. To leave out what is not as it should be, see
    /// [`Harvest::extract`](crate::Harvest::extract) and [`Harvest::read`](crate::Harvest::read).
    ///
    /// # Errors
    /// [`SpiderError::Item`] for the first one that lacks a field or has one that cannot be read,
    /// [`SpiderError::Selector`] if a selector cannot be answered.
    fn all(page: &Page<'_>) -> Result<Vec<Self>, SpiderError> {
        let mut items = Vec::new();
        at::read_all(page, None, |item| {
            items.push(item?);
            Ok(())
        })?;
        Ok(items)
    }

    /// All items of a page, each with its own result.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if a selector cannot be answered.
    fn each(page: &Page<'_>) -> Result<Vec<Result<Self, ItemError>>, SpiderError> {
        let mut items = Vec::new();
        at::read_all(page, None, |item| {
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }

    /// The item that stands in an element that was found otherwise; `None` if no field is found.
    ///
    /// # Errors
    /// As for [`all`](Self::all).
    fn of(page: &Page<'_>, node: Node<'_>) -> Result<Option<Self>, SpiderError> {
        at::read_node(page, node)
    }
}
