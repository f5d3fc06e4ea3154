//! Bodies: whole, coded, cut.

use std::num::NonZeroU32;

use super::*;

const ANY: &str = "Content-Type: text/html\r\n";

fn as_it_is(_: &mut FetchConfig) {}

#[track_caller]
fn check_cut(answer: Answer, expected: Truncation, kept: impl Fn(&[u8]) -> bool) {
    let response = ok(answer);
    assert_eq!((response.status, response.truncated), (200, Some(expected)));
    assert!(kept(&response.body), "{} bytes kept", response.body.len());
}

fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    response("200 OK", &format!("{ANY}Content-Encoding: {coding}\r\n"), body)
}

#[tokio::test]
async fn each_coding_is_removed() {
    let plain = b"<p>the same page over and over</p>".repeat(1000);
    let gzip = {
        let mut encoder = flate2::read::GzEncoder::new(&plain[..], Default::default());
        let mut coded = Vec::new();
        std::io::Read::read_to_end(&mut encoder, &mut coded).unwrap();
        coded
    };
    let mut br = Vec::new();
    brotli::BrotliCompress(&mut &plain[..], &mut br, &Default::default()).unwrap();
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    for (coding, body) in [("gzip", gzip), ("br", br), ("zstd", zstd)] {
        let response = ok(fetch_from(send(coded(coding, &body)), as_it_is).await);
        assert!(response.body == plain && response.truncated.is_none(), "{coding}");
        assert_eq!(response.header("content-encoding"), Some(coding));
    }
}

#[tokio::test]
async fn bodies_end_by_length_by_chunks_and_by_closing() {
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{ANY}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    );
    let closing = format!("HTTP/1.0 200 OK\r\n{ANY}\r\nabcde");
    let by_length = send(response("200 OK", ANY, "abcde"));
    for (step, version) in
        [(by_length, "HTTP/1.1"), (send(chunked), "HTTP/1.1"), (last(closing), "HTTP/1.0")]
    {
        let response = ok(fetch_from(step, as_it_is).await);
        assert_eq!((&*response.body, response.version), (&b"abcde"[..], version));
        assert!(response.truncated.is_none() && response.remote.is_some());
    }
}

#[tokio::test]
async fn statuses_without_a_body_have_none() {
    for status in ["204 No Content", "304 Not Modified"] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\n\r\n");
        let response = ok(fetch_from(send(head), as_it_is).await);
        assert!(response.body.is_empty() && response.truncated.is_none());
    }
}

#[tokio::test]
async fn a_body_cut_short_is_kept_as_disconnect() {
    let short = format!("HTTP/1.1 200 OK\r\n{ANY}Content-Length: 100\r\n\r\nhalf");
    let chunk = format!("HTTP/1.1 200 OK\r\n{ANY}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    let reset = Step::Reset(short.clone().into_bytes());
    for step in [last(short), last(chunk)] {
        check_cut(fetch_from(step, as_it_is).await, Truncation::Disconnect, |body| body == b"half");
    }
    check_cut(fetch_from(reset, as_it_is).await, Truncation::Disconnect, |body| body.len() <= 4);
}

#[tokio::test]
async fn broken_framing_keeps_what_came_before_it() {
    let head = format!("HTTP/1.1 200 OK\r\n{ANY}Transfer-Encoding: chunked\r\n\r\n");
    let long_trailer = format!("0\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many_trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(200));
    let extension = format!("1;{}\r\nx\r\n", "x".repeat(100_000));
    for broken in [
        "zz\r\n",
        "\r\n",
        "-1\r\n",
        "0x4\r\nmore\r\n",
        "4\nmore\n",
        "ffffffffffffffffff\r\n",
        "4\r\nmore than four\r\n",
        &long_trailer,
        &many_trailers,
        &extension,
    ] {
        let answer = fetch_from(send(format!("{head}4\r\nhalf\r\n{broken}")), as_it_is).await;
        check_cut(answer, Truncation::Framing, |body| body.starts_with(b"half"));
    }
}

#[tokio::test]
async fn transfer_codings_that_were_not_asked_for_are_not_taken_for_text() {
    for coding in ["gzip", "gzip, chunked", "chunked, chunked", "what"] {
        let head = format!("HTTP/1.1 200 OK\r\n{ANY}Transfer-Encoding: {coding}\r\n\r\n");
        let answer = fetch_from(last(format!("{head}4\r\nhalf\r\n0\r\n\r\n")), as_it_is).await;
        check_cut(answer, Truncation::Framing, <[u8]>::is_empty);
    }
    let identity = format!("HTTP/1.1 200 OK\r\n{ANY}Transfer-Encoding: identity\r\n\r\nwhole");
    let response = ok(fetch_from(last(identity), as_it_is).await);
    assert_eq!((&*response.body, response.truncated), (&b"whole"[..], None));
}

#[tokio::test]
async fn a_body_over_the_limit_is_cut_at_it() {
    let long = vec![b'x'; 300_000];
    let by_length = send(response("200 OK", ANY, &long));
    let closing = last([format!("HTTP/1.0 200 OK\r\n{ANY}\r\n").as_bytes(), &long].concat());
    for step in [by_length, closing] {
        let answer = fetch_from(step, |config| config.body_limit_bytes = 100_000).await;
        check_cut(answer, Truncation::Length, |body| body == &long[..100_000]);
    }
    for limit in [300_000, 0] {
        let step = send(response("200 OK", ANY, &long));
        let whole = ok(fetch_from(step, |config| config.body_limit_bytes = limit).await);
        assert!(whole.truncated.is_none() && whole.body == long);
    }
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        read_request(&mut stream, &mut Vec::new()).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    });
    let answer = fetch(&Fetcher::new(config(address)).unwrap(), "http://a.test/").await;
    check_cut(answer, Truncation::Length, |body| body.len() == 8 << 20);
}

