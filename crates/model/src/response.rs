//! What came back from a server, or why nothing did.

use std::borrow::Cow;
use std::fmt::Write as _;
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
    /// Who answered; the proxy's address if there is one.
    pub remote: Option<SocketAddr>,
}

impl Response {
    /// First value of a header as text; `None` if absent or not UTF-8. `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| **n == *name)?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// The first `Location`; `None` if there is none. Bytes that are no UTF-8 are escaped one by
    /// one, as browsers do, so that what a server of old wrote in its own encoding leads back to
    /// it.
    #[must_use]
    pub fn location(&self) -> Option<Cow<'_, str>> {
        let (_, value) = self.headers.iter().find(|(name, _)| **name == *"location")?;
        Some(match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text.trim()),
            Err(_) => {
                let value = value.trim_ascii();
                let mut text = String::with_capacity(value.len() + 16);
                for &byte in value {
                    if byte.is_ascii() {
                        text.push(char::from(byte));
                    } else {
                        // Writing to a string cannot fail.
                        let _ = write!(text, "%{byte:02X}");
                    }
                }
                Cow::Owned(text)
            }
        })
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
    /// Longer than the limit for bodies as they are transferred.
    Coded,
    /// Decoded to more than the ratio limit allows.
    Ratio,
    /// The time for the whole fetch passed.
    Time,
    /// A pause between two pieces was too long.
    Idle,
    /// It came more slowly than the minimum rate.
    Slow,
    /// The connection ended before the announced length.
    Disconnect,
    /// The content coding is broken.
    Coding,
    /// A zstd window larger than allowed (RFC 9659, section 3).
    Window,
    /// More content codings on top of each other than allowed.
    Nesting,
    /// The transfer coding is broken (RFC 9112, section 7.1).
    Framing,
}

impl Truncation {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Coded => "coded",
            Self::Ratio => "ratio",
            Self::Time => "time",
            Self::Idle => "idle",
            Self::Slow => "slow",
            Self::Disconnect => "disconnect",
            Self::Coding => "coding",
            Self::Window => "window",
            Self::Nesting => "nesting",
            Self::Framing => "framing",
        }
    }

    /// How a 2xx response ends that was cut for this reason.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Length => Verdict::TruncatedLength,
            Self::Coded => Verdict::TruncatedCoded,
            Self::Ratio => Verdict::TruncatedRatio,
            Self::Time => Verdict::TruncatedTime,
            Self::Idle => Verdict::TruncatedIdle,
            Self::Slow => Verdict::TruncatedSlow,
            Self::Disconnect => Verdict::Truncated,
            Self::Coding => Verdict::TruncatedCoding,
            Self::Window => Verdict::TruncatedWindow,
            Self::Nesting => Verdict::TruncatedNesting,
            Self::Framing => Verdict::TruncatedFraming,
        }
    }

    /// Whether the same request may bring the whole body: the server broke off or dawdled. What
    /// exceeds a limit would exceed it again.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Disconnect | Self::Idle | Self::Slow | Self::Framing => true,
            Self::Length
            | Self::Coded
            | Self::Ratio
            | Self::Time
            | Self::Coding
            | Self::Window
            | Self::Nesting => false,
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
    /// The name servers failed.
    Dns,
    /// The name servers did not answer in time.
    DnsTimeout,
    /// The address is not public and the config does not allow such.
    PrivateAddress,
    /// No TCP connection.
    Connect,
    /// No TCP connection in time.
    ConnectTimeout,
    /// The TLS handshake failed.
    Tls,
    /// The TLS handshake did not end in time.
    TlsTimeout,
    /// The certificate is expired or not valid yet.
    CertificateExpired,
    /// The certificate is signed by nobody that is trusted.
    CertificateUntrusted,
    /// The certificate is for another host.
    CertificateName,
    /// The proxy could not be reached, or refused.
    Proxy,
    /// The time for the whole fetch passed before the response's head was complete.
    Timeout,
    /// The response's head was not complete in time.
    HeaderTimeout,
    /// What came is not HTTP.
    Protocol,
    /// The server broke off before the head was complete.
    Disconnected,
    /// A head of more bytes than allowed.
    HeaderLimit,
    /// A head of more fields than allowed.
    HeaderCount,
    /// The media type is not wanted.
    ContentType,
    /// No network was to be used, and no copy is there.
    NotCached,
    /// A middleware refused to send the request.
    Refused,
    /// A middleware did not let the request go in time.
    Held,
    /// An image smaller than is wanted.
    TooSmall,
    /// The files of the crawl take all the room that they may.
    FileBudget,
    /// A file could not be written. (The store then fails, and the crawl with it.)
    Disk,
}

