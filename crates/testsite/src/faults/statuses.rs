//! Statuses that are no success: errors, `Retry-After` in its forms, missing credentials; and types
//! that are not wanted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::script::Script;

pub(super) fn script(name: &str) -> Option<Script> {
    const LIMITED: &str = "429 Too Many Requests";
    let unavailable = |field| Script::bare("503 Service Unavailable", &[field]);
    Some(match name {
        "use-proxy" => Script::bare("305 Use Proxy", &["Location: http://proxy.fault.test:3128/"]),
        "request-timeout" => Script::bare("408 Request Timeout", &[]),
        "internal-error" => Script::bare("500 Internal Server Error", &[]),
        "status-999" => Script::bare("999 Request denied", &[]),
        "retry-after-date" => {
            let date = date(SystemTime::now() + Duration::from_secs(1));
            unavailable(format!("Retry-After: {date}").as_str())
        }
        "retry-after-empty" => unavailable("Retry-After:"),
        "retry-after-fraction" => unavailable("Retry-After: 0.5"),
        "retry-after-twice" => {
            Script::bare("504 Gateway Timeout", &["Retry-After: 1", "Retry-After: 100"])
        }
        "retry-after-seconds" => Script::bare(LIMITED, &["Retry-After: 1"]),
        "retry-after-past" => {
            Script::bare(LIMITED, &["Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"])
        }
        "retry-after-garbage" => Script::bare(LIMITED, &["Retry-After: soon"]),
        "retry-after-negative" => Script::bare(LIMITED, &["Retry-After: -1"]),
        "retry-after-huge" => Script::bare(LIMITED, &["Retry-After: 99999999999999999999999"]),
        "retry-after-rfc850" => {
            Script::bare(LIMITED, &["Retry-After: Sunday, 06-Nov-94 08:49:37 GMT"])
        }
        "basic-auth" => {
            Script::bare("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"fault\""])
        }
        "auth-unchallenged" => Script::bare("401 Unauthorized", &[]),
        "proxy-auth" => Script::bare(
            "407 Proxy Authentication Required",
            &["Proxy-Authenticate: Basic realm=\"fault\""],
        ),
        "folded-challenge" => Script::bare(
            "401 Unauthorized",
            &["WWW-Authenticate: Digest realm=\"fault\",\r\n  nonce=\"1\""],
        ),
        "octet-stream" => Script::response(
            "200 OK",
            &["Content-Type: application/octet-stream", "Content-Length: 4"],
            b"\x7fELF",
        ),
        _ => return None,
    })
}

/// An IMF-fixdate (RFC 9110, section 5.6.7).
fn date(at: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut year, mut day) = (1970, days);
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    format!(
        "{}, {:02} {} {year} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        day + 1,
        MONTHS[month],
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(at(4_102_444_799), "Thu, 31 Dec 2099 23:59:59 GMT");
    }
}
