//! One jar: what it takes, what it gives, and what it throws away when it is full.
//!
//! Cookies lie on shelves by registered domain, for a cookie never leaves its own: finding those
//! of a URL is one hash and a scan over one shelf. The lock is held for that scan and no longer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crawl_model::{CanonicalUrl, CookieChange};

use super::cookie::{Cookie, covers, default_path, is_within};
use super::line::{self, Line};
use super::suffix;

/// Most cookies of one registered domain (RFC 6265, section 6.1, asks for 50; browsers keep 180).
pub(super) const SHELF_COOKIES: usize = 180;

/// Most bytes of the cookies of one registered domain: what a request's head could grow by.
const SHELF_BYTES: usize = 64 * 1024;

/// Most cookies of a jar (RFC 6265, section 6.1).
pub(super) const JAR_COOKIES: usize = 3000;

/// How many go at once when the jar is full, so that not every new one has to look for the oldest.
const CLEARANCE: usize = JAR_COOKIES / 100;

/// A jar.
#[derive(Debug)]
pub(super) struct Jar {
    name: Box<str>,
    n_cookies: AtomicUsize,
    n_bytes: AtomicUsize,
    used_ms: AtomicU64,
    shelves: Mutex<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    by_site: HashMap<Box<str>, Vec<Cookie>>,
    n_cookies: usize,
    n_bytes: usize,
    /// When the last one was made, in microseconds: no two are made at one time.
    last_us: u64,
    /// Cookies that ended since the store was last told of something.
    over: Vec<CookieChange>,
}

