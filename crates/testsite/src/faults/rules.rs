//! Faults of robots.txt, and the pages behind it.

use super::ask::Ask;
use super::codings::gzip_without_end;
use super::script::{End, Script};

const ALL_FORBIDDEN: &str = "User-agent: *\nDisallow: /\n";
const PLAIN: &str = "Content-Type: text/plain";

/// What is asked for behind robots.txt; `None` if the host is none of these.
pub(super) fn page(name: &str, ask: &Ask) -> Option<Script> {
    if let Some(hop) = ask.path.strip_prefix("/hop/") {
        return Some(hops(name, hop.parse().unwrap_or(0)));
    }
    Some(match name {
        "robots-forbidden" => Script::bare("410 Gone", &[]),
        "robots-html" => Script::response(
            "200 OK",
            &["Content-Type: image/png", "Content-Length: 8"],
            b"\x89PNG\r\n\x1a\n",
        ),
        "robots-six-hops" => Script::response(
            "200 OK",
            &["Content-Type: application/zip", "Content-Length: 4"],
            b"PK\x05\x06",
        ),
        // Nobody has been allowed to come here.
        name if name.starts_with("robots-") => Script::page("<p>this should not have been read"),
        _ => return None,
    })
}

/// The robots.txt of a host.
pub(super) fn robots(name: &str) -> Script {
    let file = |text: &[u8]| {
        let length = format!("Content-Length: {}", text.len());
        Script::response("200 OK", &[PLAIN, &length], text)
    };
    match name {
        "robots-forbidden" => Script::bare("403 Forbidden", &[]),
        "robots-html" => Script::page("<!doctype html>\n<h1>Nothing here</h1>\n<p>Disallow: me"),
        "robots-500" => Script::bare("500 Internal Server Error", &[]),
        "robots-503" => Script::bare("503 Service Unavailable", &["Retry-After: 31536000"]),
        "robots-429" => Script::bare("429 Too Many Requests", &["Retry-After: 1"]),
        "robots-silent" => Script::nothing(End::Stall),
        "robots-reset" => Script::nothing(End::Reset),
        "robots-garbage" => Script::send("\x01\x02 robots\r\n\r\n").end(End::Close),
        "robots-disallow" => file(ALL_FORBIDDEN.as_bytes()),
        "robots-bom" => file(format!("\u{feff}{ALL_FORBIDDEN}").as_bytes()),
        "robots-megabyte" => {
            let comments = |n: usize| "# a line of nothing\n".repeat(n / 20);
            let (before, after) = (comments(490_000), comments(510_000));
            file(format!("{before}{ALL_FORBIDDEN}{after}").as_bytes())
        }
        "robots-endless" => Script::response("200 OK", &[PLAIN], ALL_FORBIDDEN.as_bytes())
            .forever("# and on it goes\n".repeat(1000)),
        "robots-bomb" => {
            let (first, more) = gzip_without_end(ALL_FORBIDDEN.as_bytes());
            let fields = [PLAIN, "Content-Encoding: gzip"];
            Script::response("200 OK", &fields, &first).forever(more)
        }
        "robots-five-hops" | "robots-six-hops" => hops(name, 0),
        _ => Script::bare("404 Not Found", &[]),
    }
}

/// robots.txt itself, after `n` hops.
fn hops(name: &str, n: u32) -> Script {
    let last = if name == "robots-six-hops" { 6 } else { 5 };
    if n < last {
        return Script::bare("302 Found", &[&format!("Location: /hop/{}", n + 1)]);
    }
    let length = format!("Content-Length: {}", ALL_FORBIDDEN.len());
    Script::response("200 OK", &[PLAIN, &length], ALL_FORBIDDEN.as_bytes())
}
