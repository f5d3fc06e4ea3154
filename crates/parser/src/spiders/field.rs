//! Fields of items: where they stand, checked and compiled.

use std::borrow::Cow;

use crawl_spider::{FieldQuery, FileKind, ItemQuery, Take, Value};
use indexmap::IndexMap;

use crate::spiders::config::{FieldConfig, FieldSpec, FieldType, PageProperty};
use crate::spiders::error::{SpiderConfigError, sub, wrong};
use crate::spiders::make::Make;
use crate::spiders::selector::{Language, Selector};

/// Fields by name, in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) list: Vec<(String, Field)>,
    /// Whether only what stands on the page counts as found: some field does.
    pub(crate) is_demanding: bool,
}

/// A field, checked and compiled.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) source: Source,
    pub(crate) make: Make,
    /// Of an object; else empty.
    pub(crate) fields: Fields,
    pub(crate) all: bool,
    default: Option<Value>,
    pub(crate) required: bool,
}

/// Where a field stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// Its number in a query that is matched beforehand, if it is in one.
    Css(FieldQuery, Option<usize>),
    XPath(String, NodeTake),
    Json(String),
    Meta(String),
    Const(Value),
    Page(PageProperty),
}

/// What is taken of the nodes of an XPath expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeTake {
    Text,
    Html,
    /// The `href` of elements, the text of all else.
    Link,
}

/// What an item, or an object in it, is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// A page, whatever it is.
    Page,
    Element,
    Json,
}

impl Within {
    /// What the matches of a selector are.
    pub(crate) fn of(select: &Selector) -> Self {
        match select {
            Selector::Css(_) | Selector::XPath(_) => Self::Element,
            Selector::Json(_) => Self::Json,
        }
    }
}

impl Fields {
    /// Checks and compiles fields at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the field.
    pub(crate) fn new(
        config: &IndexMap<String, FieldConfig>,
        within: Within,
        key: &str,
    ) -> Result<Self, SpiderConfigError> {
        let mut list = Vec::with_capacity(config.len());
        for (name, field) in config {
            list.push((name.clone(), Field::new(field, within, &sub(key, name))?));
        }
        let is_demanding = list.iter().any(|(_, field)| field.stands_on_page());
        Ok(Self { list, is_demanding })
    }

    /// Names of those that name files, and what is wanted of these.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, FileKind)> {
        self.list.iter().filter_map(|(name, field)| Some((name.as_str(), field.make.file_kind()?)))
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, _)| name.as_str())
    }
}

/// The query that asks for all `fields` and `links` in one pass, if CSS can ask for all that
/// stands on the page. They then know their numbers in it.
pub(crate) fn query(
    select: Option<&str>,
    fields: &mut Fields,
    link: Option<&mut Field>,
) -> Option<ItemQuery> {
    let mut all: Vec<&mut Field> = fields.list.iter_mut().map(|(_, field)| field).collect();
    all.extend(link);
    let is_plain =
        |field: &Field| field.fields.list.is_empty() && !matches!(field.source, Source::XPath(..));
    if !all.iter().all(|field| is_plain(field)) {
        return None;
    }
    let mut query = ItemQuery { select: select.map(str::to_owned), fields: Vec::new() };
    for field in all {
        if let Source::Css(asked, number) = &mut field.source {
            *number = Some(query.fields.len());
            query.fields.push(asked.clone());
        }
    }
    (!query.fields.is_empty()).then_some(query)
}

