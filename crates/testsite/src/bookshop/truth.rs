//! What a crawl of the bookshop must find, by arithmetic alone.
//!
//! Nothing of the renderer is used in here: that both agree is what the tests prove.

use super::book::{Book, CATEGORIES, category_path};
use super::{Bookshop, GONE_EVERY, MOVED_EVERY, OTHER_HOSTS, PRIVATE};
use crate::Truth;

pub(super) fn of(shop: Bookshop) -> Truth {
    let per_page = shop.per_page.max(1);
    let mut urls = vec!["/".to_owned(), "/index.html".to_owned()];
    // The first page's own name is linked by the second page only.
    let n_pages = shop.books.div_ceil(per_page);
    urls.extend((1..=n_pages).filter(|_| n_pages > 1).map(|n| format!("/catalogue/page-{n}.html")));

    let mut sizes = vec![0_u32; CATEGORIES.len()];
    for id in 1..=shop.books {
        let book = Book::new(id);
        sizes[book.category_index] += 1;
        urls.push(book.path());
    }
    for (category, size) in sizes.into_iter().enumerate() {
        let folder = format!("/catalogue/category/{}", category_path(category));
        let pages = 1..=size.div_ceil(per_page);
        urls.extend(pages.map(|n| match n {
            1 => format!("{folder}/index.html"),
            n => format!("{folder}/page-{n}.html"),
        }));
    }
    Truth {
        pages: urls.len(),
        books: shop.books as usize,
        urls,
        redirects: 1 + (shop.books / MOVED_EVERY) as usize,
        not_found: 1 + (shop.books / GONE_EVERY) as usize,
        disallowed: PRIVATE.len(),
        off_domain: OTHER_HOSTS.len(),
    }
}
