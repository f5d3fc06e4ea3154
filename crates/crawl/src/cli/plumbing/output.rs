//! JSON lines on standard output.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

use crate::cli::failure::{Failure, unless_closed};

/// Writes one JSON object per line.
pub(crate) struct Lines(BufWriter<StdoutLock<'static>>);

impl Lines {
    /// Takes standard output.
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout().lock()))
    }

    /// Writes a line.
    pub(crate) fn push(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, line)?;
        self.0.write_all(b"\n")
    }

    /// Lets what was written so far out: somebody may be waiting for it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    /// Writes all lines of `lines` and ends; a closed pipe is well.
    pub(crate) fn write_all(
        mut lines: impl Iterator<Item = impl Serialize>,
    ) -> Result<(), Failure> {
        let mut out = Self::new();
        let written = lines.try_for_each(|line| out.push(&line));
        unless_closed(written.and_then(|()| out.flush()))
    }
}
