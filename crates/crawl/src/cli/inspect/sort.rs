//! Sorts rows, however many: what does not fit into memory goes to a temporary file, sorted, and
//! all such files are merged at the end.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Lines, Seek, SeekFrom, Write};

use crawl::store::inspect::field_of;
use serde_json::Value;

/// Rows that are held in memory, about, in bytes of JSON.
const HELD_BYTES: usize = 32 << 20;
/// With a limit so small, only the first rows are ever held.
const SMALL_LIMIT: usize = 10_000;

/// A row with what it is sorted by; equal ones stay in their order.
struct Keyed {
    key: Vec<Part>,
    at: u64,
    row: Value,
}

struct Part {
    value: Option<Value>,
    is_descending: bool,
}

pub(super) struct Sorter {
    by: Vec<(String, bool)>,
    limit: Option<usize>,
    held: Vec<Keyed>,
    held_bytes: usize,
    n: u64,
    runs: Vec<File>,
    most_bytes: usize,
}

impl Sorter {
    /// Sorts by fields, those with a `-` before them the greatest first; what has no such field
    /// comes last. Only the first `limit` rows are wanted.
    pub(super) fn new(by: &[String], limit: Option<u64>) -> Self {
        let by = by.iter().map(|field| match field.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (field.clone(), false),
        });
        let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (by, most_bytes) = (by.collect(), HELD_BYTES);
        Self { by, limit, held: Vec::new(), held_bytes: 0, n: 0, runs: Vec::new(), most_bytes }
    }

    pub(super) fn push(&mut self, row: Value) -> io::Result<()> {
        let keyed = self.keyed(row, self.n);
        self.n += 1;
        if let Some(limit) = self.limit.filter(|limit| *limit <= SMALL_LIMIT) {
            self.held.push(keyed);
            if self.held.len() >= 2 * limit + 100 {
                self.held.sort_unstable();
                self.held.truncate(limit);
            }
            return Ok(());
        }
        self.held_bytes += size_of(&keyed.row);
        self.held.push(keyed);
        if self.held_bytes >= self.most_bytes { self.spill() } else { Ok(()) }
    }

    fn keyed(&self, row: Value, at: u64) -> Keyed {
        let part = |(name, is_descending): &(String, bool)| Part {
            value: field_of(&row, name).filter(|value| !value.is_null()),
            is_descending: *is_descending,
        };
        Keyed { key: self.by.iter().map(part).collect(), at, row }
    }

    /// Writes the rows in memory to a file, which is gone when it is closed.
    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let mut out = BufWriter::new(tempfile::tempfile()?);
        for Keyed { at, row, .. } in self.held.drain(..) {
            writeln!(out, "{at} {row}")?;
        }
        let mut file = out.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        self.held_bytes = 0;
        Ok(())
    }

    /// Hands the rows over in their order.
    pub(super) fn finish(
        mut self,
        mut show: impl FnMut(Value) -> io::Result<()>,
    ) -> io::Result<()> {
        let limit = self.limit.unwrap_or(usize::MAX);
        if self.runs.is_empty() {
            self.held.sort_unstable();
            return self.held.into_iter().take(limit).try_for_each(|keyed| show(keyed.row));
        }
        self.spill()?;
        let runs = std::mem::take(&mut self.runs).into_iter();
        let mut runs: Vec<_> = runs.map(|file| BufReader::new(file).lines()).collect();
        let mut heads = BinaryHeap::new();
        for (i, run) in runs.iter_mut().enumerate() {
            heads.extend(self.next_of(run)?.map(|keyed| Reverse((keyed, i))));
        }
        for _ in 0..limit {
            let Some(Reverse((Keyed { row, .. }, i))) = heads.pop() else { break };
            heads.extend(self.next_of(&mut runs[i])?.map(|keyed| Reverse((keyed, i))));
            show(row)?;
        }
        Ok(())
    }

    fn next_of(&self, run: &mut Lines<BufReader<File>>) -> io::Result<Option<Keyed>> {
        let Some(line) = run.next().transpose()? else { return Ok(None) };
        let (at, row) = line.split_once(' ').unwrap_or_default();
        let at = at.parse().map_err(io::Error::other)?;
        Ok(Some(self.keyed(serde_json::from_str(row)?, at)))
    }
}

/// What a value takes in memory, about.
fn size_of(value: &Value) -> usize {
    const EACH: usize = 48;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(size_of).sum(),
        Value::Object(fields) => fields.iter().map(|(name, v)| name.len() + size_of(v)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = self.key.iter().zip(&other.key).map(|(a, b)| a.compare(b));
        parts.fold(Ordering::Equal, Ordering::then).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Keyed {}

impl Part {
    /// What is not there comes last either way.
    fn compare(&self, other: &Self) -> Ordering {
        let order = match (&self.value, &other.value) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (Some(a), Some(b)) => compare(a, b),
        };
        if self.is_descending { order.reverse() } else { order }
    }
}

/// Numbers by size, texts by their letters, numbers before texts, all else as its JSON.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => a.to_string().cmp(&b.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sorted(by: &[&str], limit: Option<u64>, most_bytes: usize, rows: &[Value]) -> Vec<Value> {
        let by: Vec<_> = by.iter().map(|field| (*field).to_owned()).collect();
        let mut sorter = Sorter { most_bytes, ..Sorter::new(&by, limit) };
        rows.iter().for_each(|row| sorter.push(row.clone()).unwrap());
        let mut shown = Vec::new();
        let show = |row| {
            shown.push(row);
            Ok(())
        };
        sorter.finish(show).unwrap();
        shown
    }

    #[test]
    fn rows_are_sorted_by_several_fields_and_what_has_none_comes_last() {
        let rows = [
            json!({"a": 10, "b": "x"}),
            json!({"b": "y"}),
            json!({"a": 9, "b": "x"}),
            json!({"a": "text", "b": "x"}),
            json!({"a": 9, "b": "z"}),
        ];
        let at = |order: [usize; 5]| order.map(|i| rows[i].clone());
        assert_eq!(sorted(&["a", "-b"], None, HELD_BYTES, &rows), at([4, 2, 0, 3, 1]));
        assert_eq!(sorted(&["-a"], None, HELD_BYTES, &rows), at([3, 0, 2, 4, 1]));
        assert_eq!(sorted(&["-a"], Some(2), HELD_BYTES, &rows), at([3, 0, 2, 4, 1])[..2]);
    }

    #[test]
    fn what_goes_through_files_comes_out_as_what_does_not() {
        let rows: Vec<_> = (0..5_000_u64)
            .map(|i| json!({"k": i.wrapping_mul(0x9e37_79b9) % 100, "i": i}))
            .collect();
        let expected = sorted(&["-k"], None, usize::MAX, &rows);
        assert_eq!(sorted(&["-k"], None, 10_000, &rows), expected);
        assert_eq!(sorted(&["-k"], Some(7), 10_000, &rows), expected[..7]);
        assert_eq!(sorted(&["-k"], Some(20_000), 10_000, &rows), expected);
    }
}
