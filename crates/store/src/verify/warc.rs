//! WARC files, read by the standard (ISO 28500:2017; zstd members as in the IIPC's proposal):
//! nothing here knows how ours are written.

mod salvage;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder;

use super::record::{Seen, record};

/// A frame with a dictionary for all that follow.
const DICTIONARY: u32 = 0x184D_2A5D;
const ZSTD: u32 = 0xFD2F_B528;

/// A file, member by member.
pub(super) struct Reader {
    path: PathBuf,
    file: Limited,
    coding: Coding,
    dictionary: Vec<u8>,
}

enum Coding {
    Gzip,
    Zstd,
    Plain,
}

impl Reader {
    /// The first `len` bytes of a file, called `name` when it is closed.
    pub(super) fn open(path: &Path, name: &str, len: u64) -> io::Result<Self> {
        let file = BufReader::with_capacity(1 << 18, File::open(path)?);
        let coding = match name.rsplit('.').next() {
            Some("gz") => Coding::Gzip,
            Some("zst" | "zstd") => Coding::Zstd,
            _ => Coding::Plain,
        };
        let file = Limited { file, at: 0, end: len };
        let mut reader = Self { path: path.to_owned(), file, coding, dictionary: Vec::new() };
        if let Coding::Zstd = reader.coding {
            reader.take_dictionary()?;
        }
        Ok(reader)
    }

    /// Where the next member begins.
    pub(super) fn at(&self) -> u64 {
        self.file.at
    }

    pub(super) fn go_to(&mut self, at: u64) -> io::Result<()> {
        let end = self.file.end;
        let mut file = BufReader::with_capacity(1 << 18, File::open(&self.path)?);
        file.seek(SeekFrom::Start(at))?;
        self.file = Limited { file, at, end };
        Ok(())
    }

    /// The next record, whole; the error says what is wrong. `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Seen, String>> {
        if self.file.at >= self.file.end {
            return None;
        }
        let read = match self.coding {
            Coding::Gzip => {
                let flags = self.extra_flags();
                let mut decoder = GzDecoder::new(&mut self.file);
                let seen = member(&mut decoder);
                seen.and_then(|seen| has_plain_header(&decoder, flags).map(|()| seen))
            }
            Coding::Zstd => match Decoder::with_dictionary(&mut self.file, &self.dictionary) {
                Ok(decoder) => member(decoder.single_frame()),
                Err(e) => Err(e.to_string()),
            },
            Coding::Plain => record(&mut self.file),
        };
        Some(read)
    }

    /// What the header of the member here says of how it was compressed; 0 if it ends before.
    fn extra_flags(&self) -> u8 {
        const AT: u64 = 8; // XFL: RFC 1952, section 2.3.1
        let mut flags = [0];
        let read = self.file.file.get_ref().read_at(&mut flags, self.file.at + AT);
        if read.is_ok() { flags[0] } else { 0 }
    }

    fn take_dictionary(&mut self) -> io::Result<()> {
        let mut head = [0; 8];
        let word = |at: usize, head: &[u8]| {
            head.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        if self.file.read_exact(&mut head).is_err() || word(0, &head) != DICTIONARY {
            return self.go_to(0);
        }
        let mut bytes = Vec::new();
        (&mut self.file).take(u64::from(word(4, &head))).read_to_end(&mut bytes)?;
        self.dictionary = match word(0, &bytes) == ZSTD {
            true => zstd::stream::decode_all(&*bytes)?,
            false => bytes,
        };
        Ok(())
    }
}

/// The header of a member is under no checksum; ours say nothing but that they are gzip.
fn has_plain_header<R: BufRead>(decoder: &GzDecoder<R>, flags: u8) -> Result<(), String> {
    const UNKNOWN: u8 = 255;
    let is_plain = decoder.header().is_some_and(|header| {
        let names = [header.filename(), header.comment(), header.extra()];
        header.mtime() == 0
            && header.operating_system() == UNKNOWN
            && names == [None; 3]
            && matches!(flags, 0 | 2 | 4)
    });
    if is_plain { Ok(()) } else { Err("the header of its gzip member was changed".to_owned()) }
}

