//! Where the bytes come from: a file or standard input.

use std::io::{self, Read};
use std::path::Path;

use crate::cli::failure::{Exit, Failure};

/// Reads a file, or standard input if it is called `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    if is_stdin(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
            Failure::new(Exit::Broken, format!("standard input cannot be read: {error}"))
        })?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(|error| {
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
