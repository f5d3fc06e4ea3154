//! Connections: kept, shared, dead, dropped.

use std::num::NonZeroU32;

use super::*;

#[tokio::test]
async fn a_connection_is_used_again_for_its_origin_only() {
    let server = Server::start(vec![vec![page("1"), page("2")], vec![page("3")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/x").await).body, "1");
    assert_eq!(ok(fetch(&fetcher, "http://a.test/y").await).body, "2");
    assert_eq!(ok(fetch(&fetcher, "http://b.test/").await).body, "3");
    assert_eq!(server.counts(), [2, 1]);
}

#[tokio::test]
async fn nothing_is_kept_when_keep_alive_is_zero() {
    let server = Server::start(vec![vec![page("1")], vec![page("2")]]).await;
    let none = FetchConfig { keep_alive: Duration::ZERO, ..server.config() };
    let fetcher = Fetcher::new(none).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
}

#[tokio::test]
async fn a_connection_the_server_closes_is_not_used_again() {
    let close = response("200 OK", "Connection: close\r\n", "1");
    let server = Server::start(vec![vec![last(close)], vec![page("2")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
    assert_eq!(server.counts(), [1, 1]);
}

#[tokio::test]
async fn a_kept_connection_that_dies_is_retried_once_and_the_last_send_counts() {
    for (method, dead) in [
        (Method::Get, last("")),
        (Method::Get, Step::Reset(Vec::new())),
        (Method::Head, last("")),
        (Method::Head, Step::Reset(Vec::new())),
    ] {
        let empty = send(response("200 OK", "", ""));
        let server = Server::start(vec![vec![page("1"), dead], vec![empty]]).await;
        let fetcher = Fetcher::new(server.config()).unwrap();
        assert_eq!(ok(fetch(&fetcher, "http://a.test/x").await).body, "1");
        let before = std::time::Instant::now();
        let request = Request { method, ..get("http://a.test/y") };
        let answer = fetch_ticket(&fetcher, &ticket(request)).await;
        assert!(answer.sent_at.unwrap() > before);
        assert_eq!(ok(answer).body, "");
        assert_eq!(server.counts(), [2, 1]);
        let requests = server.requests();
        assert_eq!(requests[0][1], requests[1][0]);
    }
}

#[tokio::test]
async fn a_fresh_connection_that_dies_is_not_retried() {
    let server =
        Server::start(vec![vec![page("1"), last("")], vec![last("")], vec![page("3")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
    check_failure(fetch(&fetcher, "http://a.test/").await, FailureKind::Disconnected, "closed");
    assert_eq!(server.counts(), [2, 1]);
}

#[tokio::test]
async fn a_kept_connection_that_answers_badly_is_not_retried() {
    let server = Server::start(vec![vec![page("1"), last("HTT")], vec![page("2")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
    check_failure(fetch(&fetcher, "http://a.test/").await, FailureKind::Disconnected, "a.test");
    assert_eq!(server.counts(), [2]);
}

#[tokio::test]
async fn a_post_never_goes_over_a_kept_connection() {
    let server = Server::start(vec![vec![page("1"), page("never")], vec![page("2")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
    let mut post = get("http://a.test/");
    post.method = Method::Post;
    post.body = b"q=1".to_vec();
    assert_eq!(ok(fetch_ticket(&fetcher, &ticket(post)).await).body, "2");
    assert_eq!(server.counts(), [1, 1]);
}

#[tokio::test]
async fn bytes_nobody_asked_for_poison_no_later_answer() {
    let poison = response("200 OK", "", "poison");
    for first in [
        response("200 OK", "", "1"),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
    ] {
        let poisoned = [first, poison.clone()].concat();
        let server = Server::start(vec![vec![send(poisoned)], vec![page("2")]]).await;
        let fetcher = Fetcher::new(server.config()).unwrap();
        ok(fetch(&fetcher, "http://a.test/").await);
        assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
        assert_eq!(server.counts(), [1, 1]);
    }
}

#[tokio::test]
async fn bytes_that_come_while_a_connection_rests_end_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fetcher = Fetcher::new(config(listener.local_addr().unwrap())).unwrap();
    let server = async {
        let (mut first, _) = listener.accept().await.unwrap();
        read_request(&mut first, &mut Vec::new()).await.unwrap();
        first.write_all(&response("200 OK", "", "1")).await.unwrap();
        tokio::time::sleep(SOON / 5).await;
        first.write_all(&response("200 OK", "", "poison")).await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        read_request(&mut second, &mut Vec::new()).await.unwrap();
        second.write_all(&response("200 OK", "", "2")).await.unwrap();
    };
    let client = async {
        assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "1");
        tokio::time::sleep(SOON / 2).await;
        assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
    };
    let both = async { tokio::join!(server, client) };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
}

#[tokio::test]
async fn a_response_whose_end_is_in_doubt_is_the_last_of_its_connection() {
    let both_ways =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let with_length = "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n";
    for doubtful in [both_ways, with_length] {
        let server = Server::start(vec![vec![send(doubtful)], vec![page("2")]]).await;
        let fetcher = Fetcher::new(server.config()).unwrap();
        assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "");
        assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
        assert_eq!(server.counts(), [1, 1]);
    }
}

#[tokio::test]
async fn a_cut_body_costs_its_connection() {
    let long = response("200 OK", "", vec![b'x'; 500_000]);
    let server = Server::start(vec![vec![send(long)], vec![page("2")]]).await;
    let limits = FetchConfig { body_limit_bytes: 1000, ..server.config() };
    let fetcher = Fetcher::new(limits).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).truncated, Some(Truncation::Length));
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "2");
}

#[tokio::test]
async fn an_idle_connection_is_closed_when_its_time_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = FetchConfig { keep_alive: SOON, ..config(listener.local_addr().unwrap()) };
    let fetcher = Fetcher::new(limits).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream, &mut Vec::new()).await.unwrap();
        stream.write_all(&response("200 OK", "", "1")).await.unwrap();
        stream.read(&mut [0; 1]).await.unwrap()
    };
    let client = fetch(&fetcher, "http://a.test/");
    let both = async { tokio::join!(server, client) };
    let (closed, answer) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!((closed, &*ok(answer).body), (0, &b"1"[..]));
}

#[tokio::test]
async fn a_connection_at_rest_makes_room_and_no_more_are_open_than_there_are_slots() {
    let scripts = (0..160).map(|_| (0..20).map(|_| page("x")).collect()).collect();
    let server = Server::start(scripts).await;
    let few = FetchConfig { connections: NonZeroU32::new(3).unwrap(), ..server.config() };
    let fetcher = Fetcher::new(few).unwrap();
    for n in (0..8).cycle().take(160) {
        ok(fetch(&fetcher, &format!("http://h{n}.test/")).await);
        assert!(fetcher.exchange.pool().len() <= 6);
    }
    assert_eq!(fetcher.exchange.pool().len(), 6);
}

#[tokio::test]
async fn more_fetches_than_connections_take_turns() {
    let scripts = (0..12).map(|_| vec![page("x")]).collect();
    let server = Server::start(scripts).await;
    let one = FetchConfig { connections: NonZeroU32::MIN, ..server.config() };
    let fetcher = Fetcher::new(one).unwrap();
    let tickets: Vec<_> = (0..12).map(|n| ticket(get(&format!("http://h{n}.test/")))).collect();
    let mut fetches = tokio::task::JoinSet::new();
    for ticket in tickets {
        let fetcher = fetcher.clone();
        fetches.spawn(async move { fetch_ticket(&fetcher, &ticket).await });
    }
    while let Some(answer) = fetches.join_next().await {
        assert_eq!(ok(answer.unwrap()).body, "x");
    }
}

#[tokio::test]
async fn a_fetch_without_a_connection_to_be_had_says_so() {
    let server = Server::start(vec![vec![send("")], vec![send("")]]).await;
    let one = FetchConfig {
        connections: NonZeroU32::MIN,
        connect_timeout: SOON,
        header_timeout: SOON * 4,
        ..server.config()
    };
    let fetcher = Fetcher::new(one).unwrap();
    let tickets = ["a", "b", "c"].map(|host| ticket(get(&format!("http://{host}.test/"))));
    let [a, b, c] = &tickets;
    let late = async {
        tokio::time::sleep(SOON / 2).await;
        fetch_ticket(&fetcher, c).await
    };
    let (_, _, late) = tokio::join!(fetch_ticket(&fetcher, a), fetch_ticket(&fetcher, b), late);
    check_failure(late, FailureKind::ConnectTimeout, "all connections are in use");
}

#[tokio::test]
async fn a_dropped_fetch_drops_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fetcher = Fetcher::new(config(listener.local_addr().unwrap())).unwrap();
    let task = tokio::spawn(async move { fetch(&fetcher, "http://a.test/").await });
    let (mut stream, _) = listener.accept().await.unwrap();
    read_request(&mut stream, &mut Vec::new()).await.unwrap();
    task.abort();
    let closed = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test]
async fn the_clock_starts_when_the_request_goes_out_and_stops_at_the_last_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fetcher = Fetcher::new(config(listener.local_addr().unwrap())).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut times = Vec::new();
        for _ in 0..2 {
            read_request(&mut stream, &mut Vec::new()).await.unwrap();
            times.push(std::time::Instant::now());
            let whole = response("200 OK", "", "half and half");
            let (first, second) = whole.split_at(whole.len() - 4);
            stream.write_all(first).await.unwrap();
            tokio::time::sleep(SOON / 3).await;
            times.push(std::time::Instant::now());
            stream.write_all(second).await.unwrap();
        }
        times
    };
    let client = async {
        let first = fetch(&fetcher, "http://a.test/").await;
        (first, fetch(&fetcher, "http://a.test/").await)
    };
    let both = async { tokio::join!(server, client) };
    let (times, (first, second)) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    for (answer, times) in [(first, &times[..2]), (second, &times[2..])] {
        let sent_at = answer.sent_at.unwrap();
        assert!(sent_at < times[0] && times[1] < answer.done_at);
        assert!(answer.done_at - sent_at >= SOON / 3);
        assert!(answer.elapsed >= answer.done_at - sent_at);
    }
}

#[tokio::test]
async fn the_phases_that_happened_are_measured_and_the_others_are_absent() {
    let server = Server::start(vec![vec![page("1"), page("2")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    for is_fresh in [true, false] {
        let answer = fetch(&fetcher, "http://a.test/").await;
        let timing = answer.timing;
        assert_eq!([timing.dns, timing.connect].map(|t| t.is_some()), [is_fresh; 2]);
        assert_eq!(timing.tls, None);
        let phases = [timing.dns, timing.connect, timing.first_byte, timing.body];
        assert!(timing.first_byte.is_some() && timing.body.is_some());
        assert!(phases.into_iter().flatten().sum::<Duration>() <= answer.elapsed);
        assert_eq!(answer.host_free(TicketId(0)).latency, timing.first_byte);
    }
    let answer = fetch_from(send(""), |config| config.header_timeout = SOON).await;
    assert!(answer.timing.connect.is_some() && answer.timing.first_byte.is_none());
    assert_eq!(answer.timing.body, None);
}
