//! Tokens to a typed tree: recursive descent over the grammar of sections 2 and 3.
//!
//! Everything that can be wrong whatever the document is found here: grammar, names of axes and
//! functions, the number of arguments and their types, regular expressions given as literals.

use html5ever::LocalName;

use super::ast::{
    Arithmetic, Axis, Comparison, Expr, Name, Path, Predicate, Start, Step, Test, Type,
};
use super::functions::Function;
use super::lex::{Operator, Token, Wrong, tokens};
use super::regexes;

/// Bytes an expression may have.
const MAX_LEN: usize = 64 * 1024;

/// Expressions inside one another. People write up to ten; each costs stack here and while
/// evaluating.
const MAX_DEPTH: u32 = 100;

/// What an expression is compiled to.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) expr: Expr,
    /// The prefixes of its name tests, each once.
    pub(super) prefixes: Vec<Box<str>>,
    /// How many paths want their answer kept.
    pub(super) n_slots: usize,
}

pub(super) fn parse(source: &str) -> Result<Parsed, Wrong> {
    if source.len() > MAX_LEN {
        let reason = format!("it has {} bytes, and at most {MAX_LEN} are read", source.len());
        return Err(Wrong::new(reason, MAX_LEN));
    }
    let tokens = tokens(source)?;
    let mut parser =
        Parser { tokens, next: 0, depth: 0, n_open: 0, prefixes: Vec::new(), n_slots: 0 };
    let expr = parser.expr()?;
    if parser.peek() != Token::End {
        return Err(parser.unexpected("the end"));
    }
    Ok(Parsed { expr, prefixes: parser.prefixes, n_slots: parser.n_slots })
}

struct Parser<'e> {
    tokens: Vec<(Token<'e>, usize)>,
    next: usize,
    depth: u32,
    /// Predicates that are open.
    n_open: u32,
    prefixes: Vec<Box<str>>,
    n_slots: usize,
}

