//! A feed's file, read by itself: JSON Lines, or comma-separated values (RFC 4180, lines end in LF).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use serde_json::{Map, Value};

use super::whole::Whole;

/// Longest row that is read, in bytes.
const MOST_ROW: u64 = 64 << 20;

/// The rows up to the committed length.
pub(super) struct Rows {
    file: io::Take<BufReader<File>>,
    /// Bytes and rows that were read.
    pub(super) at: u64,
    pub(super) n: u64,
    /// What the first line says, of comma-separated values.
    columns: Option<Vec<String>>,
}

impl Rows {
    pub(super) fn new(file: File, len: u64, is_csv: bool) -> io::Result<Self> {
        let columns = is_csv.then(Vec::new);
        let mut rows = Self { file: BufReader::new(file).take(len), at: 0, n: 0, columns };
        if is_csv && let Some(head) = rows.next()? {
            rows.columns = cells(&head).map(|head| head.into_iter().flatten().collect());
            rows.columns.get_or_insert_default();
            rows.n = 0;
        }
        Ok(rows)
    }

    /// The next row, without its end; `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut row = Vec::new();
        let mut file = self.file.by_ref().take(MOST_ROW);
        // Between quotes a line break is text.
        while file.read_until(b'\n', &mut row)? > 0
            && self.columns.is_some()
            && row.iter().filter(|byte| **byte == b'"').count() % 2 == 1
        {}
        self.at += row.len() as u64;
        let is_row = !row.is_empty();
        self.n += u64::from(is_row);
        // One that is not ended is told apart from one that is.
        if row.pop_if(|last| *last == b'\n').is_none() && is_row {
            row.push(0);
        }
        Ok(is_row.then_some(row))
    }

    /// Whether a row is the item.
    pub(super) fn is(&self, row: &[u8], item: &Whole) -> bool {
        match &self.columns {
            Some(columns) => is_table_row(row, columns, item),
            None => is_line(row, item),
        }
    }
}

fn is_line(line: &[u8], item: &Whole) -> bool {
    if item.files.is_empty() {
        // Outside of texts a line break is white space.
        return item.json.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')).eq(line);
    }
    let (Ok(line), Ok(mut fields)) = (
        serde_json::from_slice::<Map<String, Value>>(line),
        serde_json::from_slice::<Map<String, Value>>(&item.json),
    ) else {
        return line == item.json;
    };
    fields.insert("files".to_owned(), Value::Null);
    let is_field = |(name, value): (&String, &Value)| match &**name {
        "files" => are_files(line.get("files"), &item.files),
        name => line.get(name) == Some(value),
    };
    line.len() == fields.len() && fields.iter().all(is_field)
}

fn is_table_row(row: &[u8], columns: &[String], item: &Whole) -> bool {
    let Some(cells) = cells(row).filter(|cells| cells.len() == columns.len().max(1)) else {
        return false;
    };
    let mut fields = match serde_json::from_slice::<Value>(&item.json) {
        Ok(Value::Object(fields)) => fields,
        Ok(value) => [("value".to_owned(), value)].into_iter().collect(),
        Err(_) => return false,
    };
    if !item.files.is_empty() {
        fields.insert("files".to_owned(), Value::Null);
    }
    if fields.keys().any(|name| !columns.contains(name)) {
        return false;
    }
    let is_cell = |(name, cell): (&String, &Option<String>)| match (fields.get(name), cell) {
        _ if name == "files" && !item.files.is_empty() => {
            let files = cell.as_deref().and_then(|cell| serde_json::from_str(cell).ok());
            are_files(files.as_ref(), &item.files)
        }
        // A line with nothing on it would be none.
        (None | Some(Value::Null), Some(cell)) => cell.is_empty() && columns.len() == 1,
        (None | Some(Value::Null), None) => true,
        (Some(_), None) => false,
        (Some(Value::String(text)), Some(cell)) => text == cell,
        (Some(value), Some(cell)) => {
            let text = value.to_string();
            text == *cell
        }
    };
    columns.iter().zip(&cells).all(is_cell)
}

