//! Which differences between URLs do not count: tracking parameters, session ids, and what else a
//! crawl is told to overlook.
//!
//! Only the key by which duplicates are told changes. The URL itself is fetched, stored and shown
//! as it was found, byte for byte; of several with one key the first that is found stands for all.
//!
//! The rules work on the spelling of [`key`](super::key), where escapes are unified, so `utm%5Fid`
//! is `utm_id`. What they leave has nothing more to be left out: the key of a key is that key. A URL
//! without `?`, `;` and `(` is as it was after one look at it.

mod config;
mod query;
mod session;

use std::borrow::Cow;

pub use config::{FingerprintBits, IdentityConfig, NoParameter};

use super::key;
use memchr::{memchr, memchr3};
use query::Names;
use session::Sessions;

/// An [`IdentityConfig`], compiled.
#[derive(Debug, Clone)]
pub struct KeyRules {
    names: Names,
    sessions: Option<Sessions>,
    sort_query: bool,
    trailing_slash: bool,
    pub(crate) bits: FingerprintBits,
}

impl KeyRules {
    /// Compiles `config`.
    ///
    /// # Errors
    /// [`NoParameter`] if an entry of `ignore-parameters` is not the name of a parameter.
    pub fn new(config: &IdentityConfig) -> Result<Self, NoParameter> {
        Ok(Self {
            names: Names::new(&config.ignore_parameters)?,
            sessions: config.ignore_session_ids.then(Sessions::new).transpose()?,
            sort_query: config.sort_query,
            trailing_slash: config.trailing_slash,
            bits: config.fingerprint_bits,
        })
    }

    /// The key of a canonical URL's text.
    #[must_use]
    pub fn key<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let key = key::key(text);
        if !self.may_touch(&key) {
            return key;
        }
        let mut out = String::with_capacity(key.len());
        self.pieces(&key, |piece| out.push_str(piece));
        if out == *key { key } else { Cow::Owned(out) }
    }

    /// Hands over the key in pieces, without building it where nothing has to be sorted or spelt
    /// otherwise.
    pub(crate) fn key_pieces(&self, text: &str, mut take: impl FnMut(&str)) {
        // Escapes make none of the marks but in names and values, which the spelling settles.
        if self.may_touch(text) {
            self.pieces(&key::key(text), take);
        } else {
            key::key_pieces(text, &mut take);
        }
    }

    /// Whether the key of `text` is surely `text`.
    pub(crate) fn is_idle_on(&self, text: &str) -> bool {
        !self.may_touch(text) && key::is_idle_on(text)
    }

    /// Whether a look at the whole could change anything.
    fn may_touch(&self, text: &str) -> bool {
        self.trailing_slash || memchr3(b'?', b';', b'(', text.as_bytes()).is_some()
    }

    /// Hands over what is left of `text`, which is spelt as [`key::key`] spells.
    fn pieces(&self, text: &str, mut take: impl FnMut(&str)) {
        let (path, query) = parts(text);
        take(&text[..path]);
        let end = query.unwrap_or(text.len());
        self.path_pieces(&text[path..end], &mut take);
        if let Some(query) = query {
            self.query_pieces(&text[query + 1..], &mut take);
        }
    }

    fn path_pieces(&self, path: &str, take: &mut impl FnMut(&str)) {
        let has_mark = memchr3(b';', b'(', b'(', path.as_bytes()).is_some();
        let kept = match &self.sessions {
            Some(sessions) if has_mark => sessions.out_of(path),
            _ => Cow::Borrowed(path),
        };
        take(if self.trailing_slash { without_slashes(&kept) } else { &kept });
    }

    /// Whether a piece of a query does not count.
    fn ignores(&self, pair: &str) -> bool {
        let (name, value) = split(pair, b'=');
        let sessions = self.sessions.as_ref();
        self.names.contains(name)
            || sessions.is_some_and(|sessions| sessions.has(name, value.unwrap_or_default()))
    }

    fn query_pieces(&self, query: &str, take: &mut impl FnMut(&str)) {
        let is_touched = self.sort_query || pairs(query).any(|pair| self.ignores(pair));
        if !is_touched {
            take("?");
            return take(query);
        }
        let kept = pairs(query).filter(|pair| !pair.is_empty() && !self.ignores(pair));
        if self.sort_query {
            let mut sorted: Vec<&str> = kept.collect();
            // By the name alone, and stable: of several values the order may count.
            sorted.sort_by_key(|pair| pair.split('=').next().unwrap_or_default());
            query_of(sorted.into_iter(), take);
        } else {
            query_of(kept, take);
        }
    }
}

/// The pieces of a query.
fn pairs(query: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(query);
    std::iter::from_fn(move || {
        let text = rest?;
        let (pair, others) = split(text, b'&');
        rest = others;
        Some(pair)
    })
}

/// What stands before and behind the first such byte, which is ASCII.
fn split(text: &str, byte: u8) -> (&str, Option<&str>) {
    match memchr(byte, text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Writes a query of `pairs`; none at all if there are none.
fn query_of<'a>(pairs: impl Iterator<Item = &'a str>, take: &mut impl FnMut(&str)) {
    let mut mark = "?";
    for pair in pairs {
        take(mark);
        take(pair);
        mark = "&";
    }
}

/// Where path and query begin in a canonical URL's text; the path if there is no host.
fn parts(text: &str) -> (usize, Option<usize>) {
    let scheme = text.as_bytes().iter().position(|&byte| byte == b':');
    let host = scheme.filter(|&at| text[at..].starts_with("://")).map_or(0, |at| at + 3);
    let find = |byte, from: usize| memchr(byte, &text.as_bytes()[from..]).map(|at| from + at);
    let path = find(b'/', host).unwrap_or(text.len());
    (path, find(b'?', path))
}

fn without_slashes(path: &str) -> &str {
    let bare = path.trim_end_matches('/');
    if bare.is_empty() { &path[..path.len().min(1)] } else { bare }
}

#[cfg(test)]
mod tests;
