//! Sites without end against good ones that look like them.

use proptest::prelude::*;

use super::*;

fn guards(change: impl FnOnce(&mut ScopeConfig, &mut TrapsConfig)) -> Guards {
    let (mut scope, mut traps) = (ScopeConfig::default(), TrapsConfig::default());
    change(&mut scope, &mut traps);
    Guards::new(&scope, &traps, Fingerprinter::new([5; 16]), 2026)
}

fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

/// How many of `urls` are admitted, and why the others are not.
fn admitted(
    guards: &mut Guards,
    urls: impl IntoIterator<Item = String>,
) -> (usize, Vec<FilterReason>) {
    let mut n = 0;
    let mut reasons = Vec::new();
    for text in urls {
        match guards.judge(&url(&text)) {
            None => n += 1,
            Some(reason) => reasons.push(reason),
        }
    }
    reasons.sort_unstable();
    reasons.dedup();
    (n, reasons)
}

#[test]
fn an_endless_calendar_ends_and_an_archive_does_not() {
    let mut guards = guards(|_, _| ());
    let months = |years: std::ops::Range<u32>| {
        years.flat_map(|y| (1..=12).map(move |m| format!("http://h/cal/{y}/{m:02}")))
    };
    assert_eq!(admitted(&mut guards, months(1990..2028)), (38 * 12, vec![]));
    assert_eq!(admitted(&mut guards, months(2028..2100)), (100, vec![FilterReason::TrapCalendar]));
    let news = (1850..1990).map(|y| format!("http://h/news/{y}/05/13/title-{}", y % 7));
    assert!(admitted(&mut guards, news).0 >= 100);
}

#[test]
fn session_ids_end_where_many_pages_have_them_and_articles_ids_do_not() {
    let mut guards = guards(|_, traps| traps.max_session_values = 50);
    let id = |n: u32| format!("a{:07}b{:07}", n, n * 7);
    let articles = (0..2000).map(|n| format!("http://h/article?key={}", id(n)));
    assert_eq!(admitted(&mut guards, articles).0, 2000);
    let pages = (0..300).flat_map(|n| (0..8).map(move |page| (n, page)));
    let links = pages.map(|(n, page)| format!("http://h/p{page}?visit={}", id(n * 8 + page)));
    assert_eq!(admitted(&mut guards, links), (400, vec![FilterReason::TrapSessions]));
    let in_paths = (0..300).flat_map(|n| (0..8).map(move |page| (n, page)));
    let links = in_paths.map(|(n, page)| format!("http://h/v/{}/p{page}", id(n)));
    assert_eq!(admitted(&mut guards, links), (400, vec![FilterReason::TrapSessions]));
}

#[test]
fn facets_end_and_catalogues_do_not() {
    let mut guards = guards(|_, _| ());
    let facets = (0..1u32 << 12).map(|bits| {
        let switches = (0..12).map(|i| format!("f{i}={}", bits >> i & 1));
        format!("http://h/shop?{}", switches.collect::<Vec<_>>().join("&"))
    });
    let (n, reasons) = admitted(&mut guards, facets);
    assert!((1000..1100).contains(&n), "{n}");
    assert_eq!(reasons, [FilterReason::TrapFacets]);
    let topics = (0..1000).flat_map(|topic| {
        (0..4).map(move |page| format!("http://h/viewtopic.php?f=3&t={topic}&start={}", page * 20))
    });
    assert_eq!(admitted(&mut guards, topics), (4_000, vec![]));
}

#[test]
fn a_prefix_has_its_urls_and_no_more() {
    let mut guards = guards(|scope, _| scope.max_urls_per_prefix = 10);
    let pages = |path: &str| (0..50).map(|n| format!("http://h/{path}{n}")).collect::<Vec<_>>();
    for path in ["a/", "b/c/", "b/d/", "x?page=", "x?sort=1&page="] {
        assert_eq!(
            admitted(&mut guards, pages(path)),
            (10, vec![FilterReason::PrefixBudget]),
            "{path}"
        );
    }
    let one = url("http://h/a/new");
    assert_eq!(guards.would_refuse(&one), Some(FilterReason::PrefixBudget));
    guards.uncount(&url("http://h/a/1"));
    assert_eq!(guards.would_refuse(&one), None);
}

