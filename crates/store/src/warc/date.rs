//! W3C dates, as WARC has them.

/// A date with microseconds, which WARC 1.1 allows (section 5.4).
pub(crate) fn to_date(us: u64) -> String {
    let (days, in_day) = (us / 86_400_000_000, us % 86_400_000_000);
    let (year, month, day) = civil(days);
    let (seconds, us) = (in_day / 1_000_000, in_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z")
}

/// Microseconds since the Unix epoch of a date in UTC, with or without a fraction; `None` if it is
/// none, or before the epoch. A date may end early, as WARC 1.1 allows: `2016`, `2016-01-11`.
pub(crate) fn from_date(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let mut date = date.splitn(3, '-').map(number);
    let year = date.next()??;
    let month = date.next().unwrap_or(Some(1))?;
    let day = date.next().unwrap_or(Some(1))?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').filter(|part| !part.is_empty()).map(number);
    let hour = time.next().unwrap_or(Some(0))?;
    let minute = time.next().unwrap_or(Some(0))?;
    let second = time.next().unwrap_or(Some(0))?;
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && year <= 9999;
    if !is_date || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let us = match fraction {
        "" => 0,
        digits => number(&format!("{digits:0<6}")[..6])?,
    };
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + us)
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Year, month and day of a day since the Unix epoch (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// Days since the Unix epoch (Hinnant's `days_from_civil`); `None` before it.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar_both_ways() {
        for (us, date) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_210_096_007_001, "2024-02-29T12:34:56.007001Z"),
            (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(to_date(us), date);
            assert_eq!(from_date(date), Some(us));
        }
    }

    #[test]
    fn a_date_may_be_short_and_what_is_none_is_none() {
        assert_eq!(from_date("1970-01-02"), Some(86_400_000_000));
        assert_eq!(from_date("1971"), Some(365 * 86_400_000_000));
        assert_eq!(from_date("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(from_date("1970-01-01T00:00:01.123456789Z"), Some(1_123_456));
        for bad in ["", "yesterday", "1970-13-01", "1969-12-31", "1970-01-01T25:00:00Z", "-1"] {
            assert_eq!(from_date(bad), None, "{bad}");
        }
    }
}
