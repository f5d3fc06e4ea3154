//! XPath: the cases that lxml is asked too, what is refused, and what a hostile expression costs.

mod laws;

use std::time::{Duration, Instant};

use crawl_spider::{NodeId, SelectorProblem};
use serde::Deserialize;

use crate::dom::Dom;
use crate::page_from_html;
use crate::xpath::{Value, compile};

const CASES: &str = include_str!("../../tests/cases/xpath.jsonl");

/// One line of the cases. `lxml` says whether lxml gives the same; `.ci/lxml-xpath` checks it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    doc: String,
    xpath: String,
    /// An expression for the node it is asked of; the document if there is none.
    context: Option<String>,
    expect: serde_json::Value,
    lxml: bool,
}

fn document(name: &str) -> Dom {
    match name {
        "xpath-shop.html" => Dom::html(include_str!("../../tests/cases/xpath-shop.html"), &[]),
        "xpath-tree.html" => Dom::html(include_str!("../../tests/cases/xpath-tree.html"), &[]),
        "xpath-feed.xml" => Dom::xml(include_str!("../../tests/cases/xpath-feed.xml")),
        _ => panic!("{name} is not known here"),
    }
}

/// What an expression gives, as the cases write it.
fn ask(dom: &Dom, xpath: &str, context: NodeId) -> serde_json::Value {
    match compile(xpath).unwrap().evaluate(dom, context).unwrap() {
        Value::Nodes(nodes) => nodes.into_iter().map(|node| dom.text_content(node)).collect(),
        Value::Number(number) if number.fract() == 0.0 => (number as i64).into(),
        Value::Number(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Bool(truth) => truth.into(),
    }
}

/// The nodes an expression gives.
#[track_caller]
fn nodes(dom: &Dom, xpath: &str, context: NodeId) -> Vec<NodeId> {
    match compile(xpath).unwrap().evaluate(dom, context).unwrap() {
        Value::Nodes(nodes) => nodes,
        other => panic!("{xpath} gives {other:?}"),
    }
}

#[test]
fn the_cases_hold() {
    let names = ["xpath-shop.html", "xpath-tree.html", "xpath-feed.xml"];
    let documents = names.map(|name| (name, document(name)));
    let (mut n_cases, mut n_lxml, mut wrong) = (0, 0, Vec::new());
    for line in CASES.lines() {
        let case: Case = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let (_, dom) = documents.iter().find(|(name, _)| *name == case.doc).unwrap();
        let context = match &case.context {
            Some(context) => nodes(dom, context, dom.document())[0],
            None => dom.document(),
        };
        let found = ask(dom, &case.xpath, context);
        if found != case.expect {
            wrong.push(format!("{line}\n    gives {found}"));
        }
        n_cases += 1;
        n_lxml += usize::from(case.lxml);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_cases >= 150 && 2 * n_lxml >= n_cases, "{n_cases} cases, {n_lxml} of lxml");
}

#[test]
fn what_is_no_expression_says_why_and_where() {
    let error = compile("//a[re:test(., '(')]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`//a[re:test(., '(')]` is not an XPath expression: \
         `(` is no regular expression: unclosed group (character 5)"
    );
}

#[test]
fn expressions_are_bounded_in_depth_and_length() {
    let dom = Dom::html("<p>x", &[]);
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(ask(&dom, &nested(90), dom.document()), 1);
    for open in ["(", "not(", "a[", "-(", "1+(", "//a[b and (", "concat(1,"] {
        for n in [200, 30_000 / open.len()] {
            let error = compile(&open.repeat(n)).unwrap_err().to_string();
            assert!(error.contains("it nests too deep"), "{open}");
        }
    }
    let predicates = format!("//p{}{}", "[.//text()/parent::*".repeat(98), "]".repeat(98));
    assert_eq!(ask(&dom, &predicates, dom.document()), serde_json::json!(["x"]));
    let sum = format!("1{}", "+1".repeat(20_000));
    assert_eq!(ask(&dom, &sum, dom.document()), 20_001);
    assert_eq!(ask(&dom, &format!("{}1", "-".repeat(60_000)), dom.document()), 1);
    assert_eq!(
        ask(&dom, &format!("//p{}", "/.".repeat(20_000)), dom.document()),
        serde_json::json!(["x"])
    );
    let prefixes: String = (0..99).map(|n| format!("p{n}:a/")).collect();
    assert!(
        compile(&prefixes).unwrap_err().to_string().contains("more than 64 different prefixes")
    );
    assert!(compile(&"a|".repeat(40_000)).unwrap_err().to_string().contains("65536 are read"));
}

#[test]
fn hostile_expressions_end() {
    let list = format!("<ul>{}", "<li class=x><i>1</i>".repeat(500));
    let deep = "<div>a".repeat(300);
    let wide = Dom::html(&list, &[]);
    let tall = Dom::html(&deep, &[]);
    let start = Instant::now();
    for xpath in [
        "//*[count(//*[count(//*[. = //*]) > 1]) > 1][count(preceding::*[following::*[preceding::*]]) > 2]",
        "//*[.//*[.//*[.//*[.//*[. = 'no']]]]]",
        "//*[preceding::*[preceding::*[preceding::*[position() = 7]]]]",
        "//node()[string-length(concat(/, /, /, /, /, /, /, /, /, /, /, /)) = 1]",
        "re:replace(concat(/, /, /, /, /), '', 'g', '0123456789012345678901234567890123456789')",
        "//*[re:test('x', concat('x{', count(preceding::*) + 1, '}'))]",
    ] {
        for dom in [&wide, &tall] {
            let compiled = compile(xpath).unwrap();
            match compiled.evaluate_within(dom, dom.document(), 200_000) {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.problem, SelectorProblem::TooCostly, "{error}");
                    assert!(error.to_string().ends_with(
                        "` was given up on: it takes more than 200000 steps in this document"
                    ));
                }
            }
        }
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn usual_steps_are_linear() {
    // Thirty thousand nodes; each of these would be given up on if it were quadratic.
    let dom = Dom::html(&"<li class=x><i>1</i>2".repeat(5000), &[]);
    for (xpath, count) in [
        ("//*//*//*//*", 5000),
        ("//node()/following::node()", 20_001),
        ("//node()/preceding::i", 5000),
        ("//li/following-sibling::li", 4999),
        ("//li/preceding-sibling::*", 4999),
        ("//i/ancestor::*", 5002),
        ("//li[1] | //li[last()]", 2),
        ("//li/following-sibling::li[1]", 4999),
        ("//li/preceding-sibling::li[1]", 4999),
        ("//li[following-sibling::li[position() <= 2][@id or 1]]", 4999),
        ("//li[not(following-sibling::li)]", 1),
        ("//i[. = //li/i]", 5000),
        ("//li[@class = //li[1]/@class]", 5000),
        ("//node()/descendant-or-self::node()/@class/..", 5000),
        ("//i[count(//i) = 5000]", 5000),
        ("//i[(//i)[last()]]", 5000),
    ] {
        let answer = compile(xpath).unwrap().evaluate_within(&dom, dom.document(), 500_000);
        let Value::Nodes(nodes) = answer.unwrap() else { panic!("{xpath}") };
        assert_eq!(nodes.len(), count, "{xpath}");
    }
}

#[test]
fn prefixes_that_nobody_declares_are_an_error_in_xml_only() {
    let (feed, shop) = (document("xpath-feed.xml"), document("xpath-shop.html"));
    let expr = compile("//nope:a").unwrap();
    let error = expr.evaluate(&feed, feed.document()).unwrap_err().to_string();
    assert!(error.ends_with("an XPath expression: the document declares no prefix `nope`"));
    assert!(expr.evaluate(&shop, shop.document()).is_ok());
    let product = Dom::html("<G:Price X:y=1>3</g:price>", &[]);
    assert_eq!(ask(&product, "//g:price", product.document()), serde_json::json!(["3"]));
    assert_eq!(ask(&product, "//g:*/@x:y", product.document()), serde_json::json!(["1"]));
    let undeclared = Dom::html("<svg><a xlink:href=z></a></svg>", &[]);
    assert_eq!(ask(&undeclared, "//@xlink:href", NodeId(0)), serde_json::json!(["z"]));
    assert_eq!(ask(&undeclared, "name(//@xlink:*)", NodeId(0)), "xlink:href");
}

#[test]
fn nodes_of_other_pages_are_nowhere() {
    let dom = Dom::html("<p>x", &[]);
    for xpath in [".", "..", "self::node()", "ancestor::*", "preceding::node()", "following::*"] {
        assert!(nodes(&dom, xpath, NodeId(9999)).is_empty(), "{xpath}");
    }
    assert_eq!(ask(&dom, "concat(name(), string(), lang('x'))", NodeId(u32::MAX)), "false");
}

#[test]
fn pages_and_nodes_answer_xpath() {
    let test = page_from_html("http://h/", "<ul><li><a href=1>Tea</a><li><a href=2>Milk</a></ul>");
    let test = test.unwrap();
    let page = test.page();
    assert_eq!(page.xpath("//li/a/@href | //a/text()").unwrap().texts(), ["1", "Tea", "2", "Milk"]);
    let second = page.first("li + li").unwrap().unwrap();
    assert_eq!(second.xpath(".//@href").unwrap().texts(), ["2"]);
    assert_eq!(second.xpath("//@href").unwrap().len(), 2);
    assert_eq!(second.evaluate("count(preceding::a)").unwrap().to_string(), "1");
    assert_eq!(page.evaluate("-1 div 0").unwrap().to_string(), "-Infinity");
    assert_eq!(page.evaluate("//a").unwrap().to_string(), "Tea");
    let error = page.xpath("count(//a)").unwrap_err().to_string();
    assert_eq!(error, "`count(//a)` gives no nodes: it gives a number, which `evaluate` returns");
}
