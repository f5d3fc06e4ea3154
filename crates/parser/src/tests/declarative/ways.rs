//! How a declarative spider begins, follows, goes on and stops.

use bytes::Bytes;
use crawl_spider::{
    Args, CanonicalUrl, Harvest, Harvested, Method, Request, Response, Spider, SpiderError, json,
};

use super::{config, run, wrong};
use crate::{ConfigSpider, TestPage, page_from_html};

fn spider(text: &str) -> ConfigSpider {
    ConfigSpider::new(config(text)).unwrap()
}

fn get(url: &str) -> Request {
    Request::get(CanonicalUrl::parse(url).unwrap())
}

fn try_read(
    spider: &ConfigSpider,
    request: Request,
    media_type: &'static str,
    body: &str,
) -> (Result<(), SpiderError>, Harvested) {
    let response = Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![("content-type".into(), Bytes::from_static(media_type.as_bytes()))],
        body: Bytes::copy_from_slice(body.as_bytes()),
        truncated: None,
        remote: None,
    };
    let page = TestPage::new(request, response);
    let mut out = Harvest::new();
    let result = spider.parse(&page.page(), &mut out);
    (result, out.into_parts())
}

fn read(
    spider: &ConfigSpider,
    request: Request,
    media_type: &'static str,
    body: &str,
) -> Vec<Request> {
    let (result, harvest) = try_read(spider, request, media_type, body);
    result.unwrap();
    harvest.follows.into_iter().map(|follow| follow.into_request(1, None)).collect()
}

fn urls(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.url.as_str()).collect()
}

