//! The server over real sockets, by a client that shows every byte.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::*;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(10);

struct Client(BufReader<TcpStream>);

#[derive(Debug)]
struct Answer {
    head: String,
    status: u16,
    body: Vec<u8>,
}

impl Client {
    fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, host: &str, path: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: raw/1\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
    }

    fn get(&mut self, host: &str, path: &str) -> Answer {
        self.send(host, path);
        self.read()
    }

    /// Reads one response; its body may end early.
    fn read(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "closed after {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        let mut body = Vec::new();
        (&mut self.0).take(length.parse().unwrap()).read_to_end(&mut body).unwrap();
        Answer { head, status, body }
    }

    /// Everything until the server closes.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    /// Whether nothing comes for a moment.
    fn is_silent(&mut self) -> bool {
        self.0.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let result = self.0.fill_buf().map(<[u8]>::len);
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        result.is_err_and(|e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}

/// Waits till `done`, by asking.
#[track_caller]
fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        std::thread::yield_now();
    }
}

fn serve(builder: Builder) -> (TestSite, Client) {
    let site = TestSite::spawn_thread(builder);
    let client = Client::connect(site.addr);
    (site, client)
}

#[test]
fn one_connection_carries_many_requests() {
    let (site, mut client) = serve(TestSite::builder().bookshop(Bookshop::default()));
    let home = client.get("books.test", "/");
    assert_eq!(home.status, 200);
    assert!(home.head.to_ascii_lowercase().contains("content-type: text/html; charset=utf-8\r\n"));
    assert_eq!(client.get("books.test", "/jobs.html").status, 404);
    let moved = client.get("books.test", "/old/7.html");
    assert_eq!(moved.status, 301);
    assert!(moved.head.contains("location: /catalogue/"));
    assert_eq!(site.requests(), ["/", "/jobs.html", "/old/7.html"]);
    assert!(site.log().iter().all(|record| record.connection == 1));
    wait_until(|| site.connections() == Connections { accepted: 1, open: 1, most: 1 });
    drop(client);
    wait_until(|| site.connections().open == 0);
}

#[test]
fn the_most_connections_at_a_time_are_counted() {
    let (site, mut first) = serve(TestSite::builder().bookshop(Bookshop::default()));
    let mut second = Client::connect(site.addr);
    assert_eq!(
        [first.get("books.test", "/").status, second.get("books.test", "/").status],
        [200; 2]
    );
    // One is counted when it has stood for a turn of the site.
    wait_until(|| site.connections().most == 2);
    drop(first);
    for _ in 0..50 {
        // One takes the other's place, once the site has seen that it is free: never three at a time.
        drop(second);
        wait_until(|| site.connections().open == 0);
        second = Client::connect(site.addr);
        assert_eq!(second.get("books.test", "/").status, 200);
    }
    assert_eq!(site.connections(), Connections { accepted: 52, open: 1, most: 2 });
    site.forget_most();
    wait_until(|| site.connections().most == 1);
    drop(second);
    wait_until(|| site.connections().open == 0);
    assert_eq!(site.connections().most, 1);
}

#[test]
fn every_request_is_recorded() {
    let (site, mut client) = serve(TestSite::builder().page("/a?b=c", "x"));
    client.get("A.test:80", "/a?b=c");
    client.get("[::1]:80", "/z");
    let log = site.log();
    let told = |i: usize| {
        let Recorded { host, path, method, user_agent, connection, status, .. } = log[i].clone();
        (host, path, method, user_agent, connection, status)
    };
    let record = |host: &str, path: &str, status| {
        (host.to_owned(), path.to_owned(), "GET".to_owned(), "raw/1".to_owned(), 1, status)
    };
    assert_eq!(told(0), record("a.test", "/a?b=c", 200));
    assert_eq!(told(1), record("[::1]", "/z", 404));
    assert!(log.iter().all(|r| r.at_unix_us > 0 && r.done_unix_us >= r.at_unix_us));
    assert!(log[0].done_unix_us <= log[1].at_unix_us);
    assert_eq!(site.requests_to("A.test"), ["/a?b=c"]);
    assert_eq!((site.served(), site.unrecorded()), (2, 0));
}

#[test]
fn a_full_record_still_counts() {
    let (site, mut client) = serve(TestSite::builder().keep_records(1));
    for path in ["/1", "/2", "/3"] {
        client.get("h", path);
    }
    assert_eq!((site.requests(), site.served(), site.unrecorded()), (vec!["/1".to_owned()], 3, 2));
}

