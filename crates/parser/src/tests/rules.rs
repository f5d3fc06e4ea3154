//! Crawl rules, on pages.

mod scrapy;

use std::sync::Arc;

use crawl_spider::{
    Expression, FailedRequest, Harvest, Language, LinkExtractor, Page, Request, Rule, Rules,
    Spider, SpiderError, json, prepare,
};

use crate::{page_from_body, page_from_html, start};

const PAGE: &str = r#"<a href="/book/1">one</a><a href="/book/2" rel=nofollow>two</a>
<ul><li class=next><a href="/page/2">next</a></li></ul><a href="/about">about</a>"#;

/// A spider of these rules that takes the label of each page.
struct Ruled(Rules);

impl Spider for Ruled {
    fn rules(&self) -> Rules {
        self.0.clone()
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(page.label())
    }
}

/// What a spider of these rules asks for on [`PAGE`] with this label.
fn requests(rules: impl Into<Rules>, label: &str) -> Vec<Request> {
    let spider = prepare(Arc::new(Ruled(rules.into())));
    let mut test = page_from_html("http://shop.test/", PAGE).unwrap().with_spider(&*spider);
    test.set_label(label);
    let mut out = Harvest::new();
    spider.parse(&test.page(), &mut out).unwrap();
    assert_eq!(out.items().len(), 1, "the callback ran");
    out.into_parts().follows.into_iter().map(|follow| follow.into_request(1, None)).collect()
}

fn paths(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.url.path_and_query()).collect()
}

#[test]
fn a_rule_sets_what_its_requests_carry() {
    let rule = Rule::url("/book/1").label("book").errback("lost").priority(7);
    let made = requests([rule.meta(json!({"n": 1}))], "");
    let [book] = &made[..] else { panic!("{made:?}") };
    assert_eq!((&*book.label, &*book.errback, book.priority), ("book", "lost", 7));
    assert_eq!(book.meta, json!({"n": 1}));
}

#[test]
fn rules_are_applied_in_their_order_after_the_callback() {
    let rules = [Rule::css("li.next"), Rule::url("/book/").label("book"), Rule::url("about")];
    assert_eq!(paths(&requests(rules, "")), ["/page/2", "/book/1", "/book/2", "/about"]);
}

#[test]
fn pages_of_a_label_are_followed_only_if_its_rule_says_so() {
    let rules = |follow: Option<bool>| {
        let book = Rule::url("/book/").label("book");
        [follow.map_or(book.clone(), |on| book.follow(on)), Rule::css("li.next")]
    };
    assert_eq!(requests(rules(None), "book").len(), 0);
    assert_eq!(requests(rules(Some(false)), "book").len(), 0);
    assert_eq!(requests(rules(Some(true)), "book").len(), 3);
    // Nobody says that a page of a label of the spider's own is not to be followed.
    assert_eq!(requests(rules(None), "other").len(), 3);
    let on = [Rule::css("li.next").on(["", "list"]), Rule::url("about").on("list")];
    assert_eq!(paths(&requests(on.clone(), "")), ["/page/2"]);
    assert_eq!(paths(&requests(on.clone(), "list")), ["/page/2", "/about"]);
    assert_eq!(requests(on, "x").len(), 0);
}

#[test]
fn links_and_requests_can_be_changed() {
    let rule = Rule::url("/book/").process_links(|_, links| links.reverse()).process_request(
        |page, follow| {
            follow.header("X-From", page.url().as_str());
            !follow.url().as_str().ends_with('1')
        },
    );
    let made = requests([rule], "");
    assert_eq!(paths(&made), ["/book/2"]);
    assert_eq!(made[0].headers[0].1, "http://shop.test/");
}

#[test]
fn nofollow_is_told_however_a_link_was_found() {
    for links in [LinkExtractor::new(), LinkExtractor::new().restrict_css("body")] {
        let test = page_from_html("http://shop.test/", PAGE).unwrap();
        let found = links.allow("/book/").links(&test.page()).unwrap();
        let marks: Vec<_> = found.iter().map(|link| (link.nofollow, &*link.rel)).collect();
        assert_eq!(marks, [(false, ""), (true, "nofollow")]);
    }
}

