//! Links that are dropped because their references led to known URLs: what comes of a page is what came
//! of it when each was resolved and asked for.

mod laws;

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;

use crawl_spider::{Fate, Follow, RequestStep};

use super::*;

/// Knows URLs, and counts what it is asked.
struct Crawl {
    prints: Fingerprinter,
    known: Mutex<HashSet<Fingerprint>>,
    /// `None`: nothing is to be remembered.
    era: Option<AtomicU64>,
    asked: AtomicUsize,
}

impl Crawl {
    fn new(remembers: bool) -> Arc<Self> {
        let prints = Fingerprinter::new([3; 16]);
        let era = remembers.then(AtomicU64::default);
        Arc::new(Self { prints, known: Mutex::default(), era, asked: AtomicUsize::new(0) })
    }

    fn learn(&self, text: &str) {
        self.known.lock().unwrap().insert(self.prints.get(&url(text)));
    }

    fn forget(&self, text: &str) {
        self.known.lock().unwrap().remove(&self.prints.get(&url(text)));
        if let Some(era) = &self.era {
            era.fetch_add(1, Ordering::Release);
        }
    }

    /// How many links it was asked for since it was asked this.
    fn n_asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    fn parser(self: &Arc<Self>, spider: Arc<dyn Spider>, config: ParseConfig) -> Parser {
        Parser::new(config, 3, spider, self.clone()).with_log(Arc::new(Lines::default()))
    }
}

impl View for Crawl {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.prints.get_text(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.prints.request(request)
    }

    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        self.asked.fetch_add(prints.len(), Ordering::Relaxed);
        let known = self.known.lock().unwrap();
        prints.iter().map(|print| known.contains(print)).collect()
    }

    fn era(&self) -> Option<u64> {
        self.era.as_ref().map(|era| era.load(Ordering::Acquire))
    }

    fn look(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        match self.known.lock().unwrap().contains(&print) {
            true => Look::Known,
            false if depth > 7 || url.path().contains("deep") => {
                Look::Filter(FilterReason::TooDeep)
            }
            false => Look::Admit,
        }
    }
}

fn read(parser: &Parser, page: &str, body: &str) -> Vec<String> {
    let parsed = parser.parse(fetched(get(page), Ok(html(body))));
    parsed.found.iter().map(|found| found.request.url.to_string()).collect()
}

fn links() -> Arc<dyn Spider> {
    Arc::new(LinkSpider)
}

#[test]
fn a_reference_that_led_to_a_known_url_is_not_asked_for_again() {
    let crawl = Crawl::new(true);
    crawl.learn("http://h/a");
    crawl.learn("http://h/d/b");
    let parser = crawl.parser(links(), ParseConfig::default());
    let body = "<a href=/a><a href=b><a href=b#x><a href=?q><a href=/new>";
    for n_asked in [5, 2, 2] {
        assert_eq!(read(&parser, "http://h/d/p", body), ["http://h/d/p?q", "http://h/new"]);
        assert_eq!(crawl.n_asked(), n_asked);
    }
    // Another folder, another host, another base: each is asked for anew.
    assert_eq!(
        read(&parser, "http://h/e/p", body),
        ["http://h/e/b", "http://h/e/p?q", "http://h/new"]
    );
    assert_eq!(crawl.n_asked(), 4);
    assert_eq!(read(&parser, "http://g/d/p", "<a href=/a>"), ["http://g/a"]);
    let body = "<base href=/e/><a href=/a><a href=b>";
    assert_eq!(read(&parser, "http://h/d/p", body), ["http://h/e/b"]);
    crawl.learn("http://h/new");
    assert_eq!(read(&parser, "http://h/d/p", "<a href=/new>"), [] as [&str; 0]);
}

