//! Dates as they stand in sitemaps and feeds, made ISO 8601.
//!
//! Sitemaps and Atom have the W3C's profile of ISO 8601 (and XML Schema's dates), which is kept
//! as it is written, precision and zone included, once it is known to be a date. RSS has the
//! dates of mail (RFC 822, RFC 5322 section 3.3 with its obsolete forms); they become
//! `2003-05-17T19:00:00+00:00`, always with a numeric zone. What names no zone, or one that
//! nobody knows, is taken for UTC (RFC 5322, section 4.3).

/// Longest date that is looked at.
const MAX_BYTES: usize = 64;

/// Either form as ISO 8601; `None` if it is no date.
pub(crate) fn normalise(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES || !text.is_ascii() {
        return None;
    }
    iso(text).or_else(|| mail(text))
}

/// Checks a date of ISO 8601 and mends its spelling: `T` and `Z` in upper case, no blanks.
fn iso(text: &str) -> Option<String> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let year = cursor.number(4)?;
    let is_extended = cursor.skip(b'-');
    let mut is_date = false;
    if is_extended || !cursor.rest.is_empty() {
        let month = cursor.number(2)?;
        let day = match is_extended {
            true if !cursor.skip(b'-') => None,
            _ => Some(cursor.number(2)?),
        };
        is_date = day.is_some();
        if !is_day(year, month, day.unwrap_or(1)) {
            return None;
        }
    }
    let mut out = text[..text.len() - cursor.rest.len()].to_owned();
    if is_date && matches!(cursor.rest.first(), Some(b'T' | b't' | b' ')) {
        let before = cursor.rest;
        cursor.rest = &before[1..];
        if before[0] == b' ' {
            cursor.rest = cursor.rest.trim_ascii_start();
        }
        let from = text.len() - cursor.rest.len();
        cursor.time()?;
        out.push('T');
        out.push_str(&text[from..text.len() - cursor.rest.len()]);
        cursor.rest = cursor.rest.trim_ascii_start();
    }
    if !cursor.rest.is_empty() {
        let from = text.len() - cursor.rest.len();
        let is_utc =
            [&b"Z"[..], b"UTC", b"GMT"].iter().any(|z| cursor.rest.eq_ignore_ascii_case(z));
        if !is_date || !(is_utc || cursor.offset()) {
            return None;
        }
        out.push_str(if is_utc { "Z" } else { &text[from..] });
    }
    (year > 0).then_some(out)
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// Reads exactly so many digits.
    fn number(&mut self, n_digits: usize) -> Option<u32> {
        let digits = self.rest.get(..n_digits)?;
        let number = digits
            .iter()
            .try_fold(0, |number, byte| Some(number * 10 + char::from(*byte).to_digit(10)?))?;
        self.rest = &self.rest[n_digits..];
        Some(number)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let has = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(has)..];
        has
    }

    /// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.s`, or that without colons.
    fn time(&mut self) -> Option<()> {
        let hour = self.number(2)?;
        let has_colons = self.skip(b':');
        let minute = self.number(2)?;
        let mut second = 0;
        let has_seconds = if has_colons {
            self.skip(b':')
        } else {
            self.rest.first().is_some_and(u8::is_ascii_digit)
        };
        if has_seconds {
            second = self.number(2)?;
            if self.skip(b'.') || self.skip(b',') {
                let n_digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                self.rest = &self.rest[n_digits..];
                if n_digits == 0 {
                    return None;
                }
            }
        }
        is_time(hour, minute, second).then_some(())
    }

    /// `+hh:mm`, `+hhmm` or `+hh`, up to the end.
    fn offset(&mut self) -> bool {
        if !self.skip(b'+') && !self.skip(b'-') {
            return false;
        }
        let Some(hours) = self.number(2) else { return false };
        let has_colon = self.skip(b':');
        let minutes = match self.rest.is_empty() && !has_colon {
            true => Some(0),
            false => self.number(2),
        };
        self.rest.is_empty() && hours < 24 && minutes.is_some_and(|minutes| minutes < 60)
    }
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let n_days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=n_days).contains(&day)
}

