//! Standard output, kept for results.
//!
//! Foreign code in the process (a plugin, a C library under it) may print at any time, and what it
//! prints would stand in the middle of a feed or a report. Before such code is loaded the process
//! takes a handle of its own on standard output and points descriptor 1 at standard error: what
//! is printed is seen, and spoils nothing.
//!
//! Whoever writes results writes them through [`write()`] or [`lines`], whether output was kept or
//! not.

use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::sync::OnceLock;

/// What standard output was when it was kept.
static KEPT: OnceLock<File> = OnceLock::new();

/// Keeps standard output for results: from now on whatever else prints there goes to standard
/// error. To be called before the first line of foreign code runs; more calls do nothing.
///
/// # Errors
/// [`io::Error`] if the process has no descriptor left.
#[cfg(unix)]
pub fn keep() -> io::Result<()> {
    use std::os::fd::AsFd;

    // Two threads that do this at once would keep standard error for standard output.
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if KEPT.get().is_some() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.flush()?;
    // Closed at exec, so no child inherits it.
    let kept = File::from(out.as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    KEPT.get_or_init(|| kept);
    Ok(())
}

/// Keeps standard output for results. Not on this system: what plugins print there stands among
/// the results.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn keep() -> io::Result<()> {
    Ok(())
}

/// Writes results to standard output, and flushes them.
///
/// # Errors
/// [`io::Error`] as it comes; a reader that has gone is [`io::ErrorKind::BrokenPipe`].
pub fn write(bytes: &[u8]) -> io::Result<()> {
    match KEPT.get() {
        Some(mut kept) => kept.write_all(bytes),
        None => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
    }
}

/// Standard output for results, line by line.
#[must_use]
pub fn lines() -> LineWriter<Results> {
    LineWriter::new(Results(()))
}

/// Standard output for results, without a buffer.
#[derive(Debug)]
pub struct Results(());

impl Write for Results {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
