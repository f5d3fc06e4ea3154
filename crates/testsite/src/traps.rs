//! Sites without end, one kind of trap to a host: what keeps a crawler for ever that believes every
//! link.
//!
//! Each page follows from its URL alone, so a crawl finds the same however often it asks.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::random::mix;
use crate::{Builder, Reply, Site, SiteRequest};

/// A kind of trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// A page for every month, with links to the one before and the one after.
    Calendar,
    /// Relative links that lead in circles: `/a/b/a/b/a/b/`.
    Circles,
    /// Relative links that make each path longer than the one before.
    Growth,
    /// A few pages whose links have a new session id in every answer.
    Sessions,
    /// A list with a dozen switches, each of them a link.
    Facets,
    /// A domain that answers under any name, and links to more of them.
    Hosts,
    /// One page under every path, with relative links.
    Copies,
}

/// Pages of the site with session ids.
const SESSION_PAGES: u64 = 8;
/// Switches of the site with facets.
const SWITCHES: u32 = 12;

impl Trap {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Calendar,
        Self::Circles,
        Self::Growth,
        Self::Sessions,
        Self::Facets,
        Self::Hosts,
        Self::Copies,
    ];

    /// The host that it is on; of [`Hosts`](Self::Hosts) the others are below it.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Self::Calendar => "calendar.test",
            Self::Circles => "circles.test",
            Self::Growth => "growth.test",
            Self::Sessions => "sessions.test",
            Self::Facets => "facets.test",
            Self::Hosts => "wild.test",
            Self::Copies => "copies.test",
        }
    }

    fn links(self, request: &SiteRequest<'_>) -> Vec<String> {
        let path = request.path();
        match self {
            Self::Calendar => months(path),
            Self::Circles if path.ends_with("/a/") => vec!["b/".to_owned()],
            Self::Circles => vec!["a/".to_owned()],
            Self::Growth => vec![format!("n{}/", path.matches('/').count())],
            Self::Sessions => {
                let from = hash(request.path_and_query);
                let id = format!("{:016x}a0b1", mix(from, 1));
                (0..SESSION_PAGES).map(|n| format!("/p{n}?visit={id}")).collect()
            }
            Self::Facets => {
                let set = switches(request.path_and_query);
                (0..SWITCHES).map(|switch| query(set ^ (1 << switch))).collect()
            }
            Self::Hosts => {
                let port = request.authority.rsplit_once(':').map_or("", |(_, port)| port);
                let port = if port.is_empty() { String::new() } else { format!(":{port}") };
                let name =
                    |n| format!("http://{:012x}.wild.test{port}/", mix(hash(request.host), n));
                (0..3).map(name).collect()
            }
            Self::Copies => vec!["x/".to_owned(), "y/".to_owned()],
        }
    }
}

impl Site for Trap {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        if request.path() == "/robots.txt" {
            return Reply::not_found();
        }
        // All but the copies say where they are, so that no two are the same.
        let title = if *self == Self::Copies { "a copy" } else { request.path_and_query };
        let mut html = format!("<!doctype html>\n<title>{title}</title>\n");
        for link in self.links(request) {
            // Writing into a text cannot fail.
            let _ = writeln!(html, "<a href=\"{link}\">{link}</a>");
        }
        Reply::html(html)
    }
}

impl Builder {
    /// Serves all traps, each on its [`Trap::host`].
    #[must_use]
    pub fn traps(self) -> Self {
        let served = Trap::ALL
            .into_iter()
            .fold(self, |builder, trap| builder.site(trap.host(), Arc::new(trap)));
        served.site("*.wild.test", Arc::new(Trap::Hosts))
    }
}

/// The months around that of `/cal/YEAR/MONTH`.
fn months(path: &str) -> Vec<String> {
    let mut numbers = path.split('/').skip(2).map(|part| part.parse::<i64>().unwrap_or(1));
    let (year, month) = (numbers.next().unwrap_or(2026), numbers.next().unwrap_or(1));
    let months = year * 12 + month - 1;
    let link =
        |months: i64| format!("/cal/{:04}/{:02}", months.div_euclid(12), months.rem_euclid(12) + 1);
    [months - 1, months + 1].map(link).to_vec()
}

/// The switches that are set in a query such as `?s0=1&s1=0`.
fn switches(path_and_query: &str) -> u32 {
    (0..SWITCHES)
        .filter(|switch| path_and_query.contains(&format!("s{switch}=1")))
        .fold(0, |set, switch| set | 1 << switch)
}

fn query(set: u32) -> String {
    let pairs = (0..SWITCHES).map(|switch| format!("s{switch}={}", set >> switch & 1));
    format!("/list?{}", pairs.collect::<Vec<_>>().join("&amp;"))
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(7, |hash, byte| mix(hash, u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(trap: Trap, host: &str, path: &str) -> String {
        let reply = trap.respond(&SiteRequest::get(host, path));
        String::from_utf8(reply.body.to_vec()).unwrap()
    }

    #[test]
    fn every_trap_leads_on_from_where_it_leads() {
        assert!(page(Trap::Calendar, "h", "/").contains("/cal/2026/02"));
        assert!(page(Trap::Calendar, "h", "/cal/2026/12").contains("/cal/2027/01"));
        assert!(page(Trap::Calendar, "h", "/cal/1970/01").contains("/cal/1969/12"));
        assert!(page(Trap::Circles, "h", "/a/").contains("\"b/\""));
        assert!(page(Trap::Growth, "h", "/n1/").contains("\"n2/\""));
        let session = page(Trap::Sessions, "h", "/p1?visit=1");
        assert_eq!(session, page(Trap::Sessions, "h", "/p1?visit=1"));
        assert_ne!(session, page(Trap::Sessions, "h", "/p1?visit=2"));
        assert!(page(Trap::Facets, "h", "/list?s0=1&s1=0").contains("s0=1&amp;s1=1&amp;s2=0"));
        assert!(page(Trap::Hosts, "a.wild.test", "/").contains(".wild.test/"));
        assert_eq!(page(Trap::Copies, "h", "/x/"), page(Trap::Copies, "h", "/x/y/"));
    }
}
