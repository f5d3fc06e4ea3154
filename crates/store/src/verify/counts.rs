//! The sums that the writer carries forward, counted again from what they are of.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::bytes::numbers;
use super::finding::{Finding, Kind};
use super::pages::{Broken, Record};
use super::parts::{Gathered, pieces};
use super::told::Told;

/// Kinds of items and fields of one kind that are counted apart; with more, only items are.
const MOST_KINDS: usize = 99;
const MOST_FIELDS: usize = 499;
const LONGEST_NAME: usize = 100;
const OTHER: &str = "(other)";

/// Items of one kind, and how many of them have which fields filled.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
struct Kinds {
    items: u64,
    fields: BTreeMap<String, u64>,
}

/// What stands at the head of a page's list of dropped items.
#[derive(Debug, Deserialize)]
struct Head {
    /// Step, reason, number.
    counts: Vec<(String, String, u64)>,
    left_out: u64,
    kept_bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Recount {
    /// The last settle number before the run under way.
    after: u64,
    /// Pages of the run under way.
    pages: u64,
    items: u64,
    fields: BTreeMap<String, Kinds>,
    /// Whether there are more kinds or fields than are counted apart.
    is_coarse: bool,
    drops: BTreeMap<(String, String), u64>,
    left_out: u64,
    kept_bytes: u64,
}

impl Recount {
    pub(super) fn new(tree: &sled::Db) -> Result<Self, sled::Error> {
        let run = tree.get("Mrun")?.and_then(|value| numbers(&value));
        let after = run.and_then(|run| run.get(1).copied()).unwrap_or(0);
        Ok(Self { after, ..Self::default() })
    }

    pub(super) fn n_items(&self) -> u64 {
        self.items
    }

    pub(super) fn page(&mut self, record: &Record) {
        self.items += record.n_items;
        self.pages += u64::from(record.n > self.after && record.verdict.is_page());
    }

    /// Counts an item; the error is that it is no JSON.
    pub(super) fn item(
        &mut self,
        record: &Record,
        kind: &str,
        json: &[u8],
    ) -> Result<(), serde_json::Error> {
        let item: Value = serde_json::from_slice(json)?;
        if record.n <= self.after {
            return Ok(());
        }
        if !self.fields.contains_key(kind) && self.fields.len() >= MOST_KINDS {
            self.is_coarse = true;
            return Ok(());
        }
        let kind = self.fields.entry(kind.to_owned()).or_default();
        kind.items += 1;
        let Value::Object(fields) = item else { return Ok(()) };
        for (name, value) in fields {
            let name = match name.chars().count() > LONGEST_NAME {
                true => "(long name)".to_owned(),
                false => name,
            };
            if !kind.fields.contains_key(&name) && kind.fields.len() >= MOST_FIELDS {
                self.is_coarse = true;
                continue;
            }
            *kind.fields.entry(name).or_default() += u64::from(is_filled(&value));
        }
        Ok(())
    }

    /// Counts a page's dropped items.
    pub(super) fn dropped(
        &mut self,
        record: &Record,
        page: &[u8],
        list: &Gathered,
        told: &mut Told<'_>,
    ) {
        let head = pieces(list).and_then(|pieces| {
            let head: Head = serde_json::from_slice(pieces.first()?).ok()?;
            let kept = &pieces[1..];
            let is_whole = kept.iter().all(|json| serde_json::from_slice::<Value>(json).is_ok());
            let n_dropped = head.counts.iter().map(|(.., n)| n).sum::<u64>();
            let n_kept = kept.len() as u64;
            let bytes = kept.iter().map(|json| json.len() as u64).sum::<u64>();
            let agrees = n_kept + head.left_out == n_dropped && bytes == head.kept_bytes;
            (is_whole && agrees).then_some(head)
        });
        let Some(head) = head else {
            let what = "its list of dropped items is cut or damaged";
            told.tell(Finding::new(Kind::DroppedDamaged, what).of(&record.url));
            let parts = list.bytes.len().div_ceil(3584).max(1) as u64 + 1;
            for part in 0..u32::try_from(parts).unwrap_or(u32::MAX) {
                let key = [b"X", &page[1..], &part.to_be_bytes()].concat();
                told.fixes.put(key, None);
            }
            return;
        };
        for (step, reason, n) in head.counts {
            *self.drops.entry((step, reason)).or_default() += n;
        }
        self.left_out += head.left_out;
        self.kept_bytes += head.kept_bytes;
    }

