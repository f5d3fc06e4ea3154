//! How tight operators bind, and chains of them as lists.

use crate::Names;
use crate::xpath::ast::{Arithmetic, Comparison, Expr};
use crate::xpath::lex::Operator;

/// How tight an operator binds (section 3.5 and before); `/` and `|` are not asked here.
pub(super) fn binding(operator: Operator) -> u8 {
    match operator {
        Operator::Slash | Operator::DoubleSlash | Operator::Pipe => 0,
        Operator::Or => 1,
        Operator::And => 2,
        Operator::Equal | Operator::Unequal => 3,
        Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => 4,
        Operator::Plus | Operator::Minus => 5,
        Operator::Multiply | Operator::Divide | Operator::Modulo => 6,
    }
}

pub(super) fn join<N: Names>(left: Expr<N>, operator: Operator, right: Expr<N>) -> Expr<N> {
    match operator {
        Operator::Or => match left {
            Expr::Or(mut parts) => {
                parts.push(right);
                Expr::Or(parts)
            }
            left => Expr::Or(vec![left, right]),
        },
        Operator::And => match left {
            Expr::And(mut parts) => {
                parts.push(right);
                Expr::And(parts)
            }
            left => Expr::And(vec![left, right]),
        },
        Operator::Equal => compare(left, Comparison::Equal, right),
        Operator::Unequal => compare(left, Comparison::Unequal, right),
        Operator::Less => compare(left, Comparison::Less, right),
        Operator::AtMost => compare(left, Comparison::AtMost, right),
        Operator::Greater => compare(left, Comparison::Greater, right),
        Operator::AtLeast => compare(left, Comparison::AtLeast, right),
        Operator::Plus => calculate(left, Arithmetic::Add, right),
        Operator::Minus => calculate(left, Arithmetic::Subtract, right),
        Operator::Multiply => calculate(left, Arithmetic::Multiply, right),
        Operator::Divide => calculate(left, Arithmetic::Divide, right),
        Operator::Modulo => calculate(left, Arithmetic::Modulo, right),
        // They bind too loose to come here.
        Operator::Slash | Operator::DoubleSlash | Operator::Pipe => left,
    }
}

fn compare<N: Names>(left: Expr<N>, operator: Comparison, right: Expr<N>) -> Expr<N> {
    match left {
        Expr::Compare(first, mut rest) => {
            rest.push((operator, right));
            Expr::Compare(first, rest)
        }
        left => Expr::Compare(Box::new(left), vec![(operator, right)]),
    }
}

fn calculate<N: Names>(left: Expr<N>, operator: Arithmetic, right: Expr<N>) -> Expr<N> {
    match left {
        Expr::Arithmetic(first, mut rest) => {
            rest.push((operator, right));
            Expr::Arithmetic(first, rest)
        }
        left => Expr::Arithmetic(Box::new(left), vec![(operator, right)]),
    }
}