#[test]
fn overlap_and_gaps_are_measured() {
    let latency = Duration::from_millis(30);
    let (site, mut a) = serve(TestSite::builder().page("/", "x").hang("h").latency(latency));
    let mut b = Client::connect(site.addr);
    a.send("h", "/");
    b.send("h", "/");
    wait_until(|| site.served() == 2);
    assert_eq!(site.max_concurrency("h"), 2);
    let mut a = Client::connect(site.addr);
    assert_eq!(site.max_concurrency("other"), 0);
    a.get("one", "/");
    a.get("one", "/");
    assert_eq!(site.max_concurrency("one"), 1);
    let gaps = site.gaps("one");
    assert!(gaps.len() == 1 && gaps[0] >= latency, "{gaps:?}");
}

#[test]
fn the_log_file_is_complete_before_the_response_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("served.jsonl");
    let builder = TestSite::builder().page("/", "x").fault("/cut", Fault::CutBody);
    let (site, mut client) = serve(builder.log_file(&path));
    for i in 1..=20 {
        client.get("h", "/");
        assert_eq!(read_log(&path).unwrap().len(), i);
    }
    client.get("h", "/cut");
    let lines = read_log(&path).unwrap();
    let told = lines.iter().map(|r| (&*r.host, &*r.path, r.status)).collect::<Vec<_>>();
    assert_eq!((told.len(), told[0], told[20]), (21, ("h", "/", 200), ("h", "/cut", 200)));
    assert!(lines.iter().zip(site.log()).all(|(a, b)| a.at_unix_us == b.at_unix_us));
}

#[test]
fn a_request_left_without_an_answer_is_in_the_log_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("served.jsonl");
    let builder = TestSite::builder().hang("slow").latency(Duration::from_secs(3600));
    let (site, mut client) = serve(builder.log_file(&path));
    client.send("other", "/late");
    wait_until(|| site.served() == 1);
    drop(client);
    wait_until(|| read_log(&path).unwrap().len() == 1);
    let line = &read_log(&path).unwrap()[0];
    assert_eq!((&*line.path, line.status), ("/late", 0));
    wait_until(|| site.log()[0].done_unix_us > 0);
}

#[test]
fn a_log_that_is_no_log_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, "{}\n").unwrap();
    assert!(read_log(&path).unwrap_err().to_string().starts_with("line 1: "));
    let unwritable = TestSite::builder().log_file(folder.path());
    assert!(TestSite::try_spawn_thread(unwritable).is_err());
}

#[test]
fn a_cut_body_is_announced_whole() {
    let (_site, mut client) =
        serve(TestSite::builder().page("/", "0123456789").fault("/", Fault::CutBody));
    let answer = client.get("h", "/");
    assert_eq!((answer.status, &*answer.body), (200, &b"01234"[..]));
    assert!(answer.head.contains("content-length: 10\r\n"));
    assert!(client.rest().is_empty());
}

#[test]
fn garbage_is_sent_and_nothing_more() {
    let (site, mut client) = serve(TestSite::builder().fault("/", Fault::NotHttp));
    client.send("h", "/");
    let bytes = client.rest();
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP"));
    wait_until(|| site.log()[0].done_unix_us > 0);
    assert_eq!(site.log()[0].status, 0);
}

#[test]
fn a_close_comes_without_a_byte() {
    let (site, mut client) = serve(TestSite::builder().page("/", "x").fault("/", Fault::Close));
    client.send("h", "/");
    assert!(client.rest().is_empty());
    wait_until(|| site.connections().open == 0);
}

#[test]
fn a_stalled_body_stays_open_until_the_client_goes() {
    let (site, mut client) =
        serve(TestSite::builder().page("/", "0123456789").fault("/", Fault::Stall));
    client.send("h", "/");
    let mut begun = Vec::new();
    while !begun.ends_with(b"\r\n\r\n01234") {
        let mut byte = [0];
        client.0.read_exact(&mut byte).unwrap();
        begun.extend(byte);
    }
    assert!(client.is_silent());
    assert_eq!((site.log()[0].status, site.log()[0].done_unix_us), (200, 0));
    drop(client);
    wait_until(|| site.log()[0].done_unix_us > 0 && site.connections().open == 0);
}

#[test]
fn a_hanging_host_takes_requests_and_never_answers() {
    let (site, mut client) = serve(TestSite::builder().hang("hang.test").page("/", "x"));
    client.send("hang.test", "/");
    assert_eq!(Client::connect(site.addr).get("h", "/").status, 200);
    assert!(client.is_silent());
    assert_eq!(site.requests_to("hang.test"), ["/"]);
    drop(client);
    wait_until(|| site.log()[0].done_unix_us > 0);
    assert_eq!(site.log()[0].status, 0);
}

