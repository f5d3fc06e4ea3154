use crawl_spider::prelude::*;

#[derive(Default)]
pub struct SpiderName;

#[spider]
impl Spider for SpiderName {
    fn rules(&self) -> Rules {
        Rules::new()
            // Books are given to `parse` below; on all other pages these rules are applied again.
            .rule(Rule::css("article.product_pod h3").label("book").priority(1))
            .rule(Rule::css("li.next"))
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() != "book" {
            return Ok(());
        }
        out.item(&json!({
            "title": page.text_of("h1")?,
            "price": page.text_of(".product_main .price_color")?,
            "upc": page.text_of("table tr:first-child td")?,
            "url": page.url().as_str(),
        }))
    }
}
