//! Facets: a search form of a few dozen switches has more settings than a site has pages.
//!
//! A catalogue brings a new value with each page: `?cat=7&id=1234`. Facets only mix the values that
//! there are. So what is counted are the URLs of a path that bring no value the path has not had;
//! a path may have a number of them, or eight for each of its values, whichever is more: there are
//! lists with page numbers, and topics of several pages. A path with very many values is no form.

use std::collections::HashSet;

use crawl_model::{CanonicalUrl, Fingerprinter};

use super::query_of;
use super::table::{Table, Weight};

/// Paths that are looked at at a time: 4 MB at worst.
const MAX_PATHS: usize = 512;
/// Values beyond which a path is no form.
const MAX_VALUES: usize = 1024;
/// Mixtures for each value that any path may have.
const MIXES_PER_VALUE: u64 = 8;

/// Paths whose queries have several parameters.
#[derive(Debug)]
pub(super) struct Facets {
    limit: u32,
    pub(super) paths: Table<Values>,
}

/// The values of a path's parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Values {
    pub(super) known: HashSet<u32>,
    /// Whether they are too many to be those of a form.
    pub(super) is_catalogue: bool,
    pub(super) n_mixes: u64,
}

impl Weight for Values {
    fn weight(&self) -> u64 {
        self.n_mixes
    }
}

/// Where a URL with several parameters is counted.
pub(super) struct Place {
    path: u64,
    values: Vec<u32>,
}

impl Facets {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, paths: Table::new(MAX_PATHS) }
    }

    pub(super) fn place(&self, prints: &Fingerprinter, url: &CanonicalUrl) -> Option<Place> {
        let query = query_of(url);
        if self.limit == 0 || !query.contains('&') {
            return None;
        }
        // Half of the bits are enough to tell a thousand values apart.
        let value = |pair| (prints.of_text([pair]) >> 32) as u32;
        let values = query.split('&').map(value).collect();
        Some(Place { path: prints.of_text([url.host_str(), url.path()]), values })
    }

    pub(super) fn refuses(&self, place: &Place) -> bool {
        self.paths.get(place.path).is_some_and(|path| {
            let most = u64::from(self.limit).max(path.known.len() as u64 * MIXES_PER_VALUE);
            path.mixes(place) && path.n_mixes >= most
        })
    }

    pub(super) fn count(&mut self, place: &Place) {
        let path = self.paths.entry(place.path);
        if path.mixes(place) {
            path.n_mixes += 1;
        } else if !path.is_catalogue {
            path.known.extend(&place.values);
            path.is_catalogue = path.known.len() > MAX_VALUES;
            if path.is_catalogue {
                path.known = HashSet::new();
            }
        }
    }

    /// Takes back what was counted; a value that was new stays known.
    pub(super) fn uncount(&mut self, place: &Place) {
        let path = self.paths.entry(place.path);
        path.n_mixes = path.n_mixes.saturating_sub(1);
    }
}

impl Values {
    /// Whether the URL brings nothing that the path has not had.
    fn mixes(&self, place: &Place) -> bool {
        !self.is_catalogue && place.values.iter().all(|value| self.known.contains(value))
    }
}
