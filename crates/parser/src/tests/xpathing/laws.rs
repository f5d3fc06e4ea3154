//! Laws that hold for all expressions and trees, and the axes word by word.

use crawl_spider::NodeId;
use proptest::prelude::*;

use super::nodes;
use crate::dom::{Dom, NodeKind};
use crate::xpath::{Value, compile};

/// A document of elements, texts and comments.
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[0-9a-c]{1,2}",
        Just("<!--c-->".to_owned()),
        "[xy]".prop_map(|id| format!("<div id={id} k=1></div>")),
    ];
    let piece = leaf.prop_recursive(5, 40, 5, |inner| {
        let name = prop::sample::select(vec!["div", "section", "main"]);
        (name, "( k=[123])?", prop::collection::vec(inner, 0..5))
            .prop_map(|(name, k, inner)| format!("<{name}{k}>{}</{name}>", inner.concat()))
    });
    prop::collection::vec(piece, 0..5)
        .prop_map(|pieces| format!("<!DOCTYPE html><body>{}", pieces.concat()))
}

const AXES: [&str; 12] = [
    "ancestor",
    "ancestor-or-self",
    "attribute",
    "child",
    "descendant",
    "descendant-or-self",
    "following",
    "following-sibling",
    "parent",
    "preceding",
    "preceding-sibling",
    "self",
];

/// The standard's definition of an axis, word by word.
fn is_on(dom: &Dom, axis: &str, from: NodeId, to: NodeId) -> bool {
    let is_attribute = |node| dom.kind(node) == Some(NodeKind::Attribute);
    let is_above = |top, node| dom.ancestors(node).any(|ancestor| ancestor == top);
    let is_child = dom.parent(to) == Some(from) && !is_attribute(to);
    let are_siblings =
        dom.parent(to) == dom.parent(from) && !is_attribute(to) && !is_attribute(from);
    match axis {
        "self" => to == from,
        "ancestor" => is_above(to, from),
        "ancestor-or-self" => to == from || is_above(to, from),
        "attribute" => dom.parent(to) == Some(from) && is_attribute(to),
        "child" => is_child,
        "descendant" => is_above(from, to) && !is_attribute(to),
        "descendant-or-self" => to == from || is_above(from, to) && !is_attribute(to),
        "following" => to.0 > from.0 && !is_above(from, to) && !is_attribute(to),
        "preceding" => to.0 < from.0 && !is_above(to, from) && !is_attribute(to),
        "following-sibling" => are_siblings && to.0 > from.0,
        "preceding-sibling" => are_siblings && to.0 < from.0,
        "parent" => dom.parent(from) == Some(to),
        _ => panic!("{axis}"),
    }
}

/// What is on an axis of any of the nodes.
fn on(dom: &Dom, axis: &str, from: &[NodeId]) -> Vec<NodeId> {
    let all = (0..dom.len()).map(NodeId);
    let is_seen = |node: &NodeId| dom.kind(*node) != Some(NodeKind::Doctype);
    all.filter(is_seen).filter(|to| from.iter().any(|from| is_on(dom, axis, *from, *to))).collect()
}

