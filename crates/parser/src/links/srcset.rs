//! The candidates of a `srcset` attribute.

/// "Parse a srcset attribute" (HTML Standard, section 4.8.4.3.11): the URLs. Those whose
/// descriptors browsers do not understand are given, too.
pub(super) fn urls(srcset: &str) -> impl Iterator<Item = &str> {
    let mut rest = srcset;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        rest = if bare.len() < url.len() { after } else { skip_descriptors(after) };
        Some(bare)
    })
}

/// What follows the comma behind the descriptors; commas in parentheses are part of one.
fn skip_descriptors(text: &str) -> &str {
    let mut is_inside = false;
    let comma = text.bytes().position(|byte| {
        match byte {
            b'(' => is_inside = true,
            b')' => is_inside = false,
            _ => {}
        }
        byte == b',' && !is_inside
    });
    comma.map_or("", |at| &text[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_split_as_the_standard_says() {
        for (srcset, expected) in [
            ("a", "a"),
            ("a 1x, b 2x", "a b"),
            ("a,b", "a,b"),
            ("a, b", "a b"),
            (" , a ,, b 2x,", "a b"),
            ("a 100w,b 200w", "a b"),
            ("a,b 1x,c", "a,b c"),
            ("data:,x 1x, b", "data:,x b"),
            ("a (1,2) 3x, b", "a b"),
            ("a (1, b", "a"),
            ("a\n1x\t,\nb", "a b"),
            (",,", ""),
            ("", ""),
        ] {
            assert_eq!(urls(srcset).collect::<Vec<_>>().join(" "), expected, "{srcset}");
        }
    }
}
