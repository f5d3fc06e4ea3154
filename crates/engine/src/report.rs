//! What is to be said of a run when it is over.

use std::collections::BTreeMap;
use std::time::Duration;

use crawl_frontier::{End, Resumed, TrapSighting};
use crawl_model::{Counts, FieldCounts};
use crawl_store::{Drift, DropCounts};

use crate::recrawl::Recrawled;
use crate::seeds_file::SeedsRead;

/// How a run went.
#[derive(Debug, Clone)]
pub struct Report {
    /// Why it ended.
    pub end: End,
    /// Where every URL stands, over all runs.
    pub counts: Counts,
    /// The traps that were met, those with the most URLs first, over all runs.
    pub traps: Vec<TrapSighting>,
    /// URLs settled in this run.
    pub settled_this_run: u64,
    /// Pages settled in this run.
    pub pages_this_run: u64,
    /// Items taken in this run.
    pub items_this_run: u64,
    /// From start to the last flush.
    pub elapsed: Duration,
    /// What was found of earlier runs; `None` on a first run.
    pub resumed: Option<Resumed>,
    /// What came of the pages that were due again; `None` if none can be.
    pub recrawled: Option<Recrawled>,
    /// Limits that differ from the last run's.
    pub changed: Vec<Change>,
    /// What recovery and feeds had to say, a sentence each.
    pub notes: Vec<String>,
    /// What was read of the file of seeds in this run; `None` if there is none, or it is a
    /// standard input that was still being read.
    pub seeds: Option<SeedsRead>,
    /// Why the spider wanted the crawl closed (`Harvest::stop`); `None` if it did not.
    pub stopped: Option<String>,
    /// Items that steps of the pipeline dropped in this run.
    pub dropped_this_run: u64,
    /// How many items were dropped and for which reasons, over all runs.
    pub dropped: DropCounts,
    /// Which fields the items of this run have, goings-on after kills and stops included.
    pub fields: FieldCounts,
    /// What is much worse than in the last run that ended, before a `fresh` start, too; empty
    /// unless this one has ended by itself.
    pub drifts: Vec<Drift>,
    /// What the spider counted in this run (`Harvest::stat`), by name.
    pub spider_stats: BTreeMap<String, i64>,
}

impl Report {
    /// Whether there was nothing left to fetch from the start.
    #[must_use]
    pub fn is_nothing_to_do(&self) -> bool {
        self.resumed.is_some() && self.settled_this_run == 0 && self.end == End::Finished
    }
}

/// A limit that differs from the one the store was last crawled under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Full key, such as `scope.max-depth`.
    pub key: String,
    /// As it was, in JSON.
    pub old: String,
    /// As it is, in JSON.
    pub new: String,
}

/// Lists the keys whose values differ; both are objects of tables.
pub(crate) fn changes(old: &serde_json::Value, new: &serde_json::Value) -> Vec<Change> {
    let mut found = Vec::new();
    let empty = serde_json::Map::new();
    for (table, new) in new.as_object().unwrap_or(&empty) {
        let old = old.get(table).and_then(|t| t.as_object()).unwrap_or(&empty);
        for (key, new) in new.as_object().unwrap_or(&empty) {
            match old.get(key) {
                Some(old) if old != new => found.push(Change {
                    key: format!("{table}.{key}"),
                    old: old.to_string(),
                    new: new.to_string(),
                }),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_limit_is_named_with_both_values() {
        let old = json!({"scope": {"max-depth": 3, "max-pages": 0}});
        let new = json!({"scope": {"max-depth": 4, "max-pages": 0, "added": 1}});
        let expected = Change { key: "scope.max-depth".into(), old: "3".into(), new: "4".into() };
        assert_eq!(changes(&old, &new), [expected]);
    }
}
