//! The control socket: how a running crawl answers `crawl inspect` and takes orders.
//!
//! sled opens for one process only, so whoever wants to look into a running crawl asks it:
//! one line of JSON in, the rows as lines of JSON out, then the end. The line is a question (a
//! [`Query`]) or an order, which has a key `order` ([`Order`]). A line `{"error": ..}` as last one
//! says that it went wrong.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crawl_store::Reader;
use crawl_store::inspect::{Query, What};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::CrawlError;
use crate::handle::Handle;
use crate::links::answer;
use crate::order::{Order, Reload, Steered};

const SOCKET: &str = "control.sock";
/// A question is short; more is a mistake or an attack.
const QUESTION_LIMIT_BYTES: u64 = 64 * 1024;
/// Who asks must do so within this time, and read each row within it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest path that fits a socket address (108 bytes with the final NUL).
const PATH_LIMIT: usize = 107;

/// The listening socket of a running crawl.
pub(crate) struct Socket {
    listening: JoinHandle<()>,
    path: PathBuf,
}

impl Socket {
    pub(crate) async fn close(self) {
        self.listening.abort();
        // It was aborted or has ended; either way the socket is closed now.
        let _ = self.listening.await;
        // The folder may be gone already.
        let _ = fs::remove_file(&self.path);
    }
}

/// Who answers questions and obeys orders.
pub(crate) struct Asked {
    reader: Reader,
    steered: Steered,
}

impl Asked {
    pub(crate) fn new(reader: Reader, handle: Handle, reload: Option<Arc<Reload>>) -> Self {
        Self { reader, steered: Steered::new(handle, reload) }
    }
}

/// Why a running crawl could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Nobody listens, or the line broke.
    #[error("the running crawl in {} does not answer", folder.display())]
    Io {
        /// The crawl's folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It answered with an error.
    #[error("the running crawl could not do it: {0}")]
    Refused(String),
}

/// Starts to listen in the crawl's folder, whose lock we hold: an old socket is a dead one's.
pub(crate) fn listen(folder: &Path, asked: Asked) -> Result<Socket, CrawlError> {
    let path = folder.join(SOCKET);
    let bind = || -> io::Result<UnixListener> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = with_short_path(folder, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    let listener =
        bind().map_err(|source| CrawlError::Control { folder: folder.to_owned(), source })?;
    let asked = Arc::new(asked);
    let listening = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = asked.clone();
            tokio::spawn(async move {
                // Who hung up does not care for the error.
                let _ = serve(stream, asked).await;
            });
        }
    });
    Ok(Socket { listening, path })
}

/// Answers one question, or obeys one order.
async fn serve(stream: UnixStream, asked: Arc<Asked>) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut line = String::new();
    let mut input = tokio::io::BufReader::new(input.take(QUESTION_LIMIT_BYTES));
    tokio::time::timeout(PATIENCE, input.read_line(&mut line)).await??;
    let (rows, mut rows_in) = mpsc::channel::<String>(64);
    let answering = tokio::task::spawn_blocking(move || {
        if let Err(message) = asked.rows_of(&line, &rows) {
            // If nobody listens any more, nobody misses it.
            let _ = rows.blocking_send(serde_json::json!({ "error": message }).to_string());
        }
    });
    while let Some(mut row) = rows_in.recv().await {
        row.push('\n');
        tokio::time::timeout(PATIENCE, output.write_all(row.as_bytes())).await??;
    }
    answering.await.map_err(io::Error::other)
}

