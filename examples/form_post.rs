//! A form whose second field depends on the first, with hidden state that must go back: first each
//! author is sent, then each tag that the answer offers for the author.
//!
//! `cargo run --example form_post [FOLDER]`

use crawl::prelude::*;
use crawl_testsite::Quotes;

pub(crate) struct Search;

impl Spider for Search {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for quote in page.css(".results .quote")? {
            out.item(&json!({
                "text": quote.text_of(".content")?,
                "author": quote.text_of(".author")?,
                "tag": quote.text_of(".tag")?,
            }))?;
        }
        let (field, next) = match page.label() {
            "" => ("author", "tags"),
            "tags" => ("tag", "quotes"),
            _ => return Ok(()),
        };
        // The form as it stands: what is hidden and what is chosen goes along.
        let mut form = page.form("#filterform")?.ok_or("no form")?;
        for choice in page.css(&format!("#{field} option[value]"))? {
            form.set(field, choice.attr("value").unwrap_or_default())?;
            out.request(form.submit_with("submit_button")?).label(next);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or("crawl-data/form-post".into());
    let mut config =
        Config::parse("form", "seeds = ['http://quotes.test/search.aspx']\n[testsite]", &[])?;
    let _site = config.serve_testsite().await?;
    let crawl = Crawl::builder().config(config.into_crawl_config(false)?).folder(folder);
    let report = crawl.spider(Search).build()?.launch().await?.finish().await?;

    let tagged = Quotes::quotes().iter().map(|quote| quote.tags.len()).sum::<usize>();
    println!("{} of {tagged} quotes by author and tag", report.counts.items);
    assert_eq!(report.counts.items, tagged as u64);
    Ok(())
}
