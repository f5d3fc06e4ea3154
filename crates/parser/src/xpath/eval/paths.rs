//! Location paths: steps from node-set to node-set (section 2).
//!
//! A step whose predicates do not ask for positions is one walk from all nodes of the set
//! together; only where positions count is each node walked from on its own.

use std::ops::ControlFlow;
use std::rc::Rc;

use crawl_query::xpath::{Axis, Type};
use crawl_spider::NodeId;

use super::axes::{Flow, walk_all, walk_one};
use super::{Context, Evaluator, Set, Stop, Want};
use crate::names::Atoms;
use crate::xpath::Expr;

type Path = crawl_query::xpath::Path<Atoms>;
type Predicate = crawl_query::xpath::Predicate<Atoms>;
type Start = crawl_query::xpath::Start<Atoms>;
type Step = crawl_query::xpath::Step<Atoms>;

impl<'a> Evaluator<'a> {
    pub(super) fn path(
        &mut self,
        path: &'a Path,
        context: Context,
        want: Want,
    ) -> Result<Set, Stop> {
        let Some(slot) = path.slot else { return self.walk(path, context, want) };
        if let Some(kept) = &self.kept[slot] {
            return Ok(Set::Shared(Rc::clone(kept)));
        }
        let found = Rc::new(self.walk(path, context, Want::All)?.into_vec());
        self.kept[slot] = Some(Rc::clone(&found));
        Ok(Set::Shared(found))
    }

    fn walk(&mut self, path: &'a Path, context: Context, want: Want) -> Result<Set, Stop> {
        let mut set = match &path.start {
            Start::Root => Set::One(self.dom.document()),
            // A number of another page may name nothing here.
            Start::Context if self.dom.kind(context.node).is_none() => Set::empty(),
            Start::Context => Set::One(context.node),
            Start::Filter(expr, predicates) => {
                let set = self.nodes(expr, context, Want::All)?;
                predicates.iter().try_fold(set, |set, it| self.filtered(set, it))?
            }
        };
        for (n, step) in path.steps.iter().enumerate() {
            if set.is_empty() {
                break;
            }
            let want = if n + 1 == path.steps.len() { want } else { Want::All };
            set = self.step(step, &set, want)?;
        }
        Ok(set)
    }

    fn step(&mut self, step: &'a Step, contexts: &[NodeId], want: Want) -> Result<Set, Stop> {
        self.charge(contexts.len() as u64)?;
        let found = match step.predicates.iter().position(|predicate| !predicate.is_free()) {
            None => self.step_of_all(step, contexts, want)?,
            Some(n_free) => self.step_of_each(step, n_free, contexts, want)?,
        };
        Ok(Set::of(found))
    }

