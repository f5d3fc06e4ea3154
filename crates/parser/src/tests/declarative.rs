//! Spiders from TOML, on pages like those they are written for.

mod details;
mod fields;
mod ways;

use crawl_spider::{Harvest, Spider, Value, json};

use crate::{ConfigSpider, SpiderConfig, TestPage, page_from_html};

const SHOP: &str = r#"<title>Shop</title>
<article class="product_pod"><h3><a href="b/1" title="A Light in the Attic">A Light...</a></h3>
  <p class="price_color">£51.77</p><p class="star Three"></p><i class=tag>x</i><i class=tag> y </i></article>
<article class="product_pod"><h3><a href="b/2" title="Tipping">Tip...</a></h3>
  <p class="price_color">free</p></article>
<article class="product_pod"></article>
<ul><li class="next"><a href="page-2.html">next</a></li></ul>
<a href="/about" rel=nofollow>about</a><a href="/b/3">three</a>"#;

fn shop() -> TestPage {
    page_from_html("http://shop.test/page-1.html", SHOP).unwrap()
}

fn config(text: &str) -> SpiderConfig {
    toml::from_str(text).unwrap()
}

/// Runs a spider on a page twice, with and without telling the page what the spider wants.
#[track_caller]
fn run(text: &str, page: &TestPage) -> (Vec<Value>, Vec<String>) {
    let spider = ConfigSpider::new(config(text)).unwrap();
    let told = page_from_html("http://shop.test/page-1.html", page.page().text()).unwrap();
    let (selected, matched) = (run_on(&spider, page), run_on(&spider, &told.with_spider(&spider)));
    assert_eq!(selected, matched);
    matched
}

fn run_on(spider: &ConfigSpider, page: &TestPage) -> (Vec<Value>, Vec<String>) {
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).unwrap();
    let items = out.items().iter().map(|item| serde_json::from_str(&item.json).unwrap()).collect();
    let follows = out.into_parts().follows.into_iter().map(|follow| {
        let nofollow = if follow.is_nofollow() { " nofollow" } else { "" };
        let request = follow.into_request(1, None);
        let path = request.url.path().to_owned();
        match (&*request.label, request.priority) {
            ("", 0) => format!("{path}{nofollow}"),
            (label, priority) => format!("{path}{nofollow} {label} {priority}"),
        }
    });
    (items, follows.collect())
}

#[test]
fn items_have_their_fields_and_the_url_of_the_page() {
    let (items, _) = run(
        r#"
        [[items]]
        select = "article.product_pod"
        [items.fields]
        title = "h3 a @title"
        short = "h3 a"
        price = { css = ".price_color", type = 'number' }
        link = { css = "h3 a", attr = "href", type = 'url' }
        stars = { css = ".star", attr = "class", regex = "star (\\w+)", default = "none" }
        tags = { css = ".tag", all = true }
        class = "@class"
        "#,
        &shop(),
    );
    assert_eq!(items.len(), 3);
    assert_eq!(
        items[0],
        json!({
            "title": "A Light in the Attic", "short": "A Light...", "price": 51.77,
            "link": "http://shop.test/b/1", "stars": "Three", "tags": ["x", "y"],
            "class": "product_pod", "url": "http://shop.test/page-1.html",
        })
    );
    assert_eq!(items[1]["price"], Value::Null);
    assert_eq!((&items[1]["stars"], &items[1]["tags"]), (&json!("none"), &json!([])));
}

#[test]
fn an_item_of_which_nothing_is_found_is_none() {
    let text = "[[items]]\nselect = 'article'\nfields.title = 'h3 a @title'";
    assert_eq!(run(text, &shop()).0.len(), 2);
    let text = "[[items]]\nfields.nothing = '.no'\n[[items]]\nfields.t = 'title'";
    assert_eq!(run(text, &shop()).0, [json!({"t": "Shop", "url": "http://shop.test/page-1.html"})]);
}

#[test]
fn required_fields_leave_items_out_and_say_so() {
    let text = "[[items]]\nselect = 'article'\n[items.fields]\ntitle = 'h3 a @title'\n\
                price = { css = '.price_color', type = 'number', required = true }";
    let spider = ConfigSpider::new(config(text)).unwrap();
    let (test, mut out) = (shop(), Harvest::new());
    spider.parse(&test.page(), &mut out).unwrap();
    let parts = out.into_parts();
    assert_eq!((parts.items.len(), parts.stats["items-left-out"]), (1, 1));
    assert_eq!(parts.logs[0].text, "an item is left out: it has no `price`");
}

#[test]
fn items_can_be_bound_to_urls_and_labels() {
    let text = |line: &str| format!("[[items]]\n{line}\nfields.url = 'title'");
    assert_eq!(run(&text("url = 'page-\\d'"), &shop()).0, [json!({"url": "Shop"})]);
    assert!(run(&text("url = '/b/'"), &shop()).0.is_empty());
    assert!(run(&text("label = 'book'"), &shop()).0.is_empty());
    assert_eq!(run(&text("label = ''"), &shop()).0.len(), 1);
}

