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
    if let Some((host, port, rest)) = plain(rest) {
        let start = out.len();
        out.push_str(host);
        let end = out.len();
        if let Some(port) = port {
            push_port(out, port, https)?;
        }
        return Ok((start..end, rest));
    }
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
        push_port(out, port, https)?;
    }
    Ok((start..end, rest))
}

/// Whether a byte ends the authority.
fn is_end(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\' | b'?' | b'#')
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
fn push_port(out: &mut String, digits: &str, https: bool) -> Result<(), UrlError> {
    let default = if https { 443 } else { 80 };
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

/// Host, port and rest, if the authority has no more, and a host that the host parser would return
/// as it is: a lower-case ASCII name without punycode to check, or an address of version 4.
fn plain(rest: &str) -> Option<(&str, Option<&str>, &str)> {
    let end = plain_host(rest.as_bytes())?;
    let (host, behind) = rest.split_at(end);
    let Some(port) = behind.strip_prefix(':') else { return Some((host, None, behind)) };
    let end = port.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(port.len());
    let (port, rest) = port.split_at(end);
    // What follows may show that this is a password.
    rest.bytes().next().is_none_or(is_end).then_some((host, Some(port), rest))
}

/// Length of the host that `rest` begins with, if it is a plain one.
fn plain_host(rest: &[u8]) -> Option<usize> {
    let (mut before, mut label_starts_with) = (b'.', b'.');
    let mut end = rest.len();
    for (i, &byte) in rest.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' => {}
            // Two may be those of `xn--`.
            b'-' if before != b'-' => {}
            b'.' if before != b'.' => {}
            b':' | b'/' | b'\\' | b'?' | b'#' => {
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
    let is_name = !label_starts_with.is_ascii_digit();
    (end > 0 && (is_name || is_address(&rest[..end]))).then_some(end)
}

/// Whether a host is an address of version 4 as the serializer writes it: four decimal numbers.
fn is_address(host: &[u8]) -> bool {
    let mut n_parts = 0;
    host.split(|&byte| byte == b'.').all(|part| {
        n_parts += 1;
        let value = part.iter().try_fold(0_u32, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value.saturating_mul(10).saturating_add(u32::from(byte - b'0')))
        });
        let has_zeros = part.len() > 1 && part[0] == b'0';
        !part.is_empty() && !has_zeros && value.is_some_and(|value| value <= 255)
    }) && n_parts == 4
}

#[cfg(test)]
mod tests {
    use url::Url;

    use crate::CanonicalUrl;

    #[test]
    fn hosts_and_ports_are_those_of_the_host_parser() {
        let hosts = [
            "h",
            "a.b",
            "a.b.",
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.4.",
            "1.2.3.4.5",
            "1..2.3",
            "0x7f.1",
            "x.0x1",
            "a--b",
            "xn--a",
            "1a",
            "999999999999.1.1.1",
            ".a",
            "A.b",
            "user:1@h",
            "h:1@x",
            "1.2.3.4:5@h",
            "[::1]",
            "",
        ];
        let behind = [
            "", "/", ":", ":80", ":443", ":8080/p", ":00081?q", ":65536", ":7x", ":8#f", ":8\\p",
            "?q",
        ];
        for scheme in ["http", "https"] {
            for text in
                hosts.iter().flat_map(|host| behind.map(|rest| format!("{scheme}://{host}{rest}")))
            {
                let ours = CanonicalUrl::parse(&text).ok().map(|url| url.as_str().to_owned());
                let theirs = Url::parse(&text).ok().map(|mut url| {
                    url.set_fragment(None);
                    url.to_string()
                });
                assert_eq!(ours, theirs, "{text}");
            }
        }
    }
}
