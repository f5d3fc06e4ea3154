//! Which fields a feed writes, as written.

use crawl_model::PageRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A field that is to be written: `"name"`, or `{ name = "other name" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldChoice {
    /// Under the name it has.
    Name(String),
    /// Under another one.
    Renamed(#[schemars(length(equal = 1))] std::collections::BTreeMap<String, String>),
}

/// What is known of the page that an item is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageField {
    /// Its URL.
    Url,
    /// Its settle number.
    N,
    /// When it was asked for: RFC 3339, UTC, milliseconds.
    Fetched,
    /// The spider's label.
    Label,
    /// HTTP status.
    Status,
    /// Links between a seed and it.
    Depth,
}

impl FieldChoice {
    /// A field under the name it has; `from=to` under another one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((from, to)) => Self::Renamed([(from.to_owned(), to.to_owned())].into()),
            None => Self::Name(text.to_owned()),
        }
    }

    /// Where it is found, and what it is written as; `None` if it is no pair of names.
    pub(crate) fn names(&self) -> Option<(&str, &str)> {
        let (from, to) = match self {
            Self::Name(name) => (name, name),
            Self::Renamed(pair) if pair.len() == 1 => pair.first_key_value()?,
            Self::Renamed(_) => return None,
        };
        (!from.is_empty() && !to.is_empty()).then_some((from, to))
    }
}

impl PageField {
    pub(crate) const ALL: [Self; 6] =
        [Self::Url, Self::N, Self::Fetched, Self::Label, Self::Status, Self::Depth];

    /// As it is written in configs and items.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::N => "n",
            Self::Fetched => "fetched",
            Self::Label => "label",
            Self::Status => "status",
            Self::Depth => "depth",
        }
    }

    /// Its value; null if there is none.
    pub(crate) fn of(self, page: &PageRecord) -> Value {
        match self {
            Self::Url => page.url.without_credentials().as_str().into(),
            Self::N => page.n.into(),
            Self::Fetched if page.fetched_ms == 0 => Value::Null,
            Self::Fetched => {
                let since = std::time::Duration::from_millis(page.fetched_ms);
                let at = std::time::SystemTime::UNIX_EPOCH + since;
                humantime_serde::re::humantime::format_rfc3339_millis(at).to_string().into()
            }
            Self::Label => page.label.as_str().into(),
            Self::Status => page.status.map_or(Value::Null, Value::from),
            Self::Depth => page.depth.into(),
        }
    }
}

impl std::str::FromStr for PageField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|field| field.name() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|field| field.name()).collect();
            format!("a page has no `{text}`; there are: {}", names.join(", "))
        })
    }
}
