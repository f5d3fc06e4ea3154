//! Documents and selectors that are made to hurt.

use super::*;

/// Matches a hostile document and checks what it costs.
#[track_caller]
fn stays_cheap(html: &str, query: &ItemQuery) -> Option<Matches> {
    let (table, start) = (table(query), Instant::now());
    assert!(table.refusal().is_none());
    let mut matcher = table.matcher(false);
    stream(html, &mut matcher);
    let matches = finish(matcher);
    assert!(start.elapsed() < Duration::from_secs(5), "{query:?}: {:?}", start.elapsed());
    matches
}

#[test]
fn items_that_nest_deep_cost_no_more_than_flat_ones() {
    let n = 20_000;
    let html = format!("{}{}", "<div a=1>x<i>y</i>".repeat(n), "</div>".repeat(n));
    let query = ItemQuery::each("div")
        .field(FieldQuery::text(""))
        .field(FieldQuery::text("i").all())
        .field(FieldQuery::attr("div div", "a"))
        .field(FieldQuery::attr("div", "a").all());
    let matches = stays_cheap(&html, &query).unwrap();
    assert_eq!((matches.n_rows(), matches.n_matches(0, 1), matches.n_matches(n - 1, 1)), (n, n, 1));
    assert_eq!(matches.value(0, 0, 0).map(str::len), Some(2 * n));
    assert_eq!((matches.value(n - 1, 0, 0), matches.value(n - 2, 3, 0)), (Some("xy"), Some("1")));
}

#[test]
fn scopes_that_nest_deep_are_left_to_the_tree() {
    let query = ItemQuery::each("div")
        .field(FieldQuery::attr(":scope > div", "n"))
        .field(FieldQuery::attr(":scope div", "n").all());
    let nested = |n: usize| {
        let tags: String = (0..n).map(|n| format!("<div n={n}>")).collect();
        format!(
            "<!DOCTYPE html><html><head></head><body>{tags}{}</body></html>",
            "</div>".repeat(n)
        )
    };
    assert_eq!(agrees(&nested(32), &query).len(), 32);
    assert!(stays_cheap(&nested(20_000), &query).is_none());
    let table = table(&query);
    let dom = Dom::html(&nested(40), &[]);
    let mut matcher = table.matcher(false);
    matcher.walk(&dom);
    assert!(finish(matcher).is_none());
}

#[test]
fn hostile_documents_stay_cheap() {
    let query = ItemQuery::each("p:nth-of-type(2), .c, [x], #i, a ~ b ~ c, a + b")
        .field(FieldQuery::text(""))
        .field(FieldQuery::attr("*:nth-of-type(3)", "x").all());
    let many_names: String = (0..20_000).map(|n| format!("<x{n}></x{n}>")).collect();
    stays_cheap(&many_names, &query);
    let classes = "a b d ".repeat(100_000);
    stays_cheap(&format!("<p class='{classes}' id=j></p>"), &query);
    let attributes: String = (0..50_000).map(|n| format!("a{n}=x ")).collect();
    stays_cheap(&format!("<p {attributes}></p>"), &query);
    stays_cheap(
        &format!("<p x='{}'>{}</p>", "&amp;".repeat(100_000), "&lt;".repeat(100_000)),
        &query,
    );
    stays_cheap(&"<a></a><b></b>".repeat(20_000), &query);
}

#[test]
fn events_that_do_not_nest_do_no_harm() {
    let query = ItemQuery::each("p:nth-child(1)").field(FieldQuery::text(":scope > b"));
    let table = table(&query);
    let mut matcher = table.matcher(false);
    matcher.close();
    matcher.close();
    matcher.text(Text::Raw("x"));
    for token in Scanner::html("<p><b>y</b></p></p></p><p><b>z") {
        match token {
            Token::Start(tag) => matcher.open(&tag, Space::Html),
            Token::End(..) => matcher.close(),
            Token::Text(text) | Token::Raw(text) => matcher.text(Text::References(text)),
        }
    }
    assert!(finish(matcher).is_some_and(|matches| matches.n_rows() >= 1));
}
