//! Parquet files, made at one go of what was gathered as JSON Lines.
//!
//! A file's columns and their types stand before its rows, so they are known only when the last row
//! is. What is gathered is read twice: for the columns, and for the values. Memory holds one group of
//! rows, never the file.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use indexmap::IndexMap;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression as Codec;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use super::names::with_suffix;
use super::tail::{sync_folder, unpack};
use crate::row::{Row, VALUE};
use crate::text::MAX_COLUMNS;
use crate::{Compression, FeedError};

/// Rows that are turned into columns at a time.
const ROWS: usize = 4096;
/// Bytes after which a group of rows is written.
const GROUP_BYTES: usize = 64 << 20;
/// Integers up to this are exact as floating point.
const EXACT: u64 = 1 << 53;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Bool,
    /// Integers; whether all of them are exact as floating point, too.
    Int(bool),
    Float,
    Text,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Int(integer.unsigned_abs() <= EXACT),
                None if number.is_f64() => Self::Float,
                None => Self::Text,
            },
            Value::String(_) | Value::Array(_) | Value::Object(_) => Self::Text,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::Int(a), Self::Int(b)) => Self::Int(a && b),
            (Self::Int(true), Self::Float) | (Self::Float, Self::Int(true)) => Self::Float,
            (a, b) if a == b => a,
            _ => Self::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int(_) => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Nothing | Self::Text => DataType::Utf8,
        }
    }
}

/// Makes the file `whole` of the compressed JSON Lines in `part`. It has its name when it is whole.
/// `first`: columns that it has in any case, before others.
pub(super) fn convert(part: &Path, whole: &Path, first: &[String]) -> Result<(), FeedError> {
    let file = |doing| FeedError::file(doing, whole);
    if let Some(folder) = whole.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(file("create the folder of"))?;
    }
    let mut columns: IndexMap<String, Kind> =
        first.iter().map(|name| (name.clone(), Kind::Nothing)).collect();
    for row in rows(part)? {
        for (name, value) in row? {
            let kind = Kind::of(&value);
            let known = columns.entry(name).or_insert(Kind::Nothing);
            *known = known.and(kind);
        }
        if columns.len() > MAX_COLUMNS {
            return Err(FeedError::Columns { path: whole.to_owned(), n: columns.len() });
        }
    }
    if columns.is_empty() {
        // Items without a single field are rows nevertheless, and rows have columns.
        columns.insert(VALUE.to_owned(), Kind::Nothing);
    }
    let made = with_suffix(whole, ".part");
    write(part, &made, &columns)?;
    fs::rename(&made, whole).and_then(|()| sync_folder(whole)).map_err(file("rename"))
}

fn write(part: &Path, to: &Path, columns: &IndexMap<String, Kind>) -> Result<(), FeedError> {
    let parquet = |error: parquet::errors::ParquetError| {
        FeedError::file("write", to)(io::Error::other(error))
    };
    let field = |(name, kind): (&String, &Kind)| Field::new(name, kind.data_type(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let properties = WriterProperties::builder().set_compression(Codec::SNAPPY).build();
    let file = File::create(to).map_err(FeedError::file("create", to))?;
    let mut writer =
        ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(parquet)?;
    let mut source = rows(part)?;
    loop {
        let piece: Vec<_> = source.by_ref().take(ROWS).collect::<Result<_, _>>()?;
        if piece.is_empty() {
            break;
        }
        let arrays = columns.iter().map(|(name, kind)| array(&piece, name, *kind)).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays);
        writer.write(&batch.map_err(|error| parquet(error.into()))?).map_err(parquet)?;
        if writer.in_progress_size() > GROUP_BYTES {
            writer.flush().map_err(parquet)?;
        }
    }
    let file = writer.into_inner().map_err(parquet)?;
    file.sync_all().map_err(FeedError::file("flush", to))
}

/// The values of one column.
fn array(rows: &[Map<String, Value>], name: &str, kind: Kind) -> ArrayRef {
    let values = rows.iter().map(|row| row.get(name).filter(|value| !value.is_null()));
    match kind {
        Kind::Bool => {
            let mut builder = BooleanBuilder::with_capacity(rows.len());
            values.for_each(|value| builder.append_option(value.and_then(Value::as_bool)));
            Arc::new(builder.finish())
        }
        Kind::Int(_) => {
            let mut builder = Int64Builder::with_capacity(rows.len());
            values.for_each(|value| builder.append_option(value.and_then(Value::as_i64)));
            Arc::new(builder.finish())
        }
        Kind::Float => {
            let mut builder = Float64Builder::with_capacity(rows.len());
            values.for_each(|value| builder.append_option(value.and_then(Value::as_f64)));
            Arc::new(builder.finish())
        }
        Kind::Nothing | Kind::Text => {
            let mut builder = StringBuilder::new();
            for value in values {
                match value {
                    None => builder.append_null(),
                    Some(Value::String(text)) => builder.append_value(text),
                    Some(value) => builder.append_value(value.to_string()),
                }
            }
            Arc::new(builder.finish())
        }
    }
}

/// The rows of what was gathered.
fn rows(
    part: &Path,
) -> Result<impl Iterator<Item = Result<Map<String, Value>, FeedError>>, FeedError> {
    let error = |error| FeedError::file("read", part)(error);
    let file = File::open(part).map_err(error)?;
    let lines = BufReader::new(unpack(Compression::Zstd, file).map_err(error)?).lines();
    Ok(lines.map(move |line| {
        let line = line.map_err(FeedError::file("read", part))?;
        Ok(Row::Whole(line).into_fields())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_column_is_what_all_of_its_values_are() {
        let kind = |values: Value| {
            values.as_array().unwrap().iter().map(Kind::of).fold(Kind::Nothing, Kind::and)
        };
        assert_eq!(kind(json!([null, true])), Kind::Bool);
        assert_eq!(kind(json!([1, -2])), Kind::Int(true));
        assert_eq!(kind(json!([1, 2.5, null])), Kind::Float);
        assert_eq!(kind(json!([9_007_199_254_740_993_i64, 2.5])), Kind::Text);
        assert_eq!(kind(json!([u64::MAX])), Kind::Text);
        assert_eq!(kind(json!([1, "x"])), Kind::Text);
        assert_eq!(kind(json!([true, 1])), Kind::Text);
        assert_eq!(kind(json!([])), Kind::Nothing);
    }
}
