//! What a fetch costs over what HTTP costs: CPU time of the `Fetcher` against a loop of bare hyper.
//!
//! 10,000 small pages over 64 connections, from a server in a process of its own. Both ways run in
//! one process on one thread, by turns, and the median of five rounds counts; only this thread's
//! CPU time is taken. `cargo bench -p crawl-fetcher --bench fetch` prints a line and fails if the
//! fetcher needs more than 2.5 times as much. Linux only: the time comes from `/proc`.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crawl_fetcher::{FetchConfig, Fetcher};
use crawl_model::{CanonicalUrl, Desk, Errand, Fingerprint, Request, Ticket, TicketId};
use crawl_testsite::{Reply, SiteRequest, TestSite};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const PAGES: usize = 10_000;
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
/// CPU time of the fetcher over that of bare hyper.
const ALLOWED: f64 = 2.5;
/// The argument that makes this program the server.
const SERVE: &str = "--serve";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    if std::env::args().any(|arg| arg == SERVE) {
        runtime.block_on(serve());
        return ExitCode::SUCCESS;
    }
    let server = Server::start();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    // One round more, which only warms up.
    for round in 0..=ROUNDS {
        let times = (
            cpu_time_of(|| runtime.block_on(with_hyper(server.addr))),
            cpu_time_of(|| runtime.block_on(with_fetcher(server.addr))),
        );
        if round > 0 {
            bare.push(times.0);
            ours.push(times.1);
        }
    }
    let (bare, ours) = (median(bare), median(ours));
    let per_page = |time: Duration| time.as_secs_f64() * 1e6 / PAGES as f64;
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!(
        "fetch/{CONNECTIONS}_connections: {:.1} us of CPU a page, bare hyper {:.1} us, \
         ratio {ratio:.2} (at most {ALLOWED})",
        per_page(ours),
        per_page(bare),
    );
    if ratio <= ALLOWED { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn serve() {
    let html = Bytes::from(format!("<!DOCTYPE html><title>small</title>{}", "<p>text".repeat(100)));
    let site = move |_: &SiteRequest<'_>| Reply::html(html.clone());
    let builder = TestSite::builder().site("*", Arc::new(site)).keep_records(1);
    let site = TestSite::serve(builder, SocketAddr::from(([127, 0, 0, 1], 0)), None).await;
    let site = site.expect("a free port is found");
    println!("{}", site.addr);
    std::io::stdout().flush().expect("the parent listens");
    // Until the parent is gone, whatever became of it.
    let parent = std::thread::spawn(|| std::io::stdin().lines().for_each(drop));
    while !parent.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The server in a process of its own.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut child = Command::new(program)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the server tells its address");
        let addr = line.trim().parse().expect("it is an address");
        Self { child, addr }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself with its standard input, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers of pages, handed out to whoever asks.
#[derive(Clone, Default)]
struct Pages(Arc<AtomicUsize>);

impl Iterator for Pages {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        (n < PAGES).then_some(n)
    }
}

/// A connection per task, kept, and nothing else.
async fn with_hyper(addr: SocketAddr) {
    let pages = Pages::default();
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let pages = pages.clone();
        tasks.spawn(async move {
            let stream = TcpStream::connect(addr).await.expect("the server listens");
            let handshake = http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, driver) = handshake.expect("nothing is sent yet");
            tokio::spawn(async move { drop(driver.await) });
            for page in pages {
                let request = hyper::Request::get(format!("/page/{page}"))
                    .header("host", addr.to_string())
                    .body(Empty::<Bytes>::new())
                    .expect("it is a request");
                sender.ready().await.expect("the connection is kept");
                let response = sender.send_request(request).await.expect("it is answered");
                assert_eq!(response.status(), 200);
                let body = response.into_body().collect().await.expect("there is a body");
                assert!(body.to_bytes().len() > 500);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no page failed");
    }
}

async fn with_fetcher(addr: SocketAddr) {
    let config = FetchConfig { allow_private_addresses: true, ..FetchConfig::default() };
    let fetcher = Fetcher::new(config).expect("the config is right");
    let pages = Pages::default();
    let desk: Arc<dyn Desk> = Arc::new(Nobody);
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (fetcher, pages, desk) = (fetcher.clone(), pages.clone(), Arc::clone(&desk));
        tasks.spawn(async move {
            for page in pages {
                let url = CanonicalUrl::parse(&format!("http://{addr}/page/{page}"));
                let errand = Errand::Page(Request::get(url.expect("it is a URL")));
                let (id, print) = (TicketId(0), Fingerprint(0));
                let ticket = Ticket::issue(Arc::clone(&desk), id, print, errand, 1, true);
                let response = fetcher.fetch(&ticket).await.reply.expect("it is answered");
                assert!(response.status == 200 && response.body.len() > 500);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no page failed");
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}

fn cpu_time_of(work: impl FnOnce()) -> Duration {
    let before = cpu_time();
    work();
    cpu_time() - before
}

/// CPU time of this thread so far, user and system: the first field, in nanoseconds.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("it begins with a number"))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
