//! Tokens to a typed tree: recursive descent over the grammar of sections 2 and 3.
//!
//! Everything that can be wrong whatever the document is found here: grammar, names of axes and
//! functions, the number of arguments and their types, regular expressions given as literals.

mod operators;
mod paths;
mod regexes;

use std::marker::PhantomData;

use operators::{binding, join};

use super::Expression;
use super::ast::{Expr, Type};
use super::functions::Function;
use super::lex::{Operator, Token, Wrong, tokens};
use crate::Names;

/// Bytes an expression may have.
const MAX_LEN: usize = 64 * 1024;

/// Expressions inside one another. People write up to ten; each costs stack here and while
/// evaluating.
const MAX_DEPTH: u32 = 100;

pub(super) fn parse<N: Names>(source: &str) -> Result<Expression<N>, Wrong> {
    if source.len() > MAX_LEN {
        let reason = format!("it has {} bytes, and at most {MAX_LEN} are read", source.len());
        return Err(Wrong::new(reason, MAX_LEN));
    }
    let tokens = tokens(source)?;
    let mut parser = Parser::<N> {
        names: PhantomData,
        tokens,
        next: 0,
        depth: 0,
        n_open: 0,
        prefixes: Vec::new(),
        n_slots: 0,
    };
    let expr = parser.expr()?;
    if parser.peek() != Token::End {
        return Err(parser.unexpected("the end"));
    }
    Ok(Expression { expr, prefixes: parser.prefixes, n_slots: parser.n_slots })
}

struct Parser<'e, N> {
    names: PhantomData<N>,
    tokens: Vec<(Token<'e>, usize)>,
    next: usize,
    depth: u32,
    /// Predicates that are open.
    n_open: u32,
    prefixes: Vec<Box<str>>,
    n_slots: usize,
}

impl<'e, N: Names> Parser<'e, N> {
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

    fn expr(&mut self) -> Result<Expr<N>, Wrong> {
        self.operation(1)
    }

    /// Operands joined by operators that bind at least as tight as `least` (section 3.1); all
    /// of them group from the left.
    fn operation(&mut self, least: u8) -> Result<Expr<N>, Wrong> {
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

    fn unary(&mut self) -> Result<Expr<N>, Wrong> {
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

    fn union(&mut self) -> Result<Expr<N>, Wrong> {
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

    /// `PrimaryExpr` (production 15).
    fn primary(&mut self) -> Result<Expr<N>, Wrong> {
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

    fn call(&mut self, prefix: Option<&str>, name: &str) -> Result<Expr<N>, Wrong> {
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

/// The expression, if it gives nodes.
fn nodes<N: Names>(expr: Expr<N>, what: &str, at: usize) -> Result<Expr<N>, Wrong> {
    match expr.kind() {
        Type::Nodes => Ok(expr),
        other => {
            let reason = format!("{what} must be nodes, and this is {}", other.noun());
            Err(Wrong::new(reason, at))
        }
    }
}
