//! The axes (section 2.2) as walks over ranges of numbers and chains of siblings.
//!
//! `visit` gets each node with what finding it cost, and may end the walk.

use std::ops::{ControlFlow, Range};

use crawl_query::xpath::Axis;
use crawl_spider::NodeId;
use html5ever::ns;

use crate::dom::{Dom, NodeKind};

/// Whether a walk goes on.
pub(super) type Flow = ControlFlow<()>;

/// Visits the nodes of an axis from one node, in the order that positions count in: reverse
/// axes backwards.
pub(super) fn walk_one(
    dom: &Dom,
    axis: Axis,
    node: NodeId,
    visit: &mut impl FnMut(NodeId, u64) -> Flow,
) -> Flow {
    match axis {
        Axis::Itself => visit(node, 1),
        Axis::Child => dom.children(node).try_for_each(|child| visit(child, 1)),
        Axis::Parent => dom.parent(node).into_iter().try_for_each(|node| visit(node, 1)),
        Axis::Attribute => attributes(dom, node, visit),
        Axis::Namespace => ControlFlow::Continue(()),
        Axis::Ancestor => dom.ancestors(node).try_for_each(|node| visit(node, 1)),
        Axis::AncestorOrSelf => {
            visit(node, 1)?;
            dom.ancestors(node).try_for_each(|node| visit(node, 1))
        }
        Axis::Descendant => forwards(dom, node.0 + 1..dom.end(node), visit),
        Axis::DescendantOrSelf => {
            visit(node, 1)?;
            forwards(dom, node.0 + 1..dom.end(node), visit)
        }
        Axis::Following => forwards(dom, dom.end(node)..dom.len(), visit),
        Axis::FollowingSibling => siblings(dom.next_sibling(node), |it| dom.next_sibling(it))
            .try_for_each(|node| visit(node, 1)),
        Axis::Preceding => {
            let mut cost = 0;
            for other in (0..node.0).rev().map(NodeId) {
                cost += 1;
                // What ends behind the node is one of its ancestors.
                if dom.kind(other) != Some(NodeKind::Attribute) && dom.end(other) <= node.0 {
                    visit(other, std::mem::take(&mut cost))?;
                }
            }
            ControlFlow::Continue(())
        }
        Axis::PrecedingSibling => siblings(dom.prev_sibling(node), |it| dom.prev_sibling(it))
            .try_for_each(|node| visit(node, 1)),
    }
}

/// Visits each node that is on the axis of any of the nodes, which are in document order. The
/// order is any; only on the parent axis does a node come twice.
pub(super) fn walk_all(
    dom: &Dom,
    axis: Axis,
    nodes: &[NodeId],
    visit: &mut impl FnMut(NodeId, u64) -> Flow,
) -> Flow {
    match axis {
        Axis::Itself | Axis::Child | Axis::Attribute | Axis::Namespace => {
            nodes.iter().try_for_each(|&node| walk_one(dom, axis, node, visit))
        }
        Axis::Parent => {
            let mut last = None;
            nodes.iter().filter_map(|&node| dom.parent(node)).try_for_each(|parent| {
                let is_new = last.replace(parent) != Some(parent);
                if is_new { visit(parent, 1) } else { ControlFlow::Continue(()) }
            })
        }
        Axis::Ancestor | Axis::AncestorOrSelf => ancestors(dom, axis, nodes, visit),
        Axis::Descendant | Axis::DescendantOrSelf => {
            // Up to here all are visited.
            let mut done = 0;
            nodes.iter().try_for_each(|&node| {
                let is_attribute = dom.kind(node) == Some(NodeKind::Attribute);
                if axis == Axis::DescendantOrSelf && (is_attribute || node.0 >= done) {
                    visit(node, 1)?;
                }
                let range = done.max(node.0 + 1)..dom.end(node);
                done = done.max(range.end);
                forwards(dom, range, visit)
            })
        }
        Axis::Following => {
            // What follows the one that ends first follows some node.
            let first = nodes.iter().map(|&node| dom.end(node)).min();
            forwards(dom, first.unwrap_or(dom.len())..dom.len(), visit)
        }
        Axis::Preceding => {
            // What ends before the last node precedes some node.
            let last = nodes.last().map_or(0, |node| node.0);
            let mut cost = 0;
            for other in (0..last).map(NodeId) {
                cost += 1;
                if dom.kind(other) != Some(NodeKind::Attribute) && dom.end(other) <= last {
                    visit(other, std::mem::take(&mut cost))?;
                }
            }
            ControlFlow::Continue(())
        }
        Axis::FollowingSibling | Axis::PrecedingSibling => sides(dom, axis, nodes, visit),
    }
}

