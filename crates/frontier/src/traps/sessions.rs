//! Session ids under names that nobody knows: each visit of a page brings links with a new one, so
//! every page has URLs without end.
//!
//! An article's id looks like that, too. But it has one page, or a few (to read it, to edit it);
//! a session id is in the links to every page. So only where several pages of a host have many
//! values of one name is each held to its number. Known names need none of this: the key by which
//! duplicates are told leaves them out (`scope.identity`).

use crawl_model::{CanonicalUrl, Fingerprinter};

use super::table::Table;
use super::{name_of, query_of};

/// Pages and names that are counted at a time.
const MAX_PAGES: usize = 1 << 16;
const MAX_NAMES: usize = 1 << 14;
/// Values after which a page says something of the name.
const MANY_VALUES: u64 = 16;
/// Such pages after which a name is held to be that of a session id.
const MANY_PAGES: u64 = 5;
/// Fewest characters of an id.
const MIN_ID: usize = 16;

/// Pages with ids.
#[derive(Debug)]
pub(super) struct Sessions {
    limit: u32,
    /// URLs without their id, with the number of ids.
    pub(super) pages: Table<u64>,
    /// Names, with the number of pages that have many.
    pub(super) names: Table<u64>,
}

/// Where a URL with an id is counted.
pub(super) struct Place {
    pub(super) rest: u64,
    name: u64,
}

impl Sessions {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, pages: Table::new(MAX_PAGES), names: Table::new(MAX_NAMES) }
    }

    pub(super) fn table(&mut self) -> &mut Table<u64> {
        &mut self.pages
    }

    /// The page and the name of the first id in a URL, if there is one.
    pub(super) fn place(&self, prints: &Fingerprinter, url: &CanonicalUrl) -> Option<Place> {
        if self.limit == 0 {
            return None;
        }
        let (host, path, query) = (url.host_str(), url.path(), query_of(url));
        let is_id_of_query = |pair: &&str| is_id(&pair[name_of(pair).len()..]);
        if let Some(pair) = query.split('&').find(is_id_of_query) {
            let others = query.split('&').filter(|&other| other != pair);
            let rest = prints.of_text([host, path].into_iter().chain(others));
            return Some(Place { rest, name: prints.of_text([host, name_of(pair)]) });
        }
        let at = path.split('/').position(is_id)?;
        let others = path.split('/').enumerate().map(|(i, other)| if i == at { "" } else { other });
        let rest = prints.of_text([host].into_iter().chain(others).chain([query]));
        // Its name is its place, behind what comes before it.
        let before = path.split('/').take(at);
        Some(Place { rest, name: prints.of_text([host, "/"].into_iter().chain(before)) })
    }

    pub(super) fn refuses(&self, place: &Place) -> bool {
        self.pages.is_full(place.rest, self.limit)
            && self.names.get(place.name).is_some_and(|&n| n >= MANY_PAGES)
    }

    pub(super) fn count(&mut self, place: &Place) {
        self.pages.add(place.rest);
        if self.pages.get(place.rest) == Some(&MANY_VALUES) {
            self.names.add(place.name);
        }
    }
}

/// Whether a value (with or without its `=`) looks drawn by lot: letters and digits mixed, and
/// many, or a UUID.
fn is_id(value: &str) -> bool {
    let value = value.strip_prefix('=').unwrap_or(value);
    if value.len() < MIN_ID {
        return false; // nearly all are
    }
    let n_digits = value.bytes().filter(u8::is_ascii_digit).count();
    let n_letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let has_both = n_digits >= 3 && n_letters >= 2;
    let is_plain = n_digits + n_letters == value.len();
    let is_uuid = value.len() == 36
        && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        && value.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    has_both && (is_plain || is_uuid)
}
