//! Redirects in all forms, and cookies that redirects wait for.

use super::ask::Ask;
use super::script::Script;

const FOUND: &str = "302 Found";

pub(super) fn script(name: &str, ask: &Ask) -> Option<Script> {
    good(name, ask).or_else(|| endless(name, ask)).or_else(|| bad(name))
}

fn to(status: &str, location: &str) -> Script {
    Script::bare(status, &[&format!("Location: {location}")])
}

/// Those that lead to a page.
fn good(name: &str, ask: &Ask) -> Option<Script> {
    let is_one =
        name.starts_with("redirect-30") || matches!(name, "refresh-field" | "refresh-meta");
    if is_one && ask.path.starts_with("/landing") {
        return Some(Script::page("<p>landed"));
    }
    Some(match name {
        "redirect-301" => to("301 Moved Permanently", "/landing"),
        "redirect-302" => to(FOUND, "./x/../landing?by=302"),
        "redirect-303" => to("303 See Other", "/landing#part"),
        "redirect-307-308" if ask.path == "/307" => {
            to("307 Temporary Redirect", &format!("//{}/landing?by=307", ask.host))
        }
        "redirect-307-308" => {
            to("308 Permanent Redirect", &format!("http://{}/landing?by=308", ask.host))
        }
        "refresh-field" => Script::response(
            "200 OK",
            &["Content-Type: text/html", "Refresh: 0; url=/landing", "Content-Length: 10"],
            b"<p>go on\n\n",
        ),
        "refresh-meta" => Script::page(
            "<!doctype html><meta http-equiv=refresh content=\"0; url='/landing'\"><p>go on",
        ),
        "cookie-gate" => match ask.cookie("gate") {
            Some("open") => Script::page("<p>welcome"),
            _ => Script::bare(FOUND, &["Location: /", "Set-Cookie: gate=open; Path=/"]),
        },
        _ => return None,
    })
}

/// Those that lead nowhere.
fn endless(name: &str, ask: &Ask) -> Option<Script> {
    let n: u32 = ask.path.trim_start_matches('/').parse().unwrap_or(0);
    Some(match name {
        "redirect-itself" => to(FOUND, "/"),
        "redirect-pair" => to(FOUND, if ask.path == "/b" { "/" } else { "/b" }),
        "redirect-empty" => to(FOUND, ""),
        "redirect-fragment" => to(FOUND, "#top"),
        "cookie-treadmill" => {
            let step = ask.cookie("step").and_then(|step| step.parse::<u32>().ok()).unwrap_or(0);
            let cookie = format!("Set-Cookie: step={}; Path=/", step.saturating_add(1));
            Script::bare(FOUND, &["Location: /", &cookie])
        }
        "redirect-twenty" if n < 20 => to(FOUND, &format!("/{}", n + 1)),
        "redirect-twenty" => Script::page("<p>at last"),
        "redirect-endless" if n.is_multiple_of(2) => {
            to("301 Moved Permanently", &format!("/{}", n + 1))
        }
        "redirect-endless" => to("307 Temporary Redirect", &format!("/{}", n.saturating_add(1))),
        _ => return None,
    })
}

/// Those that cannot be followed.
fn bad(name: &str) -> Option<Script> {
    Some(match name {
        "location-missing" => Script::bare(FOUND, &[]),
        "location-broken" => to(FOUND, "http://["),
        "location-javascript" => to(FOUND, "javascript:alert(1)"),
        "location-ftp" => to(FOUND, "ftp://files.fault.test/page.html"),
        "location-data" => to(FOUND, "data:text/html,<p>here"),
        "location-port" => to(FOUND, "http://location-port.fault.test:99999/"),
        _ => return None,
    })
}
