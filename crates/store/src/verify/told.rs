//! What has been found so far: told as it comes, counted, and noted where it can be mended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::finding::{Finding, Kind, Level};
use crate::archive::Harm;

/// Most mends that are remembered; for the rest the check is made once more.
const MOST_FIXES: usize = 200_000;

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Findings by name, notes included.
    pub findings: BTreeMap<&'static str, u64>,
    /// Findings that are damage.
    pub damage: u64,
    /// Events of the settle log.
    pub events: u64,
    /// Distinct URLs in it.
    pub urls: u64,
    /// Page records.
    pub pages: u64,
    /// Items.
    pub items: u64,
    /// Files that items asked for.
    pub files: u64,
    /// Records in the body files.
    pub records: u64,
    /// Lines of feeds that were compared with the items.
    pub feed_lines: u64,
    /// What was mended, for people; empty if nothing was, or was to be.
    pub repairs: Vec<String>,
    /// Whether there was more to mend than is remembered: verify once more.
    pub is_more: bool,
}

/// What can be mended of what was found.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    /// Values to be written, or removed.
    pub(super) values: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Pages whose pointers lead nowhere, and why.
    pub(super) bodies: BTreeMap<u64, String>,
    /// Pages whose files are lost, and why.
    pub(super) lost_files: BTreeMap<u64, String>,
    /// Files that are not what was written.
    pub(super) bad_files: Vec<PathBuf>,
    /// Body files that are to be written anew.
    pub(super) harms: BTreeMap<String, Harm>,
    /// Places in them.
    n_harms: usize,
    pub(super) item_keys: bool,
    /// Pages whose items or keys cannot be read: what the index has of them stays.
    pub(super) unread: BTreeSet<u64>,
    pub(super) manifest: bool,
    pub(super) journal: bool,
    pub(super) tables: bool,
    pub(super) seal: bool,
    /// The file is written anew from the database.
    pub(super) runs: bool,
    /// Files to be removed.
    pub(super) files: Vec<PathBuf>,
    /// Files to be cut, and to which length.
    pub(super) cuts: Vec<(PathBuf, u64)>,
    pub(super) is_more: bool,
}

impl Fixes {
    pub(super) fn put(&mut self, key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) {
        match self.values.len() < MOST_FIXES {
            true => drop(self.values.insert(key.into(), value)),
            false => self.is_more = true,
        }
    }

    pub(super) fn leave(&mut self, print: u64) {
        match self.unread.len() < MOST_FIXES {
            true => drop(self.unread.insert(print)),
            false => self.is_more = true,
        }
    }

    /// Takes a page's pointer away; the first reason counts.
    pub(super) fn unpoint(&mut self, print: u64, why: String) {
        match self.bodies.len() < MOST_FIXES {
            true => drop(self.bodies.entry(print).or_insert(why)),
            false => self.is_more = true,
        }
    }

    /// Takes a page's file away; the first reason counts.
    pub(super) fn lose_file(&mut self, print: u64, why: String) {
        match self.lost_files.len() < MOST_FIXES {
            true => drop(self.lost_files.entry(print).or_insert(why)),
            false => self.is_more = true,
        }
    }

    /// The harm of a body file, to be added to; `None` if more is not remembered.
    pub(super) fn harm(&mut self, name: &str) -> Option<&mut Harm> {
        if self.n_harms >= MOST_FIXES {
            self.is_more = true;
            return None;
        }
        self.n_harms += 1;
        Some(self.harms.entry(name.to_owned()).or_default())
    }
}

/// Tells findings.
pub(super) struct Told<'a> {
    tell: &'a mut dyn FnMut(&Finding),
    pub(super) sums: Verified,
    pub(super) fixes: Fixes,
}

impl std::fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Told").field("sums", &self.sums).finish_non_exhaustive()
    }
}

impl<'a> Told<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(&Finding)) -> Self {
        Self { tell, sums: Verified::default(), fixes: Fixes::default() }
    }

    pub(super) fn tell(&mut self, finding: Finding) {
        *self.sums.findings.entry(finding.finding.name()).or_default() += 1;
        self.sums.damage += u64::from(finding.level == Level::Damage);
        (self.tell)(&finding);
    }

    /// A value of the database that does not decode.
    pub(super) fn unreadable(&mut self, key: &[u8], what: &str) {
        self.tell(Finding::new(Kind::UnreadableValue, what).under(key));
    }
}
