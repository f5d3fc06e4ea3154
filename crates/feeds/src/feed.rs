//! One export: follow, write, report.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crawl_model::{Entry, Fingerprint};
use crawl_store::{FeedCursor, Progress, Reader, blocking};
use tokio::sync::{mpsc, watch};

use crate::sink::Sink;
use crate::{FeedConfig, FeedError};

/// Least time between two reports: a report costs the writer a commit when nothing else happens.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// Writes the items of settled pages, in settle order, into one file.
///
/// Exact after a kill for files: the file is cut back to the last durable report. A stream
/// (standard output, a pipe) cannot be cut back: what was written after the last durable report
/// is written again by the next run.
#[derive(Debug)]
pub struct Feed {
    name: Arc<str>,
    reader: Reader,
    sink: Sink,
    /// Last settle number whose items are in the sink.
    n: u64,
    /// Reports that were sent, over all runs.
    reports: u64,
    /// Whether the store must hear of a new beginning before the first byte is written.
    starts_over: bool,
    /// What was reported last.
    reported: (u64, u64),
    notes: Vec<String>,
}

impl Feed {
    /// Opens the export and cuts it back to what the store knows of it. With `fresh` it starts
    /// over whatever the file holds.
    ///
    /// # Errors
    /// [`FeedError::NotOurs`] if the file holds what this crawl did not write,
    /// [`FeedError::InUse`] if something else writes it, [`FeedError::Format`] if the extension
    /// says nothing, and others as they come.
    pub fn open(config: &FeedConfig, reader: Reader, fresh: bool) -> Result<Self, FeedError> {
        let path = config.path.clone();
        if config.effective_format().is_none() {
            return Err(FeedError::Format { path });
        }
        let name = config.name();
        let mut sink = Sink::open(config)?;
        let cursor = reader.feed_cursor(&name)?;
        let reports = cursor.map_or(0, |cursor| cursor.reports);
        let mut notes = Vec::new();
        let start = match cursor.filter(|_| !fresh) {
            None if sink.is_file() && sink.len() > 0 && !fresh => {
                return Err(FeedError::NotOurs { path });
            }
            None => None,
            Some(FeedCursor { n, len, .. }) if sink.is_file() && sink.len() < len => {
                let found = sink.len();
                notes.push(format!(
                    "feed {name} has {found} of {len} bytes up to settle {n}: written anew"
                ));
                None
            }
            Some(FeedCursor { n, len, .. }) => {
                if sink.len() > len {
                    notes.push(format!("feed {name} cut back by {} bytes", sink.len() - len));
                }
                Some((n, len))
            }
        };
        let (n, len) = start.unwrap_or_default();
        sink.cut(len)?;
        let (name, starts_over) = (Arc::from(name), start.is_none());
        Ok(Self { name, reader, sink, n, reports, starts_over, reported: (n, len), notes })
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
        mut settled: watch::Receiver<Progress>,
        entries: mpsc::Sender<Entry>,
    ) -> Result<(), FeedError> {
        if self.starts_over
            && !(self.report(&entries)? && self.is_through(&mut settled, &entries)?)
        {
            return Ok(());
        }
        let mut due = Instant::now() + REPORT_EVERY;
        loop {
            let progress = *settled.borrow_and_update();
            self.write_up_to(progress.n)?;
            if progress.last {
                return self.finish(settled, &entries);
            }
            let is_ahead = self.is_ahead();
            if is_ahead && Instant::now() >= due {
                self.report(&entries)?;
                due = Instant::now() + REPORT_EVERY;
            }
            match next(&mut settled, &entries, is_ahead.then_some(due)) {
                Next::News | Next::Due => {}
                Next::WriterGone => return self.sink.sync(),
            }
        }
    }

    /// Writes what is still on its way: a report goes through the writer behind all else, so when
    /// it is durable, so is everything before it.
    fn finish(
        &mut self,
        mut settled: watch::Receiver<Progress>,
        entries: &mpsc::Sender<Entry>,
    ) -> Result<(), FeedError> {
        loop {
            let is_through = self.report(entries)? && self.is_through(&mut settled, entries)?;
            let n = settled.borrow().n;
            self.write_up_to(n)?;
            if !self.is_ahead() || !is_through {
                return self.sink.sync();
            }
        }
    }

    /// Writes the items of all pages that settled after the last one written, up to `n`.
    fn write_up_to(&mut self, n: u64) -> Result<(), FeedError> {
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
        }
        self.sink.flush()
    }

    fn write_page(&mut self, n: u64, print: Fingerprint) -> Result<(), FeedError> {
        let record = self.reader.page(print)?;
        // Another number: fetched again later, or kept out by a better copy.
        if record.is_none_or(|record| record.n != n || record.n_items == 0) {
            return Ok(());
        }
        for item in self.reader.items(print) {
            self.sink.line(&item?)?;
        }
        Ok(())
    }

    /// Whether there is something to report.
    fn is_ahead(&self) -> bool {
        self.reported != (self.n, self.sink.len())
    }

    /// Brings the export to the disk and says how far it is good; `false` if there is nobody to
    /// tell, for the writer has failed.
    fn report(&mut self, entries: &mpsc::Sender<Entry>) -> Result<bool, FeedError> {
        self.sink.sync()?;
        let (n, len) = (self.n, self.sink.len());
        let entry = Entry::FeedCursor { feed: self.name.clone(), n, len };
        let is_sent = blocking::wait(entries.send(entry)).is_ok();
        if is_sent {
            self.reports += 1;
            self.reported = (n, len);
        }
        Ok(is_sent)
    }

    /// Waits until the last report is durable; `false` if the writer has failed.
    fn is_through(
        &self,
        settled: &mut watch::Receiver<Progress>,
        entries: &mpsc::Sender<Entry>,
    ) -> Result<bool, FeedError> {
        loop {
            settled.borrow_and_update();
            let cursor = self.reader.feed_cursor(&self.name)?;
            if cursor.is_some_and(|cursor| cursor.reports >= self.reports) {
                return Ok(true);
            }
            if matches!(next(settled, entries, None), Next::WriterGone) {
                return Ok(false);
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

/// Waits for a commit, or until `due`.
fn next(
    settled: &mut watch::Receiver<Progress>,
    entries: &mpsc::Sender<Entry>,
    due: Option<Instant>,
) -> Next {
    let mut changed = pin!(settled.changed());
    let mut closed = pin!(entries.closed());
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
