//! Asks a compiled expression of a document.
//!
//! One method per type wanted; each converts what the expression gives (sections 3 and 4). The
//! stack grows with the nesting of the expression, never with the document.

mod axes;
mod calls;
mod compare;
mod names;
mod paths;
mod sets;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use crawl_query::xpath::{Arithmetic, Type};
use crawl_spider::NodeId;
use html5ever::Namespace;
use regex::Regex;

use super::Expr;
use super::Parsed;
use super::Value;
use super::text;
use crate::dom::{Dom, NodeKind};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Stop {
    /// The budget is used up.
    Steps,
    /// Something turned out to be wrong only now.
    Wrong(String),
}

/// Section 1: what an expression is evaluated with respect to.
#[derive(Debug, Clone, Copy)]
struct Context {
    node: NodeId,
    position: usize,
    size: usize,
}

/// How much of a node-set is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    All,
    /// At least the first in document order.
    First,
    /// At least one, if there is one.
    Any,
}

/// Nodes in document order, each once.
#[derive(Debug, Clone)]
enum Set {
    One(NodeId),
    Many(Vec<NodeId>),
    Shared(Rc<Vec<NodeId>>),
}

impl Deref for Set {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        match self {
            Self::One(node) => std::slice::from_ref(node),
            Self::Many(nodes) => nodes,
            Self::Shared(nodes) => nodes,
        }
    }
}

impl Set {
    const fn empty() -> Self {
        Self::Many(Vec::new())
    }

    /// Puts nodes in order.
    fn of(mut nodes: Vec<NodeId>) -> Self {
        if !nodes.is_sorted_by(|a, b| a.0 < b.0) {
            nodes.sort_unstable_by_key(|node| node.0);
            nodes.dedup();
        }
        Self::Many(nodes)
    }

    fn into_vec(self) -> Vec<NodeId> {
        match self {
            Self::One(node) => vec![node],
            Self::Many(nodes) => nodes,
            Self::Shared(nodes) => nodes.to_vec(),
        }
    }

    fn has(&self, node: NodeId) -> bool {
        self.binary_search_by_key(&node.0, |node| node.0).is_ok()
    }
}