/// An expression, valid but for a few.
fn expression() -> impl Strategy<Value = String> {
    let axis = prop::sample::select(AXES.to_vec());
    let test = prop::sample::select(vec!["*", "node()", "text()", "div", "section", "comment()"]);
    let leaf = prop_oneof![
        (axis, test).prop_map(|(axis, test)| format!("{axis}::{test}")),
        prop::sample::select(vec![
            "//div",
            "//*",
            ".",
            "..",
            "@k",
            "//@id",
            "/",
            "'1'",
            "2",
            "''",
            "last()",
            "position()",
            "true()",
            "name()",
            "string()",
            "id('x')",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "=", "!=", "<", ">=", "+", "-", "*", "div", "mod", "and", "or", "|", "/", "//",
        ]);
        let call = prop::sample::select(vec![
            "count",
            "sum",
            "not",
            "string",
            "number",
            "floor",
            "normalize-space",
            "concat('a', ",
            "contains(., ",
            "substring('abc', ",
            "set:distinct",
            "set:leading(//*, ",
            "re:test(., ",
            "translate(., '1', ",
            "round",
            "boolean",
            "lang",
            "has-class",
            "starts-with('1', ",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
            (inner.clone(), inner.clone()).prop_map(|(path, it)| format!("{path}[{it}]")),
            inner.clone().prop_map(|it| format!("({it})")),
            inner.clone().prop_map(|it| format!("-{it}")),
            (call, inner).prop_map(|(call, it)| {
                let open = if call.contains('(') { "" } else { "(" };
                format!("{call}{open}{it})")
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 512 }))]

    #[test]
    fn axes_are_what_the_standard_says(html in tree(), n in 0..40_u32, k in 1..4_usize) {
        let dom = Dom::html(&html, &[]);
        let from = NodeId(n % dom.len());
        prop_assume!(dom.kind(from) != Some(NodeKind::Doctype));
        let sets = ["//*[@k]", "//@k", "//node()[position() mod 2 = 1]", "//div | //@* | //comment()"];
        for axis in AXES {
            let all = on(&dom, axis, &[from]);
            prop_assert_eq!(&nodes(&dom, &format!("{axis}::node()"), from), &all, "{}", axis);
            let is_reverse = axis.starts_with("ancestor") || axis.starts_with("preceding");
            let kth = if is_reverse { all.iter().rev().nth(k - 1) } else { all.get(k - 1) };
            let kth: Vec<NodeId> = kth.copied().into_iter().collect();
            prop_assert_eq!(&nodes(&dom, &format!("{axis}::node()[{k}]"), from), &kth, "{}", axis);
            for set in sets {
                let from = nodes(&dom, set, dom.document());
                let found = nodes(&dom, &format!("({set})/{axis}::node()"), dom.document());
                prop_assert_eq!(found, on(&dom, axis, &from), "{} {}", set, axis);
            }
        }
    }

    #[test]
    fn no_expression_panics_and_laws_hold(
        html in tree(), a in expression(), b in expression(), n in 0..40_u32
    ) {
        let dom = Dom::html(&html, &[]);
        let context = NodeId(n % dom.len());
        let ask = |xpath: &str| compile(xpath).and_then(|it| it.evaluate_within(&dom, context, 100_000));
        let truth = |xpath: &str| ask(&format!("boolean({xpath})"));
        if let Ok(Value::Nodes(found)) = ask(&a) {
            prop_assert!(found.is_sorted_by(|a, b| a.0 < b.0));
            let again = ask(&format!("({a}) | ({a})"));
            prop_assert!(again.is_err() || again == Ok(Value::Nodes(found.clone())), "{}", a);
            // The way of one walk from all nodes, and that from one after the other.
            if let (Ok(free), Ok(counted)) = (
                ask(&format!("({a})/ancestor-or-self::*/node()[{b} = 1]")),
                ask(&format!("({a})/ancestor-or-self::*/node()[{b} = 1 and position() > 0]")),
            ) {
                prop_assert_eq!(free, counted, "{} and {}", a, b);
            }
            if let Ok(Value::Bool(any)) = truth(&a) {
                prop_assert_eq!(any, !found.is_empty());
            }
            if let (Ok(Value::Text(first)), Some(node)) = (ask(&format!("string({a})")), found.first()) {
                prop_assert_eq!(&*first, &*dom.text_content(*node), "{}", a);
            }
            if let Ok(Value::Nodes(other)) = ask(&b) {
                let union = ask(&format!("({a}) | ({b})"));
                let mut both = [found, other].concat();
                both.sort_by_key(|node| node.0);
                both.dedup();
                prop_assert!(union.is_err() || union == Ok(Value::Nodes(both)), "{} and {}", a, b);
            }
        }
        if let (Ok(yes), Ok(no)) = (ask(&format!("not(({a}) = ({b}))")), ask(&format!("({a}) = ({b})"))) {
            prop_assert_ne!(yes, no);
        }
    }

    #[test]
    fn all_elements_are_the_descendants_in_order(html in tree()) {
        let dom = Dom::html(&html, &[]);
        let all: Vec<_> = dom.descendants(dom.document()).filter(|&it| dom.is_element(it)).collect();
        prop_assert_eq!(nodes(&dom, "//*", dom.document()), all);
        for (left, right) in [
            ("//div[last()]", "//div[position() = last()]"),
            ("//div[2]", "//div[position() = 2]"),
            ("//div[2]", "//*/div[count(preceding-sibling::div) = 1]"),
            ("//div[@k]", "/descendant-or-self::node()/child::div[@k][position() > 0]"),
            ("(//div)[last()]", "/descendant::div[last()]"),
            ("//@k/..", "//*[@k]"),
            ("//node()[not(self::*)]", "//text() | //comment()"),
        ] {
            let [left, right] = [left, right].map(|it| nodes(&dom, it, dom.document()));
            prop_assert_eq!(left, right);
        }
    }

    #[test]
    fn no_text_panics(text in "[-a:*/@.|()\\[\\]<>=!'\", $0-9é\u{0}]{0,20}", cut in 0..60_usize) {
        let dom = Dom::html("<a>1<a a=1>2", &[]);
        if let Ok(xpath) = compile(&text) {
            let _ = xpath.evaluate_within(&dom, dom.document(), 10_000);
        }
        let whole = "//a[re:test(@a, '1', 'i') and position() = last()]/..//text() | id('é')";
        let _ = compile(&whole.chars().take(cut).collect::<String>());
    }
}
