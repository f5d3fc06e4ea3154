//! A site that wants its cookie back, through redirects and from run to run.

use std::sync::Arc;
use std::time::Duration;

use crawl::fetcher::CookieMode;
use crawl::{Crawl, Report};
use crawl_testsite::{Reply, Site, SiteRequest, TestSite};

use crate::support::Scratch;

const PAGES: usize = 6;

/// Lets in who brings the cookie that `/` gives with a redirect.
struct Members;

impl Site for Members {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let is_member = request.header("cookie").is_some_and(|all| all.contains("sid=s3cret"));
        match request.path() {
            "/robots.txt" => Reply::not_found(),
            "/" => Reply::redirect("/home", 302).with_header("Set-Cookie", "sid=s3cret; Path=/"),
            _ if !is_member => Reply::status(403),
            "/home" => {
                let links: String = (0..PAGES).map(|i| format!("<a href=/p{i}>x</a>")).collect();
                Reply::html(links)
            }
            _ => Reply::html("a page"),
        }
    }
}

async fn crawl(
    scratch: &Scratch,
    site: &TestSite,
    hosts: usize,
    cookies: CookieMode,
    max_pages: u64,
) -> Report {
    let mut builder = Crawl::builder().folder(scratch.path("store"));
    for i in 0..hosts {
        builder = builder.seed(format!("http://h{i}.test/"));
    }
    let crawl = builder.configure(|config| {
        config.fetch.cookies = cookies;
        config.fetch.allow_private_addresses = true;
        config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
        config.frontier.politeness.delay = Duration::ZERO;
        config.frontier.scope.max_pages = max_pages;
    });
    crawl.build().unwrap().launch().await.unwrap().finish().await.unwrap()
}

fn site() -> TestSite {
    TestSite::spawn_thread(TestSite::builder().site("*", Arc::new(Members)))
}

fn n_refused(report: &Report) -> u64 {
    report.counts.settled.get("http-error").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_crawl_is_still_logged_in() {
    let (scratch, site) = (Scratch::new(), site());
    let first = crawl(&scratch, &site, 1, CookieMode::Auto, 1).await;
    assert_eq!((first.counts.pages, n_refused(&first)), (1, 0), "{first:?}");
    let second = crawl(&scratch, &site, 1, CookieMode::Auto, 0).await;
    assert_eq!((second.counts.pages, n_refused(&second)), (1 + PAGES as u64, 0), "{second:?}");
    assert!(second.resumed.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_off_where_the_config_says_so_and_in_broad_crawls() {
    for (hosts, cookies, refused) in [
        (1, CookieMode::Off, 1),
        (20, CookieMode::Auto, 0),
        (21, CookieMode::Auto, 21),
        (21, CookieMode::On, 0),
    ] {
        let (scratch, site) = (Scratch::new(), site());
        let report = crawl(&scratch, &site, hosts, cookies, 0).await;
        assert_eq!(n_refused(&report), refused, "{hosts} {cookies:?}: {report:?}");
    }
}