#[test]
fn links_are_followed_as_told() {
    let all = ["/b/1", "/b/2", "/page-2.html", "/about nofollow", "/b/3"];
    assert_eq!(run("", &shop()).1, all);
    assert_eq!(run("follow = ['a']", &shop()).1, all);
    assert!(run("follow = []", &shop()).1.is_empty());
    assert_eq!(run("follow = ['li.next a', 'h3']", &shop()).1, ["/page-2.html", "/b/1", "/b/2"]);
    let rules = "[[rules]]\ncss = 'h3'\nlabel = 'book'\npriority = 2\n[[rules]]\nurl = 'page-\\d+'";
    assert_eq!(run(rules, &shop()).1, ["/b/1 book 2", "/b/2 book 2", "/page-2.html"]);
    let both = "follow = ['li.next']\n[[rules]]\ncss = 'a'\nurl = '/b/3$'";
    assert_eq!(run(both, &shop()).1, ["/b/3", "/page-2.html"]);
    assert_eq!(run("[[rules]]\ncss = 'h3 a'\nurl = '/2$'", &shop()).1, ["/b/2"]);
}

#[test]
fn links_inside_of_what_a_rule_finds_are_followed() {
    let page = page_from_html(
        "http://shop.test/page-1.html",
        "<!DOCTYPE html><div class=c>a<a name=x>b</a><a href=/1 rel='x NoFollow'>c</a>\
         <div class=c><map><area href=/2 rel=y></map><a href=mailto:x>d</a></div></div>\
         <a class=c href='/3'><b class=c></b></a><a class=c href='http://['>e</a>",
    )
    .unwrap();
    assert_eq!(run("follow = ['.c']", &page).1, ["/1 nofollow", "/2", "/3"]);
    assert_eq!(run("follow = ['.c > .c']", &page).1, ["/2"]);
    // What is selected in the tree goes the same way.
    assert_eq!(run("follow = ['.c:has(.c)']", &page).1, ["/1 nofollow", "/2", "/3"]);
}

#[test]
fn items_that_nest_have_their_own_fields() {
    let page = page_from_html(
        "http://shop.test/page-1.html",
        "<!DOCTYPE html><ul class=t><li>a<ul class=t><li>b<li>c</ul><li>d</ul>",
    )
    .unwrap();
    let text = "[[items]]\nselect = 'ul.t'\n[items.fields]\nurl = 'li'\n\
                own = { css = ':scope > li', all = true }\nall = { css = 'li', all = true }\n\
                last = 'li:last-child'\nhtml = 'li li ::html'";
    let items = run(text, &page).0;
    assert_eq!(items[0]["own"], json!(["abc", "d"]));
    assert_eq!(items[0]["all"], json!(["abc", "b", "c", "d"]));
    assert_eq!(items[1]["own"], json!(["b", "c"]));
    assert_eq!((&items[0]["last"], &items[0]["html"]), (&json!("c"), &json!("<li>b</li>")));
    let streamed = text.split("last").next().unwrap();
    let items = run(streamed, &page).0;
    assert_eq!((&items[0]["own"], &items[1]["url"]), (&json!(["abc", "d"]), &json!("b")));
}

#[track_caller]
fn wrong(text: &str, expected: &str) {
    let error = ConfigSpider::new(config(text)).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn mistakes_are_told_with_their_key() {
    wrong("follow = ['a', 'li >']", "spider.follow[1]: `li >` is not a CSS selector: ");
    wrong("[[rules]]\ncss = '..'", "spider.rules[0].css: `..` is not a CSS selector: ");
    wrong(
        "[[rules]]\nurl = '('",
        "spider.rules[0].url: `(` is not a regular expression: unclosed group",
    );
    wrong("[[items]]", "spider.items[0].fields: has no fields");
    let field = |field: &str| format!("[[items]]\nselect = 'p'\nfields.price = {field}");
    let key = "spider.items[0].fields.price: ";
    wrong(&field("'p['"), &format!("{key}`p[` is not a CSS selector: "));
    wrong(
        &field("{ css = 'p', attr = 'x', html = true }"),
        &format!("{key}has both `attr` and `html`"),
    );
    wrong(&field("{ required = true, default = 1 }"), &format!("{key}is `required`"));
    wrong(&field("'p @x y'"), &format!("{key}`p @x y` is not a CSS selector"));
    wrong(&field("'p::text'"), &format!("{key}needs a space before `::text`: \"p ::text\""));
    wrong(&field("''"), &format!("{key}is empty"));
    let regex = "spider.items[0].fields.price.regex: `[` is not a regular expression: ";
    wrong(&field("{ regex = '[' }"), regex);
    wrong("[[items]]\nfields.x = '@href'", "spider.items[0].fields.x: needs `css`");
    wrong("[[items]]\nselect = ':x'\nfields.x = 'p'", "spider.items[0].select: `:x` is not");
}

#[test]
fn unknown_keys_are_named() {
    let error = |text: &str| toml::from_str::<SpiderConfig>(text).unwrap_err().to_string();
    assert!(error("folow = []").contains("folow"));
    assert!(error("[[items]]\nfields.x = { cs = 'p' }").contains("unknown field `cs`"));
    assert!(error("[[items]]\nfields.x = 3").contains("a selector like"));
}

#[test]
fn the_table_comes_back_as_it_was() {
    let text = "follow = ['a']\n[[rules]]\ncss = 'b'\nlabel = 'l'\n[[items]]\nselect = 'p'\n\
                [items.fields]\na = 'x @y'\nb = { css = 'z', type = 'number', default = 0 }";
    let written = toml::to_string(&config(text)).unwrap();
    assert_eq!(config(&written), config(text), "{written}");
    let json = serde_json::to_string(&config(text)).unwrap();
    assert_eq!(serde_json::from_str::<SpiderConfig>(&json).unwrap(), config(text));
}
