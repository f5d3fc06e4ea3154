//! What of an exchange goes into the archive.
//!
//! Records are made where the page is read, for compressing them is most of their cost and the
//! thread that writes is one; so the parser asks an [`Archivist`], which is the store's.

use std::ops::Range;

use bytes::Bytes;

use crate::{BodyPointer, Fingerprint, PageRecord, Response};

/// A request as it was sent. (Of HTTP/2 as HTTP/1.1 would have put it.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Request line and header fields, each with its CRLF; credentials only if they are wanted.
    pub head: Bytes,
    /// What followed them.
    pub body: Bytes,
    /// When its first byte was sent: microseconds since the Unix epoch.
    pub at_us: u64,
}

/// Other forms of a page that are archived beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextForms {
    /// Its text.
    pub text: bool,
    /// Its text as Markdown.
    pub markdown: bool,
}

/// A page in other forms; `None` what is not wanted, or what the page does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// Its text.
    pub text: Option<String>,
    /// Its text as Markdown.
    pub markdown: Option<String>,
}

/// An answer that is to be archived.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// Key of the page in the store.
    pub print: Fingerprint,
    /// The request; `None` if none was sent, or nobody kept it.
    pub sent: Option<&'a Sent>,
    /// What came.
    pub response: &'a Response,
    /// What is kept of the page beside.
    pub record: &'a PageRecord,
    /// The page in other forms.
    pub texts: &'a Texts,
}

/// Records that are ready to be written, one behind the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Archived {
    /// All of them, compressed one by one.
    pub bytes: Vec<u8>,
    /// Where in `bytes` the page's own record lies; `None` if they only say that an earlier copy
    /// still holds.
    pub body: Option<Range<usize>>,
    /// Where the body lies that the record refers to; `None` if it has its own.
    pub of: Option<BodyPointer>,
    /// Tells bodies apart: the first bytes of a digest; `None` if later ones are not to refer to
    /// this one.
    pub key: Option<u64>,
}

/// Makes records of answers. Called from many threads; may block.
pub trait Archivist: Send + Sync {
    /// Which other forms of a page are wanted.
    fn forms(&self) -> TextForms;

    /// The records of an answer; `None` if nothing of it is to be archived.
    fn archive(&self, exchange: &Exchange<'_>) -> Option<Archived>;
}
