//! Where values of JSON end, without reading what they are.

/// Bytes of the value that `json` begins with; `None` if it has blanks between its tokens, or is cut.
/// The text is taken to be JSON.
pub(super) fn len_of_value(json: &[u8]) -> Option<usize> {
    match json.first()? {
        b'"' => len_of_string(json),
        b'{' | b'[' => len_of_nest(json),
        _ => json.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte)),
    }
}

/// The same of a string, its quotes included.
fn len_of_string(json: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += json.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if json[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The same of an array or an object.
fn len_of_nest(json: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match json.get(at)? {
            b'"' => {
                at += len_of_string(&json[at..])?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            byte if byte.is_ascii_whitespace() => return None,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_own_marks_do() {
        for value in ["1", "-1.5e+3", "true", r#""""#, r#""a\\\"b""#, "[]", r#"[{"]":"}"},[2]]"#] {
            for rest in [",", "}", "]"] {
                let text = format!("{value}{rest}");
                assert_eq!(len_of_value(text.as_bytes()), Some(value.len()), "{text}");
            }
        }
        for text in ["", "1", "\"a", "\"a\\", "[1", "[1, 2]", "{\"a\":"] {
            assert_eq!(len_of_value(text.as_bytes()), None, "{text}");
        }
        assert_eq!(len_of_value(b" 1,"), Some(0));
    }
}
