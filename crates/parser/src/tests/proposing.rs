//! What is proposed for pages of many kinds.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crawl_spider::Value;

use crate::{FieldDraft, NoItems, Proposal, page_from_html, propose};

fn proposal(html: &str) -> Result<Proposal, NoItems> {
    propose(page_from_html("http://h/list", html).unwrap())
}

/// A field as it is written in short: `title: h3 a @title`.
fn short(field: &FieldDraft) -> String {
    let mut text = format!("{}: {}", field.name, field.css);
    if let Some(attr) = &field.attr {
        let _ = write!(text, " @{attr}");
    }
    if let Some(regex) = &field.regex {
        let _ = write!(text, " /{regex}/");
    }
    text.push_str(if field.is_number() { " #" } else { "" });
    text.push_str(if field.all { " *" } else { "" });
    text
}

#[track_caller]
fn check(html: &str, select: &str, fields: &[&str], next: Option<&str>) -> Vec<Value> {
    let found = proposal(html).unwrap();
    let shown: Vec<_> = found.fields.iter().map(short).collect();
    assert_eq!(
        (&*found.select, shown, found.next.as_deref()),
        (select, fields.iter().map(ToString::to_string).collect(), next)
    );
    found.items
}

/// `before`, then `item` with `{n}` in it replaced by a number and `{w}` by a word, then `after`.
fn page(before: &str, item: &str, n: usize, after: &str) -> String {
    const WORDS: [&str; 7] =
        ["Oolong", "Assam", "Sencha", "Earl Grey", "Darjeeling", "Mate", "Chai"];
    let mut html = format!("<!doctype html><html><head><title>T</title></head><body>{before}");
    for n in 1..=n {
        html += &item.replace("{n}", &n.to_string()).replace("{w}", WORDS[n % WORDS.len()]);
    }
    html + after + "</body></html>"
}

const NAV: &str = "<header class=top><nav><ul class=menu><li><a href=/a>Home</a><li><a href=/b>Blog</a>\
    <li><a href=/c>About us</a><li><a href=/d>Contact</a></ul></nav></header>";

#[test]
fn a_shop_of_books() {
    let item = "<li class=col-xs-6><article class=product_pod><div class=image_container>\
        <a href='b{n}.html'><img src='c{n}.svg' alt='{w}' class=thumbnail></a></div>\
        <p class='star-rating {w}'><i class=icon-star></i></p>\
        <h3><a href='b{n}.html' title='{w} and the rest of a long title'>{w} and ...</a></h3>\
        <div class=product_price><p class=price_color>£{n}.99</p>\
        <p class='instock availability'><i class=icon-ok></i>  In stock </p></div></article></li>";
    let item = item.replacen("{w}'><i", "Three{n}'><i", 1);
    let aside = "<aside class=sidebar><ul class='nav nav-list'>".to_owned()
        + &"<li><a href=x>Category</a></li>".repeat(50)
        + "</ul></aside>";
    let before = format!("{NAV}{aside}<section><ol class=row>");
    let html = page(
        &before,
        &item,
        20,
        "</ol><ul class=pager><li class=current>Page 1 of 50</li>\
        <li class=next><a href=page-2.html>next</a></li></ul></section>",
    );
    let items = check(
        &html,
        "article.product_pod",
        &[
            "title: h3 a @title",
            "link: h3 a @href",
            "image: img @src",
            "star_rating: .star-rating @class /star-rating ([A-Za-z0-9]+)/",
            "price: .price_color #",
            "availability: .availability",
        ],
        Some("li.next a"),
    );
    assert_eq!(items.len(), 20);
    assert_eq!(items[1]["title"], "Sencha and the rest of a long title");
    assert_eq!(items[1]["link"], "http://h/b2.html");
    assert_eq!((&items[1]["price"], &items[1]["star_rating"]), (&2.99.into(), &"Three2".into()));
}

#[test]
fn quotes_with_tags() {
    let item = "<div class=quote itemscope itemtype='http://schema.org/CreativeWork'>\
        <span class=text itemprop=text>“{w} number {n} is what we drink when nobody looks.”</span>\
        <span>by <small class=author itemprop=author>{w} Smith</small> \
        <a href='/author/{n}'>(about)</a></span><div class=tags>Tags: \
        <meta class=keywords itemprop=keywords content='tea,{w}'>\
        <a class=tag href='/tag/tea'>tea</a> <a class=tag href='/tag/{n}'>{w}</a></div></div>";
    let top = "<div class=tags-box><h2>Top Ten tags</h2>".to_owned()
        + &"<span class=tag-item><a class=tag href=/t>love</a></span>".repeat(10)
        + "</div>";
    let html = page(
        NAV,
        item,
        10,
        &format!(
            "{top}<nav><ul class=pager><li class=next>\
        <a href=/page/2/>Next <span>→</span></a></li></ul></nav>"
        ),
    );
    let items = check(
        &html,
        "div.quote",
        &[
            "link: a @href",
            "text: .text",
            "author: .author",
            "keywords: .keywords @content",
            "tags: .tag *",
        ],
        Some("li.next a"),
    );
    assert_eq!(items[0]["tags"], serde_json::json!(["tea", "Assam"]));
    assert_eq!(items[0]["author"], "Assam Smith");
}

