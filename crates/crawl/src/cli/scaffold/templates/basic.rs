use crawl_spider::prelude::*;

#[derive(Default)]
pub struct SpiderName;

#[spider]
impl Spider for SpiderName {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for book in page.css("article.product_pod")? {
            let (title, price) = (book.attr_of("h3 a", "title")?, book.text_of(".price_color")?);
            out.item(&json!({ "title": title, "price": price }))?;
        }
        out.follow_css(page, "li.next a").map(drop)
    }
}