/// Shapes of URLs of sites that are no traps, each with many pages.
#[test]
fn good_sites_lose_nothing() {
    let shapes: Vec<Box<dyn Fn(u32) -> String>> = vec![
        Box::new(|n| format!("https://docs.python.org/3.{}/library/os{}.html", n % 15, n / 15)),
        Box::new(|n| format!("http://bookshop.test/catalogue/a-title_{n}/index.html")),
        Box::new(|n| format!("http://bookshop.test/catalogue/category/page-{n}.html")),
        Box::new(|n| format!("https://en.wikipedia.org/wiki/Title_(number_{n})")),
        Box::new(|n| format!("https://w.org/index.php?title=T{n}&action=history&offset={}", n % 9)),
        Box::new(|n| format!("https://w.org/index.php?title=T{}&oldid={n}", n / 5)),
        Box::new(|n| format!("https://f.org/viewtopic.php?f={}&t={n}", n % 30)),
        Box::new(|n| format!("https://f.org/topic/{}/{}", n / 3, n % 3 + 1)),
        Box::new(|n| format!("https://joomla.org/index.php?option=c&view=article&id={n}&Itemid=4")),
        Box::new(|n| {
            format!(
                "https://news.org/{}/{:02}/{:02}/a-story-{n}",
                1990 + n % 36,
                n % 12 + 1,
                n % 28 + 1
            )
        }),
        Box::new(|n| format!("https://blog.org/archive/{}-{:02}/", 1990 + n % 36, n % 12 + 1)),
        Box::new(|n| format!("https://video.org/watch?v=a{n:05}bC7d_E")),
        Box::new(|n| format!("https://git.org/r/commit/{n:08x}{n:08x}{n:08x}{n:08x}{n:08x}")),
        Box::new(|n| format!("https://api.org/v1/items/{n:08x}-0a1b-4c2d-8e3f-{n:012x}")),
        Box::new(|n| format!("https://shop.org/p/sku-{}-{:02}", 1000 + n, n % 12 + 1)),
        Box::new(|n| format!("https://shop.org/search?q=word{n}&page={}&sort=price", n % 10)),
        Box::new(|n| {
            format!("https://cal.org/events/{}-{:02}-{:02}/", 2024 + n % 3, n % 12 + 1, n % 28 + 1)
        }),
        Box::new(|n| format!("https://history.org/year/{}", n % 2027)),
        Box::new(|n| {
            format!("https://java.org/docs/api/java.base/java/util/concurrent/locks/C{n}.html")
        }),
        Box::new(|n| format!("https://tiles.org/map/{}/{}/{}", n % 18, n % 77, n)),
    ];
    let traps = TrapsConfig::default();
    for shape in &shapes {
        let mut guards = guards(|_, _| ());
        for n in 0..2000 {
            let text = shape(n);
            let url = url(&text);
            assert_eq!(path::judge(url.path(), &traps), None, "{text}");
            assert_eq!(guards.judge(&url), None, "{text}, after {n}");
        }
    }
}

#[test]
fn the_report_names_host_and_place() {
    let mut guards = guards(|_, _| ());
    for text in ["http://h/cal/2031/05", "http://h/cal/2031/06", "http://h/cal/2032/01"] {
        guards.sighted(&url(text), FilterReason::TrapCalendar);
    }
    guards.sighted(&url("http://g/a"), FilterReason::TooDeep);
    let [sighting] = &guards.sightings()[..] else { panic!("one trap was met") };
    assert_eq!((&*sighting.host, &*sighting.place, sighting.n_refused), ("h", "/cal/", 3));
}

#[test]
fn a_full_table_forgets_the_small_and_keeps_the_large() {
    let mut table: Table<u64> = Table::new(100);
    (0..50).for_each(|_| table.add(7));
    (1000..11_000).for_each(|key| table.add(key));
    assert_eq!(table.get(7), Some(&50));
    assert!(table.len() <= 100);
}

proptest! {
    /// Whatever comes in whatever order, a limit is kept and nothing is refused below it.
    #[test]
    fn a_prefix_is_counted_exactly(order in prop::collection::vec((0u32..4, 0u32..1000), 0..300)) {
        let mut guards = guards(|scope, _| scope.max_urls_per_prefix = 20);
        let mut counts = [0u32; 4];
        for (prefix, n) in order {
            let refused = guards.judge(&url(&format!("http://h/p{prefix}/{n}"))).is_some();
            prop_assert_eq!(refused, counts[prefix as usize] >= 20);
            counts[prefix as usize] += u32::from(!refused);
        }
    }
}

#[test]
fn what_was_saved_goes_on_where_it_was() {
    let limits = |scope: &mut ScopeConfig, traps: &mut TrapsConfig| {
        scope.max_urls_per_prefix = 500;
        (traps.max_calendar_pages, traps.max_facet_mixes) = (20, 30);
    };
    let urls = |from: u32| {
        (from..from + 200).flat_map(|n| {
            [
                format!("http://h/cal/{}/{:02}", 2030 + n / 12, n % 12 + 1),
                format!("http://h/list?a={}&b={}", n % 5, n % 4),
                format!("http://h/p{}?visit=a{n:07}b{n:07}", n % 6),
                format!("http://h/d/{n}"),
            ]
        })
    };
    let mut guards = guards(limits);
    admitted(&mut guards, urls(0));
    guards.sighted(&url("http://h/cal/2050/01"), FilterReason::TrapCalendar);
    let saved = guards.save();
    let mut again = self::guards(limits);
    again.fill(Counts::read(&saved).unwrap());
    assert_eq!(again.sightings(), guards.sightings());
    assert_eq!(admitted(&mut again, urls(200)), admitted(&mut guards, urls(200)));
    for cut in 0..saved.len().min(300) {
        assert_eq!(Counts::read(&saved[..cut]), None);
    }
    assert_eq!(Counts::read(&[&saved[..], b"x"].concat()), None);
}
