//! Credentials, host and port of an http(s) URL.
//!
//! Hosts that are not plain lower-case names go through the `url` crate's host parser, which
//! knows IDNA (UTS 46) and the number forms of addresses, and follows the standard.

use std::ops::Range;

use super::UrlError;
use super::escape::{USERINFO, push_encoded};

/// "Authority state" to "port state". Appends the authority that `rest` begins with; returns
/// where the host lies, and what follows.
pub(super) fn push_authority<'r>(
    out: &mut String,
    https: bool,
    rest: &'r str,
) -> Result<(Range<usize>, &'r str), UrlError> {
    if let Some(end) = plain_host(rest.as_bytes()) {
        let start = out.len();
        out.push_str(&rest[..end]);
        return Ok((start..out.len(), &rest[end..]));
    }
    let is_end = |byte| matches!(byte, b'/' | b'\\' | b'?' | b'#');
    let (authority, rest) = rest.split_at(rest.bytes().position(is_end).unwrap_or(rest.len()));
    let host_and_port = match authority.bytes().rposition(|byte| byte == b'@') {
        Some(at) => {
            push_credentials(out, &authority[..at]);
            &authority[at + 1..]
        }
        None => authority,
    };
    let (host, port) = split_port(host_and_port);
    if host.is_empty() {
        return Err(UrlError::Invalid("empty host".to_owned()));
    }
    let start = out.len();
    let parsed = url::Host::parse(host).map_err(|error| UrlError::Invalid(error.to_string()))?;
    out.push_str(&parsed.to_string());
    let end = out.len();
    if let Some(port) = port {
        push_port(out, port, if https { 443 } else { 80 })?;
    }
    Ok((start..end, rest))
}

fn push_credentials(out: &mut String, credentials: &str) {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    push_encoded(out, user, USERINFO);
    if !password.is_empty() {
        out.push(':');
        push_encoded(out, password, USERINFO);
    }
    if !user.is_empty() || !password.is_empty() {
        out.push('@');
    }
}

/// Splits at the first colon that is not in brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let mut in_brackets = false;
    let colon = text.bytes().position(|byte| {
        match byte {
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            _ => {}
        }
        byte == b':' && !in_brackets
    });
    match colon {
        Some(colon) => (&text[..colon], Some(&text[colon + 1..])),
        None => (text, None),
    }
}

/// Appends a port that is not the scheme's own.
fn push_port(out: &mut String, digits: &str, default: u16) -> Result<(), UrlError> {
    let invalid = || UrlError::Invalid("invalid port number".to_owned());
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    let port = match digits.trim_start_matches('0') {
        "" if digits.is_empty() => return Ok(()),
        "" => 0,
        digits => digits.parse::<u16>().map_err(|_| invalid())?,
    };
    if port != default {
        out.push(':');
        out.push_str(&port.to_string());
    }
    Ok(())
}

/// Length of an authority that is a host only, and one that the host parser would return as it
/// is: lower-case ASCII, no punycode to check, no address.
fn plain_host(rest: &[u8]) -> Option<usize> {
    let (mut before, mut label_starts_with) = (b'.', b'.');
    let mut end = rest.len();
    for (i, &byte) in rest.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' => {}
            // Two may be those of `xn--`.
            b'-' if before != b'-' => {}
            b'.' if before != b'.' => {}
            b'/' | b'\\' | b'?' | b'#' => {
                end = i;
                break;
            }
            _ => return None,
        }
        if before == b'.' {
            label_starts_with = byte;
        }
        before = byte;
    }
    // Numbers begin with a digit, hexadecimal ones too.
    (end > 0 && !label_starts_with.is_ascii_digit()).then_some(end)
}
