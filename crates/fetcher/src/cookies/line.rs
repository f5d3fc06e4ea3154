//! One `Set-Cookie` field, read as browsers do (RFC 6265bis, section 5.6): nothing is an error
//! but what could be dangerous.

use super::date;

/// Most octets of name and value together.
pub(super) const COOKIE_BYTES: usize = 4096;

/// Most octets of an attribute's value; longer ones are as good as absent.
const ATTRIBUTE_BYTES: usize = 1024;

/// Longest life of a cookie in milliseconds: 400 days (RFC 6265bis, section 5.5).
const LONGEST_LIFE_MS: u64 = 400 * 24 * 3600 * 1000;

/// A cookie as a server asks for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Lower case, without a leading dot; `None` for the host alone.
    pub(super) domain: Option<String>,
    /// `None` if the URL's is to be taken.
    pub(super) path: Option<&'a [u8]>,
    /// Milliseconds since the Unix epoch; `None`: as long as the crawl.
    pub(super) expires_ms: Option<u64>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
}

/// Reads a field value; `None` if it is no cookie.
///
/// `SameSite` is not looked at: a crawler opens every page as if its address had been typed.
pub(super) fn parse(field: &[u8], now_ms: u64) -> Option<Line<'_>> {
    if field.iter().any(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
        return None;
    }
    let mut parts = field.split(|&byte| byte == b';');
    let pair = parts.next()?;
    let (name, value) = split_at_equals(pair).unwrap_or((b"", pair));
    let (name, value) = (trim(name), trim(value));
    if name.len() + value.len() > COOKIE_BYTES || name.len() + value.len() == 0 {
        return None;
    }
    let mut line = Line { name, value, ..Line::default() };
    let (mut expires, mut max_age) = (None, None);
    for part in parts {
        let (key, value) = split_at_equals(part).unwrap_or((part, b""));
        let (key, value) = (trim(key), trim(value));
        if value.len() > ATTRIBUTE_BYTES {
            continue;
        }
        match &*key.to_ascii_lowercase() {
            b"expires" => expires = date::parse(value).or(expires),
            b"max-age" => max_age = seconds(value).or(max_age),
            b"domain" => line.domain = Some(domain(value)?).filter(|name| !name.is_empty()),
            b"path" => line.path = Some(value).filter(|path| path.starts_with(b"/")),
            b"secure" => line.secure = true,
            b"httponly" => line.http_only = true,
            _ => {}
        }
    }
    let from_age = max_age.map(|age: u64| match age {
        0 => 0,
        _ => now_ms.saturating_add(age.saturating_mul(1000)),
    });
    line.expires_ms = from_age.or(expires).map(|at| at.min(now_ms.saturating_add(LONGEST_LIFE_MS)));
    Some(line)
}

/// `Max-Age`; 0 for what is negative.
fn seconds(value: &[u8]) -> Option<u64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() < value.len() {
        return Some(0);
    }
    // All ASCII digits, so only the size can fail.
    Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}

/// `None` spoils the cookie: a name that is not ASCII cannot be compared with the URL's.
fn domain(value: &[u8]) -> Option<String> {
    let bare = value.strip_prefix(b".").unwrap_or(value);
    let text = std::str::from_utf8(bare).ok().filter(|text| text.is_ascii())?;
    Some(text.to_ascii_lowercase())
}

fn split_at_equals(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.iter().position(|&byte| byte == b'=')?;
    Some((&part[..at], &part[at + 1..]))
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[track_caller]
    fn check(field: &str, name: &str, value: &str) {
        let line = parse(field.as_bytes(), NOW).unwrap_or_else(|| panic!("a cookie: {field:?}"));
        assert_eq!((line.name, line.value), (name.as_bytes(), value.as_bytes()), "{field:?}");
    }

    #[test]
    fn name_and_value_are_what_stands_around_the_first_equals_sign() {
        check("a=b", "a", "b");
        check(" a = b ; Path=/", "a", "b");
        check("a=b=c", "a", "b=c");
        check("a=\"b c\"", "a", "\"b c\"");
        check("a=", "a", "");
        check("=b", "", "b");
        check("b", "", "b");
        check("a=1,2; x", "a", "1,2");
        check("a\t=\tb", "a", "b");
    }

    #[test]
    fn what_is_no_cookie_is_none() {
        let long = format!("a={}", "x".repeat(COOKIE_BYTES));
        for field in ["", ";", "=", " = ; Path=/", "a=b\u{1}", "a=b\0", "a\x7f=b", &long] {
            assert_eq!(parse(field.as_bytes(), NOW), None, "{field:?}");
        }
        assert!(parse(&long.as_bytes()[..COOKIE_BYTES + 1], NOW).is_some());
        assert_eq!(parse("a=b; Domain=bücher.test".as_bytes(), NOW), None);
        assert!(parse(b"a=\xff\xfe", NOW).is_some());
    }

    #[test]
    fn the_last_attribute_of_a_kind_counts() {
        let line =
            parse(b"a=b; Path=/x; DOMAIN=.A.Test; path=/y; domain=B.test; Secure; httponly=1", NOW);
        let line = line.unwrap();
        assert_eq!((line.path, line.domain.as_deref()), (Some(&b"/y"[..]), Some("b.test")));
        assert!(line.secure && line.http_only);
        let line = parse(b"a=b; Path=/x; path=y; Domain=a.test; domain=", NOW).unwrap();
        assert_eq!((line.path, line.domain), (None, None));
        let long = format!("a=b; Path=/{}", "x".repeat(ATTRIBUTE_BYTES));
        assert_eq!(parse(long.as_bytes(), NOW).unwrap().path, None);
    }

    #[track_caller]
    fn expires(attributes: &str, expected: Option<u64>) {
        let field = format!("a=b; {attributes}");
        assert_eq!(parse(field.as_bytes(), NOW).unwrap().expires_ms, expected, "{field}");
    }

    #[test]
    fn max_age_wins_over_expires_and_no_life_is_longer_than_400_days() {
        expires("", None);
        expires("Max-Age=10", Some(NOW + 10_000));
        expires("Max-Age=10; Expires=Sun, 06 Nov 1994 08:49:37 GMT", Some(NOW + 10_000));
        expires("Expires=Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000));
        expires("Expires=never", None);
        expires("Max-Age=soon; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        expires("Max-Age=0", Some(0));
        expires("Max-Age=-5", Some(0));
        expires("Max-Age=+5", None);
        expires("Max-Age=99999999999999999999999", Some(NOW + LONGEST_LIFE_MS));
        expires("Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(NOW + LONGEST_LIFE_MS));
    }
}
