use crawl_spider::prelude::*;

/// What is taken from an article. Its selectors are checked when it is compiled.
#[derive(Item)]
#[item(select = "article.story")]
struct Article {
    #[item(css = "h1")]
    title: String,
    #[item(css = ".author")]
    author: String,
    #[item(css = "time", attr = "datetime")]
    published: String,
    #[item(url)]
    url: CanonicalUrl,
}

#[derive(Default)]
pub struct SpiderName;

/// The pages come from the site's sitemaps (`scope.sitemaps` in {name}.toml): nothing is followed.
#[spider]
impl Spider for SpiderName {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.extract::<Article>(page)?;
        Ok(())
    }
}
