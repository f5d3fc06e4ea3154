//! Reads what a page says, and runs spiders on it.
//!
//! Bytes become text (`decode`), one streaming pass takes links and title out of it (`markup`,
//! `links`, `xml`), a document tree is built only for what asks for one (`dom`, `css`, `xpath`), and a
//! spider sees all that through the SDK's page (`document.rs`). [`Parser`] does this for one
//! answer of the fetcher after the other, on threads of its own (`stage`): everything here is
//! synchronous and busy, never waiting.
//!
//! Invariants: a ticket that comes in goes out, whatever the spider does; every reading of
//! untrusted bytes is linear in their length; selected elements come in document order.
//!
//! Not here: when anything is fetched, what is kept.

mod stage;

pub mod bare;
pub mod plumbing;

mod document;
mod reader;

mod decode;
mod links;
mod markup;
mod xml;

mod names;

mod css;
mod data;
mod dom;
mod stream;
mod view;
mod xpath;

mod propose;
mod spiders;

#[cfg(test)]
mod tests;

pub use decode::sniff_media_type;
pub use document::{PageOpener, TestPage, page_from_body, page_from_html};
pub use links::kinds::LinkSource;
pub use propose::{FieldDraft, Kind as FieldKind, NoItems, Proposal, propose, propose_of};
pub use reader::{Body, MediaPattern, MediaPatternError, ReadOut, Reader};
pub use spiders::{
    ConfigSpider, CsvConfig, DetailConfig, FeedConfig, FieldConfig, FieldSpec, FieldType,
    Isolation, ItemConfig, KnownConfig, LinkSpider, LoginConfig, OnFailure, PageProperty,
    PagesConfig, ParseConfig, RuleConfig, SitemapConfig, SitemapRule, SpiderConfig,
    SpiderConfigError, SpiderKind, StartConfig, StopConfig, WhenConfig, XmlConfig, configured,
};
pub use stage::{CrewEnd, LetGo, Parser, ResponseHook, SpiderLog, check_spider, give_way, start};
