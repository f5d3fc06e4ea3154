//! The bytes of an archive file, with the place where the next one lies.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

const BUFFER: usize = 64 << 10;

/// A buffered file that counts, and lets one look ahead.
#[derive(Debug)]
pub(crate) struct Raw<R> {
    file: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Of the byte at `start`.
    position: u64,
}

impl<R: Read> Raw<R> {
    /// `file` stands at byte `position`.
    pub(crate) fn new(file: R, position: u64) -> Self {
        Self { file, buffer: vec![0; BUFFER].into(), start: 0, end: 0, position }
    }

    /// Where the next byte lies in the file.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next `n` bytes or more (`n` at most 4096), fewer only if the file ends; takes none.
    pub(crate) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        if self.end - self.start < n && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < n {
            match self.file.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(n) => self.end += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }
}

impl<R: Read + Seek> Raw<R> {
    /// Goes to byte `position`.
    pub(crate) fn seek_to(&mut self, position: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(position))?;
        (self.start, self.end, self.position) = (0, 0, position);
        Ok(())
    }
}

impl<R: Read> BufRead for Raw<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
        self.position += n as u64;
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}
