//! Items with files: books and their covers, each image fetched once and kept once.
//!
//! `cargo run --example covers [FOLDER]`

use std::time::Duration;

use crawl::prelude::*;
use crawl_testsite::{Bookshop, TestSite};

#[derive(Item)]
#[item(select = "article.product_pod")]
struct Book {
    #[item(css = "h3 a", attr = "title")]
    title: String,
    #[item(css = "img", image)]
    cover: Option<String>,
}

struct Books;

impl Spider for Books {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for book in out.read::<Book>(page)? {
            // `out.extract::<Book>(page)` is this for all of them. Files that no field names:
            // `out.item_with_files(&book, [FileAsk::file(url)])`.
            out.keep(page, &book)?;
        }
        out.follow_css(page, "li.next a")?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/covers-rs".into());
    let site = TestSite::builder().bookshop(Bookshop { books: 100, ..Default::default() });
    let site = site.start().await;
    let crawl = Crawl::builder().seed("http://bookshop.test/").spider(Books).folder(&folder);
    let crawl = crawl.configure(|config| {
        config.fetch.resolve.insert("bookshop.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = Duration::ZERO;
        config.media.min_width = 32;
    });
    crawl.build()?.launch().await?.finish().await?;

    let store = crawl::store::Store::inspect(folder.as_ref())?;
    let reader = store.reader();
    let (files, bytes) = reader.n_files()?;
    println!("{} books, {files} different covers of {bytes} bytes", reader.n_items()?);
    for page in reader.pages()?.take(1) {
        let item = reader.items(page?.0).next().transpose()?.unwrap_or_default();
        println!("{item}");
    }
    Ok(())
}
