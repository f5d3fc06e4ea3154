//! A site of quotes like <https://quotes.toscrape.com>, on which half of all scraping tutorials are
//! written, under the same paths: lists, tags and authors, a login, a list that grows as one
//! scrolls, one that a script writes, tables, and a form whose second field depends on the first.

mod filter;
mod login;
mod quote;
mod render;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

use quote::{AUTHORS, N_QUOTES, TAGS};
pub use quote::{Author, Quote};
use serde_json::{Value, json};

use crate::form::queried;
use crate::graph::canonical_number;
use crate::{Reply, Site, SiteRequest};

/// The site of quotes, and the truth about it.
///
/// | Path | What |
/// |---|---|
/// | `/`, `/page/N/` | all quotes, ten at a time; beyond the last page: none, but 200 |
/// | `/tag/TAG/`, `/tag/TAG/page/N/` | those with a tag |
/// | `/author/SLUG/` | an author; linked as `/author/SLUG`, which redirects |
/// | `/login`, `/logout` | a form with a hidden token, bound to a cookie; who is in sees more links |
/// | `/scroll`, `/api/quotes?page=N` | a page that a script fills, and where it has it from |
/// | `/js/`, `/js/page/N/` | quotes as data in a script |
/// | `/tableful/`, `/tableful/page/N/` | quotes in a table of two rows each |
/// | `/authors/` | a table of data, countries in cells that span rows |
/// | `/search.aspx`, `/filter.aspx` | author, then one of the author's tags, then quotes; a hidden state |
#[derive(Debug, Default)]
pub struct Quotes {
    /// Number of sessions given out.
    sessions: AtomicU64,
}

/// Quotes on a page.
const PER_PAGE: usize = 10;

impl Quotes {
    /// The host that it is served on.
    pub const HOST: &str = "quotes.test";

    /// Who may log in.
    pub const USER: &str = "reader";

    /// The password of [`USER`](Self::USER).
    pub const PASSWORD: &str = "s3cret & safe";

    /// All quotes, in the order of the lists.
    #[must_use]
    pub fn quotes() -> Vec<Quote> {
        all().to_vec()
    }

    /// Everybody who is quoted.
    #[must_use]
    pub fn authors() -> &'static [Author] {
        AUTHORS
    }

    /// All tags.
    #[must_use]
    pub fn tags() -> &'static [&'static str] {
        TAGS
    }

    /// The quotes with a tag, in the order of the lists.
    #[must_use]
    pub fn tagged(tag: &str) -> Vec<Quote> {
        all().iter().filter(|quote| quote.tags.contains(&tag)).cloned().collect()
    }

    /// The quotes that the form finds: of an author, with a tag.
    #[must_use]
    pub fn search(author: &str, tag: &str) -> Vec<Quote> {
        Self::tagged(tag).into_iter().filter(|quote| quote.author == author).collect()
    }

    /// The tags that the form offers for an author, in the order of the alphabet.
    #[must_use]
    pub fn tags_of(author: &str) -> Vec<&'static str> {
        let said = all().iter().filter(|quote| quote.author == author);
        let tags: BTreeSet<_> = said.flat_map(|quote| quote.tags.iter().copied()).collect();
        tags.into_iter().collect()
    }

    /// Number of list pages of all quotes.
    #[must_use]
    pub fn n_pages() -> usize {
        N_QUOTES.div_ceil(PER_PAGE)
    }
}

/// All quotes, made once: a page should cost next to nothing.
fn all() -> &'static [Quote] {
    static ALL: LazyLock<Vec<Quote>> = LazyLock::new(|| (0..N_QUOTES).map(Quote::new).collect());
    &ALL
}

impl Site for Quotes {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        match (request.method, request.path()) {
            ("POST", "/login") => self.log_in(request),
            ("POST", "/filter.aspx") => filter::results(request),
            ("GET" | "HEAD", path) => self.get(path, request).unwrap_or_else(Reply::not_found),
            _ => Reply::status(405),
        }
    }
}

impl Quotes {
    fn get(&self, path: &str, request: &SiteRequest<'_>) -> Option<Reply> {
        let member = login::is_in(request);
        match path {
            "/robots.txt" => return Some(Reply::text("User-agent: *\nDisallow: /logout\n")),
            "/login" => return Some(self.login_page(request)),
            "/logout" => return Some(login::log_out()),
            "/search.aspx" => return Some(filter::start()),
            "/filter.aspx" => return Some(Reply::status(405)),
            "/scroll" => return Some(Reply::html(render::scroll())),
            "/api/quotes" => return api(request),
            "/authors/" => return Some(Reply::html(render::authors())),
            _ => {}
        }
        if let Some(author) = path.strip_prefix("/author/") {
            let slug = author.trim_end_matches('/');
            let author = AUTHORS.iter().find(|author| author.slug == slug)?;
            return Some(match path.ends_with('/') {
                true => Reply::html(render::author(author, member)),
                false => Reply::redirect(&format!("{path}/"), 308),
            });
        }
        if let Some(path) = path.strip_prefix("/tag/") {
            let (tag, rest) = path.split_once('/')?;
            let tag = TAGS.iter().find(|known| **known == tag)?;
            let (tagged, path) = (Self::tagged(tag), format!("/tag/{tag}"));
            let list = render::List::new(&tagged, page(rest)?, &path);
            return Some(Reply::html(list.html(Some(tag), member)));
        }
        let rest = path.strip_prefix('/')?;
        let html = if let Some(rest) = rest.strip_prefix("js/") {
            render::List::new(all(), page(rest)?, "/js").script()
        } else if let Some(rest) = rest.strip_prefix("tableful/") {
            render::List::new(all(), page(rest)?, "/tableful").table()
        } else {
            render::List::new(all(), page(rest)?, "").html(None, member)
        };
        Some(Reply::html(html))
    }
}

/// Number of the page that the end of a list's path asks for.
fn page(rest: &str) -> Option<usize> {
    if rest.is_empty() {
        return Some(1);
    }
    let number = rest.strip_prefix("page/")?.strip_suffix('/')?;
    canonical_number(number).filter(|n| *n > 0).map(|n| n as usize)
}

/// The quotes of page `number`; none beyond the last.
fn shown(quotes: &[Quote], number: usize) -> &[Quote] {
    let start = (number - 1).saturating_mul(PER_PAGE).min(quotes.len());
    &quotes[start..quotes.len().min(start + PER_PAGE)]
}

/// A page of quotes as JSON.
fn api(request: &SiteRequest<'_>) -> Option<Reply> {
    let page = match queried(request.path_and_query, "page") {
        Some(page) => canonical_number(&page).filter(|n| *n > 0)? as usize,
        None => 1,
    };
    let shown: Vec<Value> = shown(all(), page).iter().map(as_json).collect();
    let has_next = page < Quotes::n_pages();
    let answer = json!({ "has_next": has_next, "page": page, "quotes": shown, "tag": null });
    Some(Reply::new("application/json", answer.to_string()))
}

/// A quote as the scripts of the site have it.
fn as_json(quote: &Quote) -> Value {
    let author = quote.author();
    json!({
        "author": { "name": author.name, "slug": author.slug },
        "tags": quote.tags,
        "text": quote.text,
    })
}

#[cfg(test)]
mod tests;
