//! Links in the header: `Link: </next>; rel="next"` (RFC 8288).

/// A link of a `Link` field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeaderLink<'a> {
    pub(super) target: &'a str,
    pub(super) rel: String,
}

/// The links of one field's value (appendix B.2), as far as it is well-formed. Links with an
/// `anchor` are about another document and left out.
pub(super) fn links(value: &str) -> Vec<HeaderLink<'_>> {
    let mut links = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let Some((target, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'))
        else {
            return links;
        };
        rest = after;
        let (mut rel, mut has_anchor) = (None, false);
        while let Some((name, value, after)) = parameter(rest) {
            rest = after;
            if name.eq_ignore_ascii_case("anchor") {
                has_anchor = true;
            } else if name.eq_ignore_ascii_case("rel") && rel.is_none() {
                rel = Some(value);
            }
        }
        if !has_anchor {
            links.push(HeaderLink { target: target.trim_ascii(), rel: rel.unwrap_or_default() });
        }
        match rest.trim_ascii_start().strip_prefix(',') {
            Some(next) => rest = next,
            None => return links,
        }
    }
}

/// `; name="value"`: name, value and what follows.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let rest = text.trim_ascii_start().strip_prefix(';')?.trim_ascii_start();
    let end = rest.find([';', ',', '=']).unwrap_or(rest.len());
    let name = rest[..end].trim_ascii();
    let rest = &rest[end..];
    let Some(rest) = rest.strip_prefix('=') else { return Some((name, String::new(), rest)) };
    let rest = rest.trim_ascii_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([';', ',']).unwrap_or(rest.len());
        return Some((name, rest[..end].trim_ascii().to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name, value, &quoted[at + 1..])),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    Some((name, value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_far_as_they_are_well_formed() {
        for (value, expected) in [
            ("</a>; rel=next", "/a next"),
            ("</a>;rel=\"next prev\" , <b>", "/a next prev|b "),
            ("<http://h/a,b;c>; title=\"x, <y>; rel=no\"; rel=up", "http://h/a,b;c up"),
            ("</a>; REL = next; rel=no", "/a next"),
            ("</a>; anchor=\"/x\"; rel=next, </b>; rel=x", "/b x"),
            ("</a>; title=\"q\\\"q\"; rel=x", "/a x"),
            ("</a>; nofollow; rel=x", "/a x"),
            (",, </a>,,</b>", "/a |/b "),
            ("</a>; title=\"open", "/a "),
            ("</a", ""),
            ("/a; rel=next", ""),
            ("</a> x </b>", "/a "),
            ("", ""),
        ] {
            let found: Vec<_> =
                links(value).iter().map(|link| format!("{} {}", link.target, link.rel)).collect();
            assert_eq!(found.join("|"), expected, "{value}");
        }
    }
}