impl<'e> Parser<'e> {
    fn peek(&self) -> Token<'e> {
        self.tokens[self.next].0
    }

    fn peek_behind(&self) -> Token<'e> {
        self.tokens.get(self.next + 1).map_or(Token::End, |(token, _)| *token)
    }

    /// The byte the next token begins at.
    fn at(&self) -> usize {
        self.tokens[self.next].1
    }

    fn advance(&mut self) {
        // The end stays, so that there is always a next token.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn take(&mut self, token: Token<'_>) -> bool {
        let is_it = self.peek() == token;
        if is_it {
            self.advance();
        }
        is_it
    }

    fn expect(&mut self, token: Token<'_>, what: &str) -> Result<(), Wrong> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn unexpected(&self, what: &str) -> Wrong {
        let end = if self.peek() == Token::End { ", but it ends" } else { "" };
        Wrong::new(format!("{what} is expected{end}"), self.at())
    }

    fn expr(&mut self) -> Result<Expr, Wrong> {
        self.operation(1)
    }

    /// Operands joined by operators that bind at least as tight as `least` (section 3.1); all
    /// of them group from the left.
    fn operation(&mut self, least: u8) -> Result<Expr, Wrong> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Wrong::new("it nests too deep", self.at()));
        }
        let mut left = self.unary()?;
        while let Token::Operator(operator) = self.peek() {
            let binds = binding(operator);
            if binds < least {
                break;
            }
            self.advance();
            let right = self.operation(binds + 1)?;
            left = join(left, operator, right);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Wrong> {
        let mut n_minus = 0_u32;
        while self.take(Token::Operator(Operator::Minus)) {
            n_minus += 1;
        }
        let mut expr = self.union()?;
        // Two of them still make a number of what is none.
        for _ in 0..if n_minus > 2 { 2 - n_minus % 2 } else { n_minus } {
            expr = Expr::Negate(Box::new(expr));
        }
        Ok(expr)
    }

    fn union(&mut self) -> Result<Expr, Wrong> {
        let at = self.at();
        let first = self.path()?;
        if self.peek() != Token::Operator(Operator::Pipe) {
            return Ok(first);
        }
        let mut parts = vec![nodes(first, "a side of `|`", at)?];
        while self.take(Token::Operator(Operator::Pipe)) {
            let at = self.at();
            parts.push(nodes(self.path()?, "a side of `|`", at)?);
        }
        Ok(Expr::Union(parts))
    }

    /// `PathExpr` (production 19).
    fn path(&mut self) -> Result<Expr, Wrong> {
        let at = self.at();
        let mut steps = Vec::new();
        let start = match self.peek() {
            Token::Operator(Operator::Slash) => {
                self.advance();
                if self.begins_step() {
                    self.relative(&mut steps)?;
                }
                Start::Root
            }
            Token::Operator(Operator::DoubleSlash) => {
                self.advance();
                steps.push(any_below());
                self.relative(&mut steps)?;
                Start::Root
            }
            _ if self.begins_step() => {
                self.relative(&mut steps)?;
                Start::Context
            }
            _ => {
                let primary = self.primary()?;
                let predicates = self.predicates()?;
                let slash = match self.peek() {
                    Token::Operator(slash @ (Operator::Slash | Operator::DoubleSlash)) => slash,
                    _ if predicates.is_empty() => return Ok(primary),
                    _ => {
                        let primary = nodes(primary, "what has a predicate", at)?;
                        let start = Start::Filter(Box::new(primary), predicates);
                        return Ok(Expr::Path(Path { start, steps, slot: None }));
                    }
                };
                self.advance();
                if slash == Operator::DoubleSlash {
                    steps.push(any_below());
                }
                self.relative(&mut steps)?;
                Start::Filter(Box::new(nodes(primary, "what has steps", at)?), predicates)
            }
        };
        let steps = shortened(steps);
        // In a predicate it would be walked again for each node.
        let is_kept = self.n_open > 0 && matches!(start, Start::Root) && !steps.is_empty();
        let slot = is_kept.then_some(self.n_slots);
        self.n_slots += usize::from(is_kept);
        Ok(Expr::Path(Path { start, steps, slot }))
    }

    /// Whether a step begins here, and not a primary expression.
    fn begins_step(&self) -> bool {
        match self.peek() {
            Token::Dot | Token::DotDot | Token::At | Token::Any(_) => true,
            Token::Name(prefix, name) => {
                self.peek_behind() != Token::Open || prefix.is_none() && is_node_type(name)
            }
            _ => false,
        }
    }

    /// `RelativeLocationPath` (production 3).
    fn relative(&mut self, steps: &mut Vec<Step>) -> Result<(), Wrong> {
        loop {
            self.step(steps)?;
            if self.take(Token::Operator(Operator::DoubleSlash)) {
                steps.push(any_below());
            } else if !self.take(Token::Operator(Operator::Slash)) {
                return Ok(());
            }
        }
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), Wrong> {
        if matches!(self.peek(), Token::Dot | Token::DotDot) {
            if self.take(Token::DotDot) {
                steps.push(Step { axis: Axis::Parent, test: Test::Node, predicates: Vec::new() });
            } else {
                // It stays where it is.
                self.advance();
            }
            if self.peek() == Token::OpenBracket {
                let reason = "`.` and `..` take no predicate; `self::node()[…]` does";
                return Err(Wrong::new(reason, self.at()));
            }
            return Ok(());
        }
        let axis = self.axis()?;
        let test = self.test()?;
        let predicates = self.predicates()?;
        steps.push(Step { axis, test, predicates });
        Ok(())
    }

    fn axis(&mut self) -> Result<Axis, Wrong> {
        if self.take(Token::At) {
            return Ok(Axis::Attribute);
        }
        let (Token::Name(prefix, name), Token::ColonColon) = (self.peek(), self.peek_behind())
        else {
            return Ok(Axis::Child);
        };
        let axis = Axis::by_name(name).filter(|_| prefix.is_none());
        let axis = axis.ok_or_else(|| Wrong::new(format!("`{name}` is no axis"), self.at()))?;
        self.advance();
        self.advance();
        Ok(axis)
    }

    fn test(&mut self) -> Result<Test, Wrong> {
        let at = self.at();
        match self.peek() {
            Token::Any(None) => {
                self.advance();
                Ok(Test::Any)
            }
            Token::Any(Some(prefix)) => {
                self.advance();
                Ok(Test::AnyOf(self.prefix(prefix)))
            }
            Token::Name(None, name) if self.peek_behind() == Token::Open => {
                self.advance();
                self.advance();
                let test = match name {
                    "node" => Test::Node,
                    "text" => Test::Text,
                    "comment" => Test::Comment,
                    "processing-instruction" => Test::Instruction(self.target()),
                    _ => {
                        let reason = format!("`{name}()` cannot be a step in XPath 1.0");
                        return Err(Wrong::new(reason, at));
                    }
                };
                self.expect(Token::Close, "`)`")?;
                Ok(test)
            }
            Token::Name(prefix, name) => {
                self.advance();
                let lower = name.to_ascii_lowercase();
                let qualified = match prefix {
                    Some(prefix) => format!("{}:{lower}", prefix.to_ascii_lowercase()),
                    None => lower.clone(),
                };
                let prefix = prefix.map(|prefix| self.prefix(prefix));
                let (local, lower) = (LocalName::from(name), LocalName::from(lower));
                Ok(Test::Name(Name { prefix, local, lower, qualified: qualified.into() }))
            }
            _ => Err(self.unexpected("a name, `*`, `@`, `.` or a node test")),
        }
    }

    fn target(&mut self) -> Option<Box<str>> {
        let Token::Literal(target) = self.peek() else { return None };
        self.advance();
        Some(target.into())
    }

    /// The place of a prefix in the list.
    fn prefix(&mut self, prefix: &str) -> usize {
        let place = self.prefixes.iter().position(|known| **known == *prefix);
        place.unwrap_or_else(|| {
            self.prefixes.push(prefix.into());
            self.prefixes.len() - 1
        })
    }

    fn predicates(&mut self) -> Result<Vec<Predicate>, Wrong> {
        let mut predicates = Vec::new();
        while self.take(Token::OpenBracket) {
            self.n_open += 1;
            predicates.push(Predicate::new(self.expr()?));
            self.n_open -= 1;
            self.expect(Token::CloseBracket, "`]`")?;
        }
        Ok(predicates)
    }

    /// `PrimaryExpr` (production 15).
    fn primary(&mut self) -> Result<Expr, Wrong> {
        let at = self.at();
        match self.peek() {
            Token::Open => {
                self.advance();
                let expr = self.expr()?;
                self.expect(Token::Close, "`)`")?;
                Ok(expr)
            }
            Token::Literal(text) => {
                self.advance();
                Ok(Expr::Literal(text.into()))
            }
            Token::Number(number) => {
                self.advance();
                Ok(Expr::Number(number))
            }
            Token::Variable(name) => {
                Err(Wrong::new(format!("there are no variables, so `${name}` has no value"), at))
            }
            Token::Name(prefix, name) => self.call(prefix, name),
            Token::Operator(_) | Token::End => Err(self.unexpected("an expression")),
            _ => Err(Wrong::new("an expression is expected here", at)),
        }
    }

    fn call(&mut self, prefix: Option<&str>, name: &str) -> Result<Expr, Wrong> {
        let at = self.at();
        let name = prefix.map_or(name.to_owned(), |prefix| format!("{prefix}:{name}"));
        let function = Function::by_name(&name)
            .ok_or_else(|| Wrong::new(format!("there is no function `{name}()`"), at))?;
        self.advance();
        self.advance();
        let signature = function.signature();
        let mut arguments = Vec::new();
        if !self.take(Token::Close) {
            loop {
                let at = self.at();
                let argument = self.expr()?;
                arguments.push(if signature.of_nodes {
                    nodes(argument, &format!("what `{name}()` takes"), at)?
                } else {
                    argument
                });
                if !self.take(Token::Comma) {
                    break;
                }
            }
            self.expect(Token::Close, "`,` or `)`")?;
        }
        let (least, most) = signature.takes;
        if !(least..=most).contains(&arguments.len()) {
            let (takes, given) = (signature.arity(), arguments.len());
            return Err(Wrong::new(format!("`{name}()` takes {takes}, not {given}"), at));
        }
        if function.is_regex() {
            return regexes::prepared(function, arguments).map_err(|reason| Wrong::new(reason, at));
        }
        Ok(Expr::Call(function, arguments))
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

/// `descendant-or-self::node()`, which `//` stands for.
fn any_below() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: Vec::new() }
}

