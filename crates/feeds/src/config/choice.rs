//! Which fields a feed writes, as written.

use crawl_model::PageRecord;
use crawl_store::Provenance;
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

/// What is known of an item beside its fields: of its page, and of the item itself (see
/// [`Provenance`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    /// The spider that made the item.
    Spider,
    /// The item's kind: the name of its type or table, else the page's label.
    Kind,
    /// Which version of its kind it is.
    Version,
    /// When the item was first seen, as it is told apart: RFC 3339, UTC, milliseconds.
    FirstSeen,
    /// When it was last seen before it was written.
    LastSeen,
    /// When it was last found to be another than before.
    Changed,
    /// How often it was.
    Changes,
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
    pub(crate) const ALL: [Self; 13] = [
        Self::Url,
        Self::N,
        Self::Fetched,
        Self::Label,
        Self::Status,
        Self::Depth,
        Self::Spider,
        Self::Kind,
        Self::Version,
        Self::FirstSeen,
        Self::LastSeen,
        Self::Changed,
        Self::Changes,
    ];

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
            Self::Spider => "spider",
            Self::Kind => "kind",
            Self::Version => "version",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
            Self::Changed => "changed",
            Self::Changes => "changes",
        }
    }

    /// Its value; null if there is none.
    pub(crate) fn of(self, page: &PageRecord, item: &Provenance) -> Value {
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
            Self::Spider
            | Self::Kind
            | Self::Version
            | Self::FirstSeen
            | Self::LastSeen
            | Self::Changed
            | Self::Changes => item.field(self.name()),
        }
    }
}

impl std::str::FromStr for PageField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|field| field.name() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|field| field.name()).collect();
            format!("nothing is known that is called `{text}`; there are: {}", names.join(", "))
        })
    }
}
