use crawl_spider::prelude::*;

#[derive(Default)]
pub struct SpiderName;

/// The pages come from the site's sitemaps (`scope.sitemaps` in {name}.toml): nothing is followed.
#[spider]
impl Spider for SpiderName {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let Some(story) = page.first("article.story")? else {
            return Ok(());
        };
        out.item(&json!({
            "title": story.text_of("h1")?,
            "author": story.text_of(".author")?,
            "published": story.attr_of("time", "datetime")?,
            "url": page.url().as_str(),
        }))
    }
}
