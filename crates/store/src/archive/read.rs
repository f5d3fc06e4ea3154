//! Reads single records back, by their pointers.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use crawl_model::{BodyPointer, Response};

use super::files::{self, number_of};
use crate::StoreError;
use crate::warc::{Head, HttpHead, Warc};

/// Reads a body back; of a record that refers to another, that one's.
pub(crate) fn read(dir: &Path, pointer: &BodyPointer) -> Result<Bytes, StoreError> {
    let (_, _, body) = message(dir, pointer.of.as_deref().unwrap_or(pointer))?;
    Ok(body)
}

/// The same if the record says that its payload has this digest.
pub(crate) fn read_if(
    dir: &Path,
    pointer: &BodyPointer,
    digest: &str,
) -> Result<Option<Bytes>, StoreError> {
    let (head, _, body) = message(dir, pointer)?;
    Ok(Some(body).filter(|_| head.get("WARC-Payload-Digest") == Some(digest)))
}

/// Reads a response back. Why it was cut and who answered is not in it.
pub(crate) fn read_response(dir: &Path, pointer: &BodyPointer) -> Result<Response, StoreError> {
    let (_, http, mut body) = message(dir, pointer)?;
    if let Some(of) = &pointer.of {
        body = message(dir, of)?.2;
    }
    let status = http.status().ok_or_else(|| failed(pointer, "no HTTP status".to_owned()))?;
    let (version, truncated, remote) = ("HTTP/1.1", None, None);
    Ok(Response { status, version, headers: http.fields, body, truncated, remote })
}

/// The head of a record.
pub(super) fn head(dir: &Path, pointer: &BodyPointer) -> Result<Head, StoreError> {
    Ok(record(dir, pointer)?.1)
}

fn message(dir: &Path, pointer: &BodyPointer) -> Result<(Head, HttpHead, Bytes), StoreError> {
    let fail = |e: std::io::Error| failed(pointer, e.to_string());
    let (mut warc, head) = record(dir, pointer)?;
    let http = HttpHead::read_own(&mut warc).map_err(fail)?;
    let mut body = Vec::new();
    warc.read_to_end(&mut body).map_err(fail)?;
    warc.finish().map_err(|bad| failed(pointer, bad.reason))?;
    Ok((head, http, body.into()))
}

fn record(dir: &Path, pointer: &BodyPointer) -> Result<(Warc<std::fs::File>, Head), StoreError> {
    let fail = |e: std::io::Error| failed(pointer, e.to_string());
    if number_of(&pointer.file).is_none() {
        return Err(failed(pointer, "not the name of a body file".to_owned()));
    }
    let file = files::open(dir, &pointer.file).map_err(fail)?;
    let len = file.metadata().map_err(fail)?.len();
    if pointer.offset.checked_add(pointer.len).is_none_or(|end| end > len) {
        return Err(failed(pointer, format!("the file ends at byte {len}")));
    }
    let mut warc = Warc::at(file, Path::new(&pointer.file), pointer.offset).map_err(fail)?;
    match warc.next() {
        Some(Ok(head)) if head.offset == pointer.offset => Ok((warc, head)),
        Some(Ok(_)) | None => Err(failed(pointer, "no record begins there".to_owned())),
        Some(Err(bad)) => Err(failed(pointer, bad.reason)),
    }
}

fn failed(pointer: &BodyPointer, what: String) -> StoreError {
    StoreError::Body { file: pointer.file.clone(), offset: pointer.offset, what }
}
