//! An earlier crawl's folder as a cache: its records say what was answered, its archive has the
//! bodies.
//!
//! Reading only: nothing of the earlier crawl changes. (sled knows no read-only opening, so its
//! own housekeeping runs.) Its fingerprints are under its own secret, which is why it is asked by
//! request. The folder stays locked as long as the cache lives.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use crawl_model::{Cache, Fingerprinter, Origin, PageRecord, Request, Response, RobotsReply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Reader, Store, StoreError, StoredAnswer};

/// Where earlier answers come from, as written in the `[cache]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CacheConfig {
    /// What earlier answers are used for. Default: `off`.
    pub mode: CacheMode,
    /// Folder of the earlier crawl, which must not be running. Default: none. What it is to be
    /// good for must be in its archive (`store.bodies`).
    pub from: PathBuf,
}

/// What earlier answers are used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CacheMode {
    /// For nothing.
    #[default]
    Off,
    /// To ask servers whether they still hold: the page is only sent again if it has changed.
    Revalidate,
    /// In place of the network, which is not touched: what is not there ends as `not-cached`.
    Offline,
}

/// What is wrong with a [`CacheConfig`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A mode that needs an earlier crawl, and none is named.
    #[error("`cache.mode` needs the folder of an earlier crawl: `cache.from` is not set")]
    NoFolder,
    /// The earlier crawl is this one.
    #[error("`cache.from` is the crawl's own folder ({}); it must be an earlier crawl's", .0.display())]
    Own(PathBuf),
    /// The earlier crawl cannot be opened.
    #[error("`cache.from`: the earlier crawl cannot be used")]
    Open(#[source] StoreError),
}

impl CacheConfig {
    /// Checks what can be told without opening a folder; `own` is the crawl's own.
    ///
    /// # Errors
    /// [`CacheError::NoFolder`] and [`CacheError::Own`].
    pub fn check(&self, own: &Path) -> Result<(), CacheError> {
        if self.mode == CacheMode::Off {
            return Ok(());
        }
        if self.from.as_os_str().is_empty() {
            return Err(CacheError::NoFolder);
        }
        // A folder that is not there has no other names.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(&self.from) == real(own) {
            return Err(CacheError::Own(self.from.clone()));
        }
        Ok(())
    }

    /// Opens the earlier crawl; `None` if none is wanted.
    ///
    /// # Errors
    /// [`CacheError`]
    pub fn open(&self, own: &Path) -> Result<Option<StoredCache>, CacheError> {
        self.check(own)?;
        if self.mode == CacheMode::Off {
            return Ok(None);
        }
        let inspection = Store::inspect(&self.from).map_err(CacheError::Open)?;
        let reader = inspection.reader();
        let prints = reader.fingerprinter().map_err(CacheError::Open)?;
        Ok(Some(StoredCache { reader, prints }))
    }
}

/// An earlier crawl, to be asked.
#[derive(Debug)]
pub struct StoredCache {
    reader: Reader,
    prints: Fingerprinter,
}

impl StoredCache {
    fn record(&self, request: &Request, is_alike: bool) -> Result<Option<PageRecord>, StoreError> {
        let record = self.page(request)?;
        if record.is_some() || !is_alike || request.options().unique.is_none() {
            return Ok(record);
        }
        // Numbers are chosen by fingerprints, so those of another crawl are others.
        let mut alike = request.clone();
        alike.options_mut().unique = None;
        self.page(&alike)
    }

    /// The record of a request: where there are second fingerprints it may stand at that.
    fn page(&self, request: &Request) -> Result<Option<PageRecord>, StoreError> {
        if let Some(second) = self.prints.second(request)
            && let Some(record) = self.reader.page(second)?
        {
            return Ok(Some(record));
        }
        let record = self.reader.page(self.prints.request(request))?;
        // What stands at the first may be another URL's.
        Ok(record.filter(|record| {
            self.prints.second_get(&record.url) == self.prints.second_get(&request.url)
        }))
    }

    fn response(&self, record: &PageRecord) -> Result<Option<Response>, StoreError> {
        if !record.status.is_some_and(lasts) {
            return Ok(None);
        }
        Ok(match self.reader.answer(record)? {
            StoredAnswer::Response(response) => Some(response),
            StoredAnswer::Failed
            | StoredAnswer::NotArchived
            | StoredAnswer::File(..)
            | StoredAnswer::Lost
            | StoredAnswer::NotSent => None,
        })
    }
}

impl Cache for StoredCache {
    fn page(&self, request: &Request, is_alike: bool) -> Result<Option<Response>, String> {
        let read = || match self.record(request, is_alike)? {
            Some(record) => self.response(&record),
            None => Ok(None),
        };
        read().map_err(|error: StoreError| error.to_string())
    }

    fn robots(&self, origin: &Origin) -> Result<Option<Bytes>, String> {
        match self.reader.robots(origin).map_err(|error| error.to_string())? {
            Some(RobotsReply::Rules(bytes)) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }
}

/// Whether the status is an answer, and not "try again later".
fn lasts(status: u16) -> bool {
    !matches!(status, 304 | 408 | 429 | 500..)
}
