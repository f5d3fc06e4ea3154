//! A plugin that logs in: it fills in the form as it stands, hidden token included, and goes on only
//! when it sees what members see. Name and password are its arguments.
//!
//! `crawl run examples/plugins/login/crawl.toml -a password='s3cret & safe'`

use crawl_spider::prelude::*;
use serde::Deserialize;

/// The spider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    user: String,
    password: String,
}

impl FromArgs for Login {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        args.to()
    }
}

#[spider]
impl Spider for Login {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://quotes.test/login")?.label("login");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if page.label() == "login" {
            let mut form = page.form("form")?.ok_or("no form")?;
            form.set("username", &self.user)?.set("password", &self.password)?;
            out.request(form.submit()?); // its label, none, goes with the redirect
            return Ok(());
        }
        if page.first("a[href='/logout']")?.is_none() {
            return Err("not logged in: is the password right?".into());
        }
        for quote in page.css(".quote")? {
            out.item(&json!({
                "text": quote.text_of(".text")?,
                "room": quote.attr_of("a[href*=readingroom]", "href")?,
            }))?;
        }
        out.follow_css(page, "li.next a")?;
        Ok(())
    }
}
