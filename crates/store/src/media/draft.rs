//! One file in the making.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crawl_model::{
    Arrived, CanonicalUrl, Draft, Failure, FailureKind, FileFacts, FileFormat, FileKind, FileTold,
    MediaConfig, image_size,
};
use sha2::{Digest as _, Sha256};

use super::depot::{failed, make_dir};
use super::{Digest, FileValue, Hold, InHand, MEDIA, NEW, hex, path_of, sync_dir};
use crate::store::Shared;
use crate::{StoreError, crash, keys};

/// Longest extension that a file's name takes from its URL.
const MAX_EXTENSION: usize = 8;

/// Media types whose files are named by them where nothing else says how.
const EXTENSIONS: [(&str, &str); 12] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/svg+xml", "svg"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/plain", "txt"),
];

/// See [`Draft`].
pub(super) struct FileDraft {
    shared: Arc<Shared>,
    config: MediaConfig,
    file: File,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
    /// Whether the file has gone to its place.
    is_placed: bool,
}

/// What is known of a file's bytes.
struct Seen {
    digest: Digest,
    bytes: u64,
    format: Option<FileFormat>,
    size: Option<(u32, u32)>,
}

impl FileDraft {
    pub(super) fn new(shared: Arc<Shared>, config: MediaConfig, file: File, path: PathBuf) -> Self {
        Self { shared, config, file, path, hash: Sha256::new(), bytes: 0, is_placed: false }
    }

    fn disk(&self, path: &Path) -> impl FnOnce(io::Error) -> Failure {
        let (shared, path) = (self.shared.clone(), path.to_owned());
        move |error| failed(&shared, &path, error)
    }

    /// Whether the file is what was asked for.
    fn check(&self, seen: &Seen, told: &FileTold<'_>) -> Result<(), Failure> {
        if told.kind != FileKind::Image {
            return Ok(());
        }
        let is_image = match &seen.format {
            Some(format) => format.is_image(),
            None => told.media_type.starts_with("image/") && seen.bytes > 0,
        };
        if !is_image {
            let what = seen.format.map_or("no image that is known", |format| format.media_type);
            let detail = format!("an image is asked for, and its first bytes say {what}");
            return Err(Failure::new(FailureKind::ContentType, detail));
        }
        let least = (self.config.min_width, self.config.min_height);
        if let Some((width, height)) = seen.size
            && (width < least.0 || height < least.1)
        {
            let detail = format!(
                "the image has {width} x {height} pixels, and {} x {} are wanted \
                 (media.min-width, media.min-height)",
                least.0, least.1
            );
            return Err(Failure::new(FailureKind::TooSmall, detail));
        }
        Ok(())
    }

    /// Takes the file among those in hand, and moves it to its place; where that is.
    fn place(&mut self, seen: &Seen, extension: &str) -> Result<String, Failure> {
        let (digest, folder) = (seen.digest, self.shared.folder.root().join(MEDIA));
        let shared = self.shared.clone();
        // Held over a few steps on the disk, so that equal files are one whenever they come.
        let mut in_hand = shared.media.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known(&shared, &digest).map_err(|error| {
            let detail = format!("the store cannot be read: {error}");
            Failure::new(FailureKind::Disk, detail)
        })?;
        let mark = match (in_hand.get(&digest), &known) {
            (Some(file), _) => file.mark.clone(),
            (None, Some(value)) => mark_of(&value.path),
            (None, None) if extension.is_empty() => hex(&digest),
            (None, None) => format!("{}.{extension}", hex(&digest)),
        };
        let is_new = known.is_none();
        let is_first = !in_hand.contains_key(&digest);
        if is_new && is_first {
            let path = folder.join(NEW).join(&mark);
            File::create(&path).map_err(self.disk(&path))?;
            crash::point("media-marked");
        }
        let place = path_of(&mark).unwrap_or_default();
        let path = self.shared.folder.root().join(&place);
        let dir = path.parent().unwrap_or(&folder).to_owned();
        let is_new_dir = !dir.is_dir();
        let is_there = fs::metadata(&path).is_ok_and(|meta| meta.len() == seen.bytes);
        if is_there {
            fs::remove_file(&self.path).map_err(self.disk(&self.path))?;
        } else {
            make_dir(&dir).map_err(self.disk(&dir))?;
            fs::rename(&self.path, &path).map_err(self.disk(&path))?;
            crash::point("media-placed");
        }
        self.is_placed = true;
        if is_new && is_first {
            shared.media.bytes.fetch_add(seen.bytes, Ordering::AcqRel);
        }
        let new = InHand { mark, n: 0, is_marked: is_new, is_settled: !is_new };
        in_hand.entry(digest).or_insert(new).n += 1;
        drop(in_hand);
        // Of an equal file that came just before, the name may not be on the disk yet.
        if is_new || !is_there {
            sync_dir(&dir).map_err(self.disk(&dir))?;
        }
        if is_new_dir {
            sync_dir(&folder).map_err(self.disk(&folder))?;
        }
        Ok(place)
    }
}

