//! An index of archives, as pywb and its kin use it: a line per capture, sorted by URL and time.
//!
//! `com,example)/ 20240229123456 {"url": "http://example.com/", "mime": "text/html", ...}`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::surt::surt;
use super::{BadRecord, Head, HttpHead, Warc};
use crate::StoreError;
use crate::archive::Sorter;

/// What came of an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Lines written.
    pub lines: u64,
    /// Records that cannot be read, or not be found by their place.
    pub bad: u64,
}

/// Writes the index of some files, each given with the name that the index calls it by. Needs
/// little memory however many records there are: rows that do not fit are put in `scratch`.
/// `told` hears of each record that cannot be read.
///
/// # Errors
/// [`StoreError::File`] if a file, `scratch` or `out` (called `out_path` in errors) fails.
pub fn cdxj(
    files: &[(String, PathBuf)],
    scratch: &Path,
    (out, out_path): (&mut dyn Write, &Path),
    told: &mut dyn FnMut(&BadRecord),
) -> Result<Indexed, StoreError> {
    let mut sorter = Sorter::new(scratch);
    let mut indexed = Indexed::default();
    for (name, path) in files {
        let mut warc = Warc::open(path)?;
        while let Some(next) = warc.next() {
            let line = next.and_then(|head| line(&mut warc, &head, name, path));
            match line {
                Ok(Some(line)) => sorter.push(line.into_bytes().into())?,
                Ok(None) => {}
                Err(bad) => {
                    indexed.bad += 1;
                    told(&bad);
                }
            }
        }
    }
    for row in sorter.finish()? {
        let row = row?;
        let written = out.write_all(&row).and_then(|()| out.write_all(b"\n"));
        written.map_err(StoreError::file("write", out_path))?;
        indexed.lines += 1;
    }
    out.flush().map_err(StoreError::file("write", out_path))?;
    Ok(indexed)
}

/// The line of a record; `None` if it is of no kind that is looked for.
fn line(
    warc: &mut Warc<std::fs::File>,
    head: &Head,
    name: &str,
    path: &Path,
) -> Result<Option<String>, BadRecord> {
    let kind = head.kind();
    let is_indexed = matches!(&*kind, "response" | "revisit" | "resource");
    let (Some(url), true) = (head.target(), is_indexed) else {
        warc.finish()?;
        return Ok(None);
    };
    let url = url.to_owned();
    let bad = |reason: &str| BadRecord {
        file: path.to_owned(),
        offset: head.offset,
        reason: reason.into(),
    };
    let (status, mime) = what_it_is(warc, head, &kind).map_err(|e| bad(&e.to_string()))?;
    let end = warc.finish()?;
    let end = end.ok_or_else(|| bad("it is not alone in its member, so no index can name it"))?;
    let at_us = head.at_us().ok_or_else(|| bad("it has no date"))?;
    let timestamp: String =
        super::to_date(at_us).chars().filter(char::is_ascii_digit).take(14).collect();
    let digest = head.get("WARC-Payload-Digest").unwrap_or("-");
    let fields = json!({
        "url": url,
        "mime": mime,
        "status": status,
        "digest": digest.strip_prefix("sha1:").unwrap_or(digest),
        "length": (end - head.offset).to_string(),
        "offset": head.offset.to_string(),
        "filename": name,
    });
    Ok(Some(format!("{} {timestamp} {fields}", surt(&url))))
}

/// Status and media type.
fn what_it_is(
    warc: &mut Warc<std::fs::File>,
    head: &Head,
    kind: &str,
) -> io::Result<(String, String)> {
    let media = |value: Option<&str>| {
        let value = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if value.is_empty() { "unk".to_owned() } else { value.to_ascii_lowercase() }
    };
    let block = head.get("Content-Type").unwrap_or_default();
    if !block.starts_with("application/http") {
        return Ok(("-".to_owned(), media(Some(block))));
    }
    // A revisit need not repeat the response's head.
    if head.len == 0 {
        return Ok(("-".to_owned(), "warc/revisit".to_owned()));
    }
    let http = HttpHead::read(warc)?;
    let status = http.status().map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mime =
        if kind == "revisit" { "warc/revisit".to_owned() } else { media(http.get("content-type")) };
    Ok((status, mime))
}
