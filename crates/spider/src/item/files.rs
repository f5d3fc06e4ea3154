//! The files that an item asks for.

use crawl_model::{CanonicalUrl, FileAsk, FileKind};
use serde::Serialize;

use super::PageItem;
use crate::{Harvest, Page, SpiderError};

/// What a field that names files may be.
pub trait FileUrls {
    /// Shows each URL, relative or absolute.
    fn each(&self, show: &mut dyn FnMut(&str));
}

impl FileUrls for String {
    fn each(&self, show: &mut dyn FnMut(&str)) {
        show(self);
    }
}

impl FileUrls for CanonicalUrl {
    fn each(&self, show: &mut dyn FnMut(&str)) {
        show(self.as_str());
    }
}

impl<T: FileUrls> FileUrls for Option<T> {
    fn each(&self, show: &mut dyn FnMut(&str)) {
        self.iter().for_each(|one| one.each(show));
    }
}

impl<T: FileUrls> FileUrls for Vec<T> {
    fn each(&self, show: &mut dyn FnMut(&str)) {
        self.iter().for_each(|one| one.each(show));
    }
}

/// The files that a field names. What is no URL that is crawled (`data:`, say) names none.
pub fn files(
    urls: &impl FileUrls,
    field: &str,
    kind: FileKind,
    page: &Page<'_>,
    all: &mut Vec<FileAsk>,
) {
    urls.each(&mut |text| {
        let url = page.join(text).ok().filter(|_| !text.is_empty());
        all.extend(url.map(|url| FileAsk { url, field: field.into(), kind }));
    });
}

impl Harvest {
    /// Keeps an item that was read from `page`, with the files that its fields marked `file` or
    /// `image` name: as [`extract`](Self::extract) does, for items that were looked at first.
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it is no JSON.
    pub fn keep<T: PageItem + Serialize>(
        &mut self,
        page: &Page<'_>,
        item: &T,
    ) -> Result<(), SpiderError> {
        self.derived(item)?;
        self.with_files(item.files(page));
        Ok(())
    }
}
