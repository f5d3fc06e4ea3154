//! Shops for benchmarks: pages of one size and shape, cheap to serve, each reached by links.
//!
//! What a benchmark measures is the crawler, so a page is put together from prepared markup with a
//! few copies; see `crawl bench`.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::random::mix;
use crate::{Reply, Site, SiteRequest, Truth};

/// Many shops of one shape: every host below one name that is asked for is one.
///
/// Page `n` is `/p/n`, the first one `/`. Its cards lead to the pages `n * cards + 1` and so on, as
/// in a heap, so that each page can be reached; its other links lead to the same few pages from
/// everywhere (menus), or to any page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// Pages of each shop.
    pub pages: u32,
    /// What a page is like.
    pub shape: Shape,
}

/// A [`Market`] that makes each of its first pages once, as a server does whose files are cached.
#[derive(Debug)]
pub struct KeepingMarket {
    market: Market,
    made: Vec<OnceLock<Bytes>>,
}

/// Size of a page, in bytes and links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Product cards on a page, each with two links to its product.
    pub cards: u32,
    /// Links of the page, those of the cards included.
    pub links: u32,
    /// About how many bytes of HTML; reached with running text.
    pub bytes: usize,
}

impl Shape {
    /// 2 KB, a card, 8 links.
    pub const SMALL: Self = Self { cards: 1, links: 8, bytes: 2_000 };
    /// A page of a shop: 24 KB, 15 cards, 81 links.
    pub const LIST: Self = Self { cards: 15, links: 81, bytes: 24_000 };
    /// 200 KB, 100 cards, 500 links.
    pub const LARGE: Self = Self { cards: 100, links: 500, bytes: 200_000 };
}

const WORDS: &[&str] = &["Amber", "Birch", "Copper", "Dune", "Ember", "Fjord", "Granite", "Hazel"];
const THINGS: &[&str] = &["Lamp", "Chair", "Kettle", "Shelf", "Mirror", "Clock", "Bowl", "Rug"];
const TEXT: &str = "Made to last, easy to clean, and sent on the day it is ordered. What does not \
    please may be returned within thirty days, without a reason and at our cost. ";
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
const STYLE: &str = "</title>\n<style>.card{border:1px solid #ddd;padding:8px}.price_color{color:\
    #070}</style>\n</head>\n<body class=\"list\">\n<header id=\"top\"><nav class=\"menu\"><ul>\n";
const STARS: &str = "<p class=\"star-rating Four\"><i class=\"icon-star\"></i><i class=\"icon-star\">\
    </i><i class=\"icon-star\"></i><i class=\"icon-star\"></i></p>\n";
const BUY: &str = "<form class=\"buy\" method=\"post\"><button type=\"submit\" class=\"btn btn-primary\" \
    data-loading-text=\"Adding...\">Add to basket</button></form>\n</article></li>\n";

impl Market {
    /// Cards on the pages of one shop, each an item.
    #[must_use]
    pub fn cards(&self) -> u64 {
        u64::from(self.pages) * u64::from(self.shape.cards)
    }

    /// What a crawl of one shop finds.
    #[must_use]
    pub fn truth(&self) -> Truth {
        let urls: Vec<_> = (0..self.pages).map(path).collect();
        Truth { pages: urls.len(), urls, ..Truth::default() }
    }

    /// Name of the product that is the page `n`.
    #[must_use]
    pub fn name(n: u32) -> String {
        let mut name = String::new();
        push_name(&mut name, n);
        name
    }

    /// Price of it, in hundredths.
    #[must_use]
    pub fn price(n: u32) -> u32 {
        (mix(7, n.into()) % 9_000) as u32 + 500
    }

    /// The `i`th link target among the cards of page `n`, from 0.
    #[must_use]
    pub fn card(&self, n: u32, i: u32) -> u32 {
        let child = u64::from(n) * u64::from(self.shape.cards) + u64::from(i) + 1;
        match child < u64::from(self.pages) {
            true => child as u32,
            false => (mix(child, n.into()) % u64::from(self.pages)) as u32,
        }
    }

    /// The same shops, which keep the pages they have made, up to `max_bytes` of them.
    #[must_use]
    pub fn keeping(self, max_bytes: usize) -> KeepingMarket {
        let n = (max_bytes / self.shape.bytes.max(1)).min(self.pages as usize);
        KeepingMarket {
            market: self,
            made: std::iter::repeat_with(OnceLock::new).take(n).collect(),
        }
    }

    fn page(&self, n: u32) -> String {
        let Shape { cards, links, bytes } = self.shape;
        let mut html = String::with_capacity(bytes + 2_048);
        html += HEAD;
        push_name(&mut html, n);
        html += STYLE;
        let others = links.saturating_sub(2 * cards);
        let menu = others / 2;
        for i in 0..menu {
            self.push_link(&mut html, i % self.pages);
        }
        html += "</ul></nav></header>\n<main><h1>";
        push_name(&mut html, n);
        html += "</h1>\n<ol class=\"row\">\n";
        for i in 0..cards {
            push_card(&mut html, self.card(n, i));
        }
        html += "</ol></main>\n<ul class=\"more\">\n";
        for i in 0..others - menu {
            let to = mix(u64::from(n) + 3, i.into()) % u64::from(self.pages);
            self.push_link(&mut html, to as u32);
        }
        html += "</ul>\n<footer>";
        while html.len() + 32 < bytes {
            html += "<p>";
            html += &TEXT[..TEXT.len().min(bytes - html.len())];
            html += "</p>\n";
        }
        html += "</footer></body></html>\n";
        html
    }

