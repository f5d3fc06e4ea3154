//! Listens, takes connections, and stops when it is dropped.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::answer;
use crate::builder::{Builder, Hosts};
use crate::record::{Log, Recorded, max_overlap};

/// A running server and the record of what it was asked. Stops when dropped.
pub struct TestSite {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    /// Held for its `Drop`.
    _server: Server,
}

/// How many connections there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Accepted so far.
    pub accepted: u64,
    /// Open now.
    pub open: u64,
    /// Most that were open at the same time, so far or since [`TestSite::forget_most`]. One that is
    /// closed before another is opened does not count beside it.
    pub most: u64,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) hosts: Hosts,
    pub(crate) latency: Duration,
    pub(crate) log: Arc<Log>,
    accepted: AtomicU64,
    open: AtomicU64,
    standing: AtomicU64,
    most: AtomicU64,
}

enum Server {
    /// Tasks on the runtime that started it, aborted when the set is dropped.
    Here { _tasks: JoinSet<()> },
    /// A thread with a runtime of its own.
    Thread { stop: Option<oneshot::Sender<()>>, thread: Option<JoinHandle<()>> },
}

impl TestSite {
    /// Begins to put a site together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Serves `builder` at `addr` on the current runtime, with a log file if asked: what a
    /// process of its own does to be somebody's server.
    ///
    /// # Errors
    /// If the address is taken or the log file cannot be opened.
    pub async fn serve(
        builder: Builder,
        addr: SocketAddr,
        log_path: Option<PathBuf>,
    ) -> io::Result<Self> {
        let mut builder = builder.bind(addr);
        builder.log_file = log_path.or(builder.log_file);
        Self::start(builder).await
    }

    /// Serves `builder` on a thread of its own, so that it does not disturb the runtime of what
    /// it tests. Needs no runtime; dropping it waits for the thread.
    ///
    /// # Panics
    /// If it cannot be started; see [`try_spawn_thread`](Self::try_spawn_thread).
    #[must_use]
    pub fn spawn_thread(builder: Builder) -> Self {
        Self::try_spawn_thread(builder)
            .expect("a test site starts: its address is free, its log writable")
    }

    /// [`spawn_thread`](Self::spawn_thread), with the error as a value.
    ///
    /// # Errors
    /// If the address is taken, the log file cannot be opened, or there is no thread to be had.
    pub fn try_spawn_thread(builder: Builder) -> io::Result<Self> {
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = async move {
            let site = Self::start(builder).await;
            let report = site.as_ref().map(|site| (site.addr, Arc::clone(&site.shared)));
            if let Err(error) = report {
                let _ = tell.send(Err(io::Error::new(error.kind(), error.to_string())));
                return;
            }
            let _ = tell.send(Ok(report.expect("errors were told above")));
            let _ = stopped.await;
        };
        let thread = std::thread::Builder::new()
            .name("testsite".to_owned())
            .spawn(move || runtime.block_on(serve))?;
        let gone = || io::Error::other("the server's thread ended before it began");
        let (addr, shared) = told.recv().map_err(|_| gone())??;
        let server = Server::Thread { stop: Some(stop), thread: Some(thread) };
        Ok(Self { addr, shared, _server: server })
    }

    pub(crate) async fn start(mut builder: Builder) -> io::Result<Self> {
        let log = Arc::new(Log::new(builder.log_file.as_deref(), builder.records)?);
        let listeners = listen_all(&builder)?;
        let addr = listeners[0].local_addr()?;
        let shared = Arc::new(Shared {
            hosts: builder.take_hosts(),
            latency: builder.latency,
            log,
            accepted: AtomicU64::new(0),
            open: AtomicU64::new(0),
            standing: AtomicU64::new(0),
            most: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(accept(listener, Arc::clone(&shared)));
        }
        Ok(Self { addr, shared, _server: Server::Here { _tasks: tasks } })
    }

    /// The URL of `path` (beginning with `/`) at the address it listens on.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The URL of `path` on the virtual host `host`, with the port: for clients that map the name
    /// to an address only.
    #[must_use]
    pub fn url_on(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.addr.port())
    }

