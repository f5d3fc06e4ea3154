//! The body files: appended to, rotated by size, cut back after a kill.
//!
//! A file is on the disk as far as a commit's batch says before that batch is written; what lies
//! beyond after a kill belongs to no page and is cut off, so a record is never found half-written
//! and never twice.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crawl_model::{BodyPointer, CanonicalUrl, Response};

use crate::warc::{self, Archived, Urn};
use crate::{Bodies, StoreConfig, StoreError};

/// Writes body files; held by the writer.
#[derive(Debug)]
pub(crate) struct Archive {
    dir: PathBuf,
    which: Bodies,
    /// Where a new file is begun, in bytes.
    limit: u64,
    secret: [u8; 16],
    /// Number of the newest file; 0 if there is none.
    newest: u32,
    /// Its committed length in bytes.
    newest_len: u64,
    /// The file that is written to.
    segment: Option<Segment>,
    /// Files that became full since the last commit, with their lengths.
    full: Vec<(String, u64)>,
}

#[derive(Debug)]
struct Segment {
    name: String,
    path: PathBuf,
    file: File,
    len: u64,
    is_dirty: bool,
}

impl Archive {
    pub(crate) fn new(
        dir: PathBuf,
        config: &StoreConfig,
        secret: [u8; 16],
        committed: &BTreeMap<String, u64>,
    ) -> Self {
        let numbered = committed.iter().filter_map(|(name, len)| Some((number_of(name)?, *len)));
        let (newest, newest_len) = numbered.max().unwrap_or_default();
        let limit = match config.body_segment_mib {
            0 => u64::MAX,
            mib => u64::from(mib) << 20,
        };
        let which = config.bodies;
        Self { dir, which, limit, secret, newest, newest_len, segment: None, full: Vec::new() }
    }

    /// Whether the body of this response is kept.
    pub(crate) fn wants(&self, response: &Response) -> bool {
        match self.which {
            Bodies::None => false,
            Bodies::All => true,
            Bodies::Html => {
                matches!(response.media_type().as_str(), "text/html" | "application/xhtml+xml")
            }
        }
    }

    /// Appends a record. It is durable after [`sync`](Self::sync).
    pub(crate) fn append(
        &mut self,
        url: &CanonicalUrl,
        response: &Response,
        sent_ms: u64,
        now_ms: u64,
    ) -> Result<BodyPointer, StoreError> {
        let secret = self.secret;
        let segment = self.segment(now_ms)?;
        let id = Urn::new(&[
            &secret,
            segment.name.as_bytes(),
            &segment.len.to_be_bytes(),
            &now_ms.to_be_bytes(),
        ]);
        let info = info_id(&secret, &segment.name);
        let member = warc::response_member(&Archived { url, response, sent_ms, id, info })
            .map_err(StoreError::file("compress a body for", &segment.path))?;
        let pointer = BodyPointer {
            file: segment.name.clone(),
            offset: segment.len,
            len: member.len() as u64,
        };
        segment.append(&member)?;
        Ok(pointer)
    }

    /// Brings all that was appended to the disk; returns the files that grew and their lengths.
    pub(crate) fn sync(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut grown = std::mem::take(&mut self.full);
        if let Some(segment) = self.segment.as_mut().filter(|segment| segment.is_dirty) {
            segment.sync()?;
            grown.push((segment.name.clone(), segment.len));
        }
        Ok(grown)
    }

    fn segment(&mut self, now_ms: u64) -> Result<&mut Segment, StoreError> {
        if self.segment.is_none() {
            self.segment = self.reopen()?;
        }
        if let Some(mut full) = self.segment.take_if(|segment| segment.len >= self.limit) {
            full.sync()?;
            self.full.push((full.name, full.len));
        }
        if self.segment.is_none() {
            self.newest += 1;
            self.segment = Some(self.begin(now_ms)?);
        }
        Ok(self.segment.as_mut().expect("it was just begun or opened"))
    }

