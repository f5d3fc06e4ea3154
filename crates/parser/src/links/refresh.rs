//! Where `meta http-equiv=refresh` and the `Refresh` header field lead, and when.

use std::time::Duration;

/// A refresh to another document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refresh<'a> {
    /// How long the page is to be shown before. Whole seconds, as browsers count.
    pub(crate) delay: Duration,
    /// Where to.
    pub(crate) target: &'a str,
}

/// "Shared declarative refresh steps" (HTML Standard, section 4.2.5.3): the URL in
/// `5; url='/next'`. `None` if it only reloads the page.
pub(crate) fn refresh(content: &str) -> Option<Refresh<'_>> {
    let is_space = |c: char| c.is_ascii_whitespace();
    let rest = content.trim_start_matches(is_space);
    let after_time = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let ends_time = |c: char| is_space(c) || matches!(c, ';' | ',');
    if after_time.len() == rest.len() || !after_time.starts_with(ends_time) {
        return None;
    }
    let rest = after_time.trim_start_matches(is_space);
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start_matches(is_space);
    let named = rest
        .get(..3)
        .filter(|word| word.eq_ignore_ascii_case("url"))
        .and_then(|_| rest[3..].trim_start_matches(is_space).strip_prefix('='));
    let target = named.map_or(rest, |value| value.trim_start_matches(is_space));
    let target = match target.chars().next()? {
        quote @ ('"' | '\'') => target[1..].split(quote).next().unwrap_or_default(),
        _ => target,
    };
    let target = target.trim_matches(|c: char| c <= ' ');
    let time = &content.trim_start_matches(is_space);
    let seconds = &time[..time.find(|c: char| !c.is_ascii_digit()).unwrap_or(time.len())];
    // No digits before the dot: nought. More than a number holds: never.
    let seconds = if seconds.is_empty() { 0 } else { seconds.parse().unwrap_or(u64::MAX) };
    let delay = Duration::from_secs(seconds);
    (!target.is_empty()).then_some(Refresh { delay, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_gives_its_target() {
        for (content, target) in [
            ("0; url=/a", Some("/a")),
            ("5;URL='/a b'", Some("/a b")),
            (" 1.5 , url = \"/a\" x", Some("/a")),
            ("0 /a", Some("/a")),
            ("0;/a", Some("/a")),
            ("0\u{c}/a", Some("/a")),
            (".5;/a", Some("/a")),
            ("0; url", Some("url")),
            ("0; urls", Some("urls")),
            ("0; ur=/a", Some("ur=/a")),
            ("0; 'a\"b'", Some("a\"b")),
            ("0; url='a", Some("a")),
            ("0; url=a'b'", Some("a'b'")),
            ("0; URL = é", Some("é")),
            ("0;;a", Some(";a")),
            ("0,é", Some("é")),
            ("5", None),
            ("5;", None),
            ("5; url=", None),
            ("5; url=''", None),
            ("url=/a", None),
            ("x; url=/a", None),
            ("-1; url=/a", None),
            ("1x; url=/a", None),
            ("", None),
        ] {
            assert_eq!(refresh(content).map(|found| found.target), target, "{content}");
        }
    }

    #[test]
    fn refresh_gives_its_delay_in_whole_seconds() {
        for (content, seconds) in [
            ("0;a", 0),
            (" 15 a", 15),
            (".9;a", 0),
            ("1.9;a", 1),
            ("1.2.3;a", 1),
            ("007,a", 7),
            ("99999999999999999999999;a", u64::MAX),
        ] {
            assert_eq!(refresh(content).unwrap().delay.as_secs(), seconds, "{content}");
        }
    }
}
