//! From the libraries' errors to the classes by which failures are judged, and to one line that
//! says what happened and which key would change it.

use std::error::Error;
use std::io;

use crawl_model::{Failure, FailureKind, Truncation};
use rustls::CertificateError;

use crate::clock::Limit;
use crate::config::Limits;
use crate::wire::Flood;

/// The whole fetch was over before the name servers had answered.
pub(crate) fn dns_late(host: &str, limit: Limit) -> Failure {
    late(FailureKind::Timeout, format!("no answer from DNS for {host}"), limit)
}

/// No connection may be opened: all are in use.
pub(crate) fn no_slot(host: &str, limit: Limit) -> Failure {
    let what = format!("all connections are in use (fetch.connections), none to {host}");
    late(FailureKind::ConnectTimeout, what, limit)
}

/// No TCP connection stood in time.
pub(crate) fn connect_late(host: &str, limit: Limit) -> Failure {
    late(FailureKind::ConnectTimeout, format!("no connection to {host}"), limit)
}

/// The TLS handshake did not end in time.
pub(crate) fn tls_late(host: &str, limit: Limit) -> Failure {
    late(FailureKind::TlsTimeout, format!("no TLS session with {host}"), limit)
}

/// The response's head did not come in time.
pub(crate) fn head_late(host: &str, limit: Limit) -> Failure {
    late(FailureKind::HeaderTimeout, format!("no response head from {host}"), limit)
}

/// A phase over its limit, or over that of the whole fetch.
fn late(kind: FailureKind, what: String, limit: Limit) -> Failure {
    let kind = if limit.is_total() { FailureKind::Timeout } else { kind };
    Failure::new(kind, format!("{what} {limit}"))
}

/// No TCP connection.
pub(crate) fn connect(host: &str, port: u16, error: &io::Error) -> Failure {
    let (kind, detail) = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            (FailureKind::Connect, format!("connection to {host}:{port} refused"))
        }
        // The system gave up before we did.
        io::ErrorKind::TimedOut => {
            (FailureKind::ConnectTimeout, format!("no answer from {host}:{port} to connect"))
        }
        _ => (FailureKind::Connect, format!("no connection to {host}:{port}: {error}")),
    };
    Failure::new(kind, detail)
}

/// No TLS session. Only what the TLS library says is final: a connection that breaks in the
/// handshake may fare better later.
pub(crate) fn tls(host: &str, error: &io::Error) -> Failure {
    match inner::<rustls::Error>(error) {
        Some(error) => {
            let kind = match error {
                rustls::Error::InvalidCertificate(why) => certificate(why),
                _ => FailureKind::Tls,
            };
            Failure::new(kind, format!("no TLS with {host}: {}", one_line(&error.to_string())))
        }
        None => {
            let detail = format!("the connection to {host} broke in the TLS handshake: {error}");
            Failure::new(FailureKind::Disconnected, detail)
        }
    }
}

/// What is wrong with a certificate. All that is neither its dates nor its name is a matter of
/// trust, a missing signature as well as a bad one.
fn certificate(why: &CertificateError) -> FailureKind {
    use CertificateError as E;
    match why {
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            FailureKind::CertificateExpired
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => FailureKind::CertificateName,
        E::BadEncoding => FailureKind::Tls,
        _ => FailureKind::CertificateUntrusted,
    }
}

/// A host of which no certificate can speak.
pub(crate) fn no_server_name(host: &str) -> Failure {
    Failure::new(FailureKind::Tls, format!("no certificate can be for a host named {host}"))
}

/// HTTP could not begin on a fresh connection.
pub(crate) fn handshake(host: &str, error: &hyper::Error) -> Failure {
    Failure::new(FailureKind::Disconnected, format!("HTTP with {host} cannot begin: {error}"))
}

