//! Items that other pages complete.

use bytes::Bytes;
use crawl_spider::{
    CanonicalUrl, FailedRequest, Harvest, Harvested, Request, Response, Spider, Value, Verdict,
    json,
};

use super::{config, wrong};
use crate::{ConfigSpider, TestPage};

const SHOP: &str = r#"
[[items]]
select = "li"
[items.fields]
title = "a"
price = { css = "b", type = "number" }
[items.detail]
follow = "a"
[items.detail.fields]
upc = "td"
price = { css = "b", type = "number" }
"#;

const LIST: &str = "<li><a href=/1>One</a><b>1</b><li><a href=/2>Two</a><b>2</b><li><a>Three</a>";

fn spider(text: &str) -> ConfigSpider {
    ConfigSpider::new(config(text)).unwrap()
}

/// What a spider makes of the answer to a request.
fn read(spider: &ConfigSpider, request: Request, body: &str) -> Harvested {
    let html = Bytes::copy_from_slice(body.as_bytes());
    let response = Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![("content-type".into(), Bytes::from_static(b"text/html"))],
        body: html,
        truncated: None,
        remote: None,
    };
    let page = TestPage::new(request, response).with_spider(spider);
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).unwrap();
    out.into_parts()
}

fn fail(spider: &ConfigSpider, request: &Request) -> Harvested {
    let mut out = Harvest::new();
    let failed = FailedRequest::new(request, Verdict::HttpError, Some(404), "status 404");
    spider.error(&failed, &mut out).unwrap();
    out.into_parts()
}

fn items(harvest: &Harvested) -> Vec<Value> {
    harvest.items.iter().map(|item| serde_json::from_str(&item.json).unwrap()).collect()
}

