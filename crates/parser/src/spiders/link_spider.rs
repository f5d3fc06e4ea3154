//! The spider that only follows.

use crawl_spider::{Harvest, Page, Spider, SpiderError};

/// Follows all links and takes nothing: the spider of a crawl that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkSpider;

impl Spider for LinkSpider {
    fn name(&self) -> &str {
        "links"
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.follow_links(page);
        Ok(())
    }
}
