//! Dates as people write them.
//!
//! What is clear by itself is understood: ISO 8601 (with `-`, `/` or `.`), the dates of mail and
//! HTTP, names of months in English in either order, and `17.5.2024`. What is not (`5/6/2024`)
//! needs a format.

/// A day, perhaps with a time and its distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// Hour, minute, second.
    time: Option<(i64, i64, i64)>,
    /// Minutes.
    offset: Option<i64>,
}

/// Longest text that is searched for a date.
const MAX_BYTES: usize = 500;

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

const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    /// Value and number of digits.
    Number(i64, usize),
    Word(&'a str),
    Sign(char),
}

impl Date {
    /// The date that a text holds, if it is clear.
    pub(crate) fn find(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let tokens = tokens(text);
        let day = (0..tokens.len()).find_map(|at| day_at(&tokens[at..]))?;
        let clock = (0..tokens.len()).find_map(|at| clock_at(&tokens[at..]));
        Self { time: clock.map(|(time, _)| time), offset: clock.and_then(|(_, o)| o), ..day }
            .valid()
    }

    /// The date that stands for so many seconds since 1970, or milliseconds if it were far in
    /// the future.
    pub(crate) fn of_epoch(number: f64) -> Option<Self> {
        let seconds = if number.abs() > 1e11 { number / 1000.0 } else { number };
        // Years that have four digits.
        if !(-62_135_596_800.0..253_402_300_800.0).contains(&seconds) {
            return None;
        }
        let seconds = seconds.floor() as i64;
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let rest = seconds.rem_euclid(SECONDS_PER_DAY);
        let time = Some((rest / 3600, rest / 60 % 60, rest % 60));
        Some(Self { year, month, day, time, offset: Some(0) })
    }

    /// Seconds since 1970; without a zone in UTC.
    pub(crate) fn epoch(&self) -> i64 {
        let (hour, minute, second) = self.time.unwrap_or_default();
        let minutes = hour * 60 + minute - self.offset.unwrap_or_default();
        days(self.year, self.month, self.day) * SECONDS_PER_DAY + minutes * 60 + second
    }

    /// `2024-05-17`, `2024-05-17T19:00:00`, `2024-05-17T19:00:00Z` or `..+02:00`.
    pub(crate) fn iso(&self) -> String {
        let mut text = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        if let Some((hour, minute, second)) = self.time {
            text += &format!("T{hour:02}:{minute:02}:{second:02}");
            text += &match self.offset {
                None => String::new(),
                Some(0) => "Z".to_owned(),
                Some(offset) => {
                    let sign = if offset < 0 { '-' } else { '+' };
                    format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
                }
            };
        }
        text
    }

    fn of(year: i64, month: i64, day: i64) -> Self {
        Self { year, month, day, time: None, offset: None }
    }

