//! Each class of failure, each with a line that says what to change.

use super::*;

fn as_it_is(_: &mut FetchConfig) {}

async fn refused_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn a_refused_connection_is_connect_and_was_never_sent() {
    let fetcher = Fetcher::new(config(refused_port().await)).unwrap();
    let answer = fetch(&fetcher, "http://a.test/").await;
    assert_eq!(answer.sent_at, None);
    assert!(answer.sent_ms > 1_600_000_000_000);
    check_failure(answer, FailureKind::Connect, "connection to a.test:80 refused");
}

#[tokio::test]
async fn what_is_not_http_is_protocol() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "<html>\r\n\r\n",
        "\0\0\0",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let answer = fetch_from(last(garbage), as_it_is).await;
        assert!(answer.sent_at.is_some());
        check_failure(answer, FailureKind::Protocol, "a.test");
    }
}

#[tokio::test]
async fn odd_statuses_are_responses() {
    for status in [299, 399, 600, 799, 999] {
        let odd = response(&format!("{status} Odd"), "", "x");
        assert_eq!(ok(fetch_from(send(odd), as_it_is).await).status, status);
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_head_is_disconnected() {
    let whole = "before its response's head was complete";
    for part in ["", "HTT", "HTTP/1.1 200 OK\r\nContent-"] {
        let answer = fetch_from(last(part), as_it_is).await;
        check_failure(answer, FailureKind::Disconnected, whole);
    }
    let answer = fetch_from(last("HTTP/1.1 103 Early Hints\r\n\r\n"), as_it_is).await;
    check_failure(answer, FailureKind::Disconnected, whole);
    let answer = fetch_from(Step::Reset(Vec::new()), as_it_is).await;
    check_failure(answer, FailureKind::Disconnected, "a.test");
}

#[tokio::test]
async fn interim_responses_are_skipped_but_not_without_end() {
    let some = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(200);
    let fine = [some.as_bytes(), &response("200 OK", "", "x")].concat();
    assert_eq!(ok(fetch_from(send(fine), as_it_is).await).body, "x");
    let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000);
    let answer = fetch_from(send(flood), as_it_is).await;
    check_failure(answer, FailureKind::HeaderLimit, "interim responses (1xx) without end");
    let large =
        [&b"HTTP/1.1 103 Early Hints\r\n\r\n"[..], &response("200 OK", "", vec![b'x'; 3 << 20])];
    assert_eq!(ok(fetch_from(send(large.concat()), as_it_is).await).body.len(), 3 << 20);
}

#[tokio::test]
async fn a_head_that_is_late_names_its_limit() {
    for slow in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let answer = fetch_from(send(slow), |config| config.header_timeout = SOON).await;
        assert!(answer.sent_at.is_some());
        check_failure(
            answer,
            FailureKind::HeaderTimeout,
            "no response head from a.test within 150ms (fetch.header-timeout)",
        );
    }
}

#[tokio::test]
async fn the_total_limit_counts_before_the_head_too() {
    let answer = fetch_from(send(""), |config| config.total_timeout = SOON).await;
    check_failure(answer, FailureKind::Timeout, "(fetch.total-timeout)");
}

#[tokio::test]
async fn a_head_over_the_limit_is_header_limit() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1_000_000));
    for head in [long, endless] {
        let answer = fetch_from(send(head), as_it_is).await;
        check_failure(answer, FailureKind::HeaderLimit, "(fetch.header-limit-bytes)");
    }
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(2_000));
    let answer = fetch_from(send(head), |config| config.header_limit_bytes = 1024).await;
    check_failure(answer, FailureKind::HeaderLimit, "more than 1024 bytes");
}

#[tokio::test]
async fn a_head_of_too_many_fields_is_header_count() {
    for n_fields in [101, 5_000, 100_000] {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(n_fields));
        let answer = fetch_from(send(head), as_it_is).await;
        check_failure(
            answer,
            FailureKind::HeaderCount,
            "more than 100 fields (fetch.header-count)",
        );
    }
    for (limit, n_fields) in [(10, 10), (101, 101), (3000, 3000)] {
        let with_limit = |config: &mut FetchConfig| config.header_count = limit;
        let head = |n: usize| response("200 OK", &"X: y\r\n".repeat(n - 1), "");
        assert_eq!(ok(fetch_from(send(head(n_fields)), with_limit).await).status, 200);
        let answer = fetch_from(send(head(n_fields + 1)), with_limit).await;
        check_failure(answer, FailureKind::HeaderCount, "(fetch.header-count)");
    }
}

#[tokio::test]
async fn a_head_within_the_limit_passes() {
    let fields = format!("X: {}\r\n", "x".repeat(60_000));
    let response = ok(fetch_from(send(response("200 OK", &fields, "y")), as_it_is).await);
    assert_eq!(response.header("x").unwrap().len(), 60_000);
}

#[tokio::test]
async fn an_unwanted_media_type_is_refused_at_the_head() {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: image/png; x=1\r\nContent-Length: 99999999\r\n\r\n";
    let answer = fetch_from(send(head), as_it_is).await;
    assert!(answer.sent_at.is_some());
    check_failure(
        answer,
        FailureKind::ContentType,
        "media type image/png is not wanted (fetch.content-types)",
    );
}

#[tokio::test]
async fn the_media_type_counts_only_for_pages_that_came_with_one() {
    let png = "Content-Type: image/png\r\n";
    for (status, fields) in
        [("404 No", png), ("302 Go", png), ("200 OK", ""), ("200 OK", "Content-Type: \r\n")]
    {
        let response = ok(fetch_from(send(response(status, fields, "body")), as_it_is).await);
        assert_eq!(response.body, "body");
    }
    let all = |config: &mut FetchConfig| config.content_types = vec!["*/*".to_owned()];
    assert_eq!(ok(fetch_from(send(response("200 OK", png, "body")), all).await).body, "body");

    let server = Server::once(send(response("200 OK", png, "User-agent: *"))).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    let answer = fetch_ticket(&fetcher, &robots_ticket("http://a.test/robots.txt")).await;
    assert_eq!(ok(answer).body, "User-agent: *");
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_told_by_name_and_never_by_value() {
    for (name, value) in [("x y", "secret"), ("Cookie", "secret\n"), ("Content-Length", "9")] {
        let server = Server::once(page("x")).await;
        let mut request = get("http://a.test/");
        request.headers = vec![(name.to_owned(), value.to_owned())];
        let fetcher = Fetcher::new(server.config()).unwrap();
        let failure = failure(fetch_ticket(&fetcher, &ticket(request)).await);
        assert_eq!(failure.kind, FailureKind::Protocol);
        assert!(failure.detail.contains(name) && !failure.detail.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn failures_and_server_errors_count_for_back_off() {
    for (status, health) in [
        ("200 OK", Health::Good),
        ("404 No", Health::Good),
        ("429 Slow", Health::Overloaded),
        ("503 Slow", Health::Overloaded),
        ("500 Oh", Health::Failing),
    ] {
        let answer = fetch_from(send(response(status, "", "")), as_it_is).await;
        assert_eq!(answer.host_free(TicketId(0)).health, health, "{status}");
    }
    let answer = fetch_from(last("no HTTP\r\n\r\n"), as_it_is).await;
    assert_eq!(answer.host_free(TicketId(0)).health, Health::Failing);
    let answer = fetch_from(last(""), as_it_is).await;
    assert_eq!(answer.host_free(TicketId(0)).health, Health::Unreachable);
}
