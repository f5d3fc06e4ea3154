//! The domains from which nothing is to be fetched, as whoever runs the crawl has said.
//!
//! Kept with the crawl, not in its config: a block is given while the crawl runs, and has to hold
//! after a restart with the same config.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::seal::Batch;
use crate::store::Shared;
use crate::{StoreError, keys};

const NAME: &str = "blocked";

/// The list of one crawl. Holds the folder like a [`Reader`](crate::Reader).
#[derive(Debug)]
pub struct Blocks {
    shared: Arc<Shared>,
    domains: Mutex<BTreeSet<String>>,
}

impl Blocks {
    pub(crate) fn load(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let domains = match shared.db.meta(NAME)? {
            Some(json) => serde_json::from_slice(&json).map_err(|_| StoreError::corrupt(NAME))?,
            None => BTreeSet::new(),
        };
        Ok(Self { shared, domains: Mutex::new(domains) })
    }

    /// The list, in order.
    #[must_use]
    pub fn get(&self) -> Vec<String> {
        self.domains.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Puts a domain on the list or takes it off; whether that changes anything. Durable when it
    /// returns. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written; the list is as it was then.
    pub fn set(&self, domain: &str, is_blocked: bool) -> Result<bool, StoreError> {
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if domains.contains(domain) == is_blocked {
            return Ok(false);
        }
        let mut new = domains.clone();
        if is_blocked {
            new.insert(domain.to_owned());
        } else {
            new.remove(domain);
        }
        let mut batch = Batch::default();
        let json = serde_json::to_vec(&new).expect("texts serialise");
        batch.insert(keys::meta(NAME), json);
        self.shared.db.commit(batch)?;
        *domains = new;
        Ok(true)
    }
}
