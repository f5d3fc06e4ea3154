//! Items of a page, and their way over the pages that complete them.

use std::sync::Arc;

use crawl_model::ItemKind;
use crawl_spider::{
    CanonicalUrl, Fate, FileAsk, FileKind, ItemQuery, LogLevel, SpiderError, Value,
};
use regex::Regex;

use crate::data::json;
use crate::spiders::basket::Basket;
use crate::spiders::config::{DetailConfig, ItemConfig, OnFailure};
use crate::spiders::error::{SpiderConfigError, regex_in, wrong};
use crate::spiders::field::{Field, Fields, Within, query};
use crate::spiders::luggage::{Carried, Luggage};
use crate::spiders::object::Object;
use crate::spiders::read::{Context, Scope, Taken};
use crate::spiders::selector::Selector;

/// Most pages that complete one item.
const MAX_DETAILS: usize = 16;

/// Label of pages that complete an item, if none is given.
const DETAIL: &str = "detail";

/// One kind of items, compiled.
#[derive(Debug)]
pub(crate) struct ItemRule {
    /// Its place in `spider.items`.
    number: usize,
    pub(crate) label: Option<String>,
    url: Option<Regex>,
    source: Option<Field>,
    select: Option<Selector>,
    /// If all of it can be asked for beforehand.
    query: Option<ItemQuery>,
    fields: Fields,
    details: Vec<Detail>,
    has_url_field: bool,
    /// Fields that name files.
    files: Vec<(String, FileKind)>,
    kind: Arc<ItemKind>,
}

/// A page that completes an item, compiled.
#[derive(Debug)]
struct Detail {
    link: Field,
    label: Arc<str>,
    fields: Fields,
    on_failure: OnFailure,
    dont_filter: bool,
    priority: i32,
}

