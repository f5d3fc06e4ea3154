//! What goes on the wire.

use super::*;
use crate::Requests;

/// Sends `request` and gives back what the server saw of it.
async fn seen(request: Request, change: impl FnOnce(&mut FetchConfig)) -> String {
    let server = Server::once(page("x")).await;
    let mut config = server.config();
    change(&mut config);
    let fetcher = Fetcher::new(config).unwrap();
    ok(fetch_ticket(&fetcher, &ticket(request)).await);
    server.requests().remove(0).remove(0)
}

#[tokio::test]
async fn a_request_names_the_url_s_host_and_us() {
    let request = seen(get("http://shop.test:8081/a?b=c#d"), |config| {
        config.user_agent = "bot/1".to_owned();
        config.headers = [("Accept-Language".to_owned(), "de".to_owned())].into();
    })
    .await;
    let (line, fields) = request.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /a?b=c HTTP/1.1");
    assert!(fields.starts_with("host: shop.test:8081\r\n"), "{fields}");
    for field in
        ["user-agent: bot/1", "accept-language: de", "accept-encoding: gzip, deflate, br, zstd"]
    {
        assert!(fields.contains(&format!("{field}\r\n")), "{fields}");
    }
    assert!(!fields.contains("content-length"), "{fields}");
}

#[tokio::test]
async fn the_request_s_own_headers_win() {
    let mut request = get("http://joe:pw@a.test/");
    request.headers = vec![
        ("Accept".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), "Bearer x".to_owned()),
    ];
    let seen = seen(request, |config| {
        config.headers = [("accept".to_owned(), "text/plain".to_owned())].into();
    })
    .await;
    assert_eq!(seen.matches("accept: ").count(), 1, "{seen}");
    assert!(seen.contains("accept: application/json\r\n"), "{seen}");
    assert!(seen.contains("authorization: Bearer x\r\n"), "{seen}");
}

#[tokio::test]
async fn credentials_of_the_url_become_basic_auth_and_stay_out_of_the_host() {
    let seen = seen(get("http://joe:pw@a.test/"), |_| {}).await;
    assert!(seen.contains("authorization: Basic am9lOnB3\r\n"), "{seen}");
    assert!(seen.contains("host: a.test\r\n"), "{seen}");
}

#[tokio::test]
async fn a_post_carries_its_body() {
    let mut post = get("http://a.test/search");
    post.method = Method::Post;
    post.body = b"q=books".to_vec();
    let seen = seen(post, |_| {}).await;
    assert!(seen.starts_with("POST /search HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("content-length: 7\r\n") && seen.ends_with("\r\n\r\nq=books"), "{seen}");
}

#[tokio::test]
async fn a_head_asks_for_no_body_and_is_never_refused_for_its_type() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n";
    let server = Server::start(vec![vec![send(head), page("next")]]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    let mut request = get("http://a.test/");
    request.method = Method::Head;
    let response = ok(fetch_ticket(&fetcher, &ticket(request)).await);
    assert_eq!((response.header("content-length"), response.body.len()), (Some("500"), 0));
    assert_eq!(response.truncated, None);
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "next");
}

#[tokio::test]
async fn redirects_come_back_as_they_are() {
    let moved = response("301 Moved", "Location: /there\r\nRetry-After: 9\r\n", "moved");
    let server = Server::once(send(moved)).await;
    let answer = fetch(&Fetcher::new(server.config()).unwrap(), "http://a.test/").await;
    assert_eq!(answer.rest, None);
    let response = ok(answer);
    assert_eq!((response.status, response.header("location")), (301, Some("/there")));
}

#[tokio::test]
async fn header_fields_come_in_order_with_lower_case_names_and_octets() {
    let fields = b"B: 1\r\nA: \xe9\r\nB: 2\r\nC : 3\r\nbroken line\r\n";
    let bytes = [&b"HTTP/1.1 200 OK\r\n"[..], fields, b"Content-Length: 1\r\n\r\nx"].concat();
    let server = Server::once(send(bytes)).await;
    let response = ok(fetch(&Fetcher::new(server.config()).unwrap(), "http://a.test/").await);
    let fields: Vec<(&str, &[u8])> =
        response.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let expected: [(&str, &[u8]); 5] =
        [("b", b"1"), ("b", b"2"), ("a", b"\xe9"), ("c", b"3"), ("content-length", b"1")];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn retry_after_is_told_with_429_and_503() {
    let server = Server::once(send(response("429 Slow", "Retry-After: 7\r\n", ""))).await;
    let answer = fetch(&Fetcher::new(server.config()).unwrap(), "http://a.test/").await;
    assert_eq!(answer.rest, Some(Duration::from_secs(7)));
    let free = answer.host_free(TicketId(4));
    assert_eq!(
        (free.id, free.rest, free.health),
        (TicketId(4), Some(Duration::from_secs(7)), Health::Overloaded)
    );
}

/// What is kept of a POST to `http://joe:pw@a.test/x?y` with a cookie of its own.
async fn kept(which: Requests) -> Option<crawl_model::Sent> {
    let server = Server::once(page("x")).await;
    let fetcher = Fetcher::new(server.config()).unwrap().keeping(which);
    let mut request = get("http://joe:pw@a.test/x?y");
    request.method = Method::Post;
    request.body = b"q=books".to_vec();
    request.headers = vec![("cookie".into(), "a=b".into()), ("x-own".into(), "1".into())];
    let mut fetched =
        fetch_ticket(&fetcher, &ticket(request.clone())).await.into_fetched(ticket(request));
    fetched.reply.unwrap();
    fetched.ticket.release();
    fetched.ticket.sent().cloned()
}

#[tokio::test]
async fn a_request_is_kept_as_it_was_sent_without_credentials() {
    assert_eq!(kept(Requests::Dropped).await, None);
    let sent = kept(Requests::Kept).await.unwrap();
    let head = std::str::from_utf8(&sent.head).unwrap();
    assert!(head.starts_with("POST /x?y HTTP/1.1\r\nhost: a.test\r\nuser-agent: "), "{head}");
    assert!(head.contains("x-own: 1\r\n") && head.ends_with("content-length: 7\r\n"), "{head}");
    assert!(!head.contains("cookie") && !head.contains("authorization"), "{head}");
    assert_eq!(sent.body, "q=books");
    assert!(sent.at_us > 1_700_000_000_000_000);
    let sent = kept(Requests::KeptWithCredentials).await.unwrap();
    let head = std::str::from_utf8(&sent.head).unwrap();
    assert!(head.contains("cookie: a=b\r\n") && head.contains("authorization: Basic "), "{head}");
}
