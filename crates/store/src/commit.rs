//! Turns entries into one atomic batch.
//!
//! All that an entry brings goes into the same batch: record, items, log, the end of a suspicion.
//! So at any kill it has happened, or it has not. Bodies are on the disk before the batch that
//! points to them; the manifest follows it.

mod items;
mod settle;

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    EndedBy, Ending, Entry, Errand, Fingerprint, Fingerprinter, Found, Item, LogPosition, Origin,
    Page, PageItems, PageRecord, Parsed, Response, RobotsReply, Source, Ticket, Verdict,
};

use crate::archive::Archive;
use crate::codec::{Packer, RawEnding};
use crate::database::{FeedCursor, Totals, encode_cursor, encode_numbers};
use crate::dropped::Drops;
use crate::fresh::FreshPage;
use crate::items::{Index, Lost, Numbers};
use crate::log::Appender;
use crate::manifest::Manifest;
use crate::media::{self, Keeping};
use crate::seal::Batch;
use crate::store::{Shared, millis, now_ms};
use crate::tally::Tally;
use crate::{RecrawlConfig, StoreConfig, StoreError, cookies, crash, keys, robots};

use settle::{Settle, Stands};

/// Entries, and bytes of items, after which a group is closed without waiting for more: what a shared
/// flush saves is saved by then, and until a batch is in, sled keeps every leaf that it changes.
const ENOUGH: usize = 512;
const ENOUGH_ITEM_BYTES: usize = 64 << 10;
/// Entries and bytes after which a group is closed though more stand in line.
const MOST: usize = 1024;
const MOST_BYTES: usize = 32 << 20;

/// What is told to the frontier once the batch is durable.
#[derive(Debug)]
pub(crate) enum Ack {
    Settled {
        ticket: Ticket,
        verdict: Verdict,
        n_items: i64,
        found: Vec<Found>,
        page: Option<Box<Page>>,
    },
    Retry {
        ticket: Ticket,
        rest: Option<Duration>,
    },
    Robots {
        ticket: Ticket,
        origin: Origin,
        reply: RobotsReply,
    },
    Found {
        found: Vec<Found>,
        source: Source,
    },
    Ended(Vec<(Fingerprint, EndedBy)>),
    Committed(LogPosition),
}

/// A group of entries on its way to the disk. Dropped before it is there, it gives its tickets up.
#[derive(Debug)]
pub(crate) struct Commit {
    batch: Batch,
    /// Items more or fewer than before.
    items: i64,
    acks: Vec<Ack>,
    /// What settled in this group, of which the database knows nothing yet.
    settled: HashSet<Fingerprint>,
    files: Keeping,
    index: Index,
    /// What it writes that feeds will ask for.
    fresh: Vec<(Fingerprint, Option<FreshPage>)>,
    n_entries: usize,
    n_tickets: usize,
    /// Bytes in memory, items left out.
    n_bytes: usize,
    n_item_bytes: usize,
    is_empty: bool,
}

impl Commit {
    /// Tickets that end with it.
    pub(crate) fn n_tickets(&self) -> usize {
        self.n_tickets
    }

    /// Whether an entry has to wait for the next group: its page settles in this one already, and
    /// which of two copies is better is seen when the first is in the database.
    pub(crate) fn is_before(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Parsed(parsed) => self.settled.contains(&parsed.ticket.print()),
            Entry::Ended(ends) => ends.iter().any(|(print, _)| self.settled.contains(print)),
            Entry::Found { .. } | Entry::FeedCursor { .. } => false,
        }
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.n_entries >= ENOUGH || self.n_item_bytes >= ENOUGH_ITEM_BYTES
    }

    pub(crate) fn is_full(&self) -> bool {
        self.n_entries >= MOST || self.n_bytes + self.n_item_bytes >= MOST_BYTES
    }
}

/// What the writer knows between two commits.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) shared: Arc<Shared>,
    totals: Totals,
    log: Appender,
    packer: Packer,
    archive: Archive,
    tally: Tally,
    drops: Drops,
    numbers: Numbers,
    lost: Lost,
    /// How much is kept of each item that is dropped here.
    dropped_item_bytes: usize,
    manifest: Manifest,
    suspects: HashSet<Fingerprint>,
    /// How often each feed has reported.
    reports: HashMap<Arc<str>, u64>,
    /// Whether anyone reads the page stream.
    wants_pages: bool,
    /// When pages are asked for again.
    recrawl: RecrawlConfig,
}

