//! What the settle log amounts to: where each URL stands.
//!
//! The one place in the store that gives events their meaning; counts, hosts and the list of URLs
//! all come from it. The frontier does the same for its own ends.
//!
//! Holds some thirty bytes per URL while it runs, and nothing of the URLs themselves.

mod hosts;
mod standings;

use std::sync::Arc;

use crawl_model::{CanonicalUrl, Counts, FilterReason, Fingerprint, Verdict};
use memchr::memchr2;
use serde::Serialize;

use crate::StoreError;
use crate::codec::{Raw, RawFound};
use crate::log::{Log, LogFiles};

use standings::{HostNumber, MOST_SETTLES, Standing, Standings, Told};

/// Where a URL stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UrlState {
    /// Admitted, and not ended: waiting or in hand.
    Queued,
    /// Ended with a verdict.
    Settled,
    /// Not tried.
    Filtered,
}

/// One URL, as `crawl inspect` shows it. The field names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UrlRow {
    /// The URL.
    pub url: String,
    /// Name of the verdict or of the filter's reason; `queued` if it has not ended.
    pub verdict: &'static str,
    /// Where it stands.
    pub state: UrlState,
    /// Link distance from the nearest seed, when it was admitted or else found.
    pub depth: u32,
    /// Settle number, if it has settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// The page that linked to it first; absent for seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Key in the store.
    #[serde(skip)]
    pub print: Fingerprint,
}

/// One host, as `crawl inspect` shows it. The field names are stable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostRow {
    /// The host.
    pub host: String,
    /// Settled URLs that are pages.
    pub pages: u64,
    /// Settled URLs.
    pub settled: u64,
    /// Admitted URLs that have not ended.
    pub queued: u64,
    /// URLs that were not tried.
    pub filtered: u64,
    /// Items from its pages.
    pub items: u64,
    /// Bytes of their bodies, decoded.
    pub bytes: u64,
}

/// The log so far.
#[derive(Debug)]
pub(crate) struct Fold {
    standings: Standings,
    retries: u64,
}

/// What of the log is folded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    All,
    /// Only what was asked for at a URL.
    Of(&'a CanonicalUrl),
    /// This, and the URLs that its page was the first to link to.
    AndLinks(&'a CanonicalUrl),
}

/// Tells one URL from all others: credentials do not count, nor does how it is escaped.
pub(crate) struct SameUrl<'a> {
    host: &'a str,
    key: String,
}

impl<'a> SameUrl<'a> {
    pub(crate) fn new(url: &'a CanonicalUrl) -> Self {
        Self { host: url.host_str(), key: url.without_credentials().key().into_owned() }
    }

    /// Whether a text, that of a URL of the log, is this URL.
    pub(crate) fn is(&self, text: &str) -> bool {
        // What has neither credentials nor escapes can be written in one way only.
        if text == self.key {
            return true;
        }
        memchr2(b'@', b'%', text.as_bytes()).is_some()
            && text.contains(self.host)
            && CanonicalUrl::parse(text)
                .is_ok_and(|url| url.without_credentials().key() == self.key)
    }
}

