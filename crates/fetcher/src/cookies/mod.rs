//! Cookies (RFC 6265bis): what servers set, in jars that know nothing of each other.
//!
//! The default jar serves all requests that name none. A server can fill neither: cookies are
//! bounded by size, per registered domain and per jar; jars by number and by their bytes
//! together. What is used least goes first, and the store is told.
//!
//! Values stay here: they are in no error and no log.

mod cookie;
mod date;
mod jar;
mod line;
mod suffix;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use crawl_model::{CanonicalUrl, CookieChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use cookie::Cookie;
use jar::Jar;

pub(crate) use suffix::is_listed;

/// Most jars besides the default one. A spider may make one per session.
const JARS: usize = 10_000;

/// Most bytes of all jars together. A single jar cannot reach it.
const ALL_BYTES: usize = 64 * 1024 * 1024;

/// Whether cookies are kept, as `fetch.cookies` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CookieMode {
    /// As the crawl is: on for a few sites, off for a broad crawl. The engine tells which it is;
    /// until then, on.
    #[default]
    Auto,
    /// Kept and sent.
    On,
    /// Neither.
    Off,
}

/// All jars of a crawl.
#[derive(Debug)]
pub(crate) struct Cookies {
    is_on: AtomicBool,
    default: Arc<Jar>,
    named: RwLock<HashMap<Box<str>, Arc<Jar>>>,
    /// Bytes of the named jars, as last counted.
    n_bytes: AtomicUsize,
}

impl Cookies {
    pub(crate) fn new(mode: CookieMode) -> Self {
        Self {
            is_on: AtomicBool::new(mode != CookieMode::Off),
            default: Arc::new(Jar::new("")),
            named: RwLock::default(),
            n_bytes: AtomicUsize::new(0),
        }
    }

    /// Switches all jars on or off.
    pub(crate) fn switch(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    /// The value of the `Cookie` field of a request; empty for none.
    /// `jar`: `None` for the default one, `Some("")` for no cookies.
    pub(crate) fn field(&self, jar: Option<&str>, url: &CanonicalUrl, now_ms: u64) -> Vec<u8> {
        let jar = match jar {
            _ if !self.is_on.load(Ordering::Relaxed) => return Vec::new(),
            Some("") => return Vec::new(),
            None => return self.default.field(url, now_ms),
            Some(name) => self.find(name),
        };
        jar.map_or_else(Vec::new, |jar| {
            jar.touch(now_ms);
            jar.field(url, now_ms)
        })
    }

    /// Takes the `Set-Cookie` fields of an answer; says what changed by them.
    pub(crate) fn take<'a>(
        &self,
        jar: Option<&str>,
        url: &CanonicalUrl,
        fields: impl Iterator<Item = &'a [u8]>,
        now_ms: u64,
    ) -> Vec<CookieChange> {
        let mut fields = fields.peekable();
        if fields.peek().is_none() || !self.is_on.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let name = match jar {
            Some("") => return Vec::new(),
            None => return self.default.take(url, fields, now_ms),
            Some(name) => name,
        };
        let jar = self.find_or_make(name);
        jar.touch(now_ms);
        let before = jar.n_bytes();
        let mut changes = jar.take(url, fields, now_ms);
        self.grown(before, jar.n_bytes());
        self.bound(name, &mut changes);
        changes
    }

    /// Takes back what an earlier run left. Returns how many changes cannot be read.
    pub(crate) fn restore(&self, stored: impl Iterator<Item = CookieChange>, now_ms: u64) -> usize {
        let mut n_unreadable = 0;
        for change in stored {
            let Some((name, cookie)) = Cookie::restored(&change) else {
                n_unreadable += 1;
                continue;
            };
            if name.is_empty() {
                self.default.restore(cookie, now_ms);
                continue;
            }
            let jar = self.find_or_make(&name);
            jar.touch(cookie.used_ms);
            let before = jar.n_bytes();
            jar.restore(cookie, now_ms);
            self.grown(before, jar.n_bytes());
        }
        n_unreadable
    }

    fn find(&self, name: &str) -> Option<Arc<Jar>> {
        self.named.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn find_or_make(&self, name: &str) -> Arc<Jar> {
        self.find(name).unwrap_or_else(|| {
            let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
            named.entry(name.into()).or_insert_with(|| Arc::new(Jar::new(name))).clone()
        })
    }

    fn grown(&self, before: usize, after: usize) {
        // Two at once may be counted wrongly by a cookie; `bound` counts anew.
        self.n_bytes.fetch_add(after.saturating_sub(before), Ordering::Relaxed);
    }

    /// Throws away the jars that were not used for the longest time, until the others are within
    /// the bounds. `busy` stays.
    fn bound(&self, busy: &str, changes: &mut Vec<CookieChange>) {
        let n_jars = self.named.read().unwrap_or_else(PoisonError::into_inner).len();
        if n_jars <= JARS && self.n_bytes.load(Ordering::Relaxed) <= ALL_BYTES {
            return;
        }
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let mut n_bytes: usize = named.values().map(|jar| jar.n_bytes()).sum();
        let mut oldest: Vec<(u64, Box<str>)> = named
            .iter()
            .filter(|(name, _)| &***name != busy)
            .map(|(name, jar)| (jar.used_ms(), name.clone()))
            .collect();
        oldest.sort_unstable();
        // A little more than needed, so that this is not done for each new cookie.
        for (_, name) in oldest {
            if named.len() <= JARS - JARS / 64 && n_bytes <= ALL_BYTES - ALL_BYTES / 64 {
                break;
            }
            if let Some(jar) = named.remove(&name) {
                n_bytes -= jar.n_bytes().min(n_bytes);
                jar.empty(changes);
            }
        }
        self.n_bytes.store(n_bytes, Ordering::Relaxed);
    }
}

/// The time by which cookies end: milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
