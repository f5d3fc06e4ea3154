//! Files that items ask for: images, documents, archives.
//!
//! A file is a request like any other, under a fingerprint of its own, whose body goes to the disk
//! piece by piece and never lies in memory as a whole. Where to is the store's affair, so the
//! fetcher is given a [`Depot`]; both block, and are called where that does no harm.

use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CanonicalUrl, Failure, FilterReason, Fingerprint};

mod config;
mod format;

pub use config::MediaConfig;
pub use format::{FileFormat, ImageSize, image_size};

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Anything of the types in `media.types`.
    #[default]
    File,
    /// An image: what is none, or smaller than `media.min-width` and `media.min-height`, is not
    /// kept.
    Image,
}

impl FileKind {
    /// The stable name, as it stands in declarative spiders and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Image => "image",
        }
    }
}

/// A file that an item asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAsk {
    /// Where it is.
    pub url: CanonicalUrl,
    /// The field of the item that names it; empty if none does.
    pub field: Box<str>,
    /// What is wanted of it.
    pub kind: FileKind,
}

impl FileAsk {
    /// Any file.
    #[must_use]
    pub fn file(url: CanonicalUrl) -> Self {
        Self { url, field: "".into(), kind: FileKind::File }
    }

    /// An image.
    #[must_use]
    pub fn image(url: CanonicalUrl) -> Self {
        Self { kind: FileKind::Image, ..Self::file(url) }
    }

    /// Says which field of the item names it.
    #[must_use]
    pub fn of(mut self, field: &str) -> Self {
        self.field = field.into();
        self
    }
}

/// The same, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFile {
    /// Where it is.
    pub url: CanonicalUrl,
    /// The field of the item that names it; empty if none does.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub field: Box<str>,
    /// Fingerprint of its request.
    pub print: Fingerprint,
    /// Which rule keeps it out of the crawl; `None` if it is fetched, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_out: Option<FilterReason>,
}

/// What a settle says of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// What each item that is kept asks for; as long as the list of those, or empty if none of them
    /// asks for anything.
    pub asked: Vec<Vec<AskedFile>>,
    /// Where a file is that was looked for and redirected: fingerprint of that request.
    pub leads_to: Option<Fingerprint>,
}

/// What is known of a file that lies in the crawl's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// SHA-256 of its bytes, in hexadecimal: files with the same one are one file.
    pub sha256: String,
    /// Its place within the crawl's folder.
    pub path: String,
    /// Its media type: by its first bytes, or else as the server says; empty if nobody can tell.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Width of an image in pixels; absent if it is none, or of a format that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of an image in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// A file that has come and waits to be settled.
pub struct Arrived {
    /// What is known of it.
    pub facts: FileFacts,
    /// Its size.
    pub bytes: u64,
    /// What is left of it goes when this is dropped.
    pub hold: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arrived({} {})", self.facts.path, self.bytes)
    }
}

/// What a draft is told of the file when it is whole.
#[derive(Debug, Clone, Copy)]
pub struct FileTold<'a> {
    /// Where it came from.
    pub url: &'a CanonicalUrl,
    /// What is wanted of it.
    pub kind: FileKind,
    /// Its media type as the server says, without parameters; empty if it says none.
    pub media_type: &'a str,
}

/// Where files go. All of it blocks.
pub trait Depot: Send + Sync + fmt::Debug {
    /// Begins a file.
    ///
    /// # Errors
    /// [`FailureKind::FileBudget`](crate::FailureKind::FileBudget) if the crawl may keep no more,
    /// [`FailureKind::Disk`](crate::FailureKind::Disk) if none can be made.
    fn begin(&self) -> Result<Box<dyn Draft>, Failure>;
}

/// A file in the making; dropped before it is finished, nothing of it stays.
pub trait Draft: Send {
    /// Appends bytes. Blocks.
    ///
    /// # Errors
    /// [`FailureKind::Disk`](crate::FailureKind::Disk) if they cannot be written.
    fn write(&mut self, piece: &[u8]) -> Result<(), Failure>;

    /// Brings the whole file to where it lasts. Blocks.
    ///
    /// # Errors
    /// As for [`write`](Self::write); [`FailureKind::ContentType`](crate::FailureKind::ContentType)
    /// if it is not what was asked for, [`FailureKind::TooSmall`](crate::FailureKind::TooSmall) if
    /// it is an image that nobody wants.
    fn finish(self: Box<Self>, told: &FileTold<'_>) -> Result<Arrived, Failure>;
}
