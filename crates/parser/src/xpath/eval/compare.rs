//! Comparisons (section 3.4): what is compared as what, and node-sets in linear time.

use std::borrow::Cow;
use std::collections::HashSet;

use crawl_query::xpath::{Comparison, Type};

use super::{Context, Evaluator, Set, Stop, Want};
use crate::xpath::Expr;
use crate::xpath::text::to_number;

/// Compares strings and node's string-values; for order they are numbers.
fn of_texts(operator: Comparison, left: &str, right: &str) -> bool {
    match operator {
        Comparison::Equal => left == right,
        Comparison::Unequal => left != right,
        _ => operator.of_numbers(to_number(left), to_number(right)),
    }
}

impl<'a> Evaluator<'a> {
    /// A chain of comparisons: `1 < 2 < 3` is `true() < 3`.
    pub(super) fn comparison(
        &mut self,
        first: &'a Expr,
        rest: &'a [(Comparison, Expr)],
        context: Context,
    ) -> Result<bool, Stop> {
        let mut rest = rest.iter();
        let Some((operator, second)) = rest.next() else { return self.truth(first, context) };
        let mut result = self.compare(first, *operator, second, context)?;
        for (operator, expr) in rest {
            result = self.compare_truth(result, *operator, expr, context)?;
        }
        Ok(result)
    }

    fn compare_truth(
        &mut self,
        left: bool,
        operator: Comparison,
        right: &'a Expr,
        context: Context,
    ) -> Result<bool, Stop> {
        // For order, booleans and all but node-sets are compared as numbers.
        if operator.is_order() && right.kind() != Type::Nodes {
            return Ok(operator.of_numbers(f64::from(left), self.number(right, context)?));
        }
        Ok(operator.of_truths(left, self.truth(right, context)?))
    }

    fn compare(
        &mut self,
        left: &'a Expr,
        operator: Comparison,
        right: &'a Expr,
        context: Context,
    ) -> Result<bool, Stop> {
        match (left.kind(), right.kind()) {
            (Type::Nodes, Type::Nodes) => {
                let left = self.nodes(left, context, Want::All)?;
                let right = self.nodes(right, context, Want::All)?;
                self.compare_sets(&left, operator, &right)
            }
            (Type::Bool, _) => {
                let left = self.truth(left, context)?;
                self.compare_truth(left, operator, right, context)
            }
            (_, Type::Bool) => {
                let right = self.truth(right, context)?;
                self.compare_truth(right, operator.mirrored(), left, context)
            }
            (Type::Nodes, kind) => self.compare_nodes(left, operator, right, kind, context),
            (kind, Type::Nodes) => {
                self.compare_nodes(right, operator.mirrored(), left, kind, context)
            }
            (Type::Text, Type::Text) => {
                let left = self.text(left, context)?;
                Ok(of_texts(operator, &left, &self.text(right, context)?))
            }
            _ => {
                let left = self.number(left, context)?;
                Ok(operator.of_numbers(left, self.number(right, context)?))
            }
        }
    }

    /// Whether it is so for any of the nodes.
    fn compare_nodes(
        &mut self,
        nodes: &'a Expr,
        operator: Comparison,
        other: &'a Expr,
        kind: Type,
        context: Context,
    ) -> Result<bool, Stop> {
        let nodes = self.nodes(nodes, context, Want::All)?;
        if kind == Type::Number || operator.is_order() {
            let other = self.number(other, context)?;
            for &node in nodes.iter() {
                if operator.of_numbers(to_number(&self.string_value(node)?), other) {
                    return Ok(true);
                }
            }
        } else {
            let other = self.text(other, context)?;
            for &node in nodes.iter() {
                if of_texts(operator, &self.string_value(node)?, &other) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether it is so for any pair, without looking at each pair.
    fn compare_sets(
        &mut self,
        left: &Set,
        operator: Comparison,
        right: &Set,
    ) -> Result<bool, Stop> {
        if left.is_empty() || right.is_empty() {
            return Ok(false);
        }
        match operator {
            Comparison::Equal => {
                let (few, many) =
                    if left.len() <= right.len() { (left, right) } else { (right, left) };
                let few = few.iter().map(|&node| self.string_value(node));
                let few = few.collect::<Result<HashSet<Cow<'a, str>>, Stop>>()?;
                for &node in many.iter() {
                    if few.contains(&self.string_value(node)?) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Comparison::Unequal => {
                // Only if all are the same is there no pair that differs.
                let first = self.string_value(left[0])?;
                for &node in left.iter().chain(right.iter()) {
                    if self.string_value(node)? != first {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Comparison::Less | Comparison::AtMost => {
                let (least, _) = self.extremes(left)?;
                let (_, most) = self.extremes(right)?;
                Ok(operator.of_numbers(least, most))
            }
            Comparison::Greater | Comparison::AtLeast => {
                let (_, most) = self.extremes(left)?;
                let (least, _) = self.extremes(right)?;
                Ok(operator.of_numbers(most, least))
            }
        }
    }

    /// The least and the greatest number among nodes; NaN if none is a number.
    fn extremes(&mut self, nodes: &Set) -> Result<(f64, f64), Stop> {
        nodes.iter().try_fold((f64::NAN, f64::NAN), |(least, most), &node| {
            let number = to_number(&self.string_value(node)?);
            Ok((least.min(number), most.max(number)))
        })
    }
}
