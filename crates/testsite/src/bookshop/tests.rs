//! The bookshop is what it says it is.

use super::*;

fn get(shop: &Shop, path: &str) -> (u16, String) {
    let reply = shop.respond(&SiteRequest::get("books.test", path));
    (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
}

#[test]
fn a_book_is_the_same_in_every_process() {
    let book = Bookshop::default().book(1).unwrap();
    assert_eq!(book, Bookshop { books: 7, per_page: 3 }.book(1).unwrap());
    assert_eq!((book.path().as_str(), book.price().as_str(), book.category, book.rating), BOOK_1);
    assert_eq!(Bookshop::default().book(0), None);
    assert_eq!(Bookshop::default().book(1001), None);
}

/// A change here means that crawls of older versions no longer compare.
const BOOK_1: (&str, &str, &str, u32) =
    ("/catalogue/silent-voyage-silent-violin_1/index.html", "£20.82", "Classics", 4);

#[test]
fn a_list_page_has_a_card_for_each_of_its_books() {
    let shop = Bookshop { books: 45, per_page: 20 }.site();
    for (path, cards, next) in [
        ("/", 20, Some("catalogue/page-2.html")),
        ("/catalogue/page-1.html", 20, Some("page-2.html")),
        ("/catalogue/page-2.html", 20, Some("page-3.html")),
        ("/catalogue/page-3.html", 5, None),
    ] {
        let (status, html) = get(&shop, path);
        assert_eq!((status, html.matches("\"product_pod\"").count()), (200, cards), "{path}");
        let found =
            html.split("class=\"next\"><a href=\"").nth(1).and_then(|s| s.split('"').next());
        assert_eq!(found, next, "{path}");
    }
    assert_eq!(get(&shop, "/catalogue/page-4.html").0, 404);
    assert_eq!(get(&shop, "/catalogue/page-0.html").0, 404);
    assert_eq!(get(&shop, "/catalogue/page-02.html").0, 404);
}

#[test]
fn a_detail_page_tells_what_the_book_is() {
    let shop = Bookshop::default();
    for book in shop.catalogue() {
        let (status, html) = get(&shop.site_of_one(), &book.path());
        assert_eq!(status, 200);
        for part in [&book.upc, &book.price(), &format!("star-rating {}", book.stars())] {
            assert!(html.contains(part.as_str()), "{part} is missing from {}", book.path());
        }
        assert!(html.contains(&format!("({} available)", book.stock)));
    }
}

impl Bookshop {
    /// A shop that answers for all ids, without the index of categories: quick to open.
    fn site_of_one(self) -> Shop {
        let renderer = Renderer::new(std::iter::empty());
        Shop { shop: self, renderer, by_category: Vec::new() }
    }
}

#[test]
fn titles_are_escaped_and_slugs_are_plain() {
    let shop = Bookshop::default();
    for book in shop.catalogue() {
        let path = book.path();
        assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b)), "{path}");
    }
    assert!(shop.catalogue().any(|book| book.title.contains('&')));
    assert!(shop.catalogue().any(|book| book.title.contains('é')));
    let html = get(&shop.site(), "/catalogue/page-3.html").1;
    assert!(!html.contains("& "), "a bare ampersand");
}

#[test]
fn robots_and_sitemap_name_the_host_that_was_asked() {
    let shop = Bookshop { books: 3, per_page: 20 }.site();
    let (_, robots) = get(&shop, "/robots.txt");
    assert!(robots.contains("Disallow: /private/\n"));
    assert!(robots.contains("Sitemap: http://books.test/sitemap.xml\n"));
    let (_, sitemap) = get(&shop, "/sitemap.xml");
    assert_eq!(sitemap.matches("<loc>http://books.test/catalogue/").count(), 3);
}

#[test]
fn an_empty_shop_is_a_page() {
    for books in [0, 1] {
        let shop = Bookshop { books, per_page: 0 };
        assert_eq!(get(&shop.site(), "/").0, 200);
        assert_eq!(shop.truth().books, books as usize);
    }
}
