//! What is made of what was found: steps on texts, lists, types.

use std::borrow::Cow;

use crawl_spider::process::{self, number};
use crawl_spider::{FileKind, Page, Value};
use regex::Regex;

use crate::data::json;
use crate::spiders::config::{FieldSpec, FieldType};
use crate::spiders::date::{Date, Format};
use crate::spiders::error::{SpiderConfigError, regex_at, regex_in, wrong};

/// What a source found once.
#[derive(Debug, Clone)]
pub(crate) enum Raw<'a> {
    Text(Cow<'a, str>),
    Json(Cow<'a, Value>),
}

/// The steps of one field, compiled.
#[derive(Debug, Default)]
pub(crate) struct Make {
    regex: Option<Regex>,
    /// Asked of what was found, read as JSON.
    path: Option<String>,
    replace: Vec<(Regex, String)>,
    strip: Option<Vec<char>>,
    case: Option<Case>,
    split: Option<String>,
    join: Option<String>,
    kind: Option<FieldType>,
    format: Option<Format>,
    all: bool,
}

#[derive(Debug, Clone, Copy)]
enum Case {
    Lower,
    Upper,
}

impl Make {
    /// Checks and compiles the steps of the field at `key`. `path` is a JSONPath that is asked of
    /// what is found.
    ///
    /// # Errors
    /// [`SpiderConfigError`] that names the key.
    pub(crate) fn new(
        spec: &FieldSpec,
        path: Option<String>,
        key: &str,
    ) -> Result<Self, SpiderConfigError> {
        let case = match (spec.lower, spec.upper) {
            (true, true) => return Err(wrong(key, "has both `lower` and `upper`; choose one")),
            (true, false) => Some(Case::Lower),
            (false, true) => Some(Case::Upper),
            (false, false) => None,
        };
        let mut replace = Vec::with_capacity(spec.replace.len());
        for (i, (pattern, with)) in spec.replace.iter().enumerate() {
            replace.push((regex_at(pattern, &format!("{key}.replace[{i}]"))?, with.clone()));
        }
        if spec.join.is_some() && !spec.all && spec.split.is_none() {
            let hint = "write `all = true` for all matches, or `split` to make a list of a text";
            return Err(wrong(format!("{key}.join"), "joins a list, and there is none").hint(hint));
        }
        if spec.split.as_deref() == Some("") {
            return Err(wrong(format!("{key}.split"), "is empty").hint("write what to cut at"));
        }
        let format = match &spec.format {
            None => None,
            Some(_) if spec.kind != Some(FieldType::Date) => {
                let hint = "add `type = \"date\"`, or take `format` away";
                return Err(wrong(format!("{key}.format"), "is for dates").hint(hint));
            }
            Some(text) => Some(Format::read(text).map_err(|problem| {
                wrong(format!("{key}.format"), format!("`{text}` {problem}"))
            })?),
        };
        Ok(Self {
            regex: regex_in(spec.regex.as_ref(), key, "regex")?,
            path,
            replace,
            strip: spec.strip.as_ref().map(|chars| chars.chars().collect()),
            case,
            split: spec.split.clone(),
            join: spec.join.clone(),
            kind: spec.kind,
            format,
            all: spec.all,
        })
    }

    /// Whether a JSONPath is asked of what is found.
    pub(crate) fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// What was found as values of JSON, lists taken apart.
    pub(crate) fn values<'a>(&self, found: impl IntoIterator<Item = Raw<'a>>) -> Vec<Value> {
        let raws = found.into_iter().flat_map(|raw| self.prepare(raw)).flat_map(elements);
        let value = |raw| match raw {
            Raw::Json(value) => Some(value.into_owned()),
            Raw::Text(_) => None,
        };
        raws.filter_map(value).collect()
    }

    /// What is wanted of the files that it names; `None` if it names none.
    pub(crate) fn file_kind(&self) -> Option<FileKind> {
        match self.kind? {
            FieldType::File => Some(FileKind::File),
            FieldType::Image => Some(FileKind::Image),
            _ => None,
        }
    }

    /// Whether it gives a list.
    pub(crate) fn is_list(&self) -> bool {
        (self.all || self.split.is_some()) && self.join.is_none()
    }

    /// What the field is; `None` if it counts as not found.
    pub(crate) fn make<'a>(
        &self,
        page: Page<'_>,
        found: impl IntoIterator<Item = Raw<'a>>,
    ) -> Option<Value> {
        if self.takes_as_is() {
            return self.typed(page, found.into_iter().next()?);
        }
        let found = found.into_iter().flat_map(|raw| self.prepare(raw));
        if !self.all && self.split.is_none() {
            return self.typed(page, found.into_iter().next()?);
        }
        let pieces = found.flat_map(|raw| self.cut(raw));
        if let Some(between) = &self.join {
            let texts: Vec<String> =
                pieces.filter_map(|raw| Some(text_of(&raw)?.into_owned())).collect();
            return self.typed(page, Raw::Text(texts.join(between).into()));
        }
        let values: Vec<Value> = pieces.filter_map(|raw| self.typed(page, raw)).collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// Everything between the source and the list.
    fn prepare<'a>(&self, raw: Raw<'a>) -> Vec<Raw<'a>> {
        let mut raws = match &self.path {
            None => vec![raw],
            Some(path) => {
                let raw = match (&self.regex, raw) {
                    (Some(regex), Raw::Text(text)) => match search(regex, text) {
                        Some(text) => Raw::Text(text),
                        None => return Vec::new(),
                    },
                    (_, raw) => raw,
                };
                ask(path, raw)
            }
        };
        if !self.all && self.split.is_none() {
            raws.truncate(1);
        }
        let searches = self.regex.is_some() && self.path.is_none();
        let has_steps = searches || self.changes_text() || self.split.is_some();
        if has_steps || self.join.is_some() {
            raws = raws.into_iter().flat_map(elements).collect();
        }
        if has_steps {
            raws = raws.into_iter().filter_map(|raw| self.step(raw, searches)).collect();
        }
        raws
    }

    /// Whether it only gives what was found first its type.
    fn takes_as_is(&self) -> bool {
        let has_steps = self.regex.is_some() || self.path.is_some() || self.changes_text();
        !has_steps && !self.all && self.split.is_none() && self.join.is_none()
    }

    fn changes_text(&self) -> bool {
        !self.replace.is_empty() || self.strip.is_some() || self.case.is_some()
    }

    fn step<'a>(&self, raw: Raw<'a>, searches: bool) -> Option<Raw<'a>> {
        let mut text: Cow<'a, str> = match raw {
            Raw::Text(text) => text,
            raw @ Raw::Json(_) => text_of(&raw)?.into_owned().into(),
        };
        if let Some(regex) = self.regex.as_ref().filter(|_| searches) {
            text = search(regex, text)?;
        }
        for (pattern, with) in &self.replace {
            if let Cow::Owned(replaced) = pattern.replace_all(&text, with.as_str()) {
                text = replaced.into();
            }
        }
        if let Some(chars) = &self.strip {
            let is_blank = |c: char| c.is_whitespace() || chars.contains(&c);
            text = text.trim_matches(is_blank).to_owned().into();
        }
        Some(Raw::Text(match self.case {
            None => text,
            Some(Case::Lower) => text.to_lowercase().into(),
            Some(Case::Upper) => text.to_uppercase().into(),
        }))
    }

    /// The pieces of a text that is split.
    fn cut<'a>(&self, raw: Raw<'a>) -> Vec<Raw<'a>> {
        let (Some(at), Raw::Text(text)) = (&self.split, &raw) else { return vec![raw] };
        let pieces = text.split(at.as_str()).map(str::trim).filter(|piece| !piece.is_empty());
        pieces.map(|piece| Raw::Text(piece.to_owned().into())).collect()
    }

    fn typed(&self, page: Page<'_>, raw: Raw<'_>) -> Option<Value> {
        let Some(kind) = self.kind else {
            return match raw {
                Raw::Text(text) => (!text.is_empty()).then(|| text.into()),
                Raw::Json(value) => (!is_nothing(&value)).then(|| value.into_owned()),
            };
        };
        match (kind, &raw) {
            (FieldType::Text, _) => {
                Some(text_of(&raw)?).filter(|text| !text.is_empty()).map(Value::from)
            }
            (FieldType::Number, Raw::Json(value)) if value.is_number() => {
                Some(value.as_ref().clone())
            }
            (FieldType::Number, _) => number(&text_of(&raw)?).map(Value::Number),
            (FieldType::Integer, Raw::Json(value)) if value.is_number() => whole(value),
            (FieldType::Integer, _) => whole(&number(&text_of(&raw)?)?.into()),
            (FieldType::Bool, Raw::Json(value)) if value.is_boolean() => {
                Some(value.as_ref().clone())
            }
            (FieldType::Bool, _) => process::boolean(&text_of(&raw)?).map(Value::from),
            (FieldType::Date, _) => Some(self.date(&raw)?.iso().into()),
            (FieldType::Url | FieldType::File | FieldType::Image, _) => {
                let text = text_of(&raw)?;
                let text = text.trim();
                let url = page.join(text).ok().filter(|_| !text.is_empty())?;
                Some(url.as_str().into())
            }
            (FieldType::Json, Raw::Json(value)) => {
                (!value.is_null()).then(|| value.as_ref().clone())
            }
            (FieldType::Json, Raw::Text(text)) => {
                serde_json::from_str(text).ok().filter(|value: &Value| !value.is_null())
            }
        }
    }

    fn date(&self, raw: &Raw<'_>) -> Option<Date> {
        match (raw, &self.format) {
            (Raw::Json(value), _) if value.is_number() => Date::of_epoch(value.as_f64()?),
            (raw, Some(format)) => format.parse(&text_of(raw)?),
            (raw, None) => Date::find(&text_of(raw)?),
        }
    }
}

