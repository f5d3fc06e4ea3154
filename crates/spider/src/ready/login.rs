//! Getting past a login form before the crawl begins.

use std::fmt;

use super::step::{Step, Taken};
use crate::{
    CanonicalUrl, Expression, FailedRequest, FieldKind, Form, Harvest, Language, Page, SpiderError,
};

/// Label of the page with the form.
const FORM: &str = "login";

/// Label of the page that comes back.
const ANSWER: &str = "login:answer";

/// Logs in by a form, and begins the crawl only then: fetches the page, fills the form in with all
/// that it has hidden, sends it, and looks whether that worked. If it did not, the crawl ends with
/// an error that says so, without a page of it.
///
/// The session is in the cookies, which the crawl's folder keeps: a resumed crawl goes on with it
/// and does not log in again. What is sent is kept there, too, as any request is (the folder is
/// for its owner only); neither logs nor reports show it.
///
/// The seeds of the crawl are not held back, so what needs the login belongs into the start of the
/// spider behind it.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{Login, Step};
///
/// struct Orders;
///
/// impl Spider for Orders {
///     fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
///         out.get("https://shop.test/orders")?;
///         Ok(())
///     }
///
///     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
///         out.item(&json!({"orders": page.css(".order")?.texts()}))
///     }
/// }
///
/// let orders = Login::new("https://shop.test/login")
///     .field("user", "joe")
///     .env("password", "SHOP_PASSWORD")
///     .expect("a[href='/logout']")
///     .then(Orders);
/// # let _ = orders;
/// ```
#[derive(Clone)]
pub struct Login {
    url: String,
    form: Option<String>,
    fields: Vec<(String, Source)>,
    button: Option<String>,
    expect: Option<String>,
    refuse: Option<String>,
}

/// Where a field's value comes from.
#[derive(Clone)]
enum Source {
    Text(String),
    Env(String),
}

impl Login {
    /// Logs in by the form on this page.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        let (form, button, expect, refuse) = (None, None, None, None);
        Self { url: url.into(), form, fields: Vec::new(), button, expect, refuse }
    }

    /// Takes the form that this CSS selector finds. Default: the first one with a password field.
    #[must_use]
    pub fn form(mut self, selector: impl Into<String>) -> Self {
        self.form = Some(selector.into());
        self
    }

    /// Writes this into the field of that name.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), Source::Text(value.into())));
        self
    }

    /// Writes the value of this environment variable into the field of that name. The variable
    /// must be set when the crawl begins.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, variable: impl Into<String>) -> Self {
        self.fields.push((name.into(), Source::Env(variable.into())));
        self
    }

    /// Presses this button: by its name, its `id` or what is written on it. Default: none, as
    /// somebody does who hits Enter on a form without buttons.
    #[must_use]
    pub fn button(mut self, name: impl Into<String>) -> Self {
        self.button = Some(name.into());
        self
    }

    /// It has worked only if this CSS selector finds something on the page that comes back: what
    /// only they see who are logged in. Default: that page has no password field.
    #[must_use]
    pub fn expect(mut self, selector: impl Into<String>) -> Self {
        self.expect = Some(selector.into());
        self
    }

    /// It has not worked if this CSS selector finds something on the page that comes back: the
    /// text of it is in the error.
    #[must_use]
    pub fn refuse(mut self, selector: impl Into<String>) -> Self {
        self.refuse = Some(selector.into());
        self
    }

    /// Sends the form.
    fn send(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let found = match &self.form {
            Some(selector) => page.form(selector)?,
            None => page.forms().into_iter().find(has_password),
        };
        let Some(mut form) = found else {
            let what = match &self.form {
                Some(selector) => format!("the page has no form that `{selector}` finds"),
                None => "the page has no form with a password field; hint: name it by `form`, or \
                         the page may need scripts"
                    .to_owned(),
            };
            return Err(failure(&self.url, &what));
        };
        for (name, source) in &self.fields {
            form.set(name, source.value()?)?;
        }
        let request = match &self.button {
            Some(button) => form.submit_with(button)?,
            None => form.submit()?,
        };
        // Its page is one of its own, whatever the crawl knows already, and so is the page that it
        // redirects to.
        out.request(request).label(ANSWER).dont_filter();
        Ok(())
    }

    /// Looks whether it worked.
    fn check(&self, page: &Page<'_>) -> Result<(), SpiderError> {
        if let Some(selector) = &self.refuse
            && let Some(node) = page.first(selector)?
        {
            let text: String = node.text().chars().take(200).collect();
            return Err(failure(&self.url, &format!("the site says `{text}`")));
        }
        match &self.expect {
            Some(selector) if page.first(selector)?.is_none() => {
                let what = format!("`{selector}` finds nothing on {}", page.url());
                Err(failure(&self.url, &what))
            }
            None if page.forms().iter().any(has_password) => {
                let what = format!("{} still asks for a password", page.url());
                Err(failure(&self.url, &what))
            }
            _ => Ok(()),
        }
    }
}

impl Step for Login {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        for (_, source) in &self.fields {
            source.value()?;
        }
        let url = CanonicalUrl::parse(&self.url)
            .map_err(|source| SpiderError::Link { href: self.url.clone(), source })?;
        out.get_url(url).label(FORM).dont_filter();
        Ok(())
    }

    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError> {
        let result = match page.label() {
            FORM => self.send(page, out).map(|()| Taken::Mine),
            ANSWER => self.check(page).map(|()| Taken::Done),
            _ => return Ok(Taken::NotMine),
        };
        if let Err(error) = &result {
            out.error(error.chain());
        }
        result
    }

    fn failed(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<bool, SpiderError> {
        if failed.label() != FORM && failed.label() != ANSWER {
            return Ok(false);
        }
        let what = format!("{} ended as {}: {}", failed.url(), failed.verdict(), failed.detail());
        let error = failure(&self.url, &what);
        out.error(error.chain());
        Err(error)
    }

    fn comes_first(&self) -> bool {
        true
    }

    fn expressions(&self) -> Vec<Expression> {
        let all = [("form", &self.form), ("expect", &self.expect), ("refuse", &self.refuse)];
        let all = all.into_iter().filter_map(|(name, css)| Some((name, css.as_ref()?)));
        all.map(|(name, css)| Expression::new(Language::Css, css, format!("login, {name}")))
            .collect()
    }
}

impl Source {
    fn value(&self) -> Result<String, SpiderError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            // The error would show a value that is no Unicode.
            Self::Env(name) => std::env::var(name).map_err(|_| {
                SpiderError::Other(format!(
                    "the login takes a value from the environment variable `{name}`, which is not \
                     set, or is no Unicode; hint: set it before the crawl begins"
                ))
            }),
        }
    }
}

fn has_password(form: &Form<'_>) -> bool {
    form.fields().iter().any(|field| field.kind == FieldKind::Password)
}

fn failure(url: &str, what: &str) -> SpiderError {
    let shown = CanonicalUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string());
    SpiderError::Other(format!("the login at {shown} failed: {what}"))
}

/// Without what is written into the fields.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Login")
            .field("url", &self.url)
            .field("form", &self.form)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}