impl Asked {
    fn rows_of(&self, line: &str, rows: &mpsc::Sender<String>) -> Result<(), String> {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("not a line of JSON: {e}"))?;
        if value.get("order").is_some() {
            let order = serde_json::from_value(value).map_err(|e| format!("not an order: {e}"))?;
            let row = self.steered.obey(order)?;
            // If nobody listens any more, nobody misses it.
            let _ = rows.blocking_send(row.to_string());
            return Ok(());
        }
        let query: Query =
            serde_json::from_value(value).map_err(|e| format!("not a query: {e}"))?;
        let is_stats = query.what == What::Stats;
        let mut send = |mut row: serde_json::Value| {
            if is_stats {
                self.overlay(&mut row);
            }
            match rows.blocking_send(row.to_string()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        // The crawl needs the other threads.
        answer(&self.reader, &query, NonZeroUsize::MIN, &mut send, &mut |_| {})
            .map_err(|error| error.to_string())
    }

    /// The frontier knows what the store cannot: what is in flight.
    fn overlay(&self, row: &mut serde_json::Value) {
        let handle = &self.steered.handle;
        let counts = handle.stats();
        let conserved = counts.is_conserved();
        let live = serde_json::to_value(counts).ok();
        if let (Some(row), Some(serde_json::Value::Object(live))) = (row.as_object_mut(), live) {
            row.extend(live);
            row.insert("conserved".to_owned(), conserved.into());
            row.insert("running".to_owned(), true.into());
            row.insert("paused".to_owned(), handle.is_paused().into());
        }
        if let Some(feeds) = row.get_mut("feeds").and_then(serde_json::Value::as_array_mut) {
            for (name, outage) in handle.outages().get() {
                let outage = serde_json::json!(outage);
                match feeds.iter_mut().find(|feed| feed["feed"] == *name) {
                    Some(feed) => feed["waits"] = outage,
                    // It has not written anything yet.
                    None => feeds.push(serde_json::json!({"feed": *name, "waits": outage})),
                }
            }
        }
    }
}

/// Asks the crawl that runs in `folder`; `row` takes the rows until it breaks off. Blocks.
///
/// # Errors
/// [`ControlError`] if nobody answers, or the answer is an error.
pub fn ask(
    folder: &Path,
    query: &Query,
    row: &mut dyn FnMut(serde_json::Value) -> ControlFlow<()>,
) -> Result<(), ControlError> {
    say(folder, query, row)
}

/// Tells the crawl that runs in `folder` to do something; returns what it says of it. Blocks
/// until it is done.
///
/// # Errors
/// [`ControlError`] if nobody listens, or it could not be done.
pub fn order(folder: &Path, order: &Order) -> Result<serde_json::Value, ControlError> {
    let mut done = None;
    say(folder, order, &mut |row| {
        done = Some(row);
        ControlFlow::Continue(())
    })?;
    done.ok_or_else(|| ControlError::Io {
        folder: folder.to_owned(),
        source: io::ErrorKind::UnexpectedEof.into(),
    })
}

fn say(
    folder: &Path,
    line: &impl Serialize,
    row: &mut dyn FnMut(serde_json::Value) -> ControlFlow<()>,
) -> Result<(), ControlError> {
    let broken = |source| ControlError::Io { folder: folder.to_owned(), source };
    let mut stream =
        with_short_path(folder, |path| BlockingStream::connect(path)).map_err(broken)?;
    let mut line = serde_json::to_string(line).map_err(|e| broken(e.into()))?;
    line.push('\n');
    stream.write_all(line.as_bytes()).map_err(broken)?;
    for line in BufReader::new(stream).lines() {
        let line = line.map_err(broken)?;
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|e| broken(e.into()))?;
        if let (Some(error), Some(1)) = (value.get("error"), value.as_object().map(|o| o.len())) {
            return Err(ControlError::Refused(error.as_str().unwrap_or_default().to_owned()));
        }
        if row(value).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands a path of the socket that fits a socket address, through the folder's descriptor if the
/// plain one is too long.
fn with_short_path<T>(
    folder: &Path,
    use_path: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let plain = folder.join(SOCKET);
    if plain.as_os_str().len() <= PATH_LIMIT {
        return use_path(&plain);
    }
    let folder = File::open(folder)?;
    use_path(&PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())))
}
