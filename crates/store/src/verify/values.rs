//! Values that stand by themselves: meta data, robots.txt, cookies, death counts, kinds of items and
//! items that are gone; the seal over them; the index of item keys.

use crawl_model::CanonicalUrl;
use serde::Deserialize;
use serde_json::Value;

use super::bytes::{Bytes, be_u64, fnv, numbers};
use super::finding::{Finding, Kind};
use super::items::{self, Keyed, Kinds, ROW};
use super::pages::Broken;
use super::told::Told;
use crate::sort::Sorter;

/// Tags of keys, in their order.
const TAGS: &[u8] = b"BCDFGIKLMNPRTXafkluw";
const ROBOTS_PART: usize = 3584;
const MOST_ROBOTS: usize = 512 * 1024;

/// The number of sealed values, and the sum of their checksums.
#[derive(Debug, Default)]
struct Seal {
    n: u64,
    sum: u64,
}

impl Seal {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.n += 1;
        self.sum = self.sum.wrapping_add(fnv(key.iter().chain(&[0xff]).chain(value)));
    }
}

/// Checks all of them; gives the kinds of items.
pub(super) fn check(tree: &sled::Db, told: &mut Told<'_>) -> Result<Kinds, Broken> {
    unknown_tags(tree, told)?;
    let mut seal = Seal::default();
    meta(tree, &mut seal, told)?;
    robots(tree, &mut seal, told)?;
    for entry in tree.scan_prefix(b"C") {
        let (key, value) = entry?;
        seal.add(&key, &value);
        if std::str::from_utf8(&key[1..]).is_err() || std::str::from_utf8(&value).is_err() {
            told.unreadable(&key, "a cookie");
            told.fixes.put(key.to_vec(), None);
        }
    }
    for entry in tree.scan_prefix(b"D") {
        let (key, value) = entry?;
        seal.add(&key, &value);
        let is_count = numbers(&value).is_some_and(|n| n.len() == 1 && n[0] > 0);
        if key.len() != 9 || !is_count {
            told.unreadable(&key, "a death count");
            told.fixes.put(key.to_vec(), None);
        }
    }
    let kinds = Kinds::read(tree, &mut |key, value| seal.add(key, value), told)?;
    items::gone(tree, &kinds, &mut |key, value| seal.add(key, value), told)?;
    known_bodies(tree, told)?;
    let stored = tree.get("Mseal")?.map(|value| numbers(&value));
    if stored != Some(Some(vec![seal.n, seal.sum])) {
        let what = match stored {
            None => "it is not there".to_owned(),
            Some(stored) => {
                let n = stored.and_then(|stored| stored.first().copied());
                format!("it is over {n:?} values, {} are there, or one is another", seal.n)
            }
        };
        told.tell(Finding::new(Kind::SealDiffers, what).under(b"Mseal"));
        told.fixes.seal = true;
    }
    Ok(kinds)
}

/// Blocks of bodies that are known: first half of a digest, number of the file with the compression,
/// offset, length. Who uses one compares the whole digest, so wrong ones do no harm.
fn known_bodies(tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    for entry in tree.scan_prefix(b"B") {
        let (key, value) = entry?;
        let mut rest = &value[..];
        let mut is_good = key.len() == 9;
        while is_good && !rest.is_empty() {
            let mut fields = Bytes(rest.get(8..).unwrap_or_default());
            is_good = (0..3).all(|_| fields.number().is_some());
            rest = fields.0;
        }
        if !is_good {
            told.unreadable(&key, "a block of known bodies");
            told.fixes.put(key.to_vec(), None);
        }
    }
    Ok(())
}

/// Finds keys of no kind, without looking at those of a kind.
fn unknown_tags(tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let mut from = vec![];
    while let Some(entry) = tree.range(from.clone()..).next() {
        let (key, _) = entry?;
        let tag = key.first().copied().unwrap_or(0);
        if !TAGS.contains(&tag) {
            told.tell(Finding::new(Kind::UnknownKey, "it begins with no known tag").under(&key));
            told.fixes.put(key.to_vec(), None);
            from = [&key[..], &[0]].concat();
            continue;
        }
        let Some(next) = tag.checked_add(1) else { break };
        from = vec![next];
    }
    Ok(())
}

fn meta(tree: &sled::Db, seal: &mut Seal, told: &mut Told<'_>) -> Result<(), Broken> {
    let mut has_logged = false;
    for entry in tree.scan_prefix(b"M") {
        let (key, value) = entry?;
        let name = String::from_utf8_lossy(&key[1..]).into_owned();
        let are_numbers = |n: usize| numbers(&value).is_some_and(|all| all.len() == n);
        let is_json = || serde_json::from_slice::<Value>(&value).is_ok();
        let (is_sealed, is_good) = match &*name {
            "format" => (true, *value == *b"5"),
            "identity" | "config" => (true, is_json()),
            "blocked" => (true, serde_json::from_slice::<Vec<String>>(&value).is_ok()),
            "clean" => (true, numbers(&value).is_some_and(|all| all == [0] || all == [1])),
            "epoch" => (true, are_numbers(1)),
            "totals" => {
                has_logged = numbers(&value).is_some_and(|all| all.get(2).is_some_and(|n| *n > 0));
                (false, are_numbers(4))
            }
            "run" | "dropped" | "seal" | "files" => (false, are_numbers(2)),
            _ if name.starts_with("run/") => (true, is_json()),
            _ if name.starts_with("feed/") => {
                let mut bytes = Bytes(&value);
                let has_numbers = (0..3).all(|_| bytes.number().is_some());
                (true, has_numbers && std::str::from_utf8(bytes.0).is_ok())
            }
            _ if name.starts_with("warc/") => (false, numbers(&value).is_some()),
            _ => {
                told.tell(Finding::new(Kind::UnknownKey, "no such meta data").under(&key));
                (true, true)
            }
        };
        if is_sealed {
            seal.add(&key, &value);
        }
        if !is_good {
            told.unreadable(&key, "meta data");
        }
    }
    for name in ["format", "identity", "clean", "epoch"] {
        missing(tree, name, told)?;
    }
    if has_logged {
        // Each run notes its limits before it begins.
        missing(tree, "config", told)?;
    }
    Ok(())
}