impl Field {
    /// Checks and compiles the field at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(
        config: &FieldConfig,
        within: Within,
        key: &str,
    ) -> Result<Self, SpiderConfigError> {
        match config {
            FieldConfig::Short(text) => Self::of_spec(&short_form(text, key)?, within, key),
            FieldConfig::Long(spec) => Self::of_spec(spec, within, key),
        }
    }

    /// As [`new`](Self::new), of a field that is a link: of elements the `href` is taken.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn link(
        config: &FieldConfig,
        within: Within,
        key: &str,
    ) -> Result<Self, SpiderConfigError> {
        let mut spec = match config {
            FieldConfig::Short(text) => short_form(text, key)?,
            FieldConfig::Long(spec) => (**spec).clone(),
        };
        if spec.all || spec.split.is_some() || !spec.fields.is_empty() {
            return Err(wrong(key, "is one link, so it can have no `all`, `split` or `fields`"));
        }
        if !spec.css.trim().is_empty() && !spec.html && spec.json.is_none() {
            spec.attr.get_or_insert_with(|| "href".to_owned());
        }
        spec.kind = Some(FieldType::Url);
        let mut field = Self::of_spec(&spec, within, key)?;
        if let Source::XPath(_, take @ NodeTake::Text) = &mut field.source {
            *take = NodeTake::Link;
        }
        Ok(field)
    }

    /// As [`new`](Self::new), of a field of the page whose text is JSON.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub(crate) fn json(config: &FieldConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let mut spec = match config {
            FieldConfig::Short(text) => short_form(text, key)?,
            FieldConfig::Long(spec) => (**spec).clone(),
        };
        if spec.kind.is_some_and(|kind| kind != FieldType::Json) || !spec.fields.is_empty() {
            return Err(wrong(key, "is JSON, so it can have no `fields` and no other `type`"));
        }
        spec.kind = Some(FieldType::Json);
        Self::of_spec(&spec, Within::Page, key)
    }

    fn of_spec(spec: &FieldSpec, within: Within, key: &str) -> Result<Self, SpiderConfigError> {
        let spec = &with_link(spec);
        let (source, path) = source(spec, within, key)?;
        if spec.required && spec.default.is_some() {
            return Err(wrong(key, "is `required` and has a `default`; choose one"));
        }
        let fields = match spec.fields.is_empty() {
            true => Fields::default(),
            false => nested(spec, &source, path.is_some(), key)?,
        };
        let make = Make::new(spec, path, key)?;
        let (default, required) = (spec.default.clone(), spec.required);
        Ok(Self { source, make, fields, all: spec.all, default, required })
    }

    /// Whether it is found only if something stands on the page.
    pub(crate) fn stands_on_page(&self) -> bool {
        match &self.source {
            Source::Css(..) | Source::XPath(..) | Source::Json(_) => true,
            Source::Page(property) => !property.is_always_there(),
            Source::Meta(_) | Source::Const(_) => false,
        }
    }

    /// The value if it is not found.
    pub(crate) fn fallback(&self) -> Value {
        match &self.default {
            Some(value) => value.clone(),
            None if self.make.is_list() => Value::Array(Vec::new()),
            None => Value::Null,
        }
    }
}

impl PageProperty {
    /// Whether every page has it, so that it says nothing of what stands there.
    fn is_always_there(self) -> bool {
        matches!(
            self,
            Self::Url
                | Self::Status
                | Self::Depth
                | Self::Referrer
                | Self::Label
                | Self::Fetched
                | Self::Text
        )
    }
}

/// Where the field of `spec` stands, and the JSONPath that is asked of what is found there.
fn source(
    spec: &FieldSpec,
    within: Within,
    key: &str,
) -> Result<(Source, Option<String>), SpiderConfigError> {
    let path = spec.json.as_deref().map(str::trim).map(str::to_owned);
    if let Some(path) = &path {
        Selector::json(path, &format!("{key}.json"))?;
    }
    let mut named = Vec::new();
    named.extend((!spec.css.trim().is_empty()).then_some("css"));
    named.extend(spec.xpath.is_some().then_some("xpath"));
    named.extend(spec.meta.is_some().then_some("meta"));
    named.extend(spec.constant.is_some().then_some("const"));
    named.extend(spec.page.is_some().then_some("page"));
    if let [first, second, ..] = named[..] {
        return Err(wrong(key, format!("has both `{first}` and `{second}`; choose one")));
    }
    let is_element = spec.attr.is_some() || spec.html;
    if is_element && matches!(named[..], ["meta" | "const" | "page"]) {
        let what = if spec.html { "html" } else { "attr" };
        return Err(wrong(key, format!("has `{what}`, which elements have, and `{}`", named[0])));
    }
    if let Some(name) = &spec.meta {
        return Ok((Source::Meta(name.clone()), path));
    }
    if let Some(value) = &spec.constant {
        return Ok((Source::Const(value.clone()), path));
    }
    if let Some(property) = spec.page {
        return Ok((Source::Page(property), path));
    }
    let is_markup = spec.xpath.is_some() || !spec.css.trim().is_empty() || is_element;
    if within == Within::Json && is_markup {
        let problem = "is taken from an element, but the item is JSON";
        return Err(wrong(key, problem).hint("write a JSONPath: { json = \"$.name\" }"));
    }
    if let Some(expr) = &spec.xpath {
        Selector::xpath(expr, &format!("{key}.xpath"))?;
        if spec.attr.is_some() {
            let hint =
                format!("write `{}/@{}`", expr.trim(), spec.attr.as_deref().unwrap_or("name"));
            return Err(wrong(key, "has both `xpath` and `attr`").hint(hint));
        }
        let take = if spec.html { NodeTake::Html } else { NodeTake::Text };
        return Ok((Source::XPath(expr.trim().to_owned(), take), path));
    }
    match path {
        Some(path) if !is_markup => Ok((Source::Json(path), None)),
        path => Ok((css_source(spec, within, key)?, path)),
    }
}

