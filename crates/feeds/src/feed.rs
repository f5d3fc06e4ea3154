//! One export: follow, write, report.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crawl_model::{Entry, Fingerprint, PageRecord, Request};
use crawl_store::{Progress, Reader, StoredItem, blocking};
use tokio::sync::{mpsc, watch};

use crate::row::{Row, Selection};
use crate::sink::{self, Position, Sink, Start};
use crate::{FeedConfig, FeedError, Outages};

/// Least time between two reports: a report costs the writer a commit when nothing else happens.
const REPORT_EVERY: Duration = Duration::from_millis(500);
/// How long to wait before a sink that was not there is tried again: this, then twice as long ..
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// .. up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a sink that is not there can hold up the end of a crawl.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes the items of settled pages, in settle order, to one place.
///
/// Exact after a kill: files are cut back to the last durable report, databases hold rows and
/// cursor in one transaction. A stream (standard output, a pipe) cannot be cut back: what was
/// written after the last durable report is written again by the next run.
///
/// A database or object store that is not there holds up its feed, not the crawl: the feed tries
/// again, and when the crawl ends before it has come back, the next run goes on from the cursor.
#[derive(Debug)]
pub struct Feed {
    name: Arc<str>,
    reader: Reader,
    selection: Selection,
    sink: Box<dyn Sink>,
    /// Last settle number whose items are in the sink.
    n: u64,
    /// Reports that were sent, over all runs.
    reports: u64,
    /// Whether the store must hear of a new beginning before the first byte is written.
    starts_over: bool,
    /// The settle number that was reported last.
    reported: u64,
    notes: Vec<String>,
    /// Where it says that it has to wait.
    outages: Outages,
}

/// Where a feed hears from the writer, and speaks to it.
struct Line {
    settled: watch::Receiver<Progress>,
    entries: mpsc::Sender<Entry>,
    /// Since when the crawl has ended but for its feeds.
    ends_since: Option<Instant>,
    /// The feed, and where it says that it waits.
    voice: (Arc<str>, Outages),
}

/// Why a feed stops early.
enum Stop {
    /// The writer has failed: its error says it all.
    WriterGone,
    Failed(FeedError),
}

impl<E: Into<FeedError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Feed {
    /// Opens the export and cuts it back to what the store knows of it. With `fresh` it starts
    /// over whatever the file holds.
    ///
    /// # Errors
    /// [`FeedError::NotOurs`] if the file holds what this crawl did not write,
    /// [`FeedError::InUse`] if something else writes it, [`FeedError::Config`] if it cannot be what
    /// is asked for, [`FeedError::Unreachable`] if nobody answers, and others as they come.
    pub fn open(config: &FeedConfig, reader: Reader, fresh: bool) -> Result<Self, FeedError> {
        reader.follow();
        let name = config.name();
        let cursor = reader.feed_cursor(&name)?;
        let reports = cursor.as_ref().map_or(0, |cursor| cursor.reports);
        let crawl = sink::Crawl {
            id: reader.identity().created_ms.to_string(),
            spool: reader.feeds_folder(),
            cursor,
            fresh,
        };
        let selection = Selection::of(config);
        let (sink, Start { n, is_over, notes }) = sink::open(config, &selection, &crawl)?;
        let name = Arc::from(name);
        Ok(Self {
            name,
            reader,
            selection,
            sink,
            n,
            reports,
            starts_over: is_over,
            reported: n,
            notes,
            outages: Outages::default(),
        })
    }

    /// Lets it say there when it has to wait for what it writes to.
    #[must_use]
    pub fn telling(self, outages: &Outages) -> Self {
        Self { outages: outages.clone(), ..self }
    }

