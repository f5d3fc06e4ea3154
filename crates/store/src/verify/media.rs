//! Files that items asked for: every byte against its digest, every pointer against its file.
//!
//! A file's digest is its key in the database, and its place: `media/`, two digits, `/`, the rest,
//! and an ending. A page that has it is named by a key of digest and page, and names it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::bytes::{be_u64, numbers};
use super::counts::encode;
use super::finding::{Finding, Kind};
use super::pages::{Broken, Gone, Record, page_key};
use super::told::Told;

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// What is known of a file.
#[derive(Debug, Deserialize)]
struct Value {
    path: String,
    bytes: u64,
}

/// Checks all of them.
pub(super) fn check(root: &Path, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let (mut n, mut sum) = (0_u64, 0_u64);
    let mut whole = [0, 0];
    for entry in tree.scan_prefix(b"f") {
        let (key, json) = entry?;
        let value = serde_json::from_slice::<Value>(&json).ok().filter(|_| key.len() == 33);
        let Some(value) = value else {
            told.unreadable(&key, "what is known of a file");
            continue;
        };
        (n, sum) = (n + 1, sum + value.bytes);
        if file(root, tree, &key[1..], &value, told)? {
            whole = [whole[0] + 1, whole[1] + value.bytes];
        }
    }
    told.sums.files = n;
    let stored = tree.get("Mfiles")?.map(|value| numbers(&value).unwrap_or_default());
    let stored = stored.unwrap_or_else(|| vec![0, 0]);
    if stored != [n, sum] {
        let what = format!("there are {n} files of {sum} bytes, and it says otherwise");
        told.tell(Finding::new(Kind::TotalsDiffer, what).under(b"Mfiles"));
    }
    // Those that are lost do not count when they are mended.
    if stored != whole {
        told.fixes.put("Mfiles", Some(encode(&whole)));
    }
    uses(tree, told)?;
    asked_again(tree, told)?;
    strangers(root, tree, told)
}

/// One file against what is known of it; whether it is as it should be.
fn file(
    root: &Path,
    tree: &sled::Db,
    digest: &[u8],
    value: &Value,
    told: &mut Told<'_>,
) -> Result<bool, Broken> {
    let hex = hex(digest);
    let (start, rest) = hex.split_at(2);
    let ending = value.path.strip_prefix(&format!("media/{start}/{rest}"));
    let is_place = ending.is_some_and(|ending| {
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ending.is_empty() || ending.strip_prefix('.').is_some_and(is_plain)
    });
    let wrong = match is_place {
        false => Some((Kind::MediaDiffers, "it is not where a file of its digest lies".to_owned())),
        true => match File::open(root.join(&value.path)) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                Some((Kind::MissingMedia, format!("{} bytes are lost", value.bytes)))
            }
            Err(e) => Some((Kind::MissingMedia, format!("it cannot be read: {e}"))),
            Ok(mut file) => {
                compare(&mut file, digest, value.bytes)?.map(|what| (Kind::MediaDiffers, what))
            }
        },
    };
    let Some((kind, what)) = wrong else { return Ok(true) };
    let why = format!("{}: {what}", value.path);
    let finding = Finding::new(kind, what).in_file(value.path.as_str());
    let user = lose(tree, digest, &why, told)?;
    told.tell(match user {
        Some(url) => finding.of(url),
        None => finding,
    });
    told.fixes.put([b"f", digest].concat(), None);
    if is_place && kind == Kind::MediaDiffers {
        // What comes again would be taken for the same, if it is as long.
        told.fixes.bad_files.push(root.join(&value.path));
    }
    Ok(false)
}

/// Notes all pages that have a file as having lost it; the URL of the first.
fn lose(
    tree: &sled::Db,
    digest: &[u8],
    why: &str,
    told: &mut Told<'_>,
) -> Result<Option<String>, sled::Error> {
    let mut first = None;
    for entry in tree.scan_prefix([b"u", digest].concat()) {
        let (key, _) = entry?;
        let print = be_u64(&key, 33).filter(|_| key.len() == 41);
        told.fixes.put(key.to_vec(), None);
        let Some(print) = print else { continue };
        if let Some(record) = record(tree, print)? {
            first.get_or_insert_with(|| record.url.to_string());
            told.fixes.lose_file(print, why.to_owned());
        }
    }
    Ok(first)
}

