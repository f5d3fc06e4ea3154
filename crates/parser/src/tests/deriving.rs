//! Derived items, on pages like those they are written for.

mod laws;

use std::borrow::Cow;

use crawl_spider::prelude::*;
use crawl_spider::{ItemError, ItemQuery};

use crate::{TestPage, page_from_body, page_from_html};

const SHOP: &str = r#"<title>Shop</title>
<article class="product_pod" id=a><h3><a href="b/1" title=" A Light in the Attic">A Light...</a></h3>
  <p class="price_color">£1,051.77</p><p class="star-rating Three"></p>
  <i class=tag>Red</i><i class=tag> dark   blue </i><b class=new>new</b>
  <p class=by>by Ann, Bob</p></article>
<article class="product_pod" id=b><h3><a href="mailto:x" title="Tipping">Tip...</a></h3>
  <p class="price_color">free</p></article>
<article class="product_pod" id=c></article>
<article class="product_pod" id=d><h3><a href="b/4" title="Soumission"></a></h3>
  <p class="price_color">50</p></article>"#;

/// What all books of the tests have in common.
#[derive(Debug, PartialEq, Item)]
#[item(select = "article.product_pod")]
struct Book {
    #[item(attr = "id")]
    id: String,
    #[item(css = "h3 a", attr = "title")]
    title: String,
    #[item(css = "h3 a", link)]
    link: Option<String>,
    #[item(css = "h3 a")]
    url: Option<CanonicalUrl>,
    #[item(css = ".price_color", number)]
    price: f64,
    #[item(css = ".price_color", number)]
    pounds: Option<f32>,
    #[item(css = ".star-rating", attr = "class", regex = r"star-rating (\w+)", lower)]
    rating: Option<String>,
    #[item(css = ".tag", lower)]
    tags: Vec<String>,
    #[item(css = ".by", strip_prefix = "by", split = ",")]
    authors: Vec<String>,
    #[item(css = ".tag", join = " & ")]
    joined: Option<String>,
    #[item(css = ".tag", take = last, upper, replace(" ", "-"))]
    last: Option<String>,
    #[item(css = ".new", exists, rename = "isNew")]
    is_new: bool,
    #[item(css = "h3", html)]
    html: Option<Box<str>>,
    #[item(css = ".absent", default = "none")]
    absent: String,
    #[item(css = ".absent", default)]
    number: u8,
    #[item(value = 7)]
    seven: i64,
    #[item(skip)]
    skipped: Vec<u8>,
}

struct Books;

impl Spider for Books {
    fn wants(&self) -> Vec<ItemQuery> {
        vec![Book::query()]
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.extract::<Book>(page).map(drop)
    }
}

fn shop() -> TestPage {
    page_from_html("http://shop.test/page-1.html", SHOP).unwrap()
}

#[test]
fn fields_are_found_read_and_written() {
    let mut out = Harvest::new();
    Books.parse(&shop().page(), &mut out).unwrap();
    let items: Vec<Value> =
        out.items().iter().map(|item| serde_json::from_str(&item.json).unwrap()).collect();
    assert_eq!(
        items[0],
        json!({
            "id": "a", "title": "A Light in the Attic", "link": "http://shop.test/b/1",
            "url": "http://shop.test/b/1", "price": 1051.77, "pounds": 1051.77, "rating": "three",
            "tags": ["red", "dark blue"], "authors": ["Ann", "Bob"], "joined": "Red & dark blue",
            "last": "DARK-BLUE", "isNew": true,
            "html": r#"<h3><a href="b/1" title=" A Light in the Attic">A Light...</a></h3>"#,
            "absent": "none", "number": 0, "seven": 7, "skipped": [],
        })
    );
    assert_eq!((&items[1]["id"], &items[1]["price"], items.len()), (&json!("d"), &json!(50.0), 2));
    assert_eq!((&items[1]["rating"], &items[1]["tags"]), (&Value::Null, &json!([])));
    let logs = out.into_parts().logs;
    let lines: Vec<_> = logs.iter().map(|line| &*line.text).collect();
    assert_eq!(
        lines,
        [
            "an item is left out: `Book` has no `price`: `number` leaves nothing of `free` \
             (`.price_color`)",
            "an item is left out: `Book` has no `title`: nothing matches `h3 a`, attribute `title`",
        ]
    );
}

