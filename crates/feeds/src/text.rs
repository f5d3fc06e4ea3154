//! Items as text: what stands before, between and behind them.
//!
//! All of these formats can be appended to. Those that end with something (a bracket, a tag) have
//! it written behind the last item at every report, and cut off before the next item.

mod csv;
mod xml;

use crate::FeedFormat;
use crate::row::Row;

pub(crate) use csv::{Columns, MAX_COLUMNS, copy_rows, read_head};

/// Writes items as text.
#[derive(Debug)]
pub(crate) enum Text {
    Jsonl,
    Json,
    Xml,
    Csv(Columns),
}

impl Text {
    /// The writer of a format; for Parquet that of what it is made of. `columns`: those that are
    /// known beforehand.
    pub(crate) fn new(format: FeedFormat, columns: Option<Vec<String>>) -> Self {
        match format {
            FeedFormat::Json => Self::Json,
            FeedFormat::Xml => Self::Xml,
            FeedFormat::Csv => Self::Csv(Columns::new(columns)),
            FeedFormat::Jsonl | FeedFormat::Parquet | FeedFormat::Sqlite => Self::Jsonl,
        }
    }

    /// What stands before the first item.
    pub(crate) fn head(&self) -> String {
        match self {
            Self::Jsonl => String::new(),
            Self::Json => "[".to_owned(),
            Self::Xml => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<items>\n".to_owned(),
            Self::Csv(columns) => columns.head(),
        }
    }

    /// What stands behind the last item.
    pub(crate) fn foot(&self) -> &'static str {
        match self {
            Self::Jsonl | Self::Csv(_) => "",
            Self::Json => "\n]\n",
            Self::Xml => "</items>\n",
        }
    }

    /// Appends an item of which `before` others stand before it.
    pub(crate) fn row(&self, row: Row, before: u64, out: &mut String) {
        match self {
            Self::Jsonl => {
                out.push_str(&row.json());
                out.push('\n');
            }
            Self::Json => {
                out.push_str(if before == 0 { "\n" } else { ",\n" });
                out.push_str(&row.json());
            }
            Self::Xml => xml::item(&row.into_fields(), out),
            Self::Csv(columns) => columns.row(&row.into_fields(), out),
        }
    }
}
