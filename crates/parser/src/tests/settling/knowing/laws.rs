//! Two parsers read the same pages, one of which remembers what led to known URLs and one does not:
//! all that comes of a page is the same, for all kinds of spiders.

use crawl_model::Found;
use proptest::prelude::*;
use proptest::test_runner::TestRng;

use super::*;
use crate::ConfigSpider;

fn told(found: &[Found]) -> Vec<String> {
    let told = |found: &Found| {
        let Found { print, request, filtered, .. } = found;
        let Request { url, label, depth, priority, options, .. } = request;
        format!("{print:?} {url} {label} {depth} {priority} {filtered:?} {options:?}")
    };
    found.iter().map(told).collect()
}

fn config(toml: &str) -> Arc<dyn Spider> {
    Arc::new(ConfigSpider::new(toml::from_str(toml).unwrap()).unwrap())
}

fn spiders() -> Vec<Arc<dyn Spider>> {
    use Way::{Again, Asking, Labelled, Looking, Post, Step};
    let mut all = vec![links()];
    let ways = [Again, Post, Step, Labelled, Looking, Asking];
    all.extend(ways.map(|way| Arc::new(way) as Arc<dyn Spider>));
    all.extend(
        [
            "",
            "follow = ['a']",
            "[[rules]]\nurl = '[0-4]'\nmax = 3\nlabel = 'x'\n[[rules]]\ndeny = '7'\npriority = 4",
            "[[rules]]\nskip-nofollow = true\nmax = 5",
            "[[rules]]\ncarry.title = 'title'\nlabel = 'y'\n[[rules]]\ntext = 'b'",
            "[[items]]\nfields.n = 'a @href'\n[[pages]]\nnext = 'a'\nstop-when-known = true",
            "[[items]]\nselect = 'p'\nfields.t = 'a'\n[stop.known]\npages = 9",
        ]
        .map(config),
    );
    all
}

/// A page with many links, of few spellings.
fn page(rng: &mut TestRng) -> (String, String) {
    let pick = |rng: &mut TestRng, list: &[&str]| list[rng.random_range(0..list.len())].to_owned();
    let mut hosts = ["http://h/"; 20];
    hosts[..4].copy_from_slice(&["http://h:81/", "https://h/", "http://u:p@h/", "http://g/"]);
    let mut folders = ["d/"; 9];
    folders[..3].copy_from_slice(&["", "d/e/", "deep/"]);
    let url = pick(rng, &hosts) + &pick(rng, &folders) + &pick(rng, &["", "p", "p?a/b", "%41"]);
    let mut body = String::from("<title>t</title><p>");
    if rng.random_range(0..9) == 0 {
        let base = pick(rng, &["/", "d/", "http://g/d/", "//h/d/e", "?q", "", "mailto:x", "../"]);
        body += &format!("<base href='{base}'>");
    }
    for _ in 0..rng.random_range(0..30) {
        let before = pick(
            rng,
            &[
                "",
                "",
                "/",
                "/d/",
                "//h/",
                "//g/d/",
                "http://h/",
                "https://h/",
                "HTTP://h/",
                "http:",
                "https:",
                "h\nttp:",
                "../",
                "./",
                "?",
                "#",
                "\\",
                "/./",
                "mailto:",
                "http://g/%64/",
                "/deep/",
                "d/../",
                " ",
                "h",
                "x:",
            ],
        );
        let n = rng.random_range(0..9).to_string();
        if rng.random_range(0..3) > 0 {
            let before = pick(rng, &["", "/", "/d/", "?"]);
            body += &format!("<a href='{before}{n}'>b</a>");
            continue;
        }
        let name = pick(rng, &["", &n, &n, &n, "é", "%2e%2e/", "a b"]);
        let after = pick(rng, &["", "", "", "#f", "?é", "?q", "?q=1&amp;utm_id=2", "/", "?&#233;"]);
        let rel = pick(rng, &["", "", "", "rel=nofollow", "rel='x NoFollow'"]);
        body += &format!("<a {rel} href='{before}{name}{after}'>b</a>");
    }
    (url, body)
}

fn reply(rng: &mut TestRng, body: &str) -> Response {
    let mut reply = html(body);
    if rng.random_range(0..9) == 0 {
        reply.headers[0].1 = Bytes::from_static(b"text/html; charset=windows-1252");
    }
    reply
}

/// The same pages are read by two parsers, one of which remembers nothing. Now and then a URL becomes
/// known, as its turn comes, or is forgotten, and another spider takes over.
fn agree(obey_nofollow: bool, rng: &mut TestRng) {
    let crawls = [Crawl::new(true), Crawl::new(false)];
    let all = [spiders(), spiders()];
    let parsers = crawls.each_ref().map(|crawl| {
        crawl.parser(links(), ParseConfig { obey_nofollow, ..ParseConfig::default() })
    });
    let mut urls: Vec<String> = Vec::new();
    for _ in 0..400 {
        if rng.random_range(0..5) == 0 {
            // The first one, which follows all, every other time.
            let n = rng.random_range(0..all[0].len()) * rng.random_range(0..2);
            for (parser, spiders) in parsers.iter().zip(&all) {
                parser.replace_spider(spiders[n].clone()).unwrap();
            }
        }
        let (url, body) = page(rng);
        let (reply, depth) = (reply(rng, &body), rng.random_range(0..9));
        let [one, other] = parsers.each_ref().map(|parser| {
            let mut request = get(&url);
            request.depth = depth;
            parser.parse(fetched(request, Ok(reply.clone())))
        });
        assert_eq!(told(&one.found), told(&other.found), "{url} {body}");
        assert_eq!(one.record, other.record, "{url} {body}");
        let items = |parsed: &Parsed| format!("{:?}", parsed.items.kept);
        assert_eq!(items(&one), items(&other), "{url} {body}");
        urls.extend(one.found.iter().map(|found| found.request.url.as_str().to_owned()));
        for url in urls.iter().filter(|_| rng.random_range(0..2) == 0) {
            crawls.iter().for_each(|crawl| crawl.learn(url));
        }
        if rng.random_range(0..25) == 0 && !urls.is_empty() {
            let url = urls.swap_remove(rng.random_range(0..urls.len()));
            crawls.iter().for_each(|crawl| crawl.forget(&url));
        }
        urls.truncate(500);
    }
    let [remembering, other] = crawls.map(|crawl| crawl.n_asked());
    assert!(remembering * 10 < other * 9, "{remembering} {other}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 100 }))]

    #[test]
    fn what_is_remembered_changes_nothing_that_is_found(
        mut rng in any::<u64>().prop_perturb(|_, rng| rng),
        obey_nofollow: bool,
    ) {
        agree(obey_nofollow, &mut rng);
    }
}
