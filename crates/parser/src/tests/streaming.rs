//! Fields matched while streaming are those that selecting in the tree finds.

mod hostile;
pub(super) mod laws;

use std::time::{Duration, Instant};

use crawl_spider::{FieldQuery, ItemQuery, MatchedRows, Take, collapse_whitespace};

use crate::css::compile;
use crate::dom::Dom;
use crate::markup::events::{Consumer, Space, Text};
use crate::markup::scan::{Scanner, Token};
use crate::page_from_html;
use crate::stream::{Matcher, Matches, Table};

/// By row and field: the matches.
type Answers = Vec<Vec<Vec<Option<String>>>>;

/// Sends a document whose tags nest as they are written.
fn stream<'a>(html: &'a str, consumer: &mut impl Consumer<'a>) {
    let mut open: Vec<(&str, Space)> = Vec::new();
    for token in Scanner::html(html) {
        match token {
            Token::Start(tag) => {
                let outer = open.last().map_or(Space::Html, |&(_, space)| space);
                let space = match tag.name {
                    "svg" => Space::Svg,
                    "math" => Space::Math,
                    _ => outer,
                };
                consumer.open(&tag, space);
                open.push((tag.name, space));
                if ["br", "img", "hr", "input", "meta", "link"].contains(&tag.name) {
                    open.pop();
                    consumer.close();
                }
            }
            Token::End(name, _) => {
                let (open, _) = open.pop().unwrap();
                assert!(open.eq_ignore_ascii_case(name), "{open} is closed as {name}");
                consumer.close();
            }
            Token::Text(text) => consumer.text(Text::References(text)),
            Token::Raw(text) => consumer.text(Text::Raw(text)),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn finish(matcher: Matcher<'_>) -> Option<Matches> {
    matcher.finish().pop().unwrap()
}

fn answers(matches: &Matches, query: &ItemQuery) -> Answers {
    let field = |row, (number, field): (usize, &FieldQuery)| {
        let limit = if field.all { usize::MAX } else { 1 };
        let values = (0..matches.n_matches(row, number).min(limit)).map(|n| {
            let value = matches.value(row, number, n)?;
            Some(match field.take {
                Take::Text => collapse_whitespace(value).into_owned(),
                _ => value.to_owned(),
            })
        });
        values.collect()
    };
    let row = |row| query.fields.iter().enumerate().map(|f| field(row, f)).collect();
    (0..matches.n_rows()).map(row).collect()
}

/// What selecting in the tree answers.
fn selected(html: &str, query: &ItemQuery) -> Answers {
    let test = page_from_html("http://h/", html).unwrap();
    let rows = test.page().rows(query).unwrap();
    let owned = |values: Vec<Option<std::borrow::Cow<'_, str>>>| {
        values.into_iter().map(|value| value.map(|v| v.into_owned())).collect()
    };
    rows.iter()
        .map(|row| (0..query.fields.len()).map(|n| owned(row.all(n).unwrap())).collect())
        .collect()
}

fn table(query: &ItemQuery) -> Table {
    Table::new(vec![query.clone()])
}

/// The answers of the streaming pass and of the walk over the tree.
fn matched(html: &str, query: &ItemQuery) -> (Answers, Answers) {
    let table = table(query);
    if let Some(refusal) = table.refusal() {
        panic!("{refusal}");
    }
    let dom = Dom::html(html, &[]);
    let mut of_stream = table.matcher(dom.is_quirky()).over(html);
    stream(html, &mut of_stream);
    let mut of_tree = table.matcher(dom.is_quirky());
    of_tree.walk(&dom);
    let read = |matcher| answers(&finish(matcher).expect("nothing is unsure"), query);
    (read(of_stream), read(of_tree))
}

#[track_caller]
fn agrees(html: &str, query: &ItemQuery) -> Answers {
    let expected = selected(html, query);
    let (of_stream, of_tree) = matched(html, query);
    assert_eq!(of_stream, expected, "streamed: {query:?} in {html}");
    assert_eq!(of_tree, expected, "walked: {query:?} in {html}");
    expected
}

const DOCUMENT: &str = r##"<!DOCTYPE html>
<html n=0 lang="en-GB"><head n=1><title n=2>A &amp; B</title><meta n=3 name=Robots content="index, follow"></head>
<body n=4 class="Page  two&#32;three" id=top>
<main n=5 data-id="a&quot;b" dataFoo=Bar><h1 n=6 class=title>One</h1>
<ul n=7 type=A><li n=8 class="first item">1</li><li n=9 class=item>2<b n=10>b</b></li><LI n=11 CLASS="item last">3</LI><li n=12>4</li></ul>
<p n=13 class="intro">x<br n=14><em n=15>y</em>z<em n=16>w</em></p><p n=17 title="Hello World">t</p>
<div n=18 class=card><h2 n=19>Card</h2><span n=20 class=price>1</span><div n=21 class="card inner"><h2 n=22>Inner</h2><span n=23 class="price old">2</span></div></div>
<svg n=24 viewBox="0 0 1 1"><linearGradient n=25 class=item></linearGradient><a n=26 xlink:href="x" href=y>s</a></svg>
<input n=27 type=Text name="q[]" disabled><a n=28 href="http://x.test/a?b=1&amp;c=2" rel="nofollow me">l</a>
<a n=29 HREF='/Path.PDF' hreflang=en-US>m</a><section n=30><p n=31></p><p n=32>n</p><h2 n=33>o</h2></section>
</main><footer n=34 id="Foot"><i n=35 class="&eacute;">é</i></footer></body></html>"##;

/// The numbers of the elements that match, checked against the full engine.
#[track_caller]
fn check(css: &str, expected: &str) {
    let dom = Dom::html(DOCUMENT, &[]);
    let of_engine: Vec<_> =
        compile(css).unwrap().select(&dom, None).into_iter().map(|n| dom.attr(n, "n")).collect();
    let of_engine: Vec<_> = of_engine.into_iter().flatten().collect();
    let query = ItemQuery::each(css).field(FieldQuery::attr("", "n"));
    let found: Vec<_> =
        agrees(DOCUMENT, &query).into_iter().flatten().flatten().flatten().collect();
    assert_eq!((found.join(" "), of_engine.join(" ")), (expected.into(), expected.into()), "{css}");
}

#[test]
fn simple_selectors_match_as_in_the_tree() {
    for (css, expected) in [
        ("li", "8 9 11 12"),
        ("LI", "8 9 11 12"),
        ("*:root", "0"),
        (":root", "0"),
        (":scope", "0"),
        ("html:scope > head", "1"),
        (".item", "8 9 11 25"),
        (".Item", ""),
        (".two", "4"),
        (".three.Page", "4"),
        (".é", "35"),
        ("li.item", "8 9 11"),
        ("li.item.last", "11"),
        ("#top", "4"),
        ("#Top", ""),
        ("#Foot", "34"),
        ("body#top.Page", "4"),
        ("linearGradient", "25"),
        ("lineargradient", ""),
        ("svg a", "26"),
        ("[viewBox]", "24"),
        ("[viewbox]", ""),
        ("title, h1, em", "2 6 15 16"),
        ("*|em", "15 16"),
    ] {
        check(css, expected);
    }
}

#[test]
fn attribute_selectors_match_as_in_the_tree() {
    for (css, expected) in [
        ("[href]", "26 28 29"),
        ("a[HREF]", "28 29"),
        ("[dataFoo]", "5"),
        ("[datafoo=Bar]", "5"),
        ("[dataFoo=Bar]", "5"),
        ("[dataFoo=bar]", ""),
        ("[dataFoo=bar i]", "5"),
        ("[xlink\\:href]", ""),
        ("[data-id='a\"b']", "5"),
        ("[title='Hello World']", "17"),
        ("[title~=World]", "17"),
        ("[title~=world]", ""),
        ("[title~='']", ""),
        ("[title^=Hel]", "17"),
        ("[title^='']", ""),
        ("[title$=rld]", "17"),
        ("[title*='o W']", "17"),
        ("[title*='']", ""),
        ("[title*=WORLD i]", "17"),
        ("[hreflang|=en]", "29"),
        ("[lang|=en]", "0"),
        ("[lang|=en-GB]", "0"),
        ("[lang|=e]", ""),
        ("[type=text]", "27"),
        ("[type=text s]", ""),
        ("ul[type=a]", "7"),
        ("[name=robots]", ""),
        ("[name=robots i]", "3"),
        ("[disabled='']", "27"),
        ("[href$='.pdf' i]", "29"),
        ("[href*='&c=2']", "28"),
        ("[name='q[]']", "27"),
        ("[rel~=me][href^=http]", "28"),
    ] {
        check(css, expected);
    }
}

#[test]
fn combinators_match_as_in_the_tree() {
    for (css, expected) in [
        ("main li", "8 9 11 12"),
        ("main > li", ""),
        ("ul > li", "8 9 11 12"),
        ("html > body > main > ul > li > b", "10"),
        ("body li b", "10"),
        ("li b, b", "10"),
        (".card .price", "20 23"),
        (".card > .price", "20 23"),
        (".card .card > .price", "23"),
        (".card .card .card .price", ""),
        (".card h2 + .price", "20 23"),
        ("li + li", "9 11 12"),
        ("li + li + li", "11 12"),
        (".first ~ li", "9 11 12"),
        (".first + li ~ li", "11 12"),
        ("h1 ~ .card h2", "19 22"),
        ("p + p", "17 32"),
        ("br + em ~ em", "16"),
        ("ul + p em", "15 16"),
        ("p ~ div > h2 + span", "20"),
        ("* > em", "15 16"),
        ("section p + p ~ h2", "33"),
        ("head ~ body > footer i", "35"),
        ("div div, div", "18 21"),
        ("html + body", ""),
    ] {
        check(css, expected);
    }
}

#[test]
fn pseudo_classes_match_as_in_the_tree() {
    for (css, expected) in [
        ("li:first-child", "8"),
        ("html:first-child", "0"),
        ("li:nth-child(2)", "9"),
        ("li:nth-child(odd)", "8 11"),
        ("li:nth-child(2n)", "9 12"),
        ("li:nth-child(n + 3)", "11 12"),
        ("li:nth-child(-n + 2)", "8 9"),
        ("li:nth-child(3n - 1)", "9"),
        ("li:nth-child(0)", ""),
        ("em:nth-of-type(2)", "16"),
        ("main > :nth-of-type(2)", "17 29"),
        ("section > :first-of-type", "31 33"),
        ("p:first-of-type", "13 31"),
        ("p:nth-child(2)", "32"),
        ("li:nth-child(2) > b:first-child", "10"),
        ("em:nth-child(2)", "15"),
        (":is(h1, h2)", "6 19 22 33"),
        (":where(h1, .price)", "6 20 23"),
        (":is(h1, h2).title", "6"),
        ("div :is(h2, span):not(.old)", "19 20 22"),
        ("li:not(.item)", "12"),
        ("li:not(.first, .last)", "9 12"),
        ("li:not(:first-child)", "9 11 12"),
        ("li:not(:is(.first, :not(.item)))", "9 11"),
        ("li:not(:nth-of-type(2n))", "8 11"),
        ("p:not([class])", "17 31 32"),
        (":not(*)", ""),
        ("p:not(.x):not(.intro)", "17 31 32"),
        (":not(main) > p", "31 32"),
        (":is()", ""),
        ("p:is(:hover, .intro)", "13"),
    ] {
        check(css, expected);
    }
}

#[test]
fn what_needs_more_than_what_came_before_is_left_to_the_tree() {
    for (css, reason) in [
        ("li:last-child", "siblings"),
        ("li:nth-last-child(2)", "siblings"),
        ("li:only-child", "siblings"),
        ("li:only-of-type", "siblings"),
        ("li:last-of-type", "siblings"),
        ("p:empty", "content"),
        ("div:has(h2)", "content"),
        ("li:not(:last-child)", "siblings"),
        (":is(main li)", "combinators"),
        (":not(ul > li)", "combinators"),
        ("a::before", "not parse"),
        ("a::text", "pseudo-element"),
        ("li:nth-child(2 of .item)", "only some siblings"),
        ("svg|a", "namespace"),
        ("[*|a]", "namespace"),
        ("a\u{fffd}", "replacement"),
        ("[a\\0]", "replacement"),
        (":is(p, :checked)", "unusual"),
    ] {
        let table = table(&ItemQuery::each(css));
        let text = table.refusal().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(reason) && text.contains(css), "{css}: {text:?}");
    }
    let item = |field| ItemQuery::each("li").field(field);
    assert!(table(&item(FieldQuery::html("b"))).refusal().is_some());
    for css in ["b :scope", "b:not(:scope)", ":scope > b, i", "b:has(i)"] {
        assert!(table(&item(FieldQuery::text(css))).refusal().is_some(), "{css}");
    }
    let long = vec!["a"; 65].join(" ");
    assert!(table(&ItemQuery::each(&long)).refusal().is_some());
    assert!(table(&ItemQuery::each(&long[2..])).refusal().is_none());
    // What cannot be streamed is answered all the same, beside what can.
    let html = "<ul><li>1<li>2</ul>";
    let (last, first) = (ItemQuery::each("li:last-child"), ItemQuery::each("li:first-child"));
    let own = |query: ItemQuery| query.field(FieldQuery::text(""));
    let (last, first) = (own(last), own(first));
    assert_eq!(selected(html, &last), [[[Some("2".to_owned())]]]);
    let table = Table::new(vec![last.clone(), first.clone()]);
    assert_eq!((table.find(&last), table.find(&first)), (None, Some(0)));
}

