//! The counts as bytes, for a checkpoint: without them a fold would have to begin with the log.
//!
//! Numbers are 64 bits, little end first; texts have their length before them. Whoever keeps the
//! bytes guards them with a checksum; what does not read to the end is no such text.

use std::collections::HashSet;

use crawl_model::FilterReason;

use super::Guards;
use super::facets::Values;
use super::table::{Table, Weight};

/// First byte of all that is written here. To be raised when what is counted changes.
const VERSION: u64 = 1;

impl Guards {
    /// All counts as bytes.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut out = Out(Vec::new());
        out.number(VERSION);
        for table in [&self.prefixes, &self.dates.far, &self.sessions.pages, &self.sessions.names] {
            out.table(table, |out, &n| out.number(n));
        }
        out.table(&self.facets.paths, |out, values| {
            out.number(values.n_mixes);
            out.number(u64::from(values.is_catalogue));
            out.number(values.known.len() as u64);
            values.known.iter().for_each(|&value| out.number(u64::from(value)));
        });
        let sightings = self.sightings.all();
        out.number(sightings.len() as u64);
        for sighting in sightings {
            out.text(&sighting.host);
            out.number(sighting.reason as u64);
            out.text(&sighting.place);
            out.number(sighting.n_refused);
        }
        out.0
    }

    /// Takes counts over.
    pub(crate) fn fill(&mut self, counts: Counts) {
        let Counts { tables, paths, sightings } = counts;
        let [prefixes, far, pages, names] = tables;
        self.prefixes.fill(prefixes);
        self.dates.far.fill(far);
        self.sessions.pages.fill(pages);
        self.sessions.names.fill(names);
        self.facets.paths.fill(paths);
        self.sightings.by_host = sightings.into_iter().collect();
    }
}

/// Counts that were read back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counts {
    tables: [Vec<(u64, u64)>; 4],
    paths: Vec<(u64, Values)>,
    sightings: Vec<Sighting>,
}

type Sighting = ((Box<str>, FilterReason), (Box<str>, u64));

impl Counts {
    /// Reads what [`save`](Guards::save) wrote; `None` if it did not write these.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.number()? != VERSION {
            return None;
        }
        let mut tables = [(); 4].map(|()| Vec::new());
        for table in &mut tables {
            *table = rest.list(|rest| Some((rest.number()?, rest.number()?)))?;
        }
        let paths = rest.list(|rest| {
            let (key, n_mixes, is_catalogue) =
                (rest.number()?, rest.number()?, rest.number()? != 0);
            let known = rest.list(|rest| u32::try_from(rest.number()?).ok())?;
            let known = known.into_iter().collect::<HashSet<_>>();
            Some((key, Values { known, is_catalogue, n_mixes }))
        })?;
        let sightings = rest.list(|rest| {
            let (host, reason) = (rest.text()?, u8::try_from(rest.number()?).ok()?);
            let reason = FilterReason::from_index(reason)?;
            Some(((host, reason), (rest.text()?, rest.number()?)))
        })?;
        if !rest.0.is_empty() {
            return None;
        }
        Some(Self { tables, paths, sightings })
    }
}

/// Bytes that are written.
struct Out(Vec<u8>);

impl Out {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn table<V: Weight + Default>(&mut self, table: &Table<V>, write: impl Fn(&mut Self, &V)) {
        self.number(table.iter().count() as u64);
        for (&key, value) in table.iter() {
            self.number(key);
            write(self, value);
        }
    }
}

/// Bytes that are still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> Option<Box<str>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Box::from)
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Grown as it is read: what is announced may not be there.
        (0..self.number()?).map(|_| read(self)).collect()
    }
}
