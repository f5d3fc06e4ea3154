//! Reads what is committed: from other threads while the crawl runs, and afterwards.
//!
//! Iterators stream: none collects pages. What a running crawl commits meanwhile may or may not
//! be seen, but a page is always seen whole.

mod rows;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use crawl_model::{
    BodyPointer, CanonicalUrl, Counts, DroppedItem, Fingerprint, Fingerprinter, IdentityConfig,
    KeyRules, Origin, Page, PageRecord, Response, RobotsReply,
};

use crate::commit::item_value;
use crate::dropped::{self, DropCounts};
use crate::fold::{Fold, Part};
use crate::log::Log;
use crate::media::{FileSums, ItemFiles, KnownFiles};
use crate::runs::LastRuns;
use crate::store::Shared;
use crate::warc::Digest;
use crate::{
    Events, FeedCursor, HostRow, Identity, Items, PageGlance, Revisited, StoreError, StoredCookies,
    StoredItems, StoredPages, StoredRobots, archive, folder, keys,
};

pub use rows::{Pages, Settled, Urls};

/// A window into a crawl. Cheap to clone; may be used from any thread.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The crawl's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.shared.folder.root()
    }

    /// What makes it this crawl.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The limits of the last run, as [`Store::put_config`](crate::Store::put_config) kept them;
    /// `None` if none were, or they cannot be read.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn stored_config(&self) -> Result<Option<serde_json::Value>, StoreError> {
        let config = self.shared.db.meta_text("config")?;
        Ok(config.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Which URLs the crawl counts as one: `scope.identity` of the configuration that was kept. Of
    /// a crawl that says nothing of it every difference counts.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn url_identity(&self) -> Result<IdentityConfig, StoreError> {
        let config = self.stored_config()?;
        let table = config.and_then(|config| config.pointer("/scope/identity").cloned());
        let identity = table.and_then(|table| serde_json::from_value(table).ok());
        Ok(identity.unwrap_or_else(IdentityConfig::literal))
    }

    /// Last settle number; 0 if nothing has settled.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn last(&self) -> Result<u64, StoreError> {
        Ok(self.shared.db.totals()?.log.n)
    }

    /// Number of items in the store.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn n_items(&self) -> Result<u64, StoreError> {
        Ok(self.shared.db.totals()?.items)
    }

    /// Number of files in the folder that items asked for, and their bytes. Equal ones are one.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn n_files(&self) -> Result<(u64, u64), StoreError> {
        let FileSums { n, bytes } = self.shared.db.file_sums()?;
        Ok((n, bytes))
    }

    /// The files that were asked for and have ended, to be looked up.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn known_files(&self) -> Result<KnownFiles, StoreError> {
        Ok(KnownFiles { prints: self.fingerprinter()?, reader: self.clone() })
    }

    /// The files of items that were lost from the folder (`crawl verify --repair`) and are to be
    /// fetched again, with their records.
    pub fn lost_files(
        &self,
    ) -> impl Iterator<Item = Result<(Fingerprint, PageRecord), StoreError>> + use<> {
        let reader = self.clone();
        self.shared.db.prefix(&[keys::LOST]).filter_map(move |entry| {
            let print = entry.map(|(key, _)| keys::print_of(&key));
            let page = |print| Ok(reader.page(print)?.map(|record| (print, record)));
            print.and_then(|print| print.map_or(Ok(None), page)).transpose()
        })
    }

    /// Whether any item ever asked for a file.
    #[must_use]
    pub fn asks_for_files(&self) -> bool {
        self.shared.media.is_used()
    }

    /// The record of a settled URL; `None` if it has not settled.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read or the record is damaged.
    pub fn page(&self, print: Fingerprint) -> Result<Option<PageRecord>, StoreError> {
        self.shared.db.page(print)
    }

    /// Has what the crawl writes from now on kept in memory for a moment, for whoever reads each page
    /// when it is settled.
    pub fn follow(&self) {
        self.shared.fresh.want();
    }

    /// The few fields of a record that tell whether there is more to read of the page.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read or the record is damaged.
    pub fn glance(&self, print: Fingerprint) -> Result<Option<PageGlance>, StoreError> {
        match self.shared.fresh.get(print) {
            Some(page) => Ok(Some(page.glance.clone())),
            None => PageGlance::at(&self.shared.db, print),
        }
    }

    /// A page as the stream yields it, without header fields; its body if it was archived.
    ///
    /// # Errors
    /// [`StoreError`] if record, items or body cannot be read.
    pub fn load(&self, print: Fingerprint) -> Result<Option<Page>, StoreError> {
        let Some(record) = self.page(print)? else { return Ok(None) };
        let items = self.items(print).map(|item| item.map(|json| item_value(&json)));
        let items = items.collect::<Result<_, _>>()?;
        let body = record.body.as_ref().map(|pointer| self.body(pointer)).transpose()?;
        Ok(Some(Page { print, record, headers: Vec::new(), body, items }))
    }

    /// All records in the order they settled.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read; so may each step.
    pub fn pages(&self) -> Result<Pages, StoreError> {
        self.pages_after(0)
    }

    /// The records that settled after number `n`, in order.
    ///
    /// # Errors
    /// As for [`pages`](Self::pages).
    pub fn pages_after(&self, n: u64) -> Result<Pages, StoreError> {
        Ok(Pages::new(self.settled_after(n)?, self.clone()))
    }

    /// The items of a page as JSON texts, in the order the spider took them. One that asks for files
    /// says in its field `files` where each of them stands now.
    #[must_use]
    pub fn items(&self, print: Fingerprint) -> Items {
        match self.shared.fresh.get(print) {
            Some(page) => Items::fresh(&page),
            None => Items::of(&self.shared.db, print, ItemFiles::of(self, print)),
        }
    }

    /// The same, each with what is known of it; `record` is that of the page.
    #[must_use]
    pub fn stored_items<'a>(
        &'a self,
        print: Fingerprint,
        record: &'a PageRecord,
    ) -> StoredItems<'a> {
        let files = ItemFiles::of(self, print).filter(|_| record.n_files > 0);
        StoredItems::of(&self.shared.db, &self.shared.kinds, print, record, files)
    }

    /// Those of a page's items that are whole at settle `n` and at none before: it is the page's, or
    /// that of the last file that they ask for.
    #[must_use]
    pub fn items_whole_at<'a>(
        &'a self,
        print: Fingerprint,
        record: &'a PageRecord,
        n: u64,
    ) -> StoredItems<'a> {
        self.stored_items(print, record).whole_at(n)
    }

    /// The items of a page that a step of the pipeline dropped, as far as they were kept.
    ///
    /// # Errors
    /// [`StoreError`] at each step, if the database cannot be read.
    pub fn dropped(
        &self,
        print: Fingerprint,
    ) -> impl Iterator<Item = Result<DroppedItem, StoreError>> + use<> {
        dropped::of_page(&self.shared.db, print)
    }

    /// How many items were dropped and for which reasons, over all runs.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn drop_counts(&self) -> Result<DropCounts, StoreError> {
        DropCounts::read(&self.shared.db)
    }

    /// What has come so far of the pages that were asked for again since the folder was opened.
    #[must_use]
    pub fn revisits(&self) -> Revisited {
        self.shared.revisits.get()
    }

    /// Pages that have settled since the folder was opened, those that were asked for again
    /// included.
    #[must_use]
    pub fn pages_since_open(&self) -> u64 {
        self.shared.revisits.pages()
    }

    /// Which fields the items of this run have, and those of the run before.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn last_runs(&self) -> Result<LastRuns, StoreError> {
        LastRuns::read(&self.shared.db)
    }

    /// Numbers, prints and verdicts of what settled after number `n`, in order. Starts at once,
    /// however long the log is.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read; so may each step.
    pub fn settled_after(&self, n: u64) -> Result<Settled, StoreError> {
        let log = Log::settles_from(&self.shared.log, n.saturating_add(1))?;
        Ok(Settled::new(log, n))
    }

    /// All settled pages with their requests and what came, in the order they settled: a crawl to
    /// be read once more.
    #[must_use]
    pub fn stored(&self) -> StoredPages {
        StoredPages::new(self.clone(), Log::all(&self.shared.log))
    }

    /// The settle log from the beginning.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(Log::all(&self.shared.log))
    }

    /// The settles with what the log says of their pages, from one shortly before number `n` on.
    pub(crate) fn settles_from(&self, n: u64) -> Result<Log, StoreError> {
        Log::settles_from(&self.shared.log, n)
    }

    /// The record of a settled URL as it lies in the database.
    pub(crate) fn page_json(&self, print: Fingerprint) -> Result<Option<sled::IVec>, StoreError> {
        self.shared.db.get(&keys::print(keys::PAGE, print))
    }

    /// Every distinct URL ever found, with where it stands. Reads the log twice.
    ///
    /// # Errors
    /// [`StoreError`] if the log cannot be read; so may each step.
    pub fn urls(&self) -> Result<Urls, StoreError> {
        self.part_of_urls(Part::All)
    }

    /// The same, of some only: several rows of one URL, if it was asked for in several ways.
    pub(crate) fn part_of_urls(&self, part: Part<'_>) -> Result<Urls, StoreError> {
        let rows = Fold::of(&self.shared.log, part)?.rows(&self.shared.log);
        Ok(Urls::new(rows))
    }

    /// The fingerprints of all that was asked for at a URL, the plain request's first, until `each`
    /// breaks; where it may have two, one of them may be another URL's. Credentials in URLs do not
    /// count.
    pub(crate) fn each_print_of(
        &self,
        url: &CanonicalUrl,
        mut each: impl FnMut(Fingerprint) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let prints = self.fingerprinter()?;
        let plain = [Some(prints.get(url)), prints.second_get(url)];
        for print in plain.into_iter().flatten() {
            if each(print)?.is_break() {
                return Ok(());
            }
        }
        for print in Fold::of(&self.shared.log, Part::Of(url))?.prints() {
            if !plain.contains(&Some(print)) && each(print)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Makes the crawl's fingerprints: of two URLs that it counts as one the same.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn fingerprinter(&self) -> Result<Fingerprinter, StoreError> {
        let rules = self.url_identity()?;
        // One that cannot be read any more overlooks nothing.
        let rules = KeyRules::new(&rules).or_else(|_| KeyRules::new(&IdentityConfig::literal()));
        let prints = Fingerprinter::new(self.shared.identity.secret);
        Ok(rules.map_or(prints.clone(), |rules| prints.under(rules)))
    }

    /// How many URLs stand where, by a fold over the whole log. What is in hand counts as queued:
    /// the log does not know the difference.
    ///
    /// # Errors
    /// [`StoreError`] if the log cannot be read.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let fold = Fold::of(&self.shared.log, Part::All)?;
        Ok(fold.counts(self.shared.db.totals()?.items))
    }

    /// Sums by host, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] if the log or a record cannot be read.
    pub fn hosts(&self) -> Result<Vec<HostRow>, StoreError> {
        Fold::hosts(&self.shared.log)
    }

    /// An archived body, decoded.
    ///
    /// # Errors
    /// [`StoreError::Body`] if the file or the record in it is not there or damaged.
    pub fn body(&self, pointer: &BodyPointer) -> Result<Bytes, StoreError> {
        archive::read(&self.shared.folder.bodies(), pointer)
    }

    /// The archived body whose payload digest is `digest`, as WARC writes it (`sha1:` and base32);
    /// `None` if none is known. Only the newest bodies are known: some 200,000.
    ///
    /// # Errors
    /// [`StoreError::Body`] if the record of it is damaged.
    pub fn body_of_digest(&self, digest: &str) -> Result<Option<Bytes>, StoreError> {
        let pointer = Digest::key_of(digest).and_then(|key| self.shared.known.get(key));
        let Some(pointer) = pointer else { return Ok(None) };
        archive::read_if(&self.shared.folder.bodies(), &pointer, digest)
    }

    /// An archived response: status, header fields as they came (but for those that no archive can
    /// hold), and the decoded body.
    ///
    /// # Errors
    /// [`StoreError::Body`] if the file or the record in it is not there or damaged.
    pub fn response(&self, pointer: &BodyPointer) -> Result<Response, StoreError> {
        archive::read_response(&self.shared.folder.bodies(), pointer)
    }

    /// What was last said of an origin's robots.txt, however long ago; `None` if nothing was.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn robots(&self, origin: &Origin) -> Result<Option<RobotsReply>, StoreError> {
        let replies = StoredRobots::of(&self.shared.db, origin).next().transpose()?;
        Ok(replies.map(|(_, reply, _)| reply))
    }

    /// What was last said of all robots.txt files, of any age, by origin.
    pub(crate) fn robots_replies(&self) -> StoredRobots {
        StoredRobots::all(&self.shared.db)
    }

    /// The cookies, in no order that means anything.
    pub(crate) fn cookies(&self) -> StoredCookies {
        StoredCookies::new(&self.shared.db)
    }

    /// A folder within the crawl's where feeds may keep what is to go elsewhere; a fresh start
    /// removes it. It need not be there.
    #[must_use]
    pub fn feeds_folder(&self) -> PathBuf {
        self.shared.folder.feeds()
    }

    /// How far the feed of this name has got; `None` if it never reported.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn feed_cursor(&self, feed: &str) -> Result<Option<FeedCursor>, StoreError> {
        self.shared.db.feed_cursor(feed)
    }

    /// All feeds that ever reported, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn feed_cursors(&self) -> Result<Vec<(String, FeedCursor)>, StoreError> {
        self.shared.db.feed_cursors()
    }

    /// Bytes on the disk: of all but the bodies, and of the bodies.
    #[must_use]
    pub fn disk_bytes(&self) -> (u64, u64) {
        let folder = &self.shared.folder;
        let tables = [folder.sled(), folder.log(), folder.frontier()];
        let table_bytes = tables.iter().map(|path| folder::disk_bytes(path)).sum();
        (table_bytes, folder::disk_bytes(&folder.bodies()))
    }
}