impl FailureKind {
    /// Whether the same request may fare better later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Dns
            | Self::DnsTimeout
            | Self::Connect
            | Self::ConnectTimeout
            | Self::TlsTimeout
            | Self::Proxy
            | Self::Timeout
            | Self::HeaderTimeout
            | Self::Protocol
            | Self::Disconnected
            | Self::Held
            | Self::Disk => true,
            Self::Unresolvable
            | Self::PrivateAddress
            | Self::Tls
            | Self::CertificateExpired
            | Self::CertificateUntrusted
            | Self::CertificateName
            | Self::HeaderLimit
            | Self::HeaderCount
            | Self::ContentType
            | Self::NotCached
            | Self::Refused
            | Self::TooSmall
            | Self::FileBudget => false,
        }
    }

    /// How a URL ends that failed thus for the last time.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Unresolvable | Self::Dns => Verdict::DnsFailed,
            Self::DnsTimeout => Verdict::DnsTimeout,
            Self::PrivateAddress => Verdict::PrivateAddress,
            Self::Connect => Verdict::ConnectFailed,
            Self::ConnectTimeout => Verdict::ConnectTimeout,
            Self::Tls => Verdict::TlsFailed,
            Self::TlsTimeout => Verdict::TlsTimeout,
            Self::CertificateExpired => Verdict::CertificateExpired,
            Self::CertificateUntrusted => Verdict::CertificateUntrusted,
            Self::CertificateName => Verdict::CertificateName,
            Self::Proxy => Verdict::ProxyFailed,
            Self::Timeout => Verdict::Timeout,
            Self::HeaderTimeout => Verdict::HeaderTimeout,
            Self::Protocol => Verdict::NotHttp,
            Self::Disconnected => Verdict::Disconnected,
            Self::HeaderLimit => Verdict::HeaderLimit,
            Self::HeaderCount => Verdict::HeaderCount,
            Self::ContentType => Verdict::ContentType,
            Self::NotCached => Verdict::NotCached,
            Self::Refused | Self::Held | Self::Disk => Verdict::Refused,
            Self::TooSmall => Verdict::TooSmall,
            Self::FileBudget => Verdict::FileBudget,
        }
    }

    /// The class of a failure that ended a URL thus; of two the first. `None` if no failure does.
    #[must_use]
    pub fn of(verdict: Verdict) -> Option<Self> {
        let all = [
            Self::Dns,
            Self::DnsTimeout,
            Self::PrivateAddress,
            Self::Connect,
            Self::ConnectTimeout,
            Self::Tls,
            Self::TlsTimeout,
            Self::CertificateExpired,
            Self::CertificateUntrusted,
            Self::CertificateName,
            Self::Proxy,
            Self::Timeout,
            Self::HeaderTimeout,
            Self::Protocol,
            Self::Disconnected,
            Self::HeaderLimit,
            Self::HeaderCount,
            Self::ContentType,
            Self::NotCached,
            Self::Refused,
            Self::TooSmall,
            Self::FileBudget,
        ];
        all.into_iter().find(|kind| kind.verdict() == verdict)
    }

    /// What it says of the host, by which back-off counts.
    #[must_use]
    pub fn health(self) -> Health {
        match self {
            Self::Unresolvable
            | Self::Dns
            | Self::DnsTimeout
            | Self::Connect
            | Self::ConnectTimeout
            | Self::Tls
            | Self::TlsTimeout
            | Self::CertificateExpired
            | Self::CertificateUntrusted
            | Self::CertificateName
            | Self::Timeout
            | Self::HeaderTimeout
            | Self::Disconnected => Health::Unreachable,
            Self::Protocol => Health::Failing,
            Self::HeaderLimit | Self::HeaderCount | Self::ContentType | Self::TooSmall => {
                Health::Good
            }
            Self::PrivateAddress
            | Self::Proxy
            | Self::NotCached
            | Self::Refused
            | Self::Held
            | Self::FileBudget
            | Self::Disk => Health::Unknown,
        }
    }
}

/// What an attempt says of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// It answered.
    Good,
    /// It asked for less: 429 or 503.
    Overloaded,
    /// It answered, but with another 5xx or with no HTTP.
    Failing,
    /// It did not answer at all.
    Unreachable,
    /// Nothing: it was not asked, or somebody else failed.
    #[default]
    Unknown,
}
