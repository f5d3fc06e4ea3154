//! Names of the body files, and what recovery does to them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::warc::BodyCompression;

/// What a file's name ends in while it is written to.
const OPEN: &str = ".open";

pub(super) fn name_of(number: u32, compression: BodyCompression) -> String {
    format!("{number:06}{}", compression.extension())
}

pub(super) fn open_name(name: &str) -> String {
    format!("{name}{OPEN}")
}

/// How the file of this name is compressed; `None` if it is none of ours.
pub(super) fn compression_of(name: &str) -> Option<BodyCompression> {
    let all = [BodyCompression::Gzip, BodyCompression::Zstd];
    all.into_iter().find(|compression| name.ends_with(compression.extension()))
}

/// The number of a file; `None` if it is none of ours.
pub(super) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(compression_of(name)?.extension())?;
    let is_ours = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_ours)
}

/// Opens a file to read it, whether or not it is still written to.
pub(super) fn open(dir: &Path, name: &str) -> std::io::Result<File> {
    let closed = dir.join(name);
    let missing = |e: &std::io::Error| e.kind() == ErrorKind::NotFound;
    match File::open(&closed) {
        Err(e) if missing(&e) => match File::open(dir.join(open_name(name))) {
            // It may have been closed just now.
            Err(e) if missing(&e) => File::open(&closed),
            opened => opened,
        },
        opened => opened,
    }
}

/// The body files of the crawl in `folder` with their final names, oldest first. Needs no lock: of
/// a running crawl the last file may end within a record.
///
/// # Errors
/// [`StoreError::File`] if the folder cannot be read.
pub fn archive_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let dir = folder.join("bodies");
    let mut files = Vec::new();
    for path in listed(&dir)? {
        let name = name_in(&path);
        if let Some(number) = number_of(&name) {
            files.push((number, name, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, name, path)| (name, path)).collect())
}

/// The final name of a file.
fn name_in(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(OPEN).unwrap_or(&name).to_owned()
}

/// Gives files that a kill left open their final names.
pub(super) fn close_all(dir: &Path, names: &[String]) -> Result<(), StoreError> {
    for name in names {
        let open = dir.join(open_name(name));
        if open.exists() {
            fs::rename(&open, dir.join(name)).map_err(StoreError::file("rename", &open))?;
        }
    }
    Ok(())
}

/// What is in the folder; nothing if it is not there.
fn listed(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(dir) {
        Ok(entries) => {
            entries.map(|entry| Ok(entry.map_err(StoreError::file("read", dir))?.path())).collect()
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(StoreError::file("read", dir)(e)),
    }
}

/// Cuts the files back to their committed lengths; returns what was done, for people.
pub(crate) fn cut_back(
    dir: &Path,
    committed: &BTreeMap<String, u64>,
) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    if !dir.exists() && !committed.is_empty() {
        notes.push("the folder `bodies` is gone: archived bodies cannot be read".to_owned());
        return Ok(notes);
    }
    for path in listed(dir)? {
        let name = name_in(&path);
        if number_of(&name).is_some() {
            notes.extend(cut_file(&path, &name, committed.get(&name).copied())?);
        }
    }
    Ok(notes)
}

fn cut_file(path: &Path, name: &str, good: Option<u64>) -> Result<Option<String>, StoreError> {
    let Some(good) = good else {
        fs::remove_file(path).map_err(StoreError::file("remove", path))?;
        return Ok(Some(format!("bodies/{name} removed: no settled page points into it")));
    };
    let file = OpenOptions::new().write(true).open(path);
    let file = file.map_err(StoreError::file("open", path))?;
    let len = file.metadata().map_err(StoreError::file("read", path))?.len();
    if len > good {
        file.set_len(good).map_err(StoreError::file("cut", path))?;
        return Ok(Some(format!(
            "bodies/{name} cut by {} bytes that no settled page points to",
            len - good
        )));
    }
    let short = format!("bodies/{name} lacks {} bytes: some bodies cannot be read", good - len);
    Ok((len < good).then_some(short))
}
