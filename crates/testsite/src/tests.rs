//! Truth equals reachability: the sites crawled in memory, by their own HTML.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::*;

mod wire;

/// What a crawl found.
#[derive(Debug, Default)]
struct Seen {
    ok: BTreeSet<String>,
    redirects: usize,
    not_found: usize,
    disallowed: usize,
    off_domain: usize,
    other: Vec<String>,
}

/// Follows every `<a href>` from `start`, but not beneath `/private/`.
fn crawl(site: &dyn Site, start: &str, stay: bool) -> Seen {
    let start = Url::parse(start).unwrap();
    let mut seen = Seen::default();
    let mut known = HashSet::from([start.clone()]);
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(url) = queue.pop_front() {
        if url.host_str() != start.host_str() && stay {
            seen.off_domain += 1;
            continue;
        }
        if url.path().starts_with("/private/") {
            seen.disallowed += 1;
            continue;
        }
        let path = url[url::Position::BeforePath..].to_owned();
        let reply = site.respond(&SiteRequest::get(url.host_str().unwrap(), &path));
        let html = String::from_utf8(reply.body.to_vec()).unwrap();
        let links: Vec<String> = match reply.status {
            200 => {
                let key = if stay { path } else { url.to_string() };
                assert!(seen.ok.insert(key), "{url} came twice");
                html.split("<a ").skip(1).map(href).collect()
            }
            301 | 302 => {
                seen.redirects += 1;
                vec![reply.headers.iter().find(|(name, _)| name == "location").unwrap().1.clone()]
            }
            404 => {
                seen.not_found += 1;
                vec![]
            }
            status => {
                seen.other.push(format!("{status} {url}"));
                vec![]
            }
        };
        for link in links {
            let mut target = url.join(&link).unwrap();
            target.set_fragment(None);
            if target.scheme().starts_with("http") && known.insert(target.clone()) {
                queue.push_back(target);
            }
        }
    }
    seen
}

