//! The declarative spider: selectors in TOML instead of Rust.

use crawl_spider::{
    Args, CanonicalUrl, FailedRequest, Fate, Harvest, ItemQuery, LogLevel, Page, Spider,
    SpiderError,
};

use crate::spiders::basket::Basket;
use crate::spiders::config::SpiderConfig;
use crate::spiders::error::SpiderConfigError;
use crate::spiders::item::ItemRule;
use crate::spiders::login::Login;
use crate::spiders::luggage::{LoginStep, Luggage};
use crate::spiders::pages::Pages;
use crate::spiders::read::Context;
use crate::spiders::rule::Rule;
use crate::spiders::start::Start;
use crate::spiders::stop::Stop;

/// A `[spider]` table, checked and compiled.
#[derive(Debug)]
pub struct ConfigSpider {
    args: Args,
    seeds: Vec<CanonicalUrl>,
    start: Vec<Start>,
    login: Option<Login>,
    items: Vec<ItemRule>,
    pages: Vec<Pages>,
    rules: Vec<Rule>,
    stop: Stop,
    /// Whether links have to be told apart by whether they are known.
    asks_for_known: bool,
}

impl ConfigSpider {
    /// Checks and compiles the table.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key and the selector or expression that is wrong.
    pub fn new(config: SpiderConfig) -> Result<Self, SpiderConfigError> {
        let start =
            each(&config.start, |i, start| Start::new(start, &format!("spider.start[{i}]")))?;
        let items = each(&config.items, |i, item| ItemRule::new(item, i))?;
        let pages =
            each(&config.pages, |i, pages| Pages::new(pages, &format!("spider.pages[{i}]")))?;
        let mut rules =
            each(&config.rules, |i, rule| Rule::new(rule, &format!("spider.rules[{i}]")))?;
        let has_way =
            !rules.is_empty() || !pages.is_empty() || items.iter().any(ItemRule::has_detail);
        match &config.follow {
            Some(selectors) => {
                let plain =
                    |i, css: &String| Rule::plain(Some(css), &format!("spider.follow[{i}]"));
                rules.extend(each(selectors, plain)?);
            }
            None if !has_way => rules.push(Rule::plain(None, "spider")?),
            None => {}
        }
        let login = config.login.as_ref().map(Login::new).transpose()?;
        let stop = config.stop.as_ref().map(Stop::new).transpose()?.unwrap_or_default();
        let asks_for_known = stop.asks_for_known() || pages.iter().any(|p| p.stop_when_known);
        let (args, seeds) = (config.args, Vec::new());
        Ok(Self { args, seeds, start, login, items, pages, rules, stop, asks_for_known })
    }

    /// Lets it ask for these itself, after its login. Without a login they are the crawl's own.
    #[must_use]
    pub fn with_seeds(self, seeds: Vec<CanonicalUrl>) -> Self {
        Self { seeds, ..self }
    }

    /// The URLs of `start`, with the arguments that it has.
    ///
    /// # Errors
    /// [`SpiderError`] if an argument is missing or makes no URL.
    pub fn start_urls(&self) -> Result<Vec<CanonicalUrl>, SpiderError> {
        let mut urls = Vec::new();
        for start in &self.start {
            urls.extend(start.urls(&self.args)?);
        }
        Ok(urls)
    }

    /// Whether something is for a page: by the label that it asks for, if it does.
    fn is_for(label: Option<&String>, cx: Context<'_>) -> bool {
        match label {
            Some(label) => label == cx.page.label(),
            None => cx.luggage.item.is_none(),
        }
    }

    fn log_in(
        &self,
        login: &Login,
        step: LoginStep,
        page: &Page<'_>,
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let done = match step {
            LoginStep::Form => login.fill(page, out),
            LoginStep::Answer => login.check(page),
        };
        if let Err(error) = done {
            out.stop(format!("the login failed: {}", error.chain()));
            return Err(error);
        }
        if step == LoginStep::Answer {
            for seed in &self.seeds {
                out.get_url(seed.clone()).seed();
            }
            self.start.iter().try_for_each(|start| start.begin(&self.args, true, out))?;
        }
        Ok(())
    }

    /// Whether any items are taken on pages such as this.
    fn has_items(&self, cx: Context<'_>) -> bool {
        let is_for = |item: &ItemRule| Self::is_for(item.label.as_ref(), cx);
        self.items.iter().any(|item| is_for(item) && item.fits(cx.page.url()))
    }
}

/// Compiles a list with the number of each.
fn each<T, U>(
    list: &[T],
    compile: impl Fn(usize, &T) -> Result<U, SpiderConfigError>,
) -> Result<Vec<U>, SpiderConfigError> {
    list.iter().enumerate().map(|(i, one)| compile(i, one)).collect()
}

impl Spider for ConfigSpider {
    fn name(&self) -> &str {
        "config"
    }

    fn wants(&self) -> Vec<ItemQuery> {
        let items = self.items.iter().filter_map(ItemRule::query);
        let pages = self.pages.iter().filter_map(Pages::query);
        let rules = self.rules.iter().filter_map(Rule::query);
        items.chain(pages).chain(rules).cloned().collect()
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        match &self.login {
            Some(login) => login.begin(out),
            None => self.start.iter().try_for_each(|start| start.begin(&self.args, false, out)),
        }
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let luggage = Luggage::of(page)?;
        if let (Some(login), Some(step)) = (&self.login, luggage.login) {
            return self.log_in(login, step, page, out);
        }
        let cx = Context { page: *page, luggage: &luggage };
        let mut basket = Basket::new(out, &self.stop);
        if let Some(carried) = &luggage.item {
            match self.items.get(carried.rule) {
                Some(item) => item.complete(cx, carried, &mut basket)?,
                None => {
                    let text = "an item came whose table is gone; it is kept as it is";
                    basket.out.log(LogLevel::Warn, text);
                    basket.emit(None, &carried.fields.clone().into(), Vec::new())?;
                }
            }
        }
        for item in &self.items {
            if Self::is_for(item.label.as_ref(), cx) && item.fits(page.url()) {
                item.take(cx, &mut basket)?;
            }
        }
        let mut links = Harvest::new();
        for rule in self.rules.iter().filter(|rule| Self::is_for(rule.on.as_ref(), cx)) {
            rule.follow(cx, &mut links)?;
        }
        for follow in links.follows() {
            basket.note_link(self.asks_for_known && page.fate(follow.url()) == Fate::New);
        }
        let is_empty = match self.has_items(cx) {
            true => basket.n_items == 0,
            false => !basket.has_links(),
        };
        let is_known = basket.has_only_known_links();
        // Before the rules: of several requests for one URL the first counts.
        for pages in self.pages.iter().filter(|pages| Self::is_for(pages.on.as_ref(), cx)) {
            pages.follow(cx, basket.out, is_empty, is_known)?;
        }
        basket.out.take_in(links.into_parts());
        basket.close(Some(page));
        Ok(())
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let luggage = failed.meta::<Option<Luggage>>()?.unwrap_or_default();
        if luggage.login.is_some() {
            out.stop(format!("the login failed: {}: {}", failed.url(), failed.detail()));
        }
        let mut basket = Basket::new(out, &self.stop);
        if let Some(carried) = luggage.item {
            match self.items.get(carried.rule) {
                Some(item) => {
                    item.give_up(carried.level, carried.fields.into(), failed.url(), &mut basket)?;
                }
                None => basket.emit(None, &carried.fields.into(), Vec::new())?,
            }
        }
        if let Some(reason) = self.stop.count_error() {
            basket.out.stop(reason);
        }
        basket.close(None);
        Ok(())
    }
}