/// A chain of siblings.
fn siblings(
    first: Option<NodeId>,
    next: impl Fn(NodeId) -> Option<NodeId>,
) -> impl Iterator<Item = NodeId> {
    std::iter::successors(first, move |&node| next(node))
}

/// The nodes of a range, attributes left out.
fn forwards(dom: &Dom, range: Range<u32>, visit: &mut impl FnMut(NodeId, u64) -> Flow) -> Flow {
    let mut cost = 0;
    for node in range.map(NodeId) {
        cost += 1;
        if dom.kind(node) != Some(NodeKind::Attribute) {
            visit(node, std::mem::take(&mut cost))?;
        }
    }
    ControlFlow::Continue(())
}

/// Declarations of namespaces are no attributes (section 5.3).
fn attributes(dom: &Dom, node: NodeId, visit: &mut impl FnMut(NodeId, u64) -> Flow) -> Flow {
    let is_declaration = |node: NodeId| *dom.namespace(node) == ns!(xmlns);
    dom.attributes(node).filter(|&node| !is_declaration(node)).try_for_each(|node| visit(node, 1))
}

/// From each node up to where the node before it has been.
fn ancestors(
    dom: &Dom,
    axis: Axis,
    nodes: &[NodeId],
    visit: &mut impl FnMut(NodeId, u64) -> Flow,
) -> Flow {
    let mut before: Option<NodeId> = None;
    nodes.iter().try_for_each(|&node| {
        if axis == Axis::AncestorOrSelf {
            visit(node, 1)?;
        }
        for ancestor in dom.ancestors(node) {
            // An ancestor that begins before the node before is an ancestor of that one, too.
            let is_done = before.is_some_and(|before| {
                ancestor.0 < before.0 || axis == Axis::AncestorOrSelf && ancestor == before
            });
            if is_done {
                break;
            }
            visit(ancestor, 1)?;
        }
        before = Some(node);
        ControlFlow::Continue(())
    })
}

/// Siblings of nodes that may be siblings of one another: those on one side of the first or last
/// of them are those of all.
fn sides(
    dom: &Dom,
    axis: Axis,
    nodes: &[NodeId],
    visit: &mut impl FnMut(NodeId, u64) -> Flow,
) -> Flow {
    // The parents that are open where we are, each with the last node of it.
    let mut open: Vec<(NodeId, NodeId)> = Vec::new();
    nodes.iter().try_for_each(|&node| {
        let Some(parent) = dom.parent(node) else { return ControlFlow::Continue(()) };
        if dom.kind(node) == Some(NodeKind::Attribute) {
            return ControlFlow::Continue(());
        }
        while open.pop_if(|(parent, _)| dom.end(*parent) <= node.0).is_some() {}
        let before = open.pop_if(|(open, _)| *open == parent).map(|(_, last)| last);
        open.push((parent, node));
        if axis == Axis::PrecedingSibling {
            // Back to the last one, itself included; what is before it is done.
            for sibling in siblings(dom.prev_sibling(node), |it| dom.prev_sibling(it)) {
                visit(sibling, 1)?;
                if Some(sibling) == before {
                    break;
                }
            }
            ControlFlow::Continue(())
        } else if before.is_none() {
            siblings(dom.next_sibling(node), |it| dom.next_sibling(it))
                .try_for_each(|node| visit(node, 1))
        } else {
            ControlFlow::Continue(())
        }
    })
}