    fn valid(self) -> Option<Self> {
        let (hour, minute, second) = self.time.unwrap_or_default();
        let is_day = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in(self.year, self.month)).contains(&self.day);
        let is_time = hour < 24 && minute < 60 && second <= 60;
        let is_zone = self.offset.unwrap_or_default().abs() <= 14 * 60;
        (is_day && is_time && is_zone).then_some(self)
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_same: fn(char) -> bool = match first {
            c if c.is_ascii_digit() => |c| c.is_ascii_digit(),
            c if c.is_alphabetic() => char::is_alphabetic,
            _ => |_| false,
        };
        let end = rest.find(|c| !is_same(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let word = &rest[..end];
        rest = &rest[end..];
        if first.is_ascii_digit() {
            // A number that long is no part of a date.
            tokens.push(Token::Number(word.parse().unwrap_or(i64::MAX), word.len()));
        } else if first.is_alphabetic() {
            tokens.push(Token::Word(word));
        } else if !first.is_whitespace() && first != ',' {
            tokens.push(Token::Sign(first));
        }
    }
    tokens
}

/// A day at the beginning of the tokens.
fn day_at(tokens: &[Token<'_>]) -> Option<Date> {
    use Token::{Number, Sign, Word};
    let is_ordinal = |word: &str| {
        ["st", "nd", "rd", "th"].iter().any(|ending| word.eq_ignore_ascii_case(ending))
    };
    match *tokens {
        [Number(year, 4), Sign(a), Number(month, 1 | 2), Sign(b), Number(day, 1 | 2), ..]
            if a == b && matches!(a, '-' | '/' | '.') =>
        {
            Date::of(year, month, day).valid()
        }
        [Number(day, 1 | 2), Sign('.'), Number(month, 1 | 2), Sign('.'), Number(year, 4), ..] => {
            Date::of(year, month, day).valid()
        }
        [Number(day, 1 | 2), Word(ordinal), Word(name), Number(year, 4), ..]
            if is_ordinal(ordinal) =>
        {
            Date::of(year, month(name)?, day).valid()
        }
        [Number(day, 1 | 2), Word(name), Number(year, 4), ..]
        | [Number(day, 1 | 2), Sign('-' | '.'), Word(name), Number(year, 4), ..]
        | [Number(day, 1 | 2), Sign('-'), Word(name), Sign('-'), Number(year, 4), ..]
        | [Number(day, 1 | 2), Word(name), Sign('.'), Number(year, 4), ..]
        | [Word(name), Number(day, 1 | 2), Number(year, 4), ..]
        | [Word(name), Sign('.'), Number(day, 1 | 2), Number(year, 4), ..] => {
            Date::of(year, month(name)?, day).valid()
        }
        [Word(name), Number(day, 1 | 2), Word(ordinal), Number(year, 4), ..]
            if is_ordinal(ordinal) =>
        {
            Date::of(year, month(name)?, day).valid()
        }
        _ => None,
    }
}

type Clock = ((i64, i64, i64), Option<i64>);

/// A time of day at the beginning of the tokens, with its distance from UTC.
fn clock_at(tokens: &[Token<'_>]) -> Option<Clock> {
    use Token::{Number, Sign, Word};
    let [Number(hour, 1 | 2), Sign(':'), Number(minute, 2), rest @ ..] = tokens else {
        return None;
    };
    let (second, rest) = match rest {
        [Sign(':'), Number(second, 2), Sign('.'), Number(..), rest @ ..] => (*second, rest),
        [Sign(':'), Number(second, 2), rest @ ..] => (*second, rest),
        _ => (0, rest),
    };
    let (hour, rest) = match rest {
        [Word(half), rest @ ..] if half.eq_ignore_ascii_case("pm") => (hour % 12 + 12, rest),
        [Word(half), rest @ ..] if half.eq_ignore_ascii_case("am") => (hour % 12, rest),
        _ => (*hour, rest),
    };
    let is_utc = |word: &str| ["z", "utc", "gmt"].iter().any(|z| word.eq_ignore_ascii_case(z));
    let offset = match rest {
        [Word(zone), ..] if is_utc(zone) => Some(0),
        [Sign(sign @ ('+' | '-')), Number(hours, 2), Sign(':'), Number(minutes, 2), ..] => {
            Some(signed(*sign, hours * 60 + minutes))
        }
        [Sign(sign @ ('+' | '-')), Number(both, 4), ..] => {
            Some(signed(*sign, both / 100 * 60 + both % 100))
        }
        _ => None,
    };
    Some(((hour, *minute, second), offset))
}

fn signed(sign: char, minutes: i64) -> i64 {
    if sign == '-' { -minutes } else { minutes }
}

/// The number of a month by its name or the first three letters of it.
fn month(name: &str) -> Option<i64> {
    let name = name.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| name.len() >= 3 && month.starts_with(&name))?;
    i64::try_from(at + 1).ok()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a day in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The day that is so many days after 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// How a date is written, as strftime has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// White space, or none.
    Space,
    Text(String),
    Part(char),
}

/// What may stand behind a `%`.
const PARTS: &str = "YymdeHIMSpbBaAzZ";

impl Format {
    /// Reads a format.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, pieces.last_mut()) {
                ('%', _) => match chars.next() {
                    Some('%') => pieces.push(Piece::Text("%".to_owned())),
                    Some(part) if PARTS.contains(part) => pieces.push(Piece::Part(part)),
                    Some(other) => {
                        let known: Vec<String> = PARTS.chars().map(|c| format!("%{c}")).collect();
                        return Err(format!(
                            "`%{other}` is not known; there are {}",
                            known.join(" ")
                        ));
                    }
                    None => return Err("ends with a `%`".to_owned()),
                },
                (c, Some(Piece::Space)) if c.is_whitespace() => {}
                (c, _) if c.is_whitespace() => pieces.push(Piece::Space),
                (c, Some(Piece::Text(text))) => text.push(c),
                (c, _) => pieces.push(Piece::Text(c.to_string())),
            }
        }
        let has = |parts: &str| {
            pieces.iter().any(|piece| matches!(piece, Piece::Part(part) if parts.contains(*part)))
        };
        if !has("Yy") || !has("mbB") || !has("de") {
            return Err("needs a year (%Y), a month (%m or %B) and a day (%d)".to_owned());
        }
        Ok(Self(pieces))
    }

    /// The date that a text is.
    pub(crate) fn parse(&self, text: &str) -> Option<Date> {
        let mut rest = text.trim();
        let (mut date, mut is_pm) = (Date::of(0, 0, 0), None);
        let (mut time, mut has_time) = ((0, 0, 0), false);
        for piece in &self.0 {
            let part = match piece {
                Piece::Space => {
                    rest = rest.trim_start();
                    continue;
                }
                Piece::Text(text) => {
                    rest = rest.strip_prefix(text.as_str())?;
                    continue;
                }
                Piece::Part(part) => *part,
            };
            has_time |= matches!(part, 'H' | 'I' | 'M' | 'S');
            match part {
                'Y' => date.year = number(&mut rest, 4)?,
                'y' => {
                    let year = number(&mut rest, 2)?;
                    date.year = if year < 69 { 2000 + year } else { 1900 + year };
                }
                'm' => date.month = number(&mut rest, 2)?,
                'd' | 'e' => {
                    rest = rest.trim_start();
                    date.day = number(&mut rest, 2)?;
                }
                'H' | 'I' => time.0 = number(&mut rest, 2)?,
                'M' => time.1 = number(&mut rest, 2)?,
                'S' => time.2 = number(&mut rest, 2)?,
                'p' => is_pm = Some(word(&mut rest)?.eq_ignore_ascii_case("pm")),
                'b' | 'B' => date.month = month(word(&mut rest)?)?,
                'a' | 'A' | 'Z' => _ = word(&mut rest)?,
                'z' => date.offset = Some(zone(&mut rest)?),
                _ => return None,
            }
        }
        if let Some(is_pm) = is_pm {
            time.0 = time.0 % 12 + if is_pm { 12 } else { 0 };
        }
        date.time = has_time.then_some(time);
        if !has_time {
            date.offset = None;
        }
        date.valid().filter(|_| rest.trim().is_empty())
    }
}

