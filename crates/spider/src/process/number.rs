//! Numbers as shops write them.

use serde_json::Number;

/// Finds the first number in `text`, in English or continental notation; `None` if there is none.
///
/// With both `.` and `,` the last one is the decimal mark. A single `,` is one unless exactly
/// three digits follow (`1,234`); a single `.` always is. Marks that repeat, apostrophes and
/// no-break spaces group digits.
///
/// ```
/// use crawl_spider::process::number;
///
/// assert_eq!(number("from £1,234.50").unwrap().as_f64(), Some(1234.5));
/// assert_eq!(number("22 in stock").unwrap().as_i64(), Some(22));
/// assert!(number("sold out").is_none());
/// ```
#[must_use]
pub fn number(text: &str) -> Option<Number> {
    // No byte of another character is an ASCII one.
    let start = text.bytes().position(|byte| byte.is_ascii_digit())?;
    let run = run_of(&text[start..]);
    // `.5` is a half.
    let has_bare_point =
        text[..start].ends_with('.') && !text[..start - 1].ends_with(|c: char| c.is_alphanumeric());
    let sign_at = if has_bare_point { start - 1 } else { start };
    let mark = if has_bare_point { None } else { decimal_mark(run) };
    let (whole, fraction) = match mark {
        Some(at) => (&run[..at], &run[at + 1..]),
        None if has_bare_point => ("0", run),
        None => (run, ""),
    };
    let mut plain = String::with_capacity(run.len() + "-.0".len());
    if is_negative(&text[..sign_at]) {
        plain.push('-');
    }
    push_digits(&mut plain, whole);
    if fraction.is_empty()
        && let Ok(n) = plain.parse::<i64>()
    {
        return Some(n.into());
    }
    plain.push('.');
    push_digits(&mut plain, fraction);
    plain.push('0');
    Number::from_f64(plain.parse().ok()?)
}

/// The digits at the beginning of `text`, and the marks between them.
fn run_of(text: &str) -> &str {
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'\'');
    let mut len = 0;
    loop {
        len += text[len..].bytes().take_while(|byte| is_part(*byte)).count();
        match text[len..].chars().next() {
            Some(mark @ ('\u{2019}' | '\u{a0}' | '\u{202f}')) => len += mark.len_utf8(),
            _ => break,
        }
    }
    let last = text[..len].bytes().rposition(|byte| byte.is_ascii_digit());
    &text[..last.map_or(0, |last| last + 1)]
}

fn push_digits(out: &mut String, part: &str) {
    match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => out.push_str(part),
        false => out.extend(part.chars().filter(char::is_ascii_digit)),
    }
}

/// A minus sign directly before a number, and not a dash inside a word (`A-7`, `1-2`).
fn is_negative(before: &str) -> bool {
    let Some(rest) = before.strip_suffix(['-', '\u{2212}']) else { return false };
    !rest.ends_with(|c: char| c.is_alphanumeric())
}

fn decimal_mark(run: &str) -> Option<usize> {
    let last = |mark| run.bytes().rposition(|byte| byte == mark);
    let is_first = |at: usize, mark| !run[..at].bytes().any(|byte| byte == mark);
    match (last(b'.'), last(b',')) {
        (Some(point), Some(comma)) => Some(point.max(comma)),
        (Some(point), None) => is_first(point, b'.').then_some(point),
        (None, Some(comma)) => {
            let is_single = is_first(comma, b',');
            (is_single && run.len() - comma - 1 != 3).then_some(comma)
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn numbers_are_found_in_either_notation() {
        for (text, expected) in [
            ("£51.77", json!(51.77)),
            ("In stock (22 available)", json!(22)),
            ("1,234.50 USD", json!(1234.5)),
            ("1.234,50 €", json!(1234.5)),
            ("1,234", json!(1234)),
            ("1.234.567", json!(1_234_567)),
            ("12,5 %", json!(12.5)),
            ("CHF 1'200.-", json!(1200)),
            ("1\u{a0}200,00", json!(1200.0)),
            ("-5", json!(-5)),
            ("\u{2212}5.5", json!(-5.5)),
            ("A-7", json!(7)),
            ("$ .50", json!(0.5)),
            ("v.5", json!(5)),
            ("5.", json!(5)),
            ("0", json!(0)),
            ("99999999999999999999", json!(1e20)),
        ] {
            assert_eq!(number(text).map(Value::Number), Some(expected), "{text}");
        }
        assert_eq!(number("free"), None);
        assert_eq!(number(""), None);
    }
}