#[test]
fn a_slow_body_trickles_in_whole() {
    let (site, mut client) =
        serve(TestSite::builder().page("/", "12345").fault("/", Fault::SlowBody));
    let start = Instant::now();
    assert_eq!(client.get("h", "/").body, b"12345");
    assert!(start.elapsed() >= Duration::from_millis(100));
    wait_until(|| site.log()[0].done_unix_us >= site.log()[0].at_unix_us + 80_000);
    assert_eq!(client.get("h", "/x").status, 404, "the connection lives on");
}

#[test]
fn a_site_sees_headers_and_body() {
    let echo = |request: &SiteRequest<'_>| {
        let body = String::from_utf8_lossy(request.body);
        let agent = request.header("User-Agent").unwrap_or("-");
        Reply::text(format!("{} {} {} {body}", request.method, request.path(), agent))
            .with_header("x-count", &request.headers().count().to_string())
    };
    let (_site, mut client) = serve(TestSite::builder().site("*", std::sync::Arc::new(echo)));
    let post = "POST /p?q HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nContent-Length: 3\r\n\r\nabc";
    client.0.get_mut().write_all(post.as_bytes()).unwrap();
    let answer = client.read();
    assert_eq!(answer.body, b"POST /p u abc");
    assert!(answer.head.contains("x-count: 3\r\n"));
}

#[test]
fn a_reply_that_is_no_http_is_a_500_that_says_so() {
    let (_site, mut client) =
        serve(TestSite::builder().status("/a", 200, &[("bad name", "x")]).status("/b", 7, &[]));
    for path in ["/a", "/b"] {
        let answer = client.get("h", path);
        assert_eq!(answer.status, 500);
        assert!(answer.body.starts_with(b"this reply is no HTTP"));
    }
}

#[test]
fn a_head_request_gets_no_body() {
    let (_site, mut client) = serve(TestSite::builder().page("/", "12345"));
    client.0.get_mut().write_all(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        client.0.read_line(&mut head).unwrap();
    }
    assert!(head.contains("content-length: 5\r\n"));
    assert_eq!(client.get("h", "/").body, b"12345");
}

#[test]
fn one_port_serves_many_addresses() {
    let more = [Ipv4Addr::new(127, 1, 0, 1), Ipv4Addr::new(127, 1, 0, 2)].map(IpAddr::from);
    let (site, mut client) = serve(TestSite::builder().page("/", "x").also_on(more));
    assert_eq!(client.get("h", "/").status, 200);
    for address in more {
        let mut client = Client::connect((address, site.addr.port()).into());
        assert_eq!(client.get(&address.to_string(), "/").status, 200);
    }
    assert_eq!(site.requests_to("127.1.0.2"), ["/"]);
}

#[test]
fn a_dropped_site_is_gone() {
    let (site, mut client) = serve(TestSite::builder().page("/", "x"));
    client.get("h", "/");
    let addr = site.addr;
    drop(site);
    assert!(TcpStream::connect_timeout(&addr, PATIENCE).is_err());
    assert!(client.rest().is_empty());
}

#[test]
fn a_taken_address_is_an_error() {
    let (site, _client) = serve(TestSite::builder());
    let error = TestSite::try_spawn_thread(TestSite::builder().bind(site.addr)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&site.addr.to_string()), "{error}");
}

async fn ask(addr: SocketAddr) -> u16 {
    tokio::task::spawn_blocking(move || Client::connect(addr).get("h", "/").status).await.unwrap()
}

#[tokio::test]
async fn it_runs_on_a_runtime_of_one_thread() {
    let site = TestSite::builder().page("/", "x").start().await;
    assert_eq!(ask(site.addr).await, 200);
    assert_eq!(site.requests(), ["/"]);
    assert!(site.url("/a").starts_with("http://127.0.0.1:"));
    assert_eq!(site.url_on("h.test", "/a"), format!("http://h.test:{}/a", site.addr.port()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_on_a_runtime_of_many_threads() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let builder = TestSite::builder().page("/", "x");
    let site = TestSite::serve(builder, addr, Some(log.clone())).await.unwrap();
    let asked: Vec<_> = (0..16).map(|_| tokio::spawn(ask(site.addr))).collect();
    for task in asked {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(read_log(log).unwrap().len(), 16);
    let addr = site.addr;
    drop(site);
    tokio::task::spawn_blocking(move || {
        wait_until(|| TcpStream::connect_timeout(&addr, PATIENCE).is_err());
    })
    .await
    .unwrap();
}
