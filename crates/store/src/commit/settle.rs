//! One settle: what of it is kept, and what becomes of an earlier copy of the page.

use std::time::Duration;

use crawl_model::{Archived, Files, Fingerprint, Item, PageItems, PageRecord, Verdict};

use super::{Books, Commit, rest_until};
use crate::codec::{Facts, RawEnding, Texts};
use crate::copies::Copy;
use crate::fresh::FreshPage;
use crate::media::Keeping;
use crate::recrawl::News;
use crate::store::{Shared, now_ms, now_us};
use crate::{PageGlance, StoreError, keys};

/// What settling needs to know of one URL.
pub(super) struct Settle<'a> {
    pub(super) print: Fingerprint,
    pub(super) verdict: Verdict,
    pub(super) record: PageRecord,
    pub(super) archived: Option<&'a Archived>,
    pub(super) items: PageItems,
    pub(super) rest: Option<Duration>,
}

/// What became of a settle.
pub(super) struct Stands {
    /// How the URL stands now.
    pub(super) verdict: Verdict,
    /// Of this fetch.
    pub(super) record: PageRecord,
    /// The items of this fetch that are stored, or would be if no better copy was there.
    pub(super) items: Vec<Item>,
    /// Items more than before.
    pub(super) n_more: i64,
}

impl Books {
    /// Numbers a settle and keeps what it brought, unless a better copy is there.
    pub(super) fn settle(
        &mut self,
        settle: Settle<'_>,
        commit: &mut Commit,
    ) -> Result<Stands, StoreError> {
        let Settle { print, verdict, mut record, archived, mut items, rest } = settle;
        let now_ms = now_ms();
        record.verdict = verdict;
        record.body = None;
        record.drop_credentials();
        let old = self.shared.db.page(print)?;
        let is_worse =
            old.as_ref().is_some_and(|old| Copy::of(&record).is_worse_than(&Copy::of(old)));
        let kept = old.as_ref().filter(|old| is_worse || is_same_file(&record, old));
        // The log says how the URL stands, so that its fold agrees with the records.
        let stands = kept.map_or(verdict, |old| old.verdict);
        let is_kept = kept.is_some();
        if verdict.is_page() {
            self.shared.revisits.count_page();
        }
        if let Some(old) = &old {
            let news = News::of(old, &record, is_worse);
            self.shared.revisits.count(news);
            self.recrawl.plan(old, &mut record, news, now_ms);
        }
        commit.settled.insert(print);
        let host = record.url.host_str();
        let rest_until_ms = rest_until(now_ms, rest);
        let ending = RawEnding { print, host, at_ms: now_ms, rest_until_ms };
        self.acquit(print, commit);
        let mut packed = Vec::new();
        if !is_kept {
            let at_ms = if record.fetched_ms > 0 { record.fetched_ms } else { now_ms };
            packed = self.put_items((print, at_ms), &record, old.as_ref(), &mut items, commit)?;
            record.n_files = self.put_files(print, &record, old.as_ref(), &items.files, commit)?;
        }
        let items = items.kept;
        record.n_items = u32::try_from(items.len()).unwrap_or(u32::MAX);
        record.n = self.packer.settled(ending, stands, facts_of(kept.unwrap_or(&record)));
        if let Some(kept) = kept {
            let mut kept = kept.clone();
            kept.take_visit(&record);
            if !is_worse {
                (kept.etag, kept.last_modified) =
                    (record.etag.clone(), record.last_modified.clone());
            }
            put_record(print, &kept, commit);
            self.note_fresh(print, None, commit);
            // What says that the copy still holds is no copy itself.
            if let Some(archived) = archived.filter(|archived| archived.body.is_none()) {
                self.archive.append(archived, now_us())?;
            }
            return Ok(Stands { verdict: stands, record, items, n_more: 0 });
        }

        if let Some(archived) = archived {
            record.body = self.archive.append(archived, now_us())?;
            if let (Some(key), Some(body)) = (archived.key, &record.body) {
                self.shared.known.add(key, body);
            }
        }
        put_record(print, &record, commit);
        self.note_fresh(print, Some((&record, packed)), commit);
        if verdict.is_page() {
            self.tally.add_page();
        }
        if old.as_ref().is_some_and(|old| !old.body_lost.is_empty()) {
            commit.batch.remove(&keys::print(keys::LOST, print));
        }
        let n_before = old.map_or(0, |old| old.n_items);
        let n_more = i64::from(record.n_items) - i64::from(n_before);
        commit.items += n_more;
        Ok(Stands { verdict: stands, record, items, n_more })
    }

    /// Keeps what is written of a page in hand for feeds. `None`: they are to read it.
    fn note_fresh(
        &self,
        print: Fingerprint,
        written: Option<(&PageRecord, Vec<u8>)>,
        commit: &mut Commit,
    ) {
        if self.shared.fresh.is_wanted() {
            let whole = written.filter(|(record, _)| record.n_files == 0);
            let page = whole.map(|(record, packed)| {
                let PageRecord { n, n_items, n_files, .. } = *record;
                let glance = PageGlance { n, label: record.label.clone(), n_items, n_files };
                FreshPage { glance, packed }
            });
            commit.fresh.push((print, page));
        }
    }

    /// Keeps what a page has to do with files; how many its items ask for.
    fn put_files(
        &self,
        print: Fingerprint,
        record: &PageRecord,
        old: Option<&PageRecord>,
        files: &Files,
        commit: &mut Commit,
    ) -> Result<u32, StoreError> {
        let Shared { db, media, .. } = &*self.shared;
        let batch = &mut commit.batch;
        let n_files = files.asked.iter().map(Vec::len).sum::<usize>();
        if n_files > 0 || old.is_some_and(|old| old.n_files > 0) {
            Keeping::put_asked(db, media, batch, print, &files.asked, old.is_some())?;
        }
        if let Some(to) = files.leads_to {
            Keeping::put_lead(batch, print, to);
        }
        if record.file.is_some() || old.is_some_and(|old| old.file.is_some()) {
            commit.files.put_file(db, batch, print, record, old)?;
        }
        Ok(u32::try_from(n_files).unwrap_or(u32::MAX))
    }
}

/// Whether both have the same file: then it has come again for nothing.
fn is_same_file(new: &PageRecord, old: &PageRecord) -> bool {
    new.file.is_some() && new.file == old.file
}

/// What the log says of a page beside how it stands.
fn facts_of(record: &PageRecord) -> Facts<'_> {
    let PageRecord { url, title, label, error, .. } = record;
    Facts {
        status: record.status.unwrap_or(0),
        bytes: record.bytes,
        n_items: record.n_items,
        elapsed_ms: record.elapsed_ms,
        content_type: &record.content_type,
        texts: Some(Texts { url: url.as_str(), title, label, error }),
    }
}

fn put_record(print: Fingerprint, record: &PageRecord, commit: &mut Commit) {
    let json = serde_json::to_vec(record).expect("strings and numbers serialise");
    commit.n_bytes += json.len();
    commit.batch.insert(&keys::print(keys::PAGE, print), json);
}
