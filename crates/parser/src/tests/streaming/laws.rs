//! Random selectors on random documents: the stream answers as the tree does.

use crawl_spider::{FieldQuery, ItemQuery, Take};
use proptest::prelude::*;

use super::{answers, finish, matched, selected, stream, table};
use crate::markup::outline;
use crate::stream::Table;

/// A compound selector.
fn compound() -> impl Strategy<Value = String> {
    let simple = prop::sample::select(vec![
        ".a",
        ".b",
        ".c",
        ".B",
        "#x",
        "#y",
        "[t]",
        "[t=u]",
        "[t~=v]",
        "[t^=u i]",
        "[T*='&']",
        ":first-child",
        ":nth-child(2)",
        ":nth-child(odd)",
        ":nth-of-type(2)",
        ":first-of-type",
        ":not(.a)",
        ":not(p, .b)",
        ":is(div, .c)",
        ":where(span)",
        ":not(:nth-child(2n))",
        ":root",
    ]);
    let name = prop::sample::select(vec!["", "", "*", "div", "p", "SPAN", "b", "body"]);
    (name, prop::collection::vec(simple, 0..3)).prop_map(|(name, simple)| {
        match format!("{name}{}", simple.concat()) {
            empty if empty.is_empty() => "*".to_owned(),
            compound => compound,
        }
    })
}

fn complex() -> impl Strategy<Value = String> {
    let next = prop::sample::select(vec![" ", " ", " > ", " + ", " ~ "]);
    (compound(), prop::collection::vec((next, compound()), 0..3)).prop_map(|(first, rest)| {
        rest.into_iter().fold(first, |all, (next, compound)| all + next + &compound)
    })
}

fn selector() -> impl Strategy<Value = String> {
    prop::collection::vec(complex(), 1..3).prop_map(|list| list.join(", "))
}

fn field() -> impl Strategy<Value = FieldQuery> {
    let css = prop_oneof![
        6 => selector(),
        1 => Just(String::new()),
        2 => (prop::sample::select(vec![" ", " > "]), complex())
            .prop_map(|(next, complex)| format!(":scope{next}{complex}")),
        1 => complex().prop_map(|complex| format!(":scope.a {complex}")),
    ];
    let take = prop::sample::select(vec![
        Take::Text,
        Take::Attr("t".to_owned()),
        Take::Attr("class".to_owned()),
    ]);
    (css, take, any::<bool>()).prop_map(|(css, take, all)| FieldQuery { css, take, all })
}

fn query() -> impl Strategy<Value = ItemQuery> {
    (prop::option::weighted(0.9, selector()), prop::collection::vec(field(), 1..5)).prop_map(
        |(select, mut fields)| {
            if select.is_none() {
                fields.retain(|field| !field.css.is_empty());
            }
            ItemQuery { select, fields }
        },
    )
}

/// Elements that nest as they are written.
fn piece() -> impl Strategy<Value = String> {
    let class = prop::sample::select(vec![
        "",
        " class=a",
        " CLASS='a b'",
        " class=\" b\tc \"",
        " class=c&#32;a",
    ]);
    let id = prop::sample::select(vec!["", "", "", " id=x", " id='y'", " id=X"]);
    let other =
        prop::sample::select(vec!["", "", " t", " t=u", " T='u v'", " t='U&amp;v' t=no", " s=1"]);
    let attrs = (class, id, other).prop_map(|(class, id, other)| format!("{class}{id}{other}"));
    let leaf = prop_oneof![
        "[a-z &;é\n]{0,6}".prop_map(|text| text.replace('&', "&amp;")),
        Just("<br>".to_owned()),
        Just("<!-- <p> -->".to_owned()),
        attrs.clone().prop_map(|attrs| format!("<span{attrs}>&lt;x</span>")),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let name = prop::sample::select(vec!["div", "div", "section", "Span", "i"]);
        (name, attrs.clone(), prop::collection::vec(inner, 0..5))
            .prop_map(|(name, attrs, inner)| format!("<{name}{attrs}>{}</{name}>", inner.concat()))
    })
}

/// Markup as people write it: end tags left out or wrong, tables, references, foreign content.
pub(in crate::tests) fn sloppy() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>",
        "<p class=a>",
        "</p>",
        "<li>",
        "<li class='b c'>",
        "<ul>",
        "</ul>",
        "<div class=a id=x>",
        "<div>",
        "</div>",
        "<b>",
        "</b>",
        "<a href=1 t=u>",
        "</a>",
        "<span t='u v'>",
        "</span>",
        "<br>",
        "<table>",
        "<tr>",
        "<td class=c>",
        "</table>",
        "<svg class=b>",
        "<a t>",
        "</svg>",
        "<path/>",
        "x",
        " y&amp;z ",
        "&lt",
        "<!-- -->",
        "<script>a<b></script>",
        "<h2>",
        "</h2>",
        "<option>",
        "<select>",
        "</select>",
        "<template><p class=a></template>",
        "<body class=b>",
        "<image t=u>",
        "<title>t&amp;</title>",
        "<textarea>\n<p></textarea>",
        "<math><mi t>",
        "</math>",
        "\r\n",
        "<dl><dt class=a><dd>",
        "</dl>",
        "<noscript><i class=b></i></noscript>",
        "<input>",
        "</x>",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn an_outline_answers_as_the_tree_does(
        doctype in prop::sample::select(vec!["<!DOCTYPE html>", "<!doctype html><html><head></head>"]),
        body in sloppy(),
        query in query(),
    ) {
        let html = format!("{doctype}{body}");
        let table = table(&query);
        prop_assume!(table.refusal().is_none());
        let mut matcher = table.matcher(false).over(&html);
        if outline::read(&html, &mut matcher).is_err() {
            return Ok(());
        }
        let of_outline = answers(&finish(matcher).unwrap(), &query);
        prop_assert_eq!(of_outline, selected(&html, &query), "{:?}\n{}", query, html);
    }

    #[test]
    fn any_table_answers_as_the_tree_does(
        pieces in prop::collection::vec(piece(), 0..6),
        query in query(),
    ) {
        let html = format!(
            "<!DOCTYPE html><html><head></head><body class=b>{}</body></html>", pieces.concat()
        );
        let expected = selected(&html, &query);
        let table = table(&query);
        // A `:scope` in only some alternatives is left to the tree.
        prop_assume!(table.refusal().is_none());
        let (of_stream, of_tree) = matched(&html, &query);
        prop_assert_eq!(&of_stream, &expected, "{:?}\n{}", query, html);
        prop_assert_eq!(&of_tree, &expected, "{:?}\n{}", query, html);
    }

    #[test]
    fn no_selector_makes_anything_panic(css in "[a-z.#:>+~,*()\\[\\]='\"\\\\ |0-9n-]{0,20}") {
        let page = ItemQuery::page().field(FieldQuery::text(css.clone()));
        let table = Table::new(vec![page, ItemQuery::each(css).field(FieldQuery::text("a"))]);
        let mut matcher = table.matcher(true);
        stream("<a n=1><b class=n>x</b></a>", &mut matcher);
        drop(matcher.finish());
    }
}
