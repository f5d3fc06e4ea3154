//! Nothing is wrong here, not even by the strictest lints.

#![deny(warnings, rust_2018_idioms, unused_qualifications, missing_docs, unreachable_pub)]

use crawl_spider::prelude::*;

/// All attributes once.
#[derive(Debug, Clone, PartialEq, Item)]
#[item(select = "article, li", crate = crawl_spider)]
pub struct Book {
    /// A text.
    #[item(css = "h3 a", attr = "title", trim, collapse, lower, upper)]
    pub title: String,
    /// A link.
    #[item(link)]
    pub link: CanonicalUrl,
    /// Many.
    #[item(css = ".tags", split = ",", replace("a", "b"), strip_prefix = "x", strip_suffix = "y")]
    pub tags: Vec<String>,
    /// A number.
    #[item(xpath = ".//b[1]", regex = r"\d+", number, default = 7)]
    pub number: u32,
    /// A function's.
    #[item(css = "i", take = last, map = process::lower, with = half)]
    pub half: Option<f64>,
    /// Parsed.
    #[item(css = "i", html, strip_tags, unescape, parse, default)]
    pub parsed: std::path::PathBuf,
    /// One more.
    #[item(raw, join = " ", rename = "All")]
    pub all: Option<String>,
    /// Whether.
    #[item(css = ".new", exists)]
    pub is_new: bool,
    /// Where.
    #[item(url)]
    pub url: String,
    /// Since when.
    #[item(meta = "since")]
    pub since: Option<u64>,
    /// The same for all.
    #[item(value = "shop")]
    pub shop: &'static str,
    /// For later.
    #[item(skip)]
    pub later: Option<()>,
    /// Other ones.
    #[item(each = ".part", required)]
    pub parts: Vec<Part>,
    /// Another one.
    #[item(nested)]
    pub part: Option<Part>,
}

/// In a book.
#[derive(Debug, Clone, PartialEq, Item)]
#[item(xpath = ".//*[@id]")]
pub struct Part {
    /// Its own.
    #[item(attr = "id")]
    pub id: String,
}

fn half(text: &str) -> Result<f64, std::num::ParseFloatError> {
    Ok(text.parse::<f64>()? / 2.0)
}

/// Uses it.
pub fn parse(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    out.extract::<Book>(page)?;
    for part in Part::all(page)? {
        out.item(&part)?;
    }
    Ok(())
}
