//! What the report says of traps: which kind, on which host, under which path, how many URLs.

use std::collections::HashMap;

use crawl_model::{CanonicalUrl, FilterReason};

/// Hosts and traps that are remembered: of more the smallest are forgotten.
const MAX_SIGHTINGS: usize = 256;

/// A trap, or a budget that bounds one, on one host.
/// As JSON it is what `crawl run --json` prints; the field names are stable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TrapSighting {
    /// Where.
    pub host: String,
    /// What it was held to be.
    pub reason: FilterReason,
    /// What the paths of the refused URLs begin with, in whole segments.
    pub place: String,
    /// URLs refused, over all runs.
    pub n_refused: u64,
}

/// A host and what is wrong there.
pub(super) type Key = (Box<str>, FilterReason);

/// The traps that were met.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// The place and the number of URLs.
    pub(super) by_host: HashMap<Key, (Box<str>, u64)>,
}

impl Sightings {
    pub(super) fn note(&mut self, url: &CanonicalUrl, reason: FilterReason) {
        // A lookup by a borrowed pair would need a second map; traps are few.
        let key = (Box::from(url.host_str()), reason);
        if self.by_host.len() >= MAX_SIGHTINGS && !self.by_host.contains_key(&key) {
            self.forget();
        }
        let (place, n) = self.by_host.entry(key).or_insert_with(|| (url.path().into(), 0));
        *n += 1;
        if !url.path().starts_with(&**place) {
            *place = common(place, url.path()).into();
        }
    }

    /// All of them, those with the most URLs first.
    pub(super) fn all(&self) -> Vec<TrapSighting> {
        let sighting = |(key, value): (&Key, &(Box<str>, u64))| TrapSighting {
            host: key.0.to_string(),
            reason: key.1,
            place: value.0.to_string(),
            n_refused: value.1,
        };
        let mut all: Vec<_> = self.by_host.iter().map(sighting).collect();
        all.sort_by(|a, b| {
            b.n_refused
                .cmp(&a.n_refused)
                .then_with(|| (&a.host, a.reason).cmp(&(&b.host, b.reason)))
        });
        all
    }

    /// Drops the smaller half.
    fn forget(&mut self) {
        let all = self.all();
        let middle = all.get(all.len() / 2).map_or(0, |sighting| sighting.n_refused);
        self.by_host.retain(|_, (_, n)| *n > middle);
    }
}

/// What two paths have in common, up to a slash.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let end = a.as_bytes()[..length].iter().rposition(|&byte| byte == b'/');
    &a[..end.map_or(0, |slash| slash + 1)]
}