/// A number of one to `most` digits.
fn number(rest: &mut &str, most: usize) -> Option<i64> {
    let n_digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(n_digits);
    *rest = after;
    digits.parse().ok()
}

fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    (!word.is_empty()).then_some(word)
}

/// `Z`, `+0200` or `+02:00`, in minutes.
fn zone(rest: &mut &str) -> Option<i64> {
    if let Some(after) = rest.strip_prefix('Z') {
        *rest = after;
        return Some(0);
    }
    let sign = rest.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    *rest = &rest[1..];
    let hours = number(rest, 2)?;
    *rest = rest.strip_prefix(':').unwrap_or(rest);
    Some(signed(sign, hours * 60 + number(rest, 2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_are_clear_are_found() {
        for (text, expected) in [
            ("2024-05-17", "2024-05-17"),
            ("2024/5/7", "2024-05-07"),
            ("17.5.2024", "2024-05-17"),
            ("2024-05-17T19:03:05.123Z", "2024-05-17T19:03:05Z"),
            ("2024-05-17 19:03 +02:00", "2024-05-17T19:03:00+02:00"),
            ("Fri, 17 May 2024 19:03:05 GMT", "2024-05-17T19:03:05Z"),
            ("Sunday, 06-Nov-1994 08:49:37 -0130", "1994-11-06T08:49:37-01:30"),
            ("Posted on May 17th, 2024 at 7:03 pm", "2024-05-17T19:03:00"),
            ("17 Sept. 2024", "2024-09-17"),
            ("Sep. 17, 2024, 12:00 AM", "2024-09-17T00:00:00"),
            ("1st January 1970", "1970-01-01"),
        ] {
            assert_eq!(
                Date::find(text).map(|date| date.iso()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["5/6/2024", "2023-02-29", "maybe 2024", "17 Foo 2024", "2024-05-17 25:00", ""]
        {
            assert_eq!(Date::find(text), None, "{text}");
        }
    }

    #[test]
    fn a_format_reads_what_is_not_clear() {
        for (format, text, expected) in [
            ("%d/%m/%Y", "5/6/2024", "2024-06-05"),
            ("%m/%d/%y %I:%M %p", "06/05/69 12:30 am", "1969-06-05T00:30:00"),
            ("%A, %e %B %Y", "Friday,  7 June 2024", "2024-06-07"),
            (
                "am %d.%m.%Y um %H:%M:%S %z",
                "am 01.02.2024 um 03:04:05 +0100",
                "2024-02-01T03:04:05+01:00",
            ),
        ] {
            let date = Format::read(format).unwrap().parse(text);
            assert_eq!(date.map(|date| date.iso()).as_deref(), Some(expected), "{text}");
        }
        let format = Format::read("%d/%m/%Y").unwrap();
        for text in ["5/13/2024", "5/6/2024 x", "5-6-2024", "é"] {
            assert_eq!(format.parse(text), None, "{text}");
        }
        assert!(Format::read("%d/%m").unwrap_err().contains("%Y"));
        assert!(Format::read("%Q").unwrap_err().contains("`%Q` is not known"));
    }

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        for (text, epoch) in [
            ("1970-01-01", 0),
            ("2000-02-29 00:00:01 +00:00", 951_782_401),
            ("1969-12-31 23:59:59 Z", -1),
            ("2024-05-17T19:00:00+02:00", 1_715_965_200),
        ] {
            assert_eq!(Date::find(text).unwrap().epoch(), epoch, "{text}");
        }
        for epoch in (-100_000_000_000..250_000_000_000_i64).step_by(86_399 * 7919) {
            let (year, month, day) = civil(epoch.div_euclid(SECONDS_PER_DAY));
            assert_eq!(days(year, month, day), epoch.div_euclid(SECONDS_PER_DAY));
        }
        assert_eq!(Date::of_epoch(1_715_965_200_000.0).unwrap().iso(), "2024-05-17T17:00:00Z");
        assert_eq!(Date::of_epoch(f64::NAN), None);
    }
}