#[test]
fn a_table_with_a_head() {
    let html = page(
        &format!(
            "{NAV}<h1>Teas of the world</h1><table class=teas><thead><tr><th>Rank<th>Name of tea\
        <th>Since<th>Tons (2020)</thead><tbody>"
        ),
        "<tr><td>{n}<td><a href='/t/{n}'>{w} {n}</a><td>19{n}0-01-02<td>{n},500</tr>",
        8,
        "</table>",
    );
    let items = check(
        &html,
        "table.teas tr",
        &[
            "rank: td:nth-child(1) #",
            "name_of_tea: td:nth-child(2)",
            "since: td:nth-child(3)",
            "tons_2020: td:nth-child(4) #",
            "link: a @href",
        ],
        None,
    );
    assert_eq!((items.len(), &items[0]["tons_2020"]), (8, &1500.into()));
}

#[test]
fn a_bare_table() {
    let html = page(
        "<table border=1>",
        "<tr><td>{w}</td><td>{n}</td><td>${n}.00</td></tr>",
        5,
        "</table>",
    );
    check(
        &html,
        "table tr",
        &[
            "column_1: td:nth-child(1)",
            "column_2: td:nth-child(2) #",
            "column_3: td:nth-child(3) #",
        ],
        None,
    );
}

#[test]
fn a_blog() {
    let item = "<article class='post post-{n} type-post'><header class=entry-header>\
        <h2 class=entry-title><a href='/2024/{n}/' rel=bookmark>About {w}, part {n}</a></h2>\
        <div class=entry-meta><time class=entry-date datetime='2024-05-0{n}T10:00:00'>May {n}, 2024</time>\
        <span class=byline>by <a class='url fn' href=/u/{n}>{w}</a></span></div></header>\
        <div class=entry-summary><p>Some words about {w}, and how it is made of leaves that \
        grow on hills, {n} of them.</p><p><a class=more-link href='/2024/{n}/'>Continue reading</a></p></div></article>";
    let html = page(
        NAV,
        item,
        6,
        "<div class=nav-links><a class='prev page-numbers' href=/p>Newer</a>\
        <a class='next page-numbers' href='/page/2/'>Older posts</a></div>",
    );
    let items = check(
        &html,
        "article.post",
        &[
            "title: .entry-title",
            "link: .entry-title a @href",
            "date: .entry-date @datetime",
            "name: .fn",
            "summary: .entry-summary p",
        ],
        Some("a.next"),
    );
    assert_eq!(items[2]["date"], "2024-05-03T10:00:00");
}

#[test]
fn search_results() {
    let item = "<div class=result><h3 class=r><a href='https://site{n}.example/'>{w} at site {n}</a></h3>\
        <cite>site{n}.example</cite><p class=snippet>All there is to know of {w}: \
        a page of {n} thousand words with <b>marks</b> in them.</p></div>";
    let html = page(
        &format!("{NAV}<form role=search><input name=q></form><div id=results>"),
        item,
        10,
        "</div><div id=foot><a href='?p=2' aria-label='Next page'>&gt;</a></div>",
    );
    check(
        &html,
        "div.result",
        &["title: h3", "link: h3 a @href", "snippet: .snippet", "text: cite"],
        Some("a[aria-label=\"Next page\"]"),
    );
}

#[test]
fn cards_in_rows_of_a_grid() {
    let card = "<div class=card><img class=card-img-top src='/i/{n}.jpg'><div class=card-body>\
        <h5 class=card-title>{w} {n}</h5><p class=card-text>A tea with {n} leaves, from {w}.</p>\
        <span class=card-price>{n},50 €</span><a class='btn btn-primary' href='/buy/{n}'>Buy</a></div></div>";
    let row = format!(
        "<div class=row>{}</div>",
        [1, 2, 3]
            .map(|k| {
                format!("<div class=col-md-4>{}</div>", card.replace("{n}", &format!("{{n}}{k}")))
            })
            .concat()
    );
    check(
        &page(NAV, &row, 4, ""),
        "div.card",
        &[
            "title: .card-title",
            "link: a @href",
            "image: img @src",
            "text: .card-text",
            "price: .card-price #",
        ],
        None,
    );
}

