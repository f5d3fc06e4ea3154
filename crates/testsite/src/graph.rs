//! Synthetic sites of any size and shape, for the engine's tests and benches.

use bytes::Bytes;

use crate::random::mix;
use crate::{Reply, Site, SiteRequest, Truth};

/// `pages` pages `/p/0` to `/p/N`, each a few hops from `/`: a tree, with seeded cross links.
///
/// Half of the links of a page lead on to its own children, the rest anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// Pages besides `/`.
    pub pages: u32,
    /// Links on each page, less where there are no children left and no pages at all.
    pub links_per_page: u32,
    /// Least size of a page in bytes.
    pub bytes: usize,
}

/// `/` links to `/p/0`, that to `/p/1`, and so on: as deep as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Pages besides `/`.
    pub pages: u32,
    /// Least size of a page in bytes.
    pub bytes: usize,
}

/// Many hosts with a few pages each, to be told apart by politeness.
///
/// Host `i` is `h{i}.DOMAIN`; its `/` links to all its other pages, `/p/1` and so on. `/` of `DOMAIN`
/// itself links to all hosts. Links name the port that the request named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManyHosts {
    /// Name of the hub; the hosts are below it.
    pub domain: String,
    /// Number of hosts besides the hub.
    pub hosts: u32,
    /// Pages on each, `/` included.
    pub pages: u32,
    /// Least size of a page in bytes.
    pub bytes: usize,
}

impl Tree {
    /// What a crawl from `/` finds.
    #[must_use]
    pub fn truth(&self) -> Truth {
        truth_of(if self.links_per_page == 0 { 0 } else { self.pages })
    }

    fn links(&self, node: Option<u32>) -> impl Iterator<Item = u32> {
        let (pages, all) = (u64::from(self.pages), u64::from(self.links_per_page));
        let children = all.div_ceil(2);
        // As in a heap whose root is `/`, one before the first page.
        let place = node.map_or(0, |n| u64::from(n) + 1);
        let first = place * children;
        let own = first.min(pages)..(first + children).min(pages);
        let cross = all - (own.end - own.start);
        let cross = (0..if pages == 0 { 0 } else { cross }).map(move |i| mix(place, i) % pages);
        own.chain(cross).map(|n| n as u32)
    }
}

impl Site for Tree {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        match numbered(request, self.pages) {
            Some(node) => page(node, self.links(node).map(Target::Page), self.bytes),
            None => Reply::not_found(),
        }
    }
}

impl Chain {
    /// What a crawl from `/` finds.
    #[must_use]
    pub fn truth(&self) -> Truth {
        truth_of(self.pages)
    }
}

impl Site for Chain {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let Some(node) = numbered(request, self.pages) else { return Reply::not_found() };
        let next = node.map_or(0, |n| n + 1);
        page(node, (next < self.pages).then_some(Target::Page(next)).into_iter(), self.bytes)
    }
}

impl ManyHosts {
    /// Name of host `i`.
    #[must_use]
    pub fn name(&self, i: u32) -> String {
        format!("h{i}.{}", self.domain)
    }

    /// Names of all hosts, without the hub.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.hosts).map(|i| self.name(i))
    }

    /// Paths of the pages that each host has.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        std::iter::once("/".to_owned()).chain((1..self.pages).map(|n| format!("/p/{n}"))).collect()
    }

    fn is_host(&self, host: &str) -> bool {
        let number = || host.strip_suffix(&self.domain)?.strip_prefix('h')?.strip_suffix('.');
        number().and_then(canonical_number).is_some_and(|i| i < self.hosts)
    }
}

impl Site for ManyHosts {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let Some(node) = numbered(request, self.pages) else { return Reply::not_found() };
        if request.host == self.domain && node.is_none() {
            let port = &request.authority[request.host.len().min(request.authority.len())..];
            let hosts = self.names().map(|name| Target::Url(format!("http://{name}{port}/")));
            return page(node, hosts, self.bytes);
        }
        match node {
            _ if !self.is_host(request.host) => Reply::not_found(),
            None => page(node, (1..self.pages).map(Target::Page), self.bytes),
            Some(0) => Reply::not_found(),
            Some(_) => page(node, std::iter::once(Target::Start), self.bytes),
        }
    }
}

fn truth_of(pages: u32) -> Truth {
    let urls: Vec<_> =
        std::iter::once("/".to_owned()).chain((0..pages).map(|n| format!("/p/{n}"))).collect();
    Truth { pages: urls.len(), urls, ..Truth::default() }
}

/// The page asked for: `Some(None)` is `/`, `None` is none of ours.
fn numbered(request: &SiteRequest<'_>, pages: u32) -> Option<Option<u32>> {
    match request.path_and_query {
        "/" => Some(None),
        path => {
            path.strip_prefix("/p/").and_then(canonical_number).filter(|n| *n < pages).map(Some)
        }
    }
}

/// A number in the one way it is written; `007` is another URL, not another name of a page.
pub(crate) fn canonical_number(text: &str) -> Option<u32> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| plain)
}

/// Where a link leads.
enum Target {
    /// `/`
    Start,
    /// `/p/N`
    Page(u32),
    /// Another host.
    Url(String),
}

impl Target {
    fn push(&self, html: &mut String) {
        match self {
            Self::Start => html.push('/'),
            Self::Page(n) => {
                html.push_str("/p/");
                push_number(html, *n);
            }
            Self::Url(url) => html.push_str(url),
        }
    }
}

fn page(node: Option<u32>, links: impl Iterator<Item = Target>, bytes: usize) -> Reply {
    const FILLER: &str = "<p>The quick brown fox jumps over the lazy dog, again and again, until \
                          the page is as long as it was asked to be.</p>\n";
    const END: &str = "</main>\n</body>\n</html>\n";
    let name = node.map_or_else(|| "start".to_owned(), |n| format!("page {n}"));
    let mut html = String::with_capacity(bytes + FILLER.len() + 1024);
    html += "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>";
    html += &name;
    html += "</title></head>\n<body>\n<h1>";
    html += &name;
    html += "</h1>\n<ul>\n";
    for link in links {
        html += "<li><a href=\"";
        link.push(&mut html);
        html += "\">";
        link.push(&mut html);
        html += "</a></li>\n";
    }
    html += "</ul>\n<main>\n";
    while html.len() + END.len() < bytes {
        html += FILLER;
    }
    html += END;
    Reply::html(Bytes::from(html))
}

/// Writes `n` without the formatter, which would cost more than all the rest of a link.
fn push_number(html: &mut String, mut n: u32) {
    let mut digits = [0; 10];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    html.extend(digits[start..].iter().map(|digit| char::from(*digit)));
}
