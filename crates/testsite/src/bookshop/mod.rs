//! A bookshop like <https://books.toscrape.com>, which every scraping tutorial knows.
//!
//! Deterministic: book `id` is the same book in every process. Pages are rendered on the fly from
//! the ids, so a shop of a million books needs no more memory than one of ten.
//!
//! What is in it on purpose: relative links of every depth, the same page under several URLs
//! (`/`, `/index.html`, `/catalogue/page-1.html`), links that are forbidden, gone, moved, to other
//! hosts, or no links to pages at all (`mailto:`, fragments), titles with entities and accents.

mod book;
mod cover;
mod render;
mod truth;

use std::fmt::Write;

pub use book::Book;
use book::{CATEGORIES, category_path};
use bytes::Bytes;
use render::{Listing, Renderer};

use crate::graph::canonical_number;
use crate::{Reply, Site, SiteRequest, Truth};

/// How large the bookshop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bookshop {
    /// Number of books, with ids from 1. Default: 1000.
    pub books: u32,
    /// Books on a list page; zero is taken for one. Default: 20.
    pub per_page: u32,
}

/// An open [`Bookshop`]: the [`Site`].
///
/// | Path | What |
/// |---|---|
/// | `/`, `/index.html`, `/catalogue/page-N.html` | all books, `per_page` at a time |
/// | `/catalogue/category/NAME_N/index.html`, `…/page-N.html` | those of a category |
/// | `/catalogue/SLUG_ID/index.html` | one book |
/// | `/old/ID.html`, `/old/home.html` | moved: 301 to the book, 302 to `/` |
/// | `/jobs.html`, `/catalogue/out-of-print_ID/index.html` | linked, but gone: 404 |
/// | `/private/…` | linked, served, but forbidden by `/robots.txt` |
/// | `/robots.txt`, `/sitemap.xml`, `/static/site.css`, `/media/cover-ID.png` | what they say |
pub struct Shop {
    shop: Bookshop,
    renderer: Renderer,
    /// Ids of each category's books, in order.
    by_category: Vec<Vec<u32>>,
}

/// Every so many-th book still has its old address linked.
const MOVED_EVERY: u32 = 100;

/// Every so many-th book links to an edition that is out of print.
const GONE_EVERY: u32 = 250;

/// Pages of other hosts that every page links to.
const OTHER_HOSTS: [&str; 2] =
    ["http://partners.example.net/books?from=shop&page=1", "https://example.org/"];

/// Forbidden pages that every page links to.
const PRIVATE: [&str; 2] = ["/private/", "/private/account.html"];

impl Default for Bookshop {
    fn default() -> Self {
        Self { books: 1000, per_page: 20 }
    }
}

impl Bookshop {
    /// Opens the shop.
    #[must_use]
    pub fn site(self) -> Shop {
        let shop = Self { per_page: self.per_page.max(1), ..self };
        let mut by_category = vec![Vec::new(); CATEGORIES.len()];
        for id in 1..=shop.books {
            by_category[book::category_of(id)].push(id);
        }
        let renderer = Renderer::new(by_category.iter().map(Vec::is_empty));
        Shop { shop, renderer, by_category }
    }

    /// What a crawl of it from `/` finds.
    #[must_use]
    pub fn truth(&self) -> Truth {
        truth::of(*self)
    }

    /// Book `id`, as its page describes it; `None` if there is no such book.
    #[must_use]
    pub fn book(&self, id: u32) -> Option<Book> {
        (1..=self.books).contains(&id).then(|| Book::new(id))
    }

    /// All books in order.
    pub fn catalogue(&self) -> impl Iterator<Item = Book> {
        (1..=self.books).map(Book::new)
    }
}

impl Site for Shop {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let path = request.path();
        self.page(path)
            .or_else(|| self.other(path, request.authority))
            .unwrap_or_else(Reply::not_found)
    }
}

