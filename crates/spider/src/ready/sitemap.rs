//! Sitemaps as what a crawl begins with.

use std::fmt;
use std::sync::Arc;

use super::own::{Own, first_match, is_older};
use super::step::{Step, Taken};
use crate::{
    CanonicalUrl, Entry, EntryKind, Expression, Harvest, Language, Page, Request, SpiderError,
    Texts,
};

type Filter = Arc<dyn Fn(&Entry) -> bool + Send + Sync>;

/// Follows the entries of sitemaps, as Scrapy's `SitemapSpider` does: sitemaps, indexes of
/// sitemaps, lists of URLs, compressed ones, too, and those that a robots.txt names.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{Sitemaps, Step};
///
/// let books = Sitemaps::new("http://bookshop.test/robots.txt")
///     .follow("/sitemap-books")
///     .rule("/book/", "book")
///     .since("2024-05-01")
///     .then(|page: &Page<'_>, out: &mut Harvest| out.item(&json!({"title": page.title()})));
/// # let _ = books;
/// ```
///
/// (The crawler can do a part of this by itself, `scope.sitemaps`, for any spider: then all entries
/// are followed without a label.)
#[derive(Clone)]
pub struct Sitemaps {
    own: Own,
    rules: Vec<(String, Arc<str>)>,
    follow: Vec<String>,
    alternates: bool,
    since: Option<String>,
    filter: Option<Filter>,
}

impl Sitemaps {
    /// Begins with these sitemaps, or with what these robots.txt name. Without any URL
    /// (`Sitemaps::default()`) the sitemaps are what the crawl begins with, its seeds.
    #[must_use]
    pub fn new(urls: impl Texts) -> Self {
        Self {
            own: Own::new(urls.into_texts(), Request::SPIDERS_SITEMAP),
            rules: Vec::new(),
            follow: Vec::new(),
            alternates: false,
            since: None,
            filter: None,
        }
    }

    /// Follows the pages in whose URL this regular expression is found, with this label. Of
    /// several rules the first that fits counts; what fits none is not followed. Without rules all
    /// pages are followed, without a label.
    #[must_use]
    pub fn rule(mut self, pattern: impl Into<String>, label: impl Into<Arc<str>>) -> Self {
        self.rules.push((pattern.into(), label.into()));
        self
    }

    /// Reads only those sitemaps of an index in whose URL one of these regular expressions is
    /// found. Default: all. What a robots.txt names is read in any case.
    #[must_use]
    pub fn follow(mut self, patterns: impl Texts) -> Self {
        self.follow.extend(patterns.into_texts());
        self
    }

    /// Whether the pages in other languages that an entry names (`xhtml:link rel=alternate`) are
    /// followed, too. Default: false.
    #[must_use]
    pub fn alternates(mut self, on: bool) -> Self {
        self.alternates = on;
        self
    }

    /// Leaves out entries, and sitemaps of an index, that were last changed before this date, as
    /// `2024-05-01`. What does not say when it was changed is kept. Default: no date.
    #[must_use]
    pub fn since(mut self, date: impl Into<String>) -> Self {
        self.since = Some(date.into());
        self
    }

    /// Leaves out entries, and sitemaps of an index, for which `wanted` does not hold.
    #[must_use]
    pub fn filter(mut self, wanted: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(wanted));
        self
    }

    fn wants(&self, entry: &Entry) -> bool {
        let is_old = match (&entry.lastmod, &self.since) {
            (Some(lastmod), Some(since)) => is_older(lastmod, since),
            _ => false,
        };
        !is_old && self.filter.as_ref().is_none_or(|wanted| wanted(entry))
    }

    /// Reads a further sitemap, if it is wanted.
    fn descend(
        &self,
        page: &Page<'_>,
        urls: &[CanonicalUrl],
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let patterns: Vec<&str> = self.follow.iter().map(String::as_str).collect();
        let texts: Vec<&str> = urls.iter().map(CanonicalUrl::as_str).collect();
        for (url, found) in urls.iter().zip(first_match(page, &patterns, &texts)?) {
            if found.is_some() {
                out.get_url(url.clone()).label(Request::SPIDERS_SITEMAP);
            }
        }
        Ok(())
    }

    fn pages(
        &self,
        page: &Page<'_>,
        urls: &[CanonicalUrl],
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let patterns: Vec<&str> = self.rules.iter().map(|(pattern, _)| pattern.as_str()).collect();
        let texts: Vec<&str> = urls.iter().map(CanonicalUrl::as_str).collect();
        for (url, found) in urls.iter().zip(first_match(page, &patterns, &texts)?) {
            let Some(rule) = found else { continue };
            let follow = out.get_url(url.clone());
            if let Some((_, label)) = self.rules.get(rule) {
                follow.label(label.clone());
            }
        }
        Ok(())
    }
}

impl Default for Sitemaps {
    fn default() -> Self {
        Self::new(Vec::<String>::new())
    }
}

impl Step for Sitemaps {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.own.start(out)
    }

    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError> {
        if !self.own.has(page) {
            return Ok(Taken::NotMine);
        }
        if page.url().path() == "/robots.txt" {
            let lines = page.text().lines().filter_map(sitemap_line);
            let named: Vec<_> = lines.filter_map(|href| page.join(href).ok()).collect();
            if named.is_empty() {
                out.warn("this robots.txt names no sitemap");
            }
            for url in named {
                out.get_url(url).label(Request::SPIDERS_SITEMAP);
            }
            return Ok(Taken::Mine);
        }
        let entries = page.entries();
        if entries.is_empty() {
            out.warn("this is no sitemap, or one without entries");
        }
        let (mut sitemaps, mut pages) = (Vec::new(), Vec::new());
        for entry in entries.iter().filter(|entry| self.wants(entry)) {
            let urls = match entry.kind {
                EntryKind::Sitemap => &mut sitemaps,
                EntryKind::Page | EntryKind::News => &mut pages,
            };
            urls.extend(entry.url.clone());
            if self.alternates {
                urls.extend(entry.alternates.iter().map(|other| other.url.clone()));
            }
        }
        self.descend(page, &sitemaps, out)?;
        self.pages(page, &pages, out)?;
        Ok(Taken::Mine)
    }

    fn expressions(&self) -> Vec<Expression> {
        let regex = |text: &String, place: String| Expression::new(Language::Regex, text, place);
        let rules = self.rules.iter().enumerate();
        let rules = rules.map(|(n, (text, _))| regex(text, format!("sitemaps, rule {}", n + 1)));
        let follow = self.follow.iter().map(|text| regex(text, "sitemaps, follow".to_owned()));
        rules.chain(follow).collect()
    }
}

/// What a line of a robots.txt names as a sitemap.
fn sitemap_line(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    let value = value.split('#').next().unwrap_or_default().trim();
    let is_sitemap = name.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case("sitemap");
    (is_sitemap && !value.is_empty()).then_some(value)
}

impl fmt::Debug for Sitemaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sitemaps")
            .field("own", &self.own)
            .field("rules", &self.rules)
            .field("follow", &self.follow)
            .finish_non_exhaustive()
    }
}
