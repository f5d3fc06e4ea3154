//! The declarative spider: selectors in TOML instead of Rust.

use std::sync::Arc;

use crawl_spider::{
    Harvest, ItemQuery, LinkKind, LogLevel, Page, Row, SelectorError, Spider, SpiderError, Value,
};
use regex::Regex;

use crate::css::compile;
use crate::spiders::config::{ItemConfig, RuleConfig, SpiderConfig};
use crate::spiders::field::{Field, compile_regex};

/// A `[spider]` table, checked and compiled.
#[derive(Debug)]
pub struct ConfigSpider {
    rules: Vec<Rule>,
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
struct Rule {
    links: Links,
    url: Option<Regex>,
    label: Option<Arc<str>>,
    priority: i32,
}

/// Which links a rule looks at.
#[derive(Debug)]
enum Links {
    /// All, from the streaming pass: no tree is built.
    All,
    /// All of `<a>`, likewise.
    Anchors,
    /// Those that a selector finds.
    Found(ItemQuery),
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
        for (i, rule) in config.rules.iter().enumerate() {
            rules.push(Rule::new(rule, &format!("spider.rules[{i}]"))?);
        }
        match &config.follow {
            Some(selectors) => {
                for (i, css) in selectors.iter().enumerate() {
                    let rule = RuleConfig { css: Some(css.clone()), ..RuleConfig::default() };
                    rules.push(Rule::new(&rule, &format!("spider.follow[{i}]"))?);
                }
            }
            None if rules.is_empty() => rules.push(Rule::new(&RuleConfig::default(), "spider")?),
            None => {}
        }
        let items = config.items.iter().enumerate();
        let items = items.map(|(i, item)| ItemRule::new(item, &format!("spider.items[{i}]")));
        Ok(Self { rules, items: items.collect::<Result<_, _>>()? })
    }
}

impl Spider for ConfigSpider {
    fn name(&self) -> &str {
        "config"
    }

    fn wants(&self) -> Vec<ItemQuery> {
        let items = self.items.iter().map(|item| item.query.clone());
        let links = self.rules.iter().filter_map(|rule| match &rule.links {
            Links::Found(query) => Some(query.clone()),
            Links::All | Links::Anchors => None,
        });
        items.chain(links).collect()
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for item in &self.items {
            item.take(page, out)?;
        }
        for rule in &self.rules {
            rule.follow(page, out)?;
        }
        Ok(())
    }
}

fn wrong(key: impl Into<String>, problem: impl Into<String>) -> SpiderConfigError {
    SpiderConfigError { key: key.into(), problem: problem.into() }
}

/// Compiles the selector at `key` to see whether it is one.
fn check_css(css: &str, key: &str) -> Result<(), SpiderConfigError> {
    compile(css).map(drop).map_err(|error: SelectorError| wrong(key, error.to_string()))
}

fn regex_at(pattern: Option<&String>, key: &str) -> Result<Option<Regex>, SpiderConfigError> {
    let Some(pattern) = pattern else { return Ok(None) };
    compile_regex(pattern).map(Some).map_err(|problem| wrong(format!("{key}.url"), problem))
}

impl Rule {
    fn new(config: &RuleConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let links = match config.css.as_deref().map(str::trim) {
            None => Links::All,
            Some("a" | "a[href]") => Links::Anchors,
            Some(css) => {
                let is_rule = key.starts_with("spider.rules");
                let key = if is_rule { format!("{key}.css") } else { key.to_owned() };
                check_css(css, &key)?;
                Links::Found(ItemQuery::links(css))
            }
        };
        let url = regex_at(config.url.as_ref(), key)?;
        let label = config.label.as_deref().map(Arc::from);
        Ok(Self { links, url, label, priority: config.priority })
    }

    fn follow(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let fits = |url: &str| self.url.as_ref().is_none_or(|regex| regex.is_match(url));
        let followed = match &self.links {
            Links::All => out.follow_where(page, |link| fits(link.url.as_str())),
            Links::Anchors => out.follow_where(page, |link| {
                link.kind == LinkKind::Anchor && fits(link.url.as_str())
            }),
            Links::Found(query) => out.follow_rows(page, query, |url| fits(url.as_str()))?,
        };
        let followed = followed.priority(self.priority);
        if let Some(label) = &self.label {
            followed.label(label.clone());
        }
        Ok(())
    }
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