/// The `href` of what follows `<a `.
fn href(tag: &str) -> String {
    let (_, rest) = tag.split_once("href=\"").expect("an <a> has an href");
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

#[track_caller]
fn check(site: &dyn Site, truth: &Truth) {
    let seen = crawl(site, "http://site.test/", true);
    let told: BTreeSet<String> = truth.urls.iter().cloned().collect();
    assert_eq!(told.len(), truth.urls.len(), "no URL is told twice");
    assert_eq!(truth.pages, truth.urls.len());
    assert_eq!(seen.ok.symmetric_difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(
        (seen.redirects, seen.not_found, seen.disallowed, seen.off_domain),
        (truth.redirects, truth.not_found, truth.disallowed, truth.off_domain)
    );
    assert_eq!(seen.other, Vec::<String>::new());
}

#[test]
fn the_bookshops_truth_is_what_can_be_reached() {
    for (books, per_page) in
        [(1000, 20), (2000, 20), (0, 20), (1, 20), (20, 20), (21, 20), (501, 7), (30, 1), (3, 0)]
    {
        let shop = Bookshop { books, per_page };
        let truth = shop.truth();
        assert_eq!(truth.books, books as usize);
        check(&shop.site(), &truth);
    }
}

#[test]
fn the_trees_truth_is_what_can_be_reached() {
    for (pages, links_per_page) in [(500, 10), (1, 1), (0, 5), (37, 1), (100, 2), (9, 0), (81, 81)]
    {
        let tree = Tree { pages, links_per_page, bytes: 1000 };
        check(&tree, &tree.truth());
    }
}

#[test]
fn the_chains_truth_is_what_can_be_reached() {
    for pages in [0, 1, 40] {
        let chain = Chain { pages, bytes: 0 };
        check(&chain, &chain.truth());
    }
}

#[test]
fn many_hosts_are_reached_from_their_hub() {
    let hosts = ManyHosts { domain: "many.test".to_owned(), hosts: 5, pages: 4, bytes: 0 };
    let seen = crawl(&hosts, "http://many.test/", false);
    assert_eq!(seen.ok.len(), 1 + 5 * 4);
    for name in hosts.names() {
        for path in hosts.paths() {
            assert!(seen.ok.contains(&format!("http://{name}{path}")));
        }
    }
    assert_eq!((seen.not_found, seen.other.len()), (0, 0));
    let stranger = hosts.respond(&SiteRequest::get("h5.many.test", "/"));
    assert_eq!(stranger.status, 404);
}

#[test]
fn the_tutorials_are_served_beside_the_bookshop() {
    let mut builder = TestSite::builder().bookshop(Bookshop::default()).tutorials();
    let hosts = builder.take_hosts();
    for host in TUTORIAL_HOSTS {
        let reply = hosts.find(host).respond(&SiteRequest::get(host, "/"));
        let html = String::from_utf8(reply.body.to_vec()).unwrap();
        assert_eq!((reply.status, html.contains("product_pod")), (200, false), "{host}");
    }
    let many = ManyHosts::tutorial().name(29);
    assert_eq!(hosts.find(&many).respond(&SiteRequest::get(&many, "/p/3")).status, 200);
    let shop = hosts.find("bookshop.test").respond(&SiteRequest::get("bookshop.test", "/"));
    assert!(String::from_utf8(shop.body.to_vec()).unwrap().contains("product_pod"));
}

#[test]
fn links_of_the_hub_name_the_port_that_was_asked() {
    let hosts = ManyHosts { domain: "many.test".to_owned(), hosts: 1, pages: 1, bytes: 0 };
    let mut request = SiteRequest::get("many.test", "/");
    request.authority = "many.test:8080";
    let reply = hosts.respond(&request);
    assert!(String::from_utf8_lossy(&reply.body).contains("\"http://h0.many.test:8080/\""));
}

#[test]
fn pages_are_as_long_as_asked() {
    let tree = Tree { pages: 10, links_per_page: 3, bytes: 24_000 };
    let reply = tree.respond(&SiteRequest::get("t", "/p/3"));
    assert!((24_000..24_200).contains(&reply.body.len()), "{}", reply.body.len());
}

#[test]
fn the_most_exact_host_answers() {
    let page = |text: &'static str| move |pages: Pages| pages.page("/", text);
    let hosts = Builder::new()
        .host("*", page("default"))
        .host("*.a.test", page("below a"))
        .host("*.b.a.test", page("below b"))
        .host("C.a.test", page("c"))
        .take_hosts();
    for (host, text) in [
        ("x.test", "default"),
        ("a.test", "default"),
        ("x.a.test", "below a"),
        ("x.b.a.test", "below b"),
        ("c.a.test", "c"),
        ("", "default"),
    ] {
        let reply = hosts.find(host).respond(&SiteRequest::get(host, "/"));
        assert_eq!(reply.body, text, "{host}");
    }
}

#[test]
fn a_table_answers_before_its_site() {
    let fallback = |request: &SiteRequest<'_>| Reply::html(request.path_and_query.to_owned());
    let pages = Pages::default()
        .site(Arc::new(fallback))
        .page("/a", "a")
        .page("/a?b", "b")
        .replies("/flaky", [Reply::status(503), Reply::status(500), Reply::html("up")])
        .status("/slow-down", 429, &[("retry-after", "2")])
        .fault("/bad", Fault::Close);
    let get = |path| pages.respond(&SiteRequest::get("h", path));
    assert_eq!(
        (get("/a").body, get("/a?b").body, get("/a?c").body),
        ("a".into(), "b".into(), "a".into())
    );
    assert_eq!(get("/x?y").body, "/x?y");
    assert_eq!(["/flaky"; 4].map(|path| get(path).status), [503, 500, 200, 200]);
    assert_eq!(get("/slow-down").headers, [("retry-after".to_owned(), "2".to_owned())]);
    assert_eq!(get("/bad").fault, Some(Fault::Close));
    assert_eq!(Reply::html("").after(Duration::from_secs(1)).latency, Some(Duration::from_secs(1)));
}
