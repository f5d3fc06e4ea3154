//! The values that inputs start with: "value sanitization" (HTML Standard, section 4.10.5.1).

use crawl_spider::{FieldKind, NodeId};

use crate::dom::Dom;

/// The value of an `input` that is neither a box nor a file.
pub(super) fn of_input(dom: &Dom, node: NodeId, kind: FieldKind) -> String {
    let value = dom.attr(node, "value").unwrap_or_default();
    match kind {
        FieldKind::Hidden => value.to_owned(),
        FieldKind::Text | FieldKind::Search | FieldKind::Tel | FieldKind::Password => {
            without_newlines(value)
        }
        FieldKind::Url => trim(&without_newlines(value)).to_owned(),
        FieldKind::Email if dom.attr(node, "multiple").is_some() => {
            let addresses: Vec<&str> = value.split(',').map(trim).collect();
            addresses.join(",")
        }
        FieldKind::Email => trim(&without_newlines(value)).to_owned(),
        FieldKind::Number => kept(value, number(value).is_some()),
        FieldKind::Range => range(dom, node, value),
        FieldKind::Color => color(value),
        FieldKind::Date => kept(value, is_date(value)),
        FieldKind::Month => kept(value, month(value).is_some()),
        FieldKind::Week => kept(value, is_week(value)),
        FieldKind::Time => kept(value, is_time(value)),
        FieldKind::DateTimeLocal => date_time(value),
        _ => value.to_owned(),
    }
}

fn kept(value: &str, is_valid: bool) -> String {
    if is_valid { value.to_owned() } else { String::new() }
}

fn without_newlines(value: &str) -> String {
    value.replace(['\r', '\n'], "")
}

fn trim(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_ascii_whitespace())
}

/// A valid floating-point number (section 2.3.4.3).
fn number(value: &str) -> Option<f64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => (whole.is_empty() || all_digits(whole)) && all_digits(part),
        None => all_digits(mantissa),
    };
    let exponent_fits =
        exponent.is_none_or(|text| all_digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    let value = (mantissa_fits && exponent_fits).then(|| value.parse::<f64>().ok())??;
    value.is_finite().then_some(value)
}

/// Section 4.10.5.1.13: between the bounds, on a step.
fn range(dom: &Dom, node: NodeId, value: &str) -> String {
    let bound = |name| dom.attr(node, name).and_then(number);
    let (min, max) = (bound("min").unwrap_or(0.0), bound("max").unwrap_or(100.0));
    let given = number(value);
    let middle = if max < min { min } else { min + (max - min) / 2.0 };
    let wanted = given.unwrap_or(middle);
    let mut fitting = wanted.min(max).max(min);
    let step = match dom.attr(node, "step") {
        Some(step) if step.eq_ignore_ascii_case("any") => None,
        Some(step) => Some(number(step).filter(|step| *step > 0.0).unwrap_or(1.0)),
        None => Some(1.0),
    };
    if let Some(step) = step {
        let base = bound("min").or(given).unwrap_or(0.0);
        let steps = ((fitting - base) / step + 0.5).floor();
        let on_step = base + steps * step;
        let on_step = if on_step > max && max >= min { on_step - step } else { on_step };
        if on_step.is_finite() && on_step >= min {
            fitting = on_step;
        }
    }
    match given {
        Some(same) if same == fitting => value.to_owned(),
        _ => fitting.to_string(),
    }
}

fn color(value: &str) -> String {
    let digits = value.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        value.to_ascii_lowercase()
    } else {
        "#000000".to_owned()
    }
}

/// A number of exactly so many digits (a year of four or more) within bounds.
fn part(text: &str, n_digits: usize, min: u32, max: u32) -> Option<u32> {
    let fits = text.len() == n_digits || (n_digits == 4 && (4..=9).contains(&text.len()));
    let number: u32 = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    (fits && (min..=max).contains(&number)).then_some(number)
}

/// Year and month of `2026-02`.
fn month(value: &str) -> Option<(u32, u32)> {
    let (year, month) = value.split_once('-')?;
    Some((part(year, 4, 1, u32::MAX)?, part(month, 2, 1, 12)?))
}

fn is_date(value: &str) -> bool {
    let valid = || {
        let (front, day) = value.rsplit_once('-')?;
        let (year, month) = month(front)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let n_days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        part(day, 2, 1, n_days)
    };
    valid().is_some()
}

fn is_week(value: &str) -> bool {
    let valid = || {
        let (year, week) = value.split_once("-W")?;
        let year = part(year, 4, 1, u32::MAX)?;
        // A year has 53 weeks if it begins on a Thursday, or ends on one (section 2.3.5.8).
        let last_day = |year: u32| {
            let year = u64::from(year);
            (year + year / 4 - year / 100 + year / 400) % 7
        };
        let long = last_day(year) == 4 || last_day(year - 1) == 3;
        part(week, 2, 1, if long { 53 } else { 52 })
    };
    valid().is_some()
}

fn is_time(value: &str) -> bool {
    let valid = || {
        let mut parts = value.splitn(3, ':');
        part(parts.next()?, 2, 0, 23)?;
        part(parts.next()?, 2, 0, 59)?;
        let Some(second) = parts.next() else { return Some(0) };
        let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
        part(second, 2, 0, 59)?;
        (1..=3).contains(&fraction.len()).then(|| part(fraction, fraction.len(), 0, 999))?
    };
    valid().is_some()
}

fn date_time(value: &str) -> String {
    match value.split_once(['T', ' ']) {
        Some((date, time)) if is_date(date) && is_time(time) => format!("{date}T{time}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_told_from_what_is_none() {
        for good in ["2024-02-29", "0001-01-01", "12345-12-31"] {
            assert!(is_date(good), "{good}");
        }
        for bad in ["2023-02-29", "2024-13-01", "24-01-01", "2024-1-1", "0000-01-01", "é", ""] {
            assert!(!is_date(bad), "{bad}");
        }
        assert!(is_week("2020-W53") && is_week("2026-W53") && !is_week("2025-W53"));
        assert!(is_time("23:59") && is_time("00:00:00.125") && !is_time("24:00"));
        assert!(!is_time("1:00") && !is_time("10:00:00.1234") && !is_time("10:00:"));
        assert_eq!(date_time("2024-01-02 03:04"), "2024-01-02T03:04");
    }

    #[test]
    fn numbers_are_those_of_the_standard() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("-.5", Some(-0.5)),
            ("1e3", Some(1000.0)),
            ("1.", None),
            ("+1", None),
            ("inf", None),
            ("1e999", None),
            ("", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