#[test]
fn rules_need_no_tree_unless_they_use_xpath() {
    let css = LinkExtractor::new().restrict_css("li.next, ul > li").allow("page");
    for (links, has_dom) in
        [(css.clone(), false), (css.restrict_text("next"), false), (css_and_xpath(), true)]
    {
        let spider = Ruled(Rules::new().rule(Rule::new(links)));
        let test = page_from_html("http://shop.test/", PAGE).unwrap().with_spider(&spider);
        let mut out = Harvest::new();
        assert_eq!(spider.0.follow(&test.page(), &mut out).unwrap(), 1);
        assert_eq!(test.document.has_dom(), has_dom);
    }
}

fn css_and_xpath() -> LinkExtractor {
    LinkExtractor::new().restrict_xpaths("//li")
}

#[test]
fn links_of_sitemaps_and_feeds_are_links_for_rules() {
    let xml = "<urlset><url><loc>/book/1</loc></url><url><loc>/x</loc></url></urlset>";
    let test = page_from_body("http://h/sitemap.xml", "text/xml", xml).unwrap();
    let links = LinkExtractor::new().allow("/book/");
    assert_eq!(links.links(&test.page()).unwrap()[0].url.as_str(), "http://h/book/1");
}

#[track_caller]
fn refused(rules: impl Into<Rules>, expected: &str) {
    let error = start(&*prepare(Arc::new(Ruled(rules.into())))).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_does_not_parse_ends_the_crawl_before_it_begins() {
    let second = |rule: Rule| [Rule::url("fine"), rule];
    refused(second(Rule::url("a(")), "rule 2, allow: `a(` is not a regular expression");
    refused(second(Rule::new(LinkExtractor::new().deny(["x", "["]))), "rule 2, deny: `[`");
    refused(second(Rule::css("li..x")), "rule 2, restrict_css: `li..x` is not a CSS selector");
    refused(second(Rule::css("a, p:")), "rule 2, restrict_css: `a, p:`");
    let xpath = LinkExtractor::new().restrict_xpaths("//a[");
    refused(second(Rule::new(xpath)), "rule 2, restrict_xpaths: `//a[`");
    let text = LinkExtractor::new().restrict_text("*");
    refused(second(Rule::new(text)), "rule 2, restrict_text: `*`");
    refused(second(Rule::url("x").follow(false)), "rule 2 has `follow(false)` but no label");
    struct Paths;
    impl Spider for Paths {
        fn expressions(&self) -> Vec<Expression> {
            vec![Expression::new(Language::JsonPath, "$[", "field `price`")]
        }

        fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
            Ok(())
        }
    }
    let error = start(&Paths).unwrap_err().to_string();
    assert!(error.starts_with("field `price`: `$[` is not a JSONPath"), "{error}");
}

#[test]
fn what_was_not_checked_is_an_error_when_it_is_used() {
    let test = page_from_html("http://shop.test/", PAGE).unwrap();
    let wrong = [
        LinkExtractor::new().allow("("),
        LinkExtractor::new().restrict_css("p:"),
        LinkExtractor::new().restrict_xpaths("//a["),
    ];
    for links in wrong {
        assert!(links.links(&test.page()).is_err(), "{links:?}");
    }
}

#[test]
fn a_prepared_spider_is_the_spider_in_all_else() {
    struct All;
    impl Spider for All {
        fn name(&self) -> &str {
            "all"
        }

        fn rules(&self) -> Rules {
            Rules::new().rule(Rule::css("p"))
        }

        fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
            Ok(())
        }

        fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
            out.item(failed.errback())
        }

        fn wants_status(&self, status: u16) -> bool {
            status == 404
        }
    }
    let spider = prepare(prepare(Arc::new(All)));
    assert_eq!((spider.name(), spider.wants_status(404)), ("all", true));
    assert_eq!((spider.wants().len(), spider.expressions().len()), (1, 1));
    let mut request = Request::get(crawl_spider::CanonicalUrl::parse("http://h/").unwrap());
    request.errback = "gone".into();
    let failed = FailedRequest::new(&request, crawl_spider::Verdict::Timeout, None, "");
    let mut out = Harvest::new();
    spider.error(&failed, &mut out).unwrap();
    assert_eq!(&*out.items()[0].json, "\"gone\"");
}

#[test]
fn a_function_is_a_spider() {
    let spider = |page: &Page<'_>, out: &mut Harvest| out.item(page.title());
    let test = page_from_html("http://h/", "<title>T</title>").unwrap();
    let mut out = Harvest::new();
    prepare(Arc::new(spider)).parse(&test.page(), &mut out).unwrap();
    assert_eq!(&*out.items()[0].json, "\"T\"");
}
