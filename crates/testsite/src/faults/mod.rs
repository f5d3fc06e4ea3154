//! A web that does everything wrong, one fault to a host.
//!
//! Each fault has what a crawler must make of it, and the RFC's section that says so: see
//! [`WebFault`]. All of them are served by one thread that ends when [`Faults`] is dropped; answers
//! without end stop when the client has gone, after a gigabyte, or after a minute.
//!
//! The way through: `table` (what is expected) -> `serve` (listeners, and what goes wrong below
//! HTTP) -> `ask` (a request) -> one of `heads`, `bodies`, `codings`, `redirects`, `statuses` and
//! `rules` (what is answered, as a `script`) -> `line` (the bytes).
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let faults = crawl_testsite::Faults::start()?;
//! for fault in faults.all() {
//!     println!("{} ends as {} ({}): {}", fault.seeds[0], fault.verdict, fault.section, fault.about);
//! }
//! # Ok(())
//! # }
//! ```

mod ask;
mod bodies;
mod certificates;
mod codings;
mod dns;
mod heads;
mod line;
mod redirects;
mod rules;
mod script;
mod serve;
mod statuses;
mod table;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use certificates::Authority;
use serve::{Host, Wrong};
pub use table::MAX_REDIRECTS;
use table::{Place, Row, TABLE};

/// A fault, and what is expected of a crawler that meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebFault {
    /// Its name, of which its host's is made.
    pub name: &'static str,
    /// URLs to start from.
    pub seeds: Vec<String>,
    /// URLs whose end is the verdict; mostly the seeds.
    pub judged: Vec<String>,
    /// The verdict's name, or the reason's for which a URL is not tried.
    pub verdict: &'static str,
    /// The section that demands it.
    pub section: &'static str,
    /// What goes wrong.
    pub about: &'static str,
    /// Whether it is for a crawl that refuses private addresses, looks names up at
    /// [`Faults::name_server`] and does not ask for robots.txt: those of names and addresses. All
    /// others are for one that allows loopback.
    pub is_guarded: bool,
}

/// The running servers of all faults. They stop when it is dropped.
pub struct Faults {
    all: Vec<WebFault>,
    resolve: Vec<(String, SocketAddr)>,
    name_server: SocketAddr,
    roots: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread needs to begin.
struct Servers {
    hosts: Vec<(Arc<Host>, TcpListener)>,
    /// Ports that are to stay taken, though nobody listens.
    keepers: Vec<TcpSocket>,
    names: UdpSocket,
}

impl Faults {
    /// Starts all servers, on free ports of the loopback interface and a thread of their own.
    ///
    /// # Errors
    /// If there are no ports or no thread to be had, or no certificates can be made.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("faults".to_owned()).spawn(move || {
            run(&runtime, &tell, stopped);
        })?;
        let gone = || io::Error::other("the servers' thread ended before it began");
        let mut begun: Self = told.recv().map_err(|_| gone())??;
        (begun.stop, begun.thread) = (Some(stop), Some(thread));
        Ok(begun)
    }

    /// All faults, in the order of the table.
    #[must_use]
    pub fn all(&self) -> &[WebFault] {
        &self.all
    }

    /// Hosts and the addresses to connect to in their stead, for `fetch.resolve`.
    #[must_use]
    pub fn resolve(&self) -> &[(String, SocketAddr)] {
        &self.resolve
    }

    /// The name server of the faults of DNS, for `fetch.name-servers`.
    #[must_use]
    pub fn name_server(&self) -> SocketAddr {
        self.name_server
    }

    /// The certificate to be trusted, in PEM, for a file of `fetch.extra-roots`.
    #[must_use]
    pub fn roots(&self) -> &str {
        &self.roots
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A panic of that thread has been printed; there is nothing to add to it.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The thread: binds, tells where, serves until it is stopped.
fn run(runtime: &Runtime, tell: &mpsc::Sender<io::Result<Faults>>, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let (faults, servers) = match bind().await {
            Ok(bound) => bound,
            Err(error) => {
                // Whoever waits for it is there until it has an answer.
                let _ = tell.send(Err(error));
                return;
            }
        };
        let mut tasks = JoinSet::new();
        for (host, listener) in servers.hosts {
            tasks.spawn(host.serve(listener));
        }
        tasks.spawn(dns::serve(servers.names));
        let _ = tell.send(Ok(faults));
        // Its other end is dropped, never sent to.
        let _ = stopped.await;
        drop(servers.keepers);
    });
}

async fn bind() -> io::Result<(Faults, Servers)> {
    let authority = Authority::new().map_err(io::Error::other)?;
    let names = UdpSocket::bind("127.0.0.1:0").await?;
    let mut faults = Faults {
        all: Vec::with_capacity(TABLE.len()),
        resolve: Vec::new(),
        name_server: names.local_addr()?,
        roots: authority.pem(),
        stop: None,
        thread: None,
    };
    let mut servers = Servers { hosts: Vec::new(), keepers: Vec::new(), names };
    // Whoever connects where it must not finds a page, and not an error that looks like virtue.
    let trap = serve::listen(&Wrong::Nothing)?.0;
    let trap_port = trap.local_addr()?.port();
    servers.hosts.push((Host::new("trap", None, Wrong::Nothing), trap));
    for row in TABLE {
        faults.all.push(fault(row, trap_port));
        let host = host_of(row);
        let tls = match row.place {
            Place::Name | Place::Literal => continue,
            Place::Http | Place::Port => None,
            Place::Https | Place::Tls => Some(authority.good(&host).map_err(io::Error::other)?),
        };
        let wrong = wrong(row, &host, &authority)?;
        let (listener, keeper) = serve::listen(&wrong)?;
        faults.resolve.push((host, listener.local_addr()?));
        servers.keepers.extend(keeper);
        servers.hosts.push((Host::new(row.name, tls, wrong), listener));
    }
    Ok((faults, servers))
}

fn host_of(row: &Row) -> String {
    format!("{}.fault.test", row.name)
}

fn fault(row: &Row, trap_port: u16) -> WebFault {
    let base = match row.place {
        Place::Http | Place::Port => format!("http://{}", host_of(row)),
        Place::Https | Place::Tls => format!("https://{}", host_of(row)),
        Place::Name => format!("http://{}:{trap_port}", host_of(row)),
        Place::Literal => format!("http://{}:{trap_port}", row.name),
    };
    let urls = |paths: &[&str]| paths.iter().map(|path| format!("{base}{path}")).collect();
    WebFault {
        name: row.name,
        seeds: urls(row.seeds),
        judged: urls(if row.judged.is_empty() { row.seeds } else { row.judged }),
        verdict: row.verdict,
        section: row.section,
        about: row.about,
        is_guarded: matches!(row.place, Place::Name | Place::Literal),
    }
}

/// What goes wrong below HTTP.
fn wrong(row: &Row, host: &str, authority: &Authority) -> io::Result<Wrong> {
    Ok(match row.place {
        Place::Port => match row.name {
            "refused" => Wrong::Refused,
            "blackhole" => Wrong::Blackhole,
            _ => Wrong::NeverAccepted,
        },
        Place::Tls => match serve::handshake(row.name) {
            Some(instead) => Wrong::Bytes(instead),
            None => authority
                .wrong(row.name, host)
                .map_err(io::Error::other)?
                .map_or(Wrong::Nothing, Wrong::Tls),
        },
        Place::Http | Place::Https | Place::Name | Place::Literal => Wrong::Nothing,
    })
}

#[cfg(test)]
mod tests;