    /// The step from all nodes at once.
    fn step_of_all(
        &mut self,
        step: &'a Step,
        contexts: &[NodeId],
        want: Want,
    ) -> Result<Vec<NodeId>, Stop> {
        let comes_in_order = match step.axis {
            Axis::Attribute
            | Axis::Descendant
            | Axis::DescendantOrSelf
            | Axis::Following
            | Axis::Itself
            | Axis::Namespace
            | Axis::Preceding => true,
            Axis::Child | Axis::FollowingSibling | Axis::Parent => contexts.len() == 1,
            Axis::Ancestor | Axis::AncestorOrSelf | Axis::PrecedingSibling => false,
        };
        let one_will_do = want == Want::Any || want == Want::First && comes_in_order;
        let mut found = Vec::new();
        let (dom, mut stop) = (self.dom, None);
        let _ = walk_all(dom, step.axis, contexts, &mut |node, cost| match self.passes(
            step,
            step.predicates.len(),
            node,
            cost,
        ) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => {
                found.push(node);
                if one_will_do { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            Err(why) => {
                stop = Some(why);
                ControlFlow::Break(())
            }
        });
        stop.map_or(Ok(found), Err)
    }

    /// The step from one node after the other; the first `n_free` predicates ask for no position.
    fn step_of_each(
        &mut self,
        step: &'a Step,
        n_free: usize,
        contexts: &[NodeId],
        want: Want,
    ) -> Result<Vec<NodeId>, Stop> {
        let limit = step.predicates[n_free].greatest();
        if limit < 1.0 || limit.is_nan() {
            return Ok(Vec::new());
        }
        let (mut all, mut here) = (Vec::new(), Vec::new());
        for &context in contexts {
            let (dom, mut stop) = (self.dom, None);
            let _: Flow = walk_one(dom, step.axis, context, &mut |node, cost| {
                match self.passes(step, n_free, node, cost) {
                    Ok(false) => return ControlFlow::Continue(()),
                    Ok(true) => here.push(node),
                    Err(why) => {
                        stop = Some(why);
                        return ControlFlow::Break(());
                    }
                }
                if here.len() as f64 >= limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if let Some(why) = stop {
                return Err(why);
            }
            for predicate in &step.predicates[n_free..] {
                self.keep(predicate, &mut here)?;
            }
            all.append(&mut here);
            if want == Want::Any && !all.is_empty() {
                break;
            }
        }
        self.charge(all.len() as u64)?;
        Ok(all)
    }

    /// Whether a node passes the node test and the first predicates, which are free.
    fn passes(
        &mut self,
        step: &'a Step,
        n_free: usize,
        node: NodeId,
        cost: u64,
    ) -> Result<bool, Stop> {
        self.charge(cost)?;
        if !self.matches(step.axis, &step.test, node) {
            return Ok(false);
        }
        // Nobody asks for position and size.
        let context = Context { node, position: 1, size: 1 };
        for predicate in &step.predicates[..n_free] {
            if let Predicate::Free(expr) = predicate
                && !self.truth(expr, context)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A predicate of a filter expression: positions count in document order.
    fn filtered(&mut self, set: Set, predicate: &'a Predicate) -> Result<Set, Stop> {
        let one = |node: Option<&NodeId>| node.map_or(Set::empty(), |node| Set::One(*node));
        match predicate {
            Predicate::Index(index) => Ok(one(place(*index, set.len()).and_then(|n| set.get(n)))),
            Predicate::Last => Ok(one(set.last())),
            Predicate::Free(_) | Predicate::Positional(_) => {
                let mut nodes = set.into_vec();
                self.keep(predicate, &mut nodes)?;
                Ok(Set::Many(nodes))
            }
        }
    }

    /// Keeps the nodes, in the order that positions count in, that a predicate is true of
    /// (section 2.4).
    fn keep(&mut self, predicate: &'a Predicate, nodes: &mut Vec<NodeId>) -> Result<(), Stop> {
        let only = |n: Option<usize>, nodes: &mut Vec<NodeId>| {
            let node = n.and_then(|n| nodes.get(n)).copied();
            nodes.clear();
            nodes.extend(node);
        };
        let expr = match predicate {
            Predicate::Index(index) => {
                only(place(*index, nodes.len()), nodes);
                return Ok(());
            }
            Predicate::Last => {
                only(nodes.len().checked_sub(1), nodes);
                return Ok(());
            }
            Predicate::Free(expr) | Predicate::Positional(expr) => expr,
        };
        self.charge(nodes.len() as u64)?;
        let (size, mut n_kept) = (nodes.len(), 0);
        for n in 0..size {
            let context = Context { node: nodes[n], position: n + 1, size };
            if self.is_true(expr, context)? {
                nodes[n_kept] = nodes[n];
                n_kept += 1;
            }
        }
        nodes.truncate(n_kept);
        Ok(())
    }

    /// A number is compared with the position; all else is a truth.
    fn is_true(&mut self, expr: &'a Expr, context: Context) -> Result<bool, Stop> {
        if expr.kind() == Type::Number {
            Ok(self.number(expr, context)? == context.position as f64)
        } else {
            self.truth(expr, context)
        }
    }
}

/// The index that a position names in a list; `None` if there is none.
fn place(position: f64, len: usize) -> Option<usize> {
    let is_there = position >= 1.0 && position <= len as f64 && position.fract() == 0.0;
    is_there.then_some(position as usize - 1)
}
