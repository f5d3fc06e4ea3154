//! Spiders that need no Rust: the one that follows all links, and the one written in TOML.
//!
//! The latter is a table (`config`) that is checked and compiled part by part: where it begins
//! (`start`, `login`), what it takes (`item`, made of `field`s, which `read` finds and `make`
//! turns into values), what it follows (`rule`, `pages`), and when it is enough (`stop`). What
//! goes from page to page is a request's metadata (`luggage`), so that no state is in the spider
//! and a kill loses nothing.

mod link_spider;

mod config;
mod config_spider;
mod error;

mod login;
mod start;
mod template;

mod field;
mod item;
mod luggage;
mod make;
mod object;
mod read;
mod selector;

mod pages;
mod rule;

mod basket;
mod stop;

mod date;

mod ready;

pub use config::{
    DetailConfig, FieldConfig, FieldSpec, FieldType, Isolation, ItemConfig, KnownConfig,
    LoginConfig, OnFailure, PageProperty, PagesConfig, ParseConfig, RuleConfig, SpiderConfig,
    StartConfig, StopConfig, WhenConfig,
};
pub use config_spider::ConfigSpider;
pub use error::SpiderConfigError;
pub use link_spider::LinkSpider;
pub use ready::{
    CsvConfig, FeedConfig, SitemapConfig, SitemapRule, SpiderKind, XmlConfig, configured,
};
