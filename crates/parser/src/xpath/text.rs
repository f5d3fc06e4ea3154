//! Numbers and strings as XPath sees them (sections 3.5, 4.2 and 4.4).

use std::borrow::Cow;
use std::collections::HashMap;

/// XML's white space; HTML's form feed is none of it.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// `number()` of a string: `-? (Digits ('.' Digits?)? | '.' Digits)` between white space; NaN
/// for all else. No plus sign, no exponent.
pub(super) fn to_number(text: &str) -> f64 {
    let text = text.trim_matches(is_blank);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if is_decimal { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// `string()` of a number: decimal, never with an exponent, as many digits as tell it from all
/// other numbers.
pub(super) fn from_number(number: f64) -> Cow<'static, str> {
    match number {
        _ if number.is_nan() => Cow::Borrowed("NaN"),
        f64::INFINITY => Cow::Borrowed("Infinity"),
        f64::NEG_INFINITY => Cow::Borrowed("-Infinity"),
        0.0 => Cow::Borrowed("0"),
        _ => Cow::Owned(number.to_string()),
    }
}

/// `string()` of a boolean.
pub(super) fn from_bool(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

/// `round()`: to the nearest integer, halves towards positive infinity; keeps NaN, infinities
/// and negative zero.
pub(super) fn round(number: f64) -> f64 {
    let floor = number.floor();
    if number.is_infinite() || number - floor < 0.5 {
        floor
    } else {
        // From -0.5 up to 0 it is negative zero, as ceil says.
        number.ceil()
    }
}

/// A part of a text, borrowed if the text is.
fn part<'a>(text: &Cow<'a, str>, start: usize, end: usize) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(text) => Cow::Owned(text[start..end].to_owned()),
    }
}

/// `substring()`: the characters whose position `p`, from 1, has
/// `p >= round(start) and p < round(start) + round(len)`.
pub(super) fn substring<'a>(text: &Cow<'a, str>, start: f64, len: Option<f64>) -> Cow<'a, str> {
    let first = round(start);
    let end = len.map_or(f64::INFINITY, |len| first + round(len));
    // NaN is in no relation to anything.
    let is_inside = |n: usize| (n + 1) as f64 >= first && ((n + 1) as f64) < end;
    let mut inside = text.char_indices().enumerate().skip_while(|(n, _)| !is_inside(*n));
    let Some((_, (from, _))) = inside.next() else { return Cow::Borrowed("") };
    let to = inside.find(|(n, _)| !is_inside(*n)).map_or(text.len(), |(_, (at, _))| at);
    part(text, from, to)
}

/// `substring-before()`
pub(super) fn before<'a>(text: &Cow<'a, str>, mark: &str) -> Cow<'a, str> {
    text.find(mark).map_or(Cow::Borrowed(""), |at| part(text, 0, at))
}

/// `substring-after()`
pub(super) fn after<'a>(text: &Cow<'a, str>, mark: &str) -> Cow<'a, str> {
    text.find(mark).map_or(Cow::Borrowed(""), |at| part(text, at + mark.len(), text.len()))
}

/// `normalize-space()`
pub(super) fn normalized(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_normal = !text.starts_with(is_blank)
        && !text.ends_with(is_blank)
        && !text.contains(['\t', '\r', '\n'])
        && !text.contains("  ");
    if is_normal {
        return text;
    }
    let mut normal = String::with_capacity(text.len());
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(word);
    }
    Cow::Owned(normal)
}

/// `translate()`
pub(super) fn translated<'a>(text: Cow<'a, str>, from: &str, to: &str) -> Cow<'a, str> {
    let mut replacements = to.chars();
    let mut table: HashMap<char, Option<char>> = HashMap::new();
    for c in from.chars() {
        let replacement = replacements.next();
        // The first occurrence counts.
        table.entry(c).or_insert(replacement);
    }
    if !text.contains(|c| table.contains_key(&c)) {
        return text;
    }
    let translate = |c| table.get(&c).copied().unwrap_or(Some(c));
    Cow::Owned(text.chars().filter_map(translate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_sign_or_exponent() {
        for (text, number) in
            [("12", 12.0), (" -0.5\n", -0.5), (".5", 0.5), ("5.", 5.0), ("-.25", -0.25)]
        {
            assert_eq!(to_number(text), number, "{text}");
        }
        for text in
            ["", " ", ".", "-", "+1", "1e3", "1 2", "0x1", "--1", "1.2.3", "inf", "NaN", "\u{a0}1"]
        {
            assert!(to_number(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_without_exponent() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (-1.5, "-1.5"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(from_number(number), text);
        }
    }

    #[test]
    fn halves_round_up() {
        for (number, rounded) in [
            (2.5, 3.0),
            (-2.5, -2.0),
            (-0.2, 0.0),
            (0.499_999_999_999_999_94, 0.0),
            (4_503_599_627_370_497.0, 4_503_599_627_370_497.0),
            (f64::NEG_INFINITY, f64::NEG_INFINITY),
        ] {
            assert_eq!(round(number), rounded, "{number}");
        }
        assert!(round(f64::NAN).is_nan());
        assert!(round(-0.5).is_sign_negative() && round(-0.5) == 0.0);
    }
}