#[test]
fn fields_are_found_within_their_items() {
    let query = ItemQuery::each(".card")
        .field(FieldQuery::text("h2"))
        .field(FieldQuery::text(".price").all())
        .field(FieldQuery::attr(":scope > .price", "class"))
        .field(FieldQuery::text("body main h2").all())
        .field(FieldQuery::attr("", "n"))
        .field(FieldQuery::text(""))
        .field(FieldQuery::text(".none"))
        .field(FieldQuery::attr("span", "none"))
        .field(FieldQuery::attr("*", "class").all())
        .field(FieldQuery::text(":scope h2, :scope > div").all())
        .field(FieldQuery::text(".card").all());
    let some = |text: &str| Some(text.to_owned());
    let rows = agrees(DOCUMENT, &query);
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0][0], &rows[1][0]), (&vec![some("Card")], &vec![some("Inner")]));
    assert_eq!((&rows[0][1], &rows[1][1]), (&vec![some("1"), some("2")], &vec![some("2")]));
    assert_eq!((&rows[0][2], &rows[1][2]), (&vec![some("price")], &vec![some("price old")]));
    assert_eq!((&rows[0][5], &rows[0][7]), (&vec![some("Card1Inner2")], &vec![None]));
    assert_eq!(rows[0][9], [some("Card"), some("Inner2"), some("Inner")]);
}