#[test]
fn without_html_no_tree_is_built() {
    #[derive(Debug, PartialEq, Item)]
    #[item(select = "article")]
    struct Plain {
        #[item(css = "h3 a::attr(title)")]
        title: Option<String>,
        #[item(css = ".price_color", number)]
        price: Option<f64>,
        #[item(css = ".tag", lower)]
        tags: Vec<String>,
        #[item(css = ":scope > b", exists)]
        is_new: bool,
        #[item(url)]
        page: String,
    }

    struct Plains;

    impl Spider for Plains {
        fn wants(&self) -> Vec<ItemQuery> {
            vec![Plain::query()]
        }

        fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
            Ok(())
        }
    }

    let test = page_from_html("http://shop.test/page-1.html", &format!("<!DOCTYPE html>{SHOP}"));
    let test = test.unwrap().with_spider(&Plains);
    let streamed = Plain::all(&test.page()).unwrap();
    assert!(!test.document.has_dom());
    assert_eq!(streamed, Plain::all(&shop().page()).unwrap());
    assert_eq!(
        (streamed.len(), &*streamed[0].tags),
        (3, &["red".to_owned(), "dark blue".to_owned()][..])
    );
    assert_eq!(streamed[0].title.as_deref(), Some("A Light in the Attic"));
    assert!(streamed[0].is_new && !streamed[1].is_new);
    assert_eq!(streamed[2].title.as_deref(), Some("Soumission"));
}

#[derive(Debug, PartialEq, Item)]
struct Recipe {
    #[item(xpath = "//h1")]
    name: String,
    #[item(xpath = "count(//li)")]
    n_lines: u8,
    #[item(xpath = "//a", link)]
    links: Vec<String>,
    #[item(xpath = "//a/@href")]
    hrefs: Vec<String>,
    #[item(css = "p::text", join = "|")]
    steps: String,
    #[item(css = "pre", raw)]
    code: Option<String>,
    #[item(each = "ul.in > li")]
    parts: Vec<Part>,
    #[item(each = ".in li")]
    first: Part,
    #[item(each = ".none li")]
    none: Option<Part>,
    #[item(nested)]
    cook: Cook,
    #[item(nested)]
    head: Head,
    #[item(meta = "course", default = "main")]
    course: String,
    #[item(meta = "course")]
    maybe: Option<String>,
}

#[derive(Debug, PartialEq, Item)]
struct Part {
    #[item(text, regex = r"^[\d.]+", number)]
    amount: Option<f32>,
    #[item(css = "b")]
    name: String,
}

#[derive(Debug, PartialEq, Item)]
#[item(select = ".cook")]
struct Cook {
    #[item(text)]
    name: String,
}

#[derive(Debug, PartialEq, Item)]
struct Head {
    #[item(css = "title")]
    title: String,
}

const RECIPE: &str = "<title>T</title><h1>Pie</h1><p>a<i>b</i>c<p>d<pre> x\n  y </pre>\
    <ul class=in><li>2.5 kg <b>flour</b><li><b>salt</b><li></ul><i class=cook>Ann</i>\
    <a href=/x>x</a><a href=mailto:y>y</a>";

