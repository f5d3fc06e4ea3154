//! Reads what a page says, and runs spiders on it.
//!
//! Bytes become text (`decode.rs`), one streaming pass takes links and title out of it
//! (`scan.rs`, `links.rs`, `feed.rs`), a document tree is built only for what asks for one
//! (`dom.rs`), and a spider sees all that through the SDK's page (`document.rs`). [`Parser`]
//! does this for one answer of the fetcher after the other, on threads of its own: everything
//! here is synchronous and busy, never waiting.
//!
//! Invariants: a ticket that comes in goes out, whatever the spider does; every reading of
//! untrusted bytes is linear in their length; selected elements come in document order.
//!
//! Not here: when anything is fetched, what is kept.

mod config;
mod parser;

mod admit;
mod page;
mod record;
mod redirect;
mod run;

mod document;

mod decode;
mod kind;

mod charref;
mod feed;
mod foreign;
mod links;
mod resolve;
mod scan;

mod dom;
mod selectors;

mod link_spider;

mod config_spider;
mod field;
mod number;

#[cfg(test)]
mod tests;

pub use config::{FieldConfig, FieldSpec, ItemConfig, ParseConfig, RuleConfig, SpiderConfig};
pub use config_spider::{ConfigSpider, SpiderConfigError};
pub use document::{TestPage, page_from_body, page_from_html};
pub use link_spider::LinkSpider;
pub use parser::{Parser, SpiderLog, start};