/// Leap seconds exist, and ISO 8601 knows a midnight at the end of the day.
fn is_time(hour: u32, minute: u32, second: u32) -> bool {
    (hour < 24 && minute < 60 && second <= 60) || (hour, minute, second) == (24, 0, 0)
}

/// Reads a date of mail, of RFC 850 (`17-May-03`) or of C (`May 17 19:00:00 2003`).
fn mail(text: &str) -> Option<String> {
    let text = text.split('(').next().unwrap_or_default(); // what follows is a comment
    let mut words: Vec<&str> =
        text.split([' ', '\t', '\r', '\n', ',']).filter(|word| !word.is_empty()).collect();
    if words.first().is_some_and(|word| is_weekday(word)) {
        words.remove(0);
    }
    let (day, month, year, rest) = match *words.as_slice() {
        [date, ref rest @ ..] if date.contains('-') => {
            let mut parts = date.split('-');
            let found = (parts.next()?, parts.next()?, parts.next()?);
            (found.0, found.1, found.2, rest.to_vec())
        }
        [month, day, time, ref rest @ .., year] if is_month(month) && time.contains(':') => {
            (day, month, year, [&[time][..], rest].concat())
        }
        [month, day, year, ref rest @ ..] if is_month(month) => (day, month, year, rest.to_vec()),
        [day, month, year, ref rest @ ..] => (day, month, year, rest.to_vec()),
        _ => return None,
    };
    let (day, month, year) = (small(day)?, month_number(month)?, full_year(year)?);
    if !is_day(year, month, day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some((time, zone)) = rest.split_first() else { return Some(date) };
    let mut parts = time.split(':');
    let (hour, minute) = (small(parts.next()?)?, small(parts.next()?)?);
    let second = parts.next().map_or(Some(0), small)?;
    if parts.next().is_some() || hour > 23 || !is_time(hour, minute, second) {
        return None;
    }
    let zone = zone_offset(&zone.concat())?;
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place of a name that may be shortened to three letters or more.
fn place(word: &str, names: &[&str]) -> Option<usize> {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    names.iter().position(|name| word.len() >= 3 && name.starts_with(&word))
}

fn is_weekday(word: &str) -> bool {
    place(word, &WEEKDAYS).is_some()
}

fn is_month(word: &str) -> bool {
    place(word, &MONTHS).is_some()
}

fn month_number(word: &str) -> Option<u32> {
    place(word, &MONTHS).map(|at| at as u32 + 1)
}

/// A number of one or two digits.
fn small(word: &str) -> Option<u32> {
    let is_small = matches!(word.len(), 1 | 2) && word.bytes().all(|byte| byte.is_ascii_digit());
    is_small.then(|| word.parse().ok())?
}

/// Years of two and three digits are those of RFC 5322, section 4.3.
fn full_year(word: &str) -> Option<u32> {
    if !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: u32 = word.parse().ok()?;
    match word.len() {
        2 if year < 50 => Some(2000 + year),
        2 | 3 => Some(1900 + year),
        4 if year > 0 => Some(year),
        _ => None,
    }
}

/// A zone of mail as `+hh:mm`; `None` if it looks like none at all.
fn zone_offset(zone: &str) -> Option<String> {
    let upper = zone.to_ascii_uppercase();
    let number = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper);
    if let Some(digits) = number.strip_prefix(['+', '-']) {
        let digits = digits.replace(':', "");
        let (hours, minutes) = (small(digits.get(..2)?)?, small(digits.get(2..)?)?);
        let is_zone = digits.len() == 4 && hours < 24 && minutes < 60;
        return is_zone.then(|| format!("{}{hours:02}:{minutes:02}", &number[..1]));
    }
    let hours = match &*upper {
        "ADT" => 3,
        "EDT" | "AST" => 4,
        "EST" | "CDT" => 5,
        "CST" | "MDT" => 6,
        "MST" | "PDT" => 7,
        "PST" => 8,
        name if name.bytes().all(|byte| byte.is_ascii_alphabetic()) => 0,
        _ => return None,
    };
    Some(format!("{}{hours:02}:00", if hours == 0 { '+' } else { '-' }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(normalise(text).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn dates_of_iso_8601_stay_as_they_are() {
        for text in [
            "2004",
            "2004-10",
            "2004-10-01",
            "2004-02-29",
            "2004-10-01T18:23Z",
            "2004-10-01T18:23:17+00:00",
            "2004-10-01T18:23:17.123456789-05:30",
            "2004-10-01T18:23:17,5Z",
            "2004-10-01T18:23:17",
            "2004-10-01T18:23:17+0200",
            "2004-10-01T18:23:17+02",
            "2004-10-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2004-10-01Z",
            "2004-10-01+02:00",
            "20041001",
            "20041001T182317Z",
            "0001-01-01T00:00:00",
        ] {
            check(text, text);
            check(&format!(" \n{text}\t"), text);
        }
    }

    #[test]
    fn their_spelling_is_mended() {
        check("2004-10-01 18:23:17", "2004-10-01T18:23:17");
        check("2004-10-01t18:23:17z", "2004-10-01T18:23:17Z");
        check("2004-10-01 18:23:17 +0200", "2004-10-01T18:23:17+0200");
        check("2004-10-01  18:23:17 UTC", "2004-10-01T18:23:17Z");
    }

    #[test]
    fn dates_of_mail_become_iso_8601() {
        check("Sat, 17 May 2003 19:00:00 GMT", "2003-05-17T19:00:00+00:00");
        check("17 May 2003 19:00:00 +0000", "2003-05-17T19:00:00+00:00");
        check("Sat, 7 May 03 9:00 EST", "2003-05-07T09:00:00-05:00");
        check("sat,17 may 1999 19:00:00 PDT", "1999-05-17T19:00:00-07:00");
        check("Sat, 17 May 99 19:00:00 -0330", "1999-05-17T19:00:00-03:30");
        check("Sat, 17 May 103 19:00:00 UT", "2003-05-17T19:00:00+00:00");
        check("Saturday, 17-May-03 19:00:00 GMT", "2003-05-17T19:00:00+00:00");
        check("Sat May 17 19:00:00 2003", "2003-05-17T19:00:00+00:00");
        check("Sat May 17 19:00:00 CEST 2003", "2003-05-17T19:00:00+00:00");
        check("17 Sept 2003 19:00:00 (or so)", "2003-09-17T19:00:00+00:00");
        check("September 17, 2003 19:00 GMT+02:00", "2003-09-17T19:00:00+02:00");
        check("17 May 2003", "2003-05-17");
        check("Sat, 17 May 2003 19:00:00 Z", "2003-05-17T19:00:00+00:00");
        check("Sat, 17 May 2003 19:00:00 A", "2003-05-17T19:00:00+00:00");
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "yesterday",
            "2004-13",
            "2004-02-30",
            "2003-02-29",
            "1900-02-29",
            "2004-1-1",
            "0000-00-00",
            "0000",
            "2004-10-01T",
            "2004-10-01T25:00Z",
            "2004-10-01T18:60Z",
            "2004-10-01T18Z",
            "2004-10-01T18:23:17+25:00",
            "2004-10-01T18:23:17.Z",
            "2004-10Z",
            "2004-10-01x",
            "1096655",
            "12/31/2004",
            "Sat, 31 Feb 2003 19:00:00 GMT",
            "Sat, 17 May 2003 25:00:00 GMT",
            "Sat, 17 May 2003 19:00:00:00 GMT",
            "Sat, 17 May 2003 19 GMT",
            "Sat, 17 Mai 2003 19:00:00 GMT",
            "Sat, 17 May 2003 19:00:00 +2",
            "May",
            "17 May",
            "-",
            "--",
            "2004-10-01T18:23:17é",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
        assert_eq!(normalise(&"2004 ".repeat(50)), None);
    }
}
