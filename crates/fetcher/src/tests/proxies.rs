//! Fetches through proxies that do exactly what a script says. Real ones carry whole crawls in
//! the workspace's tests.

use super::*;
use crate::{ProxyChoice, Secret};

/// Proxies `p0`, `p1` .. at these addresses, taking turns.
fn through(urls: &[String]) -> FetchConfig {
    let named = urls.iter().enumerate().map(|(i, url)| (format!("p{i}"), Secret::from(url)));
    let proxies: std::collections::BTreeMap<_, _> = named.collect();
    let proxy: ProxyChoice = proxies.keys().cloned().collect();
    FetchConfig { proxies, proxy, ..FetchConfig::default() }
}

fn http(server: &Server) -> String {
    format!("http://joe:pw@{}", server.address)
}

/// A port where nobody listens.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn an_http_proxy_gets_the_whole_url_and_its_own_credentials() {
    let server = Server::once(page("x")).await;
    let fetcher = Fetcher::new(through(&[http(&server)])).unwrap();
    let answer = fetch(&fetcher, "http://u:s@a.test:81/x?y").await;
    // Whose address that is, nobody knows here.
    assert_eq!(answer.host_free(TicketId(0)).remote, None);
    assert_eq!(ok(answer).body, "x");
    let request = server.requests().concat().concat();
    assert!(
        request.starts_with("GET http://a.test:81/x?y HTTP/1.1\r\nhost: a.test:81\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nproxy-authorization: Basic am9lOnB3\r\n"), "{request}");
    assert!(request.contains("\r\nauthorization: Basic dTpz\r\n"), "{request}");
}

#[tokio::test]
async fn a_tunnel_is_asked_for_once_and_carries_no_credentials_of_the_proxy() {
    let open = send("HTTP/1.1 200 Connection established\r\n\r\n");
    let server = Server::start(vec![vec![open, page("1"), page("2")]]).await;
    let config = FetchConfig {
        resolve: [("a.test".to_owned(), "1.1.1.1".to_owned())].into(),
        ..through(&[http(&server)])
    };
    let fetcher = Fetcher::new(config).unwrap();
    assert_eq!(ok(fetch(&fetcher, "http://a.test/x").await).body, "1");
    assert_eq!(ok(fetch(&fetcher, "http://a.test/y").await).body, "2");
    let requests = server.requests().concat();
    assert!(requests[0].starts_with("CONNECT 1.1.1.1:80 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].contains("Proxy-Authorization: Basic am9lOnB3"), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /x HTTP/1.1\r\nhost: a.test\r\n"), "{}", requests[1]);
    assert!(!requests[1].to_ascii_lowercase().contains("proxy-"), "{}", requests[1]);
}

#[tokio::test]
async fn a_proxy_that_fails_rests_while_the_next_one_serves() {
    let server = Server::start(vec![vec![page("x"); 4]]).await;
    let config = through(&[dead().await, http(&server)]);
    let fetcher = Fetcher::new(config).unwrap();
    for i in 0..4 {
        assert_eq!(ok(fetch(&fetcher, &format!("http://a.test/{i}")).await).body, "x");
    }
    let answer = fetch(&fetcher, "http://127.0.0.1/").await;
    check_failure(answer, FailureKind::PrivateAddress, "fetch.allow-private-addresses");
}

#[tokio::test]
async fn without_a_proxy_that_is_well_the_host_waits() {
    let fetcher = Fetcher::new(through(&[dead().await, dead().await])).unwrap();
    let answer = fetch(&fetcher, "http://a.test/").await;
    assert!(answer.rest.is_some_and(|rest| rest <= Duration::from_secs(1)), "{:?}", answer.rest);
    check_failure(answer, FailureKind::Proxy, "refused");
    let answer = fetch(&fetcher, "http://a.test/").await;
    check_failure(answer, FailureKind::Proxy, "and all others failed lately: connection to");
}

#[tokio::test]
async fn a_proxy_that_wants_other_credentials_is_passed_over() {
    let wanted = response("407 Proxy Authentication Required", "", "who?");
    for url in ["http://a.test/", "https://a.test/"] {
        let server = Server::once(send(wanted.clone())).await;
        let fetcher = Fetcher::new(through(&[http(&server)])).unwrap();
        let answer = fetch(&fetcher, url).await;
        check_failure(answer, FailureKind::Proxy, "credentials");
        check_failure(fetch(&fetcher, url).await, FailureKind::Proxy, "failed lately");
    }
}

#[tokio::test]
async fn a_tunnel_that_is_refused_costs_the_request_not_the_proxy() {
    let refused = response("502 Bad Gateway", "", "dead");
    let server =
        Server::start(vec![vec![last(refused.clone())], vec![last(refused)], vec![page("x")]])
            .await;
    let fetcher = Fetcher::new(through(&[http(&server)])).unwrap();
    for _ in 0..2 {
        let answer = fetch(&fetcher, "https://dead.test/").await;
        check_failure(answer, FailureKind::Proxy, "no tunnel to dead.test (502)");
    }
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "x");
}

#[tokio::test]
async fn what_a_socks_proxy_says_of_a_host_is_the_host_s_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&[5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let answer = fetch(&Fetcher::new(through(&[url])).unwrap(), "http://a.test/").await;
    assert_eq!(answer.rest, None);
    check_failure(
        answer,
        FailureKind::Connect,
        "proxy p0 has no connection to a.test: connection refused",
    );
}

#[tokio::test]
async fn a_silent_proxy_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap());
    let config = FetchConfig { connect_timeout: SOON, ..through(&[url]) };
    let answer = fetch(&Fetcher::new(config).unwrap(), "http://a.test/").await;
    check_failure(answer, FailureKind::ConnectTimeout, "no tunnel to a.test within 150ms");
}

#[tokio::test]
async fn a_request_names_its_proxy_or_none() {
    let (proxy, direct) = (Server::once(page("proxied")).await, Server::once(page("direct")).await);
    let config =
        FetchConfig { proxies: through(&[http(&proxy)]).proxies, ..config(direct.address) };
    let fetcher = Fetcher::new(config).unwrap();
    let mut request = get("http://b.example/");
    request.options_mut().proxy = Some("p0".into());
    assert_eq!(ok(fetch_ticket(&fetcher, &ticket(request)).await).body, "proxied");
    assert_eq!(ok(fetch(&fetcher, "http://a.test/").await).body, "direct");
    let mut request = get("http://a.test/");
    request.options_mut().proxy = Some("p9".into());
    let answer = fetch_ticket(&fetcher, &ticket(request)).await;
    check_failure(answer, FailureKind::Proxy, "no proxy `p9` in [fetch.proxies]");
}

#[tokio::test]
async fn connections_are_not_shared_between_proxies_or_jars() {
    let server = Server::start(vec![vec![page("x"); 9]; 9]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    for jar in [None, Some("j"), None, Some("j"), Some("k")] {
        let mut request = get("http://a.test/");
        request.options_mut().jar = jar.map(Into::into);
        ok(fetch_ticket(&fetcher, &ticket(request)).await);
    }
    assert_eq!(server.counts(), [2, 2, 1]);
    let proxies = Server::start(vec![vec![page("x"); 9]; 9]).await;
    let urls = [http(&proxies), http(&proxies)];
    let fetcher = Fetcher::new(through(&urls)).unwrap();
    for _ in 0..4 {
        ok(fetch(&fetcher, "http://a.test/").await);
    }
    assert_eq!(proxies.counts(), [2, 2]);
}