impl Shop {
    /// The HTML pages of the catalogue.
    fn page(&self, path: &str) -> Option<Reply> {
        if matches!(path, "/" | "/index.html") {
            return Some(self.list(1, true));
        }
        let path = path.strip_prefix("/catalogue/")?;
        if let Some(number) = page_number(path) {
            return (number <= self.n_pages(self.shop.books)).then(|| self.list(number, false));
        }
        if let Some(path) = path.strip_prefix("category/") {
            return self.category(path);
        }
        let (slug, id) = path.strip_suffix("/index.html")?.rsplit_once('_')?;
        let book = self.shop.book(canonical_number(id)?).filter(|book| book.slug() == slug)?;
        Some(Reply::html(self.renderer.detail(&book, self.shop.books)))
    }

    /// List page `number` of all books.
    fn list(&self, number: u32, home: bool) -> Reply {
        let first = (number - 1) * self.shop.per_page + 1;
        let end = first.saturating_add(self.shop.per_page).min(self.shop.books + 1);
        Reply::html(self.renderer.list(
            &Listing {
                heading: "All products",
                n_books: self.shop.books,
                page: number,
                n_pages: self.n_pages(self.shop.books),
                depth: if home { render::Depth::Root } else { render::Depth::Catalogue },
            },
            first..end,
        ))
    }

    fn category(&self, path: &str) -> Option<Reply> {
        let (name, file) = path.split_once('/')?;
        let category = (0..CATEGORIES.len()).find(|c| category_path(*c) == name)?;
        let page = if file == "index.html" { 1 } else { page_number(file).filter(|n| *n > 1)? };
        let books = &self.by_category[category];
        let n_books = books.len() as u32;
        let n_pages = self.n_pages(n_books);
        if books.is_empty() || page > n_pages {
            return None;
        }
        let per_page = self.shop.per_page as usize;
        let first = (page as usize - 1) * per_page;
        let shown = &books[first..books.len().min(first.saturating_add(per_page))];
        let heading = CATEGORIES[category];
        let depth = render::Depth::Category;
        let listing = Listing { heading, n_books, page, n_pages, depth };
        Some(Reply::html(self.renderer.list(&listing, shown.iter().copied())))
    }

    /// Everything that is no page of the catalogue.
    fn other(&self, path: &str, authority: &str) -> Option<Reply> {
        if let Some(id) = path.strip_prefix("/old/").and_then(|path| path.strip_suffix(".html")) {
            if id == "home" {
                return Some(Reply::redirect("/", 302));
            }
            let book = self.shop.book(canonical_number(id)?)?;
            return Some(Reply::redirect(&book.path(), 301));
        }
        match path {
            "/robots.txt" => Some(Reply::text(format!(
                "# Welcome, robots. The books are yours, the back office is not.\n\
                 User-agent: *\nDisallow: /private/\n\nSitemap: http://{authority}/sitemap.xml\n"
            ))),
            "/sitemap.xml" => Some(Reply::new("application/xml", self.sitemap(authority))),
            "/static/site.css" => Some(Reply::new("text/css", render::CSS)),
            _ if PRIVATE.contains(&path) => Some(Reply::html(render::PRIVATE_PAGE)),
            _ => {
                let id = path.strip_prefix("/media/cover-")?.strip_suffix(".png")?;
                let book = self.shop.book(canonical_number(id)?)?;
                Some(Reply::new("image/png", book.cover()))
            }
        }
    }

    /// The detail pages, at most 50,000 of them (sitemaps.org protocol).
    fn sitemap(&self, authority: &str) -> Bytes {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
        );
        for book in self.shop.catalogue().take(50_000) {
            let _ = writeln!(xml, "<url><loc>http://{authority}{}</loc></url>", book.path());
        }
        xml += "</urlset>\n";
        xml.into()
    }

    fn n_pages(&self, n_books: u32) -> u32 {
        n_books.div_ceil(self.shop.per_page).max(1)
    }
}

/// The number in `page-N.html`, from 1.
fn page_number(file: &str) -> Option<u32> {
    canonical_number(file.strip_prefix("page-")?.strip_suffix(".html")?).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests;
