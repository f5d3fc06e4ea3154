//! Which links are followed, compiled.

use std::collections::HashSet;
use std::sync::Arc;

use crawl_spider::abi::wire::LinkEntry;
use crawl_spider::{
    CanonicalUrl, Followed, Harvest, ItemQuery, LinkExtractor, Node, Page, SpiderError, XPathValue,
};
use regex::Regex;

use crate::spiders::config::RuleConfig;
use crate::spiders::error::{SpiderConfigError, regex_in, wrong};
use crate::spiders::field::{Fields, Within};
use crate::spiders::luggage::Luggage;
use crate::spiders::read::{Context, Scope};
use crate::spiders::selector::Selector;

/// One rule of `follow` or `rules`.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) on: Option<String>,
    links: Links,
    url: Option<Regex>,
    deny: Option<Regex>,
    text: Option<Regex>,
    max: u32,
    skip_nofollow: bool,
    label: Option<Arc<str>>,
    priority: i32,
    carry: Fields,
}

/// Which links it looks at.
#[derive(Debug)]
pub(crate) enum Links {
    /// Those that stand in the places of CSS selectors, or all, from the streaming pass.
    Extracted(Box<LinkExtractor>),
    XPath(String),
    Json(String),
}

impl Links {
    /// The links that the selector at `key` finds.
    ///
    /// # Errors
    /// [`SpiderConfigError`] if it does not compile.
    pub(crate) fn read(text: &str, key: &str) -> Result<Self, SpiderConfigError> {
        Selector::read(text, key).map(Self::of)
    }

    fn of(selector: Selector) -> Self {
        match selector {
            // From the pass that finds them anyway.
            Selector::Css(css) if css == "a" || css == "a[href]" => {
                Self::Extracted(Box::new(LinkExtractor::new().unique(false).tags("a")))
            }
            Selector::Css(css) => {
                Self::Extracted(Box::new(LinkExtractor::new().unique(false).restrict_css(css)))
            }
            Selector::XPath(expr) => Self::XPath(expr),
            Selector::Json(path) => Self::Json(path),
        }
    }

    /// What is asked of every page, as far as that is known beforehand.
    pub(crate) fn query(&self) -> Option<&ItemQuery> {
        match self {
            Self::Extracted(links) => links.wants(),
            Self::XPath(_) | Self::Json(_) => None,
        }
    }

    /// Follows those for which `wanted` holds. Texts are empty unless `with_texts`.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if an expression takes too long on this page.
    pub(crate) fn follow<'h>(
        &self,
        page: &Page<'_>,
        out: &'h mut Harvest,
        with_texts: bool,
        mut wanted: impl FnMut(Candidate<'_>) -> bool,
    ) -> Result<Followed<'h>, SpiderError> {
        let mut links = Vec::new();
        match self {
            Self::Extracted(extractor) => {
                if let Some(is_meant) = extractor.by_kind().filter(|_| !with_texts) {
                    return Ok(out.follow_targets(page, |link| {
                        is_meant(link.kind) && wanted(Candidate::of(link))
                    }));
                }
                let mut links = extractor.links(page)?;
                links.retain(|link| {
                    wanted(Candidate::new(link.url.as_str(), &link.text, link.nofollow))
                });
                let links = links.iter().map(|link| (link.url.clone(), link.nofollow));
                return Ok(out.follow_resolved(links));
            }
            Self::XPath(expr) => {
                for node in page.xpath(expr)? {
                    links_at(page, node, &mut links)?;
                }
            }
            Self::Json(path) => match page.json_path(path) {
                Ok(values) => {
                    let urls = values.into_iter().filter_map(|value| value.as_str());
                    let urls = urls.filter_map(|text| page.join(text).ok());
                    links.extend(urls.map(|url| (url, String::new(), false)));
                }
                // A page that is none has no links in it.
                Err(SpiderError::Json(_)) => {}
                Err(error) => return Err(error),
            },
        }
        let links = links.into_iter();
        let links = links
            .filter(|(url, text, nofollow)| wanted(Candidate::new(url.as_str(), text, *nofollow)));
        Ok(out.follow_resolved(links.map(|(url, _, nofollow)| (url, nofollow))))
    }
}

/// A link that may be followed. Where it leads costs something to find out, for some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    way: Way<'a>,
    text: &'a str,
    nofollow: bool,
}

