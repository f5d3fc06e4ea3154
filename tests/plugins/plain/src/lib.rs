//! A spider that gives an item with the URL of each page, says so in the log, and follows all links.

use crawl_spider::prelude::*;

#[derive(Default)]
struct Plain;

#[spider]
impl Spider for Plain {
    fn name(&self) -> &str {
        "plain"
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.log(LogLevel::Info, "read");
        out.item(&json!({ "url": page.url() }))?;
        out.follow_links(page);
        Ok(())
    }
}
