//! What an expression is once it is compiled.
//!
//! XPath 1.0 without variables is typed: each expression has one of the four types whatever the
//! document, so wrong types are found here and never while evaluating. Chains of operators of
//! one kind are lists and not towers, so only brackets make the tree deeper, and those are
//! counted.

use html5ever::LocalName;
use regex::Regex;

use super::functions::Function;

/// The four types of section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Nodes,
    Number,
    Text,
    Bool,
}

impl Type {
    /// For messages: "gives …".
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Bool => "a boolean",
        }
    }
}

#[derive(Debug)]
pub(super) enum Expr {
    Number(f64),
    Literal(Box<str>),
    /// At least two, from left to right.
    Or(Vec<Expr>),
    /// At least two, from left to right.
    And(Vec<Expr>),
    /// From left to right; the result of each is the left side of the next.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// From left to right; the result of each is the left side of the next.
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
    Negate(Box<Expr>),
    /// At least two node-sets.
    Union(Vec<Expr>),
    Path(Path),
    Call(Function, Vec<Expr>),
    /// A call of the functions with regular expressions; compiled if the pattern is a literal.
    Regex(Function, Vec<Expr>, Option<Regex>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Nodes to start from, and the steps from there (sections 2 and 3.3).
#[derive(Debug)]
pub(super) struct Path {
    pub(super) start: Start,
    pub(super) steps: Vec<Step>,
    /// Where its answer is kept while the document is asked, if it is the same for all contexts
    /// and asked for again and again.
    pub(super) slot: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Start {
    Root,
    Context,
    /// An expression with predicates that count in document order.
    Filter(Box<Expr>, Vec<Predicate>),
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Predicate>,
}

/// Section 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

impl Axis {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrSelf,
            "attribute" => Self::Attribute,
            "child" => Self::Child,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrSelf,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "namespace" => Self::Namespace,
            "parent" => Self::Parent,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            "self" => Self::Itself,
            _ => return None,
        })
    }
}

/// Section 2.3.
#[derive(Debug)]
pub(super) enum Test {
    Node,
    Text,
    Comment,
    /// A processing instruction, perhaps of one target.
    Instruction(Option<Box<str>>),
    /// `*`
    Any,
    /// `prefix:*`, by the prefix's place in the list.
    AnyOf(usize),
    Name(Name),
}

/// A name test, ready for both flavours.
#[derive(Debug)]
pub(super) struct Name {
    /// The prefix's place in the list.
    pub(super) prefix: Option<usize>,
    /// Without prefix, as written.
    pub(super) local: LocalName,
    /// Without prefix, in lower case.
    pub(super) lower: LocalName,
}

/// Section 2.4, sorted by what has to be known to decide it.
#[derive(Debug)]
pub(super) enum Predicate {
    /// The one at this place.
    Index(f64),
    /// The last one.
    Last,
    /// A number to compare with the position, or a truth that depends on position or size.
    Positional(Expr),
    /// A truth about the node alone.
    Free(Expr),
}

impl Predicate {
    pub(super) fn new(expr: Expr) -> Self {
        if let Some((Comparison::Equal, index)) = expr.bound() {
            return Self::Index(index);
        }
        match expr {
            Expr::Number(index) => Self::Index(index),
            Expr::Call(Function::Last, _) => Self::Last,
            expr if expr.kind() == Type::Number || expr.asks_position() => Self::Positional(expr),
            expr => Self::Free(expr),
        }
    }

    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Free(_))
    }

    /// The greatest position that it can be true at.
    pub(super) fn greatest(&self) -> f64 {
        match self {
            Self::Index(index) => *index,
            Self::Last | Self::Free(_) => f64::INFINITY,
            Self::Positional(expr) => match expr.bound() {
                Some((Comparison::Less | Comparison::AtMost, most)) => most,
                _ => f64::INFINITY,
            },
        }
    }
}

impl Expr {
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Number(_) | Self::Arithmetic(..) | Self::Negate(_) => Type::Number,
            Self::Literal(_) => Type::Text,
            Self::Or(_) | Self::And(_) | Self::Compare(..) => Type::Bool,
            Self::Union(_) | Self::Path(_) => Type::Nodes,
            Self::Call(function, _) | Self::Regex(function, ..) => function.signature().gives,
        }
    }

    /// The comparison and the number if it is `position() < 3` or the like.
    fn bound(&self) -> Option<(Comparison, f64)> {
        let Self::Compare(left, rest) = self else { return None };
        match (&**left, &**rest) {
            (Self::Call(Function::Position, _), [(comparison, Self::Number(number))]) => {
                Some((*comparison, *number))
            }
            _ => None,
        }
    }

    /// Whether it depends on the position or size of the context it is asked in. Predicates
    /// inside have contexts of their own.
    fn asks_position(&self) -> bool {
        match self {
            Self::Number(_) | Self::Literal(_) => false,
            Self::Call(Function::Last | Function::Position, _) => true,
            Self::Or(parts)
            | Self::And(parts)
            | Self::Union(parts)
            | Self::Call(_, parts)
            | Self::Regex(_, parts, _) => parts.iter().any(Self::asks_position),
            Self::Compare(first, rest) => {
                first.asks_position() || rest.iter().any(|(_, expr)| expr.asks_position())
            }
            Self::Arithmetic(first, rest) => {
                first.asks_position() || rest.iter().any(|(_, expr)| expr.asks_position())
            }
            Self::Negate(expr) => expr.asks_position(),
            Self::Path(Path { start: Start::Filter(expr, _), .. }) => expr.asks_position(),
            Self::Path(_) => false,
        }
    }
}