impl Draft for FileDraft {
    fn write(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.file.write_all(piece).map_err(self.disk(&self.path.clone()))?;
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>, told: &FileTold<'_>) -> Result<Arrived, Failure> {
        let path = self.path.clone();
        let (format, size) = image_size(&mut self.file).map_err(self.disk(&path))?;
        let digest = std::mem::take(&mut self.hash).finalize().into();
        let seen = Seen { digest, bytes: self.bytes, format, size };
        self.check(&seen, told)?;
        crash::point("media-written");
        self.file.sync_all().map_err(self.disk(&path))?;
        crash::point("media-synced");
        let path = self.place(&seen, &extension(&seen, told))?;
        let media_type = match seen.format {
            Some(format) if !format.is_container || told.media_type.is_empty() => format.media_type,
            _ => told.media_type,
        };
        let media_type = media_type.chars().take(100).collect();
        let (width, height) = seen.size.unzip();
        let facts = FileFacts { sha256: hex(&digest), path, media_type, width, height };
        let (media, folder) = (self.shared.media.clone(), self.shared.folder.root().join(MEDIA));
        let hold = Box::new(Hold { media, digest, folder });
        Ok(Arrived { facts, bytes: seen.bytes, hold })
    }
}

impl Drop for FileDraft {
    fn drop(&mut self) {
        if !self.is_placed {
            // One that stays is removed by the next open.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the database says of a file.
fn known(shared: &Shared, digest: &Digest) -> Result<Option<FileValue>, StoreError> {
    let Some(json) = shared.db.get(&keys::file(digest))? else { return Ok(None) };
    serde_json::from_slice(&json).map(Some).map_err(|_| StoreError::corrupt("value of a file"))
}

/// The mark of the file at a path.
fn mark_of(path: &str) -> String {
    path.trim_start_matches(MEDIA).split('/').collect()
}

/// What the file's name ends in; empty if nobody can tell.
fn extension(seen: &Seen, told: &FileTold<'_>) -> String {
    if let Some(format) = seen.format.filter(|format| !format.is_container) {
        return format.extension.to_owned();
    }
    if let Some(extension) = extension_of(told.url) {
        return extension;
    }
    let by_type = EXTENSIONS.iter().find(|(media_type, _)| *media_type == told.media_type);
    let by_format = seen.format.map(|format| format.extension);
    by_type.map(|(_, extension)| *extension).or(by_format).unwrap_or_default().to_owned()
}

/// The extension in a URL's path, if it may be one.
fn extension_of(url: &CanonicalUrl) -> Option<String> {
    let name = url.path().rsplit('/').next()?;
    let (_, extension) = name.rsplit_once('.')?;
    let is_one = (1..=MAX_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !extension.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| extension.to_ascii_lowercase())
}
