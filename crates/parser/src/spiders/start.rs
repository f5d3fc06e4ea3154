//! The requests that a declarative spider begins with, compiled.

use std::sync::Arc;

use crawl_spider::{Args, CanonicalUrl, Harvest, SpiderError, Value};
use serde_json::Map;

use crate::spiders::config::StartConfig;
use crate::spiders::error::{SpiderConfigError, sub, wrong};
use crate::spiders::luggage::Luggage;
use crate::spiders::template::Template;

/// One of `spider.start`.
#[derive(Debug)]
pub(crate) struct Start {
    url: Template,
    label: Option<Arc<str>>,
    form: Option<Vec<(String, Template)>>,
    json: Option<Value>,
    headers: Vec<(String, Template)>,
    priority: i32,
    luggage: Luggage,
}

impl Start {
    /// Checks and compiles the table at `key`.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(config: &StartConfig, key: &str) -> Result<Self, SpiderConfigError> {
        let url_key = format!("{key}.url");
        if config.url.is_empty() {
            let hint = "write a whole URL: url = \"https://example.org/tag/{tag}/\"";
            return Err(wrong(key, "lacks the key `url`").hint(hint));
        }
        let url = Template::read(&config.url)
            .map_err(|problem| wrong(&url_key, format!("`{}` {problem}", config.url)))?;
        // With a word in each place it must be a URL; what the words make of it is seen later.
        let sample = sample(&config.url);
        if let Err(error) = CanonicalUrl::parse(&sample) {
            let problem = format!("`{}` cannot be crawled: {error}", config.url);
            return Err(wrong(url_key, problem).hint("a URL begins with `https://` or `http://`"));
        }
        if config.form.is_some() && config.json.is_some() {
            return Err(wrong(key, "has both `form` and `json`; choose one"));
        }
        let named = |key: String, text: &str| {
            let template = Template::read(text)
                .map_err(|problem| wrong(&key, format!("`{text}` {problem}")))?;
            match template.has_ranges() {
                true => Err(wrong(key, "has a range, which only the URL can have")),
                false => Ok(template),
            }
        };
        let all = |map: &indexmap::IndexMap<String, String>, table: &str| {
            let key = format!("{key}.{table}");
            let entry = |(name, text): (&String, &String)| {
                Ok((name.clone(), named(sub(&key, name), text)?))
            };
            map.iter().map(entry).collect::<Result<Vec<_>, SpiderConfigError>>()
        };
        if let Some(json) = &config.json {
            check_json(json, &|text| named(format!("{key}.json"), text).map(drop))?;
        }
        Ok(Self {
            url,
            label: config.label.as_deref().map(Arc::from),
            form: config.form.as_ref().map(|form| all(form, "form")).transpose()?,
            json: config.json.clone(),
            headers: all(&config.headers, "headers")?,
            priority: config.priority,
            luggage: Luggage { carry: config.carry.clone(), ..Luggage::default() },
        })
    }

    /// The URLs that it stands for.
    ///
    /// # Errors
    /// [`SpiderError`] if an argument is missing or makes no URL.
    pub(crate) fn urls(&self, args: &Args) -> Result<Vec<CanonicalUrl>, SpiderError> {
        let texts = self.url.expand(args, percent_encoded)?;
        texts.iter().map(|text| Ok(CanonicalUrl::parse(text)?)).collect()
    }

    /// Asks for all of them. `as_seeds`: they count as seeds, wherever they are asked for.
    ///
    /// # Errors
    /// As for [`urls`](Self::urls).
    pub(crate) fn begin(
        &self,
        args: &Args,
        as_seeds: bool,
        out: &mut Harvest,
    ) -> Result<(), SpiderError> {
        let fill = |(name, text): &(String, Template)| Ok((name.clone(), text.fill(args)?));
        let headers = self.headers.iter().map(fill).collect::<Result<Vec<_>, SpiderError>>()?;
        let form = self
            .form
            .as_ref()
            .map(|form| form.iter().map(fill).collect::<Result<Vec<_>, SpiderError>>());
        let form = form.transpose()?;
        let json = self.json.as_ref().map(|json| fill_json(json, args)).transpose()?;
        let meta = self.luggage.to_meta()?;
        for url in self.urls(args)? {
            let follow = out.get_url(url).priority(self.priority).meta(&meta)?;
            if let Some(label) = &self.label {
                follow.label(label.clone());
            }
            if let Some(form) = &form {
                follow.form(form);
            }
            if let Some(json) = &json {
                follow.json(json)?;
            }
            for (name, value) in &headers {
                follow.header(name.as_str(), value.as_str());
            }
            if as_seeds {
                follow.seed();
            }
        }
        Ok(())
    }
}

/// The URL with a word in each place.
fn sample(url: &str) -> String {
    let mut text = String::new();
    let mut rest = url;
    while let (Some(open), Some(close)) = (rest.find('{'), rest.find('}')) {
        text += rest.get(..open).unwrap_or_default();
        text += "1";
        rest = rest.get(close + 1..).unwrap_or_default();
    }
    text + rest
}

/// Escapes all that means something in a URL. What comes with slashes, or a whole URL, is left as
/// it is but for blanks.
fn percent_encoded(text: &str) -> String {
    let is_address = text.contains('/');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain || (is_address && byte.is_ascii_graphic()) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn check_json(
    json: &Value,
    check: &dyn Fn(&str) -> Result<(), SpiderConfigError>,
) -> Result<(), SpiderConfigError> {
    match json {
        Value::String(text) if is_template(text) => check(text),
        Value::Array(list) => list.iter().try_for_each(|value| check_json(value, check)),
        Value::Object(map) => map.values().try_for_each(|value| check_json(value, check)),
        _ => Ok(()),
    }
}

/// Texts of JSON may hold braces of their own (GraphQL), so only one that is a place as a whole
/// counts.
fn is_template(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    })
}

/// The value with arguments in it; one that stands alone keeps its type.
fn fill_json(json: &Value, args: &Args) -> Result<Value, SpiderError> {
    Ok(match json {
        Value::String(text) if is_template(text) => match args.get(text.trim_matches(['{', '}'])) {
            Some(value) => value.clone(),
            None => Template::read(text)?.fill(args)?.into(),
        },
        Value::Array(list) => {
            list.iter().map(|value| fill_json(value, args)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(map) => {
            let entry =
                |(name, value): (&String, &Value)| Ok((name.clone(), fill_json(value, args)?));
            map.iter().map(entry).collect::<Result<Map<_, _>, SpiderError>>()?.into()
        }
        other => other.clone(),
    })
}
