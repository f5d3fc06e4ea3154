//! A plugin with rules: they lead through the lists of quotes to the authors, and each author is
//! read once, however many quotes lead there.
//!
//! `crawl run examples/plugins/authors/crawl.toml`

use crawl_spider::prelude::*;

#[derive(Item)]
struct Author {
    #[item(css = ".author-title")]
    name: String,
    #[item(css = ".author-born-date")]
    born: String,
    #[item(css = ".author-born-location", strip_prefix = "in ")]
    place: String,
}

/// The spider.
#[derive(Default)]
pub struct Authors;

#[spider]
impl Spider for Authors {
    fn rules(&self) -> Rules {
        Rules::new().rule(Rule::css("li.next")).rule(Rule::url("/author/").label("author"))
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() == "author" {
            out.extract::<Author>(page)?;
        }
        Ok(())
    }
}
