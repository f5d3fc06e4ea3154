//! `crawl cdxj`: an index of archives.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crawl::store::{BadRecord, StoreError, archive_files, cdxj as index};

use super::args::CdxjArgs;
use crate::cli::failure::{Exit, Failure, unless_closed};

/// Writes the index.
pub(crate) fn cdxj(args: &CdxjArgs) -> Result<(), Failure> {
    let mut files = Vec::new();
    for source in &args.sources {
        files.extend(files_of(source)?);
    }
    let Some(output) = &args.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let path = Path::new("standard output");
        return match index(&files, &std::env::temp_dir(), (&mut out, path), &mut tell) {
            Err(StoreError::File { source, .. }) if source.kind() == ErrorKind::BrokenPipe => {
                Ok(())
            }
            done => Ok(done.map(drop)?),
        };
    };
    // A reader of the index never sees half of it.
    let dir = output.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let half = dir.join(format!(".{name}.{}", std::process::id()));
    let fail = |doing: &str, error: io::Error| {
        let text = format!("cannot {doing} {}: {error}", output.display());
        Failure::new(Exit::Broken, text)
    };
    let file = File::create(&half).map_err(|error| fail("create", error))?;
    let written = index(&files, dir, (&mut BufWriter::new(file), output), &mut tell);
    let done = match written {
        Ok(done) => done,
        Err(error) => {
            // What was written is of no use; that it cannot be removed, either.
            let _ = fs::remove_file(&half);
            return Err(error.into());
        }
    };
    fs::rename(&half, output).map_err(|error| fail("write", error))?;
    unless_closed(writeln!(io::stderr(), "{} lines in {}", done.lines, output.display()))
}

/// The files of a source, with their names in the index.
fn files_of(source: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    if !source.is_dir() {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![(name, source.to_owned())]);
    }
    let files = archive_files(source)?;
    if files.is_empty() {
        let text = format!("no archive in {}", source.display());
        let hint = "give the folder of a crawl that archives (store.bodies), or WARC files";
        return Err(Failure::new(Exit::Broken, text).hint(hint));
    }
    Ok(files)
}

fn tell(bad: &BadRecord) {
    eprintln!("warning: {bad}");
}