#[test]
fn cards_that_are_links_with_made_up_classes() {
    let item = "<a class='css-1x2y3z' href='/p/{n}'><div class=sc-bdVaJa><h4>{w} {n}</h4>\
        <span>${n}0.00</span><span>{n} left</span></div></a>";
    check(
        &page(&format!("{NAV}<main><div class=css-9k8j7h>"), item, 9, "</div></main>"),
        "main a",
        &["title: h4", "link:  @href", "price: span #"],
        None,
    );
}

#[test]
fn a_list_without_classes() {
    let html = page(
        "<h1>Jobs</h1><ul>",
        "<li><a href='/job/{n}'>Taster of {w} {n}</a> <em>{n} May 2024</em></li>",
        7,
        "</ul>",
    );
    check(&html, "ul > li", &["title: a", "link: a @href", "date: em"], None);
}

#[test]
fn microdata_names_the_fields() {
    let item = "<li itemscope itemtype='https://schema.org/Product'><b itemprop=name>{w} {n}</b>\
        <meta itemprop=sku content='SKU{n}'><i itemprop=price>{n}.20 USD</i></li>";
    let html = page(
        "<ul id=offers>",
        item,
        4,
        "</ul><script type='application/ld+json'>\
        {\"@type\": \"Store\", \"name\": \"T\", \"telephone\": \"1\"}</script>",
    );
    check(
        &html,
        "#offers > li",
        &[
            "name: [itemprop=\"name\"]",
            "sku: [itemprop=\"sku\"] @content",
            "price: [itemprop=\"price\"] #",
        ],
        None,
    );
    let structured = proposal(&html).unwrap().structured;
    assert_eq!(
        structured,
        ["JSON-LD: Store (name, telephone)", "microdata: Product (name, sku, price)"]
    );
}

#[test]
fn a_thread_of_comments() {
    let item = "<div class=comment id=c{n}><span class=author>{w}{n}</span> <time>2024-05-0{n}</time>\
        <div class=body><p>I like {w}, said {n} people, and so on and on.</p></div>\
        <div class=replies><div class=comment><span class=author>Bob{n}</span>\
        <div class=body><p>No.</p></div></div></div></div>";
    let found = proposal(&page("<h1>Talk</h1>", item, 5, "")).unwrap();
    let names: Vec<_> = found.fields.iter().map(|field| &*field.name).collect();
    assert_eq!((&*found.select, &names[..]), ("div.comment", &["author", "body", "date"][..]));
}

#[test]
fn definition_lists_and_plain_links() {
    let html = page(
        "<main><ul class=archive>",
        "<li><a href='/n/{n}'>The long story of {w}, told {n} times</a>",
        12,
        "</ul></main>",
    );
    check(&html, "ul.archive > li", &["title: a", "link: a @href"], None);
}

#[test]
fn pages_without_a_list_are_told() {
    let text = "<p>Tea is a drink that is made by pouring hot water over leaves.</p>".repeat(6);
    let article = page(
        NAV,
        "",
        0,
        &format!(
            "<main><article><h1>Tea</h1>{text}</article></main>\
        <footer><ul><li><a href=/x>Imprint</a><li><a href=/y>Privacy</a><li><a href=/z>Terms</a></ul></footer>"
        ),
    );
    for html in [&article, "", "just words", "<p>One<p>Two", "{\"a\": 1}"] {
        let none = proposal(html).unwrap_err();
        assert!(none.to_string().contains("no repeated structure"), "{html}");
    }
    let login = page(
        NAV,
        "",
        0,
        "<form><label>Name<input></label><label>Word<input></label>\
        <label>Again<input></label><button>Go</button></form>",
    );
    assert!(proposal(&login).is_err());
}

#[test]
fn a_hostile_page_costs_little_and_stays_out_of_the_selectors() {
    let odd = "<li class='a\"]{} } x{n} \u{202e}evil'><a href='/{n}' title='\"\"\"'>{w}{n}</a><b class='p\"q'>{n}</b>";
    let found = proposal(&page("<ul class='\"\"\" '>", odd, 30, "</ul>")).unwrap();
    let selectors = found.fields.iter().map(|field| &field.css).chain([&found.select]);
    for css in selectors {
        assert!(!css.contains(['"', '{', '\u{202e}', '\n']), "{css}");
    }
    let deep = "<div class=d>".repeat(20_000) + &"<p>x</p>".repeat(20_000);
    let classes: String = (0..40_000).fold(String::new(), |mut html, n| {
        let _ = write!(html, "<div class='c{n} d e'><i>{n}</i></div>");
        html
    });
    let rows = "<table>".to_owned() + &"<tr><td>1<td>2<td>3".repeat(40_000);
    for html in [deep, classes, rows] {
        let start = Instant::now();
        let _ = proposal(&html);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
