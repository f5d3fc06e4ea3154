//! A directory on one host whose entries are pages on several others, of two different makes.

use std::fmt::Write;

use serde::Serialize;

use crate::graph::canonical_number;
use crate::html::{document, escaped};
use crate::random::pick;
use crate::{Reply, Site, SiteRequest};

/// The directory with the hosts that it lists, and the truth about them.
///
/// | Host and path | What |
/// |---|---|
/// | `directory.test/`, `/page/N` | links to events, ten at a time, and to a host that is no venue |
/// | `VENUE/events/ID` | an event; two venues write it one way, two another |
/// | `VENUE/` | links to the venue's events |
#[derive(Debug, Clone, Copy, Default)]
pub struct Directory;

/// An event, as its page tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number, from 1.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// The host of the venue, which has its page.
    pub venue: &'static str,
    /// The day: `2025-06-17`.
    pub day: String,
    /// Price of a ticket in euros; nothing is paid if 0.
    pub price: u32,
}

const PER_PAGE: u32 = 10;

const WHAT: &[&str] = &["Concert", "Reading", "Chess & Soup", "Lantern Walk", "Lecture"];
const WHOSE: &[&str] =
    &["by the Night Choir", "for Beginners", "\"Ebb\"", "without Words", "at Noon"];

impl Directory {
    /// The host of the directory.
    pub const HOST: &str = "directory.test";

    /// The hosts of the venues.
    pub const VENUES: [&str; 4] = ["attic.test", "harbour.test", "lighthouse.test", "orchard.test"];

    /// Number of events.
    const N_EVENTS: u32 = 34;

    /// All events, in the order of the directory.
    #[must_use]
    pub fn events() -> Vec<Event> {
        (1..=Self::N_EVENTS).map(Event::new).collect()
    }
}

impl Event {
    fn new(id: u32) -> Self {
        let n = u64::from(id);
        Self {
            id,
            title: format!("{} {}, No. {id}", pick(WHAT, 501, n), pick(WHOSE, 502, n)),
            venue: pick(&Directory::VENUES, 503, n),
            day: format!("2025-{:02}-{:02}", 1 + id % 12, 1 + id * 7 % 28),
            price: pick(&[0, 5, 8, 12, 20], 504, n),
        }
    }

    /// URL of its page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/events/{}", self.venue, self.id)
    }
}

impl Site for Directory {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let path = request.path();
        // With the port that was asked for, if one was.
        let port = &request.authority[request.host.len().min(request.authority.len())..];
        let found = match request.host {
            _ if path == "/robots.txt" => Some(Reply::text("User-agent: *\nDisallow:\n")),
            Self::HOST => match path {
                "/" => list(1, port),
                _ => path
                    .strip_prefix("/page/")
                    .and_then(canonical_number)
                    .and_then(|n| list(n, port)),
            },
            venue if path == "/" => Some(home(venue)),
            venue => path.strip_prefix("/events/").and_then(canonical_number).and_then(|id| {
                let event = (1..=Self::N_EVENTS).contains(&id).then(|| Event::new(id))?;
                (event.venue == venue).then(|| page(&event))
            }),
        };
        found.unwrap_or_else(Reply::not_found)
    }
}

/// Page `number` of the directory.
fn list(number: u32, port: &str) -> Option<Reply> {
    let n_pages = Directory::N_EVENTS.div_ceil(PER_PAGE);
    if !(1..=n_pages).contains(&number) {
        return None;
    }
    let first = (number - 1) * PER_PAGE + 1;
    let mut html = String::from("<h1>What is on</h1>\n<ul class=\"events\">\n");
    for event in (first..=Directory::N_EVENTS).take(PER_PAGE as usize).map(Event::new) {
        let (venue, title) = (event.venue, escaped(&event.title));
        let href = format!("http://{venue}{port}/events/{}", event.id);
        let _ =
            writeln!(html, "<li><a class=\"event\" href=\"{href}\">{title}</a> at {venue}</li>");
    }
    html += "</ul>\n";
    if number < n_pages {
        let _ = writeln!(html, "<p><a rel=\"next\" href=\"/page/{}\">Later</a></p>", number + 1);
    }
    html += "<p><a href=\"https://tickets.example/\">Our partner sells tickets</a></p>\n";
    Some(Reply::html(document("What is on", &html)))
}

fn home(venue: &str) -> Reply {
    let mut html = format!("<h1>{venue}</h1>\n<ul>\n");
    for event in Directory::events().iter().filter(|event| event.venue == venue) {
        let title = escaped(&event.title);
        let _ = writeln!(html, "<li><a href=\"/events/{}\">{title}</a></li>", event.id);
    }
    html += "</ul>\n";
    Reply::html(document(venue, &html))
}

/// The page of an event: by classes at half of the venues, as a list of terms at the others.
fn page(event: &Event) -> Reply {
    let title = escaped(&event.title);
    let price = if event.price == 0 { "free".to_owned() } else { format!("€ {}", event.price) };
    let body = if matches!(event.venue, "attic.test" | "harbour.test") {
        format!(
            "<div class=\"event\">\n<h1 class=\"title\">{title}</h1>\n\
             <p class=\"when\">{}</p>\n<p class=\"price\">{price}</p>\n</div>\n",
            event.day
        )
    } else {
        format!(
            "<h2 id=\"name\">{title}</h2>\n<dl>\n<dt>Day</dt><dd><time datetime=\"{0}\">{0}</time></dd>\n\
             <dt>Ticket</dt><dd>{price}</dd>\n</dl>\n",
            event.day
        )
    };
    Reply::html(document(&event.title, &format!("{body}<p><a href=\"/\">More here</a></p>\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(host: &str, path: &str) -> (u16, String) {
        let reply = Directory.respond(&SiteRequest::get(host, path));
        (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
    }

    #[test]
    fn the_directory_lists_each_event_at_its_venue() {
        let mut found = Vec::new();
        for page in 1..=4 {
            let (status, html) = get(Directory::HOST, &format!("/page/{page}"));
            assert_eq!(status, 200);
            let links = html.split("class=\"event\" href=\"").skip(1);
            found.extend(links.map(|link| link.split('"').next().unwrap().to_owned()));
            assert_eq!(html.contains("rel=\"next\""), page < 4);
        }
        let told: Vec<_> = Directory::events().iter().map(Event::url).collect();
        assert_eq!(found, told);
        assert_eq!(get(Directory::HOST, "/page/5").0, 404);
    }

    #[test]
    fn an_event_is_told_by_its_venue_alone() {
        for event in Directory::events() {
            let path = format!("/events/{}", event.id);
            for venue in Directory::VENUES {
                let (status, html) = get(venue, &path);
                assert_eq!(status == 200, venue == event.venue);
                assert_eq!(html.contains(&escaped(&event.title)), venue == event.venue);
            }
        }
        for venue in Directory::VENUES {
            assert!(get(venue, "/").1.contains("/events/"), "{venue} has no events");
        }
    }
}
