//! Spiders that need no Rust: the one that follows all links, and the one written in TOML.

mod link_spider;

mod config;
mod config_spider;
mod field;
mod ready;
mod rules;

pub use config::{
    FieldConfig, FieldSpec, Isolation, ItemConfig, ParseConfig, RuleConfig, SpiderConfig,
};
pub use config_spider::{ConfigSpider, SpiderConfigError};
pub use link_spider::LinkSpider;
pub use ready::{
    CsvConfig, FeedConfig, SitemapConfig, SitemapRule, SpiderKind, XmlConfig, configured,
};
