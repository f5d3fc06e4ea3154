//! The bookshop's HTML, written straight into one string per page.

use std::fmt::Write;

use bytes::Bytes;

use super::book::{Book, CATEGORIES, category_path, slug_of, title};
use super::{GONE_EVERY, MOVED_EVERY, OTHER_HOSTS};
use crate::html::escape;
use crate::random::mix;

/// Stylesheet.
pub(super) const CSS: &str = "body { font-family: sans-serif; margin: 2em }\n\
    .product_pod { display: inline-block; width: 12em; vertical-align: top }\n\
    .price_color { color: green }\n";

/// What no robot should see.
pub(super) const PRIVATE_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
    <title>Back office</title></head>\n<body><h1>Back office</h1>\n\
    <p><a href=\"/private/ledger.html\">Ledger</a></p></body>\n</html>\n";

/// Where a page stands: what its relative links begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// `/`
    Root,
    /// `/catalogue/`
    Catalogue,
    /// `/catalogue/SLUG_ID/`
    Book,
    /// `/catalogue/category/NAME_N/`
    Category,
}

/// A page of cards.
pub(super) struct Listing<'a> {
    pub(super) heading: &'a str,
    /// Books on all its pages.
    pub(super) n_books: u32,
    /// This page, from 1.
    pub(super) page: u32,
    pub(super) n_pages: u32,
    pub(super) depth: Depth,
}

/// Renders pages; holds what is the same on all of one depth.
pub(super) struct Renderer {
    /// List of categories, by depth.
    sidebars: [String; 4],
    /// Footer, by depth.
    footers: [String; 4],
}

impl Depth {
    const ALL: [Self; 4] = [Self::Root, Self::Catalogue, Self::Book, Self::Category];

    fn to_root(self) -> &'static str {
        ["", "../", "../../", "../../../"][self as usize]
    }

    fn to_catalogue(self) -> &'static str {
        ["catalogue/", "", "../", "../../"][self as usize]
    }
}

impl Renderer {
    /// Takes, for each category, whether it is empty and thus not shown.
    pub(super) fn new(empty: impl Iterator<Item = bool>) -> Self {
        let shown: Vec<usize> =
            empty.enumerate().filter(|(_, empty)| !empty).map(|(category, _)| category).collect();
        Self {
            sidebars: Depth::ALL.map(|depth| sidebar(depth, &shown)),
            footers: Depth::ALL.map(footer),
        }
    }

    /// A page of cards.
    pub(super) fn list(&self, listing: &Listing<'_>, books: impl Iterator<Item = u32>) -> Bytes {
        let mut html = String::with_capacity(32 * 1024);
        let depth = listing.depth;
        head(&mut html, depth, listing.heading);
        html += &self.sidebars[depth as usize];
        html += "<div class=\"content\">\n<div class=\"page-header action\"><h1>";
        html += listing.heading;
        let _ = write!(
            html,
            "</h1></div>\n<form method=\"get\" class=\"form-horizontal\"><strong>{}</strong> \
             results.</form>\n<section>\n<ol class=\"row\">\n",
            listing.n_books
        );
        for id in books {
            card(&mut html, depth, &Book::new(id));
        }
        html += "</ol>\n";
        pager(&mut html, listing);
        html += "</section>\n</div>\n";
        html += &self.footers[depth as usize];
        html.into()
    }

    /// The page of one book, of `n_books` that there are.
    pub(super) fn detail(&self, book: &Book, n_books: u32) -> Bytes {
        let mut html = String::with_capacity(12 * 1024);
        head(&mut html, Depth::Book, &book.title);
        breadcrumb(&mut html, book);
        product(&mut html, book);
        related(&mut html, book, n_books);
        html += &self.footers[Depth::Book as usize];
        html.into()
    }
}

fn head(html: &mut String, depth: Depth, title: &str) {
    html.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    escape(html, title);
    let root = depth.to_root();
    let _ = write!(
        html,
        " | Books</title>\n<link rel=\"stylesheet\" href=\"{root}static/site.css\">\n</head>\n\
         <body id=\"top\">\n<header class=\"header\"><a href=\"{root}index.html\">Books</a></header>\n"
    );
}

fn sidebar(depth: Depth, categories: &[usize]) -> String {
    let mut html = String::from("<aside class=\"sidebar\">\n<ul class=\"nav nav-list\">\n");
    for &category in categories {
        let _ = writeln!(
            html,
            "<li><a href=\"{}category/{}/index.html\">\n    {}\n</a></li>",
            depth.to_catalogue(),
            category_path(category),
            CATEGORIES[category]
        );
    }
    html += "</ul>\n</aside>\n";
    html
}

/// Links that lead astray: forbidden, gone, moved, elsewhere, or nowhere.
fn footer(depth: Depth) -> String {
    let root = depth.to_root();
    let mut html = String::from("<footer class=\"footer\">\n<a href=\"#top\">Top</a>\n");
    for (href, text) in [
        ("/private/", "Back office"),
        ("/private/account.html", "Your account"),
        ("/jobs.html", "Jobs"),
        ("/old/home.html", "Old home page"),
    ] {
        let _ = writeln!(html, "<a href=\"{root}{}\">{text}</a>", &href[1..]);
    }
    for url in OTHER_HOSTS {
        html += "<a rel=\"nofollow\" href=\"";
        escape(&mut html, url);
        html += "\">Partner</a>\n";
    }
    html += "<a href=\"mailto:shop@example.org\">Write to us</a>\n</footer>\n</body>\n</html>\n";
    html
}

