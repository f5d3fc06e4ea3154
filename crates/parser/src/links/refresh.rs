//! Where `meta http-equiv=refresh` leads.

/// "Shared declarative refresh steps" (HTML Standard, section 4.2.5.3): the URL in
/// `5; url='/next'`. `None` if it only reloads the page.
pub(super) fn refresh_target(content: &str) -> Option<&str> {
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
    (!target.is_empty()).then_some(target)
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
            assert_eq!(refresh_target(content), target, "{content}");
        }
    }
}
