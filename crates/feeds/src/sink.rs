//! Where a feed's bytes go: a file that can be cut back, or a stream that cannot.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{FeedConfig, FeedError, stdout};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Sink {
    path: PathBuf,
    to: To,
    buffer: Vec<u8>,
    len: u64,
}

#[derive(Debug)]
enum To {
    File(File),
    /// Standard output, a pipe, a device.
    Stream(Stream),
}

#[derive(Debug)]
enum Stream {
    Stdout,
    Other(File),
}

impl Sink {
    /// Opens the sink for appending, without changing what is there.
    pub(crate) fn open(config: &FeedConfig) -> Result<Self, FeedError> {
        let path = config.path.clone();
        let to = if config.is_stdout() { To::Stream(Stream::Stdout) } else { open_path(&path)? };
        let len = match &to {
            To::File(file) => file.metadata().map_err(FeedError::file("read", &path))?.len(),
            To::Stream(_) => 0,
        };
        Ok(Self { path, to, buffer: Vec::with_capacity(BUFFER), len })
    }

    /// Whether it can be cut back.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.to, To::File(_))
    }

    /// Bytes that are there, those in the buffer included.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Cuts a file to `len` bytes and goes on behind them; of a stream only the count is set.
    pub(crate) fn cut(&mut self, len: u64) -> Result<(), FeedError> {
        self.buffer.clear();
        self.len = len;
        if let To::File(file) = &mut self.to {
            let cut = file.set_len(len).and_then(|()| file.seek(SeekFrom::Start(len)));
            cut.map_err(FeedError::file("cut", &self.path))?;
        }
        Ok(())
    }

    /// Appends an item as one line.
    pub(crate) fn line(&mut self, json: &str) -> Result<(), FeedError> {
        let before = self.buffer.len();
        // Outside strings a line break is mere white space, inside JSON has none.
        self.buffer.extend(json.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        self.buffer.push(b'\n');
        self.len += (self.buffer.len() - before) as u64;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes the buffer out.
    pub(crate) fn flush(&mut self) -> Result<(), FeedError> {
        let written = match &mut self.to {
            To::File(file) | To::Stream(Stream::Other(file)) => file.write_all(&self.buffer),
            To::Stream(Stream::Stdout) => stdout::write(&self.buffer),
        };
        written.map_err(FeedError::file("write", &self.path))?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the buffer out, to the disk where there is one.
    pub(crate) fn sync(&mut self) -> Result<(), FeedError> {
        self.flush()?;
        match &self.to {
            To::File(file) => file.sync_data().map_err(FeedError::file("flush", &self.path)),
            To::Stream(_) => Ok(()),
        }
    }
}

fn open_path(path: &Path) -> Result<To, FeedError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(FeedError::file("create the folder of", path))?;
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(path);
    let file = file.map_err(FeedError::file("open", path))?;
    let is_file = file.metadata().map_err(FeedError::file("read", path))?.is_file();
    if !is_file {
        return Ok(To::Stream(Stream::Other(file)));
    }
    match file.try_lock() {
        Ok(()) => Ok(To::File(file)),
        Err(TryLockError::WouldBlock) => Err(FeedError::InUse { path: path.to_owned() }),
        // Some network file systems know no locks; two feeds in one file are then not noticed.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(To::File(file)),
        Err(TryLockError::Error(source)) => Err(FeedError::file("lock", path)(source)),
    }
}