/// Whether a value of JSON says that there is none.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The first group of the first match, or the match.
fn search<'a>(regex: &Regex, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let found = regex.captures(&text)?;
    let range = found.get(1).or(found.get(0))?.range();
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    })
}

/// What a JSONPath finds in what was found; nothing if that is no JSON.
fn ask<'a>(path: &str, raw: Raw<'_>) -> Vec<Raw<'a>> {
    let value = match raw {
        Raw::Json(value) => value,
        Raw::Text(text) => match serde_json::from_str(&text) {
            Ok(value) => Cow::Owned(value),
            Err(_) => return Vec::new(),
        },
    };
    // It was checked, so it compiles.
    let found = json::query(&value, path).unwrap_or_default();
    found.into_iter().map(|value| Raw::Json(Cow::Owned(value.clone()))).collect()
}

/// The elements of a list; of anything else itself.
fn elements(raw: Raw<'_>) -> Vec<Raw<'_>> {
    match raw {
        Raw::Json(Cow::Borrowed(Value::Array(list))) => {
            list.iter().map(|value| Raw::Json(Cow::Borrowed(value))).collect()
        }
        Raw::Json(Cow::Owned(Value::Array(list))) => {
            list.into_iter().map(|value| Raw::Json(Cow::Owned(value))).collect()
        }
        raw => vec![raw],
    }
}

/// The text of a text, a number or a truth value.
fn text_of<'a>(raw: &'a Raw<'_>) -> Option<Cow<'a, str>> {
    match raw {
        Raw::Text(text) => Some(Cow::Borrowed(text)),
        Raw::Json(value) => match value.as_ref() {
            Value::String(text) => Some(Cow::Borrowed(text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string().into()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

/// A number without a fraction, as one of JSON's whole numbers.
fn whole(number: &Value) -> Option<Value> {
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let number = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15)?;
    Some((number as i64).into())
}
