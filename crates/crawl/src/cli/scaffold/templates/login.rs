use crawl_spider::prelude::*;

#[derive(Default)]
pub struct SpiderName;

#[spider]
impl Spider for SpiderName {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://quotes.test/login")?.label("login");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match page.label() {
            "login" => log_in(page, out),
            _ => quotes(page, out),
        }
    }
}

/// Fills in the form, hidden token included, and sends it. The session is a cookie, which the
/// crawler keeps.
fn log_in(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    let mut form = page.form("form")?.ok_or("the page has no form to log in with")?;
    form.set("username", "reader")?.set("password", "s3cret & safe")?;
    out.request(form.submit()?).label("quotes");
    Ok(())
}

fn quotes(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    if page.first("a[href='/logout']")?.is_none() {
        return Err("not logged in: has the password changed?".into());
    }
    for quote in page.css(".quote")? {
        out.item(&json!({
            "text": quote.text_of(".text")?,
            "author": quote.text_of(".author")?,
        }))?;
    }
    out.follow_css(page, "li.next a")?.label("quotes");
    Ok(())
}