#[test]
fn rules_choose_links_by_all_that_is_said() {
    let html = "<!DOCTYPE html><div><a href=/b/1>Book one</a><a href=/b/2 rel=nofollow>Book two</a>\
                <a href=/b/3?sort=x>Book three</a><a href=/b/1>again</a><a href=/c>Cat</a></div>\
                <p data-url=/d/1><p data-url=mailto:x>";
    let page = page_from_html("http://shop.test/page-1.html", html).unwrap();
    let check = |rule: &str, expected: &[&str]| {
        assert_eq!(run(&format!("[[rules]]\n{rule}"), &page).1, expected, "{rule}");
    };
    check("url = '/b/'\ndeny = 'sort='", &["/b/1", "/b/2 nofollow", "/b/1"]);
    check("text = '^Book'\nskip-nofollow = true", &["/b/1", "/b/3"]);
    check("css = 'a'\nmax = 2", &["/b/1", "/b/2 nofollow", "/b/1"]);
    check("css = 'div'\ntext = 'Cat'\nlabel = 'c'\npriority = 1", &["/c c 1"]);
    check("xpath = '//div/a[2]'", &["/b/2 nofollow"]);
    check("xpath = '//p/@data-url'", &["/d/1"]);
    check("xpath = '//div'\nskip-nofollow = true\nmax = 1", &["/b/1", "/b/1"]);
    check("on = 'x'", &[]);
    check("on = ''\nurl = '/c'", &["/c"]);
    assert_eq!(run("follow = ['//a[.=\"Cat\"]']", &page).1, ["/c"]);
    let json = "[[rules]]\njson = '$.urls[*]'\nlabel = 'u'";
    let found =
        read(&spider(json), get("http://h/x/"), "application/json", r#"{"urls": ["a", 3, "/b"]}"#);
    assert_eq!(urls(&found), ["http://h/x/a", "http://h/b"]);
    assert!(read(&spider(json), get("http://h/"), "text/html", "<a href=x>").is_empty());
}

#[test]
fn lists_go_on_by_their_links_up_to_the_limit() {
    let spider =
        spider("[[pages]]\nnext = 'li.next'\nmax = 3\npriority = 4\n[[rules]]\ncss = 'h3'");
    let body = "<h3><a href=/b>b</a></h3><ul><li class=next><a href='?p=2'>next</a></ul>";
    let mut request = get("http://h/list");
    request.label = "list".into();
    let found = read(&spider, request, "text/html", body);
    assert_eq!(urls(&found), ["http://h/list?p=2", "http://h/b"]);
    assert_eq!((&*found[0].label, found[0].priority), ("list", 4));
    let found = read(&spider, found[0].clone(), "text/html", &body.replace("=2", "=3"));
    assert_eq!(urls(&found), ["http://h/list?p=3", "http://h/b"]);
    let found = read(&spider, found[0].clone(), "text/html", &body.replace("=2", "=4"));
    assert_eq!(urls(&found), ["http://h/b"]);
}

const API: &str = "application/json";

#[test]
fn parameters_are_counted_until_a_page_is_empty() {
    let items = "[[items]]\nselect = '$.items[*]'\nfields.n = '$.n'\n";
    let counting = spider(&format!("{items}[[pages]]\nparam = 'page'\nfrom = 0\nstep = 10"));
    let full = r#"{"items": [{"n": 1}]}"#;
    let found = read(&counting, get("http://h/api?q=a+b&x=%C3%A9"), API, full);
    assert_eq!(urls(&found), ["http://h/api?q=a+b&x=%C3%A9&page=10"]);
    let found = read(&counting, get("http://h/api?page=10&q=1"), API, full);
    assert_eq!(urls(&found), ["http://h/api?page=20&q=1"]);
    assert!(read(&counting, get("http://h/api?page=20"), API, r#"{"items": []}"#).is_empty());
    assert!(read(&counting, get("http://h/api?page=last"), API, full).is_empty());
    let more = spider(&format!("{items}[[pages]]\nparam = 'page'\nmore = '$.has_next'"));
    let has = |next: &str| format!(r#"{{"items": [{{"n": 1}}], "has_next": {next}}}"#);
    assert_eq!(urls(&read(&more, get("http://h/a"), API, &has("true"))), ["http://h/a?page=2"]);
    assert!(read(&more, get("http://h/a"), API, &has("false")).is_empty());
    assert!(read(&more, get("http://h/a"), "text/html", "<p>").is_empty());
}

#[test]
fn cursors_and_next_urls_come_from_json() {
    let cursor = spider("[[pages]]\nparam = 'after'\ncursor = '$.meta.next'");
    let found = read(&cursor, get("http://h/a?after=x&n=1"), API, r#"{"meta": {"next": "a=/b"}}"#);
    assert_eq!(urls(&found), ["http://h/a?after=a%3D%2Fb&n=1"]);
    for end in ["null", "\"\"", "false"] {
        let body = format!(r#"{{"meta": {{"next": {end}}}}}"#);
        assert!(read(&cursor, get("http://h/a"), API, &body).is_empty(), "{end}");
    }
    let next = spider("[[pages]]\nnext = '$.next'");
    let found = read(&next, get("http://h/a"), API, r#"{"next": "/a?p=2"}"#);
    assert_eq!(urls(&found), ["http://h/a?p=2"]);
    assert!(read(&next, get("http://h/a"), API, r#"{"next": null}"#).is_empty());
}

#[test]
fn a_spider_begins_by_templates() {
    let text = "[args]\ntag = ['a b', 'é/']\nn = 3\n[[start]]\nurl = 'http://h/{tag}/{1..2}'\nlabel = 'list'\n\
                carry = { x = 1 }\n[[start]]\nurl = 'http://h/form'\nform = { q = '{n}!', z = '' }\n\
                headers = { X-N = '{n}' }\n[[start]]\nurl = 'http://h/json'\npriority = 2\n\
                json = { n = '{n}', l = ['{tag}', '{ graphql }'] }";
    let mut out = Harvest::new();
    spider(text).start(&mut out).unwrap();
    let requests: Vec<_> =
        out.into_parts().follows.into_iter().map(|follow| follow.into_request(0, None)).collect();
    assert_eq!(
        urls(&requests)[..4],
        ["http://h/a%20b/1", "http://h/a%20b/2", "http://h/%C3%A9//1", "http://h/%C3%A9//2"]
    );
    assert_eq!((&*requests[0].label, &requests[0].meta), ("list", &json!({"carry": {"x": 1}})));
    assert_eq!((requests[4].method, &requests[4].body[..]), (Method::Post, &b"q=3%21&z="[..]));
    assert!(requests[4].headers.contains(&("X-N".into(), "3".into())));
    let body: serde_json::Value = serde_json::from_slice(&requests[5].body).unwrap();
    assert_eq!(body, json!({"n": 3, "l": [["a b", "é/"], "{ graphql }"]}));
    assert_eq!(requests[5].priority, 2);
    let mut config = config(text);
    config.args = Args::default();
    let error = ConfigSpider::new(config).unwrap().start(&mut Harvest::new()).unwrap_err();
    assert!(
        error.to_string().contains("the argument `n` is missing")
            || error.to_string().contains("`tag`")
    );
}

const LOGIN: &str = "[login]\nurl = 'http://h/login'\nfields = { user = 'joe', pw = '$$x' }\n\
                     check = '.logout'\n[[start]]\nurl = 'http://h/start'\n";

const FORM: &str = "<form method=get action=/search><input name=q></form>\
                    <form method=post action=/login><input type=hidden name=csrf value=t1>\
                    <input name=user><input type=Password name=pw></form>";

#[test]
fn a_login_comes_before_the_seeds() {
    let seed = CanonicalUrl::parse("http://h/seed").unwrap();
    let spider = spider(LOGIN).with_seeds(vec![seed]);
    let mut out = Harvest::new();
    spider.start(&mut out).unwrap();
    let first = out.into_parts().follows.remove(0).into_request(0, None);
    assert_eq!((first.url.as_str(), first.priority), ("http://h/login", i32::MAX));
    let mut found = read(&spider, first.clone(), "text/html", FORM);
    assert_eq!(
        (urls(&found), &found[0].body[..]),
        (vec!["http://h/login"], &b"csrf=t1&user=joe&pw=%24x"[..])
    );
    let answer = found.remove(0);
    let (result, harvest) = try_read(&spider, answer.clone(), "text/html", "<a class=logout>");
    result.unwrap();
    assert_eq!(harvest.stop, None);
    let seeds: Vec<_> =
        harvest.follows.into_iter().map(|follow| follow.into_request(3, None)).collect();
    assert_eq!(urls(&seeds), ["http://h/seed", "http://h/start"]);
    assert!(seeds.iter().all(|seed| seed.depth == 0 && seed.referrer.is_none()));
    let (result, harvest) = try_read(&spider, answer, "text/html", FORM);
    assert!(result.is_err() && harvest.follows.is_empty());
    assert_eq!(
        harvest.stop.unwrap(),
        "the login failed: the answer http://h/login has no `.logout`"
    );
    let (result, harvest) = try_read(&spider, first.clone(), "text/html", "<p>down</p>");
    assert!(result.is_err() && harvest.stop.unwrap().contains("the page has no form"));
    // Which login it is, is part of the request: with other values it is another one.
    let other = ConfigSpider::new(config(&LOGIN.replace("joe", "ann"))).unwrap();
    let mut out = Harvest::new();
    other.start(&mut out).unwrap();
    assert_ne!(out.into_parts().follows.remove(0).into_request(0, None).options, first.options);
    let missing =
        ConfigSpider::new(config(&LOGIN.replace("'joe'", "'$CRAWL_TEST_UNSET'"))).unwrap();
    let error = missing.start(&mut Harvest::new()).unwrap_err().to_string();
    assert!(
        error.contains("spider.login.fields.user") && error.contains("`CRAWL_TEST_UNSET`"),
        "{error}"
    );
}

#[test]
fn a_login_without_a_check_has_worked_if_the_form_is_gone() {
    let spider = spider(&LOGIN.replace("check = '.logout'", ""));
    let mut out = Harvest::new();
    spider.start(&mut out).unwrap();
    let first = out.into_parts().follows.remove(0).into_request(0, None);
    let answer = read(&spider, first, "text/html", FORM).remove(0);
    assert!(try_read(&spider, answer.clone(), "text/html", "<p>hello").0.is_ok());
    assert!(try_read(&spider, answer, "text/html", FORM).0.is_err());
}

fn stop_of(text: &str, bodies: &[&str]) -> Option<String> {
    let spider = spider(text);
    let read = |body: &&str| try_read(&spider, get("http://h/"), "text/html", body).1.stop;
    bodies.iter().find_map(read)
}

#[test]
fn a_spider_stops_when_it_has_enough() {
    let items =
        "[[items]]\nselect = 'p'\n[items.fields]\nt = 'b'\nn = { css = 'i', type = 'number' }\n";
    let one = "<p><b>2024-03-01</b><i>5</i>";
    let stop = |stop: &str, bodies: &[&str]| stop_of(&format!("{items}[stop]\n{stop}"), bodies);
    assert_eq!(stop("items = 3", &[one, one]), None);
    assert_eq!(stop("items = 3", &[one, one, one]).unwrap(), "spider.stop.items: 3 items");
    let when = |when: &str| stop(&format!("when = [{{ {when} }}]"), &["<p><b>x</b>", one]);
    for holds in [
        "field = 't', before = '2024-03-02'",
        "field = 't', before = '1d'",
        "field = 'n', below = 6, above = 4",
        "field = 'n', equals = 5",
        "field = 't', regex = '^2024'",
    ] {
        assert!(when(holds).unwrap().starts_with("spider.stop.when: `"), "{holds}");
    }
    for fails in [
        "field = 't', before = '2024-03-01'",
        "field = 't', before = '100years'",
        "field = 'n', below = 5",
        "field = 'n', above = 5",
        "field = 'n', equals = '5'",
        "field = 'none', equals = 5",
    ] {
        assert_eq!(when(fails), None, "{fails}");
    }
}

#[test]
fn mistakes_are_told_with_their_key() {
    wrong("[[rules]]\ncss = 'a'\nxpath = '//a'", "spider.rules[0]: has several of");
    wrong("[[rules]]\njson = '$'\ntext = 'x'", "spider.rules[0].text: is about links");
    wrong("[[rules]]\ndeny = '['", "spider.rules[0].deny: `[` is not a regular expression");
    wrong("[[rules]]\ncarry = { x = 'a[' }", "spider.rules[0].carry.x: `a[` is not a CSS");
    wrong("[[pages]]", "spider.pages[0]: does not say how to find the next page");
    wrong("[[pages]]\nnext = 'a'\nparam = 'p'", "spider.pages[0]: has both `next` and `param`");
    wrong("[[pages]]\nnext = '//['", "spider.pages[0].next: `//[` is not an XPath");
    wrong("[[pages]]\ncursor = '$.x'", "spider.pages[0].cursor: has no `param`");
    wrong("[[pages]]\nparam = 'p'\nstep = 0", "spider.pages[0].step: is 0");
    wrong("[[pages]]\nnext = 'a'\nfrom = 0", "spider.pages[0]: has `from` or `step`");
    wrong(
        "[[pages]]\nparam = 'p'\nstop-when-empty = false",
        "spider.pages[0]: counts without an end",
    );
    wrong("[[start]]", "spider.start[0]: lacks the key `url`");
    wrong("[[start]]\nurl = 'h/{a}'", "spider.start[0].url: `h/{a}` cannot be crawled");
    wrong("[[start]]\nurl = 'http://h/{a'", "spider.start[0].url: `http://h/{a` has a `{` without");
    wrong(
        "[[start]]\nurl = 'http://h/'\nform = { q = '{1..3}' }",
        "spider.start[0].form.q: has a range",
    );
    wrong(
        "[[start]]\nurl = 'http://h/'\nform = {}\njson = {}",
        "spider.start[0]: has both `form` and",
    );
    wrong("[login]", "spider.login: lacks the key `url`");
    wrong("[login]\nurl = 'http://h/'", "spider.login.fields: has nothing to fill in");
    wrong("[login]\nurl = 'x'\nfields.a = 'b'", "spider.login.url: `x` cannot be crawled");
    wrong("[login]\nurl = 'http://h/'\nfields.a = 'b'\nform = 'a['", "spider.login.form: `a[`");
    wrong("[stop]\nwhen = [{ field = 'a' }]", "spider.stop.when[0]: holds for every item");
    wrong("[stop]\nwhen = [{ equals = 1 }]", "spider.stop.when[0]: lacks the key `field`");
    wrong(
        "[stop]\nwhen = [{ field = 'a', before = 'soon' }]",
        "spider.stop.when[0].before: `soon` is no date",
    );
    wrong("[stop]\nknown = { pages = 0 }", "spider.stop.known.pages: is 0");
}