    /// Opens the newest file to append to it; recovery has cut it to its committed length. One
    /// that is gone or lacks bytes is left alone.
    fn reopen(&self) -> Result<Option<Segment>, StoreError> {
        let name = name_of(self.newest);
        let path = self.dir.join(&name);
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => {
                let len = file.metadata().map_err(StoreError::file("read", &path))?.len();
                let segment = Segment { name, path, file, len, is_dirty: false };
                Ok(Some(segment).filter(|segment| segment.len == self.newest_len))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StoreError::file("open", &path)(e)),
        }
    }

    fn begin(&self, now_ms: u64) -> Result<Segment, StoreError> {
        let name = name_of(self.newest);
        let path = self.dir.join(&name);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.dir).map_err(StoreError::file("create", &self.dir))?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(StoreError::file("create", &path))?;
        // The name must survive a power cut as well as the bytes.
        let dir = File::open(&self.dir).and_then(|dir| dir.sync_all());
        dir.map_err(StoreError::file("flush", &self.dir))?;
        let info = warc::info_member(info_id(&self.secret, &name), &name, now_ms)
            .map_err(StoreError::file("write", &path))?;
        let mut segment = Segment { name, path, file, len: 0, is_dirty: false };
        segment.append(&info)?;
        Ok(segment)
    }
}

impl Segment {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_all_at(bytes, self.len);
        written.map_err(StoreError::file("write", &self.path))?;
        self.len += bytes.len() as u64;
        self.is_dirty = true;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::file("flush", &self.path))?;
        self.is_dirty = false;
        Ok(())
    }
}

fn info_id(secret: &[u8; 16], name: &str) -> Urn {
    Urn::new(&[secret, name.as_bytes()])
}

fn name_of(number: u32) -> String {
    format!("{number:06}.warc.gz")
}

fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".warc.gz")?;
    let is_ours = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_ours)
}

/// Cuts the files back to their committed lengths; returns what was done, for people.
pub(crate) fn cut_back(
    dir: &Path,
    committed: &BTreeMap<String, u64>,
) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound && committed.is_empty() => return Ok(notes),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            notes.push("the folder `bodies` is gone: archived bodies cannot be read".to_owned());
            return Ok(notes);
        }
        Err(e) => return Err(StoreError::file("read", dir)(e)),
    };
    for entry in entries {
        let path = entry.map_err(StoreError::file("read", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if number_of(&name).is_some() {
            notes.extend(cut_file(&path, &name, committed.get(&name).copied())?);
        }
    }
    Ok(notes)
}

fn cut_file(path: &Path, name: &str, good: Option<u64>) -> Result<Option<String>, StoreError> {
    let Some(good) = good else {
        fs::remove_file(path).map_err(StoreError::file("remove", path))?;
        return Ok(Some(format!("bodies/{name} removed: no settled page points into it")));
    };
    let file = OpenOptions::new().write(true).open(path);
    let file = file.map_err(StoreError::file("open", path))?;
    let len = file.metadata().map_err(StoreError::file("read", path))?.len();
    if len > good {
        file.set_len(good).map_err(StoreError::file("cut", path))?;
        return Ok(Some(format!(
            "bodies/{name} cut by {} bytes that no settled page points to",
            len - good
        )));
    }
    let short = format!("bodies/{name} lacks {} bytes: some bodies cannot be read", good - len);
    Ok((len < good).then_some(short))
}

/// Reads a body back.
pub(crate) fn read(dir: &Path, pointer: &BodyPointer) -> Result<Bytes, StoreError> {
    warc::body_of(&member(dir, pointer)?).map_err(|what| failed(pointer, what))
}

/// Reads a response back.
pub(crate) fn read_response(dir: &Path, pointer: &BodyPointer) -> Result<Response, StoreError> {
    warc::response_of(&member(dir, pointer)?).map_err(|what| failed(pointer, what))
}

fn failed(pointer: &BodyPointer, what: String) -> StoreError {
    StoreError::Body { file: pointer.file.clone(), offset: pointer.offset, what }
}

/// Reads the gzip member of a record.
fn member(dir: &Path, pointer: &BodyPointer) -> Result<Vec<u8>, StoreError> {
    let fail = |what: String| failed(pointer, what);
    if number_of(&pointer.file).is_none() {
        return Err(fail("not the name of a body file".to_owned()));
    }
    let file = File::open(dir.join(&pointer.file)).map_err(|e| fail(e.to_string()))?;
    let len = file.metadata().map_err(|e| fail(e.to_string()))?.len();
    let end = pointer.offset.checked_add(pointer.len);
    if end.is_none_or(|end| end > len) {
        return Err(fail(format!("the file ends at byte {len}")));
    }
    let mut member = vec![0; usize::try_from(pointer.len).map_err(|e| fail(e.to_string()))?];
    file.read_exact_at(&mut member, pointer.offset).map_err(|e| fail(e.to_string()))?;
    Ok(member)
}
