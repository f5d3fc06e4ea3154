//! What a file is made of: gzip members, zstd frames, or plain records.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::raw::Raw;

/// The largest window of a zstd frame that is read, as a power of two: 128 MiB, which `zstd` itself
/// takes for its limit without `--long`.
const ZSTD_WINDOW_LOG: u32 = 27;

/// A file between two members, or in one.
pub(crate) enum Layer<R: Read> {
    Plain(Raw<R>),
    Gzip(Box<BufReader<GzDecoder<Raw<R>>>>),
    Zstd(Box<BufReader<zstd::stream::read::Decoder<'static, Raw<R>>>>),
}

/// How the members of a file are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap {
    Plain,
    Gzip,
    Zstd,
}

impl Wrap {
    /// By the first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame, which may hold a dictionary.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

impl<R: Read> Layer<R> {
    /// Begins the member that `raw` stands at.
    pub(crate) fn begin(raw: Raw<R>, wrap: Wrap) -> io::Result<Self> {
        Ok(match wrap {
            Wrap::Plain => Self::Plain(raw),
            Wrap::Gzip => Self::Gzip(Box::new(BufReader::new(GzDecoder::new(raw)))),
            Wrap::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?.single_frame();
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Self::Zstd(Box::new(BufReader::new(decoder)))
            }
        })
    }

    /// The file, standing where reading has got to.
    pub(crate) fn end(self) -> Raw<R> {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(reader) => reader.into_inner().into_inner(),
            Self::Zstd(reader) => reader.into_inner().finish(),
        }
    }

    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    fn reader(&mut self) -> &mut dyn BufRead {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(reader) => reader,
            Self::Zstd(reader) => reader,
        }
    }
}

impl<R: Read> Read for Layer<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader().read(out)
    }
}

impl<R: Read> BufRead for Layer<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader().fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.reader().consume(n);
    }
}