/// Whether these are the rows of an item's files. One that was lost since is what it was then.
fn are_files(written: Option<&Value>, files: &[Value]) -> bool {
    let Some(Value::Array(written)) = written else { return false };
    let is_one = |(written, file): (&Value, &Value)| {
        written == file || (file["verdict"] == "lost" && written["url"] == file["url"])
    };
    written.len() == files.len() && written.iter().zip(files).all(is_one)
}

/// The cells of a row: nothing at all is no value, `""` an empty text. `None` if it is no row.
fn cells(row: &[u8]) -> Option<Vec<Option<String>>> {
    let mut rest = std::str::from_utf8(row).ok()?;
    let mut cells = Vec::new();
    loop {
        let cell = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut text = String::new();
                rest = quoted;
                loop {
                    let (before, behind) = rest.split_once('"')?;
                    text.push_str(before);
                    rest = behind;
                    match rest.strip_prefix('"') {
                        Some(behind) => rest = behind,
                        None => break,
                    }
                    text.push('"');
                }
                Some(text)
            }
            None => {
                let (cell, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                rest = behind;
                (!cell.is_empty()).then(|| cell.to_owned())
            }
        };
        cells.push(cell);
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if rest.is_empty() => return Some(cells),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(json: &str, files: &[Value]) -> Whole {
        Whole { json: json.as_bytes().to_vec(), files: files.to_vec(), url: String::new() }
    }

    #[test]
    fn cells_are_told_apart_from_nothing_and_from_damage() {
        let text = |text: &str| Some(text.to_owned());
        let expected = vec![text("a,\n\"b\""), None, text(""), text("1")];
        assert_eq!(cells(b"\"a,\n\"\"b\"\"\",,\"\",1"), Some(expected));
        for row in ["\"a", "\"a\"b", "\"a\"\"", "\u{fffd}\"a\","] {
            assert_eq!(cells(row.as_bytes()).is_none(), !row.starts_with('\u{fffd}'), "{row}");
        }
        assert_eq!(cells(b"\xff"), None);
    }

    #[test]
    fn a_row_of_a_table_is_its_item_or_not() {
        let is = |columns: &[&str], row: &str, json: &str| {
            let columns: Vec<_> = columns.iter().map(|&name| name.to_owned()).collect();
            is_table_row(row.as_bytes(), &columns, &item(json, &[]))
        };
        let json = r#"{"a":"x, y","b":1.50,"c":[1],"d":null}"#;
        assert!(is(&["a", "b", "c", "d", "e"], "\"x, y\",1.5,[1],,", json));
        assert!(!is(&["a", "b", "c", "d", "e"], "\"x, y\",1.5,[1],,\"\"", json));
        assert!(!is(&["a", "b", "c", "d"], "\"x, y\",1.5,[2],", json));
        assert!(!is(&["a", "b"], "\"x, y\",1.5", json), "columns are missing");
        assert!(!is(&["a", "b", "c", "d"], "\"x, y\",1.5,[1]", json), "a cell is missing");
        assert!(is(&["a"], "\"\"", "{}") && is(&["a"], "\"\"", r#"{"a":""}"#));
        assert!(is(&["value"], "[1]", "[1]"));
    }

    #[test]
    fn files_are_what_they_are_or_were() {
        let file = json!({"url": "u", "verdict": "stored", "path": "p"});
        let line = json!({"a": 1, "files": [file]}).to_string();
        let is = |files: &[Value]| is_line(line.as_bytes(), &item(r#"{"a":1}"#, files));
        assert!(is(&[json!({"path": "p", "url": "u", "verdict": "stored"})]));
        assert!(is(&[json!({"url": "u", "verdict": "lost", "error": "gone"})]));
        assert!(!is(&[json!({"url": "v", "verdict": "lost"})]));
        assert!(!is(&[json!({"url": "u", "verdict": "stored", "path": "q"})]));
        assert!(!is(&[]) && !is(&[file.clone(), file]));
    }
}
