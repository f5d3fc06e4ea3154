//! The `[[feed]]` tables, as written.

mod check;
mod choice;
mod place;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crawl_store::inspect::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::FeedFault;
pub use choice::{FieldChoice, PageField};
#[cfg(feature = "object-store")]
pub(crate) use place::env_or_text;
#[cfg(feature = "postgres")]
pub(crate) use place::split_password;
pub(crate) use place::{Place, batch_name, is_reference};

/// One export, as written in a `[[feed]]` table.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// A file, `-` for standard output, `postgres://user:$PASSWORD@host/database`, or a file in an
    /// object store, `s3://bucket/items.jsonl`. Its text (without password) is also the feed's name
    /// in the store, so a feed that moves is a new feed, written from the first item on. Default:
    /// `items.jsonl`.
    pub path: PathBuf,
    /// How items are written. Default: by the file's extension, JSON Lines if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FeedFormat>,
    /// How the file is compressed. Default: by the file's extension, `.gz` or `.zst`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Items after which a file is closed and the next begun; the items of one page stay
    /// together. `{batch}` in the path is the file's number, else it stands before the extension:
    /// `items-000001.jsonl`. A file has its name when it is whole, `.part` behind it till then.
    /// Default: 0, all go into one file.
    #[serde(skip_serializing_if = "is_zero")]
    pub batch_items: u64,
    /// Which fields are written, in this order, `{ from = "to" }` under another name; a dot goes
    /// into an object, `page.url` and so on say of which page the item is, `page.kind` and so on
    /// what is known of the item itself: all that `with` can add. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChoice>,
    /// What is known of its page (`url`, `n`, `fetched`, `label`, `status`, `depth`) and of the item
    /// (`spider`, `kind`, `version`, `first_seen`, `last_seen`, `changed`, `changes`) is added to
    /// each, unless it has a field of that name. Default: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<PageField>,
    /// Only items for which all of these hold, such as `price>10 and title~sea`. Names are as
    /// in `fields`. Default: none, all items.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub conditions: Vec<Condition>,
    /// The table of a database. Default: `items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Columns by which the table has each item once: a later one takes the place of the earlier.
    /// Default: none, each item is a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// What else an object store has to know: `endpoint`, `region`, `access-key-id`,
    /// `secret-access-key`, `allow-http`; a value `$NAME` is that environment variable. Default: what
    /// the usual variables say, `AWS_ACCESS_KEY_ID` and so on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FeedFormat {
    /// One item per line, as JSON (<https://jsonlines.org>).
    Jsonl,
    /// One list of all items (RFC 8259), an item per line; whole after each report.
    Json,
    /// Comma-separated values (RFC 4180, lines end in LF). Columns are `fields`, or what comes,
    /// in the order in which it comes; of a field that comes late the rows before have nothing.
    Csv,
    /// An element `item` per item, an element per field (XML 1.0); whole after each report.
    Xml,
    /// Columns of values (<https://parquet.apache.org>), written when the file is closed.
    Parquet,
    /// A table of an SQLite database.
    Sqlite,
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all, whatever the file's extension says.
    None,
    /// RFC 1952, in members.
    Gzip,
    /// RFC 8878, in frames.
    Zstd,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("items.jsonl"),
            format: None,
            compression: None,
            batch_items: 0,
            fields: Vec::new(),
            with: Vec::new(),
            conditions: Vec::new(),
            table: None,
            key: Vec::new(),
            options: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for FeedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedConfig")
            .field("path", &self.name())
            .field("format", &self.format)
            .field("compression", &self.compression)
            .field("batch_items", &self.batch_items)
            .field("fields", &self.fields)
            .field("with", &self.with)
            .field("conditions", &self.conditions)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl FeedConfig {
    /// A feed into `path`, in the format of its extension.
    #[must_use]
    pub fn to(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Whether all items are written as they are stored.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.fields.is_empty() && self.with.is_empty() && self.conditions.is_empty()
    }

    /// Whether it goes to standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The feed's name in the store and for people: its path, without a password, and the table if
    /// it has one of its own.
    #[must_use]
    pub fn name(&self) -> String {
        let path = place::without_password(&self.path.to_string_lossy());
        match &self.table {
            Some(table) => format!("{path}#{table}"),
            None => path,
        }
    }

    /// The same without what is secret, for a config that is shown.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        shown.path = place::without_password(&self.path.to_string_lossy()).into();
        for (name, value) in &mut shown.options {
            let is_secret = ["secret", "key", "token", "password"].iter().any(|w| name.contains(w));
            if is_secret && !is_reference(value) {
                "***".clone_into(value);
            }
        }
        shown
    }

    /// The format; `None` if the extension is of one that is not known, or if the place has a
    /// format of its own.
    #[must_use]
    pub fn effective_format(&self) -> Option<FeedFormat> {
        if self.format.is_some() || self.is_stdout() {
            return Some(self.format.unwrap_or(FeedFormat::Jsonl));
        }
        let path = self.uncompressed_path();
        let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            None | Some("jsonl" | "ndjson" | "jl") => Some(FeedFormat::Jsonl),
            Some("json") => Some(FeedFormat::Json),
            Some("csv") => Some(FeedFormat::Csv),
            Some("xml") => Some(FeedFormat::Xml),
            Some("parquet" | "pq") => Some(FeedFormat::Parquet),
            Some("sqlite" | "sqlite3" | "db") => Some(FeedFormat::Sqlite),
            Some(_) => None,
        }
    }

    /// How the file is compressed.
    #[must_use]
    pub fn effective_compression(&self) -> Compression {
        self.compression.unwrap_or_else(|| self.compression_of_name())
    }

    fn compression_of_name(&self) -> Compression {
        let extension = self.path.extension().map(|text| text.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("gz" | "gzip") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// The path without the extension that says the compression.
    pub(crate) fn uncompressed_path(&self) -> PathBuf {
        match self.compression_of_name() {
            Compression::None => self.path.clone(),
            Compression::Gzip | Compression::Zstd => self.path.with_extension(""),
        }
    }

    /// The table of a database.
    pub(crate) fn table(&self) -> &str {
        self.table.as_deref().unwrap_or("items")
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_the_format_unless_the_config_does() {
        let format = |path: &str| FeedConfig::to(path).effective_format();
        assert_eq!(format("a/items.jsonl"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items.NDJSON"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items"), Some(FeedFormat::Jsonl));
        assert_eq!(format("-"), Some(FeedFormat::Jsonl));
        assert_eq!(format("items.csv.gz"), Some(FeedFormat::Csv));
        assert_eq!(format("s3://b/items.json.ZST"), Some(FeedFormat::Json));
        assert_eq!(format("items.toml"), None);
        let forced = FeedConfig { format: Some(FeedFormat::Jsonl), ..FeedConfig::to("a.txt") };
        assert_eq!(forced.effective_format(), Some(FeedFormat::Jsonl));
        assert_eq!(FeedConfig::to("a.gz").effective_compression(), Compression::Gzip);
        let plain = FeedConfig { compression: Some(Compression::None), ..FeedConfig::to("a.gz") };
        assert_eq!(plain.effective_compression(), Compression::None);
    }

    #[test]
    fn no_secret_is_shown() {
        let mut config = FeedConfig::to("postgres://joe:hunter2@h/db");
        config.options.insert("secret-access-key".into(), "hunter2".into());
        config.options.insert("access-key-id".into(), "$ID".into());
        let shown = config.without_secrets();
        assert_eq!(shown.options["access-key-id"], "$ID");
        for text in [format!("{config:?}"), config.name(), serde_json::json!(shown).to_string()] {
            assert!(!text.contains("hunter2"), "{text}");
        }
        let reference = FeedConfig::to("postgres://joe:$PW@h/db").without_secrets();
        assert_eq!(reference.path, Path::new("postgres://joe:$PW@h/db"));
    }
}
