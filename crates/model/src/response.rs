//! What came back from a server, or why nothing did.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// An HTTP response, body read and content codings removed.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// Header fields in the order they came; names in lower case, values as octets.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// The body, decoded; empty if there was none.
    pub body: Bytes,
    /// Why `body` is not the whole body; `None` if it is.
    pub truncated: Option<Truncation>,
    /// Who answered.
    pub remote: Option<SocketAddr>,
}

impl Response {
    /// First value of a header as text; `None` if absent or not UTF-8. `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| **n == *name)?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// `Content-Type` without parameters, in lower case; empty if there is none.
    #[must_use]
    pub fn media_type(&self) -> String {
        let field = self.headers.iter().find(|(name, _)| **name == *"content-type");
        // Only this part must be text: parameters may hold any bytes.
        let value = field.and_then(|(_, value)| value.split(|&byte| byte == b';').next());
        let value = std::str::from_utf8(value.unwrap_or_default()).unwrap_or_default();
        value.trim().to_ascii_lowercase()
    }
}

/// Why a body was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncation {
    /// Longer than the body limit.
    Length,
    /// Decoded to more than the ratio limit allows.
    Ratio,
    /// Took longer than the time limit.
    Time,
    /// The connection ended before the announced length, or the coding was broken.
    Disconnect,
}

impl Truncation {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Ratio => "ratio",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
        }
    }
}

/// Why a request has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The class, by which it is counted and judged.
    pub kind: FailureKind,
    /// What happened, for people: one line that names host and limit.
    pub detail: String,
}

impl Failure {
    /// Puts the two together.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// The classes of [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The name does not resolve (for good: NXDOMAIN, no address).
    Unresolvable,
    /// The name servers did not answer.
    Dns,
    /// The address is not public and the config does not allow such.
    PrivateAddress,
    /// No TCP connection.
    Connect,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// A time limit passed before the response's head was complete.
    Timeout,
    /// What came is not HTTP, or broke off before the head was complete.
    Protocol,
    /// More or longer header fields than allowed.
    HeaderLimit,
    /// The media type is not wanted.
    ContentType,
}

impl FailureKind {
    /// Whether the same request may fare better later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Dns | Self::Connect | Self::Timeout | Self::Protocol => true,
            Self::Unresolvable
            | Self::PrivateAddress
            | Self::Tls
            | Self::HeaderLimit
            | Self::ContentType => false,
        }
    }

    /// How a URL ends that failed thus for the last time.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Unresolvable | Self::Dns => Verdict::DnsFailed,
            Self::PrivateAddress => Verdict::PrivateAddress,
            Self::Connect => Verdict::ConnectFailed,
            Self::Tls => Verdict::TlsFailed,
            Self::Timeout => Verdict::Timeout,
            Self::Protocol => Verdict::NotHttp,
            Self::HeaderLimit => Verdict::HeaderLimit,
            Self::ContentType => Verdict::ContentType,
        }
    }
}
