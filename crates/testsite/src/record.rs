//! Remembers every request: in memory for tests, in a file for tests that kill.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// One request, as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When its head had been read. Not in log files; of a line read back, when that was.
    #[serde(skip, default = "Instant::now")]
    pub at: Instant,
    /// The same instant in microseconds since the Unix epoch.
    pub at_unix_us: u64,
    /// When its response was handed over to be sent (of a slow body: the last byte), or its
    /// connection was gone; in microseconds since the Unix epoch. Zero while it is open.
    pub done_unix_us: u64,
    /// Host name in lower case, without port.
    pub host: String,
    /// Path and query, as they came.
    pub path: String,
    /// `GET`, `POST` ..
    pub method: String,
    /// `User-Agent`; empty if there was none.
    pub user_agent: String,
    /// Number of the connection it came on, from 1.
    pub connection: u64,
    /// Status that was sent; zero if none was.
    pub status: u16,
}

/// Reads a log file back ([`Builder::log_file`](crate::Builder::log_file)).
///
/// # Errors
/// If it cannot be read, or a line is no record; the message has the line's number.
pub fn read_log(path: impl AsRef<Path>) -> io::Result<Vec<Recorded>> {
    let lines = BufReader::new(File::open(path)?).lines().enumerate();
    let read = |(i, line): (usize, io::Result<String>)| {
        serde_json::from_str(&line?).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", i + 1))
        })
    };
    lines.map(read).collect()
}

/// All requests so far.
pub(crate) struct Log {
    started: Instant,
    started_unix: Duration,
    records: Mutex<Vec<Recorded>>,
    limit: usize,
    served: AtomicU64,
    file: Option<Mutex<File>>,
}

/// A request under way. Dropped, it is done: unanswered, if nobody said otherwise.
pub(crate) struct Open {
    log: Arc<Log>,
    /// Its place in the record; `None` beyond the limit.
    index: Option<usize>,
    /// What is to be written to the file.
    line: Option<Box<Recorded>>,
    done: bool,
}

impl Log {
    pub(crate) fn new(file: Option<&Path>, limit: usize) -> io::Result<Self> {
        let open = |path| File::options().append(true).create(true).open(path);
        Ok(Self {
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            records: Mutex::new(Vec::new()),
            limit,
            served: AtomicU64::new(0),
            file: file.map(open).transpose()?.map(Mutex::new),
        })
    }

    /// One clock for both kinds of time, so that their differences agree.
    fn unix_us(&self, at: Instant) -> u64 {
        (self.started_unix + at.saturating_duration_since(self.started)).as_micros() as u64
    }

    /// Notes a request whose head has just been read; its times are set here. `record` is asked
    /// only if it is to be remembered.
    pub(crate) fn begin(self: &Arc<Self>, record: impl FnOnce() -> Recorded) -> Open {
        self.served.fetch_add(1, Ordering::Relaxed);
        let (mut index, mut line) = (None, None);
        if self.limit > 0 || self.file.is_some() {
            let mut record = record();
            record.at_unix_us = self.unix_us(record.at);
            line = self.file.is_some().then(|| Box::new(record.clone()));
            let mut records = lock(&self.records);
            index = (records.len() < self.limit).then(|| {
                records.push(record);
                records.len() - 1
            });
        }
        Open { log: Arc::clone(self), index, line, done: false }
    }

    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    pub(crate) fn records(&self) -> MutexGuard<'_, Vec<Recorded>> {
        lock(&self.records)
    }

    /// One write for one line: appended whole, whoever dies when.
    fn write(&self, record: &Recorded) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        lock(file).write_all(&line)
    }
}

impl Open {
    /// Its response is about to be sent, and sent at once.
    ///
    /// # Errors
    /// If the log file cannot be written: then the response must not look served.
    pub(crate) fn answered(mut self, status: u16) -> io::Result<()> {
        self.begun(status)
    }

    /// Its response is about to be sent, and will take its time: until this is dropped.
    ///
    /// # Errors
    /// As [`answered`](Self::answered).
    pub(crate) fn begun(&mut self, status: u16) -> io::Result<()> {
        if let Some(index) = self.index {
            lock(&self.log.records)[index].status = status;
        }
        self.write(status)
    }

    /// Writes its line, once.
    fn write(&mut self, status: u16) -> io::Result<()> {
        let Some(mut line) = self.line.take() else { return Ok(()) };
        line.status = status;
        line.done_unix_us = self.log.unix_us(Instant::now());
        self.log.write(&line)
    }

    fn finish(&mut self) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        if let Some(index) = self.index {
            let done = self.log.unix_us(Instant::now());
            lock(&self.log.records)[index].done_unix_us = done;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Nobody is left to be told of an error: the client has gone without an answer.
        let _ = self.write(0);
        self.finish();
    }
}

/// A record is whole after every statement, so a panic elsewhere cannot have spoilt it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Most requests open at the same instant.
pub(crate) fn max_overlap<'a>(records: impl Iterator<Item = &'a Recorded>) -> usize {
    let mut edges = Vec::new();
    for record in records {
        edges.push((record.at_unix_us, true));
        if record.done_unix_us > 0 {
            edges.push((record.done_unix_us.max(record.at_unix_us + 1), false));
        }
    }
    // At the same microsecond ends come first: `false < true`.
    edges.sort_unstable();
    let (mut open, mut most) = (0_usize, 0);
    for (_, starts) in edges {
        open = if starts { open + 1 } else { open.saturating_sub(1) };
        most = most.max(open);
    }
    most
}