impl Jar {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            n_cookies: AtomicUsize::new(0),
            n_bytes: AtomicUsize::new(0),
            used_ms: AtomicU64::new(0),
            shelves: Mutex::default(),
        }
    }

    /// Memory that its cookies take, in bytes.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes.load(Ordering::Relaxed)
    }

    /// When it was last asked, in milliseconds since the Unix epoch.
    pub(super) fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    /// Notes that it is in use.
    pub(super) fn touch(&self, now_ms: u64) {
        self.used_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// The value of a `Cookie` field for `url`; empty if there is none. The cookies with the
    /// longest paths come first, then the oldest ones (RFC 6265, section 5.4).
    pub(super) fn field(&self, url: &CanonicalUrl, now_ms: u64) -> Vec<u8> {
        // Most crawls never see a cookie, and theirs shall cost nothing.
        if self.n_cookies.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let host = host_of(url);
        let (path, is_https) = (url.path().as_bytes(), url.is_https());
        let mut shelves = self.lock();
        let Some(shelf) = shelves.by_site.get_mut(suffix::site(host)) else { return Vec::new() };
        let mut found: Vec<&mut Cookie> = shelf
            .iter_mut()
            .filter(|cookie| cookie.is_for(host, path, is_https) && !cookie.is_over(now_ms))
            .collect();
        found.sort_by_key(|cookie| (usize::MAX - cookie.path.len(), cookie.created_us));
        let mut field = Vec::with_capacity(found.len() * 64);
        for cookie in found {
            cookie.used_ms = now_ms;
            if !field.is_empty() {
                field.extend_from_slice(b"; ");
            }
            if !cookie.name.is_empty() {
                field.extend_from_slice(&cookie.name);
                field.push(b'=');
            }
            field.extend_from_slice(&cookie.value);
        }
        field
    }

    /// Takes the `Set-Cookie` fields of an answer from `url`; says what changed by them.
    pub(super) fn take<'a>(
        &self,
        url: &CanonicalUrl,
        fields: impl Iterator<Item = &'a [u8]>,
        now_ms: u64,
    ) -> Vec<CookieChange> {
        let mut changes = Vec::new();
        let lines = fields.filter_map(|field| line::parse(field, now_ms));
        let mut cookies = lines.filter_map(|line| accepted(line, url, now_ms)).peekable();
        if cookies.peek().is_none() {
            return changes;
        }
        let site = suffix::site(host_of(url));
        let mut shelves = self.lock();
        for cookie in cookies {
            shelves.put(site, cookie, url.is_https(), now_ms, &self.name, &mut changes);
        }
        if !changes.is_empty() {
            changes.append(&mut shelves.over);
        }
        self.count(&shelves);
        changes
    }

    /// Takes back a cookie that was kept by the store.
    pub(super) fn restore(&self, cookie: Cookie, now_ms: u64) {
        let mut shelves = self.lock();
        shelves.last_us = shelves.last_us.max(cookie.created_us);
        let mut changes = Vec::new();
        if cookie.is_over(now_ms) {
            changes.push(cookie.gone(&self.name));
        } else {
            let site: Box<str> = suffix::site(&cookie.domain).into();
            shelves.make_room(&site, cookie.size(), now_ms, &self.name, &mut changes);
            shelves.add(&site, cookie);
        }
        // The store still has them; it is told with the next change.
        shelves.over.append(&mut changes);
        self.count(&shelves);
    }

    /// Empties it; says what was in it.
    pub(super) fn empty(&self, changes: &mut Vec<CookieChange>) {
        let mut shelves = self.lock();
        changes.append(&mut shelves.over);
        let cookies = shelves.by_site.values().flatten();
        changes.extend(cookies.map(|cookie| cookie.gone(&self.name)));
        *shelves = Shelves { last_us: shelves.last_us, ..Shelves::default() };
        self.count(&shelves);
    }

    /// How many cookies it holds.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().by_site.values().map(Vec::len).sum()
    }

    fn count(&self, shelves: &Shelves) {
        self.n_cookies.store(shelves.n_cookies, Ordering::Release);
        self.n_bytes.store(shelves.n_bytes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// RFC 6265bis, section 5.7, from where the jar's contents matter.
    fn put(
        &mut self,
        site: &str,
        mut new: Cookie,
        is_https: bool,
        now_ms: u64,
        jar: &str,
        changes: &mut Vec<CookieChange>,
    ) {
        let shelf = self.by_site.get(site).map_or(&[][..], Vec::as_slice);
        if !new.secure && !is_https && shelf.iter().any(|old| is_guarded(old, &new)) {
            return;
        }
        let old = shelf.iter().position(|old| old.replaces(&new));
        let old = old.map(|at| self.remove(site, at));
        if new.is_over(now_ms) {
            changes.extend(old.map(|old| old.gone(jar)));
            return;
        }
        self.last_us = now_ms.saturating_mul(1000).max(self.last_us.saturating_add(1));
        new.created_us = old.as_ref().map_or(self.last_us, |old| old.created_us);
        match old {
            // A server that prolongs its session with each page does not cost a write each time.
            Some(old) if is_nearly(&old, &new, now_ms) => new.told_ms = old.told_ms,
            _ => changes.push(new.kept(jar)),
        }
        self.make_room(site, new.size(), now_ms, jar, changes);
        self.add(site, new);
    }

    fn add(&mut self, site: &str, cookie: Cookie) {
        self.n_cookies += 1;
        self.n_bytes += cookie.size();
        match self.by_site.get_mut(site) {
            Some(shelf) => shelf.push(cookie),
            None => drop(self.by_site.insert(site.into(), vec![cookie])),
        }
    }

    fn remove(&mut self, site: &str, at: usize) -> Cookie {
        let shelf = self.by_site.get_mut(site).expect("the caller found a cookie on it");
        let cookie = shelf.swap_remove(at);
        if shelf.is_empty() {
            self.by_site.remove(site);
        }
        self.n_cookies -= 1;
        self.n_bytes -= cookie.size();
        cookie
    }

    /// Makes room for a cookie of `size`: what has ended goes first, then what is not secure,
    /// then what was not sent for the longest time.
    fn make_room(
        &mut self,
        site: &str,
        size: usize,
        now_ms: u64,
        jar: &str,
        changes: &mut Vec<CookieChange>,
    ) {
        while let Some(shelf) = self.by_site.get(site) {
            let n_bytes: usize = shelf.iter().map(Cookie::size).sum();
            if shelf.len() < SHELF_COOKIES && n_bytes + size <= SHELF_BYTES {
                break;
            }
            let rank = |cookie: &Cookie| (!cookie.is_over(now_ms), cookie.secure, cookie.used_ms);
            let last = (0..shelf.len()).min_by_key(|&at| rank(&shelf[at]));
            let Some(last) = last else { break };
            changes.push(self.remove(site, last).gone(jar));
        }
        if self.n_cookies >= JAR_COOKIES {
            self.clear_out(now_ms, jar, changes);
        }
    }

    /// Throws away the cookies that were not sent for the longest time, of whatever domain.
    fn clear_out(&mut self, now_ms: u64, jar: &str, changes: &mut Vec<CookieChange>) {
        let rank = |cookie: &Cookie| (!cookie.is_over(now_ms), cookie.used_ms, cookie.created_us);
        let mut ranks: Vec<_> = self.by_site.values().flatten().map(rank).collect();
        let at = CLEARANCE.min(ranks.len()) - 1;
        let (_, limit, _) = ranks.select_nth_unstable(at);
        let limit = *limit;
        let (mut n_cookies, mut n_bytes) = (0, 0);
        self.by_site.retain(|_, shelf| {
            shelf.retain(|cookie| {
                let stays = rank(cookie) > limit;
                if stays {
                    n_cookies += 1;
                    n_bytes += cookie.size();
                } else {
                    changes.push(cookie.gone(jar));
                }
                stays
            });
            !shelf.is_empty()
        });
        (self.n_cookies, self.n_bytes) = (n_cookies, n_bytes);
    }
}

/// What the line sets, if the URL may set it (RFC 6265bis, section 5.7).
fn accepted(line: Line<'_>, url: &CanonicalUrl, now_ms: u64) -> Option<Cookie> {
    let host = host_of(url);
    let has_root_path = line.path == Some(b"/");
    let domain = match line.domain {
        Some(domain) if !is_within(host, &domain) => return None,
        // What is registered for many may speak for itself, never for all below it.
        Some(domain) if suffix::is_public(&domain) || suffix::is_address(host) => {
            if domain == host { None } else { return None }
        }
        other => other,
    };
    let is_prefixed = |prefix: &[u8]| {
        let text = if line.name.is_empty() { line.value } else { line.name };
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_host = is_prefixed(b"__Host-");
    let is_claimed = is_host || is_prefixed(b"__Secure-");
    if (line.secure && !url.is_https())
        || (is_claimed && (!line.secure || line.name.is_empty()))
        || (is_host && (domain.is_some() || !has_root_path))
    {
        return None;
    }
    Some(Cookie {
        name: line.name.into(),
        value: line.value.into(),
        host_only: domain.is_none(),
        domain: domain.map_or_else(|| host.into(), String::into_boxed_str),
        path: line.path.unwrap_or_else(|| default_path(url.path().as_bytes())).into(),
        secure: line.secure,
        http_only: line.http_only,
        expires_ms: line.expires_ms,
        created_us: 0,
        used_ms: now_ms,
        told_ms: line.expires_ms,
    })
}

/// Whether `old` came by https and a cookie that came by http would hide it
/// (RFC 6265bis, section 5.7, "leave secure cookies alone").
fn is_guarded(old: &Cookie, new: &Cookie) -> bool {
    old.secure
        && old.name == new.name
        && (is_within(&old.domain, &new.domain) || is_within(&new.domain, &old.domain))
        && covers(&old.path, &new.path)
}

/// Whether the store's copy of `old` is good enough for `new`: all is alike but the expiry, and
/// that has moved by less than a sixteenth of what remains.
fn is_nearly(old: &Cookie, new: &Cookie, now_ms: u64) -> bool {
    let is_near = match (old.told_ms, new.expires_ms) {
        (None, None) => true,
        (Some(told), Some(new)) => told.abs_diff(new) <= new.saturating_sub(now_ms) / 16,
        _ => false,
    };
    is_near && old.value == new.value && old.secure == new.secure && old.http_only == new.http_only
}

/// The host as cookies know it.
fn host_of(url: &CanonicalUrl) -> &str {
    url.host_str().trim_end_matches('.')
}