    /// Compares with what the database says.
    pub(super) fn compare(&self, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
        self.compare_fields(tree, told)?;
        self.compare_drops(tree, told)?;
        let run = tree.get("Mrun")?.and_then(|value| numbers(&value));
        let begun = run.as_ref().and_then(|run| run.first().copied()).unwrap_or(0);
        if begun < self.pages || run.is_some_and(|run| run.len() != 2) {
            let what = format!("{} pages of the run are there, {begun} counted", self.pages);
            told.tell(Finding::new(Kind::TotalsDiffer, what).under(b"Mrun"));
            told.fixes.put("Mrun", Some(encode(&[self.pages, self.after])));
        }
        Ok(())
    }

    fn compare_fields(&self, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
        let mut stored = BTreeMap::new();
        let mut broken = Vec::new();
        for entry in tree.scan_prefix(b"F") {
            let (key, json) = entry?;
            match (std::str::from_utf8(&key[1..]), serde_json::from_slice::<Kinds>(&json)) {
                (Ok(kind), Ok(counts)) => drop(stored.insert(kind.to_owned(), counts)),
                _ => broken.push(key),
            }
        }
        let is_coarse = self.is_coarse
            || stored.iter().any(|(kind, of)| kind == OTHER || of.fields.contains_key(OTHER));
        let sum =
            |kinds: &BTreeMap<String, Kinds>| kinds.values().map(|kind| kind.items).sum::<u64>();
        if is_coarse && broken.is_empty() {
            // Which of them are counted apart depends on which came first.
            let (found, counted) = (sum(&self.fields), sum(&stored));
            if found > counted {
                let what = format!("{found} items and more, {counted} counted");
                told.tell(Finding::new(Kind::FieldCountsDiffer, what).under(b"F"));
            }
            return Ok(());
        }
        for key in broken {
            told.tell(Finding::new(Kind::FieldCountsDiffer, "it does not decode").under(&key));
            told.fixes.put(key.to_vec(), None);
        }
        let nothing = Kinds::default();
        let kinds: std::collections::BTreeSet<_> =
            self.fields.keys().chain(stored.keys()).collect();
        for kind in kinds {
            let counted = stored.get(kind).unwrap_or(&nothing);
            let found = self.fields.get(kind).unwrap_or(&nothing);
            if is_alike(found, counted) {
                continue;
            }
            let key = [b"F", kind.as_bytes()].concat();
            let what = format!(
                "{} items are there, {} counted; or their fields differ",
                found.items, counted.items
            );
            told.tell(Finding::new(Kind::FieldCountsDiffer, what).under(&key));
            told.fixes.put(key, serde_json::to_vec(found).ok());
        }
        Ok(())
    }

    fn compare_drops(&self, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
        let mut left = self.drops.clone();
        for entry in tree.scan_prefix(b"N") {
            let (key, value) = entry?;
            let name = std::str::from_utf8(&key[1..]).ok().and_then(|name| name.split_once('\0'));
            let name = name.map(|(step, reason)| (step.to_owned(), reason.to_owned()));
            let counted = numbers(&value);
            let found = name.and_then(|name| left.remove(&name)).unwrap_or(0);
            if counted != Some(vec![found]) {
                let what = format!("{found} are in the pages' lists, {counted:?} counted");
                told.tell(Finding::new(Kind::DropCountsDiffer, what).under(&key));
                told.fixes.put(key.to_vec(), (found > 0).then(|| encode(&[found])));
            }
        }
        for ((step, reason), n) in left {
            let key = [b"N", step.as_bytes(), &[0], reason.as_bytes()].concat();
            let what = format!("{n} are in the pages' lists, none counted");
            told.tell(Finding::new(Kind::DropCountsDiffer, what).under(&key));
            told.fixes.put(key, Some(encode(&[n])));
        }
        let sums = vec![self.kept_bytes, self.left_out];
        let stored = tree.get("Mdropped")?.map_or(Some(vec![0, 0]), |value| numbers(&value));
        if stored.as_ref() != Some(&sums) {
            let what = format!("{sums:?} are kept and left out, {stored:?} counted");
            told.tell(Finding::new(Kind::DropCountsDiffer, what).under(b"Mdropped"));
            told.fixes.put("Mdropped", Some(encode(&sums)));
        }
        Ok(())
    }
}

/// Unsigned LEB128, as the store writes numbers.
pub(super) fn encode(numbers: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    for &number in numbers {
        let mut rest = number;
        while rest > 0x7f {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push((rest & 0x7f) as u8);
    }
    out
}

/// A field that is never filled may or may not be counted.
fn is_alike(found: &Kinds, counted: &Kinds) -> bool {
    let of = |kinds: &Kinds, name: &str| kinds.fields.get(name).copied().unwrap_or(0);
    found.items == counted.items
        && found
            .fields
            .keys()
            .chain(counted.fields.keys())
            .all(|name| of(found, name) == of(counted, name))
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
