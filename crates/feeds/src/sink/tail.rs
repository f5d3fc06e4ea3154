//! The end of a file, where a feed writes: can be appended to, closed with a foot, and cut back.
//!
//! A compressed file is a row of members (gzip) or frames (zstd), so that it too can be cut at any
//! place to which it was written, and is whole there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::{Compression, FeedError};

/// Bytes that are gathered before they are written, as they are or compressed: small members
/// compress badly.
const PLAIN_BUFFER: usize = 64 << 10;
const PACKED_BUFFER: usize = 256 << 10;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: File,
    compression: Compression,
    /// What is not written yet, uncompressed.
    pending: Vec<u8>,
    /// Bytes written, without foot.
    len: u64,
    /// Whether the foot stands behind them.
    is_sealed: bool,
}

impl Tail {
    /// Opens a file, which is made if it is not there, without changing what is in it.
    pub(super) fn open(path: &Path, compression: Compression) -> Result<Self, FeedError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(FeedError::file("create the folder of", path))?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(FeedError::file("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FeedError::InUse { path: path.to_owned() });
            }
            // Some network file systems know no locks; two feeds in one file are then not noticed.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(FeedError::file("lock", path)(source)),
        }
        let len = file.metadata().map_err(FeedError::file("read", path))?.len();
        let pending = Vec::new();
        Ok(Self { path: path.to_owned(), file, compression, pending, len, is_sealed: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written, without foot; as it was opened, all.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes that `foot` takes in this file.
    pub(super) fn len_of(&self, foot: &str) -> io::Result<u64> {
        Ok(pack(self.compression, foot.as_bytes())?.len() as u64)
    }

    /// Cuts the file to `len` bytes and goes on behind them.
    pub(super) fn cut(&mut self, len: u64) -> io::Result<()> {
        self.pending.clear();
        self.file.set_len(len)?;
        (self.len, self.is_sealed) = (len, false);
        Ok(())
    }

    /// Appends.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        let most = match self.compression {
            Compression::None => PLAIN_BUFFER,
            Compression::Gzip | Compression::Zstd => PACKED_BUFFER,
        };
        if self.pending.len() >= most { self.write_out("") } else { Ok(()) }
    }

    /// Writes what is pending where that costs no compression.
    pub(super) fn flush(&mut self, foot: &str) -> io::Result<()> {
        match self.compression {
            Compression::None => self.write_out(foot),
            Compression::Gzip | Compression::Zstd => Ok(()),
        }
    }

    /// Writes all that is pending, the foot behind it, to the disk.
    pub(super) fn sync(&mut self, foot: &str) -> io::Result<()> {
        self.write_out(foot)?;
        self.file.sync_data()
    }

    /// Makes a file in which nothing is one that readers take: compressed nothing is something.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.len > 0 || self.is_sealed {
            return Ok(());
        }
        self.file.write_all_at(&pack_piece(self.compression, b"")?, 0)
    }

    /// Items are longer than a foot, so what is written covers the old one.
    fn write_out(&mut self, foot: &str) -> io::Result<()> {
        let is_done = self.pending.is_empty() && (self.is_sealed || foot.is_empty());
        if is_done {
            return Ok(());
        }
        let mut bytes = pack(self.compression, &self.pending)?;
        let len = bytes.len() as u64;
        bytes.extend(pack(self.compression, foot.as_bytes())?);
        self.file.write_all_at(&bytes, self.len)?;
        self.pending.clear();
        self.len += len;
        self.is_sealed = !foot.is_empty();
        Ok(())
    }

    /// What is in the file, uncompressed, from its start; what is pending is not.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(0))?;
        unpack(self.compression, file.take(self.len))
    }

    /// Takes the place of the file at `path`.
    pub(super) fn replace(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        sync_folder(path)?;
        path.clone_into(&mut self.path);
        Ok(())
    }
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses a piece, which is whole by itself; nothing stays nothing.
pub(super) fn pack(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    if bytes.is_empty() { Ok(Vec::new()) } else { pack_piece(compression, bytes) }
}

fn pack_piece(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(bytes.to_vec()),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes)?;
            encoder.finish()
        }
        Compression::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
    }
}

/// Reads what [`pack`] has written, piece by piece.
pub(super) fn unpack(
    compression: Compression,
    from: impl Read + 'static,
) -> io::Result<Box<dyn Read>> {
    Ok(match compression {
        Compression::None => Box::new(from),
        Compression::Gzip => Box::new(MultiGzDecoder::new(from)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(from)?),
    })
}

/// Makes a name in a folder last.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
