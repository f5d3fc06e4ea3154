//! Where reading can go on behind a member that is damaged.
//!
//! A site may have sent anything, an archive with records of its own too, so what looks like a record
//! need not be one of the file: only a place from which whole records lead exactly to the next place
//! that is known for sure is taken.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use flate2::bufread::GzDecoder;

use super::{Coding, Reader, Seen, member};

/// What a gzip member of ours begins with; it says nothing (RFC 1952, section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// Places that are tried.
const MOST_TRIES: usize = 256;
/// Bytes that are looked at in one go.
const WINDOW: usize = 1 << 16;

impl Reader {
    /// The record at `at`, read as if the header of its gzip member was as we write it; `None` if
    /// more than that is wrong.
    pub(in super::super) fn with_plain_header(&mut self, at: u64) -> io::Result<Option<Seen>> {
        let Coding::Gzip = self.coding else { return Ok(None) };
        self.go_to(at + GZIP_HEADER.len() as u64)?;
        let mut decoder = GzDecoder::new(GZIP_HEADER.chain(&mut self.file));
        Ok(member(&mut decoder).ok().filter(Seen::is_sound))
    }

    /// The first place behind `from` where reading can go on to `to`, where a record begins or the
    /// file ends; `to` itself if there is none.
    pub(in super::super) fn find(&mut self, from: u64, to: u64) -> io::Result<u64> {
        let mut at = from + 1;
        for _ in 0..MOST_TRIES {
            let Some(begin) = self.next_begin(at, to)? else { break };
            if self.leads_to(begin, to)? {
                return Ok(begin);
            }
            at = begin + 1;
        }
        Ok(to)
    }

    fn leads_to(&mut self, begin: u64, to: u64) -> io::Result<bool> {
        self.go_to(begin)?;
        while self.at() < to {
            match self.next() {
                Some(Ok(seen)) if seen.is_sound() => {}
                _ => return Ok(false),
            }
        }
        Ok(self.at() == to)
    }

    /// The next byte at which a member, or a plain record, may begin.
    fn next_begin(&self, from: u64, to: u64) -> io::Result<Option<u64>> {
        let mark: &[u8] = match self.coding {
            Coding::Gzip => &[0x1f, 0x8b, 8],
            Coding::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Coding::Plain => b"WARC/1.",
        };
        let mut window = vec![0; WINDOW];
        let mut at = from;
        while at < to {
            let most = usize::try_from(to - at).unwrap_or(WINDOW).min(WINDOW);
            let n = self.file.file.get_ref().read_at(&mut window[..most], at)?;
            if let Some(found) = window[..n].windows(mark.len()).position(|bytes| bytes == mark) {
                return Ok(Some(at + found as u64));
            }
            if n < mark.len() {
                break;
            }
            // The last bytes once more, with those behind them.
            at += (n - mark.len() + 1) as u64;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(n: usize, block: &[u8]) -> Vec<u8> {
        let len = block.len();
        let head = format!(
            "WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:{n}>\r\n\
             WARC-Date: 2024-02-29T12:34:56Z\r\nContent-Length: {len}\r\n\r\n"
        );
        let text = [head.as_bytes(), block, b"\r\n\r\n"].concat();
        let mut out = flate2::write::GzEncoder::new(GZIP_HEADER[..0].to_vec(), level());
        io::Write::write_all(&mut out, &text).unwrap();
        let mut bytes = out.finish().unwrap();
        bytes[..10].copy_from_slice(&GZIP_HEADER);
        bytes
    }

    /// Not compressed, so that what is in a body stands in the file as it is.
    fn level() -> flate2::Compression {
        flate2::Compression::none()
    }

    #[test]
    fn what_a_site_sent_is_never_taken_for_a_record() {
        let forged = [record(7, b"forged"), record(8, b"too")].concat();
        let records = [record(1, b"first"), record(2, &forged), record(3, b"last")];
        let (second, third) =
            (records[0].len() as u64, (records[0].len() + records[1].len()) as u64);
        let mut bytes = records.concat();
        let len = bytes.len() as u64;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.warc.gz");
        // More than the header of the second is damaged.
        bytes[usize::try_from(second).unwrap() + 20] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let mut file = Reader::open(&path, "a.warc.gz", len).unwrap();
        assert!(file.with_plain_header(second).unwrap().is_none());
        assert_eq!(file.find(second, len).unwrap(), third);
        // Where nothing leads to the end, nothing is made up.
        fs::write(&path, [&bytes[..], b"what is this"].concat()).unwrap();
        let mut file = Reader::open(&path, "a.warc.gz", len + 12).unwrap();
        assert_eq!(file.find(second, len + 12).unwrap(), len + 12);
    }

    #[test]
    fn a_header_that_says_nothing_can_be_made_anew() {
        let good = record(1, b"first");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.warc.gz");
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x55;
            fs::write(&path, &bytes).unwrap();
            let mut file = Reader::open(&path, "a.warc.gz", good.len() as u64).unwrap();
            let seen = file.with_plain_header(0).unwrap();
            assert_eq!(seen.is_some(), at < 10, "{at}");
            assert!(seen.is_none() || file.at() == good.len() as u64);
        }
    }
}
