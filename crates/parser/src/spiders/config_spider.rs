//! The declarative spider: selectors in TOML instead of Rust.

use crawl_spider::{
    Harvest, ItemQuery, LogLevel, Page, Row, Rule, Rules, SelectorError, Spider, SpiderError, Value,
};
use regex::Regex;

use crate::css::compile;
use crate::spiders::config::{ItemConfig, RuleConfig, SpiderConfig};
use crate::spiders::field::{Field, compile_regex};
use crate::spiders::rules::rule;

/// A `[spider]` table, checked and compiled.
#[derive(Debug)]
pub struct ConfigSpider {
    rules: Rules,
    items: Vec<ItemRule>,
}

/// What is wrong with a `[spider]` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SpiderConfigError {
    /// The key, as `spider.items[0].fields.price`; list entries count from 0.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

#[derive(Debug)]
struct ItemRule {
    label: Option<String>,
    url: Option<Regex>,
    query: ItemQuery,
    /// By number in the query: name and field.
    fields: Vec<(String, Field)>,
    has_url_field: bool,
}

impl ConfigSpider {
    /// Checks and compiles the table.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key and the selector or expression that is wrong.
    pub fn new(config: SpiderConfig) -> Result<Self, SpiderConfigError> {
        let mut rules = Vec::new();
        for (i, config) in config.rules.iter().enumerate() {
            let key = format!("spider.rules[{i}]");
            rules.push(rule(config, &key, &format!("{key}.css"))?);
        }
        match &config.follow {
            Some(selectors) => {
                for (i, css) in selectors.iter().enumerate() {
                    let config = RuleConfig { css: Some(css.clone()), ..RuleConfig::default() };
                    let key = format!("spider.follow[{i}]");
                    rules.push(rule(&config, &key, &key)?);
                }
            }
            None if rules.is_empty() => rules.push(Rule::default()),
            None => {}
        }
        let items = config.items.iter().enumerate();
        let items = items.map(|(i, item)| ItemRule::new(item, &format!("spider.items[{i}]")));
        let rules = Rules::from_iter(rules);
        Ok(Self { rules, items: items.collect::<Result<_, _>>()? })
    }
}

impl Spider for ConfigSpider {
    fn name(&self) -> &str {
        "config"
    }

    fn wants(&self) -> Vec<ItemQuery> {
        let items = self.items.iter().map(|item| item.query.clone());
        items.chain(self.rules.wants()).collect()
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for item in &self.items {
            item.take(page, out)?;
        }
        self.rules.follow(page, out)?;
        Ok(())
    }
}

fn wrong(key: impl Into<String>, problem: impl Into<String>) -> SpiderConfigError {
    SpiderConfigError { key: key.into(), problem: problem.into() }
}

/// Compiles the selector at `key` to see whether it is one.
pub(super) fn check_css(css: &str, key: &str) -> Result<(), SpiderConfigError> {
    compile(css).map(drop).map_err(|error: SelectorError| wrong(key, error.to_string()))
}

/// Compiles the pattern at `key` to see whether it is one.
pub(super) fn check_regex(pattern: &str, key: &str) -> Result<(), SpiderConfigError> {
    compile_regex(pattern).map(drop).map_err(|problem| wrong(key, problem))
}

fn regex_at(pattern: Option<&String>, key: &str) -> Result<Option<Regex>, SpiderConfigError> {
    let Some(pattern) = pattern else { return Ok(None) };
    compile_regex(pattern).map(Some).map_err(|problem| wrong(format!("{key}.url"), problem))
}

impl ItemRule {
    fn new(config: &ItemConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let url = regex_at(config.url.as_ref(), key)?;
        let select = config.select.as_deref().map(|css| css.trim().to_owned());
        if let Some(css) = &select {
            check_css(css, &format!("{key}.select"))?;
        }
        if config.fields.is_empty() {
            return Err(wrong(
                format!("{key}.fields"),
                "has no fields, so there is nothing to take",
            ));
        }
        let mut fields = Vec::with_capacity(config.fields.len());
        for (name, field) in &config.fields {
            let key = format!("{key}.fields.{name}");
            let field = Field::new(field).map_err(|problem| wrong(&key, problem))?;
            if select.is_none() && field.query().css.is_empty() {
                return Err(wrong(key, "needs `css`, because the item has no `select`"));
            }
            fields.push((name.clone(), field));
        }
        let has_url_field = config.fields.contains_key("url");
        let queries = fields.iter().map(|(_, field)| field.query().clone());
        let query = ItemQuery { select, fields: queries.collect() };
        Ok(Self { label: config.label.clone(), url, query, fields, has_url_field })
    }

    fn take(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let is_labelled = self.label.as_deref().is_none_or(|label| label == page.label());
        let fits = self.url.as_ref().is_none_or(|regex| regex.is_match(page.url().as_str()));
        if !is_labelled || !fits {
            return Ok(());
        }
        page.rows(&self.query)?.iter().try_for_each(|row| self.take_one(page, row, out))
    }

    fn take_one(
        &self,
        page: &Page<'_>,
        row: Row<'_>,
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let mut item = serde_json::Map::new();
        let mut found_any = false;
        let mut missing = None;
        for (index, (name, field)) in self.fields.iter().enumerate() {
            let value = field.read(page, row, index)?;
            found_any |= value.is_some();
            if value.is_none() && field.required {
                missing = missing.or(Some(name));
            }
            item.insert(name.clone(), value.unwrap_or_else(|| field.fallback()));
        }
        if !found_any {
            return Ok(());
        }
        if let Some(name) = missing {
            out.stat("items-left-out", 1);
            out.log(LogLevel::Warn, format!("an item is left out: it has no `{name}`"));
            return Ok(());
        }
        if !self.has_url_field {
            item.insert("url".to_owned(), Value::from(page.url().without_credentials().as_str()));
        }
        out.item(&item)
    }
}
