//! What a page asks of crawlers: `nofollow`, `noindex`, in links, tags and fields.

use super::*;

#[test]
fn nofollow_links_go_only_if_that_is_asked() {
    let config = ParseConfig { obey_nofollow: true, ..ParseConfig::default() };
    let page = || fetched(get("http://h/"), Ok(html("<a href=/a rel=nofollow><a href=/b>")));
    let parsed = parser_with(LinkSpider, config, &[]).parse(page());
    assert_eq!((found(&parsed), parsed.record.n_links), (vec!["http://h/b", "http://h/a"], 2));
    let reasons: Vec<_> = parsed.found.iter().map(|found| found.filtered).collect();
    assert_eq!(reasons, [None, Some(FilterReason::NoFollow)], "nothing is dropped silently");
    let open = parser(LinkSpider).parse(page()).found;
    assert!(open.len() == 2 && open.iter().all(|found| found.filtered.is_none()));
}

/// The links that a page leaves to be followed, and those it does not.
fn split(parsed: &Parsed) -> (Vec<String>, Vec<String>) {
    let is_open = |found: &&crawl_model::Found| found.filtered.is_none();
    let (open, marked): (Vec<_>, Vec<_>) = parsed.found.iter().partition(is_open);
    let paths = |list: &[&crawl_model::Found]| -> Vec<_> {
        let path = |found: &&crawl_model::Found| found.request.url.path().to_owned();
        list.iter().map(path).collect()
    };
    (paths(&open), paths(&marked))
}

#[test]
fn a_page_may_ask_not_to_follow_its_links_and_an_unmarked_link_wins() {
    let config = ParseConfig { obey_nofollow: true, ..ParseConfig::default() };
    let read = |headers: &[(&str, &str)], body: &str| {
        let mut all = vec![("content-type", "text/html")];
        all.extend(headers);
        let parser = parser_with(LinkSpider, config.clone(), &[]).with_agent("mybot");
        parser.parse(fetched(get("http://h/"), Ok(response(200, &all, body))))
    };
    let links = "<a href=/a><a href=/b>";
    let both = ["/a".to_owned(), "/b".to_owned()];
    let tag = |name: &str| format!("<meta name={name} content='noarchive, NOFOLLOW'>{links}");
    assert_eq!(split(&read(&[], links)), (both.to_vec(), vec![]));
    assert_eq!(split(&read(&[], &tag("robots"))), (vec![], both.to_vec()));
    assert_eq!(split(&read(&[], &tag("MyBot"))), (vec![], both.to_vec()));
    assert_eq!(split(&read(&[], &tag("otherbot"))), (both.to_vec(), vec![]));
    assert_eq!(split(&read(&[("x-robots-tag", "none")], links)), (vec![], both.to_vec()));
    let twice = [("x-robots-tag", "noarchive"), ("x-robots-tag", "mybot: nofollow")];
    assert_eq!(split(&read(&twice, links)), (vec![], both.to_vec()));
    assert_eq!(split(&read(&[("x-robots-tag", "x: nofollow")], links)), (both.to_vec(), vec![]));
    let mixed = "<a href=/a rel=nofollow><a href=/b rel=nofollow><a href=/a>";
    assert_eq!(split(&read(&[], mixed)), (vec!["/a".into()], vec!["/b".into()]));
}

#[test]
fn requests_of_the_spiders_own_are_followed_whatever_the_page_asks() {
    struct Own;
    impl Spider for Own {
        fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
            out.follow_css(page, "a")?;
            out.get("http://h/own")?;
            out.follow(page, "/href").map(drop)
        }
    }
    let config = ParseConfig { obey_nofollow: true, ..ParseConfig::default() };
    let body = "<meta name=robots content=none><a href=/a>";
    let parsed = parser_with(Own, config, &[]).parse(fetched(get("http://h/"), Ok(html(body))));
    assert_eq!(split(&parsed), (vec!["/own".into()], vec!["/a".into(), "/href".into()]));
}

#[test]
fn a_page_that_asks_not_to_be_kept_leaves_its_links_alone() {
    let obey = ParseConfig { obey_noindex: true, ..ParseConfig::default() };
    let body = "<title>T</title><meta name=robots content=noindex><a href=/a>";
    let read = |config: ParseConfig, reply: Response| {
        parser_with(Odd, config, &[]).parse(fetched(get("http://h/x"), Ok(reply)))
    };
    let kept = read(ParseConfig::default(), html(body));
    assert_eq!((verdict(&kept), kept.items.kept.len(), &*kept.record.title), (Verdict::Ok, 1, "T"));
    let gone = read(obey.clone(), html(body));
    assert_eq!(
        (verdict(&gone), gone.items.kept.len(), &*gone.record.title),
        (Verdict::NoIndex, 0, "")
    );
    assert_eq!((found(&gone), gone.record.n_links), (vec!["http://h/a"], 1));
    assert!(gone.response.is_none() && kept.response.is_some());
    let field = [("content-type", "application/json"), ("x-robots-tag", "noindex")];
    assert_eq!(verdict(&read(obey.clone(), response(200, &field, "{}"))), Verdict::NoIndex);
    let absent = read(obey, response(404, &field, "{}"));
    assert_eq!((verdict(&absent), absent.items.kept.len()), (Verdict::HttpError, 1));
    assert!(absent.response.is_none());
}
