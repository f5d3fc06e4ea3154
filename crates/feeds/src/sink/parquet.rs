//! Parquet files, made at one go of what was gathered as JSON Lines.
//!
//! A file's columns and their types stand before its rows, so they are known only when the last row
//! is: while rows are gathered, the feed's [`Columns`] are. They belong to the feed, not to the file,
//! and live in its state: so a later file has the columns of the earlier ones in their order, each of
//! the same type, or of a wider one where a value needs it. Memory holds one group of rows, never the
//! file.
//!
//! Types widen so, and never back: integer to floating point (if all of them are exact as such), and
//! all else to text. A column of which there was never a value is in no file, unless it was chosen
//! beforehand; then it is text, and stays so.

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
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::names::with_suffix;
use super::tail::{sync_folder, unpack};
use crate::row::{Row, VALUE};
use crate::{Compression, FeedError};

/// Rows that are turned into columns at a time.
const ROWS: usize = 4096;
/// Bytes after which a group of rows is written.
const GROUP_BYTES: usize = 64 << 20;
/// Integers up to this are exact as floating point.
const EXACT: u64 = 1 << 53;

/// The columns of a feed, in order, with what all values so far are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Columns(IndexMap<String, Kind>);

impl Columns {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts these first, in any case.
    pub(super) fn begin(&mut self, first: &[String]) {
        for name in first {
            self.0.entry(name.clone()).or_insert(Kind::Nothing);
        }
    }

    /// Takes a row in; returns how many columns there are now.
    pub(super) fn add(&mut self, row: &Map<String, Value>) -> usize {
        for (name, value) in row {
            let kind = Kind::of(value);
            match self.0.get_mut(name) {
                Some(known) => *known = known.and(kind),
                None => drop(self.0.insert(name.clone(), kind)),
            }
        }
        self.0.len()
    }

    /// A file is whole: of its columns without a value the chosen ones are text from now on.
    pub(super) fn settle(&mut self, first: &[String]) {
        for name in first {
            let kind = self.0.entry(name.clone()).or_insert(Kind::Text);
            *kind = if *kind == Kind::Nothing { Kind::Text } else { *kind };
        }
    }

    /// Those that a file has: all of which there was ever a value, and the chosen ones.
    fn of_file(&self) -> IndexMap<String, Kind> {
        let known = self.0.iter().filter(|(_, kind)| **kind != Kind::Nothing);
        let mut columns: IndexMap<_, _> = known.map(|(name, kind)| (name.clone(), *kind)).collect();
        if columns.is_empty() {
            // Items without a single value are rows nevertheless, and rows have columns.
            columns.insert(VALUE.to_owned(), Kind::Text);
        }
        columns
    }
}

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

    /// As it is kept.
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Bool => "bool",
            Self::Int(true) => "int",
            Self::Int(false) => "long",
            Self::Float => "float",
            Self::Text => "text",
        }
    }

    const ALL: [Self; 6] =
        [Self::Nothing, Self::Bool, Self::Int(true), Self::Int(false), Self::Float, Self::Text];

    fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int(_) => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Nothing | Self::Text => DataType::Utf8,
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| D::Error::custom("no type of a column"))
    }
}

/// Makes the file `whole` of the compressed JSON Lines in `part`. It has its name when it is whole.
pub(super) fn convert(part: &Path, whole: &Path, columns: &Columns) -> Result<(), FeedError> {
    let file = |doing| FeedError::file(doing, whole);
    if let Some(folder) = whole.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(file("create the folder of"))?;
    }
    let made = with_suffix(whole, ".part");
    write(part, &made, &columns.of_file())?;
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

    #[test]
    fn a_column_keeps_its_type_from_file_to_file_or_widens() {
        let chosen = ["id".to_owned(), "late".to_owned()];
        let mut columns = Columns::default();
        columns.begin(&chosen);
        let mut file = |rows: Value| {
            for row in rows.as_array().unwrap() {
                columns.add(row.as_object().unwrap());
            }
            // A run ends, and the next goes on.
            let kept = serde_json::to_string(&columns).unwrap();
            columns = serde_json::from_str(&kept).unwrap();
            columns.settle(&chosen);
            let of = columns.of_file();
            of.iter().map(|(name, kind)| format!("{name} {}", kind.name())).collect::<Vec<_>>()
        };
        let rows = json!([{"id": 1, "price": 2, "note": null}, {"id": 2}]);
        assert_eq!(file(rows), ["id int", "late text", "price int"]);
        let rows = json!([{"id": 3, "note": true, "late": 7}]);
        assert_eq!(file(rows), ["id int", "late text", "price int", "note bool"]);
        let rows = json!([{"id": 4, "price": 2.5}]);
        assert_eq!(file(rows), ["id int", "late text", "price float", "note bool"]);
        let rows = json!([{"id": "x", "note": 1}]);
        assert_eq!(file(rows), ["id text", "late text", "price float", "note text"]);
        let rows = json!([{"id": 5, "price": 1}]);
        assert_eq!(file(rows), ["id text", "late text", "price float", "note text"]);
        assert_eq!(Columns::default().of_file().keys().collect::<Vec<_>>(), ["value"]);
    }
}
