//! What a feed has to know of a page before it looks at its items.
//!
//! A feed follows every page there is. To read all of a record for four of its fields takes longer
//! than to write the items.

use crawl_model::Fingerprint;
use serde::Deserialize;

use crate::database::Database;
use crate::{StoreError, keys};

/// Four fields of a [`PageRecord`](crawl_model::PageRecord).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PageGlance {
    /// Settle number, from 1.
    pub n: u64,
    /// The spider's label; empty for the default callback.
    pub label: String,
    /// Number of items taken from it.
    pub n_items: u32,
    /// Number of files that its items ask for.
    pub n_files: u32,
}

impl PageGlance {
    pub(crate) fn at(db: &Database, print: Fingerprint) -> Result<Option<Self>, StoreError> {
        let Some(json) = db.get(&keys::print(keys::PAGE, print))? else { return Ok(None) };
        let glance = serde_json::from_slice(&json);
        glance.map(Some).map_err(|e| StoreError::corrupt(format!("page {print:?} ({e})")))
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, PageRecord, Verdict};

    use super::*;

    #[test]
    fn it_is_that_of_the_record() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(dir.path(), 1).unwrap();
        let print = Fingerprint(7);
        assert_eq!(PageGlance::at(&db, print).unwrap(), None);
        let url = CanonicalUrl::parse("http://h/\u{e9}").unwrap();
        let bare = PageRecord { n: 3, ..PageRecord::new(url, Verdict::Ok) };
        let full = PageRecord { label: "list".into(), n_items: 15, n_files: 2, ..bare.clone() };
        for record in [bare, full] {
            let mut batch = crate::seal::Batch::default();
            batch.insert(&keys::print(keys::PAGE, print)[..], serde_json::to_vec(&record).unwrap());
            db.commit(batch).unwrap();
            let PageRecord { n, label, n_items, n_files, .. } = record;
            let expected = PageGlance { n, label, n_items, n_files };
            assert_eq!(PageGlance::at(&db, print).unwrap(), Some(expected));
        }
        let mut batch = crate::seal::Batch::default();
        batch.insert(&keys::print(keys::PAGE, print)[..], "{\"n\":");
        db.commit(batch).unwrap();
        assert!(PageGlance::at(&db, print).is_err());
    }
}
