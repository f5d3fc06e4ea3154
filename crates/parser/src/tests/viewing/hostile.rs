//! Documents that are made to be costly, and documents by chance.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::{TestPage, page_from_html};

/// Asks for everything that there is.
fn ask_all(test: &TestPage) {
    let page = test.page();
    for form in page.forms() {
        let _ = (form.submit(), form.submit_with("x"));
    }
    let _ = serde_json::to_string(page.metadata()).unwrap();
    let structured = serde_json::to_string(page.structured()).unwrap();
    assert!(structured.len() < 300 << 20);
    let _ = page.tables("table").unwrap().iter().map(crawl_spider::Table::rows_as_maps).count();
    let _ = page.markdown();
}

/// What a unit many times over costs; `#` in it is a number.
#[track_caller]
fn stays_cheap(unit: &str) {
    let mut html = String::new();
    let mut n = 0;
    while html.len() < 12 * 1024 {
        html.push_str(&unit.replace('#', &n.to_string()));
        n += 1;
    }
    let test = page_from_html("http://h/", &html).unwrap();
    let start = Instant::now();
    ask_all(&test);
    assert!(start.elapsed() < Duration::from_secs(10), "{unit}: {:?}", start.elapsed());
}

#[test]
fn many_of_one_kind_stay_cheap() {
    for unit in [
        "<div>",
        "<b>x<i>y",
        "<ul><li>x",
        "<blockquote>x<br>y",
        "<table><tr><td>x",
        "<form><input name=a#>",
        "<fieldset disabled><legend><input name=a>",
        "<select name=a><option>x",
        "<div itemscope itemprop=a id=i# itemref='i1 i2 i3'>x",
        "<div vocab=http://s/ typeof=A property='a b c'>x",
        "<a href=x#><p>y",
        "<meta name=a# content=x>",
        "<script type=application/ld+json>[1,",
        "<pre>x`<br>",
        "<td colspan=1000 rowspan=0>x<tr>",
        "<br>- ",
        "*_[",
    ] {
        stays_cheap(unit);
    }
}

#[test]
fn what_is_too_large_is_not_searched_for_a_text() {
    let text = "<p>A sentence, with commas, that is long enough to count as a text.</p>".repeat(20);
    let deep = "<div>".repeat(500) + &"<i></i>".repeat(7000);
    for more in ["<b></b>".repeat(100_000), "x".repeat(5 << 20), deep] {
        let test = page_from_html("http://h/", &format!("{text}{more}")).unwrap();
        assert_eq!(test.page().main_text(), None);
    }
}

#[test]
fn items_that_refer_to_each_other_are_cut_short() {
    // Each item holds all those of the next level twice: 2^40 values.
    let mut html = String::from("<div itemscope itemref='a0 b0'></div>");
    for n in 0..40 {
        for side in ["a", "b"] {
            html.push_str(&format!(
                "<div id={side}{n} itemprop=p itemscope itemref='a{m} b{m}'></div>",
                m = n + 1
            ));
        }
    }
    let test = page_from_html("http://h/", &html).unwrap();
    assert!(test.page().structured().truncated);
}

#[test]
fn a_document_that_nests_to_the_limit_needs_little_stack() {
    let html = format!(
        "{}{}text that goes on, and on, and on, for quite a while, so that it is taken for one{}",
        "<div><section><blockquote><ul><li>".repeat(200),
        "<p>A sentence, with commas, that is long enough to count as a text of its own.</p>"
            .repeat(20),
        "</div>".repeat(9),
    );
    let read = move || {
        let test = page_from_html("http://h/", &html).unwrap();
        ask_all(&test);
        assert!(test.page().main_text().is_some());
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(read).unwrap().join().unwrap();
}

/// Documents of the tags and attributes that the page view looks at.
fn document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z#*_`\\[\\]<>&|!.\n é¶-]{0,12}",
        "</?(form|input|select|option|optgroup|textarea|button|fieldset|legend|datalist|table|tr|td|th|thead|tfoot|caption|ul|ol|li|p|div|h2|pre|code|blockquote|b|i|a|q|img|br|hr|dl|dt|dd|title|svg|template|sup|noscript|label)( (name|value|type|id|form|disabled|checked|selected|multiple|list|colspan|rowspan|start|href|src|alt|title|hidden)(=(a|b|0|9|radio|checkbox|submit|range|date|'x y'|-1))?){0,3}>",
        "<(div|p|a|span|meta|link|img|time)( (itemscope|itemprop|itemtype|itemref|itemid|id|vocab|typeof|property|resource|about|prefix|content|href|src|rel|datetime)(=(a|b|'a b'|og:a|'a: b'|_:a|http://x/))?){0,4}>",
        "<script type=application/ld\\+json>[\\[\\]{}\",:a1\\\\/ ]{0,12}</script>",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_document_makes_it_panic(html in document()) {
        let test = page_from_html("http://h/d/p", &html).unwrap();
        ask_all(&test);
        let _ = test.page().main_text();
    }

    #[test]
    fn text_comes_back_from_markdown_unharmed(text in "[a-zA-Z0-9 .,;:!?*_#<>&|~`\\[\\]()+=-]{0,40}") {
        // Without what was escaped, and the line's ends, it is the text.
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        let test = page_from_html("http://h/", &format!("<p>{escaped}</p>")).unwrap();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let mut plain = String::new();
        let markdown = test.page().markdown();
        let mut chars = markdown.chars();
        while let Some(c) = chars.next() {
            plain.push(if c == '\\' { chars.next().unwrap() } else { c });
        }
        prop_assert_eq!(plain, words.join(" "));
    }
}
