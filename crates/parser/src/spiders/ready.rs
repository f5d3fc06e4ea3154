//! The SDK's ready spiders, from TOML: what is read beside ordinary pages.

use std::sync::Arc;

use crawl_spider::ready::{CsvTables, Feeds, Sitemaps, Step, XmlNodes};
use crawl_spider::{CsvDialect, Expression, Language, Spider};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::SpiderConfig;
use super::config_spider::ConfigSpider;
use super::error::{SpiderConfigError, wrong};
use crate::stage::check_expression;

/// What a spider reads beside ordinary pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpiderKind {
    /// Nothing: it follows links.
    #[default]
    Links,
    /// Sitemaps, whose entries are followed.
    Sitemap,
    /// RSS and Atom feeds, whose entries are items, or are followed.
    Feed,
    /// XML documents, of which some elements are items.
    Xml,
    /// CSV files, whose rows are items.
    Csv,
}

/// How sitemaps are read, as written in the `[spider.sitemap]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SitemapConfig {
    /// The sitemaps, or robots.txt that name some. Default: the crawl's `seeds`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Which pages are followed. Default: all, without a label.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<SitemapRule>,
    /// Regular expressions of which one must match in the URL of a sitemap that an index names.
    /// Default: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follow: Vec<String>,
    /// Whether the pages in other languages that an entry names are followed. Default: false.
    pub alternates: bool,
    /// Leaves out what was last changed before this date. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// Which pages of a sitemap are followed and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SitemapRule {
    /// Regular expression that the page's whole URL must match somewhere. Default: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Label that the pages get. Default: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
}

/// How feeds are read, as written in the `[spider.feed]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// The feeds. Default: the crawl's `seeds`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Follows the entries with this label, instead of taking them as items. Default: items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
    /// Leaves out what was last changed before this date. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What is taken of XML documents, as written in the `[spider.xml]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct XmlConfig {
    /// The documents. Default: the crawl's `seeds`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Name of the elements that are items, with or without a prefix.
    pub tag: String,
    /// Namespaces by the prefix that `tag` has. Default: those of the document, and usual ones.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub namespaces: IndexMap<String, String>,
    /// Fields by name: XPath within the element.
    pub fields: IndexMap<String, String>,
}

/// How CSV files are read, as written in the `[spider.csv]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CsvConfig {
    /// The files. Default: the crawl's `seeds`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// What separates values: one ASCII character. Default: told by the first rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// What values with delimiters in them stand between: one ASCII character. Default: `"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// Names of the columns. Default: the first row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<String>>,
}

/// The spider that a `[spider]` table describes, checked and compiled.
///
/// # Errors
/// [`SpiderConfigError`] that names the key and what is wrong there.
pub fn configured(mut config: SpiderConfig) -> Result<Arc<dyn Spider>, SpiderConfigError> {
    let kind = config.kind;
    for (of, key, is_there) in [
        (SpiderKind::Sitemap, "sitemap", config.sitemap.is_some()),
        (SpiderKind::Feed, "feed", config.feed.is_some()),
        (SpiderKind::Xml, "xml", config.xml.is_some()),
        (SpiderKind::Csv, "csv", config.csv.is_some()),
    ] {
        if is_there && kind != of {
            let problem = format!("is of no use without `kind = \"{key}\"` in `[spider]`");
            return Err(wrong(format!("spider.{key}"), problem));
        }
    }
    if kind != SpiderKind::Links && config.login.is_some() {
        let hint = "take `kind` away, or write a spider in Rust";
        return Err(wrong("spider.login", "is for spiders that follow links").hint(hint));
    }
    let (sitemap, feed) = (config.sitemap.take(), config.feed.take());
    let (xml, csv) = (config.xml.take(), config.csv.take());
    if kind != SpiderKind::Links && config.rules.is_empty() {
        // What is followed are the entries; of their pages only what is asked for.
        config.follow.get_or_insert_default();
    }
    let pages = ConfigSpider::new(config)?;
    Ok(match kind {
        SpiderKind::Links => Arc::new(pages),
        SpiderKind::Sitemap => Arc::new(sitemaps(sitemap.unwrap_or_default())?.then(pages)),
        SpiderKind::Feed => Arc::new(feeds(feed.unwrap_or_default())?.then(pages)),
        SpiderKind::Xml => Arc::new(nodes(xml.unwrap_or_default())?.then(pages)),
        SpiderKind::Csv => Arc::new(tables(csv.unwrap_or_default())?.then(pages)),
    })
}

