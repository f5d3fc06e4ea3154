//! Functions that give nodes: `id()` (section 4.1) and those of EXSLT's `set`.

use std::collections::{HashMap, HashSet};

use crawl_query::xpath::{Function, Type};
use crawl_spider::NodeId;
use html5ever::ns;

use super::{Context, Evaluator, Set, Stop, Want};
use crate::dom::{Dom, NodeKind};
use crate::xpath::Expr;
use crate::xpath::text::is_blank;

impl<'a> Evaluator<'a> {
    pub(super) fn call_for_nodes(
        &mut self,
        function: Function,
        arguments: &'a [Expr],
        context: Context,
    ) -> Result<Set, Stop> {
        let [first, rest @ ..] = arguments else { return Ok(Set::empty()) };
        if function == Function::Id {
            return self.by_id(first, context);
        }
        let set = self.nodes(first, context, Want::All)?;
        if function == Function::Distinct {
            return self.distinct(&set);
        }
        let Some(second) = rest.first() else { return Ok(Set::empty()) };
        let other = self.nodes(second, context, Want::All)?;
        self.charge((set.len() + other.len()) as u64)?;
        let kept = |keep: &dyn Fn(NodeId) -> bool| {
            Set::Many(set.iter().copied().filter(|&node| keep(node)).collect())
        };
        // Leading and trailing are those before and behind the first of the other set, which must
        // be in this one; all of them if there is none.
        let mark = other.first().copied();
        let is_in = mark.is_none_or(|mark| set.has(mark));
        Ok(match function {
            Function::Difference => kept(&|node| !other.has(node)),
            Function::Intersection => kept(&|node| other.has(node)),
            Function::Leading => kept(&|node| is_in && mark.is_none_or(|mark| node.0 < mark.0)),
            Function::Trailing => kept(&|node| is_in && mark.is_none_or(|mark| node.0 > mark.0)),
            _ => Set::empty(),
        })
    }

    /// The first node of each string-value.
    fn distinct(&mut self, set: &Set) -> Result<Set, Stop> {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for &node in set.iter() {
            if seen.insert(self.string_value(node)?) {
                kept.push(node);
            }
        }
        Ok(Set::Many(kept))
    }

    /// `id()`: of a node-set each string-value, of all else the string, is a list of ids.
    fn by_id(&mut self, expr: &'a Expr, context: Context) -> Result<Set, Stop> {
        let mut lists = Vec::new();
        if expr.kind() == Type::Nodes {
            for &node in self.nodes(expr, context, Want::All)?.iter() {
                lists.push(self.string_value(node)?);
            }
        } else {
            lists.push(self.text(expr, context)?);
        }
        let dom = self.dom;
        if self.ids.is_none() {
            self.charge(u64::from(dom.len()))?;
            self.ids = Some(ids(dom));
        }
        let Some(ids) = &self.ids else { return Ok(Set::empty()) };
        let words = lists.iter().flat_map(|list| list.split(is_blank));
        Ok(Set::of(words.filter_map(|id| ids.get(id).copied()).collect()))
    }

    /// `lang()` (section 4.3): of the nearest ancestor that has one.
    pub(super) fn is_of_language(&mut self, wanted: &str, node: NodeId) -> Result<bool, Stop> {
        let dom = self.dom;
        let first = dom.kind(node).map(|_| node);
        for node in first.into_iter().chain(dom.ancestors(node)) {
            self.charge(1 + dom.attributes(node).count() as u64)?;
            let language = dom.attributes(node).filter_map(|attribute| dom.attribute(attribute));
            let language = language.filter(|(name, _)| match &*name.local {
                // In HTML `xml:lang` is a name like any other, and means nothing.
                "lang" => name.ns == ns!(xml) || is_html(dom, node) && name.ns.is_empty(),
                _ => false,
            });
            // The one of XML comes first (HTML Standard, section 3.2.6.2).
            if let Some((_, language)) = language.max_by_key(|(name, _)| name.ns == ns!(xml)) {
                let head = language.get(..wanted.len());
                let is_it = head.is_some_and(|head| head.eq_ignore_ascii_case(wanted));
                return Ok(
                    is_it && matches!(language.as_bytes().get(wanted.len()), None | Some(b'-'))
                );
            }
        }
        Ok(false)
    }
}

/// Whether a `lang` without prefix says the language.
fn is_html(dom: &Dom, node: NodeId) -> bool {
    matches!(*dom.namespace(node), ns!(html) | ns!(svg))
}

/// The first element of each id.
fn ids(dom: &Dom) -> HashMap<&str, NodeId> {
    let mut ids = HashMap::new();
    for node in (0..dom.len()).map(NodeId) {
        if dom.kind(node) == Some(NodeKind::Attribute)
            && let Some((name, value)) = dom.attribute(node)
            && *name.local == *"id"
            && (name.ns.is_empty() || name.ns == ns!(xml))
            && let Some(element) = dom.parent(node)
        {
            ids.entry(value.trim_matches(is_blank)).or_insert(element);
        }
    }
    ids.remove("");
    ids
}
