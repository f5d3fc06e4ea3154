//! The head of a record: version, then fields (WARC 1.1, section 4).

use std::io::{self, BufRead, Read};

/// Longest head, in bytes.
pub(super) const MAX_HEAD: usize = 256 << 10;

/// The head of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// First byte of its member in the file, or of itself in a plain file.
    pub offset: u64,
    /// Length of its block in bytes, decompressed.
    pub len: u64,
    fields: Vec<(String, String)>,
}

impl Head {
    /// First value of a field, whatever the case of its name; `None` if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(its, _)| its.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// `WARC-Type`, in lower case; empty if it is absent.
    #[must_use]
    pub fn kind(&self) -> String {
        self.get("WARC-Type").unwrap_or_default().to_ascii_lowercase()
    }

    /// `WARC-Target-URI`, without the brackets that old tools put around it.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        Some(self.get("WARC-Target-URI")?.trim_start_matches('<').trim_end_matches('>'))
    }

    /// `WARC-Date` in microseconds since the Unix epoch; `None` if there is none.
    #[must_use]
    pub fn at_us(&self) -> Option<u64> {
        self.time("WARC-Date")
    }

    /// A field that holds a time, in microseconds since the Unix epoch; `None` if it does not.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<u64> {
        super::from_date(self.get(name)?)
    }

    /// Reads a head that begins at `offset`; `from` stands at its block then.
    pub(super) fn read(from: &mut impl BufRead, offset: u64) -> io::Result<Self> {
        let mut budget = MAX_HEAD;
        let version = line(from, &mut budget)?;
        if !version.starts_with("WARC/") {
            return Err(io::Error::other("it does not begin with WARC/"));
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let line = line(from, &mut budget)?;
            match (line.chars().next(), line.split_once(':'), fields.last_mut()) {
                (None, ..) => break,
                // Folded (section 4): the field goes on.
                (Some(' ' | '\t'), _, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (_, Some((name, value)), _) => {
                    fields.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ => return Err(io::Error::other("a line of its head is no field")),
            }
        }
        let mut head = Self { offset, len: 0, fields };
        let len = head.get("Content-Length").and_then(|len| len.parse().ok());
        head.len = len.ok_or_else(|| io::Error::other("it has no Content-Length"))?;
        Ok(head)
    }
}

/// A line without its end. What is no UTF-8 is replaced.
fn line(from: &mut impl BufRead, budget: &mut usize) -> io::Result<String> {
    let mut line = Vec::new();
    let n = from.by_ref().take(*budget as u64).read_until(b'\n', &mut line)?;
    *budget -= n;
    if line.pop() != Some(b'\n') {
        let too_long = io::Error::other(format!("its head is longer than {MAX_HEAD} bytes"));
        return Err(if *budget == 0 { too_long } else { cut_short() });
    }
    line.pop_if(|byte| *byte == b'\r');
    Ok(String::from_utf8_lossy(&line).into_owned())
}

pub(super) fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it is cut short")
}