#[tokio::test]
async fn large_bodies_come_whole_over_a_kept_connection_whatever_the_limit_for_heads() {
    for header_limit_bytes in [1024, 64 * 1024, 1024 * 1024] {
        let large = || page(vec![b'x'; 6 << 20]);
        let server = Server::start(vec![vec![large(), large(), large()]]).await;
        let config = FetchConfig { header_limit_bytes, ..server.config() };
        let fetcher = Fetcher::new(config).unwrap();
        for _ in 0..3 {
            let response = ok(fetch(&fetcher, "http://a.test/").await);
            assert_eq!((response.body.len(), response.truncated), (6 << 20, None));
        }
    }
}

#[tokio::test]
async fn robots_are_read_to_512_kib_at_least() {
    let long = vec![b'#'; 600_000];
    let server = Server::once(send(response("200 OK", ANY, &long))).await;
    let fetcher = Fetcher::new(FetchConfig { body_limit_bytes: 1000, ..server.config() }).unwrap();
    let answer = fetch_ticket(&fetcher, &robots_ticket("http://a.test/robots.txt")).await;
    check_cut(answer, Truncation::Length, |body| body.len() == 512 * 1024);
}

#[tokio::test]
async fn a_bomb_is_cut_by_its_ratio() {
    let zeros = vec![0; 32 << 20];
    let bomb = zstd::encode_all(&zeros[..], 3).unwrap();
    let answer = fetch_from(send(coded("zstd", &bomb)), as_it_is).await;
    check_cut(answer, Truncation::Ratio, |body| (1 << 20..2 << 20).contains(&body.len()));
    let answer = fetch_from(send(coded("zstd", &bomb)), |config| config.max_ratio = 0).await;
    check_cut(answer, Truncation::Length, |body| body.len() == 8 << 20);
}

#[tokio::test]
async fn a_broken_coding_is_kept_as_coding() {
    let answer = fetch_from(send(coded("br", b"this is not brotli at all")), as_it_is).await;
    check_cut(answer, Truncation::Coding, |_| true);
}

#[tokio::test]
async fn a_coding_that_ends_early_is_told_from_a_transfer_that_does() {
    let plain = b"<p>a page</p>".repeat(5000);
    let mut zstd = zstd::encode_all(&plain[..], 1).unwrap();
    let whole = zstd.len();
    zstd.truncate(whole / 2);
    check_cut(fetch_from(send(coded("zstd", &zstd)), as_it_is).await, Truncation::Coding, |_| true);
    let head = format!("HTTP/1.1 200 OK\r\n{ANY}Content-Encoding: zstd\r\n");
    for field in [format!("Content-Length: {whole}\r\n"), String::new()] {
        let cut = [format!("{head}{field}\r\n").as_bytes(), &zstd].concat();
        check_cut(fetch_from(last(cut), as_it_is).await, Truncation::Disconnect, |_| true);
    }
}

