//! Seeds from a file, read as it goes: it may hold millions.
//!
//! One URL a line; blank lines and those that begin with `#` are skipped. The next chunk is read
//! when the one before is durable, so what is in memory at a time is one chunk. A line that is no
//! URL is counted and told of at the end, for of a million some always are none. After a kill the
//! file is read again from its start: what is known already costs a look-up.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Weak;

use crawl_frontier::{Control, Seeded};
use crawl_model::{CanonicalUrl, Request};
use flate2::bufread::MultiGzDecoder;
use tokio::sync::{mpsc, oneshot};

use crate::admission::Admission;
use crate::error::CrawlError;

/// URLs that are under way to the frontier at a time.
const CHUNK: usize = 1000;
/// Longer lines are no URLs.
const LINE_LIMIT_BYTES: usize = 16 * 1024;
/// Bad lines that are told of one by one.
const NAMED: usize = 5;
/// First bytes of a gzip stream (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What was read of a file of seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedsRead {
    /// Lines, skipped ones included.
    pub lines: u64,
    /// What became of the URLs.
    pub seeded: Seeded,
    /// Lines that are no URLs that can be crawled.
    pub bad: u64,
    /// The numbers of the first few of them, from 1.
    pub first_bad: Vec<u64>,
    /// Whether the file was read to its end.
    pub is_whole: bool,
}

impl SeedsRead {
    /// What there is to say of it, if there is.
    pub(crate) fn notes(&self, path: &Path) -> Vec<String> {
        let mut notes = Vec::new();
        if self.bad > 0 {
            let numbers: Vec<_> = self.first_bad.iter().map(ToString::to_string).collect();
            let more = if self.bad > NAMED as u64 { ", .." } else { "" };
            let (what, n) =
                (if self.bad == 1 { "line is no URL" } else { "lines are no URLs" }, self.bad);
            notes.push(format!(
                "{}: {n} {what} that can be crawled: {}{more}",
                path.display(),
                numbers.join(", ")
            ));
        }
        if !self.is_whole {
            notes.push(format!(
                "{} was read up to line {}; the next run reads it again",
                path.display(),
                self.lines
            ));
        }
        notes
    }

    fn add(&mut self, seeded: Seeded) {
        self.seeded.admitted += seeded.admitted;
        self.seeded.known += seeded.known;
        self.seeded.filtered += seeded.filtered;
    }
}

/// A file of seeds, open.
pub(crate) struct SeedsFile {
    pub(crate) path: PathBuf,
    input: Box<dyn BufRead + Send>,
    read: SeedsRead,
}

impl SeedsFile {
    /// Opens a file, `-` for standard input; gzip is told by its first bytes.
    pub(crate) fn open(path: &Path) -> Result<Self, CrawlError> {
        let broken = |source| CrawlError::SeedsFile { path: path.to_owned(), line: 0, source };
        let input: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(path).map_err(broken)?;
            if file.metadata().map_err(broken)?.is_dir() {
                return Err(broken(io::ErrorKind::IsADirectory.into()));
            }
            Box::new(file)
        };
        Ok(Self::new(path, input))
    }

    fn new(path: &Path, input: Box<dyn Read + Send>) -> Self {
        let input = Box::new(BufReader::new(Unpacked::Unknown(input)));
        Self { path: path.to_owned(), input, read: SeedsRead::default() }
    }

    /// Sends all of it to the frontier, chunk by chunk, and drops `source` when the last is
    /// durable. Ends early if the crawl does. Blocks.
    pub(crate) fn run(
        mut self,
        admission: &Weak<Admission>,
        control: &mpsc::Sender<Control>,
        source: mpsc::Sender<Infallible>,
    ) -> Result<SeedsRead, CrawlError> {
        loop {
            let requests = self.chunk()?;
            if requests.is_empty() {
                self.read.is_whole = true;
                break;
            }
            let Some(admission) = admission.upgrade() else { break };
            admission.admit(&requests)?;
            drop(admission);
            let (done, answer) = oneshot::channel();
            let seeds = Control::AddSeeds { requests, done: Some(done) };
            if control.blocking_send(seeds).is_err() {
                break;
            }
            let Ok(seeded) = answer.blocking_recv() else { break };
            self.read.add(seeded);
        }
        drop(source);
        Ok(self.read)
    }

    /// The next seeds; none at the end of the file.
    fn chunk(&mut self) -> Result<Vec<Request>, CrawlError> {
        let (mut requests, mut line) = (Vec::new(), Vec::new());
        while requests.len() < CHUNK {
            let read = read_line(&mut *self.input, &mut line).map_err(|source| {
                let (path, line) = (self.path.clone(), self.read.lines + 1);
                CrawlError::SeedsFile { path, line, source }
            })?;
            let is_too_long = match read {
                Line::End => break,
                Line::Whole => false,
                Line::TooLong => true,
            };
            self.read.lines += 1;
            let text = std::str::from_utf8(&line).map(|text| text.trim_start_matches('\u{feff}'));
            match text.map(str::trim) {
                Ok(text) if !is_too_long && (text.is_empty() || text.starts_with('#')) => {}
                Ok(text) if !is_too_long => match CanonicalUrl::parse(text) {
                    Ok(url) => requests.push(Request::get(url)),
                    Err(_) => self.note_bad(),
                },
                Ok(_) | Err(_) => self.note_bad(),
            }
        }
        Ok(requests)
    }

    fn note_bad(&mut self) {
        self.read.bad += 1;
        if self.read.first_bad.len() < NAMED {
            self.read.first_bad.push(self.read.lines);
        }
    }
}