fn missing(tree: &sled::Db, name: &str, told: &mut Told<'_>) -> Result<(), Broken> {
    let key = [b"M", name.as_bytes()].concat();
    if !tree.contains_key(&key)? {
        told.tell(Finding::new(Kind::MissingValue, "every crawl has it").under(&key));
    }
    Ok(())
}

/// The first part of a robots.txt.
#[derive(Debug, Deserialize)]
struct RobotsHead {
    #[serde(rename = "fetched_ms")]
    _fetched_ms: u64,
    kind: String,
}

fn robots(tree: &sled::Db, seal: &mut Seal, told: &mut Told<'_>) -> Result<(), Broken> {
    let mut origin: Vec<u8> = Vec::new();
    let (mut next, mut bytes, mut is_rules) = (0_u32, 0_usize, false);
    for entry in tree.scan_prefix(b"R") {
        let (key, value) = entry?;
        seal.add(&key, &value);
        let split = key.len().saturating_sub(5);
        let (name, part) = (key.get(1..split).unwrap_or_default(), &key[split..]);
        let part: Option<[u8; 5]> = part.try_into().ok();
        let part = part.filter(|part| part[0] == 0 && split > 0);
        let part = part.map(|part| u32::from_be_bytes([part[1], part[2], part[3], part[4]]));
        if name != origin {
            name.clone_into(&mut origin);
            (next, bytes, is_rules) = (0, 0, false);
        }
        let mut is_good = part == Some(next);
        if next == 0 {
            let text = std::str::from_utf8(name).ok();
            let is_origin = text.is_some_and(|text| CanonicalUrl::parse(text).is_ok());
            let head = serde_json::from_slice::<RobotsHead>(&value).ok();
            let kind = head.as_ref().map_or("", |head| &*head.kind);
            is_rules = kind == "rules";
            is_good &= is_origin && (is_rules || matches!(kind, "allow-all" | "unreachable"));
        } else {
            is_good &= is_rules && bytes % ROBOTS_PART == 0 && !value.is_empty();
            bytes += value.len();
            is_good &= value.len() <= ROBOTS_PART && bytes <= MOST_ROBOTS;
        }
        if !is_good {
            let what = "the parts of a robots.txt do not make one";
            told.tell(Finding::new(Kind::RobotsDamaged, what).under(&key));
            for part in tree.scan_prefix([b"R", name, &[0]].concat()) {
                told.fixes.put(part?.0.to_vec(), None);
            }
        }
        next = part.map_or(next, |part| part.saturating_add(1)).max(1);
    }
    Ok(())
}

/// The index of item keys against the pages' lists of theirs: both say the same.
pub(super) fn item_keys(
    tree: &sled::Db,
    of_pages: Sorter<ROW>,
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    let mut rows = of_pages.sorted()?;
    let differs = |key: &[u8], what: &str, told: &mut Told<'_>| {
        told.tell(Finding::new(Kind::ItemKeyDiffers, what).under(key));
        told.fixes.item_keys = true;
    };
    let full = |row: &[u8; ROW]| [b"K", &row[..24]].concat();
    let missing = "a page has this key, the index does not";
    let mut before: Option<[u8; ROW]> = None;
    for entry in tree.scan_prefix(b"K") {
        let (key, value) = entry?;
        while rows.peek().is_some_and(|row| row[..24] < key[1..]) {
            if let Some(row) = rows.next()? {
                differs(&full(&row), missing, told);
            }
        }
        if rows.peek().is_none_or(|row| row[..24] != key[1..]) {
            if be_u64(&key, 17).is_none_or(|print| !told.fixes.unread.contains(&print)) {
                differs(&key, "the index has it, and no page", told);
            }
            continue;
        }
        while rows.peek().is_some_and(|row| row[..24] == key[1..]) {
            let Some(row) = rows.next()? else { break };
            if Keyed::value_of(&row) != *value {
                differs(&key, "the index says something else of it than its page", told);
            }
            let has_other = before.is_some_and(|other| other[..16] == row[..16]);
            if has_other && be_u64(&row, 24) == Some(0) {
                differs(&key, "two pages have it, and one may", told);
            }
            before = Some(row);
        }
    }
    while let Some(row) = rows.next()? {
        differs(&full(&row), missing, told);
    }
    Ok(())
}
