use crawl_spider::prelude::*;

/// What is taken from a book's page. Its selectors are checked when it is compiled.
#[derive(Item)]
struct Book {
    #[item(css = "h1")]
    title: String,
    #[item(css = ".product_main .price_color", number)]
    price: f64,
    #[item(css = "table tr:first-child td")]
    upc: String,
    #[item(url)]
    url: CanonicalUrl,
}

#[derive(Default)]
pub struct SpiderName;

#[spider]
impl Spider for SpiderName {
    fn rules(&self) -> Rules {
        // On pages without a label both are applied again.
        Rules::new()
            .rule(Rule::css("article.product_pod h3").label("book").priority(1))
            .rule(Rule::css("li.next"))
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() == "book" {
            out.extract::<Book>(page)?;
        }
        Ok(())
    }
}