/// What was read of a line.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// All of it.
    Whole,
    /// Its beginning; the rest is skipped.
    TooLong,
    /// There is none.
    End,
}

/// Reads the next line into `line`, without its end.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let (mut has_any, mut is_too_long) = (false, false);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        if buffer.is_empty() {
            break;
        }
        has_any = true;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LINE_LIMIT_BYTES - line.len();
        is_too_long |= part.len() > room;
        line.extend_from_slice(&part[..part.len().min(room)]);
        let n = part.len() + usize::from(end.is_some());
        input.consume(n);
        if end.is_some() {
            break;
        }
    }
    Ok(match (has_any, is_too_long) {
        (false, _) => Line::End,
        (true, false) => Line::Whole,
        (true, true) => Line::TooLong,
    })
}

/// A stream, unpacked if it is gzip; which it is, shows when it is first read.
enum Unpacked {
    Unknown(Box<dyn Read + Send>),
    Plain(Box<dyn Read + Send>),
    Gzip(Box<MultiGzDecoder<BufReader<Box<dyn Read + Send>>>>),
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Unknown(input) = self {
            let mut input = std::mem::replace(input, Box::new(io::empty()));
            let mut head = Vec::new();
            input.by_ref().take(GZIP.len() as u64).read_to_end(&mut head)?;
            let is_gzip = head == GZIP;
            let all: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(input));
            *self = match is_gzip {
                true => Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(all)))),
                false => Self::Plain(all),
            };
        }
        match self {
            Self::Unknown(input) | Self::Plain(input) => input.read(buffer),
            Self::Gzip(input) => input.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: Vec<u8>) -> SeedsFile {
        SeedsFile::new(Path::new("seeds.txt"), Box::new(io::Cursor::new(bytes)))
    }

    fn urls(file: &mut SeedsFile) -> Vec<String> {
        file.chunk().unwrap().iter().map(|request| request.url.to_string()).collect()
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_bad_ones_counted() {
        let long = format!("http://h/{}", "x".repeat(LINE_LIMIT_BYTES));
        let text = format!(
            "\u{feff}http://h/1\r\n\n  # a comment\nh/2\n  http://h/3  \n{long}\nftp://h/\nhttp://h/4"
        );
        let mut file = file(text.into_bytes());
        assert_eq!(urls(&mut file), ["http://h/1", "http://h/3", "http://h/4"]);
        assert_eq!(urls(&mut file), Vec::<String>::new());
        let SeedsRead { lines, bad, first_bad, .. } = &file.read;
        assert_eq!((*lines, *bad, &first_bad[..]), (8, 3, &[4, 6, 7][..]));
        file.read.is_whole = true;
        let notes = file.read.notes(&file.path);
        assert_eq!(notes, ["seeds.txt: 3 lines are no URLs that can be crawled: 4, 6, 7"]);
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_and_a_chunk_has_its_limit() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for n in 0..2500 {
            writeln!(packed, "http://h/{n}").unwrap();
        }
        let mut file = file(packed.finish().unwrap());
        let sizes: Vec<usize> = (0..4).map(|_| urls(&mut file).len()).collect();
        assert_eq!(sizes, [1000, 1000, 500, 0]);
    }

    #[test]
    fn a_stream_that_breaks_is_an_error_with_its_line() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writeln!(packed, "http://h/1").unwrap();
        let mut bytes = packed.finish().unwrap();
        bytes.truncate(bytes.len() - 6);
        let error = file(bytes).chunk().unwrap_err().to_string();
        assert_eq!(error, "seeds.txt cannot be read at line 2");
    }
}