/// A response head of too many bytes.
pub(crate) fn header_limit(host: &str, limits: &Limits) -> Failure {
    let detail = format!(
        "the response head of {host} has more than {} bytes (fetch.header-limit-bytes)",
        limits.header_bytes
    );
    Failure::new(FailureKind::HeaderLimit, detail)
}

/// A response head of too many fields.
pub(crate) fn header_count(host: &str, limits: &Limits) -> Failure {
    let detail = format!(
        "the response head of {host} has more than {} fields (fetch.header-count)",
        limits.header_count
    );
    Failure::new(FailureKind::HeaderCount, detail)
}

/// A 101 that nobody asked for (RFC 9110, section 15.2.2): what follows is not HTTP.
pub(crate) fn switched(host: &str) -> Failure {
    let detail = format!("{host} switched to another protocol unasked (status 101)");
    Failure::new(FailureKind::Protocol, detail)
}

/// No response head; `n_received` bytes have come since the request.
pub(crate) fn head(host: &str, limits: &Limits, n_received: u64, error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() {
        return too_large(host, limits, n_received);
    }
    if is_oversize_h2(error) {
        return header_limit(host, limits);
    }
    let io = cause::<io::Error>(error);
    if let Some(error) = io.and_then(inner::<rustls::Error>) {
        return Failure::new(FailureKind::Tls, format!("TLS with {host} ended: {error}"));
    }
    if let Some(flood) = io.and_then(inner::<Flood>) {
        let detail = format!("{host} sent {flood} (fetch.header-limit-bytes)");
        return Failure::new(FailureKind::HeaderLimit, detail);
    }
    if error.is_parse() || cause::<h2::Error>(error).is_some_and(h2::Error::is_library) {
        let detail = format!("what {host} sent is not HTTP: {}", deepest(error));
        return Failure::new(FailureKind::Protocol, detail);
    }
    let detail = if error.is_incomplete_message() {
        format!("{host} closed the connection before its response's head was complete")
    } else {
        format!("the connection to {host} broke before the response's head: {}", deepest(error))
    };
    Failure::new(FailureKind::Disconnected, detail)
}

/// Tells apart what hyper calls too large alike, by what came at least in each case: a head over
/// the limit has that many bytes; a head of too many fields has four of them (`a:` and a line
/// end) for each; what is left is a length that no number holds.
fn too_large(host: &str, limits: &Limits, n_received: u64) -> Failure {
    if n_received >= limits.header_bytes as u64 {
        header_limit(host, limits)
    } else if n_received >= 4 * limits.header_count as u64 {
        header_count(host, limits)
    } else {
        let detail = format!("what {host} sent is not HTTP: a Content-Length that is no length");
        Failure::new(FailureKind::Protocol, detail)
    }
}

/// Why a body broke off in the middle.
pub(crate) fn body(error: &hyper::Error) -> Truncation {
    let is_wrong_h2 =
        |e: &h2::Error| e.is_library() && e.reason() == Some(h2::Reason::PROTOCOL_ERROR);
    // Chunks that are none (RFC 9112, section 7.1), and trailers over the limits of heads.
    let is_wrong_h1 = |e: &io::Error| {
        matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            && inner::<rustls::Error>(e).is_none()
    };
    let is_framing = cause::<h2::Error>(error).is_some_and(is_wrong_h2)
        || cause::<io::Error>(error).is_some_and(is_wrong_h1);
    if is_framing { Truncation::Framing } else { Truncation::Disconnect }
}

/// Whether the HTTP/2 library gave up a head that would not end.
fn is_oversize_h2(error: &hyper::Error) -> bool {
    cause::<h2::Error>(error)
        .is_some_and(|e| e.is_library() && e.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

/// The error that an I/O error carries.
fn inner<T: Error + 'static>(error: &io::Error) -> Option<&T> {
    error.get_ref()?.downcast_ref()
}

fn cause<T: Error + 'static>(error: &hyper::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The first of the causes, which says most.
fn deepest(error: &hyper::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    one_line(&deepest.to_string())
}

/// Keeps a foreign message on one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
