//! Where the bytes come from: a file or standard input, and how that is written.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use crawl::CanonicalUrl;

use crate::cli::failure::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The document; `-` is standard input.
    pub(crate) file: PathBuf,
    /// The `Content-Type` it was sent with, such as `text/html; charset=utf-8`. Without it the
    /// bytes decide.
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BasedFileArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The document's own URL, which relative ones are resolved against.
    #[arg(long, value_name = "URL", value_parser = web_url)]
    pub(crate) base: CanonicalUrl,
}

/// Reads a file, or standard input if it is called `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_at_most(path, usize::MAX)
}

/// Reads the first `limit` bytes: for what has a length of its own, however long its file is.
pub(crate) fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(stdin_failed)?;
        return Ok(bytes);
    }
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| {
        let failure =
            Failure::new(Exit::Broken, format!("{} cannot be read: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("`-` reads standard input"),
            _ => failure,
        }
    })
}

/// Whether a path means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Calls `each` with every line of standard input, without its line ending.
pub(crate) fn each_line(mut each: impl FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = stdin.read_until(b'\n', &mut line).map_err(stdin_failed)?;
        if n == 0 {
            return Ok(());
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        each(&String::from_utf8_lossy(text))?;
    }
}

fn stdin_failed(error: io::Error) -> Failure {
    Failure::new(Exit::Broken, format!("standard input cannot be read: {error}"))
}

/// Reads a URL that can be crawled.
pub(super) fn web_url(text: &str) -> Result<CanonicalUrl, String> {
    CanonicalUrl::parse(text).map_err(|error| error.to_string())
}