    /// What was found and done at open, for people; empty if there was nothing to do.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Last settle number whose items are in the export.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.n
    }

    /// Follows the crawl until [`Progress::last`] is set and all that is settled is written and
    /// reported. Blocks: for a thread of its own.
    ///
    /// `entries` leads to the writer, which runs until this returns: when only feeds hold
    /// senders, the writer's end follows from theirs. If the writer fails, the feed ends early,
    /// without an error of its own.
    ///
    /// # Errors
    /// [`FeedError`] if the export cannot be written or the store not be read.
    pub fn run(
        mut self,
        settled: watch::Receiver<Progress>,
        entries: mpsc::Sender<Entry>,
    ) -> Result<(), FeedError> {
        let voice = (self.name.clone(), self.outages.clone());
        let mut line = Line { settled, entries, ends_since: None, voice };
        let followed = self.follow(&mut line);
        self.outages.over(&self.name);
        match followed {
            Ok(()) => self.sink.end(),
            Err(Stop::WriterGone) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn follow(&mut self, line: &mut Line) -> Result<(), Stop> {
        if self.starts_over {
            self.send(line, Position { n: self.n, ..Position::default() })?;
            self.await_report(line)?;
        }
        self.confirm(line)?;
        let mut due = Instant::now() + REPORT_EVERY;
        loop {
            let progress = *line.settled.borrow_and_update();
            self.write_up_to(progress.n, line)?;
            if progress.last {
                return self.finish(line);
            }
            let is_ahead = self.is_ahead();
            if is_ahead && Instant::now() >= due {
                self.report(line)?;
                due = Instant::now() + REPORT_EVERY;
            }
            if line.has_news(progress) {
                continue;
            }
            if matches!(line.next(is_ahead.then_some(due)), Next::WriterGone) {
                // It may yet be read by people.
                self.sink.commit(self.n)?;
                return Err(Stop::WriterGone);
            }
        }
    }

    /// Writes what is still on its way: a report goes through the writer behind all else, so when
    /// it is durable, so is everything before it.
    fn finish(&mut self, line: &mut Line) -> Result<(), Stop> {
        loop {
            self.report(line)?;
            self.await_report(line)?;
            let n = line.settled.borrow().n;
            self.write_up_to(n, line)?;
            if !self.is_ahead() {
                break;
            }
        }
        if self.sink.close() {
            self.report(line)?;
            self.await_report(line)?;
            self.confirm(line)?;
            // What was done thereby is not done again by the next run.
            self.report(line)?;
        }
        Ok(())
    }

    /// Writes the items of all pages that settled after the last one written, up to `n`.
    fn write_up_to(&mut self, n: u64, line: &mut Line) -> Result<(), Stop> {
        if n <= self.n {
            return Ok(());
        }
        for settle in self.reader.settled_after(self.n)? {
            let (number, print, _) = settle?;
            if number > n {
                break;
            }
            self.write_page(number, print)?;
            self.n = number;
            if self.sink.is_full() {
                self.report(line)?;
            }
        }
        Ok(self.sink.flush()?)
    }

    fn write_page(&mut self, n: u64, print: Fingerprint) -> Result<(), FeedError> {
        let glance = self.reader.glance(print)?;
        // Another number: fetched again later, or kept out by a better copy.
        let Some(glance) = glance.filter(|glance| glance.n == n) else { return Ok(()) };
        if glance.n_items > 0 && self.selection.takes_all() && glance.n_files == 0 {
            for item in self.reader.items(print) {
                self.sink.put(Row::Whole(item?))?;
            }
        } else if glance.n_items > 0
            && let Some(record) = self.reader.page(print)?.filter(|record| record.n == n)
        {
            self.write_items(n, print, &record)?;
        }
        if Request::file_kind_of(&glance.label).is_some() {
            let reader = self.reader.clone();
            reader.each_waiting(print, |page, record| {
                self.write_items(n, page, &record).map(ControlFlow::Continue)
            })?;
        }
        Ok(())
    }

    /// Writes the items of a page that are whole at settle `n`: an item that asks for files comes
    /// when the last of them has ended.
    fn write_items(
        &mut self,
        n: u64,
        print: Fingerprint,
        record: &PageRecord,
    ) -> Result<(), FeedError> {
        for item in self.reader.items_whole_at(print, record, n) {
            let StoredItem { json, provenance } = item?;
            if let Some(row) = self.selection.row(json, record, &provenance) {
                self.sink.put(row)?;
            }
        }
        Ok(())
    }

    /// Whether there is something to report.
    fn is_ahead(&self) -> bool {
        self.reported != self.n
    }

    /// Brings the export to where it lasts and says how far it is good; where that has to be
    /// durable before anything else happens, waits for it.
    fn report(&mut self, line: &mut Line) -> Result<(), Stop> {
        let n = self.n;
        let position = line.patiently(|| self.sink.commit(n))?;
        self.send(line, position)?;
        if self.sink.awaits() {
            self.await_report(line)?;
            self.confirm(line)?;
        }
        Ok(())
    }

    fn confirm(&mut self, line: &mut Line) -> Result<(), Stop> {
        line.patiently(|| self.sink.confirmed())
    }

    fn send(&mut self, line: &Line, position: Position) -> Result<(), Stop> {
        let Position { n, len, state } = position;
        let entry = Entry::FeedCursor { feed: self.name.clone(), n, len, state };
        blocking::wait(line.entries.send(entry)).map_err(|_| Stop::WriterGone)?;
        self.reports += 1;
        self.reported = n;
        Ok(())
    }

    /// Waits until the last report is durable.
    fn await_report(&self, line: &mut Line) -> Result<(), Stop> {
        loop {
            line.settled.borrow_and_update();
            let cursor = self.reader.feed_cursor(&self.name)?;
            if cursor.is_some_and(|cursor| cursor.reports >= self.reports) {
                return Ok(());
            }
            if matches!(line.next(None), Next::WriterGone) {
                return Err(Stop::WriterGone);
            }
        }
    }
}

/// What a feed waits for.
enum Next {
    News,
    Due,
    WriterGone,
}

impl Line {
    /// Whether there was progress since: while a report was waited for, say.
    fn has_news(&self, since: Progress) -> bool {
        let now = *self.settled.borrow();
        (now.n, now.last) != (since.n, since.last)
    }

    /// Waits for a commit, or until `due`.
    fn next(&mut self, due: Option<Instant>) -> Next {
        let mut changed = pin!(self.settled.changed());
        let mut closed = pin!(self.entries.closed());
        let either = poll_fn(|context| {
            if let Poll::Ready(changed) = changed.as_mut().poll(context) {
                return Poll::Ready(if changed.is_ok() { Next::News } else { Next::WriterGone });
            }
            closed.as_mut().poll(context).map(|()| Next::WriterGone)
        });
        match due {
            Some(due) => blocking::wait_until(either, due).unwrap_or(Next::Due),
            None => blocking::wait(either),
        }
    }

    /// Does something, and again as long as it fails for what passes: without end while the crawl
    /// runs, for a while when it ends.
    fn patiently<T>(&mut self, mut what: impl FnMut() -> Result<T, FeedError>) -> Result<T, Stop> {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match what() {
                Ok(done) => {
                    self.voice.1.over(&self.voice.0);
                    return Ok(done);
                }
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error.into()),
            };
            self.voice.1.failed(&self.voice.0, &error, pause);
            let until = Instant::now() + pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
            while Instant::now() < until {
                if matches!(self.next(Some(until)), Next::WriterGone) {
                    return Err(Stop::WriterGone);
                }
                if self.settled.borrow_and_update().last && self.ends_since.is_none() {
                    self.ends_since = Some(Instant::now());
                    pause = FIRST_PAUSE;
                    break;
                }
            }
            if self.ends_since.is_some_and(|since| since.elapsed() > PATIENCE) {
                return Err(error.into());
            }
        }
    }
}
