//! Bodies that go to the disk instead of into memory: files that items ask for.
//!
//! The disk blocks, so each part goes there on a thread that may; the next bytes are read when it
//! is written, so that what lies in memory is a part or two, however large the file.

use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    Arrived, CanonicalUrl, Depot, Draft, Errand, Failure, FailureKind, FileKind, FileTold,
    MediaConfig, Method, Ticket,
};

use crate::FetchConfigError;
use crate::decode::Sink;
use crate::media::MediaTypes;

/// Bytes that are written in one go.
pub(crate) const PART: usize = 256 * 1024;

/// Where files go, and what holds for them.
#[derive(Debug)]
pub(crate) struct FileRules {
    depot: Arc<dyn Depot>,
    types: MediaTypes,
    images: MediaTypes,
    pub(crate) bytes: usize,
    /// Longest time for the whole fetch.
    pub(crate) total: Duration,
}

impl FileRules {
    pub(crate) fn new(
        depot: Arc<dyn Depot>,
        config: &MediaConfig,
    ) -> Result<Self, FetchConfigError> {
        // What a server that knows nothing says; its first bytes will tell.
        let images = ["image/*", "application/octet-stream", "binary/octet-stream"];
        let mib = usize::try_from(config.max_mib.get()).unwrap_or(usize::MAX);
        Ok(Self {
            depot,
            types: types(config)?,
            images: MediaTypes::new(&images.map(str::to_owned))?,
            bytes: mib.saturating_mul(1024 * 1024),
            total: Duration::from_secs(u64::from(config.max_minutes.get()) * 60),
        })
    }

    /// What is wanted of the file that `ticket` asks for; `None` if it asks for a page.
    pub(crate) fn kind(ticket: &Ticket) -> Option<FileKind> {
        match ticket.errand() {
            Errand::Page(page) if page.method == Method::Get => page.file_kind(),
            Errand::Page(_) | Errand::Robots { .. } => None,
        }
    }

    /// Whether a file of this `Content-Type` is wanted, and which key says so.
    pub(crate) fn wants(&self, kind: FileKind, content_type: &[u8]) -> Result<(), &'static str> {
        let (types, what) = match kind {
            FileKind::File => (&self.types, "media.types"),
            FileKind::Image => (&self.images, "an image is asked for"),
        };
        if types.wants(content_type) { Ok(()) } else { Err(what) }
    }
}

/// The patterns of `media.types`.
pub(crate) fn types(config: &MediaConfig) -> Result<MediaTypes, FetchConfigError> {
    MediaTypes::new(&config.types).map_err(|error| match error {
        FetchConfigError::ContentType(text) => FetchConfigError::FileType(text),
        other => other,
    })
}

/// A body on its way to the disk.
pub(crate) struct FileBody {
    /// `None` while a part is written, and after a failure.
    draft: Option<Box<dyn Draft>>,
    failure: Option<Failure>,
}

impl FileBody {
    /// Begins a file.
    pub(crate) async fn begin(rules: &FileRules) -> Result<Self, Failure> {
        let depot = rules.depot.clone();
        let draft = on_thread(move || depot.begin()).await?;
        Ok(Self { draft: Some(draft), failure: None })
    }

    /// Writes what is in the sink, once it is worth it; whether all is well.
    pub(crate) async fn drain(&mut self, sink: &mut Sink, is_last: bool) -> bool {
        if sink.len() == 0 || (sink.len() < PART && !is_last) {
            return true;
        }
        let Some(mut draft) = self.draft.take() else { return false };
        let part = sink.take();
        match on_thread(move || draft.write(&part).map(|()| draft)).await {
            Ok(draft) => {
                self.draft = Some(draft);
                true
            }
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    /// Brings the whole file to where it lasts; of one that is not whole nothing stays.
    pub(crate) async fn end(
        mut self,
        is_whole: bool,
        kind: FileKind,
        url: &CanonicalUrl,
        media_type: String,
    ) -> Result<Option<Arrived>, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let Some(draft) = self.draft.take() else { return Ok(None) };
        let url = url.clone();
        on_thread(move || match is_whole {
            true => draft.finish(&FileTold { url: &url, kind, media_type: &media_type }).map(Some),
            false => Ok(None),
        })
        .await
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        // A fetch that is broken off: what is there is removed where that may block.
        if let Some(draft) = self.draft.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(draft)));
        }
    }
}

/// Runs what blocks where it may.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Failure::new(FailureKind::Disk, "writing a file broke off")))
}