/// Makes one step of `descendant-or-self::node()/child::x`, unless a predicate counts children.
fn shortened(steps: Vec<Step>) -> Vec<Step> {
    let mut short: Vec<Step> = Vec::with_capacity(steps.len());
    for mut step in steps {
        let is_any_below = |step: &mut Step| {
            step.axis == Axis::DescendantOrSelf
                && matches!(step.test, Test::Node)
                && step.predicates.is_empty()
        };
        let is_free = step.predicates.iter().all(Predicate::is_free);
        let joined = match step.axis {
            Axis::Child | Axis::Descendant if is_free => Axis::Descendant,
            Axis::DescendantOrSelf if is_free => Axis::DescendantOrSelf,
            axis => axis,
        };
        let is_below = matches!(joined, Axis::Descendant | Axis::DescendantOrSelf);
        if is_free && is_below && short.pop_if(is_any_below).is_some() {
            step.axis = joined;
        }
        short.push(step);
    }
    short
}

/// How tight an operator binds (section 3.5 and before); `/` and `|` are not asked here.
fn binding(operator: Operator) -> u8 {
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

fn join(left: Expr, operator: Operator, right: Expr) -> Expr {
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

fn compare(left: Expr, operator: Comparison, right: Expr) -> Expr {
    match left {
        Expr::Compare(first, mut rest) => {
            rest.push((operator, right));
            Expr::Compare(first, rest)
        }
        left => Expr::Compare(Box::new(left), vec![(operator, right)]),
    }
}

fn calculate(left: Expr, operator: Arithmetic, right: Expr) -> Expr {
    match left {
        Expr::Arithmetic(first, mut rest) => {
            rest.push((operator, right));
            Expr::Arithmetic(first, rest)
        }
        left => Expr::Arithmetic(Box::new(left), vec![(operator, right)]),
    }
}

/// The expression, if it gives nodes.
fn nodes(expr: Expr, what: &str, at: usize) -> Result<Expr, Wrong> {
    match expr.kind() {
        Type::Nodes => Ok(expr),
        other => {
            let reason = format!("{what} must be nodes, and this is {}", other.noun());
            Err(Wrong::new(reason, at))
        }
    }
}