#[tokio::test]
async fn codings_on_top_of_each_other_end_at_three() {
    let once = |plain: &[u8]| {
        let mut coded = Vec::new();
        let mut encoder = flate2::read::GzEncoder::new(plain, Default::default());
        std::io::Read::read_to_end(&mut encoder, &mut coded).unwrap();
        coded
    };
    let three = once(&once(&once(b"a page")));
    let response = ok(fetch_from(send(coded("gzip, gzip, gzip", &three)), as_it_is).await);
    assert_eq!((&*response.body, response.truncated), (&b"a page"[..], None));
    let four = coded("gzip, gzip, gzip, gzip", &once(&three));
    check_cut(fetch_from(send(four), as_it_is).await, Truncation::Nesting, <[u8]>::is_empty);
    let nothing = coded("gzip, gzip, gzip, gzip", b"");
    assert_eq!(ok(fetch_from(send(nothing), as_it_is).await).truncated, None);
}

#[tokio::test]
async fn a_window_over_the_limit_is_told() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.include_contentsize(false).unwrap();
    std::io::Write::write_all(&mut encoder, &[b'x'; 100_000]).unwrap();
    let large = coded("zstd", &encoder.finish().unwrap());
    check_cut(fetch_from(send(large), as_it_is).await, Truncation::Window, <[u8]>::is_empty);
}

#[tokio::test]
async fn the_transfer_has_a_limit_of_its_own() {
    let long = response("200 OK", ANY, [b'x'; 5000]);
    for (limit, expected) in [(5000, None), (4999, Some(Truncation::Coded))] {
        let small = |config: &mut FetchConfig| config.transfer_limit_bytes = limit;
        let response = ok(fetch_from(send(long.clone()), small).await);
        assert_eq!((response.body.len(), response.truncated), (limit, expected));
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_idle_and_one_that_takes_too_long_is_time() {
    let stalls = format!("HTTP/1.1 200 OK\r\n{ANY}Content-Length: 100\r\n\r\nhalf");
    let idle = |config: &mut FetchConfig| config.idle_timeout = SOON;
    let total = |config: &mut FetchConfig| config.total_timeout = SOON;
    let answer = fetch_from(send(stalls.clone()), idle).await;
    check_cut(answer, Truncation::Idle, |body| body == b"half");
    let answer = fetch_from(send(stalls), total).await;
    check_cut(answer, Truncation::Time, |body| body == b"half");
}

/// A server whose body drips without end.
async fn dripping() -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        read_request(&mut stream, &mut Vec::new()).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SOON / 5).await;
        }
    });
    address
}

#[tokio::test]
async fn drops_that_never_stop_end_at_the_total_limit() {
    let limits =
        FetchConfig { idle_timeout: SOON, total_timeout: SOON * 3, ..config(dripping().await) };
    let answer = fetch(&Fetcher::new(limits).unwrap(), "http://a.test/").await;
    assert!(answer.elapsed >= SOON * 3);
    check_cut(answer, Truncation::Time, |body| body.len() > 3);
}

#[tokio::test]
async fn drops_below_the_least_rate_end_after_its_window() {
    let limits = FetchConfig { min_rate_window: SOON, ..config(dripping().await) };
    let answer = fetch(&Fetcher::new(limits).unwrap(), "http://a.test/").await;
    assert!((SOON..PATIENCE).contains(&answer.elapsed));
    check_cut(answer, Truncation::Slow, |body| !body.is_empty());
}

#[tokio::test]
async fn a_body_waits_for_its_share_of_the_memory_until_another_ticket_ends() {
    let large = || vec![page(vec![b'x'; 900 * 1024])];
    let server = Server::start(vec![large(), large()]).await;
    let config = FetchConfig { body_memory_mib: NonZeroU32::MIN, ..server.config() };
    let fetcher = Fetcher::new(config).unwrap();
    let (first, second) = (ticket(get("http://a.test/")), ticket(get("http://b.test/")));
    let held = fetcher.fetch(&first).await.into_fetched(first);
    let mut waiting = Box::pin(fetcher.fetch(&second));
    let early = tokio::time::timeout(SOON, &mut waiting).await;
    assert!(early.is_err(), "both bodies are in memory at once");
    drop(held);
    let answer = tokio::time::timeout(PATIENCE, waiting).await.unwrap();
    assert_eq!(ok(answer).body.len(), 900 * 1024);
}
