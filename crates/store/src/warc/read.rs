//! Reads archives of any crawler: WARC 0.17 to 1.1, plain, gzip or zstd, one record after the
//! other in bounded memory.
//!
//! A record that makes no sense is told and passed over: the next one is looked for by what a
//! record begins with.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek};
use std::path::{Path, PathBuf};

use super::head::{Head, cut_short};
use super::member::{Layer, Wrap};
use super::raw::Raw;
use crate::StoreError;

/// What is looked at to see whether a member begins a record.
const LOOK: usize = 4096;

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: no record at byte {offset}: {reason}", file.display())]
pub struct BadRecord {
    /// The file.
    pub file: PathBuf,
    /// Where the record, or its member, begins.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// An archive, read from its beginning or from a record.
///
/// [`next`](Self::next) gives a record's head; the value itself reads the record's block then.
pub struct Warc<R: Read> {
    path: PathBuf,
    wrap: Wrap,
    /// `None` only while one layer is made of another.
    layer: Option<Layer<R>>,
    /// Whether `layer` is inside a member.
    is_inside: bool,
    /// Where the member, or plain record, begins.
    begin: u64,
    /// How many records the member has given.
    n_of_member: u32,
    /// Bytes of the block that have not been read.
    rest: u64,
    is_over: bool,
}

impl Warc<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError::File`] if it cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_at(path, 0)
    }

    /// Opens a file at a record.
    pub(crate) fn open_at(path: &Path, offset: u64) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::file("open", path))?;
        let warc = Self::at(file, path, offset);
        warc.map_err(StoreError::file("read", path))
    }
}

impl<R: Read + Seek> Warc<R> {
    /// Reads `file`, called `path` in errors, from a record at byte `offset` on.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be read there.
    pub(crate) fn at(file: R, path: &Path, offset: u64) -> io::Result<Self> {
        let mut raw = Raw::new(file, 0);
        raw.seek_to(offset)?;
        let wrap = Wrap::of(raw.peek(4)?);
        Ok(Self {
            path: path.to_owned(),
            wrap,
            layer: Some(Layer::Plain(raw)),
            is_inside: false,
            begin: offset,
            n_of_member: 0,
            rest: 0,
            is_over: false,
        })
    }

    /// The next record's head; `None` at the end of the file. What was not read of the record
    /// before is passed over.
    #[allow(clippy::should_implement_trait, reason = "between two steps the block is read")]
    pub fn next(&mut self) -> Option<Result<Head, BadRecord>> {
        if self.is_over {
            return None;
        }
        match self.step() {
            Ok(Some(head)) => Some(Ok(head)),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(error) => {
                let bad = self.bad(&error);
                if let Err(error) = self.find_next() {
                    // The file itself cannot be read any further.
                    self.is_over = true;
                    return Some(Err(self.bad(&error)));
                }
                Some(Err(bad))
            }
        }
    }

    /// Passes over the rest of a record; gives the byte behind it, or behind its member. `None` if
    /// it is not alone in its member, so that it cannot be found by its place.
    ///
    /// # Errors
    /// [`BadRecord`] if the record is cut short or damaged; the next step finds the next one.
    pub fn finish(&mut self) -> Result<Option<u64>, BadRecord> {
        match self.leave() {
            Ok(end) => Ok(end),
            Err(error) => {
                let bad = self.bad(&error);
                self.is_over = self.find_next().is_err();
                Err(bad)
            }
        }
    }

    /// Says of the record at hand that it cannot be read.
    #[must_use]
    pub fn bad(&self, error: &io::Error) -> BadRecord {
        BadRecord { file: self.path.clone(), offset: self.begin, reason: error.to_string() }
    }

    fn step(&mut self) -> io::Result<Option<Head>> {
        self.leave()?;
        loop {
            if !self.is_inside && !self.enter()? {
                return Ok(None);
            }
            if self.layer()?.is_plain() {
                self.skip_blank()?;
                self.begin = self.raw_position();
            }
            if !self.layer()?.fill_buf()?.is_empty() {
                let head = self.head()?;
                self.n_of_member += 1;
                self.rest = head.len;
                return Ok(Some(head));
            }
            // A plain file has one member, an empty one (a skippable frame, say) has no record.
            self.close()?;
        }
    }

    /// Begins the next member; `false` at the end of the file.
    fn enter(&mut self) -> io::Result<bool> {
        let Some(Layer::Plain(mut raw)) = self.layer.take() else {
            return Err(io::Error::other("two members in one another"));
        };
        self.begin = raw.position();
        let bytes = raw.peek(4)?;
        let (is_end, wrap) = (bytes.is_empty(), Wrap::of(bytes));
        let is_other = wrap != self.wrap;
        let layer = if is_end || is_other { Layer::Plain(raw) } else { Layer::begin(raw, wrap)? };
        self.layer = Some(layer);
        if !is_end && is_other {
            return Err(io::Error::other("neither a record nor a compressed member begins here"));
        }
        (self.is_inside, self.n_of_member) = (!is_end, 0);
        Ok(!is_end)
    }

    /// Ends the member.
    fn close(&mut self) -> io::Result<()> {
        let layer = self.layer.take().ok_or_else(|| io::Error::other("no member is open"))?;
        self.layer = Some(Layer::Plain(layer.end()));
        self.is_inside = false;
        Ok(())
    }

    /// Passes over what is left of the record, and ends its member if it was the last in it.
    fn leave(&mut self) -> io::Result<Option<u64>> {
        if !self.is_inside {
            return Ok(None);
        }
        let rest = std::mem::take(&mut self.rest);
        let layer = self.layer()?;
        let passed = io::copy(&mut layer.by_ref().take(rest), &mut io::sink())?;
        if passed < rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.skip_blank()?;
        if self.layer()?.is_plain() {
            return Ok(Some(self.raw_position()));
        }
        if self.layer()?.fill_buf()?.is_empty() {
            let is_alone = self.n_of_member <= 1;
            self.close()?;
            return Ok(Some(self.raw_position()).filter(|_| is_alone));
        }
        Ok(None)
    }

    /// The two empty lines behind a block; some tools write fewer, or more.
    fn skip_blank(&mut self) -> io::Result<()> {
        let layer = self.layer()?;
        loop {
            let bytes = layer.fill_buf()?;
            let n = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if n == 0 {
                return Ok(());
            }
            layer.consume(n);
        }
    }

    fn head(&mut self) -> io::Result<Head> {
        let offset = self.begin;
        Head::read(self.layer()?, offset)
    }

    /// Looks for the next record behind the beginning of the one that failed.
    fn find_next(&mut self) -> io::Result<()> {
        self.rest = 0;
        if let Some(layer) = self.layer.take() {
            self.layer = Some(Layer::Plain(layer.end()));
        }
        self.is_inside = false;
        let wrap = self.wrap;
        let Some(Layer::Plain(raw)) = &mut self.layer else { return Err(cut_short()) };
        raw.seek_to(self.begin + 1)?;
        loop {
            let bytes = raw.peek(LOOK)?;
            if bytes.is_empty() {
                return Ok(());
            }
            let found = (0..bytes.len()).find(|&i| may_begin(&bytes[i..], wrap));
            // The last bytes are looked at again with those behind them.
            let is_end = bytes.len() < LOOK;
            let next = found.unwrap_or(if is_end { bytes.len() } else { bytes.len() - 16 });
            raw.consume(next);
            if found.is_some() && is_record(raw.peek(LOOK)?, wrap) {
                return Ok(());
            }
            if found.is_some() {
                raw.consume(1);
            }
        }
    }

    fn raw_position(&self) -> u64 {
        match &self.layer {
            Some(Layer::Plain(raw)) => raw.position(),
            _ => self.begin,
        }
    }
}

impl<R: Read> Warc<R> {
    fn layer(&mut self) -> io::Result<&mut Layer<R>> {
        self.layer.as_mut().ok_or_else(cut_short)
    }
}

/// The block of the record whose head was given last.
impl<R: Read> Read for Warc<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.rest).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let n = self.layer()?.read(&mut out[..most])?;
        if n == 0 {
            return Err(cut_short());
        }
        self.rest -= n as u64;
        Ok(n)
    }
}

/// Whether a record, or its member, may begin with these bytes.
fn may_begin(bytes: &[u8], wrap: Wrap) -> bool {
    match wrap {
        Wrap::Plain => bytes.starts_with(b"WARC/"),
        Wrap::Gzip => bytes.starts_with(&[0x1f, 0x8b, 8]),
        Wrap::Zstd => bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
    }
}

/// Whether it does, as far as these bytes tell.
fn is_record(bytes: &[u8], wrap: Wrap) -> bool {
    let mut begin = [0; 5];
    let read =
        Layer::begin(Raw::new(bytes, 0), wrap).and_then(|mut layer| layer.read_exact(&mut begin));
    read.is_ok() && begin == *b"WARC/"
}

#[cfg(test)]
mod tests;
