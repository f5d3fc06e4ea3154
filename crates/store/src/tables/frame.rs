//! One compressed, checksummed piece of a table's file.
//!
//! Layout: length as it is, length as stored, CRC-32 of what is stored (each four bytes, little
//! endian), then the bytes; compressed (zstd, RFC 8878) if that makes them fewer.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use zstd::bulk::Decompressor;

use crate::StoreError;

const HEAD: usize = 12;
/// Longest frame that is believed, in bytes.
const MOST: usize = 64 << 20;

thread_local! {
    /// Making one takes longer than unpacking a frame.
    static UNZIP: RefCell<Decompressor<'static>> = RefCell::default();
}

/// Writes frames one behind the other.
pub(crate) struct FrameWriter<W> {
    out: W,
    at: u64,
    zip: zstd::bulk::Compressor<'static>,
}

impl<W: Write> FrameWriter<W> {
    /// Goes on in `out`, which is at byte `at`.
    pub(crate) fn new(out: W, at: u64) -> std::io::Result<Self> {
        Ok(Self { out, at, zip: zstd::bulk::Compressor::new(1)? })
    }

    /// Where the next frame will begin.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Writes one frame.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let zipped = self.zip.compress(bytes)?;
        let stored = if zipped.len() < bytes.len() { &zipped } else { bytes };
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&length(bytes)?);
        head[4..8].copy_from_slice(&length(stored)?);
        head[8..].copy_from_slice(&crc32fast::hash(stored).to_le_bytes());
        self.out.write_all(&head)?;
        self.out.write_all(stored)?;
        self.at += (HEAD + stored.len()) as u64;
        Ok(())
    }

    /// Writes bytes that are no frame.
    pub(crate) fn put_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

fn length(bytes: &[u8]) -> std::io::Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).ok().filter(|&length| length as usize <= MOST);
    Ok(length.ok_or_else(|| std::io::Error::other("a frame of more than 64 MiB"))?.to_le_bytes())
}

/// Reads the frame at byte `at`; also says where the next begins.
pub(crate) fn read(file: &File, path: &Path, at: u64) -> Result<(Vec<u8>, u64), StoreError> {
    let damaged = |what| StoreError::Damaged { path: path.to_owned(), offset: at, what };
    let whole = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => StoreError::file("read", path)(e),
    };
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, at).map_err(whole)?;
    let word = |n: usize| {
        u32::from_le_bytes([head[4 * n], head[4 * n + 1], head[4 * n + 2], head[4 * n + 3]])
    };
    let (raw, stored) = (word(0) as usize, word(1) as usize);
    if raw > MOST || stored > raw {
        return Err(damaged("a length makes no sense"));
    }
    let mut bytes = vec![0; stored];
    file.read_exact_at(&mut bytes, at + HEAD as u64).map_err(whole)?;
    if crc32fast::hash(&bytes) != word(2) {
        return Err(damaged("its checksum is wrong"));
    }
    let next = at + (HEAD + stored) as u64;
    if stored == raw {
        return Ok((bytes, next));
    }
    let unzipped = UNZIP.with_borrow_mut(|unzip| unzip.decompress(&bytes, raw));
    let bytes = unzipped.map_err(|_| damaged("it does not unpack"))?;
    if bytes.len() == raw { Ok((bytes, next)) } else { Err(damaged("its length is wrong")) }
}
