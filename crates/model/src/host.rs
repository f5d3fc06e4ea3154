//! The two keys of politeness: who is waited for, and whose robots.txt is asked.

use std::fmt;
use std::sync::Arc;

use crate::CanonicalUrl;

/// A host name or address, the key of politeness: its clock counts for all its ports.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Host(Arc<str>);

impl Host {
    /// Takes a host as it stands in a [`CanonicalUrl`] (lower case, IPv6 in brackets).
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scheme, host and port: what one robots.txt speaks for (RFC 9309, section 2.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    https: bool,
    host: Arc<str>,
    port: u16,
}

impl Origin {
    /// Puts the three together.
    #[must_use]
    pub fn new(https: bool, host: &str, port: u16) -> Self {
        Self { https, host: host.into(), port }
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host's politeness key.
    #[must_use]
    pub fn host(&self) -> Host {
        Host(self.host.clone())
    }

    /// The port, never implied.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its robots.txt lies.
    #[must_use]
    pub fn robots_url(&self) -> CanonicalUrl {
        CanonicalUrl::parse(&format!("{self}/robots.txt"))
            .expect("an origin comes from a canonical URL, so its robots.txt has one too")
    }
}

impl fmt::Display for Origin {
    /// As a URL without path; the default port is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