#[test]
fn a_whole_page_is_one_row() {
    let query = ItemQuery::page()
        .field(FieldQuery::text("title"))
        .field(FieldQuery::attr("a", "href").all())
        .field(FieldQuery::text(":scope > head"))
        .field(FieldQuery::text("nothing"));
    let rows = agrees(DOCUMENT, &query);
    assert_eq!((rows.len(), rows[0][0][0].as_deref()), (1, Some("A & B")));
    assert_eq!(rows[0][1][1].as_deref(), Some("http://x.test/a?b=1&c=2"));
    assert_eq!(agrees("<!DOCTYPE html><html><head></head><body></body></html>", &query).len(), 1);
}

#[test]
fn text_is_that_of_the_whole_element() {
    let html = "<!DOCTYPE html><html><head></head><body><p> a&amp;b \n<b>c&lt;</b><i></i>\td&nbsp; e \
                <script>f&amp;</script><!-- no --><textarea>g&amp;h</textarea></p></body></html>";
    let query = ItemQuery::each("p").field(FieldQuery::text("")).field(FieldQuery::text("b"));
    assert_eq!(agrees(html, &query)[0][0][0].as_deref(), Some("a&b c< d e f&amp;g&h"));
}

#[test]
fn classes_and_ids_match_in_any_case_in_quirks_mode() {
    let html = "<html><head></head><body><p class='A b' id=X>x</p></body></html>";
    for (css, n) in
        [(".a", 1), (".B", 1), ("#x", 1), ("P.a.b#X", 1), (".c", 0), ("[class='a b']", 0)]
    {
        let query = ItemQuery::each(css);
        let (of_stream, of_tree) = matched(html, &query);
        assert_eq!((of_stream.len(), of_tree.len()), (n, n), "{css}");
        let strict = format!("<!DOCTYPE html>{html}");
        assert_eq!(matched(&strict, &query).0.len(), selected(&strict, &query).len(), "{css}");
    }
}

