//! Which body files there are, by the database and by the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::bytes::numbers;
use super::pages::Broken;
use super::pointers::OPEN;
use super::told::Told;

/// Lengths by name, as the database has them.
pub(super) fn committed(
    tree: &sled::Db,
    told: &mut Told<'_>,
) -> Result<BTreeMap<String, u64>, Broken> {
    let mut lengths = BTreeMap::new();
    for entry in tree.scan_prefix(b"Mwarc/") {
        let (key, value) = entry?;
        let name = std::str::from_utf8(&key[6..]).ok();
        match (name, numbers(&value).as_deref()) {
            (Some(name), Some([len, ..])) => {
                lengths.insert(name.trim_end_matches(OPEN).to_owned(), *len);
            }
            _ => told.unreadable(&key, "the length of a body file"),
        }
    }
    Ok(lengths)
}

/// Name in the folder and length by name without `.open`.
pub(super) fn on_disk(dir: &Path) -> io::Result<BTreeMap<String, (String, u64)>> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.trim_end_matches(OPEN).to_owned();
        if plain.contains(".warc") && entry.file_type()?.is_file() {
            files.insert(plain, (name, entry.metadata()?.len()));
        }
    }
    Ok(files)
}
