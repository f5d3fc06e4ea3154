//! From one page of a list to the next, compiled.

use crawl_spider::{CanonicalUrl, Harvest, ItemQuery, Page, SpiderError, Value};
use regex::Regex;

use crate::spiders::config::PagesConfig;
use crate::spiders::error::{SpiderConfigError, regex_in, wrong};
use crate::spiders::luggage::Luggage;
use crate::spiders::read::Context;
use crate::spiders::rule::Links;
use crate::spiders::selector::Selector;

/// One of `spider.pages`.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) on: Option<String>,
    url: Option<Regex>,
    way: Way,
    more: Option<String>,
    stop_when_empty: bool,
    pub(crate) stop_when_known: bool,
    max: u32,
    priority: i32,
}

/// How the next page is found.
#[derive(Debug)]
enum Way {
    Link(Links),
    Count { param: String, from: i64, step: i64 },
    Cursor { param: String, path: String },
}

impl Pages {
    /// Checks and compiles the table at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &PagesConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let json = |path: &Option<String>, name: &str| match path {
            None => Ok(None),
            Some(path) => {
                Selector::json(path, &format!("{key}.{name}")).map(|_| Some(path.clone()))
            }
        };
        let more = json(&config.more, "more")?;
        let cursor = json(&config.cursor, "cursor")?;
        let is_counted = (config.from, config.step) != (1, 1);
        let way = match (&config.next, &config.param, cursor) {
            (Some(next), None, None) => Way::Link(Links::read(next, &format!("{key}.next"))?),
            (None, Some(param), Some(path)) => Way::Cursor { param: param.clone(), path },
            (None, Some(param), None) => {
                let (param, from, step) = (param.clone(), config.from, config.step);
                Way::Count { param, from, step }
            }
            (None, None, Some(_)) => {
                let hint = "name the query parameter that gets it: param = \"cursor\"";
                return Err(wrong(format!("{key}.cursor"), "has no `param`").hint(hint));
            }
            (None, None, None) => {
                let hint = "write `next = \"li.next a\"`, or `param = \"page\"` to count one up";
                return Err(wrong(key, "does not say how to find the next page").hint(hint));
            }
            (Some(_), ..) => return Err(wrong(key, "has both `next` and `param`; choose one")),
        };
        if is_counted && !matches!(way, Way::Count { .. }) {
            return Err(wrong(key, "has `from` or `step`, but no parameter is counted"));
        }
        if config.step == 0 {
            return Err(wrong(format!("{key}.step"), "is 0, so the next page is the same one"));
        }
        if matches!(&way, Way::Count { param, .. } | Way::Cursor { param, .. } if param.is_empty())
        {
            return Err(wrong(format!("{key}.param"), "is empty"));
        }
        let counts = matches!(way, Way::Count { .. });
        let stop_when_empty = config.stop_when_empty.unwrap_or(counts);
        let has_end = stop_when_empty || config.stop_when_known || more.is_some() || config.max > 0;
        if counts && !has_end {
            let hint = "add `max`, `more`, `stop-when-known` or `stop-when-empty`";
            return Err(wrong(key, "counts without an end").hint(hint));
        }
        Ok(Self {
            on: config.on.clone(),
            url: regex_in(config.url.as_ref(), key, "url")?,
            way,
            more,
            stop_when_empty,
            stop_when_known: config.stop_when_known,
            max: config.max,
            priority: config.priority,
        })
    }

    /// What it asks of every page, as far as that is known beforehand.
    pub(crate) fn query(&self) -> Option<&ItemQuery> {
        match &self.way {
            Way::Link(links) => links.query(),
            Way::Count { .. } | Way::Cursor { .. } => None,
        }
    }

    /// Follows the next page. `is_empty`: this one gave nothing; `is_known`: nothing new.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if an expression takes too long on this page.
    pub(crate) fn follow(
        &self,
        cx: Context<'_>,
        out: &mut Harvest,
        is_empty: bool,
        is_known: bool,
    ) -> Result<(), SpiderError> {
        let page = &cx.page;
        let fits = self.url.as_ref().is_none_or(|regex| regex.is_match(page.url().as_str()));
        let number = cx.luggage.page.saturating_add(1);
        let is_end = (self.max > 0 && number >= self.max)
            || (self.stop_when_empty && is_empty)
            || (self.stop_when_known && is_known);
        if !fits || is_end || !self.goes_on(page)? {
            return Ok(());
        }
        let meta = Luggage { carry: cx.luggage.carry.clone(), page: number, ..Luggage::default() };
        let followed = match &self.way {
            Way::Link(links) => {
                let mut is_first = true;
                links.follow(page, out, false, |link| {
                    std::mem::take(&mut is_first) && link.url() != page.url().as_str()
                })?
            }
            Way::Count { param, from, step } => match counted(page.url(), param, *from, *step) {
                Some(url) => out.follow_resolved([(url, false)]),
                None => return Ok(()),
            },
            Way::Cursor { param, path } => match cursor(page, path)? {
                Some(text) => match with_param(page.url(), param, &text) {
                    Some(url) => out.follow_resolved([(url, false)]),
                    None => return Ok(()),
                },
                None => return Ok(()),
            },
        };
        followed.priority(self.priority).label(page.label()).meta(&meta)?;
        Ok(())
    }

    fn goes_on(&self, page: &Page<'_>) -> Result<bool, SpiderError> {
        let Some(path) = &self.more else { return Ok(true) };
        let is_true = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::Array(list) => !list.is_empty(),
            Value::Bool(true) | Value::Object(_) => true,
        };
        match page.json_path(path) {
            Ok(values) => Ok(values.first().is_some_and(|value| is_true(value))),
            Err(SpiderError::Json(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What the parameter gets, if it goes on.
fn cursor(page: &Page<'_>, path: &str) -> Result<Option<String>, SpiderError> {
    let values = match page.json_path(path) {
        Ok(values) => values,
        Err(SpiderError::Json(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match values.first() {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// The URL with the parameter counted on.
fn counted(url: &CanonicalUrl, param: &str, from: i64, step: i64) -> Option<CanonicalUrl> {
    let url_ = url.to_url();
    let value = url_.query_pairs().find(|(name, _)| name == param).map(|(_, value)| value);
    let number = match &value {
        None => from,
        // What is no number is a page that nobody counts.
        Some(value) => value.trim().parse::<i64>().ok()?,
    };
    with_param(url, param, &number.checked_add(step)?.to_string())
}

/// The URL with this value of the parameter, in its old place or at the end.
fn with_param(url: &CanonicalUrl, param: &str, value: &str) -> Option<CanonicalUrl> {
    let mut url = url.to_url();
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    match pairs.iter_mut().find(|(name, _)| name == param) {
        Some((_, old)) => value.clone_into(old),
        None => pairs.push((param.to_owned(), value.to_owned())),
    }
    url.query_pairs_mut().clear().extend_pairs(pairs);
    CanonicalUrl::parse(url.as_str()).ok()
}