impl Books {
    pub(crate) fn open(
        shared: Arc<Shared>,
        config: &StoreConfig,
        suspects: HashSet<Fingerprint>,
        wants_pages: bool,
        recrawl: RecrawlConfig,
    ) -> Result<Self, StoreError> {
        let (db, folder) = (&shared.db, &shared.folder);
        let totals = db.totals()?;
        let prints = Fingerprinter::new(shared.identity.secret);
        let packer = Packer::new(prints, totals.log.n.saturating_add(1));
        let manifest = Manifest::open(folder.manifest())?;
        let committed = db.segments()?;
        let archive = Archive::new(folder.bodies(), config, shared.ids.clone(), &committed);
        let tally = Tally::open(db)?;
        let drops = Drops::open(db, u64::from(config.dropped_mib) << 20)?;
        let (numbers, lost) = (Numbers::of(&shared.kinds), Lost::open(db)?);
        Ok(Self {
            totals,
            log: Appender::new(shared.log.clone()),
            packer,
            archive,
            tally,
            drops,
            numbers,
            lost,
            dropped_item_bytes: config.dropped_item_bytes(),
            manifest,
            suspects,
            reports: HashMap::new(),
            wants_pages,
            recrawl,
            shared,
        })
    }

    /// Begins a group.
    pub(crate) fn begin(&self) -> Commit {
        Commit {
            batch: Batch::default(),
            items: 0,
            acks: Vec::new(),
            settled: HashSet::new(),
            files: Keeping::default(),
            index: Index::default(),
            fresh: Vec::new(),
            n_entries: 0,
            n_tickets: 0,
            n_bytes: 0,
            n_item_bytes: 0,
            is_empty: true,
        }
    }

    /// Adds an entry to the group.
    pub(crate) fn enter(&mut self, entry: Entry, commit: &mut Commit) -> Result<(), StoreError> {
        commit.n_entries += 1;
        match entry {
            Entry::Parsed(parsed) => self.parsed(*parsed, commit),
            Entry::Found { found, source } => {
                self.pack(&found);
                commit.n_bytes += bytes_of(&found);
                commit.acks.push(Ack::Found { found, source });
                Ok(())
            }
            Entry::Ended(ends) => self.ended(ends, commit),
            Entry::FeedCursor { feed, n, len, state } => {
                self.feed_cursor(feed, FeedCursor { n, len, reports: 0, state }, commit)
            }
        }
    }

    fn parsed(&mut self, parsed: Parsed, commit: &mut Commit) -> Result<(), StoreError> {
        let Parsed { ticket, ending, response, record, items, found, cookies, archived } = parsed;
        cookies::put(&mut commit.batch, &cookies);
        commit.is_empty &= cookies.is_empty();
        commit.n_tickets += 1;
        commit.n_bytes += bytes_of(&found);
        commit.n_bytes += response.as_ref().map_or(0, |response| response.body.len());
        commit.n_bytes += archived.as_ref().map_or(0, |archived| archived.bytes.len());
        commit.n_item_bytes += items.kept.iter().map(|item| item.json.len()).sum::<usize>();
        match ending {
            Ending::Settled { verdict, rest } => {
                let (print, response) = (ticket.print(), response.as_ref());
                let archived = archived.as_ref();
                let settle = Settle { print, verdict, record, archived, items, rest };
                let Stands { verdict, record, items, n_more } = self.settle(settle, commit)?;
                self.pack(&found);
                let page =
                    self.wants_pages.then(|| Box::new(page_of(print, record, response, &items)));
                commit.acks.push(Ack::Settled { ticket, verdict, n_items: n_more, found, page });
            }
            Ending::Retry { rest, .. } => {
                let now_ms = now_ms();
                let (print, attempt) = (ticket.print(), ticket.attempt());
                let host = ticket.url().host_str();
                let rest_until_ms = rest_until(now_ms, rest);
                let ending = RawEnding { print, host, at_ms: now_ms, rest_until_ms };
                self.packer.retried(ending, attempt);
                commit.acks.push(Ack::Retry { ticket, rest });
            }
            Ending::Robots(reply) => {
                let origin = match ticket.errand() {
                    Errand::Robots { origin, .. } => origin.clone(),
                    Errand::Page(request) => request.url.origin(),
                };
                let (db, batch) = (&self.shared.db, &mut commit.batch);
                robots::put(db, batch, &origin, &reply, now_ms())?;
                commit.is_empty = false;
                self.acquit(ticket.print(), commit);
                commit.acks.push(Ack::Robots { ticket, origin, reply });
            }
        }
        Ok(())
    }