/// One book on a list page.
fn card(html: &mut String, depth: Depth, book: &Book) {
    let (root, catalogue) = (depth.to_root(), depth.to_catalogue());
    let href = format!("{catalogue}{}_{}/index.html", book.slug(), book.id);
    let mut title = String::with_capacity(book.title.len() + 16);
    escape(&mut title, &book.title);
    let _ = write!(
        html,
        "<li class=\"col-xs-6\">\n<article class=\"product_pod\">\n<div class=\"image_container\">\
         <a href=\"{href}\"><img src=\"{root}media/cover-{}.png\" alt=\"{title}\" \
         class=\"thumbnail\"></a></div>\n<p class=\"star-rating {}\"><i class=\"icon-star\"></i></p>\n\
         <h3><a href=\"{href}\" title=\"{title}\">",
        book.id,
        book.stars(),
    );
    shorten(html, &book.title);
    let _ = write!(
        html,
        "</a></h3>\n<div class=\"product_price\">\n<p class=\"price_color\">{}</p>\n\
         <p class=\"instock availability\"><i class=\"icon-ok\"></i>\n    In stock\n</p>\n</div>\n\
         </article>\n</li>\n",
        book.price()
    );
}

fn pager(html: &mut String, listing: &Listing<'_>) {
    let (page, n_pages) = (listing.page, listing.n_pages);
    if n_pages < 2 {
        return;
    }
    let folder = if listing.depth == Depth::Root { "catalogue/" } else { "" };
    *html += "<ul class=\"pager\">\n";
    if page == 2 && listing.depth == Depth::Category {
        *html += "<li class=\"previous\"><a href=\"index.html\">previous</a></li>\n";
    } else if page > 1 {
        let _ = writeln!(
            html,
            "<li class=\"previous\"><a href=\"{folder}page-{}.html\">previous</a></li>",
            page - 1
        );
    }
    let _ = writeln!(html, "<li class=\"current\">\n    Page {page} of {n_pages}\n</li>");
    if page < n_pages {
        let next = page + 1;
        let _ =
            writeln!(html, "<li class=\"next\"><a href=\"{folder}page-{next}.html\">next</a></li>");
    }
    *html += "</ul>\n";
}

fn breadcrumb(html: &mut String, book: &Book) {
    let _ = write!(
        html,
        "<ul class=\"breadcrumb\">\n<li><a href=\"../../index.html\">Home</a></li>\n\
         <li><a href=\"../category/{}/index.html\">{}</a></li>\n<li class=\"active\">",
        category_path(book.category_index),
        book.category
    );
    escape(html, &book.title);
    *html += "</li>\n</ul>\n";
}

fn product(html: &mut String, book: &Book) {
    *html += "<article class=\"product_page\">\n<div class=\"product_main\">\n<h1>";
    escape(html, &book.title);
    let (price, stock, stars) = (book.price(), book.stock, book.stars());
    let _ = write!(
        html,
        "</h1>\n<p class=\"price_color\">{price}</p>\n<p class=\"instock availability\">\
         <i class=\"icon-ok\"></i>\n    In stock ({stock} available)\n</p>\n\
         <p class=\"star-rating {stars}\"><i class=\"icon-star\"></i></p>\n</div>\n\
         <div id=\"product_description\" class=\"sub-header\"><h2>Product Description</h2></div>\n<p>"
    );
    escape(html, &book.description());
    let _ = write!(
        html,
        "</p>\n<div class=\"sub-header\"><h2>Product Information</h2></div>\n\
         <table class=\"table table-striped\">\n<tbody>\n<tr><th>UPC</th><td>{}</td></tr>\n\
         <tr><th>Product Type</th><td>Books</td></tr>\n\
         <tr><th>Price (excl. tax)</th><td>{price}</td></tr>\n\
         <tr><th>Price (incl. tax)</th><td>{price}</td></tr>\n\
         <tr><th>Tax</th><td>£0.00</td></tr>\n\
         <tr><th>Availability</th><td>In stock ({stock} available)</td></tr>\n\
         <tr><th>Number of reviews</th><td>0</td></tr>\n</tbody>\n</table>\n</article>\n",
        book.upc
    );
}

/// Books that others bought; now and then an address that has moved or an edition that is gone.
fn related(html: &mut String, book: &Book, n_books: u32) {
    *html += "<h2>Customers also bought</h2>\n<ul class=\"related\">\n";
    for i in 0..4 {
        let other = 1 + (mix(100 + u64::from(book.id), i) % u64::from(n_books)) as u32;
        let title = title(u64::from(other));
        let _ = write!(html, "<li><a href=\"../{}_{other}/index.html\">", slug_of(&title));
        escape(html, &title);
        *html += "</a></li>\n";
    }
    let id = book.id;
    if id.is_multiple_of(MOVED_EVERY) {
        let _ = writeln!(html, "<li><a href=\"../../old/{id}.html\">Old address</a></li>");
    }
    if id.is_multiple_of(GONE_EVERY) {
        let href = format!("../out-of-print_{id}/index.html");
        let _ = writeln!(html, "<li><a href=\"{href}\">First edition</a></li>");
    }
    *html += "</ul>\n";
}

/// The title as list pages show it: its first words.
fn shorten(html: &mut String, title: &str) {
    const SHOWN: usize = 24;
    match title.char_indices().nth(SHOWN) {
        None => escape(html, title),
        Some((end, _)) => {
            let words = title[..end].rfind(' ').unwrap_or(end);
            escape(html, &title[..words]);
            *html += " ...";
        }
    }
}
