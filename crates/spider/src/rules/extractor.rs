//! Which links of a page are meant.

use std::fmt;
use std::sync::Arc;

use super::place::Source;
use super::texts::Texts;
use crate::{Expression, ItemQuery, Language};

/// Changes an attribute's value before it is resolved; `None` leaves the link out.
pub(super) type ProcessValue = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Finds links of a page: where they stand, where they lead and what they say.
///
/// Without any option these are all links of the page ([`Page::links`](crate::Page::links)): what
/// `parse.links` of the config counts as links, by default `a`, `area` and `meta` refreshes. Each
/// method narrows that; calls of one method add up, and a link has to pass all methods.
///
/// It does what Scrapy's `LinkExtractor` does, by the same names, with these differences:
///
/// - Patterns are those of the `regex` crate: linear in time, without look-around.
/// - URLs have no fragments, and links within the page (`#top`) are none.
/// - No extension is left out by default, because the crawl does that and records it
///   (`scope.skip-extensions`). [`SKIPPED_EXTENSIONS`](Self::SKIPPED_EXTENSIONS) are Scrapy's.
/// - Domains are compared without the port, unless they are given with one.
/// - [`restrict_css`](Self::restrict_css) may name the links themselves, whatever their tag, as
///   long as no [`tags`](Self::tags) are set: `link[rel=next]`.
///
/// ```
/// use crawl_spider::LinkExtractor;
///
/// let books = LinkExtractor::new()
///     .allow(r"/book/\d+")
///     .deny("/print$")
///     .allow_domains("bookshop.test")
///     .restrict_css(["ul.books", "li.next"]);
/// # let _ = books;
/// ```
#[derive(Clone, Default)]
pub struct LinkExtractor {
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
    pub(super) allow_domains: Vec<String>,
    pub(super) deny_domains: Vec<String>,
    pub(super) deny_extensions: Vec<String>,
    pub(super) restrict_xpaths: Vec<String>,
    pub(super) restrict_css: Vec<String>,
    pub(super) restrict_text: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) attrs: Vec<String>,
    pub(super) canonicalize: bool,
    pub(super) keeps_repeated: bool,
    pub(super) keeps_blanks: bool,
    pub(super) process_value: Option<ProcessValue>,
    pub(super) source: Source,
}

impl LinkExtractor {
    /// Extensions that Scrapy leaves out by default, for
    /// [`deny_extensions`](Self::deny_extensions).
    #[rustfmt::skip]
    pub const SKIPPED_EXTENSIONS: &[&str] = &[
        "7z", "7zip", "bz2", "rar", "tar", "tar.gz", "xz", "zip", // archives
        "mng", "pct", "bmp", "gif", "jpg", "jpeg", "png", "pst", "psp", "tif", "tiff", "ai", "drw",
        "dxf", "eps", "ps", "svg", "cdr", "ico", "webp", // images
        "mp3", "wma", "ogg", "wav", "ra", "aac", "mid", "au", "aiff", // sounds
        "3gp", "asf", "asx", "avi", "mov", "mp4", "mpg", "qt", "rm", "swf", "wmv", "m4a", "m4v",
        "flv", "webm", // films
        "xls", "xlsm", "xlsx", "xltm", "xltx", "potm", "potx", "ppt", "pptm", "pptx", "pps", "doc",
        "docb", "docm", "docx", "dotm", "dotx", "odt", "ods", "odg", "odp", // offices
        "css", "pdf", "exe", "bin", "rss", "dmg", "iso", "apk", "jar", "sh", "rb", "js", "hta",
        "bat", "cpl", "msi", "msp", "py", // others
    ];

    /// All links of a page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only links in whose URL one of these regular expressions is found.
    #[must_use]
    pub fn allow(mut self, patterns: impl Texts) -> Self {
        self.allow.extend(patterns.into_texts());
        self
    }

    /// No links in whose URL one of these regular expressions is found.
    #[must_use]
    pub fn deny(mut self, patterns: impl Texts) -> Self {
        self.deny.extend(patterns.into_texts());
        self
    }

    /// Only links to these domains and those below them, in any case.
    #[must_use]
    pub fn allow_domains(mut self, domains: impl Texts) -> Self {
        self.allow_domains.extend(lower_case(domains));
        self
    }

    /// No links to these domains and those below them.
    #[must_use]
    pub fn deny_domains(mut self, domains: impl Texts) -> Self {
        self.deny_domains.extend(lower_case(domains));
        self
    }

    /// No links whose path ends in one of these extensions, written without the dot.
    #[must_use]
    pub fn deny_extensions(mut self, extensions: impl Texts) -> Self {
        let dotted = |name: String| format!(".{}", name.trim_start_matches('.'));
        self.deny_extensions.extend(lower_case(extensions).map(dotted));
        self
    }

    /// Only links inside of the elements that one of these CSS selectors finds, or that are such
    /// elements.
    #[must_use]
    pub fn restrict_css(mut self, selectors: impl Texts) -> Self {
        let trimmed = selectors.into_texts().into_iter().map(|css| css.trim().to_owned());
        self.restrict_css.extend(trimmed);
        self.placed()
    }

