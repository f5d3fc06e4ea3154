//! Location paths (section 2).

use super::{Parser, nodes};
use crate::Names;
use crate::xpath::ast::{Axis, Expr, Name, Path, Predicate, Start, Step, Test};
use crate::xpath::lex::{Operator, Token, Wrong};

/// Each is looked up in the document, perhaps all of it.
const MAX_PREFIXES: usize = 64;

impl<N: Names> Parser<'_, N> {
    /// `PathExpr` (production 19).
    pub(super) fn path(&mut self) -> Result<Expr<N>, Wrong> {
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
    fn relative(&mut self, steps: &mut Vec<Step<N>>) -> Result<(), Wrong> {
        loop {
            self.step(steps)?;
            if self.take(Token::Operator(Operator::DoubleSlash)) {
                steps.push(any_below());
            } else if !self.take(Token::Operator(Operator::Slash)) {
                return Ok(());
            }
        }
    }

    fn step(&mut self, steps: &mut Vec<Step<N>>) -> Result<(), Wrong> {
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

    fn test(&mut self) -> Result<Test<N>, Wrong> {
        let at = self.at();
        match self.peek() {
            Token::Any(None) => {
                self.advance();
                Ok(Test::Any)
            }
            Token::Any(Some(prefix)) => {
                self.advance();
                Ok(Test::AnyOf(self.prefix(prefix)?))
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
                let prefix = prefix.map(|prefix| self.prefix(prefix)).transpose()?;
                let (local, lower) = (N::Local::from(name), N::Local::from(&lower));
                Ok(Test::Name(Name { prefix, local, lower }))
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
    fn prefix(&mut self, prefix: &str) -> Result<usize, Wrong> {
        if let Some(place) = self.prefixes.iter().position(|known| **known == *prefix) {
            return Ok(place);
        }
        if self.prefixes.len() == MAX_PREFIXES {
            let reason = format!("it has more than {MAX_PREFIXES} different prefixes");
            return Err(Wrong::new(reason, self.at()));
        }
        self.prefixes.push(prefix.into());
        Ok(self.prefixes.len() - 1)
    }

    pub(super) fn predicates(&mut self) -> Result<Vec<Predicate<N>>, Wrong> {
        let mut predicates = Vec::new();
        while self.take(Token::OpenBracket) {
            self.n_open += 1;
            predicates.push(Predicate::new(self.expr()?));
            self.n_open -= 1;
            self.expect(Token::CloseBracket, "`]`")?;
        }
        Ok(predicates)
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

/// `descendant-or-self::node()`, which `//` stands for.
fn any_below<N: Names>() -> Step<N> {
    Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: Vec::new() }
}

/// Makes one step of `descendant-or-self::node()/child::x`, unless a predicate counts children.
fn shortened<N: Names>(steps: Vec<Step<N>>) -> Vec<Step<N>> {
    let mut short: Vec<Step<N>> = Vec::with_capacity(steps.len());
    for mut step in steps {
        let is_any_below = |step: &mut Step<N>| {
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
