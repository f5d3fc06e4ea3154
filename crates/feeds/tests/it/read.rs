//! Reads feeds back with parsers that are not ours.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value, json};

/// The items of a file, by its extensions; of formats that know texts only all values are texts,
/// as [`texts`] has them.
pub(crate) fn items(path: &Path) -> Vec<Value> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    #[cfg(feature = "parquet")]
    if name.ends_with(".parquet") {
        return parquet(path);
    }
    if name.ends_with(".sqlite") {
        return table(path, "items");
    }
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (name, bytes) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
        (Some(name), _) => {
            let mut out = Vec::new();
            flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut out).unwrap();
            (name.to_owned(), out)
        }
        (_, Some(name)) => (name.to_owned(), zstd::stream::decode_all(&*bytes).unwrap()),
        _ => (name, bytes),
    };
    let text = String::from_utf8(bytes).unwrap();
    match name.rsplit_once('.').unwrap().1 {
        "json" => serde_json::from_str(&text).unwrap(),
        "csv" => csv(&text),
        "xml" => xml(&text),
        _ => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    }
}

#[cfg(feature = "parquet")]
fn parquet(path: &Path) -> Vec<Value> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let cells = row.get_column_iter().filter_map(|(name, field)| {
            let value = match field {
                Field::Null => return None,
                Field::Bool(is) => json!(is),
                Field::Long(number) => json!(number),
                Field::Double(number) => json!(number),
                Field::Str(text) => json!(text),
                other => panic!("no feed writes {other}"),
            };
            Some((name.clone(), value))
        });
        cells.collect::<Map<_, _>>().into()
    });
    rows.collect()
}

/// The rows of a table of an SQLite file, without what is null.
pub(crate) fn table(path: &Path, table: &str) -> Vec<Value> {
    use rusqlite::types::ValueRef;

    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement =
        connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
    let names: Vec<String> = statement.column_names().map(ToString::to_string).collect();
    let rows = statement.query_map([], |row| {
        let cells = names.iter().enumerate().filter_map(|(i, name)| {
            let value = match row.get_ref(i).unwrap() {
                ValueRef::Null => return None,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
                ValueRef::Blob(_) => panic!("no feed writes these"),
            };
            Some((name.clone(), value))
        });
        Ok(cells.collect::<Map<_, _>>().into())
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// An item as SQLite has it: lists and objects are texts, true is 1.
pub(crate) fn cells(item: &Value) -> Value {
    let cells = item.as_object().unwrap().iter().filter_map(|(name, value)| {
        let value = match value {
            Value::Null => return None,
            Value::Bool(is) => json!(i64::from(*is)),
            Value::Array(_) | Value::Object(_) => json!(value.to_string()),
            value => value.clone(),
        };
        Some((name.clone(), value))
    });
    cells.collect::<Map<_, _>>().into()
}

fn csv(text: &str) -> Vec<Value> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let names = reader.headers().unwrap().clone();
    let row = |record: Result<csv::StringRecord, _>| {
        let record = record.unwrap();
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect::<Map<_, _>>().into()
    };
    reader.records().map(row).collect()
}

fn xml(text: &str) -> Vec<Value> {
    let document = roxmltree::Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "items");
    let item = |node: roxmltree::Node<'_, '_>| {
        assert_eq!(node.tag_name().name(), "item");
        let fields = node.children().filter_map(|field| {
            let name = field.attribute("name").unwrap_or(field.tag_name().name()).to_owned();
            let has_elements = field.children().any(|node| node.is_element());
            let value =
                if has_elements { "..".to_owned() } else { field.text().unwrap_or("").to_owned() };
            (!value.is_empty()).then(|| (name, json!(value)))
        });
        fields.collect::<Map<_, _>>().into()
    };
    root.children().filter(|node| node.is_element()).map(item).collect()
}

/// An item as formats have it that know texts only: nothing is what is null, or empty. Lists and
/// objects are `nested` of it.
pub(crate) fn texts(item: &Value, nested: impl Fn(&Value) -> String) -> Value {
    let fields = item.as_object().unwrap().iter().filter_map(|(name, value)| {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Object(_) => nested(value),
            value => value.to_string(),
        };
        (!text.is_empty()).then(|| (name.clone(), json!(text)))
    });
    fields.collect::<Map<_, _>>().into()
}
