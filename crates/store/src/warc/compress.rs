//! A record's bytes as a member of their own: a gzip member or a zstd frame.

use std::cell::RefCell;
use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How archived records are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyCompression {
    /// Files `.warc.gz`, which every tool reads.
    #[default]
    Gzip,
    /// Files `.warc.zst`: smaller and faster, but fewer tools read them.
    Zstd,
}

/// Level 3 is zstd's own default.
const ZSTD_LEVEL: i32 = 3;

thread_local! {
    /// Its tables are large, and a page has three records.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

impl BodyCompression {
    /// What its files' names end in.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".warc.gz",
            Self::Zstd => ".warc.zst",
        }
    }

    /// Appends a member made of `parts` to `out`.
    pub(crate) fn append(self, parts: &[&[u8]], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Gzip => gzip(parts, out),
            Self::Zstd => zstd(parts, out),
        }
    }
}

/// RFC 1952.
fn gzip(parts: &[&[u8]], out: &mut Vec<u8>) -> io::Result<()> {
    // Deflate, no flags, no time, no operating system.
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let mut crc = crc32fast::Hasher::new();
    let mut len = 0_u32;
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        for (i, part) in parts.iter().enumerate() {
            crc.update(part);
            // The length is kept modulo 2^32 (section 2.3.1).
            len = len.wrapping_add((part.len() & 0xffff_ffff) as u32);
            deflate_part(deflate, part, i + 1 == parts.len(), out)?;
        }
        Ok::<_, io::Error>(())
    })?;
    out.extend_from_slice(&crc.finalize().to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    Ok(())
}

fn deflate_part(
    deflate: &mut Compress,
    mut part: &[u8],
    is_last: bool,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let flush = if is_last { FlushCompress::Finish } else { FlushCompress::None };
    loop {
        out.reserve(part.len() / 3 + 256);
        let before = deflate.total_in();
        let status = deflate.compress_vec(part, out, flush)?;
        let taken = usize::try_from(deflate.total_in() - before).unwrap_or(part.len());
        part = &part[taken.min(part.len())..];
        match status {
            Status::StreamEnd => return Ok(()),
            _ if part.is_empty() && !is_last => return Ok(()),
            _ => {}
        }
    }
}

/// RFC 8878.
fn zstd(parts: &[&[u8]], out: &mut Vec<u8>) -> io::Result<()> {
    let whole = parts.concat();
    ZSTD.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            none => {
                let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                compressor.include_checksum(true)?;
                none.insert(compressor)
            }
        };
        out.extend_from_slice(&compressor.compress(&whole)?);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn members_follow_each_other_and_are_read_by_others() {
        let noise: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let parts: [&[u8]; 4] = [b"WARC/1.1\r\n", b"", &noise, b"\r\n\r\n"];
        let (mut gz, mut zst) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            BodyCompression::Gzip.append(&parts, &mut gz).unwrap();
            BodyCompression::Zstd.append(&parts, &mut zst).unwrap();
        }
        let expected = parts.concat().repeat(2);
        let mut read = Vec::new();
        flate2::read::MultiGzDecoder::new(&*gz).read_to_end(&mut read).unwrap();
        assert!(read == expected);
        assert!(zstd::stream::decode_all(&*zst).unwrap() == expected);
    }

    #[test]
    fn a_member_without_bytes_is_one() {
        for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
            let mut out = Vec::new();
            compression.append(&[b""], &mut out).unwrap();
            assert!(out.len() > 8);
        }
    }
}
