//! Whole fetches against servers on loopback that do exactly what a test's script says.

mod bodies;
mod connections;
mod departing;
mod failures;
mod files;
mod identity;
mod inside;
mod names;
mod proxies;
mod requests;
mod secure;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crawl_model::{
    CanonicalUrl, Desk, Errand, Failure, FailureKind, Fingerprint, Health, Method, Request,
    Response, Ticket, TicketId, Truncation,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Answer, FetchConfig, Fetcher};

/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A limit that passes soon, where a test waits for one to pass.
const SOON: Duration = Duration::from_millis(150);

struct NoDesk;

impl Desk for NoDesk {
    fn abandoned(&self, _: TicketId) {}
}

fn ticket(request: Request) -> Ticket {
    let errand = Errand::Page(request);
    Ticket::issue(Arc::new(NoDesk), TicketId(0), Fingerprint(0), errand, 1, false)
}

fn robots_ticket(url: &str) -> Ticket {
    let url = CanonicalUrl::parse(url).unwrap();
    let errand = Errand::Robots { origin: url.origin(), url };
    Ticket::issue(Arc::new(NoDesk), TicketId(0), Fingerprint(0), errand, 1, false)
}

fn get(url: &str) -> Request {
    Request::get(CanonicalUrl::parse(url).unwrap())
}

/// What a server does when the next request's head has come.
#[derive(Clone)]
enum Step {
    /// Sends this and goes on.
    Send(Vec<u8>),
    /// Sends this and closes.
    Last(Vec<u8>),
    /// Sends this and breaks the connection with a reset.
    Reset(Vec<u8>),
}

fn send(text: impl Into<Vec<u8>>) -> Step {
    Step::Send(text.into())
}

fn last(text: impl Into<Vec<u8>>) -> Step {
    Step::Last(text.into())
}

/// A response with a length and these fields.
fn response(status: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn page(body: impl AsRef<[u8]>) -> Step {
    Step::Send(response("200 OK", "Content-Type: text/html\r\n", body))
}

/// A server that follows one script per connection, and then accepts no more.
struct Server {
    address: SocketAddr,
    /// For each connection, the requests it brought.
    seen: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    /// Serves the first script to the first connection, and so on. When a script is at its end
    /// the connection is held open in silence.
    async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            for script in scripts {
                let (stream, _) = listener.accept().await.unwrap();
                log.lock().unwrap().push(Vec::new());
                let n = log.lock().unwrap().len() - 1;
                tokio::spawn(follow(script, stream, n, log.clone()));
            }
        });
        Self { address, seen }
    }

    /// One connection, one step.
    async fn once(step: Step) -> Self {
        Self::start(vec![vec![step]]).await
    }

    /// A config that sends all of `*.test` here.
    fn config(&self) -> FetchConfig {
        config(self.address)
    }

    fn requests(&self) -> Vec<Vec<String>> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests each connection brought.
    fn counts(&self) -> Vec<usize> {
        self.requests().iter().map(Vec::len).collect()
    }
}

fn config(address: SocketAddr) -> FetchConfig {
    FetchConfig {
        allow_private_addresses: true,
        resolve: [("*.test".to_owned(), address.to_string())].into(),
        ..FetchConfig::default()
    }
}

async fn follow(
    script: Vec<Step>,
    mut stream: TcpStream,
    n: usize,
    log: Arc<Mutex<Vec<Vec<String>>>>,
) {
    let mut held = Vec::new();
    for step in script {
        let Some(request) = read_request(&mut stream, &mut held).await else { return };
        log.lock().unwrap()[n].push(request);
        match step {
            Step::Send(bytes) => {
                // The client may have left, which is what some tests are about.
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::Last(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Step::Reset(bytes) => {
                let _ = stream.write_all(&bytes).await;
                stream.set_zero_linger().unwrap();
                return;
            }
        }
    }
    let _ = stream.read_to_end(&mut held).await;
}

/// Reads one request with its body; `None` if the client left.
async fn read_request(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(held[..end + 4].to_vec()).unwrap();
            let length = head
                .to_ascii_lowercase()
                .split_once("content-length: ")
                .map_or(0, |rest| rest.1.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if held.len() >= end + 4 + length {
                let request = held.drain(..end + 4 + length).collect();
                return Some(String::from_utf8(request).unwrap());
            }
        }
        if stream.read_buf(held).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

async fn fetch_ticket(fetcher: &Fetcher, ticket: &Ticket) -> Answer {
    tokio::time::timeout(PATIENCE, fetcher.fetch(ticket)).await.expect("a fetch ends by itself")
}

async fn fetch(fetcher: &Fetcher, url: &str) -> Answer {
    fetch_ticket(fetcher, &ticket(get(url))).await
}

/// Fetches `http://a.test/` from a server that does `step`.
async fn fetch_from(step: Step, change: impl FnOnce(&mut FetchConfig)) -> Answer {
    let server = Server::once(step).await;
    let mut config = server.config();
    change(&mut config);
    fetch(&Fetcher::new(config).unwrap(), "http://a.test/").await
}

#[track_caller]
fn failure(answer: Answer) -> Failure {
    let failure = answer.reply.expect_err("the fetch should fail");
    assert!(!failure.detail.contains('\n'), "{failure}");
    failure
}

#[track_caller]
fn check_failure(answer: Answer, kind: FailureKind, part: &str) {
    let failure = failure(answer);
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.detail.contains(part), "{failure}");
}

#[track_caller]
fn ok(answer: Answer) -> Response {
    answer.reply.expect("the fetch should succeed")
}
