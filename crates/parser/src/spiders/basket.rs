//! What one page gives: the harvest, counted as it comes in.

use std::sync::Arc;

use crawl_model::ItemKind;
use crawl_spider::{FileAsk, Harvest, Page, SpiderError};

use crate::spiders::object::Object;
use crate::spiders::stop::Stop;

/// A harvest, and what is to be known of it to go on or to stop.
pub(crate) struct Basket<'h> {
    pub(crate) out: &'h mut Harvest,
    /// Items that were kept, and those that were sent on.
    pub(crate) n_items: u64,
    /// Items that were kept.
    n_kept: u64,
    n_links: u64,
    n_new: u64,
    stop: &'h Stop,
}

impl<'h> Basket<'h> {
    pub(crate) fn new(out: &'h mut Harvest, stop: &'h Stop) -> Self {
        Self { out, n_items: 0, n_kept: 0, n_links: 0, n_new: 0, stop }
    }

    /// Keeps an item, perhaps of a kind, which asks for files.
    pub(crate) fn emit(
        &mut self,
        kind: Option<&Arc<ItemKind>>,
        item: &Object<'_>,
        files: Vec<FileAsk>,
    ) -> Result<(), SpiderError> {
        match kind {
            Some(kind) => self.out.item_of(kind, item)?,
            None => self.out.item(item)?,
        }
        self.out.with_files(files);
        (self.n_items, self.n_kept) = (self.n_items + 1, self.n_kept + 1);
        if let Some(reason) = self.stop.reason_of(item) {
            self.out.stop(reason);
        }
        Ok(())
    }

    /// Counts a link that is followed.
    pub(crate) fn note_link(&mut self, is_new: bool) {
        self.n_links += 1;
        self.n_new += u64::from(is_new);
    }

    /// Whether there are links to follow, and all are known.
    pub(crate) fn has_only_known_links(&self) -> bool {
        self.n_links > 0 && self.n_new == 0
    }

    pub(crate) fn has_links(&self) -> bool {
        self.n_links > 0
    }

    /// Tells the crawl's end what came in.
    pub(crate) fn close(self, page: Option<&Page<'_>>) {
        let is_known = self.has_only_known_links();
        let reasons = [
            self.stop.count_items(self.n_kept),
            page.and_then(|page| self.stop.count_links(page.label(), self.has_links(), is_known)),
        ];
        if let Some(reason) = reasons.into_iter().flatten().next() {
            self.out.stop(reason);
        }
    }
}
