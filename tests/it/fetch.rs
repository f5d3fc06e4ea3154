//! `crawl fetch`: one URL by the rules of a crawl.

use std::process::Output;
use std::time::Duration;

use crawl_testsite::{Fault, Reply, TestSite};
use serde_json::{Value, json};

use crate::support::{Scratch, run, stderr};

/// A site with redirects, a robots.txt and a page that cannot be had.
async fn site() -> TestSite {
    let hop = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let hops = [hop("/a", "/b"), hop("/b", "/page"), hop("/loop", "/pool"), hop("/pool", "/loop")];
    let mut site = TestSite::builder()
        .robots("User-agent: *\nDisallow: /private\n")
        .page("/page", "<p>caf\u{e9}")
        .redirect("/to-private", "/private/x", 302)
        .redirect("/nowhere", "http://[", 301)
        .redirect("/inside", "http://other.test/", 301)
        .status("/gone", 410, &[])
        .fault("/closed", Fault::Close)
        .site(
            "slow.test",
            std::sync::Arc::new(|request: &crawl_testsite::SiteRequest<'_>| match request.path() {
                "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 0.4\n"),
                _ => Reply::html("x"),
            }),
        );
    for (from, to) in hops {
        site = site.redirect(&from, &to, 301);
    }
    site.start().await
}

/// Runs `crawl fetch` on `path` of host `h.test`.
async fn fetch(site: &TestSite, url: &str, more: &[&str]) -> Output {
    let scratch = Scratch::new();
    let config = scratch.write(
        "fetch.toml",
        &format!(
            "[fetch]\nallow-private-addresses = true\nresolve = {{ \"h.test\" = \"{0}\", \"slow.test\" = \"{0}\", \"other.test\" = \"127.0.0.1:1\" }}\n\
             [politeness]\ndelay = \"0s\"\n",
            site.addr
        ),
    );
    let url = if url.starts_with('/') { format!("http://h.test{url}") } else { url.to_owned() };
    let args = [&["fetch", "--config", &config, &url], more].concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args)
    });
    let output = ran.await.unwrap();
    drop(scratch);
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_fetched_over_its_redirects() {
    let site = site().await;
    let output = fetch(&site, "/a", &["--headers", "--timing"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["301 redirected http://h.test/a", "301 redirected http://h.test/b"]);
    let last = format!("200 ok http://h.test/page HTTP/1.1 8 bytes from {}", site.addr);
    assert_eq!(lines[2], last);
    assert!(lines.iter().any(|line| line.starts_with("content-type: text/html")), "{text}");
    assert!(text.contains("\ntotal: "), "{text}");
    // Each hop went over the same rules; robots.txt was asked for once.
    assert_eq!(site.requests(), ["/robots.txt", "/a", "/b", "/page"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_all_of_standard_output() {
    let site = site().await;
    let output = fetch(&site, "/a", &["--body", "--headers"]).await;
    assert_eq!(output.stdout, "<p>caf\u{e9}".as_bytes());
    let about = stderr(&output);
    assert!(about.contains("200 ok http://h.test/page") && about.contains("content-length: 8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_in_the_json() {
    let site = site().await;
    let output = fetch(&site, "/a", &["--json", "--body"]).await;
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["url"], "http://h.test/page");
    assert_eq!((&line["status"], &line["verdict"]), (&json!(200), &json!("ok")));
    assert_eq!((&line["protocol"], &line["error"]), (&json!("HTTP/1.1"), &Value::Null));
    assert_eq!(line["remote"], json!(site.addr.to_string()));
    assert_eq!(line["chain"][1], json!({ "url": "http://h.test/b", "status": 301 }));
    let headers = line["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["content-length", "8"])), "{headers:?}");
    assert!(line["timing"]["total_us"].as_u64().unwrap() > 0);
    assert_eq!((&line["n_bytes"], &line["truncated"]), (&json!(8), &Value::Null));
    let without = fetch(&site, "/a", &["--json"]).await;
    assert!(!stdout(&without).contains("\"body\""));
    let named = fetch(&site, "http://me:secret@h.test/a", &["--json", "--headers"]).await;
    assert!(!stdout(&named).contains("secret") && !stderr(&named).contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_response_is_a_success_and_anything_else_a_failure() {
    let site = site().await;
    for (path, code, verdict, says) in [
        ("/gone", 0, "http-error", ""),
        ("/missing", 0, "http-error", ""),
        ("/private/x", 1, "robots", "robots.txt"),
        ("/to-private", 1, "robots", "/private/x"),
        ("/loop", 1, "redirect-loop", "back to"),
        ("/nowhere", 1, "bad-redirect", "http://["),
        ("/inside", 1, "connect-failed", "other.test"),
        ("http://169.254.169.254/", 1, "private-address", "allow-private-addresses"),
    ] {
        let private = if path.starts_with('h') { "false" } else { "true" };
        let set = format!("fetch.allow-private-addresses={private}");
        let output = fetch(&site, path, &["--json", "-s", &set]).await;
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{path}: {line}");
        assert_eq!(line["verdict"], verdict, "{path}: {line}");
        assert!(stderr(&output).contains(says), "{path}: {}", stderr(&output));
    }
    let asked = site.requests();
    assert!(!asked.iter().any(|path| path.starts_with("/private")), "{asked:?}");
    let closed = fetch(&site, "/closed", &[]).await;
    assert_eq!(closed.status.code(), Some(1));
    assert!(stdout(&closed).starts_with("- "), "{}", stdout(&closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_crawl_hold() {
    let site = site().await;
    let free = fetch(&site, "/to-private", &["-s", "politeness.robots=false"]).await;
    assert_eq!(free.status.code(), Some(0), "{}", stderr(&free));
    assert!(!site.requests().contains(&"/robots.txt".to_owned()));
    let hops = fetch(&site, "/a", &["-s", "fetch.max-redirects=1", "--json"]).await;
    let line: Value = serde_json::from_slice(&hops.stdout).unwrap();
    assert_eq!((hops.status.code(), &line["verdict"]), (Some(1), &json!("too-many-redirects")));
    assert_eq!(line["status"], 301);
    assert!(stderr(&hops).contains("max-redirects"), "{}", stderr(&hops));
    for (url, more, says) in [
        ("no url", &[][..], "no url"),
        ("/a", &["-s", "fetch.max-redirect=1"], "max-redirects"),
        ("/a", &["--bodies"], "--body"),
    ] {
        let output = fetch(&site, url, more).await;
        assert_eq!(output.status.code(), Some(2), "{url} {more:?}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_rests_between_its_robots_txt_and_the_page() {
    let site = site().await;
    let output = fetch(&site, "http://slow.test/", &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let gaps = site.gaps("slow.test");
    assert!(gaps.len() == 1 && gaps[0] >= Duration::from_millis(398), "{gaps:?}");
}
