//! The spider of `crawl bench` that selects in the document's tree.

use crawl_spider::prelude::*;

#[derive(Default)]
pub struct Cards;

#[spider]
impl Spider for Cards {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for card in page.css("article.product_pod")? {
            let (title, price) = (card.attr_of("h3 a", "title")?, card.text_of(".price_color")?);
            out.item(&json!({ "title": title, "price": price }))?;
        }
        out.follow_links(page);
        Ok(())
    }
}
