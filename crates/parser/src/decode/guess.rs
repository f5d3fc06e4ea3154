//! What text of old is taken for, if nobody says and it is not UTF-8.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use super::WESTERN;

/// How much is looked at, from the first byte that is not ASCII on, in bytes.
const SAMPLE_BYTES: usize = 64 * 1024;

/// How the encoding of undeclared text is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legacy<'a> {
    /// It is windows-1252, which always gives the same answer.
    Western,
    /// It is guessed, as Firefox does, by its letters and its host's last label.
    Guess {
        /// The host, of which the last label says what is likely.
        host: &'a str,
    },
}

impl Legacy<'_> {
    /// The encoding of `body`, which is not valid UTF-8.
    pub(super) fn encoding(self, body: &[u8]) -> &'static Encoding {
        let Self::Guess { host } = self else { return WESTERN };
        let start = body.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
        // A letter alone says less than the word it is in.
        let start = start.saturating_sub(64);
        let end = body.len().min(start + SAMPLE_BYTES);
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&body[start..end], end == body.len());
        let tld = top_level(host);
        detector.guess(tld.as_deref().map(str::as_bytes), Utf8Detection::Deny)
    }
}

/// The last label of a host name, in lower case; `None` of an address.
fn top_level(host: &str) -> Option<String> {
    let label = host.trim_end_matches('.').rsplit('.').next()?.to_ascii_lowercase();
    let is_name = label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_is_that_of_a_name() {
        for (host, label) in [
            ("www.example.RU", Some("ru")),
            ("example.xn--p1ai.", Some("xn--p1ai")),
            ("localhost", Some("localhost")),
            ("10.0.0.1", None),
            ("[::1]", None),
            ("", None),
        ] {
            assert_eq!(top_level(host).as_deref(), label, "{host}");
        }
    }
}