#[test]
fn a_nul_in_a_text_that_is_taken_is_left_to_the_tree() {
    let html = "<html><body><p>a\0b</p><i>c</i></body></html>";
    for (css, is_sure) in [("p", false), ("i", true)] {
        let query = ItemQuery::each(css).field(FieldQuery::text(""));
        let table = table(&query);
        let mut matcher = table.matcher(false);
        stream(html, &mut matcher);
        assert_eq!(finish(matcher).is_some(), is_sure, "{css}");
    }
}

#[test]
fn many_selectors_at_once_do_not_disturb_each_other() {
    let mut query = ItemQuery::each("main");
    for n in 0..120 {
        query = query
            .field(FieldQuery::attr(format!("[n='{n}']"), "n"))
            .field(FieldQuery::attr(format!("body main > ul > li:nth-child({n})"), "n"));
    }
    let rows = agrees(DOCUMENT, &query);
    assert_eq!((rows[0][16][0].as_deref(), rows[0][7][0].as_deref()), (Some("8"), Some("11")));
}

#[test]
fn pages_read_for_a_spider_answer_as_others_do() {
    struct Cards(Vec<ItemQuery>);
    impl crawl_spider::Spider for Cards {
        fn parse(
            &self,
            _: &crawl_spider::Page<'_>,
            _: &mut crawl_spider::Harvest,
        ) -> Result<(), crawl_spider::SpiderError> {
            Ok(())
        }
        fn wants(&self) -> Vec<ItemQuery> {
            self.0.clone()
        }
    }
    let price = FieldQuery::text(".price");
    let cards = Cards(vec![
        ItemQuery::each(".card:has(h2)").field(price.clone()),
        ItemQuery::each("div.card").field(price.clone()).field(FieldQuery::html("h2")),
        ItemQuery::each(".card").field(price.clone()),
        ItemQuery::each(".card >").field(price),
    ]);
    let plain = page_from_html("http://h/", DOCUMENT).unwrap();
    let read = page_from_html("http://h/", DOCUMENT).unwrap().with_spider(&cards);
    for query in &cards.0[..3] {
        let values = |page: crawl_spider::Page<'_>| -> Vec<_> {
            let rows = page.rows(query).unwrap();
            rows.iter().map(|row| row.first(0).unwrap().unwrap().into_owned()).collect()
        };
        assert_eq!((values(plain.page()), values(read.page()).len()), (values(read.page()), 2));
    }
    // The same thread reads for another spider, and for this one again.
    let none = page_from_html("http://h/", DOCUMENT).unwrap().with_spider(&Cards(Vec::new()));
    assert_eq!(none.page().rows(&cards.0[2]).unwrap().len(), 2);
    let again = page_from_html("http://h/", "<p class=card>").unwrap().with_spider(&cards);
    assert_eq!(again.page().rows(&cards.0[2]).unwrap().len(), 1);
    let error = read.page().rows(&cards.0[3]).unwrap_err().to_string();
    assert!(error.contains("is not a CSS selector"), "{error}");
}