/// A record that is a member of its own, up to the member's end and checksum.
fn member(decoder: impl Read) -> Result<Seen, String> {
    let mut decoder = BufReader::with_capacity(1 << 16, decoder);
    let seen = record(&mut decoder)?;
    match decoder.fill_buf() {
        Ok([]) => Ok(seen),
        Ok(_) => Err("its member holds more than a record".to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// A file up to some byte, which knows where it is.
struct Limited {
    file: BufReader<File>,
    at: u64,
    end: u64,
}

impl BufRead for Limited {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(&[]);
        }
        let piece = self.file.fill_buf()?;
        Ok(&piece[..piece.len().min(left)])
    }

    fn consume(&mut self, n: usize) {
        self.file.consume(n);
        self.at += n as u64;
    }
}

impl Read for Limited {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let piece = self.fill_buf()?;
        let n = piece.len().min(out.len());
        out[..n].copy_from_slice(&piece[..n]);
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::verify::record::RecordKind;

    fn text(kind: &str, more: &str, block: &str) -> Vec<u8> {
        let len = block.len();
        format!(
            "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{len}>\r\n\
             WARC-Date: 2024-02-29T12:34:56Z\r\nWARC-Target-URI: http://h/\r\n{more}\
             Content-Type: application/http\r\nContent-Length: {len}\r\n\r\n{block}\r\n\r\n"
        )
        .into_bytes()
    }

    fn records() -> [Vec<u8>; 3] {
        let http = "HTTP/1.1 200 OK\r\n\r\n<p>a body";
        let revisit = "WARC-Refers-To: <urn:uuid:27>\r\n";
        [
            text("warcinfo", "", "software: x\r\n"),
            text("response", "", http),
            text("revisit", revisit, "HTTP/1.1 200 OK\r\n\r\n"),
        ]
    }

    /// Each record is found where it begins, and what follows one that is damaged, too.
    #[track_caller]
    fn check(name: &str, before: &[u8], members: &[Vec<u8>]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let bytes = [before, &members.concat()].concat();
        fs::write(&path, &bytes).unwrap();
        let mut file = Reader::open(&path, name, bytes.len() as u64).unwrap();
        let mut at = before.len() as u64;
        for (member, kind) in
            members.iter().zip([RecordKind::Info, RecordKind::Response, RecordKind::Revisit])
        {
            assert_eq!(file.at(), at, "{name}");
            let seen = file.next().unwrap().unwrap();
            assert_eq!((seen.kind, seen.faults.len()), (kind, 0), "{name}: {seen:?}");
            at += member.len() as u64;
        }
        assert!(file.next().is_none());
        let mut cut = Reader::open(&path, name, bytes.len() as u64 - 1).unwrap();
        assert!(cut.next().unwrap().is_ok() && cut.next().unwrap().is_ok());
        assert!(cut.next().unwrap().is_err(), "{name}");
        let second = (before.len() + members[0].len()) as u64;
        cut.go_to(second).unwrap();
        assert_eq!(cut.next().unwrap().unwrap().kind, RecordKind::Response);
    }

    #[test]
    fn members_are_told_apart_whatever_packs_them() {
        let gzip = records().map(|record| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut out, &record).unwrap();
            out.finish().unwrap()
        });
        check("a.warc.gz", b"", &gzip);
        check("a.warc", b"", &records());
        let zstd = records().map(|record| zstd::bulk::compress(&record, 1).unwrap());
        check("a.warc.zst", b"", &zstd);
        let dictionary = records().concat();
        let mut packer = zstd::bulk::Compressor::with_dictionary(1, &dictionary).unwrap();
        let packed = records().map(|record| packer.compress(&record).unwrap());
        let len = u32::try_from(dictionary.len()).unwrap();
        let frame = [&DICTIONARY.to_le_bytes()[..], &len.to_le_bytes(), &dictionary].concat();
        check("a.warc.zst", &frame, &packed);
    }
}