impl ItemRule {
    /// Checks and compiles `spider.items[number]`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &ItemConfig, number: usize) -> Result<Self, SpiderConfigError> {
        let key = format!("spider.items[{number}]");
        let url = regex_in(config.url.as_ref(), &key, "url")?;
        let select_key = format!("{key}.select");
        let select = config.select.as_deref().map(|text| Selector::read(text, &select_key));
        let select = select.transpose()?;
        let source = config.source.as_ref();
        let source = source.map(|source| Field::json(source, &format!("{key}.source")));
        let source = source.transpose()?;
        let within = match (&select, &source) {
            (Some(select), Some(_)) if Within::of(select) != Within::Json => {
                let problem = "is no JSONPath, but with `source` the items are in JSON";
                return Err(wrong(select_key, problem).hint("it looks like `$.products[*]`"));
            }
            (_, Some(_)) => Within::Json,
            (Some(select), None) => Within::of(select),
            (None, None) => Within::Page,
        };
        if config.fields.is_empty() {
            let key = format!("{key}.fields");
            return Err(wrong(key, "has no fields, so there is nothing to take")
                .hint("name what to take: title = \"h1\""));
        }
        let mut fields = Fields::new(&config.fields, within, &format!("{key}.fields"))?;
        let mut details = Vec::new();
        let (mut next, mut place) = (config.detail.as_ref(), format!("{key}.detail"));
        while let Some(detail) = next {
            if details.len() == MAX_DETAILS {
                return Err(wrong(
                    place,
                    format!("is beyond the {MAX_DETAILS} that one item may have"),
                ));
            }
            let within = if details.is_empty() { within } else { Within::Page };
            details.push(Detail::new(detail, within, &place)?);
            (next, place) = (detail.detail.as_deref(), format!("{place}.detail"));
        }
        let asked = match (&select, &source) {
            (Some(Selector::Css(css)), None) => Some(Some(css.as_str())),
            (None, None) => Some(None),
            _ => None,
        };
        let link = details.first_mut().map(|detail| &mut detail.link);
        let query = asked.and_then(|select| query(select, &mut fields, link));
        let all: Vec<&Fields> =
            [&fields].into_iter().chain(details.iter().map(|detail| &detail.fields)).collect();
        let has_field =
            |wanted: &str| all.iter().flat_map(|all| all.names()).any(|name| name == wanted);
        let has_url_field = has_field("url");
        let files = all.iter().flat_map(|all| all.files());
        let files: Vec<_> = files.map(|(name, kind)| (name.to_owned(), kind)).collect();
        if !files.is_empty() && has_field("files") {
            let problem = "has a field `files`, where the crawl says what became of its files";
            return Err(wrong(format!("{key}.fields"), problem).hint("give it another name"));
        }
        let label = config.label.clone();
        let kind = Arc::new(kind(config, &key, |name| {
            (name == "url" && !has_url_field) || has_field(name)
        })?);
        Ok(Self {
            number,
            label,
            url,
            source,
            select,
            query,
            fields,
            details,
            has_url_field,
            files,
            kind,
        })
    }

    /// What it asks of every page, as far as that is known beforehand.
    pub(crate) fn query(&self) -> Option<&ItemQuery> {
        self.query.as_ref()
    }

    /// Whether it has pages that complete its items.
    pub(crate) fn has_detail(&self) -> bool {
        !self.details.is_empty()
    }

    /// Whether it holds for pages with this URL.
    pub(crate) fn fits(&self, url: &CanonicalUrl) -> bool {
        self.url.as_ref().is_none_or(|regex| regex.is_match(url.as_str()))
    }

    /// Takes the items of a page.
    pub(crate) fn take(&self, cx: Context<'_>, basket: &mut Basket<'_>) -> Result<(), SpiderError> {
        let page = cx.page;
        if let Some(query) = &self.query {
            let rows = page.rows(query)?;
            return rows.iter().try_for_each(|row| self.take_one(cx, Scope::Row(row), basket));
        }
        if let Some(source) = &self.source {
            let Some(value) = source.read(cx, Scope::Page)? else { return Ok(()) };
            let Some(Selector::Json(path)) = &self.select else {
                return self.take_one(cx, Scope::Json(&value), basket);
            };
            let mut values = json::query(&value, path)?.into_iter();
            return values.try_for_each(|value| self.take_one(cx, Scope::Json(value), basket));
        }
        match &self.select {
            None => self.take_one(cx, Scope::Page, basket),
            Some(Selector::Css(css)) => {
                let nodes = page.css(css)?;
                nodes.iter().try_for_each(|node| self.take_one(cx, Scope::Node(node), basket))
            }
            Some(Selector::XPath(expr)) => {
                let nodes = page.xpath(expr)?;
                nodes.iter().try_for_each(|node| self.take_one(cx, Scope::Node(node), basket))
            }
            Some(Selector::Json(path)) => {
                let mut values = match page.json_path(path) {
                    Ok(values) => values.into_iter(),
                    // A page that is none has no items.
                    Err(SpiderError::Json(_)) => return Ok(()),
                    Err(error) => return Err(error),
                };
                values.try_for_each(|value| self.take_one(cx, Scope::Json(value), basket))
            }
        }
    }

    fn take_one(
        &self,
        cx: Context<'_>,
        scope: Scope<'_>,
        basket: &mut Basket<'_>,
    ) -> Result<(), SpiderError> {
        let taken = self.fields.read(cx, scope)?;
        if !taken.is_something || is_left_out(&taken, basket) {
            return Ok(());
        }
        self.go_on(cx, scope, 0, taken.object, basket)
    }

    /// Completes an item that came with a page.
    pub(crate) fn complete(
        &self,
        cx: Context<'_>,
        carried: &Carried,
        basket: &mut Basket<'_>,
    ) -> Result<(), SpiderError> {
        let mut object = Object::from(carried.fields.clone());
        let Some(detail) = self.details.get(carried.level) else {
            // The table was changed while the item was on its way.
            return self.emit(object, cx.page.url(), basket);
        };
        let taken = detail.fields.read(cx, Scope::Page)?;
        if is_left_out(&taken, basket) {
            return Ok(());
        }
        merge(&mut object, taken);
        self.go_on(cx, Scope::Page, carried.level + 1, object, basket)
    }

    /// Sends an item on to the next page that completes it, or keeps it.
    fn go_on(
        &self,
        cx: Context<'_>,
        scope: Scope<'_>,
        level: usize,
        object: Object<'_>,
        basket: &mut Basket<'_>,
    ) -> Result<(), SpiderError> {
        let Some(detail) = self.details.get(level) else {
            return self.emit(object, cx.page.url(), basket);
        };
        let link = detail.link.read(cx, scope)?;
        let url =
            link.as_ref().and_then(Value::as_str).and_then(|url| CanonicalUrl::parse(url).ok());
        let Some(url) = url else {
            return self.give_up(level, object, cx.page.url(), basket);
        };
        match cx.page.fate(&url) {
            Fate::Known if !detail.dont_filter => {
                basket.out.stat("items-known", 1);
                basket.note_link(false);
                return Ok(());
            }
            Fate::Refused => return self.give_up(level, object, &url, basket),
            _ => basket.note_link(true),
        }
        let item = Carried { rule: self.number, level, fields: object.into_map() };
        let carry = cx.luggage.carry.clone();
        let luggage = Luggage { carry, item: Some(item), ..Luggage::default() };
        let follow = basket.out.get_url(url).meta(&luggage)?;
        follow.label(detail.label.clone()).priority(detail.priority);
        if detail.dont_filter {
            follow.dont_filter();
        }
        basket.n_items += 1;
        Ok(())
    }

    /// What becomes of an item whose page at `level` cannot be had.
    pub(crate) fn give_up<'a>(
        &'a self,
        level: usize,
        mut object: Object<'a>,
        url: &CanonicalUrl,
        basket: &mut Basket<'_>,
    ) -> Result<(), SpiderError> {
        for (n, detail) in self.details.iter().enumerate().skip(level) {
            if n == level && detail.on_failure == OnFailure::Drop {
                basket.out.stat("items-dropped", 1);
                return Ok(());
            }
            let unread = detail.fields.unread(&object);
            if is_left_out(&unread, basket) {
                return Ok(());
            }
            merge(&mut object, unread);
        }
        self.emit(object, url, basket)
    }

    fn emit(
        &self,
        mut object: Object<'_>,
        url: &CanonicalUrl,
        basket: &mut Basket<'_>,
    ) -> Result<(), SpiderError> {
        if !self.has_url_field {
            object.insert("url", Value::from(url.without_credentials().as_str()));
        }
        let files = self.files.iter().flat_map(|(name, kind)| asks(&object, name, *kind)).collect();
        basket.emit(Some(&self.kind), &object, files)
    }
}

