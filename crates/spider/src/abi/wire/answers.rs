//! What the services of a page answer, as bytes.

use std::sync::Arc;

use crawl_model::UrlError;
use serde_json::Value;

use super::bytes::{Reader, Wire, WireError, frame, put_uint, wire_enum, wire_struct};
use crate::error::SelectorProblem;
use crate::{
    Alternate, Article, Button, CsvDialect, CsvRow, CsvRows, Enclosure, Enctype, Entry, EntryKind,
    Evaluated, Field, FieldKind, FieldOption, FieldQuery, FormParts, FormTarget, HeadLink,
    ItemQuery, MetaMap, Metadata, News, NodeId, QueryError, SelectorError, SpiderError,
    StructuredData, Table, Take,
};

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                out.push(0);
                value.put(out);
            }
            Err(error) => {
                out.push(1);
                error.put(out);
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            0 => Ok(Ok(from.get()?)),
            1 => Ok(Err(from.get()?)),
            _ => Err(WireError::Wrong("result")),
        }
    }
}

impl Wire for NodeId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.get().map(Self)
    }
}

impl Wire for Evaluated {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nodes(nodes) => {
                out.push(0);
                nodes.put(out);
            }
            Self::Number(number) => {
                out.push(1);
                number.put(out);
            }
            Self::Text(text) => {
                out.push(2);
                text.put(out);
            }
            Self::Bool(truth) => {
                out.push(3);
                truth.put(out);
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match from.byte()? {
            0 => Self::Nodes(from.get()?),
            1 => Self::Number(from.get()?),
            2 => Self::Text(from.get()?),
            3 => Self::Bool(from.get()?),
            _ => return Err(WireError::Wrong("kind of XPath value")),
        })
    }
}

impl Wire for UrlError {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Scheme(scheme) => {
                out.push(1);
                scheme.put(out);
            }
            Self::TooLong(length) => {
                out.push(2);
                length.put(out);
            }
            Self::Invalid(reason) => {
                out.push(0);
                reason.put(out);
            }
            other => {
                out.push(0);
                other.to_string().put(out);
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match from.byte()? {
            0 => Self::Invalid(from.get()?),
            1 => Self::Scheme(from.get()?),
            2 => Self::TooLong(from.get()?),
            _ => return Err(WireError::Wrong("kind of URL error")),
        })
    }
}

wire_struct! { SelectorError { selector, problem, reason } }

wire_enum! {
    SelectorProblem, "problem": NotCss = 0, NotXPath = 1, NotNodes = 2, TooCostly = 3,
}

impl Wire for QueryError {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { language, query, reason } = self;
        (*language).to_owned().put(out);
        query.put(out);
        reason.put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let language = from.text()?;
        let all = ["JSONPath", "regular expression"];
        let language = all.into_iter().find(|&known| known == language).unwrap_or("query");
        Ok(Self { language, query: from.get()?, reason: from.get()? })
    }
}

/// As far as services make them; of others the message arrives.
impl Wire for SpiderError {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Query(error) => {
                out.push(1);
                error.put(out);
            }
            Self::Json(error) => {
                out.push(2);
                error.to_string().put(out);
            }
            Self::Selector(error) => {
                out.push(3);
                error.put(out);
            }
            other => {
                out.push(0);
                other.chain().put(out);
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match from.byte()? {
            0 => Self::Other(from.get()?),
            1 => Self::Query(from.get()?),
            2 => Self::Json(serde::de::Error::custom(from.text()?)),
            3 => Self::Selector(from.get()?),
            _ => return Err(WireError::Wrong("kind of error")),
        })
    }
}

wire_struct! { FormParts { node, id, name, target, charset, fields, buttons } }

wire_struct! { FormTarget { action, url, method, enctype } }

wire_enum! { Enctype, "way to write a form": UrlEncoded = 0, Multipart = 1, Plain = 2 }

wire_struct! { Field { node, name, value, kind, chosen, disabled, options } }

wire_struct! { FieldOption { value, label, selected, disabled } }

wire_enum! {
    FieldKind, "kind of field":
    Hidden = 0, Text = 1, Search = 2, Tel = 3, Url = 4, Email = 5, Password = 6, Date = 7,
    Month = 8, Week = 9, Time = 10, DateTimeLocal = 11, Number = 12, Range = 13, Color = 14,
    Checkbox = 15, Radio = 16, File = 17, TextArea = 18, Select = 19, SelectMultiple = 20,
}

wire_struct! { Button { node, name, value, id, label, is_image, disabled, target } }