impl Fold {
    /// Folds what is committed.
    pub(crate) fn of(files: &Arc<LogFiles>, part: Part<'_>) -> Result<Self, StoreError> {
        let (url, with_links) = match part {
            Part::All => return Self::of_all(files),
            Part::Of(url) => (SameUrl::new(url), false),
            Part::AndLinks(url) => (SameUrl::new(url), true),
        };
        let mut fold = Self { standings: Standings::of_some(), ..Self::all() };
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            if fold.concerns(&url, with_links, &raw) {
                fold.apply(&raw, 0, &mut |_| {})?;
            }
        }
        Ok(fold)
    }

    fn of_all(files: &Arc<LogFiles>) -> Result<Self, StoreError> {
        let mut fold = Self::all();
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            fold.apply(&raw, 0, &mut |_| {})?;
        }
        fold.standings.finish(&mut |_| {});
        Ok(fold)
    }

    fn all() -> Self {
        Self { standings: Standings::of_all(), retries: 0 }
    }

    fn concerns(&self, url: &SameUrl<'_>, with_links: bool, raw: &Raw<'_>) -> bool {
        let print = match raw {
            Raw::Found(found) => {
                let is_link = || with_links && found.referrer().is_some_and(|from| url.is(from));
                return url.is(found.url) || is_link();
            }
            Raw::Settled { ending, .. } | Raw::Retried { ending, .. } => ending.print,
            Raw::Filtered { print, .. } => *print,
        };
        self.standings.get(print).is_some()
    }

    /// The fingerprints of all URLs, in no order.
    pub(crate) fn prints(&self) -> impl Iterator<Item = Fingerprint> {
        self.standings.iter().map(|(print, _)| print)
    }

    /// Takes an event of a URL of `host`. `left` is told of each settle that counts no longer.
    #[inline]
    fn apply(
        &mut self,
        raw: &Raw<'_>,
        host: HostNumber,
        left: &mut impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let (print, standing, renews) = match *raw {
            Raw::Found(RawFound { print, filtered: None, renews, .. }) => {
                (print, Standing::Queued(host), renews)
            }
            Raw::Found(RawFound { print, filtered: Some(reason), .. }) => {
                (print, Standing::Filtered(reason, host), false)
            }
            Raw::Settled { n, ending, verdict } => {
                if n >= MOST_SETTLES {
                    return Err(StoreError::corrupt("settle number in the log"));
                }
                (ending.print, Standing::Settled(verdict, n), false)
            }
            Raw::Retried { .. } => {
                self.retries += 1;
                return Ok(());
            }
            Raw::Filtered { print, reason } => (print, Standing::Expelled(reason, 0), false),
        };
        self.standings.tell(print, Told { standing, renews }, left);
        Ok(())
    }

    /// Whether a URL waits.
    pub(crate) fn is_queued(&self, print: Fingerprint) -> bool {
        matches!(self.standings.get(print), Some(Standing::Queued(_)))
    }

    /// The conservation law in numbers; items are not in the log.
    pub(crate) fn counts(&self, items: u64) -> Counts {
        let mut counts = Counts { items, retries: self.retries, ..Counts::default() };
        let mut settled = vec![0; Verdict::ALL.len()];
        let mut filtered = vec![0; FilterReason::ALL.len()];
        for (_, standing) in self.standings.iter() {
            counts.discovered += 1;
            match standing {
                Standing::Queued(_) => counts.queued += 1,
                Standing::Settled(verdict, _) => settled[verdict as usize] += 1,
                Standing::Filtered(reason, _) | Standing::Expelled(reason, _) => {
                    filtered[reason as usize] += 1;
                }
            }
        }
        for (verdict, n) in Verdict::ALL.iter().zip(settled).filter(|(_, n)| *n > 0) {
            counts.settled.insert(verdict.name().to_owned(), n);
            counts.pages += if verdict.is_page() { n } else { 0 };
        }
        for (reason, n) in FilterReason::ALL.iter().zip(filtered).filter(|(_, n)| *n > 0) {
            counts.filtered.insert(reason.name().to_owned(), n);
        }
        counts
    }

    /// Begins the second pass, which gives each URL its text.
    pub(crate) fn rows(self, files: &Arc<LogFiles>) -> Rows {
        Rows { standings: self.standings, log: Log::all(files) }
    }
}

/// The second pass: every URL once, in the order it was found.
#[derive(Debug)]
pub(crate) struct Rows {
    standings: Standings,
    log: Log,
}

impl Rows {
    pub(crate) fn next(&mut self) -> Result<Option<UrlRow>, StoreError> {
        while let Some(raw) = self.log.next()? {
            let Raw::Found(found) = raw else { continue };
            let Some(standing) = self.standings.get(found.print) else { continue };
            // The line that counted: of an admitted URL, that which admitted it.
            if standing.was_admitted() == found.filtered.is_none() {
                self.standings.remove(found.print);
                return Ok(Some(row(&found, standing)));
            }
        }
        Ok(None)
    }
}

fn row(found: &RawFound<'_>, standing: Standing) -> UrlRow {
    let (state, verdict, n) = match standing {
        Standing::Queued(_) => (UrlState::Queued, "queued", None),
        Standing::Settled(verdict, n) => (UrlState::Settled, verdict.name(), Some(n)),
        Standing::Filtered(reason, _) | Standing::Expelled(reason, _) => {
            (UrlState::Filtered, reason.name(), None)
        }
    };
    let (url, print) = (shown(found.url), found.print);
    let referrer = found.referrer().map(shown);
    UrlRow { url, verdict, state, depth: found.depth(), n, referrer, print }
}

/// A URL of the log as it is shown: without user name and password.
fn shown(url: &str) -> String {
    if !url.contains('@') {
        return url.to_owned();
    }
    CanonicalUrl::parse(url)
        .map_or_else(|_| url.to_owned(), |url| url.without_credentials().as_str().to_owned())
}