    fn push_link(&self, html: &mut String, to: u32) {
        *html += "<li class=\"menu-item\"><a class=\"menu-link\" href=\"";
        push_path(html, to);
        *html += "\">";
        push_name(html, to);
        *html += "</a></li>\n";
    }
}

impl Site for Market {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        match number(request.path_and_query) {
            Some(n) if n < self.pages => Reply::html(self.page(n)),
            _ => Reply::not_found(),
        }
    }
}

impl Site for KeepingMarket {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let number = number(request.path_and_query);
        match number.and_then(|n| Some((n, self.made.get(n as usize)?))) {
            Some((n, made)) => Reply::html(made.get_or_init(|| self.market.page(n).into()).clone()),
            None => self.market.respond(request),
        }
    }
}

fn number(path: &str) -> Option<u32> {
    match path {
        "/" => Some(0),
        _ => path.strip_prefix("/p/")?.parse().ok().filter(|n| *n > 0),
    }
}

fn path(n: u32) -> String {
    let mut path = String::new();
    push_path(&mut path, n);
    path
}

fn push_path(html: &mut String, n: u32) {
    if n == 0 {
        html.push('/');
        return;
    }
    *html += "/p/";
    push_number(html, n);
}

fn push_name(html: &mut String, n: u32) {
    let at = mix(5, n.into());
    *html += WORDS[(at % 8) as usize];
    html.push(' ');
    *html += THINGS[(at / 8 % 8) as usize];
    html.push(' ');
    push_number(html, n);
}

fn push_number(html: &mut String, n: u32) {
    let mut digits = [0_u8; 10];
    let mut at = digits.len();
    let mut rest = n;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    html.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

fn push_card(html: &mut String, to: u32) {
    *html += "<li class=\"col-xs-6 col-sm-4 col-md-3 col-lg-3\"><article class=\"product_pod card\">\n\
        <div class=\"image_container\"><a href=\"";
    push_path(html, to);
    *html += "\"><svg class=\"thumbnail\" width=\"160\" height=\"200\" viewBox=\"0 0 16 20\">\
        <path d=\"M1 1h14v18H1z\"/></svg></a></div>\n";
    *html += STARS;
    *html += "<h3><a href=\"";
    push_path(html, to);
    *html += "\" title=\"";
    push_name(html, to);
    *html += "\">";
    push_name(html, to);
    *html += "</a></h3>\n<div class=\"product_price\"><p class=\"price_color\">\u{a3}";
    let price = Market::price(to);
    push_number(html, price / 100);
    html.push('.');
    push_number(html, price % 100 / 10);
    push_number(html, price % 10);
    *html +=
        "</p>\n<p class=\"instock availability\"><i class=\"icon-ok\"></i> In stock</p></div>\n";
    *html += BUY;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hrefs(html: &str) -> Vec<&str> {
        html.split("<a ")
            .skip(1)
            .filter_map(|a| a.split("href=\"").nth(1)?.split('"').next())
            .collect()
    }

    #[test]
    fn pages_have_their_size_their_links_and_their_cards() {
        for shape in [Shape::SMALL, Shape::LIST, Shape::LARGE] {
            let market = Market { pages: 500, shape };
            for n in [0, 1, 499] {
                let html = market.page(n);
                let within = shape.bytes - 100..=shape.bytes + 100;
                assert!(within.contains(&html.len()), "{shape:?}: {} bytes", html.len());
                assert_eq!(hrefs(&html).len(), shape.links as usize, "{shape:?}");
                assert_eq!(html.matches("<article").count(), shape.cards as usize);
            }
        }
    }

    #[test]
    fn every_page_is_reached_and_no_link_leads_nowhere() {
        for (pages, shape) in [(300, Shape::LIST), (100, Shape::SMALL), (3, Shape::LARGE)] {
            let market = Market { pages, shape };
            let mut seen = std::collections::BTreeSet::from(["/".to_owned()]);
            let mut open = vec!["/".to_owned()];
            while let Some(path) = open.pop() {
                let reply = market.respond(&SiteRequest::get("m0.market.test", &path));
                assert_eq!(reply.status, 200, "{path}");
                let html = String::from_utf8(reply.body.to_vec()).unwrap();
                for href in hrefs(&html) {
                    if seen.insert(href.to_owned()) {
                        open.push(href.to_owned());
                    }
                }
            }
            let truth = market.truth();
            assert_eq!(seen.len(), truth.pages);
            assert!(truth.urls.iter().all(|url| seen.contains(url)));
        }
    }

    #[test]
    fn a_page_that_was_kept_is_the_same_page() {
        let market = Market { pages: 5, shape: Shape::SMALL };
        let keeping = market.keeping(3 * Shape::SMALL.bytes);
        assert_eq!(keeping.made.len(), 3);
        for path in ["/", "/p/2", "/p/3", "/p/2", "/p/5", "/x"].map(|p| SiteRequest::get("m", p)) {
            let (kept, made) = (keeping.respond(&path), market.respond(&path));
            assert_eq!((kept.status, kept.body), (made.status, made.body), "{path:?}");
        }
        assert!(keeping.made[2].get().is_some() && keeping.made[1].get().is_none());
    }

    #[test]
    fn a_card_has_name_and_price() {
        let mut html = String::new();
        push_card(&mut html, 7);
        assert!(html.contains(&format!("title=\"{}\"", Market::name(7))));
        let price = Market::price(7);
        assert!(html.contains(&format!("\u{a3}{}.{:02}<", price / 100, price % 100)));
    }
}
