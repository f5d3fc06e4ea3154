//! What the settle log amounts to: where each URL stands.
//!
//! The one place in the store that gives events their meaning; counts, hosts and the list of URLs
//! all come from it. The frontier does the same for its own ends.
//!
//! Holds some twenty bytes per URL while it runs, and nothing of the URLs themselves.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Counts, FilterReason, Fingerprint, Verdict};
use serde::Serialize;

use crate::StoreError;
use crate::codec::{Raw, RawFound};
use crate::database::{Database, decode_page};
use crate::keys;
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

impl Fold {
    /// Folds all that is committed.
    pub(crate) fn of(files: &Arc<LogFiles>) -> Result<Self, StoreError> {
        let mut fold = Self::default();
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            fold.apply(&raw);
        }
        Ok(fold)
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

    /// Sums by host, in the order of their names.
    pub(crate) fn hosts(
        mut self,
        db: &Database,
        files: &Arc<LogFiles>,
    ) -> Result<Vec<HostRow>, StoreError> {
        let mut hosts = BTreeMap::<String, HostRow>::new();
        for entry in db.prefix(&[keys::PAGE]) {
            let (key, json) = entry?;
            let print = keys::print_of(&key).ok_or_else(|| StoreError::corrupt("page key"))?;
            // What has settled since the fold is left for the next look.
            let Some(Standing::Settled(verdict, _)) = self.standings.get(&print) else { continue };
            let verdict = *verdict;
            let record = decode_page(print, &json)?;
            let row = hosts.entry(record.url.host_str().to_owned()).or_default();
            row.settled += 1;
            row.pages += u64::from(verdict.is_page());
            row.items += u64::from(record.n_items);
            self.standings.remove(&print);
        }
        let mut log = Log::all(files);
        while let Some(raw) = log.next()? {
            let Raw::Found(found) = raw else { continue };
            let Some(standing) = self.standings.remove(&found.print) else { continue };
            let url = CanonicalUrl::parse(found.url);
            let url = url.map_err(|e| StoreError::corrupt(format!("URL in the log ({e})")))?;
            let row = hosts.entry(url.host_str().to_owned()).or_default();
            match standing {
                Standing::Queued => row.queued += 1,
                Standing::Settled(..) => row.settled += 1,
                Standing::Filtered(_) | Standing::Expelled(_) => row.filtered += 1,
            }
        }
        let named = hosts.into_iter().map(|(host, row)| HostRow { host, ..row });
        Ok(named.collect())
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

fn row(found: &RawFound<'_>, standing: Standing) -> UrlRow {
    let (state, verdict, n) = match standing {
        Standing::Queued => (UrlState::Queued, "queued", None),
        Standing::Settled(verdict, n) => (UrlState::Settled, verdict.name(), Some(n)),
        Standing::Filtered(reason) | Standing::Expelled(reason) => {
            (UrlState::Filtered, reason.name(), None)
        }
    };
    let (url, print) = (shown(found.url), found.print);
    UrlRow { url, verdict, state, depth: found.depth, n, print }
}

/// A URL of the log as it is shown: without user name and password.
fn shown(url: &str) -> String {
    if !url.contains('@') {
        return url.to_owned();
    }
    CanonicalUrl::parse(url)
        .map_or_else(|_| url.to_owned(), |url| url.without_credentials().as_str().to_owned())
}
