//! The spider that is measured, linked in and loaded: 15 cards with five fields each, and all links.

use crawl_spider::prelude::*;
use crawl_spider::{FieldQuery, ItemQuery};

pub struct Shop {
    /// Whether the cards are matched while the page streams by, or selected in its tree.
    streams: bool,
    cards: ItemQuery,
}

impl FromArgs for Shop {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        let cards = ItemQuery::each("article.product_pod")
            .field(FieldQuery::attr("h3 a", "title"))
            .field(FieldQuery::attr("h3 a", "href"))
            .field(FieldQuery::text(".price_color"))
            .field(FieldQuery::text(".availability"))
            .field(FieldQuery::attr("img", "src"));
        Ok(Self { streams: args.get("tree").is_none(), cards })
    }
}

#[spider]
impl Spider for Shop {
    fn wants(&self) -> Vec<ItemQuery> {
        if self.streams { vec![self.cards.clone()] } else { Vec::new() }
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for row in page.rows(&self.cards)?.iter() {
            out.item(&json!({
                "title": row.first(0)?, "href": row.first(1)?, "price": row.first(2)?,
                "stock": row.first(3)?, "image": row.first(4)?,
            }))?;
        }
        out.follow_links(page);
        Ok(())
    }
}
