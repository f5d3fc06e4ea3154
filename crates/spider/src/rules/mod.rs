//! Crawl rules: which links of a page are followed, and how, said once for all pages.
//!
//! What Scrapy's `CrawlSpider` and `LinkExtractor` do. Links come from the pass that finds them
//! anyway, and restricting selectors are matched in the same pass ([`ItemQuery`]), so rules need
//! no document tree unless they use XPath. Patterns are matched by the host, one call for all
//! links of a page.

mod extractor;
mod find;
mod place;
mod texts;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use extractor::LinkExtractor;
pub use texts::Texts;

use crate::{Expression, Follow, Harvest, ItemQuery, Link, Page, SpiderError};

/// Changes the list of the links that a rule found.
type ProcessLinks = Arc<dyn for<'a> Fn(&Page<'a>, &mut Vec<Cow<'a, Link>>) + Send + Sync>;

/// Changes a request that a rule makes; `false` drops it.
type ProcessRequest = Arc<dyn Fn(&Page<'_>, &mut Follow) -> bool + Send + Sync>;

/// Follows some links of a page in one way.
///
/// ```
/// use crawl_spider::{LinkExtractor, Rule, Rules};
///
/// let rules = Rules::new()
///     .rule(Rule::new(LinkExtractor::new().allow("/book/")).label("book").priority(10))
///     .rule(Rule::css("li.next"));
/// # assert_eq!(rules.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Rule {
    links: LinkExtractor,
    label: Option<Arc<str>>,
    errback: Option<Arc<str>>,
    follow: Option<bool>,
    on: Option<Vec<String>>,
    priority: i32,
    meta: Value,
    process_links: Option<ProcessLinks>,
    process_request: Option<ProcessRequest>,
}

impl Rule {
    /// Follows the links that `links` finds.
    #[must_use]
    pub fn new(links: LinkExtractor) -> Self {
        Self { links, ..Self::default() }
    }

    /// Follows the links in whose URL this regular expression is found.
    #[must_use]
    pub fn url(pattern: impl Texts) -> Self {
        Self::new(LinkExtractor::new().allow(pattern))
    }

    /// Follows the links that this CSS selector finds, or that stand inside of what it finds.
    #[must_use]
    pub fn css(selector: impl Texts) -> Self {
        Self::new(LinkExtractor::new().restrict_css(selector))
    }

    /// Sets which callback the pages are for ([`Page::label`]).
    #[must_use]
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into()).filter(|label| !label.is_empty());
        self
    }

    /// Sets which error callback is for requests that give no page; see [`Follow::errback`].
    #[must_use]
    pub fn errback(mut self, label: impl Into<Arc<str>>) -> Self {
        self.errback = Some(label.into());
        self
    }

    /// Whether the rules are applied to the pages that this one leads to. Default: only if it sets
    /// no label, as pages with a callback mostly are what the crawl was looking for. Of several
    /// rules with one label it is enough that one says so. Without a label it cannot be switched
    /// off, for such pages are not told from those that the crawl begins with.
    #[must_use]
    pub fn follow(mut self, on: bool) -> Self {
        self.follow = Some(on);
        self
    }

    /// Applies this rule only on pages with one of these labels; `""` are those without one.
    /// Default: on all to whose pages rules are applied.
    #[must_use]
    pub fn on(mut self, labels: impl Texts) -> Self {
        self.on.get_or_insert_default().extend(labels.into_texts());
        self
    }

    /// Sets the priority: higher goes first within its host; 0 is usual.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the metadata that the pages' callback gets ([`Page::meta`]), as `json!` makes it.
    #[must_use]
    pub fn meta(mut self, meta: impl Into<Value>) -> Self {
        self.meta = meta.into();
        self
    }

    /// Changes the links that are found on a page, before they are followed: drops some, sorts
    /// them, has others in their place.
    #[must_use]
    pub fn process_links(
        mut self,
        change: impl for<'a> Fn(&Page<'a>, &mut Vec<Cow<'a, Link>>) + Send + Sync + 'static,
    ) -> Self {
        self.process_links = Some(Arc::new(change));
        self
    }

    /// Changes each request; one for which `change` gives false is dropped.
    #[must_use]
    pub fn process_request(
        mut self,
        change: impl Fn(&Page<'_>, &mut Follow) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.process_request = Some(Arc::new(change));
        self
    }

    /// Follows its links on a page, whatever the page's label; tells how many.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] or [`SpiderError::Query`] if a selector or pattern does not
    /// parse.
    pub fn apply(&self, page: &Page<'_>, out: &mut Harvest) -> Result<usize, SpiderError> {
        let links = match (&self.process_links, self.links.by_kind()) {
            // Repeated ones are dropped by the host.
            (None, Some(is_meant)) => {
                let links = page.services().link_targets();
                let links = Follow::those(links, |entry| is_meant(entry.kind));
                return Ok(self.push(page, links, out));
            }
            (None, None) => self.links.found(page)?,
            (Some(change), _) => {
                let mut links = self.links.links(page)?;
                change(page, &mut links);
                links
            }
        };
        let links = links.iter().map(|link| Follow::new(link.url.clone(), link.nofollow));
        Ok(self.push(page, links, out))
    }

    /// Follows links; tells how many are left of them.
    fn push(
        &self,
        page: &Page<'_>,
        links: impl Iterator<Item = Follow>,
        out: &mut Harvest,
    ) -> usize {
        let mut n = 0;
        for mut follow in links {
            self.set(&mut follow);
            if self.process_request.as_ref().is_none_or(|change| change(page, &mut follow)) {
                out.push(follow);
                n += 1;
            }
        }
        n
    }

    fn set(&self, follow: &mut Follow) {
        follow.label.clone_from(&self.label);
        follow.priority = self.priority;
        if !self.meta.is_null() {
            follow.meta = self.meta.clone();
        }
        if let Some(errback) = &self.errback {
            follow.errback(errback.clone());
        }
    }

    fn follows(&self) -> bool {
        self.follow.unwrap_or(self.label.is_none())
    }

    fn is_on(&self, label: &str) -> bool {
        self.on.as_ref().is_none_or(|labels| labels.iter().any(|on| on == label))
    }
}