/// One question to one document.
pub(super) struct Evaluator<'a> {
    dom: &'a Dom,
    parsed: &'a Parsed,
    /// What is left of the budget.
    left: u64,
    /// The namespaces that the prefixes stand for; `None` for unknown ones.
    namespaces: Vec<Option<Namespace>>,
    /// Answers of paths that are the same for all contexts.
    kept: Vec<Option<Rc<Vec<NodeId>>>>,
    /// The elements by their ids, once `id()` was called.
    ids: Option<HashMap<&'a str, NodeId>>,
    /// Regular expressions whose pattern is computed, by pattern and flags.
    regexes: HashMap<(String, String), Rc<Regex>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(dom: &'a Dom, parsed: &'a Parsed, max_steps: u64) -> Result<Self, Stop> {
        let mut left = max_steps;
        let prefixes = parsed.prefixes.iter();
        let namespaces = prefixes.map(|prefix| names::namespace(dom, prefix, &mut left));
        let namespaces = namespaces.collect::<Result<_, _>>()?;
        let kept = vec![None; parsed.n_slots];
        let (ids, regexes) = (None, HashMap::new());
        Ok(Self { dom, parsed, left, namespaces, kept, ids, regexes })
    }

    pub(super) fn answer(&mut self, node: NodeId) -> Result<Value, Stop> {
        let (expr, context) = (&self.parsed.expr, Context { node, position: 1, size: 1 });
        Ok(match expr.kind() {
            Type::Nodes => Value::Nodes(self.nodes(expr, context, Want::All)?.into_vec()),
            Type::Number => Value::Number(self.number(expr, context)?),
            Type::Text => Value::Text(self.text(expr, context)?.into_owned()),
            Type::Bool => Value::Bool(self.truth(expr, context)?),
        })
    }

    fn charge(&mut self, steps: u64) -> Result<(), Stop> {
        self.left = self.left.checked_sub(steps).ok_or(Stop::Steps)?;
        Ok(())
    }

    /// Text that was copied costs a step per eight bytes, so that what is left of the budget
    /// bounds the memory, too.
    fn charge_text(&mut self, text: &str) -> Result<(), Stop> {
        self.charge(text.len() as u64 / 8)
    }

    /// The string-value of a node (section 5).
    fn string_value(&mut self, node: NodeId) -> Result<Cow<'a, str>, Stop> {
        let dom = self.dom;
        if matches!(dom.kind(node), Some(NodeKind::Element | NodeKind::Document)) {
            self.charge(u64::from(dom.end(node).saturating_sub(node.0)))?;
        }
        let text = dom.text_content(node);
        self.charge(1)?;
        match &text {
            Cow::Owned(text) => self.charge_text(text)?,
            // It is only looked at.
            Cow::Borrowed(text) => self.charge(text.len() as u64 / 64)?,
        }
        Ok(text)
    }

    fn nodes(&mut self, expr: &'a Expr, context: Context, want: Want) -> Result<Set, Stop> {
        self.charge(1)?;
        match expr {
            Expr::Path(path) => self.path(path, context, want),
            Expr::Union(parts) => self.union(parts, context, want),
            Expr::Call(function, arguments) => self.call_for_nodes(*function, arguments, context),
            // The parser lets nothing else be where nodes are wanted.
            _ => Ok(Set::empty()),
        }
    }

    fn union(&mut self, parts: &'a [Expr], context: Context, want: Want) -> Result<Set, Stop> {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&self.nodes(part, context, want)?);
            if want == Want::Any && !all.is_empty() {
                break;
            }
        }
        self.charge(all.len() as u64)?;
        Ok(Set::of(all))
    }

    /// `number()` (section 4.4).
    fn number(&mut self, expr: &'a Expr, context: Context) -> Result<f64, Stop> {
        self.charge(1)?;
        match expr {
            Expr::Number(number) => Ok(*number),
            Expr::Negate(expr) => Ok(-self.number(expr, context)?),
            Expr::Arithmetic(first, rest) => {
                let mut result = self.number(first, context)?;
                for (operator, expr) in rest {
                    result = calculate(result, *operator, self.number(expr, context)?);
                }
                Ok(result)
            }
            Expr::Call(function, arguments) if expr.kind() == Type::Number => {
                self.call_for_number(*function, arguments, context)
            }
            _ if expr.kind() == Type::Bool => Ok(f64::from(self.truth(expr, context)?)),
            _ => Ok(text::to_number(&self.text(expr, context)?)),
        }
    }

    /// `string()` (section 4.2).
    fn text(&mut self, expr: &'a Expr, context: Context) -> Result<Cow<'a, str>, Stop> {
        self.charge(1)?;
        match expr {
            Expr::Literal(text) => {
                self.charge(text.len() as u64 / 64)?;
                Ok(Cow::Borrowed(text))
            }
            Expr::Regex(function, arguments, regex) if expr.kind() == Type::Text => {
                self.regex_for_text(*function, arguments, regex.as_ref(), context)
            }
            Expr::Call(function, arguments) if expr.kind() == Type::Text => {
                self.call_for_text(*function, arguments, context)
            }
            _ => match expr.kind() {
                Type::Number => Ok(text::from_number(self.number(expr, context)?)),
                Type::Bool => Ok(Cow::Borrowed(text::from_bool(self.truth(expr, context)?))),
                Type::Text | Type::Nodes => match self.nodes(expr, context, Want::First)?.first() {
                    Some(&node) => self.string_value(node),
                    None => Ok(Cow::Borrowed("")),
                },
            },
        }
    }

    /// `boolean()` (section 4.3).
    fn truth(&mut self, expr: &'a Expr, context: Context) -> Result<bool, Stop> {
        self.charge(1)?;
        match expr {
            Expr::Or(parts) => {
                for part in parts {
                    if self.truth(part, context)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expr::And(parts) => {
                for part in parts {
                    if !self.truth(part, context)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Compare(first, rest) => self.comparison(first, rest, context),
            Expr::Regex(_, arguments, regex) if expr.kind() == Type::Bool => {
                self.regex_test(arguments, regex.as_ref(), context)
            }
            Expr::Call(function, arguments) if expr.kind() == Type::Bool => {
                self.call_for_truth(*function, arguments, context)
            }
            _ => match expr.kind() {
                Type::Nodes => Ok(!self.nodes(expr, context, Want::Any)?.is_empty()),
                Type::Number => {
                    let number = self.number(expr, context)?;
                    Ok(number != 0.0 && !number.is_nan())
                }
                Type::Text | Type::Bool => Ok(!self.text(expr, context)?.is_empty()),
            },
        }
    }
}

/// Section 3.5; `mod` has the sign of the dividend, as Rust's `%`.
fn calculate(left: f64, operator: Arithmetic, right: f64) -> f64 {
    match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Modulo => left % right,
    }
}