#[test]
fn the_encoding_of_a_query_tells_references_apart() {
    let crawl = Crawl::new(true);
    crawl.learn("http://h/?%E9");
    let parser = crawl.parser(links(), ParseConfig::default());
    let page = |charset: &str| {
        let mut reply = html("");
        reply.headers[0].1 = format!("text/html; charset={charset}").into();
        reply.body = match charset {
            "utf-8" => "<a href='/?é'>".into(),
            _ => Bytes::from_static(b"<a href='/?\xe9'>"),
        };
        parser.parse(fetched(get("http://h/p"), Ok(reply))).found.len()
    };
    for _ in 0..2 {
        assert_eq!((page("iso-8859-1"), page("utf-8")), (0, 1));
    }
}

#[test]
fn a_url_that_is_wanted_again_is_found_again() {
    let crawl = Crawl::new(true);
    crawl.learn("http://h/a");
    let parser = crawl.parser(links(), ParseConfig::default());
    let read = || read(&parser, "http://h/", "<a href=/a>");
    assert_eq!((read().len(), read().len(), crawl.n_asked()), (0, 0, 1));
    crawl.forget("http://h/a");
    assert_eq!((read().len(), read().len()), (1, 1));
    crawl.learn("http://h/a");
    assert_eq!((read().len(), read().len()), (0, 0));
}

#[test]
fn what_is_asked_for_in_another_way_is_not_dropped() {
    for spider in [Way::Again, Way::Post, Way::Step] {
        let crawl = Crawl::new(true);
        crawl.learn("http://h/a");
        let parser = crawl.parser(links(), ParseConfig::default());
        let read = || read(&parser, "http://h/", "<a href=/a>");
        assert_eq!((read().len(), read().len()), (0, 0));
        parser.replace_spider(Arc::new(spider)).unwrap();
        let expected = if spider == Way::Step { "http://h/a?stepped" } else { "http://h/a" };
        assert_eq!((read(), read()), (vec![expected.to_owned()], vec![expected.to_owned()]));
        parser.replace_spider(links()).unwrap();
        assert_eq!(read().len(), 0);
    }
}

#[test]
fn new_links_are_found_however_many_are_remembered() {
    let crawl = Crawl::new(true);
    let parser = crawl.parser(links(), ParseConfig::default());
    let page =
        |from: usize| -> String { (from..from + 5000).map(|n| format!("<a href=/{n}>")).collect() };
    for round in 0..12 {
        let first = round * 2500;
        (first..first + 2500).for_each(|n| crawl.learn(&format!("http://h/{n}")));
        for _ in 0..2 {
            let found = read(&parser, "http://h/", &page(first));
            let new = (first + 2500..first + 5000).map(|n| format!("http://h/{n}"));
            assert!(found.into_iter().eq(new), "{round}");
        }
    }
    assert!(crawl.n_asked() < 12 * 9000, "half of them are told by their references");
}

/// Follows all links in some way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Again,
    Post,
    Step,
    Labelled,
    Looking,
    Asking,
}

impl Spider for Way {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match self {
            Self::Again => drop(out.follow_links(page).dont_filter()),
            Self::Post => {
                out.follow_links(page).each(|follow| {
                    follow.post("a=1");
                });
            }
            Self::Step => drop(out.follow_links(page)),
            Self::Labelled => {
                let n = out.follow_links(page).label("sitemap").priority(2).len();
                out.item(&n)?;
            }
            Self::Looking => {
                out.follow_where(page, |link| !link.url.path().contains('3'));
                out.follow_links(page);
            }
            Self::Asking => {
                out.follow_links(page);
                let is_new = |follow: &&Follow| page.fate(follow.url()) == Fate::New;
                let n = out.follows().iter().filter(is_new).count();
                out.item(&n)?;
                let copies = out.follows().to_vec();
                out.item(&copies.iter().map(|copy| copy.url_text().len()).sum::<usize>())?;
            }
        }
        Ok(())
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        (*self == Self::Step).then_some(self)
    }
}

impl RequestStep for Way {
    fn process(&self, request: &mut Request) -> Result<(), crawl_spider::Refusal> {
        request.url = request.url.join("?stepped").unwrap();
        Ok(())
    }
}
