//! What forms and queries send: `application/x-www-form-urlencoded` (URL Standard, section 5.1).

/// Names and values in order, undecodable bytes replaced.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let parts = text.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let pair = |part: &[u8]| {
        let equals = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let value = part.get(equals + 1..).unwrap_or_default();
        (decoded(&part[..equals]), decoded(value))
    };
    parts.map(pair).collect()
}

/// The first value of `name`.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// The first value of `name` in the query of `path_and_query`.
pub(crate) fn queried(path_and_query: &str, name: &str) -> Option<String> {
    let (_, query) = path_and_query.split_once('?')?;
    value(&pairs(query.as_bytes()), name).map(str::to_owned)
}

fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(hex);
        bytes.push(escaped.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_oddities_stay() {
        let told = pairs(b"a=1+2&b=%C3%a9%zz&c&&=x&a=3%");
        let told: Vec<_> = told.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(told, [("a", "1 2"), ("b", "é%zz"), ("c", ""), ("", "x"), ("a", "3%")]);
        assert_eq!(queried("/x?q=%41", "q").as_deref(), Some("A"));
        assert_eq!(queried("/x", "q"), None);
    }
}
