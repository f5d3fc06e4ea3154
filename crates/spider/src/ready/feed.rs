//! RSS and Atom feeds as items.

use std::fmt;
use std::sync::Arc;

use super::own::{Own, is_older};
use super::step::{Step, Taken};
use crate::{Entry, Harvest, Page, SpiderError, Texts};

type Each = Arc<dyn Fn(&Entry, &Page<'_>, &mut Harvest) -> Result<(), SpiderError> + Send + Sync>;

/// Takes the entries of RSS and Atom feeds: as items, or to follow them.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{Feeds, Step};
///
/// // Each entry is an item:
/// let news = Feeds::new("http://news.test/rss").then(|_: &Page<'_>, _: &mut Harvest| Ok(()));
///
/// // Each entry leads to its article, which knows what the feed said:
/// let articles = Feeds::new("http://news.test/rss").follow("article").then(
///     |page: &Page<'_>, out: &mut Harvest| {
///         let entry: Entry = page.meta()?;
///         let title = entry.news.and_then(|news| news.title);
///         out.item(&json!({"title": title, "text": page.text_of("main")?}))
///     },
/// );
/// # let (_, _) = (news, articles);
/// # use crawl_spider::Entry;
/// ```
#[derive(Clone)]
pub struct Feeds {
    own: Own,
    follow: Option<Arc<str>>,
    since: Option<String>,
    each: Option<Each>,
}

impl Feeds {
    /// Begins with these feeds. Without any URL (`Feeds::default()`) the feeds are what the crawl
    /// begins with, its seeds.
    #[must_use]
    pub fn new(urls: impl Texts) -> Self {
        let own = Own::new(urls.into_texts(), "feed");
        Self { own, follow: None, since: None, each: None }
    }

    /// Follows the entries, with this label and the [`Entry`] as metadata, instead of taking them
    /// as items.
    #[must_use]
    pub fn follow(mut self, label: impl Into<Arc<str>>) -> Self {
        self.follow = Some(label.into());
        self
    }

    /// Leaves out entries that were last changed before this date, as `2024-05-01`. What does not
    /// say when it was changed is kept. Default: no date.
    #[must_use]
    pub fn since(mut self, date: impl Into<String>) -> Self {
        self.since = Some(date.into());
        self
    }

    /// Calls this for each entry, instead of taking it as an item.
    #[must_use]
    pub fn each(
        mut self,
        read: impl Fn(&Entry, &Page<'_>, &mut Harvest) -> Result<(), SpiderError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.each = Some(Arc::new(read));
        self
    }
}

impl Default for Feeds {
    fn default() -> Self {
        Self::new(Vec::<String>::new())
    }
}

impl Step for Feeds {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.own.start(out)
    }

    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError> {
        if !self.own.has(page) {
            return Ok(Taken::NotMine);
        }
        let entries = page.entries();
        if entries.is_empty() {
            out.warn("this is no feed, or one without entries");
        }
        for entry in entries {
            if let (Some(lastmod), Some(since)) = (&entry.lastmod, &self.since)
                && is_older(lastmod, since)
            {
                continue;
            }
            if let Some(each) = &self.each {
                each(entry, page, out)?;
            }
            match (&self.follow, &entry.url) {
                (Some(label), Some(url)) => {
                    out.get_url(url.clone()).label(label.clone()).meta(entry)?;
                }
                (Some(_), None) => out.stat("feed-entries-without-address", 1),
                (None, _) if self.each.is_none() => out.item(entry)?,
                (None, _) => {}
            }
        }
        Ok(Taken::Mine)
    }
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeds")
            .field("own", &self.own)
            .field("follow", &self.follow)
            .finish_non_exhaustive()
    }
}
