//! What the settle log amounts to: where each URL stands.
//!
//! The one place in the store that gives events their meaning; counts, hosts and the list of URLs
//! all come from it. The frontier does the same for its own ends.
//!
//! Holds some twenty bytes per URL while it runs, and nothing of the URLs themselves.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Counts, FilterReason, Fingerprint, Verdict};
use serde::Serialize;

use crate::StoreError;
use crate::codec::{Raw, RawFound, RawSettle};
use crate::inspect::host_of;
use crate::log::{Log, LogFiles};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Queued,
    Settled(Verdict, u64),
    /// Filtered where it was found.
    Filtered(FilterReason),
    /// Filtered after it had been admitted.
    Expelled(FilterReason),
}

impl Standing {
    fn was_admitted(self) -> bool {
        match self {
            Self::Queued | Self::Settled(..) | Self::Expelled(_) => true,
            Self::Filtered(_) => false,
        }
    }
}

/// Fingerprints are hashes already.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type Standings = HashMap<Fingerprint, Standing, BuildHasherDefault<AsIs>>;

/// The log so far.
#[derive(Debug, Default)]
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

    /// Whether a text is this URL.
    pub(crate) fn is(&self, text: &str) -> bool {
        text.contains(self.host)
            && CanonicalUrl::parse(text)
                .is_ok_and(|url| url.without_credentials().key() == self.key)
    }
}

impl Fold {
    /// Folds what is committed.
    pub(crate) fn of(files: &Arc<LogFiles>, part: Part<'_>) -> Result<Self, StoreError> {
        let mut fold = Self::default();
        let (url, with_links) = match part {
            Part::All => (None, false),
            Part::Of(url) => (Some(SameUrl::new(url)), false),
            Part::AndLinks(url) => (Some(SameUrl::new(url)), true),
        };
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            if url.as_ref().is_none_or(|url| fold.concerns(url, with_links, &raw)) {
                fold.apply(&raw);
            }
        }
        Ok(fold)
    }

    fn concerns(&self, url: &SameUrl<'_>, with_links: bool, raw: &Raw<'_>) -> bool {
        let print = match raw {
            Raw::Found(found) => {
                let is_link = || with_links && found.referrer.is_some_and(|from| url.is(from));
                return url.is(found.url) || is_link();
            }
            Raw::Settled { ending, .. } | Raw::Retried { ending, .. } => ending.print,
            Raw::Filtered { print, .. } => *print,
        };
        self.standings.contains_key(&print)
    }

    /// The fingerprints of all URLs, in no order.
    pub(crate) fn prints(self) -> impl Iterator<Item = Fingerprint> {
        self.standings.into_keys()
    }

    fn apply(&mut self, raw: &Raw<'_>) {
        match *raw {
            Raw::Found(RawFound { print, filtered, renews, .. }) => {
                self.found(print, filtered, renews);
            }
            Raw::Settled { n, ending, verdict } => {
                self.standings.insert(ending.print, Standing::Settled(verdict, n));
            }
            Raw::Retried { .. } => self.retries += 1,
            Raw::Filtered { print, reason } => {
                let standing = self.standings.entry(print).or_insert(Standing::Queued);
                if *standing == Standing::Queued {
                    *standing = Standing::Expelled(reason);
                }
            }
        }
    }

    fn found(&mut self, print: Fingerprint, filtered: Option<FilterReason>, renews: bool) {
        let new = filtered.map_or(Standing::Queued, Standing::Filtered);
        let standing = self.standings.entry(print).or_insert(new);
        let waits_anew = match standing {
            Standing::Queued => false,
            Standing::Settled(..) => renews,
            // Not known: on a shorter path, or under other limits, it may come in.
            Standing::Filtered(_) | Standing::Expelled(_) => true,
        };
        if waits_anew && filtered.is_none() {
            *standing = Standing::Queued;
        }
    }

    /// Whether a URL waits.
    pub(crate) fn is_queued(&self, print: Fingerprint) -> bool {
        self.standings.get(&print) == Some(&Standing::Queued)
    }

    /// The conservation law in numbers; items are not in the log.
    pub(crate) fn counts(&self, items: u64) -> Counts {
        let mut counts = Counts { items, retries: self.retries, ..Counts::default() };
        for standing in self.standings.values() {
            counts.discovered += 1;
            match *standing {
                Standing::Queued => counts.queued += 1,
                Standing::Settled(verdict, _) => counts.add_settled(verdict),
                Standing::Filtered(reason) | Standing::Expelled(reason) => {
                    counts.add_filtered(reason);
                }
            }
        }
        counts
    }

    /// Sums by host, in the order of their names. Reads the log twice more.
    pub(crate) fn hosts(mut self, files: &Arc<LogFiles>) -> Result<Vec<HostRow>, StoreError> {
        let mut hosts = HashMap::<String, HostRow>::new();
        let mut log = Log::settles_from(files, 1)?;
        while let Some(RawSettle { n, ending, verdict, facts }) = log.next_settle()? {
            // What has settled since the fold is left for the next look.
            if self.standings.get(&ending.print) != Some(&Standing::Settled(verdict, n)) {
                continue;
            }
            self.standings.remove(&ending.print);
            let row = row_of(&mut hosts, ending.host);
            row.settled += 1;
            row.pages += u64::from(verdict.is_page());
            row.items += u64::from(facts.n_items);
            row.bytes += facts.bytes;
        }
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            let Raw::Found(found) = raw else { continue };
            let Some(standing) = self.standings.remove(&found.print) else { continue };
            let host = host_of(found.url).ok_or_else(|| StoreError::corrupt("URL in the log"))?;
            let row = row_of(&mut hosts, host);
            match standing {
                Standing::Queued => row.queued += 1,
                Standing::Settled(..) => row.settled += 1,
                Standing::Filtered(_) | Standing::Expelled(_) => row.filtered += 1,
            }
        }
        let mut rows: Vec<_> = hosts.into_values().collect();
        rows.sort_unstable_by(|a, b| a.host.cmp(&b.host));
        Ok(rows)
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
            let Some(standing) = self.standings.get(&found.print).copied() else { continue };
            // The line that counted: of an admitted URL, that which admitted it.
            if standing.was_admitted() == found.filtered.is_none() {
                self.standings.remove(&found.print);
                return Ok(Some(row(&found, standing)));
            }
        }
        Ok(None)
    }
}

fn row_of<'a>(hosts: &'a mut HashMap<String, HostRow>, host: &str) -> &'a mut HostRow {
    if !hosts.contains_key(host) {
        hosts.insert(host.to_owned(), HostRow { host: host.to_owned(), ..HostRow::default() });
    }
    hosts.get_mut(host).expect("it was just put there")
}

fn row(found: &RawFound<'_>, standing: Standing) -> UrlRow {
    let (state, verdict, n) = match standing {
        Standing::Queued => (UrlState::Queued, "queued", None),
        Standing::Settled(verdict, n) => (UrlState::Settled, verdict.name(), Some(n)),
        Standing::Filtered(reason) | Standing::Expelled(reason) => {
            (UrlState::Filtered, reason.name(), None)
        }
    };
    let (url, print) = (shown(found.url), found.print);
    let referrer = found.referrer.map(shown);
    UrlRow { url, verdict, state, depth: found.depth, n, referrer, print }
}

/// A URL of the log as it is shown: without user name and password.
fn shown(url: &str) -> String {
    if !url.contains('@') {
        return url.to_owned();
    }
    CanonicalUrl::parse(url)
        .map_or_else(|_| url.to_owned(), |url| url.without_credentials().as_str().to_owned())
}