#[test]
fn items_nest_and_xpath_finds_fields() {
    let test = page_from_html("http://h/", RECIPE).unwrap();
    let part = |amount, name: &str| Part { amount, name: name.to_owned() };
    let expected = Recipe {
        name: "Pie".into(),
        n_lines: 3,
        links: vec!["http://h/x".into()],
        hrefs: vec!["/x".into(), "mailto:y".into()],
        steps: "a|c|d".into(),
        code: Some(" x\n  y ".into()),
        parts: vec![part(Some(2.5), "flour"), part(None, "salt")],
        first: part(Some(2.5), "flour"),
        none: None,
        cook: Cook { name: "Ann".into() },
        head: Head { title: "T".into() },
        course: "main".into(),
        maybe: None,
    };
    assert_eq!(Recipe::all(&test.page()).unwrap(), [expected]);
    assert_eq!(Recipe::query(), ItemQuery::page());
    let node = test.page().first("li").unwrap().unwrap();
    assert_eq!(Part::of(&test.page(), node).unwrap(), Some(part(Some(2.5), "flour")));
}

#[test]
fn a_page_without_any_of_the_fields_has_no_item() {
    let test = page_from_html("http://h/", "<p>other").unwrap();
    assert!(Cook::all(&test.page()).unwrap().is_empty());
    assert!(Head::all(&test.page()).unwrap().is_empty());
    #[derive(Item)]
    struct Visit {
        #[item(url)]
        url: String,
    }
    assert_eq!(Visit::all(&test.page()).unwrap()[0].url, "http://h/");
}

fn errors<T: PageItem + std::fmt::Debug>(html: &str) -> Vec<String> {
    let test = page_from_html("http://h/", html).unwrap();
    let found = T::each(&test.page()).unwrap();
    found.into_iter().filter_map(|item| item.err().map(|error| error.to_string())).collect()
}

#[test]
fn errors_name_type_field_selector_and_text() {
    #[derive(Debug, Item)]
    #[item(select = "p")]
    struct Row {
        #[item(attr = "id")]
        id: String,
        #[item(css = "b", attr = "n")]
        n: i32,
    }
    let found = errors::<Row>(
        "<p id=a><p id=b><b>x</b><p id=c><b n=' '>x</b><p id=d><b n='12 kg'>x</b><p id=e><b n=x></b>\
         <p id=f><b n=1></b><p><p><b n=2></b>",
    );
    assert_eq!(
        found,
        [
            "`Row` has no `n`: nothing matches `b`, attribute `n`",
            "`Row` has no `n`: what matches has no such attribute (`b`, attribute `n`)",
            "`Row` has no `n`: what matches is empty (`b`, attribute `n`)",
            "`n` of `Row` cannot be read from `12 kg`: it is no i32: invalid digit found in string; \
             `number` takes the first number of a text (`b`, attribute `n`)",
            "`n` of `Row` cannot be read from `x`: it is no i32: invalid digit found in string \
             (`b`, attribute `n`)",
            "`Row` has no `id`: what matches has no such attribute (the element itself, \
             attribute `id`)",
        ]
    );
}

#[test]
fn a_nested_item_that_is_none_is_left_out_or_an_error() {
    #[derive(Debug, Item)]
    struct List {
        #[item(each = "li", required)]
        parts: Vec<Part>,
    }
    let html = "<ul><li>1 <b>a</b><li>2 kg<li>3 <b>c</b></ul>";
    let error = "`List` has no `parts[1].name`: nothing matches `b`";
    assert_eq!(errors::<List>(html), [error]);
    let test = page_from_html("http://h/", html).unwrap();
    assert_eq!(List::all(&test.page()).unwrap_err().to_string(), error);
    let mut out = Harvest::new();
    let lists = out.read::<List>(&test.page()).unwrap();
    assert_eq!((lists.len(), lists[0].parts.len()), (1, 2));
    let parts = out.into_parts();
    assert_eq!(parts.logs[0].text, format!("an item is left out: {error}"));
    assert_eq!(parts.stats["items-left-out"], 1);
    // Empty, it is not even a list.
    assert!(errors::<List>("<p>").is_empty());
}

