//! What the smaller callbacks are told, owned, so that it can be read from bytes.

use crawl_model::{Request, Verdict};

use super::bytes::{Reader, Wire, WireError, wire_struct};
use crate::{Closed, FailedRequest};

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
