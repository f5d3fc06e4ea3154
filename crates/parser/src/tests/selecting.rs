//! CSS selectors: cases, some of them also put to lxml, a naive matcher, and hostile pages.

use std::time::{Duration, Instant};

use crawl_spider::NodeId;
use proptest::prelude::*;
use serde::Deserialize;

use crate::css::compile;
use crate::dom::Dom;

/// One line of `tests/cases/css.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    doc: String,
    css: String,
    /// What `expect` has of each node: its `id` attribute, or its text.
    show: Show,
    expect: Vec<String>,
    /// Whether lxml must say the same.
    lxml: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Show {
    Id,
    Text,
}

const DOCUMENTS: [(&str, &str); 5] = [
    ("shop.html", include_str!("../../tests/cases/shop.html")),
    ("article.html", include_str!("../../tests/cases/article.html")),
    ("tables.html", include_str!("../../tests/cases/tables.html")),
    ("odd.html", include_str!("../../tests/cases/odd.html")),
    ("quirks.html", include_str!("../../tests/cases/quirks.html")),
];

fn cases() -> Vec<Case> {
    let lines = include_str!("../../tests/cases/css.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}

#[test]
fn selectors_find_what_the_standard_says() {
    let doms: Vec<_> = DOCUMENTS.iter().map(|(name, html)| (*name, Dom::html(html, &[]))).collect();
    let mut wrong = Vec::new();
    for case in cases() {
        let (_, dom) = doms.iter().find(|(name, _)| **name == *case.doc).expect("a document");
        let selector = compile(&case.css).unwrap_or_else(|error| panic!("{error}"));
        let nodes = selector.select(dom, None);
        let show = |node: &NodeId| match case.show {
            Show::Id => dom.attr(*node, "id").unwrap_or("?").to_owned(),
            Show::Text => dom.text_content(*node).into_owned(),
        };
        let found: Vec<_> = nodes.iter().map(show).collect();
        if found != case.expect {
            wrong.push(format!("{} {}\n   {found:?}\n   {:?}", case.doc, case.css, case.expect));
        }
        let alone: Vec<_> = all(dom).filter(|&node| selector.matches(dom, node)).collect();
        assert_eq!(alone, nodes, "{} {}: one by one", case.doc, case.css);
    }
    assert!(wrong.is_empty(), "found, and expected:\n{}", wrong.join("\n"));
}

#[test]
fn there_are_enough_cases_and_half_of_them_are_lxmls() {
    let cases = cases();
    let n_lxml = cases.iter().filter(|case| case.lxml).count();
    assert!(cases.len() >= 200 && n_lxml * 2 >= cases.len(), "{n_lxml} of {}", cases.len());
}

/// All nodes, attributes included.
fn all(dom: &Dom) -> impl Iterator<Item = NodeId> + use<> {
    (0..dom.len()).map(NodeId)
}

/// What is found below the first match of `root`, as `id` attribute or text.
#[track_caller]
fn check_below(html: &str, root: &str, css: &str, expected: &[&str]) {
    let dom = Dom::html(html, &[]);
    let root = compile(root).unwrap().select(&dom, None)[0];
    let found = compile(css).unwrap().select(&dom, Some(root));
    let show = |node: NodeId| match dom.attr(node, "id") {
        Some(id) => id.to_owned(),
        None => dom.text_content(node).into_owned(),
    };
    assert_eq!(found.into_iter().map(show).collect::<Vec<_>>(), expected, "{root:?} {css}");
}

#[test]
fn a_search_below_an_element_sees_what_is_above_but_finds_only_what_is_below() {
    let html = "<main id=m><div id=a class=x><p id=p1>1<b id=b1>2</b></p></div><div id=b><p id=p2 \
                title=t>3<i id=i1>4</i>5</p><p id=p3></p></div></main>";
    check_below(html, "#b", "p", &["p2", "p3"]);
    check_below(html, "#b", "main p", &["p2", "p3"]);
    check_below(html, "#b", ".x + div > p:first-child", &["p2"]);
    check_below(html, "#b", "div", &[]);
    check_below(html, "#b", ":scope > p", &["p2", "p3"]);
    check_below(html, "#b", ":scope", &[]);
    check_below(html, "main", ":scope > div > p", &["p1", "p2", "p3"]);
    check_below(html, "main", ":scope > p", &[]);
    check_below(html, "#b", ":scope:has(i) p", &["p2", "p3"]);
    check_below(html, "#b", ".x ~ :scope > :last-child", &["p3"]);
    check_below(html, "#b", "p:contains('345'), main:contains('1') i", &["p2", "i1"]);
    check_below(html, "#b", "div:contains('12')", &[]);
    check_below(html, "#b", ":root :scope i", &["i1"]);
    // Texts and attributes of the root itself are below it.
    check_below(html, "#p2", "::text", &["3", "4", "5"]);
    check_below(html, "#p2", "p::text", &["3", "5"]);
    check_below(html, "#p2", "::attr(title)", &["t"]);
    check_below(html, "#p2", ":scope::text, i", &["3", "i1", "5"]);
    check_below(html, "#p3", "::text", &[]);
}

#[test]
fn xml_names_are_taken_as_written() {
    let mut dom = Dom::html("<svg><linearGradient ID=g></svg><p id=a CLASS=k type=X>", &[]);
    let ids = |dom: &Dom, css: &str| compile(css).unwrap().select(dom, None).len();
    assert_eq!((ids(&dom, "P"), ids(&dom, "[TYPE=x]"), ids(&dom, "lineargradient")), (1, 1, 0));
    dom = dom.with_flavour(crate::dom::Flavour::Xml);
    for (css, n) in [
        ("P", 0),
        ("p", 1),
        ("[TYPE]", 0),
        ("[type=x]", 0),
        ("[type=X]", 1),
        ("[type=x i]", 1),
        ("linearGradient", 1),
        ("p::attr(CLASS)", 0),
        ("p::attr(class)", 1),
        (".k#a", 1),
    ] {
        assert_eq!(ids(&dom, css), n, "{css}");
    }
}

/// A page of about this many elements, and how long a search in it may take.
#[track_caller]
fn stays_cheap(html: &str, selectors: &[&str]) {
    let dom = Dom::html(html, &[]);
    let n_elements = all(&dom).filter(|&node| dom.is_element(node)).count();
    assert!(n_elements > 5_000, "{n_elements}");
    for css in selectors {
        let start = Instant::now();
        let found = compile(css).unwrap().select(&dom, None).len();
        // Unoptimised and with other tests beside it it takes a thirtieth; what is quadratic,
        // several times as long.
        let limit = Duration::from_secs(1);
        assert!(start.elapsed() < limit, "{css}: {:?}, {found} found", start.elapsed());
    }
}

const COSTLY: [&str; 18] = [
    "a ~ b",
    "i ~ i ~ i ~ b",
    "i ~ i + i",
    ":nth-last-child(3)",
    ":nth-child(2n+1)",
    "i:nth-last-of-type(2n)",
    ":nth-child(7 of i:not(.x))",
    ":nth-last-child(7 of i ~ i)",
    "i:has(~ .none)",
    "i:has(~ .last)",
    "i:has(+ i ~ i + .none)",
    ":has(.none)",
    ":has(.last)",
    ":has(i > i .none)",
    ":not(:has(i i i i i .none))",
    "i i i i i .none, .none i i i i i, .none > i i > i",
    ":contains(none), :contains(x), i:contains(xx) ::text",
    ":lang(de) :lang(en), :disabled, :read-write",
];

#[test]
fn many_siblings_stay_cheap() {
    let siblings = format!("{}<i class=last>x</i>", "<i>x</i>".repeat(6_000));
    stays_cheap(&siblings, &COSTLY);
    // All of different types, with comments in between.
    let types: String = (0..6_000).map(|n| format!("<i{n}>x</i{n}><!---->")).collect();
    stays_cheap(&types, &COSTLY);
    let comments = format!("{}{}", "<!---->".repeat(10_000), "<i></i>".repeat(6_000));
    stays_cheap(&comments, &[":first-child", ":empty", "i + i", "i ~ b", ":nth-child(n+3)"]);
}

#[test]
fn deep_nesting_stays_cheap() {
    stays_cheap(&"<i>x".repeat(6_000), &COSTLY);
    let deep = format!("{}{}", "<div><i>".repeat(200), "<i>x</i>".repeat(6_000));
    stays_cheap(&deep, &COSTLY);
    stays_cheap(&deep, &["div > div ~ i", "div i, div div i", "div:has(i ~ b) i", "div i ~ i"]);
}

#[test]
fn huge_values_are_read_once_per_element() {
    let class = "c ".repeat(200_000);
    let html = format!("<div class='{class}' title='{class}'>{}</div>", "<p>x</p>".repeat(6_000));
    stays_cheap(&html, &[".none > p", "[title*=cd] p", "[title$='d'] > p ~ p", ".c p"]);
}

#[test]
fn the_longest_selector_fits_the_stack() {
    let dom = Dom::html(&"<i>".repeat(600), &[]);
    let css = format!("{}i", "i ".repeat(500));
    let found = compile(&css).unwrap().select(&dom, None).len();
    assert!(found > 0);
    let nested = format!("{}i i i{}", "i i:not(b ".repeat(15), ")".repeat(15));
    assert!(compile(&nested).is_ok());
    compile(&nested).unwrap().select(&dom, None);
}

/// A selector as the property test makes it, for the naive matcher to read.
#[derive(Debug, Clone)]
enum Simple {
    Tag(&'static str),
    Class(&'static str),
    Id(&'static str),
    Attr(&'static str),
    Nth(i64, i64),
    NthLast(i64, i64),
    Not(Vec<Complex>),
    Is(Vec<Complex>),
    NthOf(i64, i64, Vec<Complex>),
    Has(char, Complex),
}

#[derive(Debug, Clone)]
struct Complex {
    first: Vec<Simple>,
    rest: Vec<(char, Vec<Simple>)>,
}

fn write_list(list: &[Complex]) -> String {
    list.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn write(complex: &Complex) -> String {
    let compound = |simple: &[Simple]| simple.iter().map(write_simple).collect::<String>();
    let rest = complex.rest.iter().map(|(sign, part)| format!(" {sign} {}", compound(part)));
    compound(&complex.first) + &rest.collect::<String>()
}

fn write_simple(simple: &Simple) -> String {
    match simple {
        Simple::Tag(name) => (*name).to_owned(),
        Simple::Class(name) => format!(".{name}"),
        Simple::Id(name) => format!("#{name}"),
        Simple::Attr(value) => format!("[class~=\"{value}\"]"),
        Simple::Nth(a, b) => format!(":nth-child({a}n{b:+})"),
        Simple::NthLast(a, b) => format!(":nth-last-child({a}n{b:+})"),
        Simple::Not(list) => format!(":not({})", write_list(list)),
        Simple::Is(list) => format!(":is({})", write_list(list)),
        Simple::NthOf(a, b, list) => format!(":nth-child({a}n{b:+} of {})", write_list(list)),
        Simple::Has(sign, complex) => format!(":has({sign} {})", write(complex)),
    }
}

/// The document as the naive matcher sees it: element nodes, each with its parent.
struct Naive<'a>(&'a Dom);

impl Naive<'_> {
    fn elements(&self) -> Vec<NodeId> {
        all(self.0).filter(|&node| self.0.is_element(node)).collect()
    }

    fn siblings(&self, node: NodeId) -> Vec<NodeId> {
        let parent = self.0.parent(node);
        self.elements().into_iter().filter(|&other| self.0.parent(other) == parent).collect()
    }

    /// Whether `b` stands to `a` as the sign says.
    fn related(&self, a: NodeId, sign: char, b: NodeId) -> bool {
        let siblings = self.siblings(b);
        let place = |node| siblings.iter().position(|&other| other == node);
        match sign {
            '>' => self.0.parent(b) == Some(a),
            ' ' => self.0.ancestors(b).any(|above| above == a),
            '+' => place(a).is_some_and(|at| Some(at + 1) == place(b)),
            _ => place(a).is_some_and(|at| Some(at) < place(b)),
        }
    }

    /// All elements that the whole selector can end at, when it begins at one of `from`.
    fn ends(&self, from: Vec<NodeId>, rest: &[(char, Vec<Simple>)]) -> Vec<NodeId> {
        rest.iter().fold(from, |from, (sign, compound)| {
            let is_end = |&node: &NodeId| {
                self.all(compound, node) && from.iter().any(|&a| self.related(a, *sign, node))
            };
            self.elements().into_iter().filter(is_end).collect()
        })
    }

    fn complex(&self, complex: &Complex, node: NodeId) -> bool {
        let begins = |&node: &NodeId| self.all(&complex.first, node);
        let from = self.elements().into_iter().filter(begins).collect();
        self.ends(from, &complex.rest).contains(&node)
    }

    fn any(&self, list: &[Complex], node: NodeId) -> bool {
        list.iter().any(|complex| self.complex(complex, node))
    }

    fn all(&self, compound: &[Simple], node: NodeId) -> bool {
        compound.iter().all(|simple| self.simple(simple, node))
    }

    fn simple(&self, simple: &Simple, node: NodeId) -> bool {
        let class = self.0.attr(node, "class").unwrap_or_default();
        let takes = |a: i64, b: i64, place: usize| {
            (0..50).any(|n| a * n + b == i64::try_from(place).unwrap())
        };
        let place = |siblings: Vec<NodeId>| siblings.iter().position(|&other| other == node);
        match simple {
            Simple::Tag(name) => self.0.name(node) == *name,
            Simple::Class(name) | Simple::Attr(name) => class.split(' ').any(|word| word == *name),
            Simple::Id(name) => self.0.attr(node, "id") == Some(name),
            Simple::Nth(a, b) => takes(*a, *b, 1 + place(self.siblings(node)).unwrap()),
            Simple::NthLast(a, b) => {
                let siblings = self.siblings(node).into_iter().rev().collect();
                takes(*a, *b, 1 + place(siblings).unwrap())
            }
            Simple::Not(list) => !self.any(list, node),
            Simple::Is(list) => self.any(list, node),
            Simple::NthOf(a, b, list) => {
                let siblings = self.siblings(node).into_iter();
                let counted = siblings.filter(|&other| self.any(list, other)).collect();
                place(counted).is_some_and(|at| takes(*a, *b, at + 1))
            }
            Simple::Has(sign, complex) => {
                let begins = |&other: &NodeId| {
                    self.related(node, *sign, other) && self.all(&complex.first, other)
                };
                let from = self.elements().into_iter().filter(begins).collect();
                !self.ends(from, &complex.rest).is_empty()
            }
        }
    }
}

fn document() -> impl Strategy<Value = String> {
    let names = (
        prop::sample::select(vec!["div", "b", "i"]),
        prop::sample::select(vec!["", "x", "y", "x y"]),
        prop::sample::select(vec!["", "", "m", "n"]),
    );
    let open =
        names.prop_map(|(tag, class, id)| (tag, format!("<{tag} class='{class}' id='{id}'>")));
    let leaf = prop_oneof![
        Just("t".to_owned()),
        Just("<!-- -->".to_owned()),
        Just("<i class=x></i>".to_owned()),
    ];
    // The tree builder may move what is misnested; both sides see the tree it makes.
    leaf.prop_recursive(5, 24, 4, move |inner| {
        (open.clone(), prop::collection::vec(inner, 0..4))
            .prop_map(|((tag, open), inner)| format!("{open}{}</{tag}>", inner.concat()))
    })
}

fn compound(has_lists: bool) -> BoxedStrategy<Vec<Simple>> {
    let numbers = || (-3_i64..4, -3_i64..5);
    let plain = prop_oneof![
        4 => prop::sample::select(vec!["x", "y"]).prop_map(Simple::Class),
        1 => prop::sample::select(vec!["m", "n"]).prop_map(Simple::Id),
        1 => prop::sample::select(vec!["x", "y"]).prop_map(Simple::Attr),
        1 => numbers().prop_map(|(a, b)| Simple::Nth(a, b)),
        1 => numbers().prop_map(|(a, b)| Simple::NthLast(a, b)),
    ];
    let simple = if has_lists {
        let list = || prop::collection::vec(complex(false), 1..3);
        prop_oneof![
            4 => plain,
            1 => list().prop_map(Simple::Not),
            1 => list().prop_map(Simple::Is),
            1 => (numbers(), list()).prop_map(|((a, b), list)| Simple::NthOf(a, b, list)),
            2 => (sign(), complex(false)).prop_map(|(sign, complex)| Simple::Has(sign, complex)),
        ]
        .boxed()
    } else {
        plain.boxed()
    };
    let tag = prop::option::of(prop::sample::select(vec!["div", "b", "i"]));
    (tag, prop::collection::vec(simple, 0..3))
        .prop_map(|(tag, rest)| {
            let tag = tag.or(rest.is_empty().then_some("div")).map(Simple::Tag);
            tag.into_iter().chain(rest).collect()
        })
        .boxed()
}

fn sign() -> impl Strategy<Value = char> {
    prop::sample::select(vec![' ', '>', '+', '~'])
}

fn complex(has_lists: bool) -> BoxedStrategy<Complex> {
    (compound(has_lists), prop::collection::vec((sign(), compound(has_lists)), 0..4))
        .prop_map(|(first, rest)| Complex { first, rest })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_naive_matcher_finds_the_same(
        pieces in prop::collection::vec(document(), 1..4),
        list in prop::collection::vec(complex(true), 1..3),
    ) {
        let dom = Dom::html(&format!("<!DOCTYPE html><body>{}", pieces.concat()), &[]);
        let naive = Naive(&dom);
        let css = write_list(&list);
        let selector = compile(&css).unwrap();
        let expected: Vec<_> =
            naive.elements().into_iter().filter(|&node| naive.any(&list, node)).collect();
        prop_assert_eq!(selector.select(&dom, None), expected.clone(), "{}", css);
        for root in naive.elements() {
            let is_below = |&node: &NodeId| dom.ancestors(node).any(|above| above == root);
            let below: Vec<_> = expected.iter().copied().filter(is_below).collect();
            prop_assert_eq!(selector.select(&dom, Some(root)), below, "{} below {:?}", css, root);
        }
    }

    #[test]
    fn no_selector_makes_anything_panic(
        css in "([a-z*.#:>+~, |()\\[\\]=\"'\\\\i0-9é-]|:not\\(|:is\\(|:has\\(|:nth-child\\(|2n|::text|::attr\\(|/\\*|\\*/){0,24}"
    ) {
        let dom = Dom::html("<div class=a id=b><i>x</i><i title=y>z</i></div>", &[]);
        if let Ok(selector) = compile(&css) {
            let found = selector.select(&dom, None);
            prop_assert!(found.is_sorted_by_key(|node| node.0));
        }
    }
}
