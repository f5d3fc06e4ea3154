//! Who we are to a site: cookies, credentials, referrers.

use crawl_model::CookieChange;

use super::*;
use crate::AuthConfig;

/// The value of a request's field; empty if it has none.
fn field<'a>(request: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
}

fn set(fields: &str) -> Step {
    send(response("200 OK", &format!("Content-Type: text/html\r\n{fields}"), "x"))
}

#[tokio::test]
async fn a_cookie_of_any_answer_is_sent_back_and_told() {
    let moved = response("302 Found", "Location: /\r\nSet-Cookie: hop=1\r\n", "");
    let unwanted =
        response("200 OK", "Content-Type: image/png\r\nSet-Cookie: image=2; Path=/\r\n", "x");
    let server = Server::start(vec![
        vec![send(moved), last(unwanted)],
        vec![set("Set-Cookie: a=3\r\nSet-Cookie: b=4\r\nSet-Cookie: other=5; Domain=b.test\r\n")],
        vec![page("x")],
    ])
    .await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    let answer = fetch(&fetcher, "http://a.test/login").await;
    assert_eq!(answer.cookies.len(), 1);
    assert_eq!(&*answer.cookies[0].key, r#"["","a.test","/","hop"]"#);
    let answer = fetch(&fetcher, "http://a.test/image").await;
    assert_eq!((answer.cookies.len(), answer.reply.is_err()), (1, true));
    assert_eq!(fetch(&fetcher, "http://a.test/").await.cookies.len(), 2);
    assert!(fetch(&fetcher, "http://b.test/").await.cookies.is_empty());
    let requests = server.requests().concat();
    let sent: Vec<&str> = requests.iter().map(|request| field(request, "cookie")).collect();
    assert_eq!(sent, ["", "hop=1", "hop=1; image=2", ""]);
}

#[tokio::test]
async fn a_request_s_own_cookies_and_jar_win() {
    let script = [vec![set("Set-Cookie: k=default\r\n")], vec![page("x"); 5]].concat();
    let server = Server::start(vec![script; 4]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    ok(fetch(&fetcher, "http://a.test/first").await);
    let own = ("Cookie".to_owned(), "own=1".to_owned());
    type Change<'a> = &'a dyn Fn(&mut Request);
    let changes: [(&str, Change<'_>); 5] = [
        ("k=default", &|_| {}),
        ("own=1", &|request| request.headers.push(own.clone())),
        ("", &|request| request.options_mut().jar = Some("j".into())),
        ("", &|request| request.options_mut().jar = Some("".into())),
        ("", &|_| fetcher.use_cookies(false)),
    ];
    for (i, (expected, change)) in changes.into_iter().enumerate() {
        let mut request = get(&format!("http://a.test/{i}"));
        change(&mut request);
        ok(fetch_ticket(&fetcher, &ticket(request)).await);
        let requests = server.requests().concat();
        let line = format!("GET /{i} ");
        let request = requests.iter().find(|request| request.starts_with(&line)).unwrap();
        assert_eq!(field(request, "cookie"), expected, "{i}");
    }
}

#[tokio::test]
async fn what_a_crawl_was_told_restores_its_cookies() {
    let server = Server::once(set("Set-Cookie: sid=s3cret\r\n")).await;
    let answer = fetch(&Fetcher::new(server.config()).unwrap(), "http://a.test/").await;
    let stored: Vec<CookieChange> = answer.cookies;
    let server = Server::once(page("x")).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    assert_eq!(fetcher.restore_cookies(stored), 0);
    ok(fetch(&fetcher, "http://a.test/").await);
    assert_eq!(field(&server.requests()[0][0], "cookie"), "sid=s3cret");
}

#[tokio::test]
async fn credentials_follow_no_redirect_to_another_origin() {
    let moved = response("302 Found", "Location: http://b.test/\r\n", "");
    let server = Server::start(vec![vec![send(moved)], vec![page("x")]]).await;
    let auth = AuthConfig {
        origin: "http://a.test".into(),
        user: Some("joe".into()),
        password: Some("pw".into()),
        ..AuthConfig::default()
    };
    let fetcher = Fetcher::new(FetchConfig { auth: vec![auth], ..server.config() }).unwrap();
    let first = get("http://a.test/");
    ok(fetch_ticket(&fetcher, &ticket(first.clone())).await);
    let hop = first.redirected(CanonicalUrl::parse("http://b.test/").unwrap(), 302);
    ok(fetch_ticket(&fetcher, &ticket(hop)).await);
    let requests = server.requests().concat();
    assert_eq!(field(&requests[0], "authorization"), "Basic am9lOnB3");
    assert_eq!(field(&requests[1], "authorization"), "");
}

#[tokio::test]
async fn a_site_learns_where_a_link_stood_as_the_policy_allows() {
    let script = vec![page("x"); 4];
    let server = Server::start(vec![script]).await;
    let fetcher = Fetcher::new(server.config()).unwrap();
    for (from, own, expected) in [
        ("http://u:pw@a.test/list?p=2#top", None, "http://a.test/list?p=2"),
        ("http://b.test/list", None, "http://b.test/"),
        ("https://a.test/list", None, ""),
        ("http://a.test/list", Some("http://own.test/"), "http://own.test/"),
    ] {
        let mut request = get("http://a.test/");
        request.referrer = Some(CanonicalUrl::parse(from).unwrap());
        request.headers.extend(own.map(|own| ("referer".to_owned(), own.to_owned())));
        ok(fetch_ticket(&fetcher, &ticket(request)).await);
        assert_eq!(field(server.requests()[0].last().unwrap(), "referer"), expected, "{from}");
    }
}