#[test]
fn items_that_nest_in_their_own_kind_are_bounded_by_the_page_and_by_us() {
    #[derive(Debug, Item)]
    #[item(select = "body > div")]
    struct Direct {
        #[item(attr = "id")]
        id: String,
        #[item(each = ":scope > div")]
        answers: Vec<Direct>,
    }
    #[derive(Debug, Item)]
    struct Any {
        #[item(each = "div")]
        all: Vec<Any>,
        #[item(css = "i", exists)]
        has: bool,
    }
    #[derive(Debug, Item)]
    struct Endless {
        #[item(nested)]
        itself: Vec<Endless>,
    }
    fn depth(item: &Direct) -> usize {
        1 + item.answers.iter().map(depth).max().unwrap_or(0)
    }
    let nested = |n: usize| page_from_html("http://h/", &"<div id=x><i></i>".repeat(n)).unwrap();
    let mut out = Harvest::new();
    for (n, expected) in [(3, 3), (64, 64), (400, 64)] {
        assert_eq!(depth(&out.read::<Direct>(&nested(n).page()).unwrap()[0]), expected);
    }
    let error = Direct::all(&nested(400).page()).unwrap_err().to_string();
    assert!(error.ends_with(".answers`: items nest deeper than 64 levels"), "{error}");
    assert_eq!(Any::all(&nested(4).page()).unwrap()[0].all.len(), 4);
    let error = out.read::<Any>(&nested(40).page()).unwrap_err().to_string();
    assert!(error.contains("more than 100000 nested items on one page"), "{error}");
    assert!(matches!(Endless::all(&nested(1).page()), Err(SpiderError::Item(_))));
}

#[test]
fn functions_and_other_types_read_values() {
    fn weekday(text: &str) -> Option<u8> {
        ["Mon", "Tue"].iter().position(|day| text.starts_with(day)).map(|n| n as u8 + 1)
    }
    fn cents(text: &str) -> Result<u64, String> {
        let price = process::number(text).and_then(|n| n.as_f64()).ok_or("there is no number")?;
        Ok((price * 100.0).round() as u64)
    }
    fn reversed(text: &str) -> Cow<'_, str> {
        text.chars().rev().collect::<String>().into()
    }
    #[derive(Debug, PartialEq)]
    struct Sku(u32);
    impl std::str::FromStr for Sku {
        type Err = String;
        fn from_str(text: &str) -> Result<Self, String> {
            let number = text.strip_prefix("S-").ok_or("it has no `S-`")?;
            number.parse().map(Self).map_err(|_| "it has no number".to_owned())
        }
    }
    #[derive(Debug, PartialEq, Item)]
    #[item(no_serialize)]
    struct Odd {
        #[item(css = ".day", with = weekday)]
        days: Vec<u8>,
        #[item(css = ".price", with = cents)]
        cents: u64,
        #[item(css = ".sku", parse)]
        sku: Sku,
        #[item(css = ".sku", map = reversed, map = |text: &str| text.get(..1).map(str::to_owned))]
        end: String,
        #[item(css = ".yes")]
        yes: bool,
        #[item(css = ".sku")]
        r#type: std::rc::Rc<str>,
        #[item(css = ".price", regex_all = r"\d")]
        digits: Vec<u8>,
    }
    let html = "<i class=day>Tuesday</i><i class=day>Fri</i><i class=day>Mon</i>\
                <i class=price>£1.25</i><i class=sku>S-12</i><i class=yes>Yes</i>";
    let test = page_from_html("http://h/", html).unwrap();
    let expected = Odd {
        days: vec![2, 1],
        cents: 125,
        sku: Sku(12),
        end: "2".into(),
        yes: true,
        r#type: "S-12".into(),
        digits: vec![1, 2, 5],
    };
    assert_eq!(Odd::all(&test.page()).unwrap(), [expected]);
    let found = errors::<Odd>(&html.replace("S-12", "x").replace("£1.25", "no"));
    assert_eq!(found, ["`cents` of `Odd` cannot be read from `no`: there is no number (`.price`)"]);
    let found = errors::<Odd>(&html.replace("S-12", "x"));
    assert_eq!(found, ["`sku` of `Odd` cannot be read from `x`: it has no `S-` (`.sku`)"]);
}

