//! What an expression is once it is compiled.
//!
//! XPath 1.0 without variables is typed: each expression has one of the four types whatever the
//! document, so wrong types are found here and never while evaluating. Chains of operators of
//! one kind are lists and not towers, so only brackets make the tree deeper, and those are
//! counted.

use super::functions::Function;
use crate::Names;

/// The four types of section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A set of nodes.
    Nodes,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A boolean.
    Bool,
}

impl Type {
    /// For messages: "gives …".
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Bool => "a boolean",
        }
    }
}

/// An expression (section 3).
#[derive(Debug)]
pub enum Expr<N: Names> {
    /// `12.5`
    Number(f64),
    /// `"text"`
    Literal(Box<str>),
    /// `or`: at least two, from left to right.
    Or(Vec<Expr<N>>),
    /// `and`: at least two, from left to right.
    And(Vec<Expr<N>>),
    /// From left to right; the result of each is the left side of the next.
    Compare(Box<Expr<N>>, Vec<(Comparison, Expr<N>)>),
    /// From left to right; the result of each is the left side of the next.
    Arithmetic(Box<Expr<N>>, Vec<(Arithmetic, Expr<N>)>),
    /// `-`
    Negate(Box<Expr<N>>),
    /// At least two node-sets.
    Union(Vec<Expr<N>>),
    /// Steps from somewhere.
    Path(Path<N>),
    /// A call of a function with its arguments.
    Call(Function, Vec<Expr<N>>),
    /// A call of the functions with regular expressions; compiled if the pattern is a literal.
    Regex(Function, Vec<Expr<N>>, Option<N::Pattern>),
}

/// How two sides are compared (section 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether it asks which side is greater.
    #[must_use]
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    /// With the sides exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::Unequal => self,
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
        }
    }

    /// Compares numbers; not-a-number is unequal to all.
    #[must_use]
    pub fn of_numbers(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }

    /// Compares truths, as the numbers 0 and 1.
    #[must_use]
    pub fn of_truths(self, left: bool, right: bool) -> bool {
        self.of_numbers(f64::from(left), f64::from(right))
    }
}

/// How two numbers make one (section 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `div`
    Divide,
    /// `mod`
    Modulo,
}

/// Nodes to start from, and the steps from there (sections 2 and 3.3).
#[derive(Debug)]
pub struct Path<N: Names> {
    /// Where it starts.
    pub start: Start<N>,
    /// The steps from there, one after the other.
    pub steps: Vec<Step<N>>,
    /// Where its answer is kept while the document is asked, if it is the same for all contexts
    /// and asked for again and again.
    pub slot: Option<usize>,
}

/// Where a path starts.
#[derive(Debug)]
pub enum Start<N: Names> {
    /// `/`: the root of the document.
    Root,
    /// The node that is asked.
    Context,
    /// An expression with predicates that count in document order.
    Filter(Box<Expr<N>>, Vec<Predicate<N>>),
}

/// One step of a path (section 2.1).
#[derive(Debug)]
pub struct Step<N: Names> {
    /// Which way.
    pub axis: Axis,
    /// To which nodes.
    pub test: Test<N>,
    /// Which of those.
    pub predicates: Vec<Predicate<N>>,
}

/// From a node to others (section 2.2); each is named as the standard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// `ancestor`
    Ancestor,
    /// `ancestor-or-self`
    AncestorOrSelf,
    /// `attribute`
    Attribute,
    /// `child`
    Child,
    /// `descendant`
    Descendant,
    /// `descendant-or-self`
    DescendantOrSelf,
    /// `following`
    Following,
    /// `following-sibling`
    FollowingSibling,
    /// `namespace`
    Namespace,
    /// `parent`
    Parent,
    /// `preceding`
    Preceding,
    /// `preceding-sibling`
    PrecedingSibling,
    /// `self`
    Itself,
}

impl Axis {
    /// The axis of this name.
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

/// What nodes a step takes (section 2.3).
#[derive(Debug)]
pub enum Test<N: Names> {
    /// `node()`
    Node,
    /// `text()`
    Text,
    /// `comment()`
    Comment,
    /// A processing instruction, perhaps of one target.
    Instruction(Option<Box<str>>),
    /// `*`
    Any,
    /// `prefix:*`, by the prefix's place in the list.
    AnyOf(usize),
    /// `name`, `prefix:name`
    Name(Name<N>),
}

/// A name test, ready for both flavours.
#[derive(Debug)]
pub struct Name<N: Names> {
    /// The prefix's place in the list.
    pub prefix: Option<usize>,
    /// Without prefix, as written.
    pub local: N::Local,
    /// Without prefix, in lower case.
    pub lower: N::Local,
}

/// Section 2.4, sorted by what has to be known to decide it.
#[derive(Debug)]
pub enum Predicate<N: Names> {
    /// The one at this place.
    Index(f64),
    /// The last one.
    Last,
    /// A number to compare with the position, or a truth that depends on position or size.
    Positional(Expr<N>),
    /// A truth about the node alone.
    Free(Expr<N>),
}

impl<N: Names> Predicate<N> {
    /// Sorts it.
    pub(super) fn new(expr: Expr<N>) -> Self {
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

    /// Whether it is a truth about the node alone.
    #[must_use]
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Free(_))
    }

    /// The greatest position that it can be true at.
    #[must_use]
    pub fn greatest(&self) -> f64 {
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

impl<N: Names> Expr<N> {
    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Type {
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
