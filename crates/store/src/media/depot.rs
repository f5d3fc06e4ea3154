//! Where the fetcher sends files.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crawl_model::{Depot, Draft, Failure, FailureKind, MediaConfig};

use super::draft::FileDraft;
use super::{MEDIA, NEW};
use crate::crash;
use crate::store::Shared;

/// The crawl's folder as a place for files.
#[derive(Debug)]
pub(crate) struct MediaDepot {
    shared: Arc<Shared>,
    config: MediaConfig,
}

impl MediaDepot {
    pub(crate) fn new(shared: Arc<Shared>, config: &MediaConfig) -> Self {
        Self { shared, config: config.clone() }
    }

    /// Whether all files together take what they may.
    fn is_full(&self) -> bool {
        let most = self.config.total_mib.saturating_mul(1024 * 1024);
        most != 0 && self.shared.media.bytes.load(Ordering::Acquire) >= most
    }
}

impl Depot for MediaDepot {
    fn begin(&self) -> Result<Box<dyn Draft>, Failure> {
        if self.is_full() {
            let most = self.config.total_mib;
            let detail = format!("the crawl's files take {most} MiB already (media.total-mib)");
            return Err(Failure::new(FailureKind::FileBudget, detail));
        }
        let number = self.shared.media.next.fetch_add(1, Ordering::AcqRel);
        let new = self.shared.folder.root().join(MEDIA).join(NEW);
        let path = new.join(format!("{number}.part"));
        let made = || {
            make_dir(&new)?;
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)
        };
        let file = made().map_err(|error| failed(&self.shared, &path, error))?;
        crash::point("media-begun");
        Ok(Box::new(FileDraft::new(self.shared.clone(), self.config.clone(), file, path)))
    }
}

/// Makes a folder that only its owner may look into, unless it is there.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Notes what went wrong with the disk: the writer's next commit fails by it, and the crawl.
pub(super) fn failed(shared: &Shared, path: &Path, error: io::Error) -> Failure {
    let detail = format!("{} cannot be written: {error}", path.display());
    shared.fault.note(path, error);
    Failure::new(FailureKind::Disk, detail)
}
