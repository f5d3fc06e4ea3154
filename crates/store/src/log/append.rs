//! The writer's end of the log.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crawl_model::LogPosition;

use super::segment::{HEADER, Header, RecordHead};
use super::{LogFiles, path_of};
use crate::codec::Sealed;
use crate::{StoreError, crash};

/// Appends blocks. What it has appended is durable, but not committed: that is for the database
/// to say.
#[derive(Debug)]
pub(crate) struct Appender {
    files: Arc<LogFiles>,
    /// Where the next record goes.
    position: LogPosition,
    segment: Option<(PathBuf, File)>,
    buffer: Vec<u8>,
}

impl Appender {
    /// Goes on where the log is committed; what lies beyond has been cut off.
    pub(crate) fn new(files: Arc<LogFiles>) -> Self {
        let position = files.committed();
        Self { files, position, segment: None, buffer: Vec::new() }
    }

    /// Appends blocks of one commit, of which `last_n` is the last settle, and returns the place
    /// behind them when they are on the disk.
    pub(crate) fn append(
        &mut self,
        blocks: &[Sealed],
        last_n: u64,
    ) -> Result<LogPosition, StoreError> {
        let Some(first) = blocks.first() else { return Ok(self.position) };
        if self.position.segment == 0 || self.position.offset >= self.files.segment_bytes {
            self.roll(first.next_n)?;
        }
        let dir = &self.files.dir;
        let (path, file) = match &mut self.segment {
            Some(open) => open,
            none => none.insert(reopen(path_of(dir, self.position.segment))?),
        };
        self.buffer.clear();
        for block in blocks {
            let head = RecordHead::of(block.next_n, &block.bytes);
            let head = head.ok_or_else(|| too_long(path))?;
            self.buffer.extend_from_slice(&head.encode());
            self.buffer.extend_from_slice(&block.bytes);
        }
        write(file, path, &self.buffer, self.position.offset)?;
        self.position.offset += self.buffer.len() as u64;
        self.position.n = last_n;
        Ok(self.position)
    }

    /// Begins the next file. It is there for good, with its name, before a record goes into it.
    fn roll(&mut self, next_n: u64) -> Result<(), StoreError> {
        crash::point("segment-begun");
        let dir = &self.files.dir;
        let number = self.position.segment.saturating_add(1);
        let path = path_of(dir, number);
        if number == 1 {
            make_dir(dir)?;
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).map_err(StoreError::file("create", &path))?;
        crash::point("segment-made");
        let header = Header { number, next_n, before: self.position.offset };
        file.write_all_at(&header.encode(), 0).map_err(StoreError::file("write", &path))?;
        crash::point("segment-written");
        file.sync_all().map_err(StoreError::file("flush", &path))?;
        crash::point("segment-synced");
        sync_dir(dir)?;
        crash::point("segment-named");
        self.segment = Some((path, file));
        self.position = LogPosition { segment: number, offset: HEADER as u64, ..self.position };
        Ok(())
    }
}

fn too_long(path: &Path) -> StoreError {
    let what = "an event is longer than 4 GiB";
    let source = io::Error::new(ErrorKind::FileTooLarge, what);
    StoreError::File { doing: "write", path: path.to_owned(), source }
}

fn reopen(path: PathBuf) -> Result<(PathBuf, File), StoreError> {
    let opened = OpenOptions::new().write(true).open(&path);
    let file = opened.map_err(StoreError::file("open", &path))?;
    Ok((path, file))
}

fn write(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
    crash::point("log-before-append");
    let torn = if crash::IS_ON { bytes.len() / 2 } else { 0 };
    let (first, rest) = bytes.split_at(torn);
    let written = file.write_all_at(first, offset).and_then(|()| {
        crash::point("log-half-appended");
        file.write_all_at(rest, offset + torn as u64)
    });
    written.map_err(StoreError::file("write", path))?;
    crash::point("log-appended");
    file.sync_data().map_err(StoreError::file("flush", path))?;
    crash::point("log-synced");
    Ok(())
}

fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(StoreError::file("create the folder", dir))?;
    dir.parent().map_or(Ok(()), sync_dir)
}

/// Brings the names in a folder to the disk.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(StoreError::file("flush the folder", dir))
}