    /// Only links inside of the elements that one of these XPath expressions finds, or that are
    /// such elements. Beside [`restrict_css`](Self::restrict_css): what either finds. Needs the
    /// document tree, which CSS mostly does not.
    #[must_use]
    pub fn restrict_xpaths(mut self, expressions: impl Texts) -> Self {
        self.restrict_xpaths.extend(expressions.into_texts());
        self.placed()
    }

    /// Only links in whose text one of these regular expressions is found. The text has its
    /// whitespace collapsed.
    #[must_use]
    pub fn restrict_text(mut self, patterns: impl Texts) -> Self {
        self.restrict_text.extend(patterns.into_texts());
        self
    }

    /// Only links of elements of these names; `*` is any. Of other elements than `a` and `area`,
    /// too, whatever the config counts as links: `.tags("img").attrs("src")`.
    #[must_use]
    pub fn tags(mut self, names: impl Texts) -> Self {
        self.tags.extend(lower_case(names));
        self.placed()
    }

    /// Only links in attributes of these names. Default: `href`.
    #[must_use]
    pub fn attrs(mut self, names: impl Texts) -> Self {
        self.attrs.extend(lower_case(names));
        self.placed()
    }

    /// Sorts the parameters of each URL's query and spells its escapes in one way, so that URLs
    /// that mean the same are the same. Default: false. The server sees the changed URL, and not
    /// every server takes it for the same.
    #[must_use]
    pub fn canonicalize(mut self, on: bool) -> Self {
        self.canonicalize = on;
        self
    }

    /// Whether a URL that stands on the page more than once is given once. Default: true. A crawl
    /// follows it once in any case.
    #[must_use]
    pub fn unique(mut self, on: bool) -> Self {
        self.keeps_repeated = !on;
        self
    }

    /// Whether attributes lose the whitespace around them (HTML Standard, "valid URL potentially
    /// surrounded by spaces") before [`process_value`](Self::process_value) sees them. Default:
    /// true. URLs lose it in any case.
    #[must_use]
    pub fn strip(mut self, on: bool) -> Self {
        self.keeps_blanks = !on;
        self
    }

    /// Changes the values of attributes before they are resolved; `None` leaves the link out.
    ///
    /// ```
    /// use crawl_spider::LinkExtractor;
    ///
    /// // <a href="javascript:goToPage('../other/page.html'); return false">
    /// let links = LinkExtractor::new().process_value(|value| {
    ///     let rest = value.strip_prefix("javascript:goToPage('")?;
    ///     Some(rest.split_once('\'')?.0.to_owned())
    /// });
    /// # let _ = links;
    /// ```
    #[must_use]
    pub fn process_value(
        mut self,
        change: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.process_value = Some(Arc::new(change));
        self.placed()
    }

    /// What it wants of each page, for [`Spider::wants`](crate::Spider::wants); `None` if the
    /// links that a page has anyway are enough.
    #[must_use]
    pub fn wants(&self) -> Option<&ItemQuery> {
        match &self.source {
            Source::Links(_) => None,
            Source::Query(places) => places.rows.as_ref(),
        }
    }

    /// Its patterns and selectors, for [`Spider::expressions`](crate::Spider::expressions);
    /// `place` says where it stands.
    #[must_use]
    pub fn expressions(&self, place: &str) -> Vec<Expression> {
        let lists = [
            (Language::Regex, "allow", &self.allow),
            (Language::Regex, "deny", &self.deny),
            (Language::Regex, "restrict_text", &self.restrict_text),
            (Language::Css, "restrict_css", &self.restrict_css),
            (Language::XPath, "restrict_xpaths", &self.restrict_xpaths),
        ];
        let all = lists.into_iter().flat_map(|(language, option, texts)| {
            texts.iter().map(move |text| {
                let place = match place {
                    "" => option.to_owned(),
                    place => format!("{place}, {option}"),
                };
                Expression::new(language, text, place)
            })
        });
        all.collect()
    }

    /// Settles where the links are taken from.
    fn placed(mut self) -> Self {
        self.source = self.place();
        self
    }
}

fn lower_case(texts: impl Texts) -> impl Iterator<Item = String> {
    texts.into_texts().into_iter().map(|text| text.trim().to_ascii_lowercase())
}

impl fmt::Debug for LinkExtractor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("LinkExtractor");
        for (name, texts) in [
            ("allow", &self.allow),
            ("deny", &self.deny),
            ("allow_domains", &self.allow_domains),
            ("deny_domains", &self.deny_domains),
            ("deny_extensions", &self.deny_extensions),
            ("restrict_css", &self.restrict_css),
            ("restrict_xpaths", &self.restrict_xpaths),
            ("restrict_text", &self.restrict_text),
            ("tags", &self.tags),
            ("attrs", &self.attrs),
        ] {
            if !texts.is_empty() {
                out.field(name, texts);
            }
        }
        out.finish_non_exhaustive()
    }
}