    /// Path and query of every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.log.records().iter().map(|record| record.path.clone()).collect()
    }

    /// Path and query of every request to `host` so far, in order.
    #[must_use]
    pub fn requests_to(&self, host: &str) -> Vec<String> {
        self.of(host).into_iter().map(|record| record.path).collect()
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Recorded> {
        self.shared.log.records().clone()
    }

    /// Number of requests so far, recorded or not.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.shared.log.served()
    }

    /// Requests that were served but are not in the record, for it was full.
    #[must_use]
    pub fn unrecorded(&self) -> u64 {
        self.served().saturating_sub(self.shared.log.records().len() as u64)
    }

    /// Most requests of `host` (without port) that were open at the same instant: from head read to
    /// response handed over.
    #[must_use]
    pub fn max_concurrency(&self, host: &str) -> usize {
        max_overlap(self.of(host).iter())
    }

    /// Times between the starts of one request of `host` and the next, robots.txt included.
    #[must_use]
    pub fn gaps(&self, host: &str) -> Vec<Duration> {
        let mut starts: Vec<_> = self.of(host).iter().map(|record| record.at).collect();
        starts.sort_unstable();
        starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// How many connections there were and are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections {
            accepted: self.shared.accepted.load(Ordering::Relaxed),
            open: self.shared.open.load(Ordering::Relaxed),
            most: self.shared.most.load(Ordering::Relaxed),
        }
    }

    /// Counts anew the most connections that are open at the same time, from those that are now.
    pub fn forget_most(&self) {
        self.shared.most.store(self.shared.standing.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn of(&self, host: &str) -> Vec<Recorded> {
        let records = self.shared.log.records();
        records.iter().filter(|record| record.host.eq_ignore_ascii_case(host)).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Thread { stop, thread } = self {
            drop(stop.take());
            // A panic of that thread has been printed; there is nothing to add to it.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

/// A connection's place in the count, from accept to close.
pub(crate) struct Counted {
    shared: Arc<Shared>,
    /// From 1.
    pub(crate) number: u64,
}

impl Counted {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        let number = shared.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        Self { shared: Arc::clone(shared), number }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that stands beside those that are open at the same time.
struct Standing(Arc<Shared>);

impl Standing {
    /// Counts it as long as this is polled.
    async fn hold(shared: Arc<Shared>) {
        // Afterwards the closes that came before it have been read: it may be there in the place of
        // another one.
        tokio::task::yield_now().await;
        let standing = shared.standing.fetch_add(1, Ordering::Relaxed) + 1;
        shared.most.fetch_max(standing, Ordering::Relaxed);
        let _standing = Self(shared);
        std::future::pending::<()>().await;
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.standing.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens the listeners, the first one's port shared by all.
///
/// A free port of one address may be taken at another, so with a free choice it is tried again.
fn listen_all(builder: &Builder) -> io::Result<Vec<TcpListener>> {
    let mut tries = if builder.addr.port() == 0 && !builder.more.is_empty() { 16 } else { 1 };
    loop {
        let first = listen(builder.addr)?;
        let port = first.local_addr()?.port();
        let more = builder.more.iter().map(|address| listen(SocketAddr::new(*address, port)));
        tries -= 1;
        match std::iter::once(Ok(first)).chain(more).collect() {
            Err(error) if tries > 0 && io::Error::kind(&error) == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    let explain = |e: io::Error| io::Error::new(e.kind(), format!("cannot listen on {addr}: {e}"));
    socket.bind(addr).map_err(explain)?;
    // As long as the kernel allows: a dropped SYN costs its client a whole second.
    socket.listen(4096)
}

/// Takes connections until it is aborted, which ends them, too.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let counted = Counted::new(&shared);
                let standing = Standing::hold(Arc::clone(&shared));
                let serving = answer::connection(stream, Arc::clone(&shared), counted);
                connections.spawn(async {
                    tokio::select! {
                        biased;
                        () = serving => {}
                        () = standing => {}
                    }
                });
            }
            // Out of file descriptors, most likely: better soon than busily.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
