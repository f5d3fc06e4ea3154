//! The spider of `crawl bench` whose item is derived: matched while the page streams by.

use crawl_spider::prelude::*;

#[derive(Item)]
#[item(select = "article.product_pod")]
struct Product {
    #[item(css = "h3 a", attr = "title")]
    title: String,
    #[item(css = ".price_color", number)]
    price: f64,
}

#[derive(Default)]
pub struct Cards;

#[spider]
impl Spider for Cards {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.extract::<Product>(page)?;
        out.follow_links(page);
        Ok(())
    }
}