wire_struct! {
    Metadata {
        title, description, keywords, author, canonical, language, robots, published, modified,
        open_graph, twitter, other, http_equiv, links,
    }
}

wire_struct! { HeadLink { rel, url, hreflang, media_type, media, title, sizes } }

impl Wire for MetaMap {
    fn put(&self, out: &mut Vec<u8>) {
        let entries: Vec<_> =
            self.iter().map(|(name, values)| (name.to_owned(), values.to_vec())).collect();
        entries.put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(from.get::<Vec<(String, Vec<String>)>>()?.into_iter().collect())
    }
}

wire_struct! {
    StructuredData { json_ld, json_ld_invalid, microdata, rdfa, open_graph, truncated }
}

wire_struct! { Table { caption, headers, rows, truncated } }

wire_struct! {
    Article {
        title, byline, excerpt, site_name, language, published, modified, image, text, html,
        markdown,
    }
}

wire_struct! { Entry { url, kind, lastmod, changefreq, priority, alternates, news } }

wire_enum! { EntryKind, "kind of entry": Page = 0, Sitemap = 1, News = 2 }

wire_struct! { Alternate { url, language } }

wire_struct! {
    News { id, title, summary, content, author, published, categories, enclosures }
}

wire_struct! { Enclosure { url, media_type, length } }

wire_struct! { CsvDialect { delimiter, quote, headers } }

wire_struct! { ItemQuery { select, fields } }

wire_struct! { FieldQuery { css, take, all } }

impl Wire for Take {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text => out.push(0),
            Self::Html => out.push(1),
            Self::Attr(name) => {
                out.push(2);
                name.put(out);
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match from.byte()? {
            0 => Self::Text,
            1 => Self::Html,
            2 => Self::Attr(from.get()?),
            _ => return Err(WireError::Wrong("what to take")),
        })
    }
}

/// Some rows of a CSV document.
#[derive(Default)]
pub struct CsvBatch {
    rows: Vec<BatchRow>,
    /// Why the next row is none.
    error: Option<SpiderError>,
    /// Whether there is nothing behind these.
    pub(crate) is_last: bool,
}

struct BatchRow {
    /// Its columns, if they are not those of the row before.
    names: Option<Arc<[Box<str>]>>,
    text: String,
    ends: Vec<usize>,
}

impl CsvBatch {
    /// Takes some rows from their source: enough to make the crossing cheap.
    #[must_use]
    pub fn take(rows: &mut CsvRows<'_>) -> Self {
        const MOST_ROWS: usize = 256;
        const MOST_BYTES: usize = 64 * 1024;
        let (mut batch, mut size) = (Self::default(), 0);
        let mut known: Option<Arc<[Box<str>]>> = None;
        while batch.rows.len() < MOST_ROWS && size < MOST_BYTES && batch.error.is_none() {
            match rows.next() {
                None => {
                    batch.is_last = true;
                    break;
                }
                Some(Err(error)) => batch.error = Some(error),
                Some(Ok(row)) => {
                    let (names, text, ends) = row.into_parts();
                    size += text.len();
                    let is_known = known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &names));
                    let names = (!is_known).then(|| Arc::clone(known.insert(names)));
                    batch.rows.push(BatchRow { names, text, ends });
                }
            }
        }
        batch
    }

    /// The rows, one after the other.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = Result<CsvRow, SpiderError>> {
        let mut known: Arc<[Box<str>]> = Arc::default();
        let row = move |BatchRow { names, text, ends }| {
            if let Some(names) = names {
                known = names;
            }
            Ok(CsvRow::new(Arc::clone(&known), text, ends))
        };
        self.rows.into_iter().map(row).chain(self.error.map(Err))
    }
}

wire_struct! { CsvBatch { rows, error, is_last } }

wire_struct! { BatchRow { names, text, ends } }

impl Wire for Arc<[Box<str>]> {
    fn put(&self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        self.iter().for_each(|name| name.put(out));
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(from.get::<Vec<Box<str>>>()?.into())
    }
}

/// The bytes of what a JSONPath found, as a result with a vector of values has them.
#[must_use]
pub fn frame_found(found: Result<Vec<&Value>, SpiderError>) -> Vec<u8> {
    let list = match found {
        Ok(list) => list,
        Err(error) => return frame(&Result::<Vec<Value>, _>::Err(error)),
    };
    let mut out = vec![0];
    put_uint(&mut out, list.len() as u64);
    list.into_iter().for_each(|value| value.put(&mut out));
    out
}