#[test]
fn what_is_wrong_with_the_page_is_no_error_of_an_item() {
    #[derive(Debug, Item)]
    struct Odd {
        #[item(xpath = "//p[re:test(., concat('(', .))]")]
        nodes: Vec<String>,
    }
    let test = page_from_html("http://h/", "<p>x").unwrap();
    let error = Harvest::new().extract::<Odd>(&test.page()).unwrap_err();
    assert!(matches!(error, SpiderError::Selector(_)), "{error}");
}

#[test]
fn items_are_found_in_xml_and_their_errors_can_be_told_apart() {
    #[derive(Debug, PartialEq, Item)]
    #[item(xpath = "//item")]
    struct Entry {
        #[item(xpath = "title")]
        title: String,
        #[item(xpath = "g:price", number)]
        price: Option<f64>,
    }
    let feed = "<?xml version='1.0'?><rss xmlns:g='http://base.google.com/ns/1.0'><channel>\
                <item><title>a</title><g:price>2 EUR</g:price></item>\
                <item><g:price>3</g:price></item></channel></rss>";
    let test = page_from_body("http://h/", "application/rss+xml", feed).unwrap();
    let found: Vec<Result<Entry, ItemError>> = Entry::each(&test.page()).unwrap();
    assert_eq!(found[0], Ok(Entry { title: "a".into(), price: Some(2.0) }));
    let error = found[1].as_ref().unwrap_err();
    assert_eq!((error.item(), error.field(), error.text()), ("Entry", "title", None));
    assert!(error.is_missing());
}

/// Kind, version and key of each item of a harvest.
fn kinds_of(out: Harvest) -> Vec<(String, String, Vec<String>)> {
    let parts = out.into_parts();
    let of = |item: &crawl_model::Item| match parts.kinds.get(item.kind) {
        Some(kind) => {
            let key = kind.key.iter().map(ToString::to_string).collect();
            (kind.name.to_string(), kind.version.to_string(), key)
        }
        None => Default::default(),
    };
    parts.items.iter().map(of).collect()
}

#[test]
fn an_item_says_of_what_kind_and_version_it_is_and_by_what_it_is_known() {
    #[derive(Item)]
    #[item(version = 3)]
    struct Offer {
        #[item(css = "b", key, rename = "no")]
        number: String,
        #[item(url, key)]
        shop: String,
    }
    #[derive(Item)]
    struct Plain {
        #[item(css = "b")]
        a: String,
        #[item(css = "b")]
        b: Option<String>,
    }
    #[derive(serde::Serialize)]
    struct Own {
        offer: Option<Offer>,
    }
    let test = page_from_html("http://h/", "<b>7</b>").unwrap();
    let mut out = Harvest::new();
    out.extract::<Offer>(&test.page()).unwrap();
    for offer in out.read::<Offer>(&test.page()).unwrap() {
        out.item(&offer).unwrap();
        out.item(&Own { offer: Some(offer) }).unwrap();
    }
    out.item(&json!({ "a": 1 })).unwrap();
    out.extract::<Plain>(&test.page()).unwrap();
    let kinds = kinds_of(out);
    let key = vec!["no".to_owned(), "shop".to_owned()];
    let offer = ("Offer".to_owned(), "3".to_owned(), key);
    assert_eq!(kinds[..2], [offer.clone(), offer]);
    assert_eq!(kinds[2], ("Own".to_owned(), String::new(), vec![]), "whatever is within it");
    assert_eq!(kinds[3], Default::default());
    // Of the names and types of its fields: it stays if nothing of these changes.
    assert_eq!(kinds[4], ("Plain".to_owned(), "#f72f93f9".to_owned(), vec![]));
}
