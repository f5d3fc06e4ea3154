//! Dates as cookies write them: not the three forms of HTTP, but anything with a time, a day, a
//! month and a year in it (RFC 6265, section 5.1.1).

/// Milliseconds since the Unix epoch; 0 for all that lies before it. `None` if it is no date.
pub(super) fn parse(text: &[u8]) -> Option<u64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|&byte| is_delimiter(byte)).filter(|token| !token.is_empty()) {
        if time.is_none() && set(&mut time, clock(token)) {
            continue;
        }
        if day.is_none() && set(&mut day, number(token, 1, 2)) {
            continue;
        }
        if month.is_none() && set(&mut month, month_of(token)) {
            continue;
        }
        if year.is_none() {
            set(&mut year, number(token, 2, 4));
        }
    }
    let ((hour, minute, second), day, month, year) = (time?, day?, month?, year?);
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    let is_date = (1..=days_in(year, month)).contains(&day) && year >= 1601;
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds =
        days_since_epoch(year, month, day) * 86400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(u64::try_from(seconds).unwrap_or(0) * 1000)
}

fn set<T>(place: &mut Option<T>, found: Option<T>) -> bool {
    let is_found = found.is_some();
    *place = found;
    is_found
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// A number of `least` to `most` digits, followed by anything but a digit.
fn number(token: &[u8], least: usize, most: usize) -> Option<u32> {
    let n_digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(least..=most).contains(&n_digits) {
        return None;
    }
    Some(token[..n_digits].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// `8:49:37`, whatever follows.
fn clock(token: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let whole = |part: &[u8]| number(part, 1, 2).filter(|_| part.iter().all(u8::is_ascii_digit));
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    Some((hour, minute, number(parts.next()?, 1, 2)?))
}

/// 1 to 12.
fn month_of(token: &[u8]) -> Option<u32> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    let token = token.first_chunk::<3>()?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| month[..] == token[..])?;
    u32::try_from(index + 1).ok()
}

fn days_in(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap
/// day is the last one.
fn days_since_epoch(year: u32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let month = i64::from((month + 9) % 12);
    let days = 365 * year + year / 4 - year / 100 + year / 400;
    days + (153 * month + 2) / 5 + i64::from(day) - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        assert_eq!(parse(text.as_bytes()), seconds.map(|seconds| seconds * 1000), "{text}");
    }

    #[test]
    fn dates_are_read_in_all_the_forms_that_servers_write() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6-Nov-1994 8:49:37 GMT",
            "06 november 1994 08:49:37",
            "08:49:37 1994 6 nov",
            "1994/Nov/06 08:49:37",
        ] {
            check(text, Some(784_111_777));
        }
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("Thu, 01-Jan-1970 00:00:10 GMT", Some(10));
        check("Wed, 31 Dec 1969 23:59:59 GMT", Some(0));
        check("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799));
        check("Sat, 01 Jan 00 00:00:00 GMT", Some(946_684_800));
        check("Thu, 01 Jan 70 00:00:00 GMT", Some(0));
        check("Tue, 01 Jan 69 00:00:00 GMT", Some(3_124_224_000));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "0",
            "-1",
            "tomorrow",
            "Sun, 06 Nov 1994",
            "06 1994 08:49:37",
            "Thu, 29 Feb 2023 12:00:00 GMT",
            "Thu, 31 Apr 2023 12:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1600 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 12345 08:49:37 GMT",
        ] {
            check(text, None);
        }
    }
}
