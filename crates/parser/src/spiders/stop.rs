//! When the crawl is closed early, compiled; and the counts for it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crawl_spider::Value;
use regex::Regex;

use crate::spiders::config::{KnownConfig, StopConfig, WhenConfig};
use crate::spiders::date::Date;
use crate::spiders::error::{SpiderConfigError, regex_in, wrong};
use crate::spiders::object::Object;

/// The `[spider.stop]` table. Its counts are those of one run.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    items: u64,
    errors: u64,
    when: Vec<When>,
    known: Option<KnownConfig>,
    n_items: AtomicU64,
    n_errors: AtomicU64,
    n_known: AtomicU32,
}

/// What an item must be like.
#[derive(Debug)]
struct When {
    field: String,
    equals: Option<Value>,
    regex: Option<Regex>,
    /// Seconds since 1970.
    before: Option<i64>,
    below: Option<f64>,
    above: Option<f64>,
}

impl Stop {
    /// Checks and compiles the table.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &StopConfig) -> Result<Self, SpiderConfigError> {
        let when = config.when.iter().enumerate();
        let when = when.map(|(i, when)| When::new(when, &format!("spider.stop.when[{i}]")));
        let (items, errors, known) = (config.items, config.errors, config.known.clone());
        if known.as_ref().is_some_and(|known| known.pages == 0) {
            return Err(wrong(
                "spider.stop.known.pages",
                "is 0, which is reached before the start",
            )
            .hint("write 1 or more"));
        }
        Ok(Self { items, errors, when: when.collect::<Result<_, _>>()?, known, ..Self::default() })
    }

    /// Why an item closes the crawl; `None` if it does not.
    pub(crate) fn reason_of(&self, item: &Object<'_>) -> Option<String> {
        let when = self.when.iter().find(|when| when.holds(item))?;
        let shown = item.get(&when.field).map(Value::to_string).unwrap_or_default();
        let shown: String = shown.chars().take(100).collect();
        Some(format!("spider.stop.when: `{}` is {shown}", when.field))
    }

    /// Counts items; why they close the crawl, if they do.
    pub(crate) fn count_items(&self, n: u64) -> Option<String> {
        let sum = self.n_items.fetch_add(n, Ordering::Relaxed) + n;
        (self.items > 0 && n > 0 && sum >= self.items)
            .then(|| format!("spider.stop.items: {} items", self.items))
    }

    /// Counts a request without a page; why it closes the crawl, if it does.
    pub(crate) fn count_error(&self) -> Option<String> {
        let sum = self.n_errors.fetch_add(1, Ordering::Relaxed) + 1;
        (self.errors > 0 && sum >= self.errors)
            .then(|| format!("spider.stop.errors: {} requests failed", self.errors))
    }

    /// Whether links have to be told apart.
    pub(crate) fn asks_for_known(&self) -> bool {
        self.known.is_some()
    }

    /// Counts a page with links that are followed; why it closes the crawl, if it does.
    pub(crate) fn count_links(
        &self,
        label: &str,
        has_links: bool,
        only_known: bool,
    ) -> Option<String> {
        let known = self.known.as_ref().filter(|known| has_links && known.label == label)?;
        if !only_known {
            self.n_known.store(0, Ordering::Relaxed);
            return None;
        }
        let sum = self.n_known.fetch_add(1, Ordering::Relaxed) + 1;
        (sum >= known.pages).then(|| format!("spider.stop.known: {sum} pages with nothing new"))
    }
}

impl When {
    fn new(config: &WhenConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let WhenConfig { field, equals, before, below, above, regex } = config.clone();
        if field.is_empty() {
            return Err(wrong(key, "lacks the key `field`").hint("name a field of the items"));
        }
        let regex = regex_in(regex.as_ref(), key, "regex")?;
        let before = before.map(|text| moment(&text, &format!("{key}.before"))).transpose()?;
        let is_bounded = before.is_some() || below.is_some() || above.is_some();
        if equals.is_none() && regex.is_none() && !is_bounded {
            let hint = "say what it must be: `equals`, `regex`, `before`, `below` or `above`";
            return Err(wrong(key, "holds for every item").hint(hint));
        }
        Ok(Self { field, equals, regex, before, below, above })
    }

    fn holds(&self, item: &Object<'_>) -> bool {
        let Some(value) = item.get(&self.field).filter(|value| !value.is_null()) else {
            return false;
        };
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let number = value.as_f64().or_else(|| text.trim().parse().ok());
        let date = || match value.as_f64() {
            Some(number) => Date::of_epoch(number),
            None => Date::find(&text),
        };
        self.equals.as_ref().is_none_or(|equals| equals == value)
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(&text))
            && self.before.is_none_or(|before| date().is_some_and(|date| date.epoch() < before))
            && self.below.is_none_or(|below| number.is_some_and(|number| number < below))
            && self.above.is_none_or(|above| number.is_some_and(|number| number > above))
    }
}

/// The instant that a date, or a time ago, stands for, in seconds since 1970.
fn moment(text: &str, key: &str) -> Result<i64, SpiderConfigError> {
    if let Some(date) = Date::find(text) {
        return Ok(date.epoch());
    }
    let ago = text.parse::<humantime_serde::re::humantime::Duration>();
    let Ok(ago) = ago else {
        let problem = format!("`{text}` is no date and no time");
        return Err(wrong(key, problem).hint("write `2024-01-31`, or `30d` for thirty days ago"));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Ok(seconds(now).saturating_sub(seconds(ago.into())))
}
