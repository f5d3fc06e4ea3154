//! From the libraries' errors to the classes by which failures are judged, and to one line that
//! says what happened and which key would change it.

use std::error::Error;
use std::io;

use crawl_model::{Failure, FailureKind};

use crate::clock::Limit;
use crate::config::Limits;

/// The name servers did not answer in time.
pub(crate) fn dns_late(host: &str, limit: Limit) -> Failure {
    late(FailureKind::DnsTimeout, format!("no answer from DNS for {host}"), limit)
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
    let detail = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("connection to {host}:{port} refused"),
        _ => format!("no connection to {host}:{port}: {error}"),
    };
    Failure::new(FailureKind::Connect, detail)
}

/// No TLS session. Only what the TLS library says is final: a connection that breaks in the
/// handshake may fare better later.
pub(crate) fn tls(host: &str, error: &io::Error) -> Failure {
    match tls_error(error) {
        Some(error) => Failure::new(FailureKind::Tls, format!("no TLS with {host}: {error}")),
        None => {
            let detail = format!("the connection to {host} broke in the TLS handshake: {error}");
            Failure::new(FailureKind::Connect, detail)
        }
    }
}

/// A host of which no certificate can speak.
pub(crate) fn no_server_name(host: &str) -> Failure {
    Failure::new(FailureKind::Tls, format!("no certificate can be for a host named {host}"))
}

/// HTTP could not begin on a fresh connection.
pub(crate) fn handshake(host: &str, error: &hyper::Error) -> Failure {
    Failure::new(FailureKind::Protocol, format!("HTTP with {host} cannot begin: {error}"))
}

/// A response head over the limit.
pub(crate) fn header_limit(host: &str, limits: &Limits) -> Failure {
    let detail = format!(
        "the response head of {host} has more than {} bytes or 100 fields \
         (fetch.header-limit-bytes)",
        limits.header_bytes
    );
    Failure::new(FailureKind::HeaderLimit, detail)
}

/// No response head.
pub(crate) fn head(host: &str, limits: &Limits, error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() || is_oversize_h2(error) {
        return header_limit(host, limits);
    }
    let io = cause::<io::Error>(error);
    if let Some(error) = io.and_then(tls_error) {
        return Failure::new(FailureKind::Tls, format!("TLS with {host} ended: {error}"));
    }
    let detail = if error.is_parse() {
        format!("what {host} sent is not HTTP: {}", deepest(error))
    } else if error.is_incomplete_message() {
        format!("{host} closed the connection before its response's head was complete")
    } else {
        format!("the connection to {host} broke before the response's head: {}", deepest(error))
    };
    Failure::new(FailureKind::Protocol, detail)
}

/// Whether a body ended because the connection did.
pub(crate) fn is_end_of_stream(error: &hyper::Error) -> bool {
    cause::<io::Error>(error).is_some_and(|e| e.kind() == io::ErrorKind::UnexpectedEof)
}

/// Whether the HTTP/2 library gave up a head that would not end.
fn is_oversize_h2(error: &hyper::Error) -> bool {
    cause::<h2::Error>(error)
        .is_some_and(|e| e.is_library() && e.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
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