fn requests(harvest: Harvested) -> Vec<Request> {
    // As they come back from the store.
    let stored = |request: Request| serde_json::to_string(&request).unwrap();
    let requests = harvest.follows.into_iter().map(|follow| stored(follow.into_request(1, None)));
    requests.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

fn list(spider: &ConfigSpider, body: &str) -> Harvested {
    read(spider, Request::get(CanonicalUrl::parse("http://h/").unwrap()), body)
}

#[test]
fn a_detail_page_completes_the_item_of_the_list() {
    let spider = spider(SHOP);
    let first = list(&spider, LIST);
    // The third has no link: it is kept as it is.
    let kept = json!({"title": "Three", "price": null, "upc": null, "url": "http://h/"});
    assert_eq!(items(&first), [kept]);
    let requests = requests(first);
    assert_eq!((requests.len(), &*requests[0].label), (2, "detail"));
    let second = read(&spider, requests[0].clone(), "<table><td>u1</table><a href=/x>x</a>");
    // What the detail page does not have does not take away what the list has.
    let whole = json!({"title": "One", "price": 1, "upc": "u1", "url": "http://h/1"});
    assert_eq!(items(&second), [whole]);
    assert!(second.follows.is_empty());
    let second = read(&spider, requests[1].clone(), "<table><td>u2</table><b>2.5</b>");
    assert_eq!(items(&second)[0]["price"], 2.5);
}

#[test]
fn an_item_whose_page_cannot_be_had_is_kept_or_dropped() {
    let keeping = spider(SHOP);
    let request = requests(list(&keeping, LIST)).remove(1);
    let expected = json!({"title": "Two", "price": 2, "upc": null, "url": "http://h/2"});
    assert_eq!(items(&fail(&keeping, &request)), [expected]);
    let dropping = spider(&SHOP.replace("follow = \"a\"", "follow = \"a\"\non-failure = \"drop\""));
    let first = list(&dropping, LIST);
    assert_eq!((first.items.len(), first.stats["items-dropped"]), (0, 1));
    let failed = fail(&dropping, &requests(first)[0]);
    assert_eq!((failed.items.len(), failed.stats["items-dropped"]), (0, 1));
    // What is required of the page is missing.
    let strict = SHOP.replace("upc = \"td\"", "upc = { css = \"td\", required = true }");
    let strict = spider(&strict);
    let first = list(&strict, LIST);
    assert_eq!((first.items.len(), first.stats["items-left-out"]), (0, 1));
    let request = requests(first).remove(0);
    assert!(fail(&strict, &request).items.is_empty());
    assert!(read(&strict, request, "<p>").items.is_empty());
}

#[test]
fn details_go_on_over_several_pages() {
    let text = format!(
        "{SHOP}\n[items.detail.detail]\nfollow = '//a[@rel = \"author\"]'\nlabel = 'author'\n\
         priority = 7\ndont-filter = true\nfields = {{ author = 'h1', url = {{ page = 'url' }} }}"
    );
    let spider = spider(&text);
    let request = requests(list(&spider, LIST)).remove(0);
    let second = read(&spider, request, "<td>u</td><table><td>u1</table><a href=/ann rel=author>");
    assert!(second.items.is_empty());
    let request = requests(second).remove(0);
    assert_eq!((&*request.label, request.priority, request.depth), ("author", 7, 1));
    assert!(request.options().unique.is_some());
    let expected =
        json!({"title": "One", "price": 1, "upc": "u1", "author": "Ann", "url": "http://h/ann"});
    assert_eq!(items(&read(&spider, request.clone(), "<h1>Ann</h1>")), [expected]);
    let failed = &items(&fail(&spider, &request))[0];
    assert_eq!((&failed["upc"], &failed["author"]), (&json!("u1"), &Value::Null));
}

#[test]
fn pages_that_complete_items_are_left_alone_by_rules_without_a_label() {
    let text = format!(
        "follow = ['a']\n[[rules]]\non = 'detail'\ncss = '.more'\nlabel = 'more'\n{SHOP}\n\
         [[items]]\nlabel = 'detail'\nfields.also = 'td'\n[[items]]\nfields.never = 'td'"
    );
    let spider = spider(&text);
    let request = requests(list(&spider, LIST)).remove(0);
    let body = "<table><td>u1</table><a href=/x>x</a><a class=more href=/y>y</a>";
    let harvest = read(&spider, request, body);
    let items = items(&harvest);
    assert_eq!((items.len(), &items[1]["also"]), (2, &json!("u1")));
    let follows = requests(harvest);
    assert_eq!((follows.len(), follows[0].url.as_str()), (1, "http://h/y"));
}

#[test]
fn what_pages_carry_is_read_where_it_arrives() {
    let text = "[[rules]]\ncss = 'a'\nlabel = 'book'\ncarry = { genre = 'h1', shop = { const = 'uk' } }\n\
                [[items]]\nlabel = 'book'\nselect = 'li'\n[items.fields]\ntitle = 'a'\ngenre = { meta = 'genre' }\n\
                [items.detail]\nfollow = 'a'\nfields = { shop = { meta = 'shop' }, td = 'td' }";
    let spider = spider(text);
    let request = requests(list(&spider, "<h1>Tea</h1><a href=/1>x</a>")).remove(0);
    let request = requests(read(&spider, request, "<li><a href=/2>T</a>")).remove(0);
    let expected =
        json!({"title": "T", "genre": "Tea", "shop": "uk", "td": null, "url": "http://h/2"});
    assert_eq!(items(&read(&spider, request, "<p>")), [expected]);
}

#[test]
fn links_of_details_come_from_all_sources() {
    let check = |follow: &str, body: &str| {
        let text = format!(
            "[[items]]\nselect = 'li'\nfields.t = 'i'\ndetail = {{ follow = {follow}, fields = {{ x = 'p' }} }}"
        );
        let found = requests(list(&spider(&text), body));
        assert_eq!(found[0].url.as_str(), "http://h/d/7", "{follow}");
    };
    check("'a'", "<li><i>x</i><a href=d/7>");
    check("'@data-url'", "<li data-url=/d/7><i>x</i>");
    check("'.//a'", "<li><i>x</i><a href=d/7>");
    check("'.//a/@href'", "<li><i>x</i><a href=d/7>");
    check("{ css = 'i', attr = 'n', replace = [['^', '/d/']] }", "<li><i n=7>x</i>");
    check(
        "{ css = 'i', attr = 'onclick', regex = \"'(.*)'\" }",
        "<li><i onclick=\"go('/d/7')\">x</i>",
    );
}

#[test]
fn mistakes_in_details_are_told_with_their_key() {
    let detail =
        |detail: &str| format!("[[items]]\nselect = 'p'\nfields.a = 'b'\ndetail = {detail}");
    let key = "spider.items[0].detail";
    wrong(
        &detail("{ follow = 'a[', fields = { x = 'y' } }"),
        &format!("{key}.follow: `a[` is not"),
    );
    wrong(&detail("{ follow = 'a' }"), &format!("{key}.fields: has no fields"));
    wrong(&detail("{ follow = 'a', fields = { x = '::' } }"), &format!("{key}.fields.x: "));
    wrong(
        &detail("{ follow = { css = 'a', all = true }, fields = { x = 'y' } }"),
        &format!("{key}.follow: is one link"),
    );
    let inner =
        "{ follow = 'a', fields = { x = 'y' }, detail = { follow = '$[', fields = { x = 'y' } } }";
    wrong(&detail(inner), &format!("{key}.detail.follow"));
}
