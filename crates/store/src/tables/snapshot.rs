//! A file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::sync_folder;
use crate::{StoreError, crash};

const MAGIC: &[u8; 8] = b"crawl\0s1";
const HEAD: usize = 20;

/// Reads the snapshot; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let mut bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::file("read", path)(e)),
    };
    let damaged = |what| StoreError::Damaged { path: path.to_owned(), offset: 0, what };
    let body = bytes.get(HEAD..).ok_or_else(|| damaged("it ends too early"))?;
    if bytes[..HEAD] != head(body) {
        return Err(damaged("its checksum is wrong"));
    }
    bytes.drain(..HEAD);
    Ok(Some(bytes))
}

/// Writes a snapshot in the place of the one before.
pub(super) fn write(path: &Path, body: &[u8]) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    let written = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(&head(body))?;
        file.write_all(body)?;
        file.sync_all()?;
        crash::point("snapshot-written");
        fs::rename(&new, path)
    };
    crash::point("snapshot-begun");
    written().map_err(StoreError::file("write", &new))?;
    crash::point("snapshot-renamed");
    path.parent().map_or(Ok(()), sync_folder)
}

fn head(body: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&(body.len() as u64).to_le_bytes());
    head[16..].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    head
}
