//! What the smaller callbacks are told, owned, so that it can be read from bytes.

use crawl_model::{Dropped, Refusal, Request, Verdict};
use serde_json::Value;

use super::bytes::{Reader, Wire, WireError, wire_enum, wire_struct};
use crate::{Closed, Expression, FailedRequest, ItemQuery, Language, PageInfo};

/// A [`FailedRequest`], owned.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedFrame {
    /// What was asked.
    pub request: Request,
    /// How it ended.
    pub verdict: Verdict,
    /// HTTP status; `None` if no response came.
    pub status: Option<u16>,
    /// What happened, for people.
    pub detail: String,
}

impl FailedFrame {
    /// As the callback gets it.
    #[must_use]
    pub fn as_failed(&self) -> FailedRequest<'_> {
        FailedRequest::new(&self.request, self.verdict, self.status, &self.detail)
    }
}

impl From<&FailedRequest<'_>> for FailedFrame {
    fn from(failed: &FailedRequest<'_>) -> Self {
        Self {
            request: failed.request().clone(),
            verdict: failed.verdict(),
            status: failed.status(),
            detail: failed.detail().to_owned(),
        }
    }
}

wire_struct! { FailedFrame { request, verdict, status, detail } }

impl Wire for Verdict {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::from_index(from.byte()?).ok_or(WireError::Wrong("verdict"))
    }
}

/// What a spider says of itself once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// What it wants of all pages.
    pub wants: Vec<ItemQuery>,
    /// What it will use on its pages.
    pub expressions: Vec<Expression>,
    /// The name of the step that its items go through; `None` if it has none.
    pub item_step: Option<String>,
    /// The name of the step that its requests go through; `None` if it has none.
    pub request_step: Option<String>,
}

wire_struct! { Description { name, wants, expressions, item_step, request_step } }

wire_struct! { Expression { language, text, place } }

wire_enum! { Language, "language": Css = 0, XPath = 1, Regex = 2, JsonPath = 3 }

/// An item on its way through a step.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFrame {
    /// The item.
    pub item: Value,
    /// The request of its page.
    pub request: Request,
    /// HTTP status; `None` if no response came.
    pub status: Option<u16>,
}

impl ItemFrame {
    /// An item and what is known of its page.
    #[must_use]
    pub fn new(item: Value, page: &PageInfo<'_>) -> Self {
        Self { item, request: page.request().clone(), status: page.status() }
    }
}

wire_struct! { ItemFrame { item, request, status } }

impl Wire for Dropped {
    fn put(&self, out: &mut Vec<u8>) {
        self.reason().to_owned().put(out);
        self.detail().to_owned().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let (reason, detail) = (from.text()?, from.text()?);
        let dropped = Self::new(reason);
        Ok(if detail.is_empty() { dropped } else { dropped.because(detail) })
    }
}

impl Wire for Refusal {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text().map(Self::new)
    }
}

/// A [`Closed`], owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedFrame {
    /// Why it ended.
    pub reason: String,
    /// Pages of this run.
    pub n_pages: u64,
    /// Items of this run.
    pub n_items: u64,
}

impl ClosedFrame {
    /// As the callback gets it.
    #[must_use]
    pub fn as_closed(&self) -> Closed<'_> {
        Closed { reason: &self.reason, n_pages: self.n_pages, n_items: self.n_items }
    }
}

impl From<&Closed<'_>> for ClosedFrame {
    fn from(closed: &Closed<'_>) -> Self {
        let &Closed { reason, n_pages, n_items } = closed;
        Self { reason: reason.to_owned(), n_pages, n_items }
    }
}

wire_struct! { ClosedFrame { reason, n_pages, n_items } }
