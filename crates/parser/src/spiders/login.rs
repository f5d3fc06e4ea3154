//! A form that is sent before anything else is asked.
//!
//! The page with the form is the crawl's one request to begin with. Its answer, or what that
//! redirects to, is checked; then, and only then, the seeds are asked for. If it did not work the
//! crawl closes and says why. Which login it is, is part of the first request: with other values
//! the next run tries again, with the same ones it goes on with the cookies that it has.

use crawl_spider::{CanonicalUrl, Form, Harvest, Page, Request, SpiderError};
use indexmap::IndexMap;

use crate::spiders::config::LoginConfig;
use crate::spiders::error::{SpiderConfigError, wrong};
use crate::spiders::luggage::{LoginStep, Luggage};
use crate::spiders::selector::Selector;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Before everything else of its host.
const PRIORITY: i32 = i32::MAX;

/// Label of the pages of a login.
pub(crate) const LABEL: &str = "@login";

/// Forms with a field for a password.
const PASSWORD_FORM: &str = "form:has(input[type=password i])";

/// The `[spider.login]` table, compiled.
#[derive(Debug)]
pub(crate) struct Login {
    url: CanonicalUrl,
    form: String,
    fields: IndexMap<String, String>,
    button: Option<String>,
    check: Option<Selector>,
}

impl Login {
    /// Checks and compiles the table.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &LoginConfig) -> Result<Self, SpiderConfigError> {
        let key = "spider.login";
        if config.url.is_empty() {
            return Err(wrong(key, "lacks the key `url`").hint("that of the page with the form"));
        }
        let url = CanonicalUrl::parse(&config.url).map_err(|error| {
            wrong(format!("{key}.url"), format!("`{}` cannot be crawled: {error}", config.url))
        })?;
        if config.fields.is_empty() {
            let hint = "name what to fill in: fields = { username = \"$SHOP_USER\", password = \"$SHOP_PW\" }";
            return Err(wrong(format!("{key}.fields"), "has nothing to fill in").hint(hint));
        }
        let form = config.form.as_deref().unwrap_or(PASSWORD_FORM);
        Selector::css(form, &format!("{key}.form"))?;
        let check = config.check.as_deref();
        let check =
            check.map(|check| Selector::read(check, &format!("{key}.check"))).transpose()?;
        let (fields, button) = (config.fields.clone(), config.button.clone());
        Ok(Self { url, form: form.to_owned(), fields, button, check })
    }

    /// Asks for the page with the form.
    ///
    /// # Errors
    /// [`SpiderError::Other`] if an environment variable is not set.
    pub(crate) fn begin(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        let mut number = mixed(FNV_OFFSET, self.form.as_bytes());
        for name in self.fields.keys() {
            number = mixed(mixed(number, name.as_bytes()), self.value(name)?.as_bytes());
        }
        let mut request = Request::get(self.url.clone());
        request.options_mut().unique = Some(number);
        out.request(request).label(LABEL).priority(PRIORITY).meta(&at(LoginStep::Form))?;
        Ok(())
    }

    /// Fills in the form of a page and sends it.
    ///
    /// # Errors
    /// [`SpiderError`] if the page has no such form, or the form no such field.
    pub(crate) fn fill(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let Some(mut form) = self.form(page)? else {
            return Err(SpiderError::Other(format!("the page has no form `{}`", self.form)));
        };
        for name in self.fields.keys() {
            form.set(name, &self.value(name)?)?;
        }
        let request = match &self.button {
            Some(button) => form.submit_with(button)?,
            None => form.submit()?,
        };
        let follow = out.request(request).label(LABEL).priority(PRIORITY);
        // One of its own, so that what it redirects to is, too, and not dropped as known.
        follow.dont_filter().meta(&at(LoginStep::Answer))?;
        Ok(())
    }

    /// Whether the answer shows that it worked.
    ///
    /// # Errors
    /// [`SpiderError::Other`] that says what is not as it should be.
    pub(crate) fn check(&self, page: &Page<'_>) -> Result<(), SpiderError> {
        let is_there = match &self.check {
            None if self.form(page)?.is_some() => {
                return Err("the answer has the form again".into());
            }
            None => return Ok(()),
            Some(Selector::Css(css)) => !page.css(css)?.is_empty(),
            Some(Selector::XPath(expr)) => !page.xpath(expr)?.is_empty(),
            Some(Selector::Json(path)) => !page.json_path(path)?.is_empty(),
        };
        match (&self.check, is_there) {
            (Some(Selector::Css(text) | Selector::XPath(text) | Selector::Json(text)), false) => {
                Err(SpiderError::Other(format!("the answer {} has no `{text}`", page.url())))
            }
            _ => Ok(()),
        }
    }

    fn form<'a>(&self, page: &Page<'a>) -> Result<Option<Form<'a>>, SpiderError> {
        page.form(&self.form)
    }

    /// What is filled in for a name.
    fn value(&self, name: &str) -> Result<String, SpiderError> {
        let text = self.fields.get(name).map(String::as_str).unwrap_or_default();
        match text.strip_prefix('$') {
            None => Ok(text.to_owned()),
            Some(literal) if literal.starts_with('$') => Ok(literal.to_owned()),
            Some(variable) => std::env::var(variable).map_err(|_| {
                SpiderError::Other(format!(
                    "spider.login.fields.{name}: the environment variable `{variable}` is not \
                     set, or no text"
                ))
            }),
        }
    }
}

/// FNV-1a of the bytes and their end: the same in every build.
fn mixed(hash: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .chain([&0xff])
        .fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn at(step: LoginStep) -> Luggage {
    Luggage { login: Some(step), ..Luggage::default() }
}