/// The rules of a spider ([`Spider::rules`](crate::Spider::rules)). On a page they are applied in
/// their order; of several that find a link the first counts.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether rules are applied to pages of this label: not if it is that of rules, none of which
    /// [follows](Rule::follow).
    #[must_use]
    pub fn reads(&self, label: &str) -> bool {
        let mut its = self.rules.iter().filter(|rule| rule.label.as_deref() == Some(label));
        match its.next() {
            None => true,
            Some(first) => first.follows() || its.any(Rule::follows),
        }
    }

    /// Applies the rules to a page, if [they are to be](Self::reads), and tells how many links
    /// they follow. What [`Spider::rules`](crate::Spider::rules) gives is applied by the host.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] or [`SpiderError::Query`] if a selector or pattern does not
    /// parse.
    pub fn follow(&self, page: &Page<'_>, out: &mut Harvest) -> Result<usize, SpiderError> {
        if !self.reads(page.label()) {
            return Ok(0);
        }
        let rules = self.rules.iter().filter(|rule| rule.is_on(page.label()));
        rules.map(|rule| rule.apply(page, out)).sum()
    }

    /// What they want of each page, for [`Spider::wants`](crate::Spider::wants).
    #[must_use]
    pub fn wants(&self) -> Vec<ItemQuery> {
        self.rules.iter().filter_map(|rule| rule.links.wants().cloned()).collect()
    }

    /// Their patterns and selectors, for [`Spider::expressions`](crate::Spider::expressions).
    #[must_use]
    pub fn expressions(&self) -> Vec<Expression> {
        let rules = self.rules.iter().enumerate();
        rules.flat_map(|(n, rule)| rule.links.expressions(&format!("rule {}", n + 1))).collect()
    }

    /// Checks what can be checked without a host.
    ///
    /// # Errors
    /// [`SpiderError::Other`] that names the rule.
    pub fn check(&self) -> Result<(), SpiderError> {
        let is_wrong = |rule: &Rule| rule.label.is_none() && rule.follow == Some(false);
        match self.rules.iter().position(is_wrong) {
            None => Ok(()),
            Some(at) => Err(SpiderError::Other(format!(
                "rule {} has `follow(false)` but no label, so its pages are not told from those \
                 that the crawl begins with; hint: give it a label",
                at + 1
            ))),
        }
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<T: IntoIterator<Item = Rule>>(rules: T) -> Self {
        Self { rules: rules.into_iter().collect() }
    }
}

impl<const N: usize> From<[Rule; N]> for Rules {
    fn from(rules: [Rule; N]) -> Self {
        Self::from_iter(rules)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("links", &self.links)
            .field("label", &self.label)
            .field("follow", &self.follows())
            .finish_non_exhaustive()
    }
}
