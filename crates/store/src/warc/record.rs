//! Writes one record.

use std::fmt::{Display, Write};
use std::io;

use super::{BodyCompression, Digest, Urn, to_date};

/// A record whose head is being written: first what every record has.
pub(crate) struct Record(String);

impl Record {
    /// Begins a record of `kind`; `at_us` is its date in microseconds since the Unix epoch.
    pub(crate) fn new(kind: &str, id: &Urn, at_us: u64) -> Self {
        let mut head = String::with_capacity(768);
        head.push_str("WARC/1.1\r\n");
        let record = Self(head);
        record
            .with("WARC-Type", &kind)
            .with("WARC-Record-ID", id)
            .with("WARC-Date", &to_date(at_us))
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: &dyn Display) -> Self {
        let at = self.0.len();
        write!(self.0, "{name}: {value}").expect("a string takes all that is written to it");
        // What was read from elsewhere must not end the field.
        if self.0[at..].contains(['\r', '\n']) {
            let clean = self.0[at..].replace(['\r', '\n'], " ");
            self.0.truncate(at);
            self.0.push_str(&clean);
        }
        self.0.push_str("\r\n");
        self
    }

    /// Adds a field if there is a value for it.
    pub(crate) fn with_some(self, name: &str, value: Option<&dyn Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Appends the whole record to `out`: a block of media type `kind` in some parts.
    pub(crate) fn append(
        self,
        kind: &str,
        block: &[&[u8]],
        compression: BodyCompression,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let len: usize = block.iter().map(|part| part.len()).sum();
        let record = self
            .with("WARC-Block-Digest", &Digest::of(block))
            .with("Content-Type", &kind)
            .with("Content-Length", &len);
        let mut parts = Vec::with_capacity(block.len() + 3);
        parts.extend([record.0.as_bytes(), b"\r\n"]);
        parts.extend(block);
        parts.push(b"\r\n\r\n");
        compression.append(&parts, out)
    }
}