#[derive(Debug, Clone, Copy)]
enum Way<'a> {
    Url(&'a str),
    Entry(LinkEntry<'a>),
}

impl<'a> Candidate<'a> {
    fn new(url: &'a str, text: &'a str, nofollow: bool) -> Self {
        Self { way: Way::Url(url), text, nofollow }
    }

    fn of(entry: LinkEntry<'a>) -> Self {
        Self { way: Way::Entry(entry), text: "", nofollow: entry.nofollow }
    }

    /// The text of its URL.
    pub(crate) fn url(&self) -> &'a str {
        match self.way {
            Way::Url(url) => url,
            Way::Entry(entry) => entry.url(),
        }
    }
}

type FoundLinks = Vec<(CanonicalUrl, String, bool)>;

/// The link that a node is, or those in it. Of attributes and texts the value is the URL.
fn links_at(page: &Page<'_>, node: Node<'_>, links: &mut FoundLinks) -> Result<(), SpiderError> {
    let is_nofollow = |node: &Node<'_>| {
        let mut words = node.attr("rel").unwrap_or_default().split_ascii_whitespace();
        words.any(|word| word.eq_ignore_ascii_case("nofollow"))
    };
    let mut add = |node: Node<'_>, href: &str| {
        if let Ok(url) = page.join(href) {
            links.push((url, node.text(), is_nofollow(&node)));
        }
    };
    if let Some(href) = node.attr("href") {
        add(node, href);
    } else if matches!(node.evaluate("boolean(self::*)")?, XPathValue::Bool(false)) {
        add(node, node.text_content().trim());
    } else {
        for link in node.css("a[href], area[href]")? {
            add(link, link.attr("href").unwrap_or_default());
        }
    }
    Ok(())
}

impl Rule {
    /// A rule that follows the links of one selector, or all.
    ///
    /// # Errors
    /// [`SpiderConfigError`] if the selector at `key` does not compile.
    pub(crate) fn plain(selector: Option<&str>, key: &str) -> Result<Self, SpiderConfigError> {
        let mut rule = Self::new(&RuleConfig::default(), key)?;
        if let Some(selector) = selector {
            rule.links = Links::read(selector, key)?;
        }
        Ok(rule)
    }

    /// Checks and compiles the rule at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &RuleConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let links = match (&config.css, &config.xpath, &config.json) {
            (None, None, None) => Links::Extracted(Box::new(LinkExtractor::new().unique(false))),
            (Some(css), None, None) => Links::of(Selector::css(css, &format!("{key}.css"))?),
            (None, Some(expr), None) => Links::of(Selector::xpath(expr, &format!("{key}.xpath"))?),
            (None, None, Some(path)) => Links::of(Selector::json(path, &format!("{key}.json"))?),
            _ => return Err(wrong(key, "has several of `css`, `xpath` and `json`; choose one")),
        };
        if config.text.is_some() && matches!(links, Links::Json(_)) {
            return Err(wrong(
                format!("{key}.text"),
                "is about links, and URLs in JSON have no text",
            ));
        }
        Ok(Self {
            on: config.on.clone(),
            links,
            url: regex_in(config.url.as_ref(), key, "url")?,
            deny: regex_in(config.deny.as_ref(), key, "deny")?,
            text: regex_in(config.text.as_ref(), key, "text")?,
            max: config.max,
            skip_nofollow: config.skip_nofollow,
            label: config.label.as_deref().map(Arc::from),
            priority: config.priority,
            carry: Fields::new(&config.carry, Within::Page, &format!("{key}.carry"))?,
        })
    }

    /// What it asks of every page, as far as that is known beforehand.
    pub(crate) fn query(&self) -> Option<&ItemQuery> {
        self.links.query()
    }

    /// Follows its links on a page.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if an expression takes too long on this page.
    pub(crate) fn follow(&self, cx: Context<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let mut first = HashSet::<String>::new();
        let with_texts = self.text.is_some();
        let followed = self.links.follow(&cx.page, out, with_texts, |link| {
            let is_in = |regex: &Regex| regex.is_match(link.url());
            let is_wanted = self.url.as_ref().is_none_or(is_in)
                && !self.deny.as_ref().is_some_and(is_in)
                && self.text.as_ref().is_none_or(|regex| regex.is_match(link.text))
                && !(self.skip_nofollow && link.nofollow);
            if !is_wanted || self.max == 0 || first.contains(link.url()) {
                return is_wanted;
            }
            let has_room = first.len() < self.max as usize;
            if has_room {
                first.insert(link.url().to_owned());
            }
            has_room
        })?;
        if followed.is_empty() {
            return Ok(());
        }
        let mut followed = followed.priority(self.priority);
        if let Some(label) = &self.label {
            followed = followed.label(label.clone());
        }
        if !self.carry.list.is_empty() {
            let carry = self.carry.read(cx, Scope::Page)?.object.into_map();
            followed.meta(&Luggage { carry, ..Luggage::default() })?;
        }
        Ok(())
    }
}