fn sitemaps(config: SitemapConfig) -> Result<Sitemaps, SpiderConfigError> {
    check_urls(&config.urls, "spider.sitemap.urls")?;
    check_date(config.since.as_ref(), "spider.sitemap.since")?;
    let mut sitemaps = Sitemaps::new(config.urls).alternates(config.alternates);
    for (i, rule) in config.rules.into_iter().enumerate() {
        check(Language::Regex, &rule.url, format!("spider.sitemap.rules[{i}].url"))?;
        sitemaps = sitemaps.rule(rule.url, rule.label);
    }
    for (i, pattern) in config.follow.iter().enumerate() {
        check(Language::Regex, pattern, format!("spider.sitemap.follow[{i}]"))?;
    }
    sitemaps = sitemaps.follow(config.follow);
    Ok(match config.since {
        Some(since) => sitemaps.since(since),
        None => sitemaps,
    })
}

fn feeds(config: FeedConfig) -> Result<Feeds, SpiderConfigError> {
    check_urls(&config.urls, "spider.feed.urls")?;
    check_date(config.since.as_ref(), "spider.feed.since")?;
    let mut feeds = Feeds::new(config.urls);
    if let Some(label) = config.follow {
        feeds = feeds.follow(label);
    }
    Ok(match config.since {
        Some(since) => feeds.since(since),
        None => feeds,
    })
}

fn nodes(config: XmlConfig) -> Result<XmlNodes, SpiderConfigError> {
    check_urls(&config.urls, "spider.xml.urls")?;
    if config.tag.is_empty() {
        return Err(wrong("spider.xml.tag", "is empty; write the name of the elements: `product`"));
    }
    if config.fields.is_empty() {
        return Err(wrong("spider.xml.fields", "has no fields, so there is nothing to take"));
    }
    let mut nodes = XmlNodes::new(config.urls, config.tag);
    for (prefix, uri) in config.namespaces {
        nodes = nodes.namespace(prefix, uri);
    }
    for expression in nodes.expressions() {
        check(expression.language, &expression.text, "spider.xml.tag".to_owned())?;
    }
    for (name, xpath) in config.fields {
        check(Language::XPath, &xpath, format!("spider.xml.fields.{name}"))?;
        nodes = nodes.field(name, xpath);
    }
    Ok(nodes)
}

fn tables(config: CsvConfig) -> Result<CsvTables, SpiderConfigError> {
    check_urls(&config.urls, "spider.csv.urls")?;
    for (key, c) in [("delimiter", config.delimiter), ("quote", config.quote)] {
        if c.is_some_and(|c| !c.is_ascii()) {
            return Err(wrong(format!("spider.csv.{key}"), "must be an ASCII character"));
        }
    }
    let CsvConfig { urls, delimiter, quote, headers } = config;
    Ok(CsvTables::new(urls).dialect(CsvDialect { delimiter, quote, headers }))
}

fn check(language: Language, text: &str, key: String) -> Result<(), SpiderConfigError> {
    let expression = Expression::new(language, text, "");
    check_expression(&expression).map_err(|error| wrong(key, error.chain()))
}

fn check_urls(urls: &[String], key: &str) -> Result<(), SpiderConfigError> {
    for (i, url) in urls.iter().enumerate() {
        crawl_model::CanonicalUrl::parse(url)
            .map_err(|error| wrong(format!("{key}[{i}]"), format!("`{url}`: {error}")))?;
    }
    Ok(())
}

/// A date as far as it is compared: `2024`, `2024-05`, `2024-05-17`, and whatever follows.
fn check_date(date: Option<&String>, key: &str) -> Result<(), SpiderConfigError> {
    let Some(date) = date else { return Ok(()) };
    let day = date.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let is_number = |part: &str, length| part.len() == length && part.parse::<u16>().is_ok();
    let fits = match &parts[..] {
        [year] => is_number(year, 4),
        [year, rest @ ..] => {
            is_number(year, 4) && rest.len() <= 2 && rest.iter().all(|part| is_number(part, 2))
        }
        [] => false,
    };
    match fits {
        true => Ok(()),
        false => Err(wrong(key, format!("`{date}` is no date like 2024-05-17"))),
    }
}