/// The files that a field of an item names.
fn asks(object: &Object<'_>, name: &str, kind: FileKind) -> Vec<FileAsk> {
    let values = match object.get(name) {
        Some(Value::Array(list)) => list.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let urls = values.iter().filter_map(|value| CanonicalUrl::parse(value.as_str()?).ok());
    urls.map(|url| FileAsk { url, field: name.into(), kind }).collect()
}

/// What is known of its items whatever they hold. `has`: whether they have such a field.
fn kind(
    config: &ItemConfig,
    at: &str,
    has: impl Fn(&str) -> bool,
) -> Result<ItemKind, SpiderConfigError> {
    for (i, field) in config.key.iter().enumerate() {
        // What is within a field is known only when it is there.
        if !has(field.split('.').next().unwrap_or_default()) && !has(field) {
            let problem = format!("names `{field}`, and its items have no such field");
            return Err(wrong(format!("{at}.key[{i}]"), problem)
                .hint("name one of its `fields`, or of those of its `detail`"));
        }
    }
    Ok(ItemKind {
        name: config.name.as_deref().unwrap_or_default().into(),
        version: config.version.map_or_else(Box::default, |number| number.to_string().into()),
        key: config.key.iter().map(|name| name.as_str().into()).collect(),
        space: Box::default(),
    })
}

impl Detail {
    fn new(config: &DetailConfig, within: Within, key: &str) -> Result<Self, SpiderConfigError> {
        let link_key = format!("{key}.follow");
        if config.fields.is_empty() && config.detail.is_none() {
            let problem = "has no fields, so there is nothing to complete the item with";
            return Err(wrong(format!("{key}.fields"), problem));
        }
        Ok(Self {
            link: Field::link(&config.follow, within, &link_key)?,
            label: config.label.as_deref().unwrap_or(DETAIL).into(),
            fields: Fields::new(&config.fields, Within::Page, &format!("{key}.fields"))?,
            on_failure: config.on_failure,
            dont_filter: config.dont_filter,
            priority: config.priority,
        })
    }
}

/// Adds what was found, and what was not where there is nothing yet.
fn merge<'f>(object: &mut Object<'f>, taken: Taken<'f>) {
    for (name, value) in taken.object {
        if !taken.missed.contains(&&*name) || object.get(&name).is_none() {
            object.insert(name, value);
        }
    }
}

/// Whether an item is left out because something required was not found; says so.
fn is_left_out(taken: &Taken<'_>, basket: &mut Basket<'_>) -> bool {
    let Some(name) = &taken.missing else { return false };
    basket.out.stat("items-left-out", 1);
    basket.out.log(LogLevel::Warn, format!("an item is left out: it has no `{name}`"));
    true
}
