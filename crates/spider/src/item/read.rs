//! Reads the fields of items: what the code that the macro writes calls.

use serde::Deserialize;
use std::borrow::Cow;

use super::at::{At, MAX_DEPTH, MAX_NESTED, Place};
use super::error::{ItemError, shortened};
use super::table::{Select, Source, Table, Taken};
use super::{FromText, PageItem};
use crate::{Page, SpiderError, process};

/// Reads the fields of one item.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) at: At<'a>,
    pub(super) table: &'static Table,
    pub(super) found: bool,
}

impl<'a> Reader<'a> {
    /// Whether anything of the item was found. If not, it is none.
    #[must_use]
    pub fn found(&self) -> bool {
        self.found || self.table.fields.is_empty()
    }

    /// The texts of a field after all processors.
    fn texts(&mut self, index: usize) -> Result<Vec<Cow<'a, str>>, SpiderError> {
        let field = &self.table.fields[index];
        let taken = self.at.taken(field, index)?.into_iter().flatten();
        let mut texts: Vec<_> = match field.taken {
            Taken::Raw => taken.collect(),
            // Texts and HTML nearly always are trimmed already.
            Taken::Attr(_) | Taken::Text | Taken::Html => taken.map(trimmed).collect(),
        };
        texts.retain(|text| !text.is_empty());
        for processor in field.processors {
            texts = processor.apply(texts, &self.at.page)?;
        }
        Ok(texts)
    }

    /// The value of a field, made by `make` of the first text.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if it cannot be made.
    pub fn one<T>(
        &mut self,
        index: usize,
        make: impl Fn(&str, &Page<'_>) -> Result<Option<T>, String>,
    ) -> Result<Option<T>, SpiderError> {
        let field = &self.table.fields[index];
        let first = match self.at.place {
            // Most fields are like that, and need no lists.
            Place::Row(row) if !field.all && field.processors.is_empty() => {
                row.first(index)?.map(trimmed).filter(|text| !text.is_empty())
            }
            _ => self.texts(index)?.into_iter().next(),
        };
        let Some(text) = first else { return Ok(None) };
        let value = self.make(index, &text, make)?;
        self.found |= value.is_some();
        Ok(value)
    }

    /// The values of a field, made by `make` of each text.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if one of them cannot be made.
    pub fn many<T>(
        &mut self,
        index: usize,
        make: impl Fn(&str, &Page<'_>) -> Result<Option<T>, String>,
    ) -> Result<Vec<T>, SpiderError> {
        let texts = self.texts(index)?;
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            values.extend(self.make(index, &text, &make)?);
        }
        self.found |= !values.is_empty();
        Ok(values)
    }

    fn make<T>(
        &self,
        index: usize,
        text: &str,
        make: impl Fn(&str, &Page<'_>) -> Result<Option<T>, String>,
    ) -> Result<Option<T>, SpiderError> {
        make(text, &self.at.page).map_err(|why| {
            let field = &self.table.fields[index];
            let error = ItemError::wrong(self.table.name, field.name, text, why);
            SpiderError::from(error.at(field.place()))
        })
    }

    /// Whether anything matches.
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if it cannot be asked.
    pub fn exists(&mut self, index: usize) -> Result<bool, SpiderError> {
        let taken = self.at.taken(&self.table.fields[index], index)?;
        let exists = taken.iter().any(Option::is_some);
        self.found |= exists;
        Ok(exists)
    }

    /// The places of nested items: those that the field's selector finds, or those that `select`,
    /// the items' own, does.
    fn places(&self, index: usize, select: Option<Select>) -> Result<Vec<At<'a>>, SpiderError> {
        let (item, field, depth) = (self.table.name, self.table.fields[index].name, self.at.depth);
        if depth == MAX_DEPTH {
            let why = format!("items nest deeper than {MAX_DEPTH} levels");
            return Err(ItemError::missing(item, field, why).into());
        }
        let nodes = match (select, self.table.fields[index].source) {
            (Some(select), _) => self.at.select(select)?,
            (None, Source::Css(css)) => self.at.select(Select::Css(css))?,
            (None, Source::XPath(expr)) => self.at.select(Select::XPath(expr))?,
            (None, Source::Own) => None,
        };
        let inner = At { depth: depth + 1, ..self.at };
        let places: Vec<_> = match nodes {
            None => vec![inner],
            Some(nodes) => {
                nodes.iter().map(|node| At { place: Place::Node(node), ..inner }).collect()
            }
        };
        let n_places = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let left = self.at.left.get().checked_sub(n_places).ok_or_else(|| {
            SpiderError::other(format!(
                "`{field}` of `{item}` has more than {MAX_NESTED} nested items on one page; \
                 `:scope > ..` finds only those that stand directly in it"
            ))
        })?;
        self.at.left.set(left);
        Ok(places)
    }

    /// The first nested item; `select` says where they stand if the field does not.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if it is none.
    pub fn nested<T: PageItem>(
        &mut self,
        index: usize,
        is_own: bool,
    ) -> Result<Option<T>, SpiderError> {
        for at in self.places(index, is_own.then(|| T::table().select))? {
            if let Some(item) = T::read(&at).map_err(|error| self.within(error, index, None))? {
                self.found = true;
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// All nested items.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if one is none, and nobody takes note of those that are left out.
    pub fn nested_all<T: PageItem>(
        &mut self,
        index: usize,
        is_own: bool,
    ) -> Result<Vec<T>, SpiderError> {
        let mut items = Vec::new();
        for (n, at) in self.places(index, is_own.then(|| T::table().select))?.iter().enumerate() {
            match T::read(at).map_err(|error| self.within(error, index, Some(n))) {
                Ok(item) => items.extend(item),
                Err(SpiderError::Item(error)) if self.at.left_out.is_some() => {
                    let left_out = self.at.left_out.into_iter();
                    left_out.for_each(|all| all.borrow_mut().push((*error).clone()));
                }
                Err(error) => return Err(error),
            }
        }
        self.found |= !items.is_empty();
        Ok(items)
    }

    fn within(&self, error: SpiderError, index: usize, n: Option<usize>) -> SpiderError {
        match error {
            SpiderError::Item(error) => {
                error.within(self.table.name, self.table.fields[index].name, n).into()
            }
            error => error,
        }
    }

    /// The page's URL.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if the type cannot be made of it.
    pub fn url<T: FromText>(&self, name: &str) -> Result<T, SpiderError> {
        let url = self.at.page.url().without_credentials();
        T::from_text(url.as_str(), &self.at.page)
            .map_err(|why| ItemError::wrong(self.table.name, name, url.as_str(), why).into())
    }

    /// A value of the request's metadata.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if it is not of the type.
    pub fn meta<T: for<'de> Deserialize<'de>>(
        &self,
        name: &str,
        key: &str,
    ) -> Result<Option<T>, SpiderError> {
        let value = match self.at.page.request().meta.get(key) {
            None | Some(serde_json::Value::Null) => return Ok(None),
            Some(value) => value,
        };
        T::deserialize(value).map(Some).map_err(|error| {
            let why = error.to_string();
            let error = ItemError::wrong(self.table.name, name, &value.to_string(), why);
            error.at(format!("`{key}` of the request's metadata")).into()
        })
    }

    /// A value of the request's metadata that must be there.
    ///
    /// # Errors
    /// [`SpiderError::Item`] if it is not.
    pub fn required_meta<T>(
        &self,
        name: &str,
        key: &str,
        value: Option<T>,
    ) -> Result<T, SpiderError> {
        value.ok_or_else(|| {
            let why = format!("the request's metadata has no `{key}`");
            ItemError::missing(self.table.name, name, why).into()
        })
    }

    /// The value of a field that must be there.
    ///
    /// # Errors
    /// [`SpiderError::Item`] that says why it is not.
    pub fn required<T>(&self, index: usize, value: Option<T>) -> Result<T, SpiderError> {
        match value {
            Some(value) => Ok(value),
            None => Err(self.missing(index)?.into()),
        }
    }

    /// The values of a field that must have one.
    ///
    /// # Errors
    /// [`SpiderError::Item`] that says why there is none.
    pub fn some<T>(&self, index: usize, values: Vec<T>) -> Result<Vec<T>, SpiderError> {
        match values.is_empty() {
            false => Ok(values),
            true => Err(self.missing(index)?.into()),
        }
    }

    /// Why there is no value. Looks again, step by step.
    fn missing(&self, index: usize) -> Result<ItemError, SpiderError> {
        let field = &self.table.fields[index];
        let missing = |why: String| ItemError::missing(self.table.name, field.name, why);
        let taken = self.at.taken(field, index)?;
        if taken.is_empty() {
            return Ok(missing(match field.source {
                Source::Own => "the whole page is no element, and the item has no `select`".into(),
                Source::Css(_) | Source::XPath(_) => format!("nothing matches {}", field.place()),
            }));
        }
        let mut texts: Vec<_> = taken.into_iter().flatten().collect();
        if texts.is_empty() {
            return Ok(missing("what matches has no such attribute".to_owned()).at(field.place()));
        }
        texts.retain(|text| !process::trim(text).is_empty());
        for processor in field.processors {
            let before = texts.first().cloned();
            texts = processor.apply(texts, &self.at.page)?;
            if let (Some(before), true) = (before, texts.is_empty()) {
                let why =
                    format!("`{}` leaves nothing of `{}`", processor.name(), shortened(&before));
                return Ok(missing(why).at(field.place()));
            }
        }
        Ok(missing("what matches is empty".to_owned()).at(field.place()))
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(process::trim(text)),
        Cow::Owned(text) => Cow::Owned(process::trim(&text).to_owned()),
    }
}
