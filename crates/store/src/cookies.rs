//! Cookies, kept so that a resumed crawl is still logged in.
//!
//! What they mean is the fetcher's business; here a cookie is a text under a key. A change is
//! settled in one batch with the page that brought it.

use crawl_model::CookieChange;

use crate::database::{Database, Scan};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Adds the changes of one answer to a commit.
pub(crate) fn put(batch: &mut Batch, changes: &[CookieChange]) {
    for CookieChange { key, cookie } in changes {
        let key = keys::cookie(key);
        match cookie {
            Some(text) => batch.insert(key, text.as_bytes()),
            None => batch.remove(key),
        }
    }
}

/// All cookies: see [`Store::cookies`](crate::Store::cookies).
#[derive(Debug)]
pub struct StoredCookies(Scan);

impl StoredCookies {
    pub(crate) fn new(db: &Database) -> Self {
        Self(db.prefix(&[keys::COOKIE]))
    }
}

impl Iterator for StoredCookies {
    type Item = Result<CookieChange, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = |(key, text): (sled::IVec, sled::IVec)| {
            let key = std::str::from_utf8(key.get(1..)?).ok()?;
            let text = std::str::from_utf8(&text).ok()?;
            Some(CookieChange { key: key.into(), cookie: Some(text.into()) })
        };
        let entry = self.0.next()?;
        Some(entry.and_then(|entry| read(entry).ok_or_else(|| StoreError::corrupt("cookie"))))
    }
}
