//! Tells sites that make up URLs without end from those that only have many pages.
//!
//! What the URL alone says (`path`) is part of the scope. What takes a memory is here: it is asked
//! once for each admitted URL, in the order of the settle log, so that the fold over the log comes
//! to the same counts.
//!
//! All tables have a fixed size. When one is full it forgets its smallest entries, so what is
//! counted may be too little, never too much: nothing is refused below its limit. Keys are hashes
//! under the crawl's secret, which no site can aim at.
//!
//! Not here: pages that are byte for byte the same; who reads them counts them.

mod dates;
mod facets;
pub(crate) mod path;
mod saved;
mod sessions;
mod sightings;
mod table;
#[cfg(test)]
mod tests;

use crawl_model::{CanonicalUrl, FilterReason, Fingerprinter};

use crate::config::{ScopeConfig, TrapsConfig};

use dates::Dates;
use facets::Facets;
pub(crate) use saved::Counts;
use sessions::Sessions;
use sightings::Sightings;
pub use sightings::TrapSighting;
use table::Table;

/// Prefixes that are counted at a time: 2 MB.
const MAX_PREFIXES: usize = 1 << 16;

/// What is counted of a crawl's URLs.
#[derive(Debug)]
pub(crate) struct Guards {
    prints: Fingerprinter,
    max_per_prefix: u64,
    prefixes: Table<u64>,
    dates: Dates,
    sessions: Sessions,
    facets: Facets,
    sightings: Sightings,
}

/// A URL's places in the tables.
struct Places {
    prefix: Option<u64>,
    date: Option<u64>,
    session: Option<sessions::Place>,
    facets: Option<facets::Place>,
}

impl Guards {
    /// Counts from nothing. `year` is the present one.
    pub(crate) fn new(
        scope: &ScopeConfig,
        traps: &TrapsConfig,
        prints: Fingerprinter,
        year: u32,
    ) -> Self {
        Self {
            prints,
            max_per_prefix: scope.max_urls_per_prefix,
            prefixes: Table::new(MAX_PREFIXES),
            dates: Dates::new(traps.max_calendar_pages, year),
            sessions: Sessions::new(traps.max_session_values),
            facets: Facets::new(traps.max_facet_mixes),
            sightings: Sightings::default(),
        }
    }

    /// Counts an admitted URL, or says why it is refused after all.
    pub(crate) fn judge(&mut self, url: &CanonicalUrl) -> Option<FilterReason> {
        let places = self.places(url);
        let refused = self.refuses(&places);
        if refused.is_none() {
            self.count(&places);
        }
        refused
    }

    /// What [`judge`](Self::judge) would say now.
    pub(crate) fn would_refuse(&self, url: &CanonicalUrl) -> Option<FilterReason> {
        self.refuses(&self.places(url))
    }

    /// Takes a URL back that was counted.
    pub(crate) fn uncount(&mut self, url: &CanonicalUrl) {
        let places = self.places(url);
        for (table, key) in [
            (&mut self.prefixes, places.prefix),
            (self.dates.table(), places.date),
            (self.sessions.table(), places.session.map(|place| place.rest)),
        ] {
            key.into_iter().for_each(|key| table.subtract(key));
        }
        places.facets.into_iter().for_each(|place| self.facets.uncount(&place));
    }

    /// Notes a refused URL for the report.
    pub(crate) fn sighted(&mut self, url: &CanonicalUrl, reason: FilterReason) {
        if reason.is_trap() {
            self.sightings.note(url, reason);
        }
    }

    /// What was refused where, the most first.
    pub(crate) fn sightings(&self) -> Vec<TrapSighting> {
        self.sightings.all()
    }

    fn places(&self, url: &CanonicalUrl) -> Places {
        let prefix = (self.max_per_prefix != 0).then(|| self.prefix(url));
        Places {
            prefix,
            date: self.dates.place(&self.prints, url),
            session: self.sessions.place(&self.prints, url),
            facets: self.facets.place(&self.prints, url),
        }
    }

    fn refuses(&self, places: &Places) -> Option<FilterReason> {
        let is_full =
            |key: &u64| self.prefixes.get(*key).is_some_and(|&n| n >= self.max_per_prefix);
        if places.prefix.as_ref().is_some_and(is_full) {
            Some(FilterReason::PrefixBudget)
        } else if places.date.is_some_and(|key| self.dates.refuses(key)) {
            Some(FilterReason::TrapCalendar)
        } else if places.session.as_ref().is_some_and(|place| self.sessions.refuses(place)) {
            Some(FilterReason::TrapSessions)
        } else if places.facets.as_ref().is_some_and(|place| self.facets.refuses(place)) {
            Some(FilterReason::TrapFacets)
        } else {
            None
        }
    }

    fn count(&mut self, places: &Places) {
        places.prefix.into_iter().for_each(|key| self.prefixes.add(key));
        places.date.into_iter().for_each(|key| self.dates.table().add(key));
        places.session.as_ref().into_iter().for_each(|place| self.sessions.count(place));
        places.facets.as_ref().into_iter().for_each(|place| self.facets.count(place));
    }

    /// Host, the first two folders of the path, and the names of the query's parameters.
    fn prefix(&self, url: &CanonicalUrl) -> u64 {
        let path = url.path();
        let folders = path.match_indices('/').map(|(at, _)| at).take(3).last().unwrap_or(0);
        let query = query_of(url);
        if query.is_empty() {
            return self.prints.of_text([url.host_str(), &path[..folders]]);
        }
        let mut names: Vec<&str> = query.split('&').map(name_of).collect();
        names.sort_unstable();
        names.dedup();
        self.prints.of_text([url.host_str(), &path[..folders]].into_iter().chain(names))
    }
}

/// The query of a URL, without the `?`; empty if it has none.
fn query_of(url: &CanonicalUrl) -> &str {
    let whole = url.path_and_query();
    whole.get(url.path().len() + 1..).unwrap_or_default()
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}