/// What is wrong with the bytes of a file.
fn compare(file: &mut File, digest: &[u8], bytes: u64) -> io::Result<Option<String>> {
    let len = file.metadata()?.len();
    if len != bytes {
        return Ok(Some(format!("it has {len} bytes and should have {bytes}")));
    }
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => hash.update(&piece[..n]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let is_same = hash.finalize()[..] == *digest;
    Ok((!is_same).then(|| "its SHA-256 is not that of its name".to_owned()))
}

fn record(tree: &sled::Db, print: u64) -> Result<Option<Record>, sled::Error> {
    let json = tree.get(page_key(print))?;
    Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
}

/// Who has a file says so, and who is named as having one has it.
fn uses(tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    for entry in tree.scan_prefix(b"u") {
        let (key, _) = entry?;
        let digest = key.get(1..33).unwrap_or_default();
        let page = be_u64(&key, 33).filter(|_| key.len() == 41);
        let record = page.map(|print| record(tree, print)).transpose()?.flatten();
        let file = record.and_then(|record| record.file);
        if file.is_none_or(|file| file.sha256 != hex(digest)) {
            let what = "a page is named as having a file, and has another or none";
            told.tell(Finding::new(Kind::OrphanParts, what).under(&key));
            told.fixes.put(key.to_vec(), None);
        }
    }
    for tag in [b"w", b"l"] {
        for entry in tree.scan_prefix(tag) {
            let (key, value) = entry?;
            let is_good = match tag {
                b"w" => key.len() == 17 && value.is_empty(),
                _ => key.len() == 9 && value.len() == 8,
            };
            if !is_good {
                told.unreadable(&key, "who waits for a file, or where it is");
                told.fixes.put(key.to_vec(), None);
            }
        }
    }
    Ok(())
}

/// What is to be fetched again was lost.
fn asked_again(tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    for entry in tree.scan_prefix(b"L") {
        let (key, value) = entry?;
        let print = be_u64(&key, 1).filter(|_| key.len() == 9 && value.is_empty());
        let record = print.map(|print| record(tree, print)).transpose()?.flatten();
        if record.is_none_or(|record| record.body_lost.is_empty() || record.file.is_some()) {
            let what = "a file is to be fetched again, and was not lost";
            told.tell(Finding::new(Kind::OrphanParts, what).under(&key));
            told.fixes.put(key.to_vec(), None);
        }
    }
    Ok(())
}

/// A page's record against the database: called for each that has a file.
pub(super) fn page(
    tree: &sled::Db,
    print: u64,
    record: &Record,
    file: &Gone,
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    let Some(digest) = unhex(&file.sha256) else {
        let what = "the SHA-256 of its file is none";
        told.tell(Finding::new(Kind::PageDiffers, what).of(&record.url));
        return Ok(());
    };
    let value = tree.get([b"f", &digest[..]].concat())?;
    let value = value.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    let is_known =
        value.is_some_and(|value| (value.path, value.bytes) == (file.path.clone(), record.bytes));
    let is_used = tree.contains_key([b"u", &digest[..], &print.to_be_bytes()].concat())?;
    if !is_known || !is_used {
        let what = "its file is not among those that are known, or not as this page's";
        let finding = Finding::new(Kind::MissingMedia, what).in_file(file.path.as_str());
        told.tell(finding.of(&record.url));
        told.fixes.lose_file(print, format!("{}: nothing is known of it", file.path));
        told.fixes.put([b"u", &digest[..], &print.to_be_bytes()].concat(), None);
    }
    Ok(())
}

/// Files that nobody knows of.
fn strangers(root: &Path, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let media = root.join("media");
    for name in names(&media)? {
        for file in names(&media.join(&name))? {
            let place = format!("media/{name}/{file}");
            let digits = format!("{name}{}", file.split('.').next().unwrap_or_default());
            let known = match unhex(&digits) {
                Some(digest) if name != "new" => tree.get([b"f", &digest[..]].concat())?,
                _ => None,
            };
            let value = known.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
            if name == "new" {
                let what = "of a file in the making";
                told.tell(Finding::new(Kind::Leftover, what).in_file(place));
            } else if value.is_none_or(|value| value.path != place) {
                let is_marked = media.join("new").join(format!("{name}{file}")).exists();
                let kind = if is_marked { Kind::Leftover } else { Kind::UnknownMedia };
                told.tell(Finding::new(kind, "no page has it").in_file(place));
            }
        }
    }
    Ok(())
}

/// The names in a folder, in order; none if it is not there.
fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(digest)
}