fn css_source(spec: &FieldSpec, within: Within, key: &str) -> Result<Source, SpiderConfigError> {
    let css = spec.css.trim().to_owned();
    if !css.is_empty() {
        Selector::css(&css, key)?;
    } else if within == Within::Json {
        let problem = "needs `json`, `meta`, `const` or `page`, because the item is JSON";
        return Err(wrong(key, problem));
    } else if within == Within::Page && spec.fields.is_empty() {
        return Err(wrong(key, "needs `css`, because the item has no `select`")
            .hint("or another source: `xpath`, `json`, `meta`, `const`, `page`"));
    }
    let take = match (&spec.attr, spec.html) {
        (Some(_), true) => return Err(wrong(key, "has both `attr` and `html`; choose one")),
        (Some(name), false) if !is_attribute_name(name) => {
            return Err(wrong(key, format!("`{name}` is no attribute's name")));
        }
        (Some(name), false) => Take::Attr(name.to_ascii_lowercase()),
        (None, true) => Take::Html,
        (None, false) => Take::Text,
    };
    Ok(Source::Css(FieldQuery { css, take, all: spec.all }, None))
}

/// The same, with the attribute of elements that names a file.
fn with_link(spec: &FieldSpec) -> Cow<'_, FieldSpec> {
    let attr = match spec.kind {
        Some(FieldType::File) => "href",
        Some(FieldType::Image) => "src",
        _ => return Cow::Borrowed(spec),
    };
    if spec.css.trim().is_empty() || spec.html || spec.attr.is_some() || spec.json.is_some() {
        return Cow::Borrowed(spec);
    }
    Cow::Owned(FieldSpec { attr: Some(attr.to_owned()), ..spec.clone() })
}

/// The fields of an object.
fn nested(
    spec: &FieldSpec,
    source: &Source,
    has_path: bool,
    key: &str,
) -> Result<Fields, SpiderConfigError> {
    let plain = FieldSpec {
        css: spec.css.clone(),
        xpath: spec.xpath.clone(),
        json: spec.json.clone(),
        page: spec.page,
        all: spec.all,
        fields: spec.fields.clone(),
        default: spec.default.clone(),
        required: spec.required,
        ..FieldSpec::default()
    };
    if *spec != plain {
        let hint = "write them at the fields inside";
        return Err(wrong(key, "has `fields`, so nothing is made of the match itself").hint(hint));
    }
    let within = match source {
        _ if has_path => Within::Json,
        Source::Css(query, _) if query.css.is_empty() => {
            let problem = "has `fields`, but nothing that says where they stand";
            return Err(wrong(key, problem).hint("add `css`, `xpath` or `json`"));
        }
        Source::Css(..) | Source::XPath(..) => Within::Element,
        Source::Json(_) | Source::Page(PageProperty::JsonLd | PageProperty::Microdata) => {
            Within::Json
        }
        Source::Page(_) | Source::Meta(_) | Source::Const(_) => {
            return Err(wrong(key, "has `fields`, but what is found is no element and no JSON"));
        }
    };
    let fields = Fields::new(&spec.fields, within, &format!("{key}.fields"))?;
    if let Some((name, kind)) = fields.files().next() {
        let problem = format!("is of type `{}`, which only an item's own fields are", kind.name());
        let key = sub(&format!("{key}.fields"), name);
        return Err(
            wrong(key, problem).hint("let a field of the item name the files: `all = true`")
        );
    }
    Ok(fields)
}

/// `CSS`, `CSS @attribute`, `CSS ::text`, `CSS ::html`, XPath or JSONPath.
fn short_form(text: &str, key: &str) -> Result<FieldSpec, SpiderConfigError> {
    let text = text.trim();
    let mut spec = FieldSpec::default();
    match Language::of(text) {
        Language::XPath => spec.xpath = Some(text.to_owned()),
        Language::Json => spec.json = Some(text.to_owned()),
        Language::Css => return short_css(text, key),
    }
    Ok(spec)
}

fn short_css(text: &str, key: &str) -> Result<FieldSpec, SpiderConfigError> {
    let (css, last) = match text.rsplit_once(char::is_whitespace) {
        Some((css, last)) => (css.trim(), last),
        None => ("", text),
    };
    let mut spec = FieldSpec { css: css.to_owned(), ..FieldSpec::default() };
    if let Some(name) = last.strip_prefix('@') {
        spec.attr = Some(name.to_owned());
    } else if last == "::html" {
        spec.html = true;
    } else if last != "::text" {
        spec.css = text.to_owned();
    }
    if text.is_empty() {
        return Err(wrong(
            key,
            "is empty; write a selector, or \"::text\" for the item's own text",
        ));
    }
    if let Some(css) = spec.css.strip_suffix("::text").or(spec.css.strip_suffix("::html")) {
        let ending = &spec.css[css.len()..];
        return Err(wrong(key, format!("needs a space before `{ending}`: \"{css} {ending}\"")));
    }
    Ok(spec)
}

fn is_attribute_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}
