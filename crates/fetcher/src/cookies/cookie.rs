//! A cookie: where it is sent, and how it is written for the store.
//!
//! The store's key is a JSON array of jar, domain, path and name, which is unambiguous whatever
//! stands in them; the text is a JSON object with the rest. Octets that are not UTF-8 survive:
//! such a text begins with U+0000, which no cookie may hold, and has a character per octet.

use std::borrow::Cow;

use crawl_model::CookieChange;
use serde::{Deserialize, Serialize};

/// A cookie in a jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: Box<[u8]>,
    pub(super) value: Box<[u8]>,
    /// Lower case, without a dot at either end.
    pub(super) domain: Box<str>,
    /// Whether subdomains of it do not get it.
    pub(super) host_only: bool,
    pub(super) path: Box<[u8]>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    /// Milliseconds since the Unix epoch; `None`: as long as the crawl.
    pub(super) expires_ms: Option<u64>,
    /// Microseconds since the Unix epoch; no two in a jar are alike.
    pub(super) created_us: u64,
    /// Milliseconds since the Unix epoch.
    pub(super) used_ms: u64,
    /// The expiry that the store was last told of.
    pub(super) told_ms: Option<u64>,
}

/// What is kept of a cookie besides its key. The names are stable.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    value: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    secure: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    http_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<u64>,
    created_us: u64,
}

impl Cookie {
    /// Whether it is one and the same cookie, whatever its value.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.name == other.name
            && self.host_only == other.host_only
            && self.domain == other.domain
            && self.path == other.path
    }

    /// Whether its time has passed.
    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at| at <= now_ms)
    }

    /// Whether it goes to this URL (RFC 6265bis, section 5.8.3).
    pub(super) fn is_for(&self, host: &str, path: &[u8], is_https: bool) -> bool {
        (is_https || !self.secure)
            && (if self.host_only { *self.domain == *host } else { is_within(host, &self.domain) })
            && covers(&self.path, path)
    }

    /// Memory that it takes, about.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.value.len() + self.domain.len() + self.path.len()
    }

    /// What the store is told: the cookie as it is now.
    pub(super) fn kept(&self, jar: &str) -> CookieChange {
        let kept = Kept {
            value: to_text(&self.value),
            secure: self.secure,
            http_only: self.http_only,
            expires_ms: self.expires_ms,
            created_us: self.created_us,
        };
        let cookie = serde_json::to_string(&kept).expect("texts and numbers are JSON");
        CookieChange { key: self.key(jar), cookie: Some(cookie.into()) }
    }

    /// What the store is told when it is gone.
    pub(super) fn gone(&self, jar: &str) -> CookieChange {
        CookieChange { key: self.key(jar), cookie: None }
    }

    fn key(&self, jar: &str) -> Box<str> {
        let dot = if self.host_only { "" } else { "." };
        let domain = format!("{dot}{}", self.domain);
        let key = (jar, domain, to_text(&self.path), to_text(&self.name));
        serde_json::to_string(&key).expect("texts are JSON").into()
    }

    /// Reads what [`kept`](Self::kept) wrote, with the name of the jar. `None` if it is not such.
    pub(super) fn restored(change: &CookieChange) -> Option<(String, Self)> {
        let (jar, domain, path, name): (String, String, String, String) =
            serde_json::from_str(&change.key).ok()?;
        let kept: Kept<'_> = serde_json::from_str(change.cookie.as_deref()?).ok()?;
        let bare = domain.strip_prefix('.');
        let cookie = Self {
            name: from_text(&name)?,
            value: from_text(&kept.value)?,
            host_only: bare.is_none(),
            domain: bare.unwrap_or(&domain).into(),
            path: from_text(&path)?,
            secure: kept.secure,
            http_only: kept.http_only,
            expires_ms: kept.expires_ms,
            created_us: kept.created_us,
            used_ms: kept.created_us / 1000,
            told_ms: kept.expires_ms,
        };
        Some((jar, cookie))
    }
}

/// Whether `host` is `domain` or a subdomain of it (RFC 6265, section 5.1.3). Never asked with an
/// address and a part of it: a cookie for an address is for that alone.
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a cookie's path is that of a URL or above it (RFC 6265, section 5.1.4).
pub(super) fn covers(cookie: &[u8], url: &[u8]) -> bool {
    url.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || cookie.ends_with(b"/"))
}

/// The path of a cookie that names none: the URL's up to its last slash.
pub(super) fn default_path(url: &[u8]) -> &[u8] {
    match url.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(slash) => &url[..slash],
    }
}

fn to_text(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => {
            std::iter::once('\0').chain(octets.iter().map(|&byte| char::from(byte))).collect()
        }
    }
}

fn from_text(text: &str) -> Option<Box<[u8]>> {
    match text.strip_prefix('\0') {
        Some(octets) => octets.chars().map(|c| u8::try_from(c).ok()).collect(),
        None => Some(text.as_bytes().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_covers_its_subdomains_and_no_other_name() {
        for (host, domain, expected) in [
            ("a.test", "a.test", true),
            ("b.a.test", "a.test", true),
            ("ba.test", "a.test", false),
            ("a.test", "b.a.test", false),
            ("test", "a.test", false),
        ] {
            assert_eq!(is_within(host, domain), expected, "{host} in {domain}");
        }
    }

    #[test]
    fn a_path_covers_what_lies_below_it() {
        for (cookie, url, expected) in [
            ("/", "/", true),
            ("/", "/a", true),
            ("/a", "/a", true),
            ("/a", "/a/", true),
            ("/a", "/a/b", true),
            ("/a/", "/a/b", true),
            ("/a", "/ab", false),
            ("/a/", "/a", false),
            ("/a/b", "/a", false),
        ] {
            assert_eq!(covers(cookie.as_bytes(), url.as_bytes()), expected, "{cookie} over {url}");
        }
        for (url, path) in [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b", "/a"), ("", "/")] {
            assert_eq!(default_path(url.as_bytes()), path.as_bytes(), "{url}");
        }
    }

    #[test]
    fn a_cookie_survives_the_store_whatever_stands_in_it() {
        for (name, value) in [
            (&b"sid"[..], &b"1"[..]),
            (b"", b"x"),
            (b"\"[,]", b"\\\"\xc3\xa9"),
            (b"\xff", b"\xfe\xff="),
        ] {
            let cookie = Cookie {
                name: name.into(),
                value: value.into(),
                domain: "a.test".into(),
                host_only: value.len() == 1,
                path: b"/\xe9,".as_slice().into(),
                secure: true,
                http_only: false,
                expires_ms: Some(17),
                created_us: 5_000,
                used_ms: 5,
                told_ms: Some(17),
            };
            let (jar, restored) = Cookie::restored(&cookie.kept("a\",\n")).unwrap();
            assert_eq!((jar.as_str(), &restored), ("a\",\n", &cookie));
            assert_eq!(cookie.gone("a\",\n").key, cookie.kept("a\",\n").key);
        }
    }
}