    /// Packs URLs that were found. Another thread made them, so their texts are looked at in one
    /// go first: the processor fetches them side by side.
    fn pack(&mut self, found: &[Found]) {
        let ends = found.iter().filter_map(|found| found.request.url.as_str().as_bytes().last());
        black_box(ends.fold(0, |all, byte| all ^ byte));
        found.iter().for_each(|found| self.packer.found(found));
    }

    fn ended(
        &mut self,
        mut ends: Vec<(Fingerprint, EndedBy)>,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        for (print, end) in &mut ends {
            match end {
                EndedBy::Filter(reason) => self.packer.filtered(*print, *reason),
                EndedBy::Verdict(verdict, record) => {
                    let settle = Settle {
                        print: *print,
                        verdict: *verdict,
                        record: PageRecord::clone(record),
                        archived: None,
                        items: PageItems::default(),
                        rest: None,
                    };
                    *verdict = self.settle(settle, commit)?.verdict;
                }
            }
        }
        commit.acks.push(Ack::Ended(ends));
        Ok(())
    }

    /// The URL has come through: it kills no process.
    fn acquit(&mut self, print: Fingerprint, commit: &mut Commit) {
        if self.suspects.remove(&print) {
            commit.batch.remove(&keys::print(keys::DEATHS, print));
            commit.is_empty = false;
        }
    }

    fn feed_cursor(
        &mut self,
        feed: Arc<str>,
        mut cursor: FeedCursor,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let before = match self.reports.get(&feed) {
            Some(reports) => *reports,
            None => self.shared.db.feed_cursor(&feed)?.map_or(0, |cursor| cursor.reports),
        };
        cursor.reports = before + 1;
        commit.batch.insert(keys::meta(&format!("feed/{feed}")), encode_cursor(&cursor));
        commit.is_empty = false;
        self.reports.insert(feed, cursor.reports);
        Ok(())
    }

    /// Ends the writing: all groups are on the disk.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.archive.close()?;
        media::recover(&self.shared.folder, &self.shared.db)?;
        self.shared.close_clean()
    }

    /// Brings the group to the disk; returns the last settle number and what is to be told.
    pub(crate) fn post(&mut self, commit: Commit) -> Result<(u64, Vec<Ack>), StoreError> {
        if let Some((path, source)) = self.shared.fault.take() {
            return Err(StoreError::File { doing: "write", path, source });
        }
        crash::point("commit-begun");
        let Commit { mut batch, items, mut acks, is_empty, files, fresh, .. } = commit;
        if self.packer.is_empty() && is_empty {
            return Ok((self.totals.log.n, acks));
        }
        for (name, len) in self.archive.sync()? {
            batch.insert(keys::meta(&format!("warc/{name}")), encode_numbers([len]));
        }
        self.shared.known.post(&mut batch);
        crash::point("bodies-synced");
        self.tally.post(&mut batch);
        self.drops.post(&mut batch);
        files.post(&self.shared.db, &mut batch)?;
        let blocks = self.packer.take();
        let totals = Totals {
            log: self.log.append(&blocks, self.packer.last_n())?,
            items: self.totals.items.saturating_add_signed(items),
        };
        totals.put(&mut batch);
        self.shared.db.commit(batch)?;
        self.lost.committed();
        self.manifest.write(totals.log.n)?;
        files.posted(&self.shared.media);
        self.shared.log.publish(totals.log);
        self.shared.fresh.post(fresh);
        self.totals = totals;
        if !blocks.is_empty() {
            acks.push(Ack::Committed(totals.log));
        }
        crash::point("commit-done");
        Ok((totals.log.n, acks))
    }
}

/// What the links of a page take in memory, about.
fn bytes_of(found: &[Found]) -> usize {
    const URL_BYTES: usize = 64;
    found.len() * (size_of::<Found>() + URL_BYTES)
}

fn rest_until(now_ms: u64, rest: Option<Duration>) -> u64 {
    rest.map_or(0, |rest| now_ms.saturating_add(millis(rest)))
}

fn page_of(
    print: Fingerprint,
    record: PageRecord,
    response: Option<&Response>,
    items: &[Item],
) -> Page {
    Page {
        print,
        record,
        headers: response.map(|response| response.headers.clone()).unwrap_or_default(),
        body: response.map(|response| response.body.clone()),
        items: items.iter().map(|item| item_value(&item.json)).collect(),
    }
}

/// An item as a value; one that is no JSON stays a text.
pub(crate) fn item_value(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}
