//! One body file that is written to.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::files::{compression_of, open_name};
use crate::warc::{BodyCompression, Ids, Record};
use crate::{StoreError, crash};

#[derive(Debug)]
pub(super) struct Segment {
    /// Its final name.
    pub(super) name: String,
    dir: PathBuf,
    path: PathBuf,
    file: File,
    pub(super) len: u64,
    pub(super) is_dirty: bool,
}

impl Segment {
    /// Opens the newest file to append to it, if it was not closed; recovery has cut it to its
    /// committed length. One that lacks bytes, or is compressed otherwise, is closed as it is.
    pub(super) fn reopen(
        dir: &Path,
        name: &str,
        committed: u64,
        compression: BodyCompression,
    ) -> Result<Option<Self>, StoreError> {
        let path = dir.join(open_name(name));
        let file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::file("open", &path)(e)),
        };
        let len = file.metadata().map_err(StoreError::file("read", &path))?.len();
        let (name, dir) = (name.to_owned(), dir.to_owned());
        let segment = Self { name, dir, path, file, len, is_dirty: false };
        if len == committed && compression_of(&segment.name) == Some(compression) {
            return Ok(Some(segment));
        }
        segment.close()?;
        Ok(None)
    }

    /// Begins a file with the record that says what it is.
    pub(super) fn begin(
        dir: &Path,
        name: String,
        ids: &Ids,
        compression: BodyCompression,
        now_us: u64,
    ) -> Result<Self, StoreError> {
        let path = dir.join(open_name(&name));
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(dir).map_err(StoreError::file("create", dir))?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(StoreError::file("create", &path))?;
        // The name must survive a power cut as well as the bytes.
        sync_dir(dir)?;
        let mut info = Vec::new();
        append_info(&name, ids, compression, now_us, &mut info)
            .map_err(StoreError::file("write", &path))?;
        let mut segment = Self { name, dir: dir.to_owned(), path, file, len: 0, is_dirty: false };
        segment.append(&info)?;
        crash::point("bodies-begun");
        Ok(segment)
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_all_at(bytes, self.len);
        written.map_err(StoreError::file("write", &self.path))?;
        self.len += bytes.len() as u64;
        self.is_dirty = true;
        Ok(())
    }

    /// Writes over what is there.
    pub(super) fn overwrite(&mut self, bytes: &[u8], at: u64) -> Result<(), StoreError> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(StoreError::file("write", &self.path))?;
        self.is_dirty = true;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::file("flush", &self.path))?;
        self.is_dirty = false;
        Ok(())
    }

    /// Gives the file its final name.
    pub(super) fn close(self) -> Result<(), StoreError> {
        crash::point("bodies-full");
        let closed = self.dir.join(&self.name);
        fs::rename(&self.path, &closed).map_err(StoreError::file("rename", &self.path))?;
        crash::point("bodies-closed");
        sync_dir(&self.dir)
    }
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(StoreError::file("flush", dir))
}

fn append_info(
    name: &str,
    ids: &Ids,
    compression: BodyCompression,
    now_us: u64,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let block = concat!(
        "software: crawl/",
        env!("CARGO_PKG_VERSION"),
        "\r\nformat: WARC File Format 1.1\r\n\
        conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
        description: bodies are stored decoded; Content-Encoding and Transfer-Encoding are \
        removed, Content-Length is corrected, the originals are in X-Archive-Orig-*\r\n"
    );
    Record::new("warcinfo", &ids.next(), now_us).with("WARC-Filename", &name).append(
        "application/warc-fields",
        &[block.as_bytes()],
        compression,
        out,
    )
}
